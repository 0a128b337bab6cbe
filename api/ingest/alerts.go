package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"github.com/valyala/fastjson"

	"lockstep/access"
	"lockstep/fault"
	"lockstep/rows"
	"lockstep/security"
	"lockstep/wire/graph"
	"lockstep/wire/hunting"
	"lockstep/wire/logs"
	"lockstep/xdr"
)

// one is an alert as it was read, with the records of the delivery that it came from.
type one struct {
	alert   security.Alert
	records []int
}

// shapes is the table of the published shapes in which alerts come in.
var shapes = map[string]func(records [][]byte) ([]one, []rows.Refusal){
	"graph":         single(graph.DecodeAlert),
	"securityalert": single(logs.DecodeAlert),
	"alertinfo":     bundled,
}

// mixedShape is a delivery in which each record tells its own shape,
// {"shape":"graph","alert":{…}}: alerts of several products in one order.
const mixedShape = "mixed"

// shape finds how a delivery's records are read.
func shape(name string) (read func(records [][]byte) ([]one, []rows.Refusal), ok bool) {
	name = strings.ToLower(name)
	if name == mixedShape {
		return mixed, true
	}
	read, ok = shapes[name]
	return read, ok
}

// shapeNames lists the shapes for messages.
func shapeNames() string {
	names := []string{mixedShape}
	for n := range shapes {
		names = append(names, n)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// alerts takes a delivery of alerts in.
func (f *face) alerts(r *http.Request, body []byte) (Answer, error) {
	if f.Alerts == nil {
		return Answer{}, fault.New(fault.NotFound, "this server isn't the XDR side: alerts go to the one that is")
	}
	if err := f.Authorize(r.Context(), access.IngestAlerts, access.XDR); err != nil {
		return Answer{}, err
	}
	name := r.URL.Query().Get("shape")
	read, ok := shape(name)
	if !ok {
		return Answer{}, fault.At("shape", "%q is none of %s", name, shapeNames())
	}
	records, refused := split(body)
	came, more := read(records)
	refused = append(refused, more...)
	answer := Answer{Refused: []Refusal{}}
	if len(came) > 0 {
		list := make([]security.Alert, len(came))
		for i, o := range came {
			list[i] = o.alert
		}
		outcomes, err := f.Alerts.Ingest(r.Context(), list)
		if err != nil {
			return Answer{}, fmt.Errorf("take alerts in: %w", err)
		}
		for i, o := range outcomes {
			switch o.Result {
			case xdr.Refused:
				for _, n := range came[i].records {
					refused = append(refused, rows.Refusal{Record: n, Table: strings.TrimSpace("alert " + o.AlertID), Reason: o.Reason, Body: clip(records[n-1])})
				}
			case xdr.Repeat:
				answer.Repeats += len(came[i].records)
			default:
				answer.Accepted += len(came[i].records)
			}
		}
	}
	if len(refused) > 0 {
		sort.SliceStable(refused, func(i, j int) bool { return refused[i].Record < refused[j].Record })
		if err := f.Rows.Quarantine(r.Context(), key(r, body), refused); err != nil {
			return Answer{}, fmt.Errorf("keep refused alerts aside: %w", err)
		}
	}
	for _, x := range refused {
		answer.Refused = append(answer.Refused, Refusal{Record: x.Record, Table: x.Table, Field: x.Field, Reason: x.Reason})
	}
	return answer, nil
}

// single reads each record as an alert of its own.
func single(decode func([]byte) (security.Alert, error)) func(records [][]byte) ([]one, []rows.Refusal) {
	return func(records [][]byte) (out []one, refused []rows.Refusal) {
		for i, record := range records {
			if record == nil {
				continue // refused by split
			}
			a, err := decode(record)
			if err != nil {
				refused = append(refused, refusal(i+1, record, err))
				continue
			}
			out = append(out, one{a, []int{i + 1}})
		}
		return out, refused
	}
}

// mixed reads records that each tell their shape, each as a delivery of its own.
func mixed(records [][]byte) (out []one, refused []rows.Refusal) {
	for i, record := range records {
		if record == nil {
			continue // refused by split
		}
		var wrapped struct {
			Shape string          `json:"shape"`
			Alert json.RawMessage `json:"alert"`
		}
		err := json.Unmarshal(record, &wrapped)
		read, ok := shapes[strings.ToLower(wrapped.Shape)]
		switch {
		case err != nil:
		case !ok:
			err = fault.At("shape", "%q isn't the shape of an alert", wrapped.Shape)
		case len(wrapped.Alert) == 0:
			err = fault.At("alert", "is missing")
		}
		if err != nil {
			refused = append(refused, refusal(i+1, record, err))
			continue
		}
		came, more := read([][]byte{wrapped.Alert})
		for _, o := range came {
			out = append(out, one{o.alert, []int{i + 1}})
		}
		for _, x := range more {
			x.Record = i + 1
			refused = append(refused, x)
		}
	}
	return out, refused
}

// bundled reads AlertInfo rows with the AlertEvidence rows of the same alert.
// A record is one row, or an Event Hub message with several.
func bundled(records [][]byte) (out []one, refused []rows.Refusal) {
	var read []hunting.Row
	numbers := map[string][]int{}
	for i, record := range records {
		if record == nil {
			continue
		}
		parts, err := rowsOf(record)
		if err != nil {
			refused = append(refused, refusal(i+1, record, err))
			continue
		}
		for _, row := range parts {
			id := row.Text("AlertId")
			read = append(read, row)
			if n := numbers[id]; len(n) == 0 || n[len(n)-1] != i+1 {
				numbers[id] = append(n, i+1)
			}
		}
	}
	bundles, _ := hunting.Group(read) // no strays: each row has an AlertId
	for _, b := range bundles {
		id := idOf(b)
		a, err := hunting.DecodeAlert(b)
		if err != nil {
			for _, n := range numbers[id] {
				refused = append(refused, refusal(n, records[n-1], err))
			}
			continue
		}
		out = append(out, one{a, numbers[id]})
	}
	return out, refused
}

// rowsOf reads the rows of one record.
func rowsOf(record []byte) ([]hunting.Row, error) {
	var message struct {
		Records []json.RawMessage `json:"records"`
	}
	parts := []json.RawMessage{record}
	if json.Unmarshal(record, &message) == nil && len(message.Records) > 0 {
		parts = message.Records
	}
	var out []hunting.Row
	for _, part := range parts {
		row, err := hunting.ParseRow(part)
		if err == nil && row.Text("AlertId") == "" {
			err = fault.At("AlertId", "is missing")
		}
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// idOf is the alert that a bundle is about; evidence may come without its AlertInfo row.
func idOf(b hunting.Bundle) string {
	if b.Info == nil {
		return b.Evidence[0].Text("AlertId")
	}
	return b.Info.Text("AlertId")
}

// refusal says why a record wasn't taken.
func refusal(record int, body []byte, err error) rows.Refusal {
	x := rows.Refusal{Record: record, Reason: err.Error(), Body: clip(body)}
	var e *fault.Error
	if errors.As(err, &e) {
		x.Field = e.Target
	}
	return x
}

func clip(body []byte) []byte { return body[:min(len(body), rows.BodyLimit)] }

// split parts a delivery into records: a JSON array, a Graph collection, or
// one record a line. A broken line is refused and leaves nil in its place.
func split(body []byte) (records [][]byte, refused []rows.Refusal) {
	var p fastjson.Parser
	if v, err := p.ParseBytes(body); err == nil {
		list := []*fastjson.Value{v}
		if inner := v.Get("value"); inner != nil && inner.Type() == fastjson.TypeArray {
			list = inner.GetArray()
		}
		if v.Type() == fastjson.TypeArray {
			list = v.GetArray()
		}
		for _, one := range list {
			records = append(records, one.MarshalTo(nil))
		}
		return records, nil
	}
	for _, line := range strings.Split(string(body), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if !json.Valid([]byte(line)) {
			records = append(records, nil)
			refused = append(refused, rows.Refusal{Record: len(records), Reason: "the line isn't JSON", Body: clip([]byte(line))})
			continue
		}
		records = append(records, []byte(line))
	}
	return records, refused
}
