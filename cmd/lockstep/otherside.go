package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lockstep/api/control"
	"lockstep/schema"
)

// unknownName is the name that an answer says there isn't.
var unknownName = regexp.MustCompile(`there is no (?:tabular function|table, let name or function|function|watchlist) '([^']+)'`)

// otherSide is a hint for somebody who asked the XDR side for what the
// workspace has: what the answer says there isn't is there. "" if it isn't.
func otherSide(ctx context.Context, c *client, asked schema.Side, ws, answer string) string {
	m := unknownName.FindStringSubmatch(answer)
	if asked != schema.XDR || m == nil {
		return ""
	}
	name, what := m[1], ""
	var functions []control.Function
	var lists []control.Watchlist
	switch {
	case strings.Contains(m[0], "watchlist"):
		if c.call(ctx, "GET", inWorkspace("watchlists", "", ws), nil, &lists) == nil &&
			slices.ContainsFunc(lists, func(w control.Watchlist) bool { return strings.EqualFold(w.Alias, name) }) {
			what = "a watchlist"
		}
	case isOf(schema.Workspace, name):
		what = "a table"
	default:
		if c.call(ctx, "GET", inWorkspace("functions", "", ws), nil, &functions) == nil &&
			slices.ContainsFunc(functions, func(f control.Function) bool { return f.Name == name }) {
			what = "a saved function"
		}
	}
	if what == "" {
		return ""
	}
	return fmt.Sprintf("%s is %s of the workspace: ask with --side workspace", name, what)
}

// isOf reports whether a side has a table.
func isOf(side schema.Side, name string) bool {
	_, ok := schema.Default().Table(side, name)
	return ok
}
