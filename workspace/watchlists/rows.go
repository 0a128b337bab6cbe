package watchlists

import (
	"context"
	"encoding/json"
	"strings"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// leading are the columns that queries see of every list, before its own.
// Source: the reference page of _GetWatchlist.
var leading = []schema.Column{{Name: "_DTItemId", Type: schema.String}, {Name: "LastUpdatedTimeUTC", Type: schema.DateTime},
	{Name: "SearchKey", Type: schema.String}, {Name: "WatchlistItem", Type: schema.Dynamic}}

// Table is a list as queries see it: the leading columns and the list's own, all
// texts. An own column of a leading one's name is found in WatchlistItem.
func (w Watchlist) Table() *schema.Table {
	columns := append([]schema.Column{}, leading...)
next:
	for _, name := range w.Columns {
		for _, c := range columns {
			if strings.EqualFold(c.Name, name) {
				continue next
			}
		}
		columns = append(columns, schema.Column{Name: name, Type: schema.String})
	}
	t := schema.NewTable("watchlist "+w.Alias, schema.Workspace, columns)
	t.Time = "" // the range of a request isn't about a list
	return t
}

// Rows are the items of a list as rows of its Table.
func (s *Service) Rows(ctx context.Context, w Watchlist, t *schema.Table) (*rows.Batch, error) {
	b := rows.New(t, w.Items)
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		for _, it := range items.Scan(tx, state.Prefix(w.ID)) {
			b.Columns[0].AppendText(it.ID)
			b.Columns[1].AppendInt(int64(it.Updated))
			b.Columns[2].AppendText(it.Values[w.SearchKey])
			b.Columns[3].AppendText(bag(it.Values))
			for i := len(leading); i < len(t.Columns); i++ {
				b.Columns[i].AppendText(it.Values[t.Columns[i].Name])
			}
			b.N++
		}
		return nil
	})
	return b, err
}

// bag writes values as minified JSON.
func bag(values any) string {
	text, err := json.Marshal(values)
	if err != nil {
		return "{}" // texts always encode
	}
	return string(text)
}

// History gives all lists of a workspace and their items as rows of the table
// Watchlist. Source: the table's reference page. Only what there is now is
// told: rows of deleted lists and items aren't kept.
func (s *Service) History(ctx context.Context, ws string, t *schema.Table) (*rows.Batch, error) {
	loose := rows.NewLoose(t)
	put := func(w Watchlist, fields map[string]string) {
		fields["WatchlistId"], fields["WatchlistName"], fields["WatchlistAlias"] = w.ID, w.Name, w.Alias
		fields["Source"], fields["Provider"], fields["SearchKey"] = w.Source, w.Provider, w.SearchKey
		fields["DefaultDuration"], fields["Notes"], fields["TenantId"] = w.DefaultDuration, w.Description, strings.ToLower(ws)
		fields["Tags"], fields["Type"], fields["SourceSystem"], fields["_IsBillable"] = strings.Join(w.Labels, ","), t.Name, "Azure", "false"
		fields["_DTItemStatus"] = "Create"
		for i, c := range t.Columns {
			if text := fields[c.Name]; text != "" {
				loose.Text(i, []byte(text))
			}
		}
		loose.Next()
	}
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		for _, w := range lists.Scan(tx, state.Prefix(strings.ToLower(ws))) {
			put(w, times(w.Created, w.Updated, w.Maker, w.Changer, map[string]string{"_DTItemId": w.ID, "_DTItemType": "watchlist"}))
			for _, it := range items.Scan(tx, state.Prefix(w.ID)) {
				put(w, times(it.Created, it.Updated, it.Maker, it.Changer, map[string]string{"_DTItemId": it.ID, "_DTItemType": "watchlist-item",
					"WatchlistItemId": it.ID, "WatchlistItem": bag(it.Values), "EntityMapping": string(it.Mapping)}))
			}
		}
		return nil
	})
	return loose.Batch(), err
}

func times(created, updated schema.Ticks, maker, changer security.Actor, fields map[string]string) map[string]string {
	fields["TimeGenerated"], fields["_DTTimestamp"], fields["LastUpdatedTimeUTC"] = updated.String(), updated.String(), updated.String()
	fields["CreatedTimeUTC"] = created.String()
	fields["CreatedBy"], fields["UpdatedBy"] = bag(map[string]string{"Name": maker.Name}), bag(map[string]string{"Name": changer.Name})
	return fields
}
