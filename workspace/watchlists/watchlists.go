// Package watchlists keeps a workspace's lists of names, addresses and the
// like that queries join with. It knows lists, their items, how a CSV becomes
// items, and the rows that queries see. It leaves the wire to the faces, and
// who may ask to access. Source: facts 5.1 and 10.2; the reference pages of
// watchlists.
package watchlists

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// Watchlist is a list without its items.
type Watchlist struct {
	ID        string `json:"id"` // GUID
	Workspace string `json:"workspace"`
	Alias     string `json:"alias"` // unique within the workspace, ignoring case
	Name      string `json:"name"`
	Provider  string `json:"provider"`
	Source    string `json:"source,omitempty"`
	// SourceType is Local or AzureStorage.
	SourceType  string `json:"sourceType,omitempty"`
	Description string `json:"description,omitempty"`
	// SearchKey is the column that queries join on.
	SearchKey       string   `json:"searchKey"`
	ContentType     string   `json:"contentType,omitempty"`
	DefaultDuration string   `json:"defaultDuration,omitempty"` // ISO 8601
	Labels          []string `json:"labels,omitempty"`
	SkippedLines    int      `json:"skippedLines,omitempty"`

	Columns []string       `json:"columns,omitempty"` // in the order in which they came
	Items   int            `json:"items"`             // how many
	Created schema.Ticks   `json:"created"`
	Updated schema.Ticks   `json:"updated"`
	Maker   security.Actor `json:"maker"`
	Changer security.Actor `json:"changer"`
	Version int64          `json:"version"`
}

// Item is one line of a list.
type Item struct {
	ID      string            `json:"id"` // GUID
	Values  map[string]string `json:"values"`
	Mapping json.RawMessage   `json:"mapping,omitempty"` // entity mapping, as the client gave it
	Created schema.Ticks      `json:"created"`
	Updated schema.Ticks      `json:"updated"`
	Maker   security.Actor    `json:"maker"`
	Changer security.Actor    `json:"changer"`
	Version int64             `json:"version"`
}

// Content is what a list is filled from: CSV or TSV text with a header.
type Content struct {
	Text string
	Type string // text/csv or text/tsv; "" is text/csv
	Skip int    // lines before the header
}

// The limits of a list. Source: facts 5.1; the number of items bounds what a
// query loads.
const (
	maxLine    = 10_240
	maxItems   = 200_000
	maxColumns = 100
)

// aliasForm is what an alias may be.
var aliasForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{1,63}$`)

var (
	lists = state.Table[Watchlist]{Name: "watchlists/lists"}
	items = state.Table[Item]{Name: "watchlists/items"}
)

// Options are the parts that a Service is made of.
type Options struct {
	Store state.Store
	Now   func() schema.Ticks
	NewID func() string
}

// Service is the watchlists of all workspaces.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o} }

func listKey(ws, alias string) string { return state.Join(strings.ToLower(ws), strings.ToLower(alias)) }

func itemKey(w Watchlist, id string) string { return state.Join(w.ID, strings.ToLower(id)) }

// Lists gives a workspace's watchlists by alias.
func (s *Service) Lists(ctx context.Context, ws string) (out []Watchlist, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		for _, w := range lists.Scan(tx, state.Prefix(strings.ToLower(ws))) {
			out = append(out, w)
		}
		return nil
	})
	return out, err
}

// List gives a watchlist; fault.NotFound if there is none of the alias.
func (s *Service) List(ctx context.Context, ws, alias string) (w Watchlist, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		w, err = get(tx, ws, alias)
		return err
	})
	return w, err
}

func get(tx state.Tx, ws, alias string) (Watchlist, error) {
	w, ok := lists.Get(tx, listKey(ws, alias))
	if !ok {
		return w, fault.New(fault.NotFound, "there is no watchlist %q", alias)
	}
	return w, nil
}

// Put makes a watchlist or changes one, and adds what content holds: of lines
// that are alike in every column one stays, as the service does. ifVersion 0 asks for no version.
func (s *Service) Put(ctx context.Context, ws string, w Watchlist, content *Content, by security.Actor, ifVersion int64) (_ Watchlist, made bool, err error) {
	fail := func(err error) error { return fmt.Errorf("put watchlist %q: %w", w.Alias, err) }
	if err := w.check(); err != nil {
		return w, false, fail(err)
	}
	var columns []string
	var lines []map[string]string
	if content != nil {
		if columns, lines, err = content.read(); err != nil {
			return w, false, fail(err)
		}
		if !slices.Contains(columns, w.SearchKey) {
			return w, false, fail(fault.At("itemsSearchKey", "the content has no column %q to join on: it is none of the columns %s", w.SearchKey, strings.Join(columns, ", ")))
		}
		w.SkippedLines, w.ContentType = content.Skip, content.Type
	}
	err = s.o.Store.Update(ctx, func(tx state.Tx) error {
		now := s.o.Now()
		old, err := get(tx, ws, w.Alias)
		switch made = err != nil; {
		case made && ifVersion != 0 || !made && ifVersion != 0 && ifVersion != old.Version:
			return fault.New(fault.Conflict, "the watchlist was changed meanwhile: read it again")
		case made:
			w.ID, w.Created, w.Maker = s.o.NewID(), now, by
		default:
			w.ID, w.Alias, w.Created, w.Maker, w.Columns, w.Items, w.Version = old.ID, old.Alias, old.Created, old.Maker, old.Columns, old.Items, old.Version
			if content == nil {
				w.SkippedLines, w.ContentType = old.SkippedLines, old.ContentType
			}
		}
		if !made && old.Items > 0 && old.SearchKey != w.SearchKey {
			return fault.At("itemsSearchKey", "the list is joined on %q and has items by it; one by %q is another list", old.SearchKey, w.SearchKey)
		}
		w.Workspace, w.Updated, w.Changer = strings.ToLower(ws), now, by
		w.Version++
		if err := w.widen(columns); err != nil {
			return err
		}
		if len(w.Columns) > 0 && !slices.Contains(w.Columns, w.SearchKey) {
			return fault.At("itemsSearchKey", "%q is none of the columns %s", w.SearchKey, strings.Join(w.Columns, ", "))
		}
		if err := s.fill(tx, &w, lines, by); err != nil {
			return err
		}
		lists.Put(tx, listKey(ws, w.Alias), w)
		return nil
	})
	if err != nil {
		return w, false, fail(err)
	}
	return w, made, nil
}

// fill adds lines that the list doesn't have yet.
func (s *Service) fill(tx state.Tx, w *Watchlist, lines []map[string]string, by security.Actor) error {
	if len(lines) == 0 {
		return nil
	}
	has := make(map[string]bool, w.Items)
	for _, it := range items.Scan(tx, state.Prefix(w.ID)) {
		has[w.alike(it.Values)] = true
	}
	for _, values := range lines {
		if key := w.alike(values); !has[key] {
			has[key] = true
			if w.Items++; w.Items > maxItems {
				return fault.New(fault.Invalid, "a watchlist has at most %d items", maxItems)
			}
			it := Item{ID: s.o.NewID(), Values: values, Created: w.Updated, Updated: w.Updated, Maker: by, Changer: by, Version: 1}
			items.Put(tx, itemKey(*w, it.ID), it)
		}
	}
	return nil
}

// alike is the same for lines that are alike in every column.
func (w *Watchlist) alike(values map[string]string) string {
	cells := make([]string, len(w.Columns))
	for i, c := range w.Columns {
		cells[i] = values[c]
	}
	text, _ := json.Marshal(cells) // texts always encode
	return string(text)
}

// widen adds columns that the list doesn't have.
func (w *Watchlist) widen(columns []string) error {
	for _, c := range columns {
		if !slices.Contains(w.Columns, c) {
			w.Columns = append(w.Columns, c)
		}
	}
	if len(w.Columns) > maxColumns {
		return fault.New(fault.Invalid, "a watchlist has at most %d columns", maxColumns)
	}
	return nil
}

func (w Watchlist) check() error {
	switch {
	case !aliasForm.MatchString(w.Alias):
		return fault.At("watchlistAlias", "%q must be 2 to 64 letters, digits and _ . -, a letter first", w.Alias)
	case w.Name == "":
		return fault.At("displayName", "a watchlist needs one")
	case w.Provider == "":
		return fault.At("provider", "a watchlist needs one")
	case w.SearchKey == "":
		return fault.At("itemsSearchKey", "a watchlist needs one: the column that queries join on")
	}
	return nil
}

// Delete removes a watchlist with its items.
func (s *Service) Delete(ctx context.Context, ws, alias string) error {
	return s.o.Store.Update(ctx, func(tx state.Tx) error {
		w, err := get(tx, ws, alias)
		if err != nil {
			return err
		}
		var keys []string
		for key := range items.Scan(tx, state.Prefix(w.ID)) {
			keys = append(keys, key)
		}
		for _, key := range keys {
			items.Delete(tx, key)
		}
		lists.Delete(tx, listKey(ws, alias))
		return nil
	})
}

// Columns are those of the content's header; an error where it can't be read.
func (c *Content) Columns() ([]string, error) {
	columns, _, err := c.read()
	return columns, err
}

// read parts a text into columns and lines.
func (c *Content) read() (columns []string, lines []map[string]string, err error) {
	text := strings.TrimPrefix(c.Text, "\ufeff")
	if c.Skip < 0 {
		return nil, nil, fault.At("numberOfLinesToSkip", "%d is less than none", c.Skip)
	}
	for range c.Skip {
		_, text, _ = strings.Cut(text, "\n")
	}
	for n, line := range strings.Split(text, "\n") {
		if len(line) > maxLine {
			return nil, nil, fault.At("rawContent", "line %d has more than %d characters", c.Skip+n+1, maxLine)
		}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	switch strings.ToLower(c.Type) {
	case "", "text/csv":
	case "text/tsv":
		r.Comma = '\t'
	default:
		return nil, nil, fault.At("contentType", "%q isn't read here; there are text/csv and text/tsv", c.Type)
	}
	for {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			if columns == nil {
				err = fault.At("rawContent", "it has no header")
			} else {
				err = nil
			}
			return columns, lines, err
		case err != nil:
			return nil, nil, fault.At("rawContent", "%w", err)
		case columns == nil:
			if columns, err = header(record); err != nil {
				return nil, nil, err
			}
		case len(record) > len(columns):
			line, _ := r.FieldPos(0)
			return nil, nil, fault.At("rawContent", "line %d has %d cells, the header %d", c.Skip+line, len(record), len(columns))
		default:
			values := make(map[string]string, len(columns))
			for i, cell := range record {
				values[columns[i]] = strings.ToValidUTF8(cell, "\uFFFD")
			}
			lines = append(lines, values)
		}
	}
}

func header(record []string) ([]string, error) {
	var out []string
	for i, name := range record {
		name = strings.TrimSpace(strings.ToValidUTF8(name, "\uFFFD"))
		switch {
		case name == "":
			return nil, fault.At("rawContent", "column %d of the header has no name", i+1)
		case slices.Contains(out, name):
			return nil, fault.At("rawContent", "the header names %q twice", name)
		}
		out = append(out, name)
	}
	return out, nil
}
