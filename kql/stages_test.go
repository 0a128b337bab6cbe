package kql_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"lockstep/kql"
	"lockstep/kql/kqltest"
)

// TestStageDiagnostics: what graphs and other steps in Go refuse, with a place.
func TestStageDiagnostics(t *testing.T) {
	const g = "datatable(s:string, d:string)['a', 'b'] | make-graph s --> d with_node_id = id "
	for _, tt := range []struct{ query, code, message string }{
		{g, "KQL180", "a graph is no table"},
		{g + "| where s == 'a'", "KQL180", "graph-match"},
		{"Events | graph-match (a)-->(b) project a", "KQL183", "make-graph before it"},
		{g + "| graph-match (a)-[e]->(b) project a.nme", "KQL120", "no property 'nme'"},
		{g + "| graph-match (a)-[e]->(b)-[e]->(c) project a.id", "KQL186", "a name of its own"},
		{g + "| graph-match (a)-[e*5..1]->(b) project a.id", "KQL187", "no length"},
		{g + "| graph-match (a)-[e*1..500]->(b) project a.id", "KQL187", "at most"},
		{g + "| graph-match cycles=some (a)-->(b) project a.id", "KQL184", "unique_edges"},
		{g + "| graph-match (a)-[e]->(b) project map(e, s)", "KQL188", "variable length"},
		{g + "| graph-match (a)-[e*1..2]->(b) project inner_nodes(e)", "KQL188", "inside of map"},
		{g + "| graph-shortest-paths (a)-[e]->(b) project a.id", "KQL185", "variable length"},
		{g + "| graph-to-table nodes, edges", "KQL182", "name both"},
		{"print x = toscalar(" + g + ")", "KQL108", "without columns"},
	} {
		p, diags := kql.Compile(tt.query, environment())
		if p != nil || len(diags) == 0 || diags[0].Code != tt.code || !strings.Contains(diags[0].Message, tt.message) {
			t.Errorf("%s\n got %v\nwant %s …%s", tt.query, diags, tt.code, tt.message)
		}
	}
}

// manyPaths is a graph whose paths nobody can list: each node leads to all others.
const manyPaths = "range a from 1 to 40 step 1 | extend k = 1 | join kind=inner (range b from 1 to 40 step 1 | extend k = 1) on k | make-graph a --> b with_node_id = id | graph-match cycles=all (x)-[e*8..9]->(y) where any(e, a == 99) project x.id"

// TestStageBounds: a search without end says so instead of going on.
func TestStageBounds(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	query := strings.Replace(manyPaths, " where any(e, a == 99)", "", 1)
	_, err = engine.Run(context.Background(), compile(t, query), environment().Tables)
	message, ok := kql.Refused(err)
	if !ok || !strings.Contains(message, "graph-match found more than 1000000 matches") {
		t.Fatalf("refused %v %q: %v", ok, message, err)
	}
}

// TestStageEnds: a step in Go ends when its query is cancelled.
func TestStageEnds(t *testing.T) {
	engine, err := kqltest.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err = engine.Run(ctx, compile(t, manyPaths), environment().Tables)
	if err == nil || ctx.Err() == nil {
		t.Fatalf("the query ended by itself: %v", err)
	}
	if _, refused := kql.Refused(err); refused && !errors.Is(err, context.DeadlineExceeded) && strings.Contains(err.Error(), "steps") {
		t.Fatalf("the search went on to its own bound: %v", err)
	}
}
