package xdr

import (
	"fmt"

	"lockstep/connector/port"
	"lockstep/security"
	"lockstep/xdr/correlation"
)

// Names under which the side acts by itself. Source for the second: facts 4.3.
var (
	intakeActor      = security.Actor{Kind: security.System, Name: "Microsoft Defender XDR"}
	correlationActor = security.Actor{Kind: security.System, Name: "Microsoft Defender XDR - alert correlation"}
)

// place puts a new alert into an incident: one that is there, or a new one.
func (u *work) place(r *heldAlert, sight correlation.Sight) {
	verdict := u.s.correlator.Judge(sight, u.around(sight, ""))
	h := u.incident(verdict.Join)
	if h == nil || !h.standing().Open {
		h = u.open()
		verdict.Link.Incident = ""
		u.note(h, Activity{Actor: correlationActor, Deed: "created", To: r.Alert.ID, Text: fmt.Sprintf("The incident was made for alert %s.", quote(r.Alert.Title))})
	}
	u.add(h, r)
	h = u.connect(h, r, verdict.Merges)
	u.remember(sight, h.ID)
	r.Link = verdict.Link
}

// revisit looks again at an alert that grew: it stays where it is, and may
// show that its incident and another are one.
func (u *work) revisit(h *held, r *heldAlert) {
	sight := u.s.correlator.Look(r.Alert)
	verdict := u.s.correlator.Judge(sight, u.around(sight, h.ID))
	if h.standing().Open {
		h = u.connect(h, r, verdict.Merges)
	}
	u.remember(sight, h.ID)
}

// around gathers what is known around an alert.
func (u *work) around(s correlation.Sight, home string) correlation.Neighbourhood {
	n := correlation.Neighbourhood{Home: home, Memories: map[string]correlation.Memory{}, Standing: u.standing}
	for _, key := range s.Keys() {
		if m := u.memory(key); m.found {
			n.Memories[key] = m.memory
		}
	}
	return n
}

// standing gives an incident as correlation sees it, where it lives now.
func (u *work) standing(id string) (correlation.Standing, bool) {
	h := u.incident(u.live(id))
	if h == nil {
		return correlation.Standing{}, false
	}
	return h.standing(), true
}

// remember keeps what was seen, under every key of it.
func (u *work) remember(s correlation.Sight, incident string) {
	for _, p := range s.Pieces {
		for _, key := range p.Keys {
			m := u.memory(key)
			m.memory = u.s.correlator.Remember(m.memory, s, p, incident)
			m.found = true
			if !m.changed {
				m.changed = true
				u.changedMemories = append(u.changedMemories, m)
			}
		}
	}
}

// add puts an alert into an incident.
func (u *work) add(h *held, r *heldAlert) {
	r.Alert.IncidentID = h.ID
	u.touchAlert(r)
	u.touch(h, correlationActor)
	h.AlertIDs = append(h.AlertIDs, r.Alert.ID)
	u.raise(h, r.Alert.Severity)
	u.learn(h, r.Alert)
	if h.Version == 0 && h.Description == "" {
		h.Description = r.Alert.Description
	}
	if len(h.AlertIDs) == 1 {
		return // the incident was made for it
	}
	u.note(h, Activity{Actor: correlationActor, Deed: "alertAdded", To: r.Alert.ID, Text: fmt.Sprintf("Alert %s was added.", quote(r.Alert.Title))})
}

// raise ends a severity set by hand when a higher alert arrives.
func (u *work) raise(h *held, arriving security.Severity) {
	if h.SeverityByHand && arriving.Above(h.Severity) {
		h.SeverityByHand = false
		u.stamp(h, port.FieldSeverity, port.Stamp{Actor: correlationActor, At: u.now})
		u.note(h, Activity{Actor: correlationActor, Deed: "severityChanged", From: string(h.Severity), To: string(arriving),
			Text: fmt.Sprintf("An alert of severity %s arrived; the severity %s set by hand no longer holds.", arriving, h.Severity)})
	}
}
