package shape

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/security"
)

// Bounds of what one document may hold, so that no nesting or references of a
// hostile one cost more than its own size suggests.
const (
	maxDepth = 16
	maxNodes = 20_000
	maxBytes = 16 << 20
)

// Object parses one JSON object, keeping numbers as they are written.
func Object(text []byte) (map[string]any, error) {
	var out map[string]any
	if err := parse(text, &out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, fault.New(fault.Invalid, "want a JSON object, got null")
	}
	return out, nil
}

// Array parses a JSON array, keeping numbers as they are written.
func Array(text []byte) ([]any, error) {
	var out []any
	return out, parse(text, &out)
}

func parse(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fault.New(fault.Invalid, "not the JSON expected: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fault.New(fault.Invalid, "something follows the JSON value")
	}
	return nil
}

// Reader reads the entities of one document.
type Reader struct {
	dialect *Dialect
	byID    map[string]map[string]any // $id → object
	open    map[string]bool           // $ids being read, so that a cycle ends
	left    int                       // entities that may still be read
	bytes   int                       // of extra members that may still be kept
	over    bool                      // a bound was met
}

// Err tells that the document went beyond the bounds, so that what was read isn't all.
func (r *Reader) Err() error {
	if r.over {
		return fault.New(fault.Invalid, "more than %d entities, or more than %d MiB of their details, counting each reference", maxNodes, maxBytes>>20)
	}
	return nil
}

// NewReader prepares to read a document; document is scanned for objects that
// others refer to by $ref and may be nil.
func NewReader(d *Dialect, document any) *Reader {
	r := &Reader{dialect: d, byID: map[string]map[string]any{}, open: map[string]bool{}, left: maxNodes, bytes: maxBytes}
	r.index(document, 0)
	return r
}

func (r *Reader) index(v any, depth int) {
	if depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			r.index(one, depth+1)
		}
	case map[string]any:
		if id := plain(v["$id"]); id != "" {
			if _, taken := r.byID[id]; !taken {
				r.byID[id] = v
			}
		}
		for _, one := range v {
			r.index(one, depth+1)
		}
	}
}

// Resolve gives the object that a $ref stands for; any other object is itself.
func (r *Reader) Resolve(object map[string]any) (map[string]any, bool) {
	ref := plain(object["$ref"])
	if ref == "" {
		return object, true
	}
	target, ok := r.byID[ref]
	if _, chained := target["$ref"]; chained {
		return nil, false
	}
	return target, ok
}

// Entity reads an entity. kind is used where the object has no discriminator.
// ok is false for a broken reference, a cycle, or beyond the bounds (see Err).
func (r *Reader) Entity(object map[string]any, kind security.Kind) (security.Entity, bool) {
	return r.entity(object, kind, 0)
}

func (r *Reader) entity(object map[string]any, kind security.Kind, depth int) (e security.Entity, ok bool) {
	object, ok = r.Resolve(object)
	if r.left <= 0 || depth > maxDepth {
		r.over = true
	}
	if !ok || r.over {
		return e, false
	}
	r.left--
	if id := plain(object["$id"]); id != "" {
		if r.open[id] {
			return e, false
		}
		r.open[id] = true
		defer delete(r.open, id)
	}
	typeName := plain(object[r.dialect.Discriminator])
	layout := r.dialect.layoutOf(typeName)
	if layout == nil && typeName == "" {
		layout = r.dialect.layoutFor(kind)
	}
	if layout == nil {
		if typeName != "" {
			kind = r.dialect.KindOf(typeName)
		}
		return security.Entity{Kind: kind, Extra: r.extra(object, nil)}, true
	}
	e = security.Entity{Kind: layout.Kind}
	claimed := map[string]bool{}
	for _, p := range layout.Props {
		value, found := at(object, p.Path)
		if !found {
			continue
		}
		if p.As == Addresses {
			if list := addresses(value); len(list) > 0 {
				claimed[p.Path] = true
				e = WithPart(e, p.Field, list...)
			}
			continue
		}
		text, fits := textOf(value, p.As)
		if !fits {
			continue
		}
		claimed[p.Path] = true
		if !p.Read || Get(e, p.Field) == "" {
			e = Set(e, p.Field, text)
		}
	}
	for _, p := range layout.Parts {
		value, found := at(object, p.Path)
		if !found {
			continue
		}
		claimed[p.Path] = true
		var list []security.Entity
		for _, one := range objects(value, p.Many) {
			if inner, ok := r.entity(one, p.Kind, depth+1); ok {
				list = append(list, inner)
			}
		}
		if len(list) > 0 {
			e = WithPart(e, p.Name, list...)
		}
	}
	e.Extra = r.extra(object, claimed)
	return e, true
}

// addresses reads an array of texts as IP entities.
func addresses(value any) (out []security.Entity) {
	list, _ := value.([]any)
	for _, one := range list {
		if text, ok := one.(string); ok && text != "" {
			out = append(out, security.Entity{Kind: security.IP, Fields: map[string]string{"address": text}})
		}
	}
	return out
}

// objects gives the objects of a value: those of an array, or the one.
func objects(value any, many bool) []map[string]any {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	} else if !many && len(list) > 1 {
		list = list[:1]
	}
	var out []map[string]any
	for _, v := range list {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// extra is what of an object wasn't claimed, with its discriminator, which
// says whose names these are; nil when nothing is left.
func (r *Reader) extra(object map[string]any, claimed map[string]bool) json.RawMessage {
	var rest map[string]any
	if claimed == nil {
		rest = make(map[string]any, len(object))
		for name, v := range object {
			rest[name] = v
		}
	} else {
		rest = r.unclaimed(object, claimed, "", 0)
	}
	delete(rest, "$id")
	for _, name := range r.dialect.Ignore {
		delete(rest, name)
	}
	typeName, ok := object[r.dialect.Discriminator]
	delete(rest, r.dialect.Discriminator)
	if len(rest) == 0 {
		return nil
	}
	if ok {
		rest[r.dialect.Discriminator] = typeName
	}
	text, err := JSON(rest)
	if err != nil {
		return nil
	}
	if r.bytes -= len(text); r.bytes < 0 {
		r.over = true
		return nil
	}
	return json.RawMessage(text)
}

func (r *Reader) unclaimed(object map[string]any, claimed map[string]bool, prefix string, depth int) map[string]any {
	out := map[string]any{}
	for name, v := range object {
		path := prefix + name
		if claimed[path] || empty(v) || name == "$id" {
			continue
		}
		if inner, ok := v.(map[string]any); ok && depth < 3 {
			if _, isRef := inner["$ref"]; isRef {
				continue
			}
			left := r.unclaimed(inner, claimed, path+".", depth+1)
			if _, typed := left[r.dialect.Discriminator]; len(left) > 1 || len(left) == 1 && !typed {
				out[name] = left
			}
			continue
		}
		out[name] = v
	}
	return out
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// at finds a value by its path; null counts as absent.
func at(object map[string]any, path string) (any, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	v, ok := object[name]
	if !ok || v == nil {
		return nil, false
	}
	if !deeper {
		return v, true
	}
	inner, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return at(inner, rest)
}

// plain is a scalar's text, "" for anything else.
func plain(v any) string {
	text, _ := textOf(v, Text)
	return text
}

// textOf is a value as a field carries it; fits is false for a value of
// another form, which is left where it is.
func textOf(v any, as As) (text string, fits bool) {
	switch v := v.(type) {
	case string:
		if as == Time {
			return clock(v), true
		}
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case []any:
		if as != List {
			return "", false
		}
		if len(v) == 0 {
			return "", true
		}
		out, err := JSON(v)
		return out, err == nil
	}
	return "", false
}

// Write lays an entity out as an object.
func (d *Dialect) Write(e security.Entity) map[string]any { return d.write(e, 0) }

func (d *Dialect) write(e security.Entity, depth int) map[string]any {
	out := map[string]any{}
	if own, err := Object(e.Extra); err == nil && len(e.Extra) > 0 {
		if _, mine := own[d.Discriminator]; mine {
			out = own
		}
	}
	layout := d.layoutFor(e.Kind)
	if layout == nil {
		if _, ok := out[d.Discriminator]; !ok {
			out[d.Discriminator] = d.TypeOf(e.Kind)
		}
		return out
	}
	out[d.Discriminator] = layout.Type
	for _, p := range layout.Props {
		if p.Read {
			continue
		}
		if p.As == Addresses {
			var list []any
			for _, ip := range e.Parts[p.Field] {
				list = append(list, ip.Field("address"))
			}
			if len(list) > 0 {
				put(out, p.Path, list)
			}
			continue
		}
		if text := p.Spelled(Get(e, p.Field)); text != "" {
			put(out, p.Path, Value(text, p.As))
		}
	}
	for _, p := range layout.Parts {
		if depth >= maxDepth {
			break
		}
		var list []any
		for _, inner := range e.Parts[p.Name] {
			list = append(list, d.write(inner, depth+1))
		}
		switch {
		case len(list) == 0:
		case p.Many:
			put(out, p.Path, list)
		default:
			put(out, p.Path, list[0])
		}
	}
	return out
}

// Spelled is a value as the shape spells it, "" if it has a list without it.
func (p Prop) Spelled(text string) string {
	if len(p.Values) == 0 {
		return text
	}
	return security.Enum{Values: p.Values}.Or(text, "")
}

// put sets a value at a path, making the objects on the way.
func put(object map[string]any, path string, value any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		object[name] = value
		return
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		object[name] = inner
	}
	put(inner, rest, value)
}

// Value is a field's text as JSON; text that doesn't fit the form is null
// for a number, so that a typed client can read it.
func Value(text string, as As) any {
	switch as {
	case Number:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return nil
	case Real:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
		return nil
	case Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil
		}
		return b
	case List:
		if list, err := Array([]byte(text)); err == nil {
			return list
		}
		return []any{text}
	}
	return text
}

// JSON writes a value as JSON text with the characters of HTML as they are, so
// that a query finds them in a column's text.
func JSON(v any) (string, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// Map reads the members of one object of an AdditionalData-like kind: strings
// as they are, everything else as JSON.
func Map(v any) map[string]json.RawMessage {
	object, ok := v.(map[string]any)
	if !ok || len(object) == 0 {
		return nil
	}
	out := make(map[string]json.RawMessage, len(object))
	for name, value := range object {
		if text, err := JSON(value); err == nil {
			out[name] = json.RawMessage(text)
		}
	}
	return out
}

// TextAt gives the text at a path of an object, "" if nothing fit is there.
func TextAt(object map[string]any, path string, as As) string {
	v, ok := at(object, path)
	if !ok {
		return ""
	}
	text, _ := textOf(v, as)
	return text
}
