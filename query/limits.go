package query

import (
	"context"
	"errors"
	"fmt"

	"lockstep/kql"
	"lockstep/schema"
	"lockstep/tables"
)

// readWithin reads within the limits that hold: the server's, lower where the
// request or the text asks for it. What the text asks for beyond the server's
// is said in a warning.
func (s *Service) readWithin(ctx context.Context, q Query, snapshot tables.Snapshot, program Program, n *names, r *Result) error {
	var own kql.Limits
	if limited, is := program.(Limited); is {
		own = limited.Limits()
	}
	beyond := s.beyond(own)
	most := tables.Limit{
		Rows:  limit(int(own.Rows), limit(q.MaxRows, s.o.MaxRows)),
		Bytes: limit(own.Bytes, limit(q.MaxBytes, s.o.MaxBytes)),
	}
	if own.Time == 0 || own.Time >= schema.Span(s.o.Timeout) {
		if err := s.read(ctx, q, snapshot, program, n, r, most); err != nil {
			return err
		}
		r.Warnings = append(r.Warnings, beyond...)
		return nil
	}
	timeout := own.Time.Duration()
	inner, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	err := s.read(inner, q, snapshot, program, n, r, most)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return explain(inner, err, timeout)
	}
	r.Warnings = append(r.Warnings, beyond...)
	return err
}

// beyond says which of a text's limits are more than the server gives.
func (s *Service) beyond(own kql.Limits) (out []string) {
	if own.Rows > int64(s.o.MaxRows) {
		out = append(out, fmt.Sprintf("The query sets a limit of %d rows, more than the %d that this server gives to a query (its setting query_rows).", own.Rows, s.o.MaxRows))
	}
	if own.Bytes > s.o.MaxBytes {
		out = append(out, fmt.Sprintf("The query sets a limit of %d bytes, more than the %d that this server gives to a query.", own.Bytes, s.o.MaxBytes))
	}
	if own.Time > schema.Span(s.o.Timeout) {
		out = append(out, fmt.Sprintf("The query sets a time of %s, more than the %s that this server gives to a query (its setting query_timeout).", own.Time.Duration(), s.o.Timeout))
	}
	return out
}
