package arm

import (
	"context"
	"net/http"

	"lockstep/fault"
	"lockstep/security"
	wire "lockstep/wire/arm"
	"lockstep/workspace/searches"
)

// Searches is what the face asks of the saved searches.
type Searches interface {
	Searches(ctx context.Context, ws string) ([]searches.Search, error)
	Search(ctx context.Context, ws, id string) (searches.Search, error)
	Put(ctx context.Context, ws string, one searches.Search, by security.Actor, ifVersion int64) (searches.Search, bool, error)
	Delete(ctx context.Context, ws, id string) error
}

// languageVersion is the version of the query language that searches are in.
const languageVersion = 2

func savedSearch(c *call, one searches.Search) wire.SavedSearch {
	p := wire.SavedSearchProperties{Category: one.Category, DisplayName: one.Name, Query: one.Query, FunctionAlias: one.Alias,
		FunctionParameters: one.Parameters, Version: languageVersion}
	for _, t := range one.Tags {
		p.Tags = append(p.Tags, wire.SavedSearchTag(t))
	}
	out := wire.NewSavedSearch(c.workspace.ResourceID(), one.ID, p)
	out.ETag = etagOf(one.Version)
	return out
}

// listSearches answers with all: the operation has no pages.
func (f *face) listSearches(c *call) error {
	list, err := f.Searches.Searches(c.Context(), c.workspace.ID)
	if err != nil {
		return err
	}
	out := wire.List[wire.SavedSearch]{Value: []wire.SavedSearch{}}
	for _, one := range list {
		out.Value = append(out.Value, savedSearch(c, one))
	}
	return c.write(http.StatusOK, out)
}

func (f *face) getSearch(c *call) error {
	one, err := f.Searches.Search(c.Context(), c.workspace.ID, c.params["search"])
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, savedSearch(c, one))
}

// putSearch makes or changes a search. The description knows 200 alone.
func (f *face) putSearch(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := wire.DecodeSavedSearch(body)
	if err != nil {
		return err
	}
	if v := in.Properties.Version; v != 0 && v != languageVersion {
		return fault.At("properties.version", "the query language has version %d; queries of version %d aren't run here", languageVersion, v)
	}
	version, err := versionOf(c, in.ETag)
	if err != nil {
		return err
	}
	p := in.Properties
	one := searches.Search{ID: c.params["search"], Category: p.Category, Name: p.DisplayName, Query: p.Query, Alias: p.FunctionAlias, Parameters: p.FunctionParameters}
	for _, t := range p.Tags {
		one.Tags = append(one.Tags, searches.Tag(t))
	}
	one, _, err = f.Searches.Put(c.Context(), c.workspace.ID, one, c.actor(), version)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, savedSearch(c, one))
}

// deleteSearch answers 200, which is all that the description knows.
func (f *face) deleteSearch(c *call) error {
	err := f.Searches.Delete(c.Context(), c.workspace.ID, c.params["search"])
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return c.write(http.StatusOK, nil)
}
