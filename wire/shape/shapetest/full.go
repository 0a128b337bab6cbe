// Package shapetest checks a dialect's tables: every field of every kind goes
// out and comes back.
package shapetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/security"
	"lockstep/wire/shape"
)

// Check writes an entity of every layout with a value in every field and part
// and reads it again.
func Check(t *testing.T, d *shape.Dialect) {
	for _, l := range d.Layouts {
		t.Run(string(l.Kind), func(t *testing.T) {
			want := full(d, l, 0)
			object := d.Write(want)
			got, ok := shape.NewReader(d, object).Entity(plain(t, object), "")
			if !ok {
				t.Fatal("it can't be read")
			}
			if got.Extra != nil {
				t.Errorf("members that no field takes: %s", got.Extra)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(want.Keys()) == 0 || len(got.Keys()) == 0 {
				t.Error("it names nothing")
			}
		})
	}
}

// full is an entity with a value everywhere.
func full(d *shape.Dialect, l shape.Layout, depth int) security.Entity {
	e := security.Entity{Kind: l.Kind}
	for n, p := range l.Props {
		name := p.Field[strings.LastIndexByte(p.Field, '.')+1:]
		if p.Read || strings.HasPrefix(name, "@") {
			continue // another spelling, or put together from fields that stand beside
		}
		value := map[shape.As]string{
			shape.Text: fmt.Sprintf("%s <%d>", p.Field, n), shape.Time: fmt.Sprintf("2026-01-05T10:00:00.%07dZ", n+1), shape.Number: fmt.Sprint(1000 + n),
			shape.Real: fmt.Sprintf("%d.5", n), shape.Bool: "true", shape.List: fmt.Sprintf(`["a%d","<b>"]`, n),
		}[p.As]
		switch {
		case p.As == shape.Addresses:
			e = shape.WithPart(e, p.Field, security.Entity{Kind: security.IP, Fields: map[string]string{"address": "192.0.2.1"}})
			continue
		case len(p.Values) > 0:
			value = p.Values[len(p.Values)-1]
		case strings.HasPrefix(name, "#"):
			value = strings.ToLower(fmt.Sprintf("%x", n))
		}
		e = shape.Set(e, p.Field, value)
	}
	for _, p := range l.Parts {
		for _, inner := range d.Layouts {
			if inner.Kind != p.Kind || depth > 1 {
				continue
			}
			list := []security.Entity{full(d, inner, depth+1)}
			if p.Many {
				list = append(list, full(d, inner, depth+1))
			}
			e = shape.WithPart(e, p.Name, list...)
			break
		}
	}
	return e
}

// plain is an object as it arrives: through JSON.
func plain(t *testing.T, object map[string]any) map[string]any {
	t.Helper()
	text, err := shape.JSON(object)
	if err != nil {
		t.Fatal(err)
	}
	out, err := shape.Object([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
