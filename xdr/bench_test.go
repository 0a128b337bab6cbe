package xdr_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"lockstep/security"
	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/state/sqlite"
)

// BenchmarkIngest takes in alerts of 20,000 hosts and users in batches of 500:
// in four of five stories of a few alerts, the rest alone.
func BenchmarkIngest(b *testing.B) {
	for name, open := range map[string]func() state.Store{
		"memory": func() state.Store { return memory.New() },
		"sqlite": func() state.Store { return must(sqlite.Open(filepath.Join(b.TempDir(), "state.db"))) },
	} {
		b.Run(name, func(b *testing.B) {
			s := newSideOn(b, open())
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			taken := 0
			for b.Loop() {
				batch := make([]security.Alert, 500)
				for i := range batch {
					taken++
					story := taken/100*20 + r.IntN(20)
					batch[i] = alert(numbered("da", taken), taken/50, numbered("host/pc", story%20_000), numbered("user/u", story%19_999),
						"ip/8.8."+numbered("", story%250)+".7", numbered("hash/", r.IntN(100_000)), numbered("url/https://x.example/", r.IntN(100_000)))
					batch[i].Description = "Somebody did something that they should not have done, in so many words as products write."
				}
				s.take(batch...)
			}
			b.ReportMetric(float64(taken)/b.Elapsed().Seconds(), "alerts/s")
		})
	}
}
