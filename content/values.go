package content

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// required reports members that aren't there; each may go by several names.
func (c *checker) required(f fields, names ...[]string) {
	for _, n := range names {
		if _, ok := f.get(n...); !ok {
			c.reportNode(Error, "RULE010", f.node, "the rule has no '%s'", n[0])
		}
	}
}

// unknown warns of members that no rule has and that look like one that it has.
func (c *checker) unknown(f fields, names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.by)) {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			continue
		}
		x := f.by[name]
		c.reportNode(Warning, "RULE014", x.key, "'%s' means nothing in a rule%s", x.key.Value, nearest(x.key.Value, names))
	}
}

// oneOf checks a member's word.
func (c *checker) oneOf(f fields, name string, words []string) {
	if n, ok := f.get(name); ok {
		c.word(n, name, words)
	}
}

// word checks that a scalar is one of some words.
func (c *checker) word(n *yaml.Node, what string, words []string) {
	c.wordOf(Error, "RULE011", n, what, words)
}

func (c *checker) wordOf(s Severity, code string, n *yaml.Node, what string, words []string) {
	if n.Kind != yaml.ScalarNode || computed(n.Value) || slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, strings.TrimSpace(n.Value)) }) {
		return
	}
	hint := nearest(n.Value, words)
	if hint == "" && len(words) <= 8 {
		hint = "; want " + strings.Join(words, ", ")
	}
	c.reportNode(s, code, n, "'%s' is no %s%s", n.Value, what, hint)
}

var (
	short = regexp.MustCompile(`^(\d+)\s*([dhms])$`)
	iso   = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)
)

// duration reads a member like 1h, 14d or PT1H and checks its bounds; false if there is none to go on with.
func (c *checker) duration(f fields, name string, least, longest time.Duration) (time.Duration, bool) {
	n, ok := f.get(name)
	if !ok || n.Kind != yaml.ScalarNode || n.Value == "" || computed(n.Value) {
		return 0, false
	}
	d, ok := parseDuration(strings.TrimSpace(n.Value))
	if !ok {
		c.reportNode(Error, "RULE012", n, "%s '%s' is no duration: write it like 30m, 1h, 14d or PT1H", name, n.Value)
		return 0, false
	}
	if d < least || d > longest {
		c.reportNode(Error, "RULE012", n, "%s '%s' is out of bounds: %s to %s", name, n.Value, words(least), words(longest))
		return 0, false
	}
	return d, true
}

var units = map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}

func parseDuration(s string) (time.Duration, bool) {
	if m := short.FindStringSubmatch(strings.ToLower(s)); m != nil {
		n, err := strconv.Atoi(m[1])
		return time.Duration(n) * units[m[2]], err == nil && n < 100_000
	}
	m := iso.FindStringSubmatch(strings.ToUpper(s))
	if m == nil || len(s) < 3 {
		return 0, false
	}
	var total time.Duration
	for i, unit := range []time.Duration{7 * units["d"], units["d"], units["h"], units["m"], units["s"]} {
		if m[i+1] != "" {
			n, err := strconv.Atoi(m[i+1])
			if err != nil || n > 100_000 {
				return 0, false
			}
			total += time.Duration(n) * unit
		}
	}
	return total, true
}

// words writes a bound for people.
func words(d time.Duration) string {
	switch {
	case d%units["d"] == 0:
		return counted(int(d/units["d"]), "day")
	case d%time.Hour == 0:
		return counted(int(d/time.Hour), "hour")
	}
	return counted(int(d/time.Minute), "minute")
}

func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
