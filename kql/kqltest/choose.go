package kqltest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	rs "regexp/syntax"
	"strconv"
	"strings"

	"lockstep/schema"
)

// value settles a cell as a value of a column.
func (s *solver) value(c *cell, col schema.Column) any {
	s.settle(c, col)
	if c.json && col.Type == schema.String {
		leaf := *c // what the text holds, which is not a text that holds it again
		leaf.json = false
		if text, ok := s.value(&leaf, schema.Column{Name: col.Name, Type: schema.Dynamic}).(string); ok {
			return text
		}
		return ""
	}
	if c.shape != nil {
		if t, ok := s.shaped(c, col); ok {
			return asText(t, col)
		}
	}
	if c.pieces != nil {
		return asText(s.joined(c, col), col)
	}
	if col.Type == schema.Dynamic {
		if c.keys == nil && c.items == nil && c.least == 0 {
			if len(c.demands) == 0 {
				return guess(col, s.f.now, s.rng)
			}
			switch v := s.chosen(c, schema.Column{Name: col.Name, Type: s.kind(c)}).(type) { // a text that an operator over the whole looks into
			case string:
				if s.rng.IntN(2) == 0 && !demands(c, "eq") {
					return `{"value":` + quoted(v) + `,"other":1}`
				}
				return quoted(v)
			case nil:
				return nil
			default:
				return fmt.Sprint(v)
			}
		}
		return s.document(c, col)
	}
	if c.keys != nil || c.items != nil {
		return s.document(c, col)
	}
	v := s.chosen(c, col)
	if n, ok := v.(int64); ok && col.Type == schema.Int {
		v = min(max(n, math.MinInt32), math.MaxInt32)
	}
	if t, ok := v.(string); ok && c.encoded {
		return base64.StdEncoding.EncodeToString([]byte(t))
	}
	return v
}

// asText makes a text a value of a column.
func asText(text string, col schema.Column) any {
	if col.Type == schema.Dynamic {
		return quoted(text)
	}
	return text
}

func demands(c *cell, op string) bool {
	for _, d := range c.demands {
		if d.op == op && !d.not {
			return true
		}
	}
	return false
}

// settle replaces links by their values.
func (s *solver) settle(c *cell, col schema.Column) {
	for _, l := range c.linked {
		name := strconv.Itoa(l.key) + "/" + strconv.Itoa(l.row)
		v, ok := s.f.given[name]
		if !ok {
			all := &cell{demands: append(append([]demand{}, c.demands...), s.f.wanted[l.key]...)}
			t := col
			if t.Type == schema.Dynamic {
				t.Type = s.kind(all)
			}
			v = s.chosen(all, t)
			if len(all.demands) == 0 {
				if text, is := v.(string); is && t.Type == schema.String && l.row > 0 {
					v = text + strconv.Itoa(l.row)
				} else if n, is := v.(int64); is {
					v = n + int64(l.row)
				}
			}
			s.f.given[name] = v
		}
		if v != nil {
			c.demands = append([]demand{{op: "eq", v: v}}, c.demands...)
		}
	}
	c.linked = nil
}

// kind guesses the type of a part of a bag by what is asked of it.
func (s *solver) kind(c *cell) schema.Type {
	for _, d := range c.demands {
		switch v := d.v.(type) {
		case int64:
			if v > int64(schema.Day)*365*1000 {
				return schema.DateTime
			}
			return schema.Long
		case float64:
			return schema.Real
		case bool:
			return schema.Bool
		case string:
			return schema.String
		}
	}
	return schema.String
}

// document writes a cell as JSON.
func (s *solver) document(c *cell, col schema.Column) string {
	switch {
	case c.keys != nil:
		var parts []string
		for _, k := range c.order {
			parts = append(parts, quoted(k)+":"+s.part(c.keys[k], k))
		}
		if s.rng.IntN(3) == 0 {
			parts = append(parts, `"extra":null`)
		}
		doc := "{" + strings.Join(parts, ",") + "}"
		if c.items != nil || c.least > 0 { // read as an array too
			return "[" + doc + "]"
		}
		return doc
	case c.items != nil || c.least > 0:
		n := c.least
		for i := range c.items {
			n = max(n, i+1)
		}
		n = max(n, 1)
		parts := make([]string, n)
		for i := range parts {
			p := c.items[i]
			if p == nil && i == n-1 {
				p = c.items[-1]
			}
			if p == nil {
				parts[i] = quoted(guess(schema.Column{Name: col.Name, Type: schema.String}, s.f.now, s.rng).(string))
				continue
			}
			parts[i] = s.part(p, col.Name)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return s.part(c, col.Name)
}

// part writes a part of a document.
func (s *solver) part(c *cell, name string) string {
	s.settle(c, schema.Column{Name: name, Type: s.kind(c)})
	if c.keys != nil || c.items != nil || c.least > 0 {
		return s.document(c, schema.Column{Name: name, Type: schema.Dynamic})
	}
	t := s.kind(c)
	switch v := s.value(c, schema.Column{Name: name, Type: t}).(type) {
	case string:
		return quoted(v)
	case int64:
		if t == schema.DateTime {
			return quoted(schema.Ticks(v).String())
		}
		return strconv.FormatInt(v, 10)
	case nil:
		return "null"
	default:
		return fmt.Sprint(v)
	}
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ToValidUTF8(s, "?")) // a text can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

func elementsOf(text string) (out []any) {
	var list []any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&list) != nil {
		return nil
	}
	for _, v := range list {
		switch v := v.(type) {
		case json.Number:
			if n, err := v.Int64(); err == nil {
				out = append(out, n)
			} else if f, err := v.Float64(); err == nil {
				out = append(out, f)
			}
		case string, bool:
			out = append(out, v)
		}
	}
	return out
}

// joined makes a text of its parts.
func (s *solver) joined(c *cell, col schema.Column) string {
	n := 1
	for i := range c.pieces.parts {
		n = max(n, i+1)
	}
	parts := make([]string, n)
	for i := range parts {
		p := c.pieces.parts[i]
		if p == nil {
			parts[i] = "p" + strconv.Itoa(i)
			continue
		}
		parts[i] = textOf(s.value(p, schema.Column{Name: col.Name, Type: schema.String}))
	}
	return strings.Join(parts, c.pieces.between)
}

// chosen picks a value that meets as many demands as it can.
func (s *solver) chosen(c *cell, col schema.Column) any {
	if demands(c, "none") {
		if col.Type == schema.String {
			return ""
		}
		return nil
	}
	var best any
	score := -1
	for range 12 {
		for _, v := range s.candidates(c, col) {
			n := 0
			for _, d := range c.demands {
				if d.met(v, col.Type) {
					n++
				}
			}
			if n > score {
				best, score = v, n
			}
		}
		if score == len(c.demands) {
			break
		}
	}
	return best
}

// candidates are values that some demand asks for.
func (s *solver) candidates(c *cell, col schema.Column) (out []any) {
	if col.Type == schema.String {
		return append(s.sentences(c, col), guess(col, s.f.now, s.rng))
	}
	var low, high int64
	bounds := 0
	for _, d := range c.demands {
		if d.v == nil || d.op == "some" {
			continue
		}
		v, ok := coerce(d.v, col.Type)
		if !ok {
			continue
		}
		n, whole := v.(int64)
		f, isReal := v.(float64)
		switch {
		case d.op == "eq" && !d.not:
			out = append(out, v)
		case whole:
			if d.op == "gt" || d.op == "ge" {
				low, bounds = n, bounds|1
			} else if d.op == "lt" || d.op == "le" {
				high, bounds = n, bounds|2
			}
			step := int64(1)
			if col.Type == schema.DateTime {
				step = int64(schema.Minute)
			}
			out = append(out, n, n+step*(1+s.rng.Int64N(50)), n-step*(1+s.rng.Int64N(50)), n+1, n-1)
		case isReal:
			out = append(out, f, f+1, f-1, f*1.5, f/2)
		case col.Type == schema.Bool:
			out = append(out, !v.(bool))
		}
	}
	if bounds == 3 && high > low {
		out = append([]any{low + s.rng.Int64N(high-low)}, out...)
	}
	if bounds == 1 && col.Type == schema.DateTime && low < s.f.now {
		out = append([]any{low + s.rng.Int64N(s.f.now-low+1)}, out...)
	}
	return append(out, guess(col, s.f.now, s.rng))
}

// sentences are texts made of the words that demands ask for.
func (s *solver) sentences(c *cell, col schema.Column) (out []any) {
	prefix, suffix := "", ""
	var parts []string
	for _, d := range c.demands {
		if d.not || d.v == nil {
			continue
		}
		t := textOf(d.v)
		if !strings.HasSuffix(d.op, "_cs") && d.op != "eq" && d.op != "matches regex" && s.rng.IntN(3) == 0 {
			t = strings.ToUpper(t)
		}
		switch strings.TrimSuffix(d.op, "_cs") {
		case "eq", "=~", "le", "ge":
			out = append(out, t)
		case "has", "contains":
			parts = append(parts, t)
		case "hasprefix":
			parts = append(parts, t+"ing")
		case "hassuffix":
			parts = append(parts, "pre"+t)
		case "startswith":
			prefix = t
		case "endswith":
			suffix = t
		case "long":
			n, _ := number64(d.v)
			parts = append(parts, strings.Repeat("k", int(min(n, 5000))))
		case "matches regex":
			if re, err := rs.Parse(t, rs.Perl); err == nil {
				var b strings.Builder
				s.example(&b, re, nil)
				parts = append(parts, b.String())
			}
		}
	}
	if prefix == "" && suffix == "" && len(parts) == 0 {
		return out
	}
	if len(parts) == 1 && prefix == "" && suffix == "" {
		out = append(out, parts[0])
	}
	if s.rng.IntN(2) == 0 {
		parts = append(parts, words[s.rng.IntN(len(words))])
	}
	if s.rng.IntN(2) == 0 && prefix == "" {
		parts = append([]string{"the"}, parts...)
	}
	middle := strings.Join(parts, " ")
	return append(out, prefix+middle+suffix, strings.TrimSpace(prefix+" "+middle+" "+suffix), prefix+suffix)
}
