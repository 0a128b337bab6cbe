package microsoft_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// TestJoinedBySeed runs the worst profile with as many seeds as
// LOCKSTEP_CHAOS_SEEDS says, three by default.
func TestJoinedBySeed(t *testing.T) {
	seeds := 3
	if text := os.Getenv("LOCKSTEP_CHAOS_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("LOCKSTEP_CHAOS_SEEDS: %v", err)
		}
		seeds = n
	}
	for seed := range seeds {
		for _, join := range joins {
			t.Run(fmt.Sprintf("%d/%s", seed, join.name), func(t *testing.T) {
				t.Parallel()
				work(newRig(t, "all", uint64(1000+seed)), join.connect)
			})
		}
	}
}
