// Package simulation runs both sides, the connector between them, its disk,
// the lines and the clocks from one seed, and lets everything go wrong: edits
// by people and automation, merges, un-merges, reopenings, crashes at any step, lost
// answers, hints lost, doubled and in disorder, ends that can't do what ours
// can. A ledger knows of every value who set it and judges every write; when
// all has healed both sides must agree and nothing may be lost. It leaves what
// is printed to tools/simulate, and what a fault in the product would be to
// the faults planted there. It reads no clock but its own.
package simulation

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Options say how much to run.
type Options struct {
	Seed      uint64
	Histories int
	Steps     int       // of each history; 0: 60
	Workers   int       // 0: as many as there are processors
	Until     int       // stop after so many violations; 0: ManyViolations
	Progress  io.Writer // gets a line for every thousand histories; nil: none
}

// DefaultSteps is how many steps a history has.
const DefaultSteps = 60

// Report is what a run came to.
type Report struct {
	Histories, Steps, Edits int
	Violations              []Violation
	Counts                  map[string]int
	Hash                    uint64
}

// Violation is a history in which something didn't hold.
type Violation struct {
	Plan Plan
	Text string
}

// Counted are the counts of which every thousand histories must have enough.
var Counted = []string{"conflicts", "crashes", "lost answers", "merges", "un-merges", "412s", "reopenings", "reconnects"}

// Enough is how often each of them must happen in a thousand histories.
const Enough = 50

// ManyViolations is how many are looked for: a product that fails always need
// not fail for long.
const ManyViolations = 20

// RunAll runs histories until all are done, the context ends, or enough
// violations were found. The report depends on seed, histories and steps
// alone, unless the context ended it.
func RunAll(ctx context.Context, o Options) Report {
	if o.Steps <= 0 {
		o.Steps = DefaultSteps
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Until <= 0 {
		o.Until = ManyViolations
	}
	rep := Report{Counts: map[string]int{}, Hash: 14695981039346656037}
	block := map[string]int{}
	for from := 0; from < o.Histories && len(rep.Violations) < o.Until && ctx.Err() == nil; {
		n := min(100-from%100, o.Histories-from)
		if from < 100 { // what fails at once should be told at once
			n = min(n, 10)
		}
		for i, out := range some(o, from, n) {
			rep.Histories++
			rep.Steps += out.Steps
			rep.Edits += out.Edits
			rep.Hash = (rep.Hash ^ out.Hash) * 1099511628211
			for what, n := range counted(out.Counts) {
				rep.Counts[what] += n
				block[what] += n
			}
			if out.Violation != "" {
				rep.Violations = append(rep.Violations, Violation{Plan: o.plan(from + i), Text: out.Violation})
			}
		}
		from += n
		if from%1000 == 0 {
			if o.Progress != nil {
				fmt.Fprintf(o.Progress, "%7d histories: %s\n", from, counts(block))
			}
			clear(block)
		}
	}
	return rep
}

func (o Options) plan(number int) Plan {
	p := Plan{Seed: o.Seed, Number: uint64(number)}
	for n := range o.Steps {
		p.Steps = append(p.Steps, n)
	}
	return p
}

// some runs n histories side by side, and gives their outcomes in order.
func some(o Options, from, n int) []Outcome {
	outs := make([]Outcome, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range o.Workers {
		wg.Go(func() {
			for i := range next {
				outs[i] = Run(o.plan(from + i))
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return outs
}

// counted adds to a history's counts those that are made of several.
func counted(c map[string]int) map[string]int {
	c["lost answers"] = c["answer lost"] + c["crash after write"]
	return c
}

func counts(c map[string]int) string {
	var parts []string
	for _, what := range Counted {
		parts = append(parts, fmt.Sprintf("%s %d", what, c[what]))
	}
	return strings.Join(parts, ", ")
}

// Rare lists what happened less often than it must for the number of histories.
func (r Report) Rare() (rare []string) {
	for _, what := range Counted {
		if r.Histories >= 100 && r.Counts[what]*1000 < Enough*r.Histories {
			rare = append(rare, fmt.Sprintf("%s %d", what, r.Counts[what]))
		}
	}
	return rare
}

// String is the last line that a run prints.
func (r Report) String() string {
	return fmt.Sprintf("histories %d steps %d violations %d hash %016x", r.Histories, r.Steps, len(r.Violations), r.Hash)
}

// Shrink leaves out of a violating history all that it doesn't need.
func Shrink(p Plan) Plan {
	fails := func(q Plan) bool { return Run(q).Violation != "" }
	for size := len(p.Steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(p.Steps); {
			q := p
			q.Steps = slices.Delete(slices.Clone(p.Steps), at, min(at+size, len(p.Steps)))
			if fails(q) {
				p = q
			} else {
				at += size
			}
		}
	}
	var happened []string
	for what := range Run(p).Counts {
		happened = append(happened, what)
	}
	slices.Sort(happened)
	for _, what := range happened {
		q := p
		q.Mute = map[string]bool{what: true}
		for k := range p.Mute {
			q.Mute[k] = true
		}
		if fails(q) {
			p = q
		}
	}
	return p
}

// Tell tells a history as a story.
func Tell(p Plan) []string {
	p.Story = true
	out := Run(p)
	head := fmt.Sprintf("Seed %d, history %d, with %d of its steps:", p.Seed, p.Number, len(p.Steps))
	return append([]string{head}, out.Story...)
}
