package chaos

import (
	"fmt"
	"strings"

	"lockstep/fault"
)

// Fault is one way to misbehave.
type Fault string

// The faults. Each was seen in a published thread about a real service, or is
// allowed by its documents. Source: sync-failures S1 to S4, S15, S19, S22; facts 10.0.
const (
	Storm   Fault = "storm"   // 429 with Retry-After, several in a row
	Expand  Fault = "expand"  // 500 where $expand is asked for
	Failure Fault = "failure" // 503 before anything is done
	Ties    Fault = "ties"    // stamps have whole seconds alone
	Stale   Fault = "stale"   // a read gives an earlier state
	Skip    Fault = "skip"    // 400 for an offset past a bound
	Bare    Fault = "bare"    // merged incidents come without their alerts
	Drift   Fault = "drift"   // members nobody knows, and none that is null or empty
	Lost    Fault = "lost"    // a write is made, its answer never comes
)

// Profile is a server that misbehaves in some ways.
type Profile struct {
	Name, Help string
	rates      []rate
}

// rate is how often a fault is drawn where it applies, of 1,000.
type rate struct {
	fault Fault
	of    int
}

const always = 1000

// profiles is the table of them all.
var profiles = []Profile{
	{"none", "behaves; requests and writes are counted all the same", nil},
	{"throttled", "storms of 429 with Retry-After, single 503", []rate{{Storm, 40}, {Failure, 20}}},
	{"expand", "500 whenever $expand is asked for", []rate{{Expand, always}}},
	{"ties", "stamps of whole seconds, so that many are alike", []rate{{Ties, always}}},
	{"stale", "reads and lists that lag behind by up to a second and a half", []rate{{Stale, 250}}},
	{"skip", "400 for $skip and $top that lead past 100", []rate{{Skip, always}}},
	{"bare", "merged incidents without the alerts member", []rate{{Bare, always}}},
	{"drift", "members that no document names, and none that is null or empty", []rate{{Drift, always}}},
	{"lost", "writes that are made and never answered", []rate{{Lost, 250}}},
	{"all", "all of these", []rate{
		{Storm, 15}, {Failure, 20}, {Expand, 300}, {Ties, always}, {Stale, 100}, {Skip, always}, {Bare, always}, {Drift, always}, {Lost, 100},
	}},
}

// Profiles lists the profiles in the order of the table.
func Profiles() []Profile { return append([]Profile(nil), profiles...) }

// Named finds a profile. Invalid if there is none of that name.
func Named(name string) (Profile, error) {
	var names []string
	for _, p := range profiles {
		if strings.EqualFold(p.Name, name) {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fault.At("chaos", "there is no profile %q; there are %s", name, strings.Join(names, ", "))
}

// Help is the table of profiles as text.
func Help() string {
	var b strings.Builder
	for _, p := range profiles {
		fmt.Fprintf(&b, "  %-10s %s\n", p.Name, p.Help)
	}
	return b.String()
}
