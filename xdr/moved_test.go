package xdr

import (
	"context"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
)

// TestUnmergeRefusesWhenAnAlertWasMovedOn: what isn't in the target any more
// can't be given back from there.
func TestUnmergeRefusesWhenAnAlertWasMovedOn(t *testing.T) {
	s, err := New(Options{Store: memory.New(), Now: func() schema.Ticks { return 1 << 60 }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, by := context.Background(), security.Actor{Kind: security.Person, Name: "ana"}
	for _, id := range []string{"da1", "da2", "da3"} {
		if _, err := s.Ingest(ctx, []security.Alert{{ID: id, Title: id, Created: 1 << 59}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Merge(ctx, []string{"1", "2"}, "", by); err != nil {
		t.Fatal(err)
	}
	err = s.change(ctx, func(u *work) error {
		r := u.alert("da2")
		r.Alert.IncidentID = "3"
		u.touchAlert(r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Unmerge(ctx, "2", "", by); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `alert "da2", which came with incident 2, isn't in incident 1 any more`) {
		t.Error(err)
	}
}
