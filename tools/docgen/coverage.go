package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lockstep/kql/catalog"
	"lockstep/kql/coverage"
)

// coveragePage says of each word of the catalogue what shows that it answers right.
func coveragePage(root string) (string, error) {
	entries, err := coverageOf(root)
	if err != nil {
		return "", err
	}
	d := begin("What shows that KQL answers right", "`kql/catalog`, the cases of `kql/testdata` and the compiler")
	d.line("\nEvery word of the catalogue, and the surest thing that shows its answers right:")
	d.line("")
	for _, l := range []struct {
		state coverage.State
		words string
	}{
		{coverage.Recorded, "an answer that the original engine gave, recorded and published under this number; it passes here."},
		{coverage.Published, "an example whose answer the reference pages print, under this number; it passes here."},
		{coverage.Own, "a case of our own, its answer worked out from the word's reference page."},
		{coverage.Refused, "nothing is answered: the compiler says that the word isn't supported, and where it stands."},
		{coverage.Unverified, "it answers, and nothing shows yet that it answers right. See `docs/kql-gaps.md`."},
	} {
		d.line(fmt.Sprintf("- **%s**: %s", l.state, l.words))
	}
	d.line("\nA word counts where a text uses it, never within strings or comments; an old name counts only where it is used itself.")
	head := []string{"kind", "words"}
	for _, s := range coverage.States() {
		head = append(head, string(s))
	}
	d.section("Counts", "")
	d.head(head...)
	count := func(name, kind string) {
		n := map[coverage.State]int{}
		all := 0
		for _, e := range entries {
			if kind == "" || e.Kind == kind {
				n[e.State]++
				all++
			}
		}
		row := []string{name, fmt.Sprint(all)}
		for _, s := range coverage.States() {
			row = append(row, fmt.Sprint(n[s]))
		}
		d.row(row...)
	}
	for _, k := range coverage.Kinds() {
		count(k+"s", k)
	}
	count("all", "")
	d.line(fmt.Sprintf("\nUnverified: %.1f %% of the words that answer. Refused words answer nothing, so there is nothing of theirs to verify;", unverified(entries)*100))
	d.line("most of them run code or reach other services.")
	meaning := map[string]string{}
	for _, o := range catalog.Operators() {
		meaning[o.Name] = o.Meaning
	}
	for _, k := range coverage.Kinds() {
		d.section(strings.ToUpper(k[:1])+k[1:]+"s", "")
		if k == coverage.Operator {
			d.head("name", "what it is", "state", "source")
		} else {
			d.head("name", "state", "source")
		}
		for _, e := range entries {
			switch {
			case e.Kind != k:
			case k == coverage.Operator:
				d.row(code(e.Name), meaning[e.Name], string(e.State), code(e.Source))
			default:
				d.row(code(e.Name), string(e.State), code(e.Source))
			}
		}
	}
	return d.String(), nil
}

func coverageOf(root string) ([]coverage.Entry, error) {
	return coverage.Entries(os.DirFS(filepath.Join(root, "kql", "testdata")), refuses)
}

// unverified is the share of unverified words among those that answer.
func unverified(entries []coverage.Entry) float64 {
	bad, answer := 0, 0
	for _, e := range entries {
		if e.State != coverage.Refused {
			answer++
		}
		if e.State == coverage.Unverified {
			bad++
		}
	}
	return float64(bad) / float64(max(1, answer))
}

// refuses tells whether the compiler says of a word that it isn't supported.
func refuses(w coverage.Word) bool {
	c := catalog.Default()
	switch w.Kind {
	case coverage.Operator:
		return states(operators, w.Name) == missing
	case coverage.Plugin:
		f, _ := c.Plugin(w.Name)
		return slices.Contains([]state{states(plugins, w.Name), probe(f, pluginQueries)}, missing)
	case coverage.Aggregate:
		f, _ := c.Aggregate(w.Name)
		return probe(f, aggregateQueries) == missing
	}
	f, _ := c.Function(w.Name)
	return probe(f, functionQueries) == missing
}

func states(probes []written, name string) state {
	for _, p := range probes {
		if p.name == name {
			return compiles(p.query)
		}
	}
	return unsettled
}

func functionQueries(call string) []string {
	return []string{"T | extend x = " + call, "T | serialize x = " + call, "print x = " + call}
}

func aggregateQueries(call string) []string { return []string{"T | summarize x = " + call} }

func pluginQueries(call string) []string { return []string{"T | evaluate " + call} }
