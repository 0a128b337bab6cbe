package kqltest

import (
	"maps"
	rs "regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"lockstep/schema"
)

// shaped makes a text that an expression matches, its groups as asked.
func (s *solver) shaped(c *cell, col schema.Column) (string, bool) {
	re, err := rs.Parse(c.shape.expression, rs.Perl)
	if err != nil {
		return "", false
	}
	groups := map[int]string{}
	for _, i := range slices.Sorted(maps.Keys(c.shape.groups)) {
		g := c.shape.groups[i]
		if len(g.demands) > 0 || len(g.linked) > 0 || g.keys != nil {
			g.json = g.json || g.keys != nil
			groups[i] = textOf(s.value(g, schema.Column{Name: col.Name, Type: schema.String}))
		}
	}
	var b strings.Builder
	s.example(&b, re, groups)
	return b.String(), true
}

// example writes a text that an expression matches.
func (s *solver) example(b *strings.Builder, re *rs.Regexp, groups map[int]string) {
	if b.Len() > 2000 {
		return
	}
	switch re.Op {
	case rs.OpLiteral:
		b.WriteString(string(re.Rune))
	case rs.OpCharClass:
		b.WriteRune(s.runeOf(re.Rune))
	case rs.OpAnyChar, rs.OpAnyCharNotNL:
		b.WriteByte("abcxyz019"[s.rng.IntN(9)])
	case rs.OpCapture:
		if t, ok := groups[re.Cap]; ok {
			b.WriteString(t)
			return
		}
		s.example(b, re.Sub[0], groups)
	case rs.OpStar, rs.OpPlus, rs.OpQuest, rs.OpRepeat:
		low, high := re.Min, re.Max
		switch re.Op {
		case rs.OpStar:
			low, high = 0, 3
		case rs.OpPlus:
			low, high = 1, 4
		case rs.OpQuest:
			low, high = 0, 1
		}
		if high < 0 || high > low+3 {
			high = low + 3
		}
		for range low + s.rng.IntN(high-low+1) {
			s.example(b, re.Sub[0], groups)
		}
	case rs.OpConcat:
		for _, x := range re.Sub {
			s.example(b, x, groups)
		}
	case rs.OpAlternate:
		s.example(b, re.Sub[s.rng.IntN(len(re.Sub))], groups)
	}
}

// runeOf chooses a letter of a class, one that people type where there is one.
func (s *solver) runeOf(ranges []rune) rune {
	var good []rune
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1] && r < 127; r++ {
			if r > 32 && (unicode.IsLetter(r) || unicode.IsDigit(r) || len(ranges) < 8) {
				good = append(good, r)
			}
		}
	}
	if len(good) > 0 {
		return good[s.rng.IntN(len(good))]
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= 'é' && ranges[i+1] >= 'é' {
			return 'é'
		}
		if ranges[i] > 0 {
			return ranges[i]
		}
	}
	return 'a'
}
