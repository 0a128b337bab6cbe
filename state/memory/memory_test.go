package memory_test

import (
	"context"
	"testing"

	"lockstep/state"
	"lockstep/state/memory"
	"lockstep/state/statetest"
)

func TestStore(t *testing.T) {
	statetest.Run(t, func(*testing.T) state.Store { return memory.New() })
}

func BenchmarkUpdate(b *testing.B) {
	s := memory.New()
	value := make([]byte, 1000)
	for i := 0; b.Loop(); i++ {
		err := s.Update(context.Background(), func(tx state.Tx) error {
			tx.Put("incident", state.Number(int64(i%100_000)), value)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
