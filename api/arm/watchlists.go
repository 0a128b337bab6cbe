package arm

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	wire "lockstep/wire/arm"
	"lockstep/workspace/watchlists"
)

// Watchlists is what the face asks of the watchlists.
type Watchlists interface {
	Lists(ctx context.Context, ws string) ([]watchlists.Watchlist, error)
	List(ctx context.Context, ws, alias string) (watchlists.Watchlist, error)
	Put(ctx context.Context, ws string, w watchlists.Watchlist, content *watchlists.Content, by security.Actor, ifVersion int64) (watchlists.Watchlist, bool, error)
	Delete(ctx context.Context, ws, alias string) error
	Items(ctx context.Context, ws, alias string) (watchlists.Watchlist, []watchlists.Item, error)
	Item(ctx context.Context, ws, alias, id string) (watchlists.Watchlist, watchlists.Item, error)
	PutItem(ctx context.Context, ws, alias string, it watchlists.Item, by security.Actor, ifVersion int64) (watchlists.Watchlist, watchlists.Item, bool, error)
	DeleteItem(ctx context.Context, ws, alias, id string, by security.Actor) error
}

// etagOf writes a version as a quoted text.
func etagOf(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// versionOf reads the version that a change asks for: of If-Match, else of the
// body's etag; 0 asks for none. One that was never given is a conflict.
func versionOf(c *call, etag string) (int64, error) {
	if h := c.Header.Get("If-Match"); h != "" {
		etag = h
	}
	if etag == "" || etag == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(etag, `"`), 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.Conflict, "the etag %s isn't the resource's: read it again", etag)
	}
	return n, nil
}

func pointer(t schema.Ticks) *wire.Time {
	at := wire.At(t)
	return &at
}

// watchlist lays a list out. Content is taken at once, so an upload is complete.
func (f *face) watchlist(c *call, w watchlists.Watchlist) wire.Watchlist {
	out := wire.New(c.scope(), wire.WatchlistProperties{
		ID: w.ID, DisplayName: w.Name, Provider: w.Provider, Source: w.Source, SourceType: w.SourceType, Description: w.Description, Type: "watchlist",
		Alias: w.Alias, Labels: w.Labels, DefaultDuration: w.DefaultDuration, TenantID: f.TenantID, SkippedLines: w.SkippedLines, SearchKey: w.SearchKey,
		ContentType: w.ContentType, Created: pointer(w.Created), Updated: pointer(w.Updated), CreatedBy: wire.EncodeUser(w.Maker), UpdatedBy: wire.EncodeUser(w.Changer),
		UploadStatus: "Complete", State: "Succeeded",
	}, "Watchlists", w.Alias)
	out.ETag = etagOf(w.Version)
	return out
}

func (f *face) listWatchlists(c *call) error {
	list, err := f.Watchlists.Lists(c.Context(), c.workspace.ID)
	if err != nil {
		return err
	}
	all := make([]wire.Watchlist, 0, len(list))
	for _, w := range list {
		all = append(all, f.watchlist(c, w))
	}
	return answer(f, c, all)
}

// answer writes a page of a list.
func answer[T any](f *face, c *call, all []T) error {
	out, err := paged(f, c, all)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, out)
}

func (f *face) getWatchlist(c *call) error {
	w, err := f.Watchlists.List(c.Context(), c.workspace.ID, c.params["alias"])
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, f.watchlist(c, w))
}

func (f *face) putWatchlist(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := wire.DecodeWatchlist(body)
	if err != nil {
		return err
	}
	p, alias := in.Properties, c.params["alias"]
	if p.Alias != "" && !strings.EqualFold(p.Alias, alias) {
		return fault.At("properties.watchlistAlias", "%q isn't the alias of the path, %q", p.Alias, alias)
	}
	if strings.EqualFold(p.SourceType, "AzureStorage") || strings.EqualFold(p.Source, "Remote storage") {
		return fault.At("properties.sourceType", "content comes with the request (rawContent); it isn't fetched from a storage account")
	}
	version, err := versionOf(c, in.ETag)
	if err != nil {
		return err
	}
	var content *watchlists.Content
	if p.RawContent != nil && *p.RawContent != "" {
		content = &watchlists.Content{Text: *p.RawContent, Type: p.ContentType, Skip: p.SkippedLines}
	}
	w, made, err := f.Watchlists.Put(c.Context(), c.workspace.ID, watchlists.Watchlist{
		Alias: alias, Name: p.DisplayName, Provider: p.Provider, Source: p.Source, SourceType: p.SourceType, Description: p.Description,
		SearchKey: p.SearchKey, DefaultDuration: p.DefaultDuration, Labels: p.Labels,
	}, content, c.actor(), version)
	if err != nil {
		return err
	}
	return c.write(madeStatus(made), f.watchlist(c, w))
}

func madeStatus(made bool) int {
	if made {
		return http.StatusCreated
	}
	return http.StatusOK
}

// gone answers a deletion, also of what wasn't there. 204 is what clients of
// every version of the API accept (Source: facts 10.2).
func gone(c *call, err error) error {
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return c.write(http.StatusNoContent, nil)
}

func (f *face) deleteWatchlist(c *call) error {
	return gone(c, f.Watchlists.Delete(c.Context(), c.workspace.ID, c.params["alias"]))
}

func (f *face) watchlistItem(c *call, w watchlists.Watchlist, it watchlists.Item) wire.WatchlistItem {
	out := wire.New(c.scope(), wire.WatchlistItemProperties{
		ID: it.ID, Type: "watchlist-item", TenantID: f.TenantID, Created: pointer(it.Created), Updated: pointer(it.Updated),
		CreatedBy: wire.EncodeUser(it.Maker), UpdatedBy: wire.EncodeUser(it.Changer), Values: wire.ItemValues(it.Values), Mapping: it.Mapping,
	}, "Watchlists", w.Alias, "WatchlistItems", it.ID)
	out.ETag = etagOf(it.Version)
	return out
}

func (f *face) listWatchlistItems(c *call) error {
	w, list, err := f.Watchlists.Items(c.Context(), c.workspace.ID, c.params["alias"])
	if err != nil {
		return err
	}
	all := make([]wire.WatchlistItem, 0, len(list))
	for _, it := range list {
		all = append(all, f.watchlistItem(c, w, it))
	}
	return answer(f, c, all)
}

func (f *face) getWatchlistItem(c *call) error {
	w, it, err := f.Watchlists.Item(c.Context(), c.workspace.ID, c.params["alias"], c.params["item"])
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, f.watchlistItem(c, w, it))
}

func (f *face) putWatchlistItem(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, values, err := wire.DecodeWatchlistItem(body)
	if err != nil {
		return err
	}
	version, err := versionOf(c, in.ETag)
	if err != nil {
		return err
	}
	it := watchlists.Item{ID: c.params["item"], Values: values, Mapping: in.Properties.Mapping}
	w, it, made, err := f.Watchlists.PutItem(c.Context(), c.workspace.ID, c.params["alias"], it, c.actor(), version)
	if err != nil {
		return err
	}
	return c.write(madeStatus(made), f.watchlistItem(c, w, it))
}

func (f *face) deleteWatchlistItem(c *call) error {
	return gone(c, f.Watchlists.DeleteItem(c.Context(), c.workspace.ID, c.params["alias"], c.params["item"], c.actor()))
}
