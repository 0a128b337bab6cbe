package bind

import (
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// External is data that a query asks other hosts for.
type External struct {
	// Operator is externaldata, http_request or http_request_post.
	Operator string
	URIs     []string
	// Columns are declared by externaldata, and fixed for the others.
	Columns []schema.Column
	// Options are those of externaldata's with (…), by lower-case name: bool, int64, float64 or string.
	Options map[string]any
	// Headers, a JSON object or "", and Content are those of a request.
	Headers, Content string
}

// The columns that a request answers with. Source: the reference page of the
// http_request plugin.
var answered = []schema.Column{{Name: "ResponseHeaders", Type: schema.Dynamic}, {Name: "ResponseBody", Type: schema.Dynamic}}

// externalOptions are the options of externaldata that have an effect.
// Source: the reference page of the externaldata operator; ignoreLastRecord is seen in the field.
var externalOptions = map[string]bool{"format": true, "ignorefirstrecord": true, "ignorelastrecord": true, "ingestionmapping": true}

// external binds externaldata: its rows come from outside.
func (b *binder) external(x *syntax.External, s *scope) plan.Node {
	asked := External{Operator: "externaldata", Options: map[string]any{}}
	b.declColumns(x.Columns, func(name string, t schema.Type) {
		asked.Columns = append(asked.Columns, schema.Column{Name: name, Type: t})
	})
	for _, u := range x.URIs {
		uri, ok := b.constant([]syntax.Expr{u}, 0, s).(string)
		if !ok {
			b.fail(u.At(), "KQL160", "the address of external data must be a constant text")
		}
		asked.URIs = append(asked.URIs, uri)
	}
	if len(asked.URIs) == 0 {
		b.fail(x.At(), "KQL161", "externaldata needs at least one address: externaldata (…) ['https://…']")
	}
	for _, o := range x.Options {
		name := strings.ToLower(o.Name.Text)
		if !externalOptions[name] {
			b.add(syntax.Error{Span: o.Name.Span, Code: "KQL162", Warning: true, Message: "externaldata has no option '" + o.Name.Text + "' here: it is ignored"})
			continue
		}
		asked.Options[name] = b.option(o.Value, s)
	}
	return b.outside(x.At(), asked)
}

// option gives an option's value; a bare word is its text.
func (b *binder) option(x syntax.Expr, s *scope) any {
	if id, ok := unparen(x).(*syntax.Ident); ok {
		if _, let := s.find(id.Text); !let {
			return id.Text
		}
	}
	return b.constant([]syntax.Expr{x}, 0, s)
}

// request binds evaluate http_request and http_request_post.
func (b *binder) request(call *syntax.Call, s *scope) plan.Node {
	asked := External{Operator: call.Func.Text, Columns: answered}
	most := 3
	if asked.Operator == "http_request_post" {
		most = 4
	}
	b.want(call, 1, most)
	uri, ok := b.constant(call.Args, 0, s).(string)
	if !ok {
		b.fail(call.Args[0].At(), "KQL160", "the address of a request must be a constant text")
	}
	asked.URIs = []string{uri}
	asked.Headers, _ = b.constant(call.Args, 1, s).(string)
	if content, ok := b.constant(call.Args, 3, s).(string); ok {
		asked.Content = content
	}
	return b.outside(call.At(), asked)
}

// outside reads what the environment fetches; without it there are no rows.
func (b *binder) outside(at syntax.Span, asked External) plan.Node {
	if b.env.External != nil {
		return b.scan(b.env.External(asked), "")
	}
	e := syntax.Error{Span: at, Code: "KQL901", Message: asked.Operator + " is not fetched here: it gives no rows", Warning: true}
	b.add(e)
	n := &plan.Values{}
	for _, c := range asked.Columns {
		n.Cols = append(n.Cols, b.column(c.Name, c.Type))
	}
	return n
}
