package query

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/query/external"
	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// Relation is a table whose rows aren't stored among the tables, such as a
// watchlist.
type Relation struct {
	Alias string // of a watchlist, as it was given; "" else
	Table *schema.Table
	Rows  func(ctx context.Context) (*rows.Batch, error) // of Table, this very value
}

// outside is what a query reads beside the stored tables: each relation is
// fetched once, when the first statement needs it.
type outside struct {
	relations map[string]*Relation // by the table's name
	loaded    map[string]bool
	asked     map[string]*schema.Table // external data, by what was asked
	fetching  *external.Fetching
}

func newOutside(f *external.Fetcher) *outside {
	return &outside{relations: map[string]*Relation{}, loaded: map[string]bool{}, asked: map[string]*schema.Table{}, fetching: f.Begin()}
}

// add makes a relation known under its table's name.
func (o *outside) add(r Relation) *schema.Table {
	o.relations[r.Table.Name] = &r
	return r.Table
}

// external makes external data known; the same data asked twice are one table.
func (o *outside) external(asked kql.External) *schema.Table {
	key, err := json.Marshal(asked)
	if err == nil && o.asked[string(key)] != nil {
		return o.asked[string(key)]
	}
	t := schema.NewTable(asked.Operator+" "+strconv.Itoa(len(o.asked)+1), "", asked.Columns)
	t.Time = "" // the range of the request isn't about it
	o.asked[string(key)] = t
	return o.add(Relation{Table: t, Rows: func(ctx context.Context) (*rows.Batch, error) { return o.fetching.Rows(ctx, asked, t) }})
}

// load has the snapshot read a relation's rows, once.
func (o *outside) load(ctx context.Context, r *Relation, snapshot tables.Snapshot) error {
	if o.loaded[r.Table.Name] {
		return nil
	}
	batch, err := r.Rows(ctx)
	if err != nil {
		return err
	}
	if batch.Table != r.Table {
		return fault.New(fault.Internal, "the rows of %s are another table's", r.Table.Name)
	}
	if err := snapshot.Load(ctx, batch); err != nil {
		return fmt.Errorf("read %s: %w", r.Table.Name, err)
	}
	o.loaded[r.Table.Name] = true
	return nil
}

// watchlist finds a watchlist that the principal may read. Aliases ignore case.
func (n *names) watchlist(alias string) (*schema.Table, bool) {
	w, ok := n.watchlists[strings.ToLower(alias)]
	if !ok || !n.permitted(watchlistTable) {
		return nil, false
	}
	return n.outside.add(w), true
}

// watchlistNames gives the aliases of the watchlists, as they were given.
func (n *names) watchlistNames() []string {
	if !n.permitted(watchlistTable) {
		return nil
	}
	var out []string
	for alias, w := range n.watchlists {
		if w.Alias != "" {
			alias = w.Alias
		}
		out = append(out, alias)
	}
	slices.Sort(out)
	return out
}

// watchlistTable is the name under which permissions speak of watchlists.
const watchlistTable = "Watchlist"
