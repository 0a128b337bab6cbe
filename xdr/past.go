package xdr

import (
	"context"
	"maps"
	"slices"

	"lockstep/connector/port"
	"lockstep/security"
	"lockstep/state"
)

// keptPasts is how many values an incident keeps of those it had: enough for
// what happens to one incident while the connector looks at others.
const keptPasts = 64

// standing is what an incident has of both sides' common fields at a version.
type standing struct {
	Version        int64                     `json:"version"`
	Resolution     port.Resolution           `json:"resolution"`
	Owner          security.Owner            `json:"owner,omitzero"`
	Severity       security.Severity         `json:"severity"`
	SeverityByHand bool                      `json:"byHand,omitempty"`
	Tags           []string                  `json:"tags,omitempty"`
	Stamps         map[port.Field]port.Stamp `json:"stamps,omitempty"`
}

func standingOf(i Incident) standing {
	return standing{
		Version:    i.Version,
		Resolution: port.Resolution{Status: string(i.Status), Classification: ifSet(i.Classification), Reason: ifSet(i.Determination), Comment: i.ResolvingComment},
		Owner:      i.Owner, Severity: i.Severity, SeverityByHand: i.SeverityByHand, Tags: slices.Clone(i.CustomTags),
	}
}

func (v standing) equal(w standing) bool {
	return v.Resolution == w.Resolution && v.Owner == w.Owner && v.Severity == w.Severity && slices.Equal(v.Tags, w.Tags)
}

// keepPast keeps the values of a version that changed some of them.
func (u *work) keepPast(h *held) {
	now := standingOf(h.Incident)
	if h.Version == 1 || now.equal(h.was) {
		return
	}
	now.Stamps = maps.Clone(h.book.Stamps)
	h.book.Pasts++
	key := incidentKey(h.ID)
	pasts.Put(u.tx, state.Join(key, state.Number(h.book.Pasts)), now)
	if h.book.Pasts > keptPasts {
		pasts.Delete(u.tx, state.Join(key, state.Number(h.book.Pasts-keptPasts)))
	}
	h.was = now
}

// Since gives an incident with the values of its first version after one that
// changed any, and whether these are its present ones. What isn't kept any more
// is passed over, and so is all that happened before a merge into another
// incident: then it is the present state. Of a merge that was taken back nothing
// is told.
func (e end) Since(ctx context.Context, id string, after int64) (out port.Incident, latest bool, err error) {
	err = e.s.view(ctx, func(u *work) error {
		h, err := u.known(id)
		if err != nil {
			return err
		}
		out, latest = u.shown(h), true
		if h.RedirectID != "" || after >= h.Version {
			return nil
		}
		var first *standing
		for _, v := range pasts.Scan(u.tx, state.Prefix(incidentKey(id))) {
			switch {
			case v.Version <= after || v.Resolution.Status == string(Redirected): // its redirect isn't shown any more
			case first == nil:
				first = &v
			default: // it has a successor
				out.Version, out.Resolution, out.Owner, out.Severity, out.SeverityByHand = first.Version, first.Resolution, first.Owner, first.Severity, first.SeverityByHand
				out.Tags, out.Stamps, latest = first.Tags, first.Stamps, false
				return nil
			}
		}
		return nil
	})
	return out, latest, err
}
