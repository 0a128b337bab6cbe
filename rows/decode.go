package rows

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"lockstep/schema"
)

// TextLimit is the longest text or JSON that one field of a row may hold, in
// bytes. A longer one refuses its record.
const TextLimit = 1 << 20

// BodyLimit is how much of a refused record is kept to look at, in bytes.
const BodyLimit = 64 << 10

// Prefix stands before the table's name in the category of a streamed record.
// Source: facts 9.1.
const Prefix = "AdvancedHunting-"

// Refusal says why one record didn't become a row.
type Refusal struct {
	Record int    // its place in what was sent, from 1
	Table  string // "" when the record names none
	Field  string // "" when the whole record is at fault
	Reason string // one sentence
	Body   []byte // the first BodyLimit bytes of the record
}

func (r Refusal) String() string {
	at := fmt.Sprintf("record %d", r.Record)
	if r.Table != "" {
		at += ", table " + r.Table
	}
	if r.Field != "" {
		at += ", field " + r.Field
	}
	return at + ": " + r.Reason
}

// Decoder turns JSON into batches. It keeps its buffers from call to call and
// must not be used by two goroutines at once.
type Decoder struct {
	tables  func(name string) (*schema.Table, bool)
	parser  fastjson.Parser
	clean   bool             // what is being read is UTF-8 throughout
	plans   map[string]*plan // by table name
	order   []*plan          // those that hold rows, in order of first use
	refused []Refusal
	record  int // number of the record being read
	unknown map[string]map[string]int
}

// NewDecoder makes a decoder of the tables that the function knows. A table
// with a column Extra keeps unknown fields there; Stored makes one.
func NewDecoder(table func(name string) (*schema.Table, bool)) *Decoder {
	return &Decoder{tables: table, plans: map[string]*plan{}, unknown: map[string]map[string]int{}}
}

// Records reads hunting records: an Event Hub message {"records":[…]}, one
// record, or one of either per line. Each record names its table in category
// and carries its fields in properties. What can't be read is refused, record
// by record; the others are kept. Source: facts 9.1.
func (d *Decoder) Records(data []byte) ([]*Batch, []Refusal) {
	d.begin()
	d.documents(data, d.envelope)
	return d.finish()
}

// Rows reads flat rows of one table: a JSON array of objects, one object, or
// one object per line.
func (d *Decoder) Rows(table *schema.Table, data []byte) ([]*Batch, []Refusal) {
	d.begin()
	p := d.plan(table)
	d.documents(data, func(v *fastjson.Value) { d.flat(p, v) })
	return d.finish()
}

// Unknown gives how often each field that no column takes was seen since the
// last call, by table and field, and starts anew.
func (d *Decoder) Unknown() map[string]map[string]int {
	seen := d.unknown
	d.unknown = map[string]map[string]int{}
	return seen
}

func (d *Decoder) begin() {
	d.order, d.refused, d.record = d.order[:0], nil, 0
}

func (d *Decoder) finish() ([]*Batch, []Refusal) {
	var batches []*Batch
	for _, p := range d.order {
		if b := p.take(); b.N > 0 {
			batches = append(batches, b)
		}
	}
	refused := d.refused
	d.refused = nil
	return batches, refused
}

// documents hands each top-level JSON value to read. One that is broken is
// taken apart into its records as well as that goes.
func (d *Decoder) documents(data []byte, read func(*fastjson.Value)) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	first, more := firstLine(data)
	switch {
	case len(data) == 0:
	case more && first[len(first)-1] == '}':
		d.lines(data, read)
	default:
		v, err := d.parse(data)
		if err == nil {
			read(v)
			return
		}
		if pieces := elements(data); pieces != nil {
			for _, piece := range pieces {
				d.piece(piece, read)
			}
			return
		}
		if more {
			d.lines(data, read)
			return
		}
		d.broken(err, data)
	}
}

func (d *Decoder) parse(text []byte) (*fastjson.Value, error) {
	d.clean = utf8.Valid(text)
	return d.parser.ParseBytes(text)
}

// firstLine gives the first line, and whether it and the next both open an
// object, as in a text with one record per line.
func firstLine(data []byte) (line []byte, more bool) {
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return data, false
	}
	rest := bytes.TrimLeft(data[i:], " \t\r\n")
	return bytes.TrimSpace(data[:i]), data[0] == '{' && len(rest) > 0 && rest[0] == '{'
}

func (d *Decoder) lines(data []byte, read func(*fastjson.Value)) {
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			d.piece(line, read)
		}
	}
}

func (d *Decoder) piece(text []byte, read func(*fastjson.Value)) {
	if v, err := d.parse(text); err == nil {
		read(v)
	} else {
		d.broken(err, text)
	}
}

func (d *Decoder) broken(err error, text []byte) {
	d.record++
	d.refuse("", "", brokenJSON(err), text)
}

// envelope reads a message of records, or one record.
func (d *Decoder) envelope(v *fastjson.Value) {
	if records := v.Get("records"); records != nil && records.Type() == fastjson.TypeArray {
		for _, r := range records.GetArray() {
			d.one(r)
		}
		return
	}
	if v.Type() == fastjson.TypeArray {
		for _, r := range v.GetArray() {
			d.one(r)
		}
		return
	}
	d.one(v)
}

// one reads a record {time, tenantId, category, properties}.
func (d *Decoder) one(v *fastjson.Value) {
	d.record++
	if v.Type() != fastjson.TypeObject {
		d.refuseValue("", "", "a record is a JSON object, this is "+kind(v), v)
		return
	}
	category := string(v.GetStringBytes("category"))
	name, ok := strings.CutPrefix(category, Prefix)
	if !ok {
		d.refuseValue("", "category", fmt.Sprintf("want %q and a table's name, got %q", Prefix, clip(category)), v)
		return
	}
	p := d.plans[name]
	if p == nil {
		t, known := d.tables(name)
		if !known {
			d.refuseValue(clip(name), "category", "no such table", v)
			return
		}
		p = d.plan(t)
		d.plans[name] = p
	}
	properties := v.Get("properties")
	if properties == nil || properties.Type() != fastjson.TypeObject {
		d.refuseValue(p.table.Name, "properties", "want an object with the row's fields", v)
		return
	}
	d.row(p, properties)
}

// flat reads rows that stand without an envelope.
func (d *Decoder) flat(p *plan, v *fastjson.Value) {
	if v.Type() == fastjson.TypeArray {
		for _, r := range v.GetArray() {
			d.flatRow(p, r)
		}
		return
	}
	d.flatRow(p, v)
}

func (d *Decoder) flatRow(p *plan, v *fastjson.Value) {
	d.record++
	if v.Type() != fastjson.TypeObject {
		d.refuseValue(p.table.Name, "", "a row is a JSON object, this is "+kind(v), v)
		return
	}
	d.row(p, v)
}

func (d *Decoder) row(p *plan, fields *fastjson.Value) {
	if p.batch == nil {
		p.start()
		d.order = append(d.order, p)
	}
	p.clean = d.clean
	field, err := p.read(fields.GetObject())
	if err != nil {
		p.rollback()
		d.refuseValue(p.table.Name, field, err.Error(), fields)
		return
	}
	p.commit(d.unknown)
}

// plan finds what is known of a table from earlier calls.
func (d *Decoder) plan(t *schema.Table) *plan {
	if p := d.plans[t.Name]; p != nil && p.table == t {
		return p
	}
	p := newPlan(t)
	d.plans[t.Name] = p
	return p
}

func (d *Decoder) refuse(table, field, reason string, body []byte) {
	if len(body) > BodyLimit {
		body = body[:BodyLimit]
	}
	d.refused = append(d.refused, Refusal{Record: d.record, Table: table, Field: field, Reason: reason, Body: bytes.Clone(body)})
}

func (d *Decoder) refuseValue(table, field, reason string, v *fastjson.Value) {
	d.refuse(table, field, reason, appendJSON(nil, v, BodyLimit))
}

// brokenJSON words a parse error without repeating the record.
func brokenJSON(err error) string {
	reason, _, _ := strings.Cut(err.Error(), "; unparsed tail")
	return "broken JSON: " + clip(strings.TrimPrefix(reason, "cannot parse JSON: "))
}

// clip keeps messages short: names and errors may be made by an attacker.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// elements takes a broken message apart: the members of its outermost array,
// cut at the commas between them. It is nil when there is no such array.
func elements(text []byte) [][]byte {
	start := bytes.IndexByte(text, '[')
	if start < 0 || (text[0] == '{' && !bytes.Contains(text[:start], []byte(`"records"`))) {
		return nil
	}
	var out [][]byte
	add := func(piece []byte) {
		if piece = bytes.TrimSpace(piece); len(piece) > 0 {
			out = append(out, piece)
		}
	}
	depth, quoted, from := 0, false, start+1
	for i := start + 1; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == ',' && depth == 0:
			add(text[from:i])
			from = i + 1
		case c == ']' && depth == 0:
			add(text[from:i])
			return out
		case c == '}' || c == ']':
			depth--
		}
	}
	add(text[from:])
	return out
}
