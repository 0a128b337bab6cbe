package bind

import (
	"maps"
	"slices"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// Limits are what a text's set statements ask of who runs it; a zero asks for
// nothing, so that the runner's own limit holds.
type Limits struct {
	Rows  int64        // of each result table: truncationmaxrecords
	Bytes int64        // of the answer: truncationmaxsize
	Time  schema.Ticks // how long it may run: servertimeout
}

// request is what an option of set takes and does to the limits.
type request struct {
	takes schema.Type // Bool: the option may stand without a value
	set   func(l *Limits, value int64)
}

// limiting are the options of set that limit an answer, in lower case: names
// ignore case. Source: Kusto, the reference page of request properties and
// that of query limits.
var limiting = map[string]request{
	"truncationmaxrecords":   {schema.Long, func(l *Limits, n int64) { l.Rows = n }},
	"query_take_max_records": {schema.Long, func(l *Limits, n int64) { l.Rows = n }},
	"truncationmaxsize":      {schema.Long, func(l *Limits, n int64) { l.Bytes = n }},
	"servertimeout":          {schema.TimeSpan, func(l *Limits, n int64) { l.Time = schema.Ticks(n) }},
	"notruncation":           {schema.Bool, func(l *Limits, _ int64) { l.Rows, l.Bytes = 0, 0 }},
	"norequesttimeout":       {schema.Bool, func(l *Limits, _ int64) { l.Time = 0 }},
}

// binning are the options that bin_auto reads.
var binning = []string{"query_bin_auto_at", "query_bin_auto_size"}

// set binds a set statement. What limits the answer is for who runs it; of
// several the last holds.
func (b *binder) set(st *syntax.Set, s *scope) {
	name := strings.ToLower(st.Option)
	if slices.Contains(binning, name) {
		if st.Value != nil {
			b.safely(func() plan.Node {
				s.names["\x00"+name] = &entity{scalar: b.scalar(st.Value, ctx{scope: s})}
				return nil
			})
		}
		return
	}
	o, known := limiting[name]
	if !known {
		b.useless(st)
		return
	}
	b.safely(func() plan.Node {
		if value, holds := b.optionValue(st, o, s); holds {
			o.set(&b.limits, value)
		}
		return nil
	})
}

// useless warns of an option that does nothing here, with the one that may be meant.
func (b *binder) useless(st *syntax.Set) {
	names := append(slices.Sorted(maps.Keys(limiting)), binning...)
	if near := syntax.Nearest(strings.ToLower(st.Option), names); near != "" {
		b.warn(st.At(), "KQL197", "the option '%s' of set changes nothing here; did you mean '%s'?", st.Option, near)
		return
	}
	b.warn(st.At(), "KQL197", "the option '%s' of set changes nothing here", st.Option)
}

// optionValue gives an option's value, which is a constant above zero; holds
// is false for a switch that is set to false.
func (b *binder) optionValue(st *syntax.Set, o request, s *scope) (value int64, holds bool) {
	if st.Value == nil {
		if o.takes != schema.Bool {
			b.fail(st.At(), "KQL196", "the option '%s' of set wants a value: set %s = …;", st.Option, st.Option)
		}
		return 0, true
	}
	k, isConstant := Fold(b.scalar(st.Value, ctx{scope: s}), b.env.Now).(*plan.Const)
	if isConstant && o.takes == schema.Bool {
		if truth, is := k.Value.(bool); is {
			return 0, truth
		}
	}
	if isConstant && (k.Typ == o.takes || k.Typ == schema.Int && o.takes == schema.Long) {
		if n, is := k.Value.(int64); is && n > 0 {
			return n, true
		}
	}
	wants := map[schema.Type]string{schema.Bool: "true or false", schema.Long: "a whole number above zero", schema.TimeSpan: "a timespan above zero, such as 30s"}
	b.fail(st.Value.At(), "KQL196", "the option '%s' of set wants %s", st.Option, wants[o.takes])
	return 0, false
}
