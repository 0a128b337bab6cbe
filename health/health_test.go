package health_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/health"
	"lockstep/schema"
)

func TestFindings(t *testing.T) {
	now := schema.Ticks(1000)
	r := health.New(func() schema.Ticks { now++; return now })
	if got := r.Findings(); len(got) != 0 || r.Worst() != "" {
		t.Errorf("at first: %v, %q", got, r.Worst())
	}
	r.Report("tables/disk", health.Warning, "90 % full", 0)          // 1001
	r.Report("connector/stream", health.Warning, "behind", 500)      // 1002
	r.Report("xdr", health.Notice, "no source", 0)                   // 1003
	r.Report("tables/disk", health.Failure, "full", 0)               // 1004
	r.Report("connector/stream", health.Warning, "behind by 2 h", 0) // 1005
	r.Report("connector", health.Warning, "not connected", 0)        // 1006
	r.Report("odd", health.Severity("catastrophe"), "unknown", 0)    // 1007
	want := []health.Finding{
		{Subject: "tables/disk", Severity: health.Failure, Message: "full", Since: 1001, Seen: 1004},
		{Subject: "odd", Severity: health.Failure, Message: "unknown", Since: 1007, Seen: 1007},
		{Subject: "connector/stream", Severity: health.Warning, Message: "behind by 2 h", Since: 500, Seen: 1005},
		{Subject: "connector", Severity: health.Warning, Message: "not connected", Since: 1006, Seen: 1006},
		{Subject: "xdr", Severity: health.Notice, Message: "no source", Since: 1003, Seen: 1003},
	}
	if d := cmp.Diff(want, r.Findings()); d != "" {
		t.Error(d)
	}
	if r.Worst() != health.Failure {
		t.Errorf("worst: %q", r.Worst())
	}
	r.Clear("tables")
	r.Clear("odd")
	r.Clear("conn")
	r.Clear("unheard of")
	if r.Worst() != health.Warning || len(r.Findings()) != 3 {
		t.Errorf("after clearing: %v", r.Findings())
	}
	r.Clear("connector")
	r.Check("xdr", health.Failure, errors.New("broken"))
	if got := r.Findings(); len(got) != 1 || got[0].Message != "broken" || got[0].Since != 1003 {
		t.Errorf("after a failed check: %v", got)
	}
	r.Check("xdr", health.Failure, nil)
	r.Report("xdr", health.Notice, "again", 0)
	if got := r.Findings(); len(got) != 1 || got[0].Since == 1003 {
		t.Errorf("what was cleared begins anew: %v", got)
	}
}

func TestConcurrently(t *testing.T) {
	r := health.New(func() schema.Ticks { return 1 })
	var all sync.WaitGroup
	for _, subject := range []string{"a", "b", "a"} {
		all.Go(func() {
			for range 100 {
				r.Report(subject, health.Warning, "x", 0)
				r.Findings()
				r.Clear(subject)
			}
		})
	}
	all.Wait()
	if got := r.Findings(); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}
