package control

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/workspace/searches"
)

// Searches is what the verbs ask of the saved searches.
type Searches interface {
	Functions(ctx context.Context, ws string) (map[string]searches.Search, error)
	Search(ctx context.Context, ws, id string) (searches.Search, error)
	Put(ctx context.Context, ws string, one searches.Search, by security.Actor, ifVersion int64) (searches.Search, bool, error)
	Delete(ctx context.Context, ws, id string) error
}

// Function is a saved function as the verbs print it. In a request to save one,
// what stays empty beside the body and the parameters is as it was.
type Function struct {
	Name       string `json:"name"`
	Parameters string `json:"parameters"` // "from:datetime = ago(1d), T:(*)"
	Title      string `json:"title"`
	Category   string `json:"category"`
	Body       string `json:"body"`
	Updated    string `json:"updated"`
}

// FunctionSaved is a function after it was saved.
type FunctionSaved struct {
	Function Function `json:"function"`
	Made     bool     `json:"made"` // it is new
}

// category is that of functions which come by the verb and name none.
const category = "Functions"

func functionOf(one searches.Search) Function {
	return Function{Name: one.Alias, Parameters: one.Parameters, Title: one.Name, Category: one.Category, Body: one.Query, Updated: stamp(one.Updated)}
}

func (f *face) listFunctions(r *http.Request) (any, error) {
	w, err := f.primary(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return nil, err
	}
	all, err := f.Searches.Functions(r.Context(), w.ID)
	out := make([]Function, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, functionOf(all[name]))
	}
	return out, err
}

// function finds the saved search that is the function of a name, in the
// workspace that the request names.
func (f *face) function(r *http.Request) (one searches.Search, ws string, err error) {
	w, err := f.primary(r, r.URL.Query().Get("workspace"))
	if err != nil {
		return one, "", err
	}
	all, err := f.Searches.Functions(r.Context(), w.ID)
	if err != nil {
		return one, "", err
	}
	name := r.PathValue("name")
	one, ok := all[name]
	if !ok {
		return one, w.ID, fault.New(fault.NotFound, "there is no function %q", name)
	}
	return one, w.ID, nil
}

func (f *face) showFunction(r *http.Request) (any, error) {
	one, _, err := f.function(r)
	if err != nil {
		return nil, err
	}
	return functionOf(one), nil
}

// saveFunction makes a function, or gives the one of the name another body.
// A new one is kept as a saved search under its own name.
func (f *face) saveFunction(r *http.Request) (any, error) {
	var in Function
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	one, ws, err := f.function(r)
	switch {
	case fault.Is(err, fault.NotFound) && ws != "":
		name := r.PathValue("name")
		if other, err := f.Searches.Search(r.Context(), ws, name); err == nil {
			return nil, fault.New(fault.Conflict, "a saved search is named %q already and isn't this function (%s): choose another name", other.ID, whose(other))
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		one = searches.Search{ID: name, Alias: name, Name: name, Category: category}
	case err != nil:
		return nil, err
	}
	one.Query, one.Parameters = in.Body, in.Parameters
	for field, given := range map[*string]string{&one.Name: in.Title, &one.Category: in.Category} {
		if given != "" {
			*field = given
		}
	}
	one, made, err := f.Searches.Put(r.Context(), ws, one, f.actor(), one.Version)
	if err != nil {
		return nil, err
	}
	return FunctionSaved{Function: functionOf(one), Made: made}, nil
}

// whose says what a saved search is.
func whose(one searches.Search) string {
	if one.Alias == "" {
		return "it is a query"
	}
	return "it is the function " + one.Alias
}

func (f *face) deleteFunction(r *http.Request) (any, error) {
	one, ws, err := f.function(r)
	if err != nil {
		return nil, err
	}
	return map[string]bool{"deleted": true}, f.Searches.Delete(r.Context(), ws, one.ID)
}
