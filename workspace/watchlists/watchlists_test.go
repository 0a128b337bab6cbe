package watchlists_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state/memory"
	"lockstep/workspace/watchlists"
)

const ws = "B5E1A6B2-0000-4000-8000-000000000001"

var (
	ctx = context.Background()
	ann = security.Actor{Kind: security.Person, Name: "ann@lab.example"}
)

func open(t *testing.T) *watchlists.Service {
	t.Helper()
	ids := 0
	return watchlists.New(watchlists.Options{Store: memory.New(), Now: func() schema.Ticks { return 639_000_000_000_000_000 },
		NewID: func() string { ids++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", ids) }})
}

var list = watchlists.Watchlist{Alias: "HighValue", Name: "High value assets", Provider: "Microsoft", SearchKey: "Host"}

func print(b *rows.Batch, names ...string) string {
	var lines []string
	for i := range b.N {
		var cells []string
		for c, col := range b.Table.Columns {
			for _, n := range names {
				if n == col.Name {
					cells = append(cells, b.Columns[c].Print(i))
				}
			}
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "\n")
}

func TestCSVBecomesRows(t *testing.T) {
	s := open(t)
	w, made, err := s.Put(ctx, ws, list, &watchlists.Content{Text: "\ufeffa comment\nHost,Owner,searchkey\r\npc1,\"Ann, B.\",x\npc2\n'; DROP TABLE x; --,\"two\nlines\",\npc2,,\n", Skip: 1}, ann, 0)
	if err != nil || !made || w.Items != 3 {
		t.Fatalf("%+v, %v, %v", w, made, err)
	}
	read := func() string {
		t.Helper()
		if w, err = s.List(ctx, strings.ToLower(ws), "highvalue"); err != nil {
			t.Fatal(err)
		}
		b, err := s.Rows(ctx, w, w.Table())
		if err != nil {
			t.Fatal(err)
		}
		return print(b, "SearchKey", "Host", "Owner", "WatchlistItem")
	}
	want := "pc1|{\"Host\":\"pc1\",\"Owner\":\"Ann, B.\",\"searchkey\":\"x\"}|pc1|Ann, B.\npc2|{\"Host\":\"pc2\"}|pc2|\n" +
		"'; DROP TABLE x; --|{\"Host\":\"'; DROP TABLE x; --\",\"Owner\":\"two\\nlines\",\"searchkey\":\"\"}|'; DROP TABLE x; --|two\nlines"
	if got := read(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// More content is added; what is alike is not.
	if w, made, err = s.Put(ctx, ws, list, &watchlists.Content{Text: "Host\tTier\npc1\t0\npc2\t", Type: "text/tsv"}, ann, w.Version); err != nil || made || w.Items != 4 {
		t.Fatalf("%+v, %v, %v", w, made, err)
	}
	if got := read(); !strings.HasSuffix(got, "\npc1|{\"Host\":\"pc1\",\"Tier\":\"0\"}|pc1|") {
		t.Errorf("got\n%s", got)
	}
	table, _ := schema.Default().Table(schema.Workspace, "Watchlist")
	all, err := s.History(ctx, ws, table)
	if err != nil || all.N != 5 || !strings.HasPrefix(print(all, "WatchlistAlias", "_DTItemType", "SearchKey"), "HighValue|Host|watchlist\nHighValue|Host|watchlist-item") {
		t.Errorf("%v\n%s", err, print(all, "WatchlistAlias", "_DTItemType", "SearchKey"))
	}
}

func TestItems(t *testing.T) {
	s := open(t)
	const id = "82BA292C-dc97-4dfc-969d-d4dd9e666842"
	it := watchlists.Item{ID: id, Values: map[string]string{"Host": "pc1"}}
	if _, _, _, err := s.PutItem(ctx, ws, "HighValue", it, ann, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("an item of no list: %v", err)
	}
	if _, _, err := s.Put(ctx, ws, list, nil, ann, 0); err != nil {
		t.Fatal(err)
	}
	w, got, made, err := s.PutItem(ctx, ws, "highvalue", it, ann, 0)
	if err != nil || !made || w.Items != 1 || got.ID != strings.ToLower(id) {
		t.Fatalf("%+v %+v %v %v", w, got, made, err)
	}
	it.Values["Owner"] = "ann"
	if w, got, made, err = s.PutItem(ctx, ws, "HighValue", it, ann, got.Version); err != nil || made || w.Items != 1 || strings.Join(w.Columns, " ") != "Host Owner" {
		t.Fatalf("%+v %+v %v %v", w, got, made, err)
	}
	if _, _, _, err = s.PutItem(ctx, ws, "HighValue", it, ann, 1); !fault.Is(err, fault.Conflict) {
		t.Errorf("an old version: %v", err)
	}
	if _, _, _, err = s.PutItem(ctx, ws, "HighValue", watchlists.Item{ID: id, Values: map[string]string{"Owner": "x"}}, ann, 0); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Host") {
		t.Errorf("without the search key: %v", err)
	}
	if err := s.DeleteItem(ctx, ws, "HighValue", id, ann); err != nil {
		t.Error(err)
	}
	if _, left, err := s.Items(ctx, ws, "HighValue"); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
	if err := s.Delete(ctx, ws, "HIGHVALUE"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx, ws, "HighValue"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if all, err := s.Lists(ctx, ws); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestRefused(t *testing.T) {
	s := open(t)
	with := func(change func(*watchlists.Watchlist)) watchlists.Watchlist { w := list; change(&w); return w }
	for _, test := range []struct {
		w    watchlists.Watchlist
		text string
		says string
	}{
		{with(func(w *watchlists.Watchlist) { w.Alias = "a/b" }), "", "watchlistAlias"},
		{with(func(w *watchlists.Watchlist) { w.Name = "" }), "", "displayName"},
		{with(func(w *watchlists.Watchlist) { w.SearchKey = "" }), "", "itemsSearchKey"},
		{list, "Other,Tier\nx,0", `no column "Host" to join on: it is none of the columns Other, Tier`},
		{list, "Host,Host\nx,y", "twice"}, {list, "Host,\nx,y", "no name"}, {list, "", "no header"},
		{list, "Host\na,b", "line 2 has 2 cells"},
		{list, "Host\n" + strings.Repeat("x", 10_241), "line 2 has more than 10240"},
	} {
		var content *watchlists.Content
		if test.w.Alias == list.Alias && test.w.Name != "" && test.w.SearchKey != "" {
			content = &watchlists.Content{Text: test.text}
		}
		if _, _, err := s.Put(ctx, ws, test.w, content, ann, 0); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v, want it to say %q", test.text, err, test.says)
		}
	}
	if _, err := s.List(ctx, ws, list.Alias); !fault.Is(err, fault.NotFound) {
		t.Errorf("something was kept: %v", err)
	}
}
