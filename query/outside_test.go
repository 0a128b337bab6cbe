package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/query/external"
	"lockstep/rows"
	"lockstep/schema"
)

// printed is a result as lines of cells.
func printed(r *query.Result) string {
	var lines []string
	for i := range r.Rows.N {
		var cells []string
		for c := range r.Rows.Columns {
			cells = append(cells, r.Rows.Columns[c].Print(i))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "\n")
}

// custom is what people made in the workspace.
type custom struct {
	tables     map[string]query.Relation
	functions  map[string]query.Function
	watchlists map[string]query.Relation
}

func (c custom) Tables(context.Context, schema.Side, string) (map[string]query.Relation, error) {
	return c.tables, nil
}

func (c custom) Functions(context.Context, schema.Side, string) (map[string]query.Function, error) {
	return c.functions, nil
}

func (c custom) Watchlists(context.Context, schema.Side, string) (map[string]query.Relation, error) {
	return c.watchlists, nil
}

// External data are fetched once a query, however often it names them, and
// joined with stored rows.
func TestExternalData(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/list.csv":
			io.WriteString(w, "name,risk,Timestamp\npc1,7,2001-01-01\n\"'; DROP TABLE x; --\",8,\npc2,,\n")
		case "/answer":
			io.WriteString(w, `{"names":["pc0"]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	s, _ := serve(t, query.Options{Compile: query.KQL, External: external.Options{Client: server.Client()}})
	run := func(text string) (*query.Result, error) {
		return s.Run(context.Background(), query.Query{Side: schema.XDR, Text: strings.ReplaceAll(text, "URL", server.URL), From: schema.Ticks(1), To: schema.Ticks(1) << 62})
	}
	list := "let host = 'URL'; let L = externaldata (name:string, risk:long, Timestamp:datetime) [strcat(host, '/list.csv')] with (ignoreFirstRecord=true);\n"
	for _, test := range []struct {
		text, want string
		fetches    int64
	}{
		{list + "L | sort by name asc | project name, risk", "'; DROP TABLE x; --|8\npc1|7\npc2|", 1},
		{list + "DeviceEvents | where DeviceName in ((L | where isnotnull(risk) | project name)) | join kind=inner L on $left.DeviceName == $right.name | project DeviceName, risk", "pc1|7", 1},
		{list + "L | where Timestamp < datetime(2002-01-01) | count", "1", 1},
		{list + "L | top 2 by risk desc | project name, risk, Timestamp", "'; DROP TABLE x; --|8|\npc1|7|2001-01-01T00:00:00.0000000Z", 1},
		{list + "L | summarize arg_max(risk, *) by x = 1", "1|8|'; DROP TABLE x; --|", 1},
		{list + "union L, (L | where false) | summarize sum(risk), dcount(name)", "15|3", 1},
		{"externaldata (line:string) ['URL/list.csv', 'URL/list.csv'] with (format=txt) | count", "8", 2},
		{"externaldata (name:string) ['URL/list.csv'] | where false", "", 1},
		{"evaluate http_request('URL/answer') | project name = tostring(ResponseBody.names[0])", "pc0", 1},
	} {
		asked.Store(0)
		r, err := run(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got := printed(r); got != test.want || asked.Load() != test.fetches {
			t.Errorf("%s\ngot  %s (%d fetches)\nwant %s (%d)", test.text, got, asked.Load(), test.want, test.fetches)
		}
	}
	if _, err := run("externaldata (x:string) ['URL/absent.csv']"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "404") {
		t.Errorf("what isn't there: %v", err)
	}
	for text, code := range map[string]string{
		"externaldata (x:string) [strcat('URL', tostring(rand()))]": "KQL160", "externaldata (x:string) []": "KQL161",
	} {
		_, err := run(text)
		var wrong *query.SyntaxError
		if !errors.As(err, &wrong) || wrong.Diagnostics[0].Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
	asked.Store(0)
	if found, err := s.Check(context.Background(), query.Query{Side: schema.XDR, Text: "externaldata (x:string) ['" + server.URL + "/list.csv']"}); err != nil || len(found) != 0 || asked.Load() != 0 {
		t.Errorf("a check fetched %d times: %v, %v", asked.Load(), found, err)
	}
	closed, _ := serve(t, query.Options{Compile: query.KQL})
	if _, err := closed.Run(context.Background(), query.Query{Side: schema.XDR, Text: "externaldata (x:string) ['https://feeds.example/x']"}); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "feeds.example") {
		t.Errorf("no host is allowed: %v", err)
	}
}

// A watchlist is a relation of its own columns; who may not read the table
// Watchlist may not read any.
func TestWatchlists(t *testing.T) {
	table := schema.NewTable("watchlist vips", schema.Workspace, []schema.Column{{Name: "SearchKey", Type: schema.String}, {Name: "Boss", Type: schema.String}})
	read := 0
	lists := custom{watchlists: map[string]query.Relation{"vips": {Alias: "VIPs", Table: table, Rows: func(context.Context) (*rows.Batch, error) {
		read++
		b := rows.NewLoose(table)
		b.Text(0, []byte("pc1"))
		b.Text(1, []byte("ann"))
		b.Next()
		return b.Batch(), nil
	}}}}
	s, _ := serve(t, query.Options{Compile: query.KQL, Custom: lists, Allow: func(_ context.Context, principal string, _ schema.Side, _, table string) error {
		if principal == "bob" && table == "Watchlist" {
			return fmt.Errorf("not yours")
		}
		return nil
	}})
	q := query.Query{Side: schema.Workspace, Workspace: workspace}
	for text, want := range map[string]string{
		"_GetWatchlist('VIPs') | project Boss, SearchKey": "ann|pc1",
		"DeviceEvents | lookup kind=inner (_GetWatchlist('vips') | project DeviceName = SearchKey, Boss) on DeviceName | where DeviceName in ((_GetWatchlist('vips') | project SearchKey)) | project DeviceName, Boss": "pc1|ann",
		"_GetWatchlist('none') | count": "0",
		"_GetWatchlistAlias":            "VIPs",
		"_GetWatchlistAlias() | where WatchlistAlias startswith 'v' | count": "1",
	} {
		q.Text, read = text, 0
		r, err := s.Run(context.Background(), q)
		if err != nil || printed(r) != want || read > 1 {
			t.Errorf("%s: %v, read %d times\n%v, want %s", text, err, read, r, want)
		}
	}
	q.Text, q.Principal = "_GetWatchlistAlias | count", "bob"
	if _, err := s.Run(context.Background(), q); !fault.Is(err, fault.Denied) {
		t.Errorf("the aliases aren't for him either: %v", err)
	}
	q.Text, q.Principal = "let f = () { _GetWatchlist('vips') }; print x = toscalar(f() | count)", "bob"
	if _, err := s.Run(context.Background(), q); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "Watchlist") {
		t.Errorf("a watchlist that isn't for him: %v", err)
	}
}
