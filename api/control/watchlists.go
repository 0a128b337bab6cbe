package control

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/workspace/watchlists"
)

// Watchlists is what the verbs ask of the watchlists.
type Watchlists interface {
	Lists(ctx context.Context, ws string) ([]watchlists.Watchlist, error)
	List(ctx context.Context, ws, alias string) (watchlists.Watchlist, error)
	Put(ctx context.Context, ws string, w watchlists.Watchlist, content *watchlists.Content, by security.Actor, ifVersion int64) (watchlists.Watchlist, bool, error)
	Delete(ctx context.Context, ws, alias string) error
	Items(ctx context.Context, ws, alias string) (watchlists.Watchlist, []watchlists.Item, error)
}

// Watchlist is a watchlist as the verbs print it.
type Watchlist struct {
	Alias       string              `json:"alias"`
	Name        string              `json:"name"`
	Description string              `json:"description"`
	SearchKey   string              `json:"searchKey"`
	Columns     []string            `json:"columns"`
	Count       int                 `json:"count"` // of items
	Updated     string              `json:"updated"`
	Items       []map[string]string `json:"items,omitempty"` // values by column; only of one that is shown
}

// WatchlistImport is what a list is made of, or filled further with. What
// stays empty is as the list has it.
type WatchlistImport struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	SearchKey   string `json:"searchKey"`
	Content     string `json:"content"` // CSV or TSV text
	Type        string `json:"type"`    // text/csv or text/tsv
	Skip        int    `json:"skip"`    // lines before the header
}

// WatchlistImported tells what an import came to.
type WatchlistImported struct {
	Watchlist Watchlist `json:"watchlist"`
	Made      bool      `json:"made"`  // the list is new
	Added     int       `json:"added"` // items that the list didn't have
}

// maxImport bounds an import's request: its content in JSON.
const maxImport = 128 << 20

// provider is who makes the lists that come by the verb.
const provider = "Custom"

// watchlistOf lays a list out without its items.
func watchlistOf(w watchlists.Watchlist) Watchlist {
	return Watchlist{Alias: w.Alias, Name: w.Name, Description: w.Description, SearchKey: w.SearchKey, Columns: append([]string{}, w.Columns...),
		Count: w.Items, Updated: stamp(w.Updated)}
}

func (f *face) listWatchlists(r *http.Request) (any, error) {
	w, err := f.primary(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return nil, err
	}
	list, err := f.Watchlists.Lists(r.Context(), w.ID)
	out := make([]Watchlist, 0, len(list))
	for _, one := range list {
		out = append(out, watchlistOf(one))
	}
	return out, err
}

func (f *face) showWatchlist(r *http.Request) (any, error) {
	w, err := f.primary(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return nil, err
	}
	list, items, err := f.Watchlists.Items(r.Context(), w.ID, r.PathValue("alias"))
	if err != nil {
		return nil, err
	}
	out := watchlistOf(list)
	for _, it := range items {
		out.Items = append(out.Items, it.Values)
	}
	return out, nil
}

// importWatchlist makes a list of what comes, or adds it to the list of the alias.
func (f *face) importWatchlist(r *http.Request) (any, error) {
	var in WatchlistImport
	if err := decodeUpTo(r, &in, maxImport); err != nil {
		return nil, err
	}
	w, err := f.primary(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return nil, err
	}
	alias := r.PathValue("alias")
	list, err := f.Watchlists.List(r.Context(), w.ID, alias)
	switch {
	case fault.Is(err, fault.NotFound):
		list = watchlists.Watchlist{Alias: alias, Name: alias, Provider: provider, SourceType: "Local"}
	case err != nil:
		return nil, err
	}
	content := &watchlists.Content{Text: in.Content, Type: in.Type, Skip: in.Skip}
	had, version := list.Items, list.Version
	for field, given := range map[*string]string{&list.Name: in.Name, &list.Description: in.Description, &list.SearchKey: in.SearchKey} {
		if strings.TrimSpace(given) != "" {
			*field = given
		}
	}
	if list.SearchKey == "" {
		columns, err := content.Columns()
		if err != nil {
			return nil, fmt.Errorf("read the content of watchlist %q: %w", alias, err)
		}
		return nil, fault.New(fault.Invalid, "the watchlist %q is new and needs a search key, the column that queries join on: one of %s", alias, strings.Join(columns, ", "))
	}
	list, made, err := f.Watchlists.Put(r.Context(), w.ID, list, content, f.actor(), version)
	if err != nil {
		return nil, err
	}
	return WatchlistImported{Watchlist: watchlistOf(list), Made: made, Added: list.Items - had}, nil
}

func (f *face) deleteWatchlist(r *http.Request) (any, error) {
	w, err := f.primary(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return nil, err
	}
	return map[string]bool{"deleted": true}, f.Watchlists.Delete(r.Context(), w.ID, r.PathValue("alias"))
}
