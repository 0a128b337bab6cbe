package bind

import (
	"fmt"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// mostSteps is how many states a sequence may have: each is a join.
const mostSteps = 16

// funnelCompletion: evaluate funnel_sequence_completion(id, time, start, end, window, state,
// [states…], [periods…]): of how many ids the states follow each other as far as
// each one, within each period from the first, all in one window of time.
// Source: Kusto, the funnel_sequence_completion plugin.
func (b *binder) funnelCompletion(n plan.Node, op *syntax.Evaluate, c ctx) plan.Node {
	args := op.Call.Args
	b.want(op.Call, 8, 8)
	p := &plan.Project{Input: n, Items: []plan.Item{b.item("id", b.scalar(args[0], c)), b.item("t", b.scalar(args[1], c)), b.item("state", b.scalar(args[5], c))}}
	if p.Items[1].Type != schema.DateTime {
		b.unsupported(op.At(), "the plugin funnel_sequence_completion over anything but a datetime")
	}
	if p.Items[2].Type != schema.String {
		b.fail(args[5].At(), "KQL133", "the plugin funnel_sequence_completion wants a state that is a text, not a %s", p.Items[2].Type)
	}
	states, ok1 := b.constantOf(args[6], c).(*plan.Const)
	periods, ok2 := b.constantOf(args[7], c).(*plan.Const)
	var sequence, times []string
	if ok1 && ok2 {
		text, _ := states.Value.(string)
		sequence = textsIn(text)
		text, _ = periods.Value.(string)
		times = textsIn(text)
	}
	if len(sequence) == 0 || len(times) == 0 || len(sequence) > mostSteps || len(times) > mostSteps {
		b.fail(op.At(), "KQL189", "funnel_sequence_completion wants a constant array of at most %d texts as states, and one of as many lengths of time as periods", mostSteps)
	}
	values := map[string]plan.Expr{"from": b.constantOf(args[2], c), "upto": b.constantOf(args[3], c), "step": b.constantOf(args[4], c), "states": states, "periods": periods}
	b.add(syntax.Error{Span: op.At(), Code: "KQL906", Warning: true,
		Message: "funnel_sequence_completion counts by its published description, states at one time in the order asked for: numbers may differ from the service's"})
	result := b.write(op.At(), funnelText(sequence, len(times)), p, values)
	return b.rename(result, map[string]string{"Timestamp": b.columnName(args[1], c, "Timestamp"), "state": b.columnName(args[5], c, "State")}, nil)
}

// funnelText says a funnel in KQL: for each first state the earliest time at
// which each later one can be reached; then, for each period, the ids in time.
func funnelText(sequence []string, periods int) string {
	states := len(sequence)
	var b strings.Builder
	b.WriteString("let e = rows | where t between (from .. upto) | extend Timestamp = bin_at(t, step, from);\n")
	b.WriteString("let s0 = e | where state == tostring(states[0]) | distinct id, Timestamp, begun = t | extend t = begun;\n")
	for i := 1; i < states; i++ {
		later := ">="
		if sequence[i] == sequence[i-1] { // not the same event
			later = ">"
		}
		fmt.Fprintf(&b, "let s%d = s%d | join kind=inner (e | where state == tostring(states[%d]) | project id, Timestamp, at = t) on id, Timestamp | where at %s t | summarize t = min(at) by id, Timestamp, begun;\n", i, i-1, i, later)
	}
	b.WriteString("union ")
	for p := range periods {
		for i := range states {
			if p+i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "(s%d | where t - begun <= totimespan(periods[%d]) | summarize ['dcount'] = count_distinct(id) by Timestamp | extend state = tostring(states[%d]), Period = totimespan(periods[%d]), place = %d)", i, p, i, p, p*states+i)
		}
	}
	b.WriteString("\n| sort by Timestamp asc, place asc | project Timestamp, state, Period, ['dcount']")
	return b.String()
}
