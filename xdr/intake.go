package xdr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr/correlation"
)

// Result says what became of an alert that was sent.
type Result string

// The results.
const (
	Created Result = "created"
	Updated Result = "updated"
	Repeat  Result = "repeat"  // known in this version, or a later one: nothing changed
	Refused Result = "refused" // see Reason
)

// Outcome is what became of one alert.
type Outcome struct {
	AlertID  string
	Incident string // that holds it; "" if refused
	Result   Result
	Reason   string
}

// Limits of an alert.
const (
	maxAlertID    = 512
	maxAlertTitle = 2_000
	maxAlertBytes = 1 << 20
	seenVersions  = 16 // fingerprints kept of an alert's versions
)

// prepared is an alert that passed validation, with what is computed before
// the transaction.
type prepared struct {
	alert       security.Alert
	fingerprint string
	sight       correlation.Sight
	refused     string
}

// Ingest takes alerts in, in their order and in one transaction; bad ones are
// refused and don't hold up the others. An alert is known by its ID: a
// later version of one that is there updates it, a known one changes nothing.
func (s *Service) Ingest(ctx context.Context, list []security.Alert) ([]Outcome, error) {
	batch := make([]prepared, len(list))
	for i, a := range list {
		if batch[i] = prepare(a); batch[i].refused == "" {
			batch[i].sight = s.correlator.Look(batch[i].alert)
		}
	}
	outcomes := make([]Outcome, len(list))
	err := s.change(ctx, func(u *work) error {
		for i, p := range batch {
			outcomes[i] = u.receive(p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("take in %d alerts: %w", len(list), err)
	}
	return outcomes, nil
}

// prepare validates an alert and fills what its shape left out.
func prepare(a security.Alert) prepared {
	a.IncidentID, a.Version = "", 0
	a.Complete()
	if a.LastActivity < a.FirstActivity {
		a.LastActivity, a.FirstActivity = a.FirstActivity, a.LastActivity
	}
	p := prepared{alert: a}
	if err := normalise(&p.alert); err != nil {
		p.refused = err.Error()
		return p
	}
	text, err := json.Marshal(p.alert)
	switch {
	case err != nil:
		p.refused = fmt.Sprintf("alert: can't be written as JSON: %v", err)
	case len(text) > maxAlertBytes:
		p.refused = fmt.Sprintf("alert: %d bytes; at most %d are taken", len(text), maxAlertBytes)
	default:
		sum := sha256.Sum256(text)
		p.fingerprint = hex.EncodeToString(sum[:12])
	}
	return p
}

// normalise checks an alert's fields and gives enumerations their spelling.
func normalise(a *security.Alert) error {
	switch {
	case a.ID == "":
		return fault.At("id", "is missing: an alert is known again by it")
	case len(a.ID) > maxAlertID || !utf8.ValidString(a.ID) || strings.ContainsFunc(a.ID, unicode.IsControl):
		return fault.At("id", "must be at most %d bytes of text without control characters", maxAlertID)
	case strings.TrimSpace(a.Title) == "":
		return fault.At("title", "is missing")
	case utf8.RuneCountInString(a.Title) > maxAlertTitle:
		return fault.At("title", "has more than %d characters", maxAlertTitle)
	case a.Created <= 0:
		return fault.At("createdDateTime", "is missing, and so are the activity times: one time is needed")
	}
	for _, t := range []schema.Ticks{a.Created, a.Updated, a.FirstActivity, a.LastActivity, a.Resolved} {
		if t < 0 || t > schema.MaxTicks {
			return fault.At("createdDateTime", "a time of the alert is outside the years 1 to 9999")
		}
	}
	for _, e := range []struct {
		field string
		enum  security.Enum
		value *string
	}{
		{"severity", security.Severities, (*string)(&a.Severity)},
		{"status", security.AlertStatuses, (*string)(&a.Status)},
		{"classification", security.Classifications, &a.Classification},
		{"determination", security.Determinations, &a.Determination},
	} {
		value, ok := e.enum.Parse(*e.value)
		if !ok {
			return fault.At(e.field, "%s is not one of %s", quote(*e.value), strings.Join(e.enum.Values, ", "))
		}
		*e.value = value
	}
	if a.Status == unset {
		a.Status = security.AlertNew
	}
	a.Evidence = joinEvidence(nil, a.Evidence)
	return nil
}

// receive takes one alert.
func (u *work) receive(p prepared) Outcome {
	out := Outcome{AlertID: p.alert.ID}
	if p.refused != "" {
		out.Result, out.Reason = Refused, p.refused
		return out
	}
	r := u.alert(p.alert.ID)
	switch {
	case r == nil:
		r = u.take(p)
		out.Result = Created
	case slices.Contains(r.Seen, p.fingerprint):
		out.Result = Repeat
	case p.alert.Updated < r.Source:
		u.ignore(r, p)
		out.Result, out.Reason = Repeat, "a later version of the alert is held"
	default:
		u.renew(r, p)
		out.Result = Updated
	}
	out.Incident = r.Alert.IncidentID
	return out
}

// take keeps a new alert and finds its place.
func (u *work) take(p prepared) *heldAlert {
	r := &heldAlert{alertRecord: alertRecord{Alert: p.alert, Seen: []string{p.fingerprint}, Source: p.alert.Updated}}
	u.alerts[r.Alert.ID] = r
	u.touchAlert(r)
	u.place(r, p.sight)
	return r
}

// see notes the fingerprint of a version of the source.
func (r *heldAlert) see(fingerprint string) {
	r.Seen = append(slices.Clone(r.Seen), fingerprint)
	if over := len(r.Seen) - seenVersions; over > 0 {
		r.Seen = r.Seen[over:]
	}
}

// ignore records that an older version came late.
func (u *work) ignore(r *heldAlert, p prepared) {
	r.see(p.fingerprint)
	alerts.Put(u.tx, r.Alert.ID, r.alertRecord)
	if h := u.incident(r.Alert.IncidentID); h != nil {
		u.note(h, Activity{Actor: intakeActor, Deed: "lateVersionIgnored", From: p.alert.Updated.String(), To: r.Source.String(),
			Text: fmt.Sprintf("A version of alert %s from %s came after the one from %s and was not applied.", quote(r.Alert.Title), p.alert.Updated, r.Source)})
	}
}

// renew applies a later version of the source: what the source says grows,
// what people set here stays.
func (u *work) renew(r *heldAlert, p prepared) {
	old, in := r.Alert, p.alert
	r.see(p.fingerprint)
	r.Source = in.Updated
	in.Version, in.IncidentID, in.Created = old.Version, old.IncidentID, old.Created
	in.Updated = max(old.Updated, in.Updated)
	in.Evidence = joinEvidence(old.Evidence, in.Evidence)
	in.Comments = joinComments(old.Comments, in.Comments)
	for _, f := range alertFields {
		if r.ByHand[f.name] {
			*f.of(&in) = *f.of(&old)
		}
	}
	if r.ByHand["status"] {
		in.Resolved = old.Resolved
	}
	r.Alert = in
	u.touchAlert(r)
	h := u.incident(in.IncidentID)
	if h == nil {
		u.place(r, u.s.correlator.Look(in))
		return
	}
	u.touch(h, intakeActor)
	u.note(h, Activity{Actor: intakeActor, Deed: "alertUpdated", To: in.ID, Text: fmt.Sprintf("Alert %s was updated by %s.", quote(in.Title), in.ServiceSource)})
	if shrinks(old, in) {
		h.stale = true
	}
	if in.Severity.Above(old.Severity) {
		u.raise(h, in.Severity)
	}
	u.learn(h, in)
	u.revisit(h, r)
}

// shrinks tells whether a new version takes back something that an incident
// derives from its alerts.
func shrinks(old, in security.Alert) bool {
	return old.Title != in.Title || old.Category != in.Category || old.ServiceSource != in.ServiceSource ||
		correlation.Detector(old) != correlation.Detector(in) ||
		old.Severity.Above(in.Severity) || !slices.Equal(old.Tactics, in.Tactics) || !slices.Equal(old.Techniques, in.Techniques) ||
		old.FirstActivity < in.FirstActivity || old.LastActivity > in.LastActivity
}

// joinComments adds the comments that aren't there yet.
func joinComments(old, in []security.Comment) []security.Comment {
	out := slices.Clone(old)
	for _, c := range in {
		if !slices.ContainsFunc(out, func(o security.Comment) bool { return o == c || c.ID != "" && o.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out
}
