package microsoft

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/graph"
)

// The security API's place under the base, and what its tokens are for.
const (
	incidentsPath = "/v1.0/security/incidents"
	graphResource = "https://graph.microsoft.com"
)

// XDR makes the end of an XDR over Microsoft Graph security. It has no
// conditional writes and no writes that are known again: what two people set in
// the same moment, or a write whose answer was lost, is settled by what the
// incident shows.
func XDR(o Options) (port.End, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("remote XDR: %w", err)
	}
	return &xdr{o: o, line: newLine(o, graphResource), memory: memory{settle: o.settle}, watch: watch{short: o.shortOverlap}}, nil
}

type xdr struct {
	o      Options
	line   *line
	memory memory
	watch  watch
	census census
	sent   sent
}

var _ port.End = (*xdr)(nil)

func (x *xdr) Capabilities() port.Capabilities { return x.o.capabilities() }

// Changes polls by the time of the last update.
func (x *xdr) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	now := x.o.Now()
	return x.watch.hints(ctx, x, after, limit, x.o.PageSize, now, func(e entry) { x.memory.saw(e.id, e.updated, 0, now) })
}

// IDs lists by the time of creation, which never changes.
func (x *xdr) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	return x.census.page(ctx, x, after, limit, x.o.PageSize, func(id string) (schema.Ticks, error) {
		i, err := x.Incident(ctx, id)
		return i.Content.Created, err
	})
}

// first is the path of a page of the list. $orderby is in the SDK's template
// alone (facts 10.1).
func (x *xdr) first(b by, from schema.Ticks, top int, ordered bool) string {
	property := map[by]string{created: "createdDateTime", updated: "lastUpdateDateTime"}[b]
	q := url.Values{"$filter": {property + " ge " + from.String()}, "$top": {strconv.Itoa(top)}}
	if ordered {
		q.Set("$orderby", property)
	}
	return incidentsPath + "?" + q.Encode()
}

// read gives a page of the list.
func (x *xdr) read(ctx context.Context, path string) (page []entry, next string, err error) {
	body, err := x.line.do(ctx, "GET", path, nil, preferAll...)
	if err != nil {
		return nil, "", err
	}
	var list graph.Collection[json.RawMessage]
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, "", fault.New(fault.Unavailable, "the list of incidents isn't the JSON expected: %w", err)
	}
	for _, raw := range list.Value {
		i, err := graph.DecodeIncident(raw)
		if err != nil || i.ID == "" {
			continue // one line that can't be read holds up no other; reading it by its id shows it as a hole
		}
		page = append(page, entry{id: i.ID, created: i.Created, updated: i.Updated, values: digest(raw)})
	}
	if list.NextLink != "" {
		next, err = x.line.relative(list.NextLink)
	}
	return page, next, err
}

// preferAll asks for enumeration members that older clients don't know.
var preferAll = []string{"Prefer", graph.PreferLate}

func incidentPath(id string, more ...string) string {
	return incidentsPath + "/" + url.PathEscape(id) + strings.Join(more, "")
}

// Incident reads an incident with its alerts.
func (x *xdr) Incident(ctx context.Context, id string) (port.Incident, error) {
	i, err := x.get(ctx, id)
	if err != nil {
		return port.Incident{}, err
	}
	return x.neutral(i), nil
}

// get reads an incident with its alerts, in one request; where that fails on
// the server's side the two are asked for apart (sync-failures S4).
func (x *xdr) get(ctx context.Context, id string) (graph.Incident, error) {
	body, err := x.line.do(ctx, "GET", incidentPath(id, "?$expand=alerts"), nil, preferAll...)
	apart := fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Invalid)
	var i graph.Incident
	switch {
	case apart:
		i, err = x.head(ctx, id)
	case err == nil:
		i, err = x.believed(id, body)
	}
	if err != nil {
		return i, err
	}
	if apart || !i.Expanded && i.RedirectIncidentID == "" {
		if i.Alerts, err = x.alerts(ctx, id); err != nil {
			return i, err
		}
	}
	return i, nil
}

// head reads an incident without its alerts.
func (x *xdr) head(ctx context.Context, id string) (graph.Incident, error) {
	body, err := x.line.do(ctx, "GET", incidentPath(id), nil, preferAll...)
	if err != nil {
		return graph.Incident{}, err
	}
	return x.believed(id, body)
}

// believed reads an incident out of an answer, unless a newer one is known.
func (x *xdr) believed(id string, body []byte) (graph.Incident, error) {
	i, err := x.decode(id, body)
	if err == nil {
		err = x.memory.believe(id, i.Updated, valuesOf(i), x.o.Now())
	}
	return i, err
}

// decode reads an incident out of an answer; one that is something else is a
// server at fault, for now.
func (x *xdr) decode(id string, body []byte) (graph.Incident, error) {
	i, err := graph.DecodeIncident(body)
	if err == nil && i.ID != id {
		err = fault.New(fault.Unavailable, "it is about incident %q", i.ID)
	}
	if err != nil {
		return i, fault.New(fault.Unavailable, "the answer about incident %s can't be read: %w", id, err)
	}
	return i, nil
}

// valuesOf is the digest of an incident without its alerts.
func valuesOf(i graph.Incident) uint64 {
	i.Alerts, i.Expanded = nil, false
	text, err := json.Marshal(i)
	if err != nil {
		panic(err) // plain texts and numbers can be encoded
	}
	return digest(text)
}

// alerts lists an incident's alerts, page by page.
func (x *xdr) alerts(ctx context.Context, id string) (all []security.Alert, err error) {
	path := incidentPath(id, "/alerts?$top="+strconv.Itoa(x.o.PageSize))
	for path != "" {
		body, err := x.line.do(ctx, "GET", path, nil, preferAll...)
		if err != nil {
			return nil, err
		}
		var list graph.Collection[json.RawMessage]
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, fault.New(fault.Unavailable, "the list of its alerts isn't the JSON expected: %w", err)
		}
		for _, raw := range list.Value {
			a, err := graph.DecodeAlert(raw)
			if err != nil {
				return nil, fault.New(fault.Unavailable, "one of its alerts can't be read: %w", err)
			}
			all = append(all, a)
		}
		if path = list.NextLink; path != "" {
			if path, err = x.line.relative(path); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// neutral is an incident in the connector's form. Stamps are the incident's
// last update, for every field: the API has none for each, and this is the
// latest that any can be.
func (x *xdr) neutral(i graph.Incident) port.Incident {
	by := modifier(i.LastModifiedBy)
	out := port.Incident{
		ID: i.ID, Version: int64(i.Updated),
		Resolution: port.Resolution{
			Status: i.Status, Classification: ifSet(i.Classification), Reason: ifSet(i.Determination), Comment: i.ResolvingComment,
		},
		Owner: x.o.owner(i.AssignedTo), Severity: i.Severity, Tags: i.CustomTags, Comments: recognised(i.Comments),
		Stamps: map[port.Field]port.Stamp{}, Content: x.content(i, by),
	}
	for _, f := range []port.Field{port.FieldResolution, port.FieldOwner, port.FieldSeverity, port.FieldTags} {
		out.Stamps[f] = port.Stamp{Actor: by, At: i.Updated}
	}
	return out
}

func ifSet(value string) string {
	if value == "unknown" || value == "unknownFutureValue" {
		return ""
	}
	return value
}

// modifier is who changed an incident last. The service's own parts have names
// that begin with Microsoft (facts 4.3); who isn't known for one counts as a person.
func modifier(name string) security.Actor {
	kind := security.Person
	if strings.HasPrefix(name, "Microsoft ") {
		kind = security.System
	}
	return security.Actor{Kind: kind, Name: name}
}

// content is what the workspace mirrors, put together from incident and alerts.
func (x *xdr) content(i graph.Incident, by security.Actor) port.Content {
	c := port.Content{
		Title: i.DisplayName, Description: i.Description, Severity: i.Severity, URL: i.WebURL,
		Created: i.Created, Updated: i.Updated, SystemTags: i.SystemTags, Redirect: i.RedirectIncidentID, LastModifier: by,
	}
	if c.Redirect != "" {
		c.RedirectURL = strings.Replace(i.WebURL, "/incidents/"+i.ID, "/incidents/"+c.Redirect, 1)
	}
	var sources []string
	for _, a := range i.Alerts {
		a.IncidentID = i.ID
		a.Version = int64(a.Updated) // the API gives alerts no version
		c.Alerts = append(c.Alerts, a)
		c.Tactics, c.Techniques, sources = append(c.Tactics, a.Tactics...), append(c.Techniques, a.Techniques...), append(sources, a.ServiceSource)
		if a.FirstActivity != 0 && (c.FirstActivity == 0 || a.FirstActivity < c.FirstActivity) {
			c.FirstActivity = a.FirstActivity
		}
		c.LastActivity = max(c.LastActivity, a.LastActivity)
	}
	slices.SortFunc(c.Alerts, func(a, b security.Alert) int { return strings.Compare(a.ID, b.ID) })
	c.Tactics, c.Techniques = security.SortTactics(c.Tactics), distinct(c.Techniques)
	for _, source := range distinct(sources) {
		if p, ok := security.ProductOf(source); ok {
			source = p.LegacyName
		}
		if source != "" {
			c.Products = append(c.Products, source)
		}
	}
	return c
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// Apply makes a write: one PATCH with the values, then each comment. What fails
// after something was made leaves the write unsure, never refused.
func (x *xdr) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	switch {
	case w.Create:
		return port.Applied{}, fault.At("create", "incidents of the XDR are made by its own correlation alone")
	case w.Content != nil:
		return port.Applied{}, fault.At("content", "belongs to the XDR and is not written from outside")
	}
	made := port.Applied{WriteID: w.ID, Incident: w.Incident, At: x.o.Now()}
	patch, err := x.patch(ctx, w)
	if err != nil {
		return port.Applied{}, err
	}
	begun := len(patch) > 0
	if begun {
		body, err := x.line.do(ctx, "PATCH", incidentPath(w.Incident), patch, preferAll...)
		if err != nil {
			return port.Applied{}, err
		}
		if i, err := x.decode(w.Incident, body); err == nil {
			x.memory.saw(w.Incident, i.Updated, valuesOf(i), x.o.Now())
			made.Version = int64(i.Updated)
		}
	}
	for _, c := range w.AddComments {
		if err := x.comment(ctx, w.Incident, c); err != nil {
			if begun {
				err = undone(err)
			}
			return port.Applied{}, err
		}
		begun = true
	}
	return made, nil
}

// comment adds a comment. The API would take one twice: what was sent before
// without an answer is looked for first.
func (x *xdr) comment(ctx context.Context, incident string, c security.Comment) error {
	if x.sent.before(incident + "\x00" + c.ID) {
		i, err := x.head(ctx, incident)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(recognised(i.Comments), func(there security.Comment) bool { return there.ID == c.ID }) {
			return nil
		}
	}
	text := map[string]string{"@odata.type": "microsoft.graph.security.alertComment", "comment": signed(c)}
	_, err := x.line.do(ctx, "POST", incidentPath(incident, "/comments"), text)
	return err
}

// patch is the body that makes a write's changes; members that it doesn't
// change are left out, so that nothing is cleared that nobody cleared.
func (x *xdr) patch(ctx context.Context, w port.Write) (map[string]any, error) {
	patch := map[string]any{}
	if r := w.Resolution; r != nil {
		if r.Status != "" {
			patch["status"] = r.Status
		}
		patch["classification"], patch["determination"] = orUnknown(r.Classification), orUnknown(r.Reason)
		patch["resolvingComment"] = orNull(r.Comment)
	}
	if o := w.Owner; o != nil {
		name := o.Text()
		if name == "" {
			name = o.ObjectID
		}
		patch["assignedTo"] = orNull(name)
	}
	if w.Severity != nil {
		patch["severity"] = string(*w.Severity)
	}
	if len(w.AddTags)+len(w.RemoveTags) == 0 {
		return patch, nil
	}
	i, err := x.head(ctx, w.Incident) // the API takes the whole list alone
	if err != nil {
		return nil, err
	}
	if tags, changed := retag(i.CustomTags, w.AddTags, w.RemoveTags); changed {
		patch["customTags"] = tags
	}
	return patch, nil
}

func orUnknown(value string) string {
	if value == "" {
		return "unknown"
	}
	return value
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// retag makes a change of a set of tags, which ignores case.
func retag(tags, add, remove []string) (out []string, changed bool) {
	has := func(list []string, tag string) bool {
		return slices.ContainsFunc(list, func(t string) bool { return strings.EqualFold(t, tag) })
	}
	out = []string{}
	for _, t := range tags {
		if has(remove, t) && !has(add, t) {
			changed = true
			continue
		}
		out = append(out, t)
	}
	for _, t := range add {
		if !has(out, t) {
			out, changed = append(out, t), true
		}
	}
	return out, changed
}

// Applied can't be known: the API keeps no ids of writes.
func (x *xdr) Applied(context.Context, string) (port.Applied, bool, error) {
	return port.Applied{}, false, nil
}
