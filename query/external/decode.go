package external

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
)

// decoder makes rows of documents.
type decoder struct {
	loose               *rows.Loose
	table               *schema.Table
	most                int
	skipFirst, skipLast bool
	mapped              []mapping // nil: by place, or by name in JSON
}

// formats are how documents can be written. Source: the reference page of the
// data formats that externaldata takes.
var formats = map[string]func(d *decoder, body []byte) error{
	"csv": separated(','), "tsv": separated('\t'), "tsve": separated('\t'), "psv": separated('|'), "scsv": separated(';'), "sohsv": separated('\x01'),
	"txt": (*decoder).lines, "raw": (*decoder).whole,
	"json": (*decoder).values, "multijson": (*decoder).values, "singlejson": (*decoder).values,
}

// read reads a document in a format; "" takes the one that its name ends with, else csv.
func (d *decoder) read(name, format string, body []byte) error {
	format = strings.ToLower(format)
	if format == "" {
		if format = strings.TrimPrefix(path.Ext(name), "."); formats[format] == nil {
			format = "csv"
		}
	}
	decode := formats[format]
	if decode == nil {
		known := make([]string, 0, len(formats))
		for name := range formats {
			known = append(known, name)
		}
		slices.Sort(known)
		return fault.New(fault.Invalid, "the format %q isn't read here; there are %s", clip(format), strings.Join(known, ", "))
	}
	return decode(d, bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
}

// next ends a row.
func (d *decoder) next() error {
	if d.loose.N() >= d.most {
		return fault.New(fault.Invalid, "it has more than %d rows", d.most)
	}
	d.loose.Next()
	return nil
}

func separated(by rune) func(d *decoder, body []byte) error {
	return func(d *decoder, body []byte) error {
		r := csv.NewReader(bytes.NewReader(body))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes = by, -1, true
		r.ReuseRecord = !d.skipLast
		first := d.skipFirst
		var held []string
		for {
			record, err := r.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fault.New(fault.Invalid, "%w", err)
			}
			if first {
				first = false
				continue
			}
			if d.skipLast {
				if record, held = held, record; record == nil {
					continue
				}
			}
			if err := d.record(record); err != nil {
				return err
			}
		}
	}
}

// record makes a row of cells.
func (d *decoder) record(cells []string) error {
	for i := range d.table.Columns {
		at := i
		if d.mapped != nil {
			m := d.mapped[i]
			if m.constant != nil {
				d.loose.Text(i, []byte(*m.constant))
			}
			at = m.ordinal
		}
		if at >= 0 && at < len(cells) {
			d.loose.Text(i, []byte(cells[at]))
		}
	}
	return d.next()
}

// lines makes a row of each line.
func (d *decoder) lines(body []byte) error {
	list := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if len(body) == 0 {
		list = nil
	}
	if d.skipFirst && len(list) > 0 {
		list = list[1:]
	}
	if d.skipLast && len(list) > 0 {
		list = list[:len(list)-1]
	}
	for _, line := range list {
		if err := d.record([]string{strings.TrimSuffix(line, "\r")}); err != nil {
			return err
		}
	}
	return nil
}

// whole makes one row of the document.
func (d *decoder) whole(body []byte) error { return d.record([]string{string(body)}) }

// values makes a row of each JSON object, be they one after the other or in arrays.
func (d *decoder) values(body []byte) error {
	var scanner fastjson.Scanner
	scanner.InitBytes(body)
	first := d.skipFirst
	for scanner.Next() {
		list := []*fastjson.Value{scanner.Value()}
		if list[0].Type() == fastjson.TypeArray {
			list = list[0].GetArray()
		}
		for _, v := range list {
			if first {
				first = false
				continue
			}
			if err := d.object(v); err != nil {
				return err
			}
		}
	}
	if err := scanner.Error(); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "; unparsed tail")
		return fault.New(fault.Invalid, "it is no JSON: %s", clip(reason))
	}
	return nil
}

// object makes a row of a JSON object: fields by the columns' names.
func (d *decoder) object(v *fastjson.Value) error {
	if v.Type() != fastjson.TypeObject {
		if d.mapped != nil {
			return fault.New(fault.Invalid, "a record is %s, where an object is wanted", v.Type())
		}
		d.loose.Value(0, v) // a bare value is all of its row
		return d.next()
	}
	for i, c := range d.table.Columns {
		if d.mapped != nil {
			m := d.mapped[i]
			switch {
			case m.constant != nil:
				d.loose.Text(i, []byte(*m.constant))
			case m.mapped:
				if found := v.Get(m.path...); found != nil {
					d.loose.Value(i, found)
				}
			}
			continue
		}
		if found := v.Get(c.Name); found != nil {
			d.loose.Value(i, found)
		}
	}
	return d.next()
}

// mapping is where a column's value is found.
type mapping struct {
	mapped   bool
	ordinal  int // of the cell; -1 for none
	path     []string
	constant *string
}

// mapBy reads an ingestion mapping: for each column an ordinal, a path or a
// constant. Source: the reference page of ingestion mappings.
func (d *decoder) mapBy(text string) error {
	type properties struct {
		Path       string
		Ordinal    any
		ConstValue *string
	}
	var list []struct {
		Column, Name string
		properties
		Properties properties
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return fault.New(fault.Invalid, "the ingestion mapping is a list such as [{\"Column\":\"a\",\"Properties\":{\"Path\":\"$.a\"}}]: %w", err)
	}
	d.mapped = make([]mapping, len(d.table.Columns))
	for i := range d.mapped {
		d.mapped[i].ordinal = -1
	}
	for _, m := range list {
		name, p := m.Column+m.Name, m.Properties
		if p == (properties{}) {
			p = m.properties
		}
		i := slices.IndexFunc(d.table.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			return fault.New(fault.Invalid, "the ingestion mapping names the column %q, which isn't declared", clip(name))
		}
		d.mapped[i] = mapping{mapped: true, ordinal: -1, constant: p.ConstValue}
		if p.Path != "" {
			var ok bool
			if d.mapped[i].path, ok = steps(p.Path); !ok {
				return fault.New(fault.Invalid, "the ingestion mapping's path %q isn't of the form $.a.b or $['a'][0]", clip(p.Path))
			}
		}
		switch o := p.Ordinal.(type) {
		case float64:
			d.mapped[i].ordinal = int(o)
		case string:
			n, err := strconv.Atoi(strings.TrimSpace(o))
			if err != nil {
				return fault.New(fault.Invalid, "the ingestion mapping's ordinal %q is no whole number", clip(o))
			}
			d.mapped[i].ordinal = n
		}
	}
	return nil
}

// steps parts a path $.a['b'][0] into its steps.
func steps(text string) (out []string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "$")
	if !ok {
		return nil, false
	}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "['") || strings.HasPrefix(rest, `["`):
			end := strings.Index(rest[2:], rest[1:2]+"]")
			if end < 0 {
				return nil, false
			}
			out, rest = append(out, rest[2:2+end]), rest[2+end+2:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, false
			}
			out, rest = append(out, rest[1:end]), rest[end+1:]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			out, rest = append(out, rest[1:1+end]), rest[1+end:]
		default:
			return nil, false
		}
	}
	return out, true
}
