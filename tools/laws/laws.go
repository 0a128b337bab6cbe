// Package laws holds the house's two laws on imports as data and says which
// imports break them. The first: a package imports only higher floors and its
// own sub-packages. The second: xdr and workspace never import each other.
package laws

import (
	"fmt"
	"sort"
	"strings"
)

// Floor is a storey of the house, the words on top.
type Floor int

// The floors, from the top.
const (
	Words Floor = iota
	Engines
	Sides
	Technologies
	Faces
	Beside // cmd, tools, benchmarks, suites, the sample: nobody imports them but each other and tests
)

// entry puts a package, or with /… it and everything below it, on a floor.
type entry struct {
	path  string
	floor Floor
}

// house is the table of the house. Among the words the order is law too: a
// line imports only the lines above it.
var house = []entry{
	{"fault", Words}, {"schema", Words}, {"security", Words}, {"state", Words}, {"rows", Words}, {"tables", Words},
	{"wire/...", Words}, {"connector/port", Words},

	{"kql/...", Engines}, {"xdr/correlation", Engines}, {"xdr/tuning", Engines}, {"connector/reconcile", Engines},

	{"xdr", Sides}, {"workspace/...", Sides}, {"connector", Sides}, {"query/...", Sides}, {"content", Sides}, {"history", Sides}, {"access/...", Sides}, {"health", Sides},

	{"state/memory", Technologies}, {"state/sqlite", Technologies}, {"state/folder", Technologies}, {"tables/duckdb", Technologies},
	{"source/...", Technologies}, {"cloud/...", Technologies}, {"egress", Technologies}, {"geo", Technologies},

	{"api/...", Faces}, {"portal", Faces}, {"web", Faces},

	{"cmd/...", Beside}, {"tools/...", Beside}, {"bench/...", Beside}, {"sample", Beside}, {"simulation", Beside}, {"acceptance/...", Beside},
	{"state/statetest", Beside}, {"tables/tablestest", Beside}, {"kql/kqltest", Beside}, {"kql/naive", Beside}, {"kql/kqltest/chdb", Beside},
}

// exception allows one import that the floors alone would forbid.
type exception struct{ from, to string }

var exceptions = []exception{
	{"cloud/...", "egress"}, {"source/...", "egress"},
	{"api/...", "api/odata"}, {"portal", "web"},
}

// Package is a package of the module with what it imports outside its tests;
// paths are relative to the module.
type Package struct {
	Path    string
	Imports []string
}

// Breaches lists every import that breaks a law, as a sentence with the chain.
func Breaches(packages []Package) []string {
	imports := map[string][]string{}
	for _, p := range packages {
		imports[p.Path] = p.Imports
	}
	var out []string
	for _, p := range packages {
		if _, ok := place(p.Path); !ok {
			out = append(out, fmt.Sprintf("%s stands on no floor: add it to the table in tools/laws", p.Path))
			continue
		}
		for _, to := range p.Imports {
			if why := forbidden(p.Path, to); why != "" {
				out = append(out, fmt.Sprintf("%s → %s: %s", p.Path, to, why))
			}
		}
	}
	for _, pair := range [][2]string{{"xdr", "workspace"}, {"workspace", "xdr"}} {
		if chain := path(imports, pair[0], pair[1]); chain != nil {
			out = append(out, strings.Join(chain, " → ")+": xdr and workspace never import each other; what passes between them goes through connector/port")
		}
	}
	sort.Strings(out)
	return out
}

// forbidden says why one package mustn't import another, "" if it may.
func forbidden(from, to string) string {
	f, _ := place(from)
	t, ok := place(to)
	switch {
	case !ok:
		return "" // reported by its own line
	case excepted(from, to) || strings.HasPrefix(to, from+"/"):
		return ""
	case strings.HasPrefix(from, to+"/") && t.line == f.line:
		return "" // the words at the head of its own folder, such as source
	case from == "kql" || strings.HasPrefix(from, "kql/"):
		if to != "schema" && !strings.HasPrefix(to, "kql/") && to != "kql" {
			return "kql imports schema alone"
		}
		return ""
	case strings.HasPrefix(to, "cmd/"):
		return "nobody imports cmd"
	case f.floor == Beside:
		return ""
	case f.floor == Words && t.floor == Words:
		if t.line >= f.line && !sameTree(from, to) {
			return "among the words a package imports only the lines above it"
		}
		return ""
	case t.floor == Technologies:
		return "technologies are imported by cmd, tools, bench and tests alone"
	case t.floor >= f.floor:
		if sameTree(from, to) && t.line == f.line {
			return ""
		}
		return "a package imports only higher floors and its own sub-packages"
	}
	return ""
}

// sameTree reports whether two packages stand under one line of the table that ends in /….
func sameTree(a, b string) bool {
	for _, e := range house {
		if strings.HasSuffix(e.path, "/...") && matches(e.path, a) && matches(e.path, b) {
			return root(a) != "api" && root(a) != "source" && root(a) != "cloud"
		}
	}
	return false
}

func root(p string) string { r, _, _ := strings.Cut(p, "/"); return r }

func excepted(from, to string) bool {
	for _, e := range exceptions {
		if matches(e.from, from) && e.to == to {
			return true
		}
	}
	return false
}

type location struct {
	floor Floor
	line  int
}

// place finds a package's floor: by its own line, else by a line that ends in /….
func place(p string) (location, bool) {
	best, found := location{}, false
	for i, e := range house {
		if e.path == p {
			return location{e.floor, i}, true
		}
		if matches(e.path, p) && !found {
			best, found = location{e.floor, i}, true
		}
	}
	return best, found
}

func matches(pattern, p string) bool {
	stem, tree := strings.CutSuffix(pattern, "/...")
	return p == stem || tree && strings.HasPrefix(p, stem+"/")
}

// path finds how one package comes to import another, nil if it doesn't.
func path(imports map[string][]string, from, to string) []string {
	from0 := from
	before := map[string]string{from: ""}
	queue := []string{from}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		for _, next := range imports[p] {
			if _, seen := before[next]; seen {
				continue
			}
			before[next] = p
			if next == to || strings.HasPrefix(next, to+"/") {
				chain := []string{next}
				for q := p; q != ""; q = before[q] {
					chain = append([]string{q}, chain...)
				}
				if chain[0] == from0 {
					return chain
				}
			}
			queue = append(queue, next)
		}
	}
	return nil
}
