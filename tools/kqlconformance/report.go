package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// tally is what the queries of one scope came to.
type tally struct {
	All      int `json:"all"`
	Ran      int `json:"ran"`
	Columns  int `json:"columns"` // of those, with the same
	Nonempty int `json:"nonempty"`
}

// outcome is what became of one item.
type outcome struct {
	Part  string `json:"part"` // query, example, case, rejected
	ID    string `json:"id"`
	Scope string `json:"scope,omitempty"`
	Stage string `json:"stage"` // compile, run, columns, rows, accepted; "" for none that failed
	Why   string `json:"why,omitempty"`
	Rows  int    `json:"rows"` // that came
	text  string
	// columned: the recorded columns came
	columned bool
	compile  time.Duration
}

// report is everything that a run found out.
type report struct {
	Scopes     map[string]*tally `json:"scopes"`
	Total      tally             `json:"total"`
	Examples   [2]int            `json:"examples"` // equal, strict
	Cases      [2]int            `json:"cases"`
	Rejected   [2]int            `json:"rejected"` // refused, to be refused
	P50        float64           `json:"p50compile"`
	P99        float64           `json:"p99compile"` // milliseconds
	Outcomes   []outcome         `json:"outcomes"`
	compiles   []time.Duration
	failedOnly []outcome
}

func newReport() *report { return &report{Scopes: map[string]*tally{}} }

func (r *report) query(o outcome) {
	if r.Scopes[o.Scope] == nil {
		r.Scopes[o.Scope] = &tally{}
	}
	for _, t := range []*tally{r.Scopes[o.Scope], &r.Total} {
		t.All++
		if o.Stage == "compile" || o.Stage == "run" {
			continue
		}
		t.Ran++
		if o.columned {
			t.Columns++
		}
		if o.Rows > 0 {
			t.Nonempty++
		}
	}
	r.compiles = append(r.compiles, o.compile)
	r.add(o)
}

func (r *report) example(o outcome) {
	pair := map[string]*[2]int{"example": &r.Examples, "case": &r.Cases, "rejected": &r.Rejected}[o.Part]
	pair[1]++
	if o.Stage == "" {
		pair[0]++
	}
	r.add(o)
}

func (r *report) add(o outcome) {
	r.Outcomes = append(r.Outcomes, o)
	if o.Stage != "" {
		r.failedOnly = append(r.failedOnly, o)
	}
}

// finish computes what only the whole tells.
func (r *report) finish() {
	if n := len(r.compiles); n > 0 {
		slices.Sort(r.compiles)
		r.P50, r.P99 = milliseconds(r.compiles[n/2]), milliseconds(r.compiles[n*99/100])
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// failures prints each failure, or the most frequent reasons with how often and one id.
func (r *report) failures(out io.Writer, reasons int) {
	if reasons == 0 {
		for _, o := range r.failedOnly {
			fmt.Fprintf(out, "%s %s: %s: %s\n", o.Part, o.ID, o.Stage, oneLine(o.Why, 300))
		}
		return
	}
	count, one := map[string]int{}, map[string]string{}
	var keys []string
	for _, o := range r.failedOnly {
		key := o.Part + " " + o.Stage + ": " + oneLine(o.Why, 170)
		if count[key] == 0 {
			keys, one[key] = append(keys, key), o.ID
		}
		count[key]++
	}
	slices.SortStableFunc(keys, func(a, b string) int { return count[b] - count[a] })
	for _, k := range keys[:min(reasons, len(keys))] {
		fmt.Fprintf(out, "%5d  %s  [%s]\n", count[k], k, one[k])
	}
}

func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// scopes are in the order in which the lines of the scopes come.
var scopes = []string{"xdr", "xdr+core", "sentinel", "other", "no-table", "service-function-only"}

// summary prints a line a scope, and last the line of the whole.
func (r *report) summary(out io.Writer) {
	names := slices.Clone(scopes)
	for n := range r.Scopes {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names[len(scopes):])
	for _, n := range names {
		if t := r.Scopes[n]; t != nil {
			if n == "" {
				n = "(none)"
			}
			fmt.Fprintf(out, "scope %s: queries %d/%d columns %d/%d nonempty %d/%d\n", n, t.Ran, t.All, t.Columns, t.Ran, t.Nonempty, t.Ran)
		}
	}
	t := r.Total
	fmt.Fprintf(out, "queries %d/%d columns %d/%d nonempty %d/%d examples %d/%d cases %d/%d rejected %d/%d p99compile=%.3f ms\n", t.Ran, t.All, t.Columns, t.Ran, t.Nonempty, t.Ran,
		r.Examples[0], r.Examples[1], r.Cases[0], r.Cases[1], r.Rejected[0], r.Rejected[1], r.P99)
}

// save writes everything as JSON.
func (r *report) save(file string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// below lists the shares that are under what the project promises.
func (r *report) below() (out []string) {
	check := func(what string, n, of int, least float64) {
		if of > 0 && 100*float64(n) < least*float64(of) {
			out = append(out, fmt.Sprintf("%s %d of %d, promised %.0f %%", what, n, of, least))
		}
	}
	for _, s := range []string{"xdr", "xdr+core"} {
		if t := r.Scopes[s]; t != nil {
			check("queries of scope "+s, t.Ran, t.All, 99)
		}
	}
	check("queries", r.Total.Ran, r.Total.All, 98)
	check("columns", r.Total.Columns, r.Total.Ran, 99)
	check("nonempty", r.Total.Nonempty, r.Total.Ran, 60)
	check("examples", r.Examples[0], r.Examples[1], 98)
	check("cases", r.Cases[0], r.Cases[1], 98)
	check("rejected", r.Rejected[0], r.Rejected[1], 90)
	return out
}
