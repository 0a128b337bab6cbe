package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/schema"
	"lockstep/tables"
)

// read runs a program and those of the text's further tables, one after the
// other. Each keeps the limit of rows, all together that of bytes.
func (s *Service) read(ctx context.Context, q Query, snapshot tables.Snapshot, program Program, n *names, r *Result, most tables.Limit) error {
	all := []Program{program}
	if several, is := program.(Several); is {
		all = append(all, several.Further()...)
	}
	var cuts []string
	left := most
	for i, p := range all {
		t := Table{Name: PrimaryResult(i)}
		if named, is := p.(Several); is && named.Name() != "" {
			t.Name = named.Name()
		}
		took, err := s.table(ctx, q, snapshot, p, n, r, &t, left)
		if err != nil {
			return err
		}
		left.Bytes = max(left.Bytes-took, 1)
		if t.Truncated {
			cuts = append(cuts, cut(t, len(all), most))
		}
		r.Stats.Rows += t.Rows.N
		if i == 0 {
			r.Table = t
			continue
		}
		r.Further = append(r.Further, t)
	}
	r.Warnings = append(r.Warnings, cuts...)
	return nil
}

// cut says of a table that a limit cut it, and which.
func cut(t Table, of int, most tables.Limit) string {
	what := "The result"
	if of > 1 {
		what = fmt.Sprintf("The table %q", t.Name)
	}
	if t.Rows.N < most.Rows {
		return fmt.Sprintf("%s was cut at %d rows, because it is larger than %d bytes.", what, t.Rows.N, most.Bytes)
	}
	return fmt.Sprintf("%s was cut at %d rows.", what, t.Rows.N)
}

// table runs a program and fills its table in; it tells the table's size.
func (s *Service) table(ctx context.Context, q Query, snapshot tables.Snapshot, program Program, n *names, r *Result, t *Table, most tables.Limit) (bytes int64, err error) {
	program, err = s.settle(ctx, q, snapshot, program, n, r)
	if err != nil {
		return 0, err
	}
	if len(program.Columns()) == 0 {
		return 0, fault.New(fault.Invalid, "the query asks for nothing: it is empty, or only names things with let")
	}
	t.Columns, t.Render = program.Columns(), program.Render()
	began := s.o.Clock()
	ran, err := s.statement(ctx, q, snapshot, program, n, r)
	if err != nil {
		return 0, err
	}
	found, err := ran.read(ctx, most)
	if err != nil {
		return 0, err
	}
	took := s.o.Clock() - began
	if q.Explain {
		if t.Explained, err = s.explanation(ctx, snapshot, program, ran); err != nil {
			return 0, err
		}
		t.Explained.Run = took.Duration()
	}
	t.Rows, t.Truncated = found.Rows, found.Truncated
	return found.Bytes, nil
}

// settle asks what a program asks before its columns are known, in the same
// snapshot and time as the rest.
func (s *Service) settle(ctx context.Context, q Query, snapshot tables.Snapshot, program Program, n *names, r *Result) (Program, error) {
	for {
		asker, is := program.(Asker)
		if !is {
			return program, nil
		}
		ask, open := asker.Question()
		if !open {
			return program, nil
		}
		question, err := s.statement(ctx, q, snapshot, ask, n, r)
		if err != nil {
			return nil, err
		}
		found, err := question.read(ctx, tables.Limit{Rows: s.o.MaxRows, Bytes: s.o.MaxBytes})
		if err != nil {
			return nil, err
		}
		next, diagnostics := asker.Answered(found.Rows.Columns[0].Texts[:found.Rows.N])
		if n.denied != nil {
			return nil, n.denied
		}
		r.Warnings = nil
		for _, d := range place(q.Text, diagnostics) {
			if !d.Warning {
				return nil, fault.New(fault.Invalid, "%w", &SyntaxError{diagnostics})
			}
			r.Warnings = append(r.Warnings, d.Message)
		}
		program = next
	}
}

// statement is a program's SQL over the relations of a snapshot.
type statement struct {
	sql      string
	args     []any
	result   *schema.Table // the shape of its rows
	snapshot tables.Snapshot
}

// read runs the statement within a limit.
func (t statement) read(ctx context.Context, most tables.Limit) (tables.Result, error) {
	return t.snapshot.Query(ctx, t.sql, t.args, t.result, most)
}

// statement says a program over a snapshot, and loads what it reads from outside.
func (s *Service) statement(ctx context.Context, q Query, snapshot tables.Snapshot, program Program, n *names, r *Result) (statement, error) {
	in := tables.Range{From: q.From, To: q.To, After: q.After, UpTo: q.UpTo}
	var failed error
	sql, args := program.SQL(func(_ int, table string, columns []string) (string, []any) {
		if given, ok := n.outside.relations[table]; ok && failed == nil {
			failed = n.outside.load(ctx, given, snapshot)
		}
		in := in
		t, ok := n.relation(table)
		if other, foreign := n.elsewhere.tables[table]; foreign {
			t, in.Workspace, ok = other.Table, other.workspace, true
		}
		if !ok {
			failed = fault.New(fault.Internal, "the program reads %s, which isn't known", table)
			return "(SELECT 1)", nil
		}
		if !slices.Contains(r.Stats.Tables, table) {
			r.Stats.Tables = append(r.Stats.Tables, table)
		}
		sql, args, err := snapshot.Relation(t, columns, in)
		if err != nil && failed == nil {
			failed = err
		}
		return sql, args
	})
	return statement{sql, args, schema.NewTable("PrimaryResult", q.Side, program.Columns()), snapshot}, failed
}

var errTimeout = errors.New("the query's time is over")

// explain words errors for who asked.
func explain(ctx context.Context, err error, timeout time.Duration) error {
	refused, isRefused := kql.Refused(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && errors.Is(context.Cause(ctx), errTimeout):
		return fault.New(fault.Unavailable, "the query took longer than %s: narrow its time range or what it reads", timeout)
	case fault.KindOf(err) != fault.Internal:
		return err
	case isRefused:
		return fault.New(fault.Invalid, "%s", refused)
	case strings.Contains(err.Error(), "Out of Memory"):
		return fault.New(fault.Unavailable, "the query needs more memory than the server gives to queries: narrow its time range, or summarize less finely")
	}
	return fmt.Errorf("run a query: %w", err)
}
