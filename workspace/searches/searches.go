// Package searches keeps a workspace's saved searches. One with a function
// alias is a function that queries call by that name. It leaves what a query
// means to kql's users, the wire to the faces, and who may ask to access.
// Source: the published description of savedSearches.
package searches

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// Search is a saved search.
type Search struct {
	ID         string         `json:"id"` // unique within the workspace, ignoring case
	Category   string         `json:"category"`
	Name       string         `json:"name"`
	Query      string         `json:"query"`
	Alias      string         `json:"alias,omitempty"` // of the function; "" for none
	Parameters string         `json:"parameters,omitempty"`
	Tags       []Tag          `json:"tags,omitempty"`
	Updated    schema.Ticks   `json:"updated"`
	Changer    security.Actor `json:"changer"`
	Version    int64          `json:"version"`
}

// Tag is a name and a value that clients put on a search.
type Tag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// The limits of a search, generous beside what is seen in the field.
const (
	maxQuery    = 256 << 10
	maxSearches = 5000 // of one workspace
)

var (
	idForm    = regexp.MustCompile(`^[^/\\?#%&<>*:\x00-\x1f]{1,260}$`)
	aliasForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

var searches = state.Table[Search]{Name: "searches/searches"}

// Options are the parts that a Service is made of.
type Options struct {
	Store state.Store
	Now   func() schema.Ticks
}

// Service is the saved searches of all workspaces.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o} }

func key(ws, id string) string { return state.Join(strings.ToLower(ws), strings.ToLower(id)) }

// Searches gives a workspace's searches by id.
func (s *Service) Searches(ctx context.Context, ws string) (out []Search, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		out = all(tx, ws)
		return nil
	})
	return out, err
}

func all(tx state.Tx, ws string) (out []Search) {
	for _, one := range searches.Scan(tx, state.Prefix(strings.ToLower(ws))) {
		out = append(out, one)
	}
	return out
}

// Search gives one; fault.NotFound if there is none of the id.
func (s *Service) Search(ctx context.Context, ws, id string) (found Search, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		found, err = get(tx, ws, id)
		return err
	})
	return found, err
}

func get(tx state.Tx, ws, id string) (Search, error) {
	one, ok := searches.Get(tx, key(ws, id))
	if !ok {
		return one, fault.New(fault.NotFound, "there is no saved search %q", id)
	}
	return one, nil
}

// Put makes a search or changes it. ifVersion 0 asks for no version. A
// function that can't be read is refused with the place of the mistake; one
// that names a table or a function that isn't there yet is taken.
func (s *Service) Put(ctx context.Context, ws string, one Search, by security.Actor, ifVersion int64) (_ Search, made bool, err error) {
	if err := one.check(); err != nil {
		return one, false, fmt.Errorf("put saved search %q: %w", one.ID, err)
	}
	if t, is := schema.Default().Table(schema.Workspace, one.Alias); is && one.Alias != "" {
		return one, false, fmt.Errorf("put saved search %q: %w", one.ID, fault.At("functionAlias", "%s is a table: a function of its name can't be called", t.Name))
	}
	err = s.o.Store.Update(ctx, func(tx state.Tx) error {
		old, err := get(tx, ws, one.ID)
		switch made = err != nil; {
		case made && ifVersion != 0 || !made && ifVersion != 0 && ifVersion != old.Version:
			return fault.New(fault.Conflict, "it was changed meanwhile: read it again")
		case !made:
			one.ID, one.Version = old.ID, old.Version
		}
		list := all(tx, ws)
		if made && len(list) >= maxSearches {
			return fault.New(fault.Invalid, "a workspace has at most %d saved searches", maxSearches)
		}
		for _, other := range list {
			if one.Alias != "" && other.Alias == one.Alias && !strings.EqualFold(other.ID, one.ID) {
				return fault.New(fault.Conflict, "the saved search %q is the function %s already", other.ID, one.Alias)
			}
		}
		one.Version++
		one.Updated, one.Changer = s.o.Now(), by
		searches.Put(tx, key(ws, one.ID), one)
		return nil
	})
	if err != nil {
		return one, false, fmt.Errorf("put saved search %q: %w", one.ID, err)
	}
	return one, made, nil
}

func (one Search) check() error {
	switch {
	case !idForm.MatchString(one.ID):
		return fault.At("savedSearchId", "%q is no name of a resource", one.ID)
	case one.Category == "":
		return fault.At("properties.category", "a saved search needs one")
	case one.Name == "":
		return fault.At("properties.displayName", "a saved search needs one")
	case strings.TrimSpace(one.Query) == "":
		return fault.At("properties.query", "a saved search needs one")
	case len(one.Query)+len(one.Parameters) > maxQuery:
		return fault.At("properties.query", "it has more than %d bytes", maxQuery)
	case one.Alias == "" && one.Parameters != "":
		return fault.At("properties.functionParameters", "parameters are a function's: it needs a functionAlias")
	case one.Alias == "":
		return nil
	case !aliasForm.MatchString(one.Alias):
		return fault.At("properties.functionAlias", "%q must be letters, digits and _, no digit first", one.Alias)
	}
	if wrong := kql.CheckFunction(kql.Function{Parameters: one.Parameters, Body: one.Query}); wrong != "" {
		return fault.At("properties.query", "the function %s can't be read: %s", one.Alias, wrong)
	}
	return nil
}

// Delete removes a search; fault.NotFound if there is none.
func (s *Service) Delete(ctx context.Context, ws, id string) error {
	return s.o.Store.Update(ctx, func(tx state.Tx) error {
		if _, err := get(tx, ws, id); err != nil {
			return err
		}
		searches.Delete(tx, key(ws, id))
		return nil
	})
}

// Functions are the searches that queries can call, by alias.
func (s *Service) Functions(ctx context.Context, ws string) (map[string]Search, error) {
	list, err := s.Searches(ctx, ws)
	out := map[string]Search{}
	for _, one := range list {
		if one.Alias != "" {
			out[one.Alias] = one
		}
	}
	return out, err
}
