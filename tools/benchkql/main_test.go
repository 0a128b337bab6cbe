package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestSame: on a few rows every query gives what the SQL beside it gives.
func TestSame(t *testing.T) {
	var out bytes.Buffer
	if err := run(context.Background(), options{rows: 1000, rounds: 1}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if got := strings.Count(out.String(), "ms "); got < len(order) {
		t.Errorf("%d lines for %d constructs:\n%s", got, len(order), out.String())
	}
}
