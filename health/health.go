// Package health knows what is wrong with this server and since when, in words
// for those who run it. Whoever notices something reports it and clears it
// when it has passed; it leaves noticing to them and counting to the metrics.
package health

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"lockstep/schema"
)

// Severity says what a finding means for the server.
type Severity string

// The severities, least first.
const (
	Notice  Severity = "notice"  // worth knowing; nothing suffers
	Warning Severity = "warning" // something suffers, or will
	Failure Severity = "failure" // the server can't do its work
)

var order = []Severity{"", Notice, Warning, Failure}

func (s Severity) rank() int { return slices.Index(order, s) }

// Finding is one thing that is wrong.
type Finding struct {
	Subject  string       `json:"subject"` // what it is about, as parts with slashes: connector/stream, tables/disk
	Severity Severity     `json:"severity"`
	Message  string       `json:"message"` // one sentence: what is wrong and what helps
	Since    schema.Ticks `json:"since"`
	Seen     schema.Ticks `json:"seen"` // when it was last reported
}

// Registry holds the findings that stand. Its methods are safe for concurrent use.
type Registry struct {
	now func() schema.Ticks

	mu       sync.Mutex
	findings map[string]Finding
}

// New makes a registry without findings.
func New(now func() schema.Ticks) *Registry {
	return &Registry{now: now, findings: map[string]Finding{}}
}

// Report says what is wrong with a subject. A subject has one finding: a new
// report replaces its severity and message, and it stays as old as it was. A
// since of 0 means now.
func (r *Registry) Report(subject string, severity Severity, message string, since schema.Ticks) {
	if severity.rank() <= 0 {
		severity = Failure // a severity that nobody knows must not hide what it was about
	}
	now := r.now()
	if since == 0 {
		since = now
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.findings[subject]; ok {
		since = min(since, old.Since)
	}
	r.findings[subject] = Finding{Subject: subject, Severity: severity, Message: message, Since: since, Seen: now}
}

// Check reports an error of a subject, or clears the subject if there is none:
// for work that is tried again and again.
func (r *Registry) Check(subject string, severity Severity, err error) {
	if err == nil {
		r.Clear(subject)
		return
	}
	r.Report(subject, severity, err.Error(), 0)
}

// Clear removes a subject's finding, and those of its parts.
func (r *Registry) Clear(subject string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.findings {
		if s == subject || strings.HasPrefix(s, subject+"/") {
			delete(r.findings, s)
		}
	}
}

// Findings lists what stands: the worst first, of equals the oldest.
func (r *Registry) Findings() []Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Finding, 0, len(r.findings))
	for _, f := range r.findings {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), cmp.Compare(a.Since, b.Since), strings.Compare(a.Subject, b.Subject))
	})
	return out
}

// Worst is the highest severity that stands, "" if all is well. A server is
// ready while it isn't Failure.
func (r *Registry) Worst() Severity {
	if all := r.Findings(); len(all) > 0 {
		return all[0].Severity
	}
	return ""
}
