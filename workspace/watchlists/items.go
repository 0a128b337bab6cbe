package watchlists

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/state"
)

// Items gives the items of a list, by id; fault.NotFound if there is no such list.
func (s *Service) Items(ctx context.Context, ws, alias string) (w Watchlist, out []Item, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		if w, err = get(tx, ws, alias); err != nil {
			return err
		}
		for _, it := range items.Scan(tx, state.Prefix(w.ID)) {
			out = append(out, it)
		}
		return nil
	})
	return w, out, err
}

// Item gives one item; fault.NotFound if list or item aren't there.
func (s *Service) Item(ctx context.Context, ws, alias, id string) (w Watchlist, it Item, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		if w, err = get(tx, ws, alias); err != nil {
			return err
		}
		it, err = item(tx, w, id)
		return err
	})
	return w, it, err
}

func item(tx state.Tx, w Watchlist, id string) (Item, error) {
	it, ok := items.Get(tx, itemKey(w, id))
	if !ok {
		return it, fault.New(fault.NotFound, "the watchlist %q has no item %q", w.Alias, id)
	}
	return it, nil
}

// PutItem makes an item or changes one. A new name among the values becomes a
// column of the list. ifVersion 0 asks for no version.
func (s *Service) PutItem(ctx context.Context, ws, alias string, it Item, by security.Actor, ifVersion int64) (w Watchlist, _ Item, made bool, err error) {
	fail := func(err error) error { return fmt.Errorf("put an item of watchlist %q: %w", alias, err) }
	if _, err := uuid.Parse(it.ID); err != nil {
		return w, it, false, fail(fault.At("watchlistItemId", "%q is not a GUID", it.ID))
	}
	it.ID = strings.ToLower(it.ID)
	size := 0
	for name, v := range it.Values {
		size += len(name) + len(v)
	}
	if len(it.Values) == 0 || size > maxLine {
		return w, it, false, fail(fault.At("itemsKeyValue", "an item has values, of at most %d bytes together", maxLine))
	}
	err = s.o.Store.Update(ctx, func(tx state.Tx) error {
		if w, err = get(tx, ws, alias); err != nil {
			return err
		}
		now := s.o.Now()
		old, err := item(tx, w, it.ID)
		switch made = err != nil; {
		case made && ifVersion != 0 || !made && ifVersion != 0 && ifVersion != old.Version:
			return fault.New(fault.Conflict, "the item was changed meanwhile: read it again")
		case made:
			it.Created, it.Maker = now, by
			if w.Items++; w.Items > maxItems {
				return fault.New(fault.Invalid, "a watchlist has at most %d items", maxItems)
			}
		default:
			it.Created, it.Maker, it.Version = old.Created, old.Maker, old.Version
		}
		it.Updated, it.Changer = now, by
		it.Version++
		if _, ok := it.Values[w.SearchKey]; !ok {
			return fault.At("itemsKeyValue", "it lacks the list's search key, %q", w.SearchKey)
		}
		if err := w.widen(slices.Sorted(maps.Keys(it.Values))); err != nil {
			return err
		}
		w.Updated, w.Changer = now, by
		items.Put(tx, itemKey(w, it.ID), it)
		lists.Put(tx, listKey(ws, alias), w)
		return nil
	})
	if err != nil {
		err = fail(err)
	}
	return w, it, made, err
}

// DeleteItem removes an item.
func (s *Service) DeleteItem(ctx context.Context, ws, alias, id string, by security.Actor) error {
	return s.o.Store.Update(ctx, func(tx state.Tx) error {
		w, err := get(tx, ws, alias)
		if err != nil {
			return err
		}
		if _, err := item(tx, w, id); err != nil {
			return err
		}
		items.Delete(tx, itemKey(w, id))
		w.Items--
		w.Updated, w.Changer = s.o.Now(), by
		lists.Put(tx, listKey(ws, alias), w)
		return nil
	})
}
