package native

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"lockstep/schema"
)

// Stage computes rows from all rows of its inputs. settings is its own JSON;
// args are values beside the rows.
type Stage func(ctx context.Context, settings string, inputs []Rows, args []*fastjson.Value) (*Answer, error)

// Rows are an input's rows: arrays of what the stage asked to see.
type Rows []*fastjson.Value

// refusal marks the text of a stage's own error, which an engine wraps.
const refusal = "KQL stage: "

// Refused gives what a stage said when it could not compute, of an engine's error.
func Refused(err error) (message string, ok bool) {
	if err == nil {
		return "", false
	}
	_, message, ok = strings.Cut(err.Error(), refusal)
	message, _, _ = strings.Cut(message, "\n")
	return message, ok
}

func refuse(format string, args ...any) error {
	return errors.New(refusal + fmt.Sprintf(format, args...))
}

// mostPacked is the size of all rows that a stage reads.
const mostPacked = 1 << 30

// staged makes a function of a stage: a text of settings, one for each of so many inputs, then the args.
func staged(name string, inputs int, stage Stage) Function {
	params := make([]schema.Type, inputs+1)
	for i := range params {
		params[i] = tText
	}
	run := func(ctx context.Context, args []any) (_ any, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = refuse("%s met rows that it can't read: %v", name, r)
			}
		}()
		size := 0
		for _, a := range args {
			size += len(str(a))
		}
		if size > mostPacked {
			return nil, refuse("more rows than %s takes at once: narrow the query before it", strings.ReplaceAll(name, "_", "-"))
		}
		tables := make([]Rows, inputs)
		for i := range tables {
			if tables[i], err = rowsOf(str(args[1+i])); err != nil {
				return nil, err
			}
		}
		var values []*fastjson.Value
		for _, a := range args[1+inputs:] {
			v, err := fastjson.Parse(str(a))
			if err != nil {
				return nil, refuse("a value of %s is no JSON: %v", name, err)
			}
			values = append(values, v)
		}
		answer, err := stage(ctx, str(args[0]), tables, values)
		if err != nil {
			return nil, err
		}
		return answer.json(), nil
	}
	return Function{Name: name, Params: params, Least: len(params), Variadic: tText, Result: tText, Nulls: true, Volatile: true, Run: run}
}

func rowsOf(text string) (Rows, error) {
	v, err := fastjson.Parse(text)
	if err != nil {
		return nil, refuse("the rows are no JSON: %v", err)
	}
	list, err := v.Array()
	return Rows(list), err
}

// Answer is rows in columns: numbers of input rows from 1, 0 for none, and values as JSON.
type Answer struct {
	rows   int
	places [][]int
	values []strings.Builder
}

func newAnswer(places, values int) *Answer {
	return &Answer{places: make([][]int, places), values: make([]strings.Builder, values)}
}

// add begins a row: its places. Its values follow by put, each once.
func (a *Answer) add(places ...int) {
	for i, p := range places {
		a.places[i] = append(a.places[i], p)
	}
	a.rows++
}

// put adds the row's value number i, as JSON.
func (a *Answer) put(i int, raw string) {
	b := &a.values[i]
	if b.Len() > 0 {
		b.WriteByte(',')
	}
	b.WriteString(raw)
}

func (a *Answer) json() string {
	var b strings.Builder
	b.WriteString(`{"n":` + strconv.Itoa(a.rows))
	for i, list := range a.places {
		b.WriteString(`,"p` + strconv.Itoa(i) + `":[`)
		for k, p := range list {
			if k > 0 {
				b.WriteByte(',')
			}
			if p == 0 {
				b.WriteString("null")
			} else {
				b.WriteString(strconv.Itoa(p))
			}
		}
		b.WriteByte(']')
	}
	for i := range a.values {
		b.WriteString(`,"v` + strconv.Itoa(i) + `":[`)
		b.WriteString(a.values[i].String())
		b.WriteByte(']')
	}
	b.WriteByte('}')
	return b.String()
}

// textOf gives a JSON value as text: a string bare, null as "".
func textOf(v *fastjson.Value) string {
	if v == nil || v.Type() == fastjson.TypeNull {
		return ""
	}
	if s, err := v.StringBytes(); err == nil {
		return string(s)
	}
	var b strings.Builder
	writeParsed(&b, v)
	return b.String()
}

// at gives item i of a row.
func (r Rows) at(row, i int) *fastjson.Value {
	return r[row].GetArray()[i]
}

// writeParsed writes a value as it was read: the parser's own writer escapes
// control characters as Go does, which is no JSON.
func writeParsed(b *strings.Builder, v *fastjson.Value) {
	switch v.Type() {
	case fastjson.TypeString:
		b.WriteString(quoteText(textOf(v)))
	case fastjson.TypeArray:
		b.WriteByte('[')
		for i, e := range v.GetArray() {
			if i > 0 {
				b.WriteByte(',')
			}
			writeParsed(b, e)
		}
		b.WriteByte(']')
	case fastjson.TypeObject:
		b.WriteByte('{')
		first := true
		v.GetObject().Visit(func(key []byte, e *fastjson.Value) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			b.WriteString(quoteText(string(key)))
			b.WriteByte(':')
			writeParsed(b, e)
		})
		b.WriteByte('}')
	default:
		b.WriteString(v.String())
	}
}
