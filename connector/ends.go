package connector

import (
	"fmt"

	"lockstep/connector/port"
	"lockstep/connector/reconcile"
	"lockstep/fault"
)

// EndHealth is what an end is, and what it can't do.
type EndHealth struct {
	Side   string
	Where  string   // address of a remote one; "" in process
	Cannot []string // sentences, in the order of the table; none in process
}

// lack is something that an end may be unable to do, and what follows.
type lack struct {
	side reconcile.Side // "": either
	can  func(port.Capabilities) bool
	text string
}

// local reports whether an end is in this process.
func local(c port.Capabilities) bool { return c.Where == "" }

// lacks is the table of what a remote end can't do. Source: storage-notes 1.8.
var lacks = []lack{
	{"", func(c port.Capabilities) bool { return c.Feed },
		"It has no change feed: it is asked for changes now and then, and all incidents are compared every five minutes. Of several changes in between the last alone crosses."},
	{"", func(c port.Capabilities) bool { return c.FieldTimes },
		"It doesn't say who set a field and when: in a conflict its incident's last change counts, by a person unless it is known for the service's own."},
	{"", func(c port.Capabilities) bool { return c.Conditional },
		"It takes no conditional writes: of two changes of one incident's tags in the same moment one can be lost, and a value set there in the moment of a write from here is overwritten."},
	{"", func(c port.Capabilities) bool { return c.WriteIDs },
		"It doesn't know writes again: after a lost answer what the incident shows decides."},
	{"", func(c port.Capabilities) bool { return c.CommentIDs },
		"It gives comments other ids."},
	{reconcile.Workspace, func(c port.Capabilities) bool { return c.CreateAlerts },
		"It takes no alerts: its incidents have title, description, severity, status, owner, reason, tags and comments alone."},
	{"", local, "It knows one author, this server's application: who said a comment stands under its text, who set a value in the journal here."},
	{"", local, "Lines of the activity log, such as of a value that gave way, stay in the journal here."},
	{"", local, "Raw hunting tables don't cross."},
}

// healthOf tells what an end is and can't do.
func healthOf(side reconcile.Side, can port.Capabilities) EndHealth {
	h := EndHealth{Side: string(side), Where: can.Where}
	for _, l := range lacks {
		if (l.side == "" || l.side == side) && !l.can(can) {
			h.Cannot = append(h.Cannot, l.text)
		}
	}
	return h
}

// remote gives the address of the end that isn't in this process, "" if both are.
func (s *Service) remote(ws string) string {
	if at := s.o.XDR.Capabilities().Where; at != "" {
		return at
	}
	return s.o.Workspace(ws).Capabilities().Where
}

// onePlace refuses the streaming of tables between processes.
func (s *Service) onePlace(ws string, tables []string) error {
	if at := s.remote(ws); at != "" && len(tables) > 0 {
		return fault.At("tables", "raw hunting tables stream within one server alone, and %s is another: %s", at, fmt.Sprint(tables))
	}
	return nil
}
