package arm

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lockstep/api/odata"
	"lockstep/fault"
	wire "lockstep/wire/arm"
	"lockstep/workspace"
)

// fields gives an incident's filterable properties, by their path in the
// resource. Source: facts 10.2.
var fields = map[string]func(workspace.Incident) any{
	"name":                                        func(i workspace.Incident) any { return i.Name },
	"properties/title":                            func(i workspace.Incident) any { return i.Title },
	"properties/description":                      func(i workspace.Incident) any { return i.Description },
	"properties/severity":                         func(i workspace.Incident) any { return i.Severity.Title() },
	"properties/status":                           func(i workspace.Incident) any { return string(i.Status) },
	"properties/classification":                   func(i workspace.Incident) any { return orNull(i.Classification) },
	"properties/classificationreason":             func(i workspace.Incident) any { return orNull(i.ClassificationReason) },
	"properties/incidentnumber":                   func(i workspace.Incident) any { return i.Number },
	"properties/providername":                     func(i workspace.Incident) any { return i.ProviderName },
	"properties/providerincidentid":               func(i workspace.Incident) any { return i.ProviderIncidentID },
	"properties/createdtimeutc":                   func(i workspace.Incident) any { return i.Created },
	"properties/lastmodifiedtimeutc":              func(i workspace.Incident) any { return i.Modified },
	"properties/firstactivitytimeutc":             func(i workspace.Incident) any { return i.FirstActivity },
	"properties/lastactivitytimeutc":              func(i workspace.Incident) any { return i.LastActivity },
	"properties/owner/userprincipalname":          func(i workspace.Incident) any { return orNull(i.Owner.UPN) },
	"properties/owner/email":                      func(i workspace.Incident) any { return orNull(i.Owner.Email) },
	"properties/owner/objectid":                   func(i workspace.Incident) any { return orNull(i.Owner.ObjectID) },
	"properties/owner/assignedto":                 func(i workspace.Incident) any { return orNull(i.Owner.AssignedTo) },
	"properties/labels":                           func(i workspace.Incident) any { return labelsOf(i) },
	"properties/additionaldata/tactics":           func(i workspace.Incident) any { return i.Tactics },
	"properties/additionaldata/alertproductnames": func(i workspace.Incident) any { return i.Products },
	"properties/additionaldata/alertscount":       func(i workspace.Incident) any { return len(i.AlertIDs) },
	"properties/relatedanalyticruleids":           func(i workspace.Incident) any { return i.RuleIDs },
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// labelsOf gives labels as members with a labelName.
func labelsOf(i workspace.Incident) []any {
	out := []any{}
	for _, l := range i.Labels {
		out = append(out, odata.Get(func(path string) (any, bool) {
			switch strings.ToLower(path) {
			case "labelname":
				return l.Name, true
			case "labeltype":
				return l.Type, true
			}
			return nil, false
		}))
	}
	return out
}

// field finds a property by its path, with or without properties/ before it, ignoring case.
func field(path string) (func(workspace.Incident) any, bool) {
	path = strings.ToLower(path)
	if f, ok := fields[path]; ok {
		return f, true
	}
	f, ok := fields["properties/"+path]
	return f, ok
}

func get(i workspace.Incident) odata.Get {
	return func(path string) (any, bool) {
		f, ok := field(path)
		if !ok {
			return nil, false
		}
		v := f(i)
		return v, v != nil
	}
}

// The sizes of pages. Source: facts 5.1.
const (
	pageSize = 50
	mostSize = 1000
)

// foreign are options that other OData services have and this one hasn't:
// taking no notice of them would answer another question than was asked.
var foreign = []string{"$skip", "$count", "$select", "$expand", "$search"}

// options reads $filter, $orderby, $top and $skipToken.
func options(r *http.Request) (odata.Query, error) {
	q, err := odata.ParseURL(r.URL.RawQuery)
	if err != nil {
		return q, err
	}
	for name := range r.URL.Query() {
		if slices.Contains(foreign, strings.ToLower(name)) {
			return q, fault.At(name, "isn't offered here; $filter, $orderby, $top and $skipToken are")
		}
	}
	var paths []string
	if q.Filter != nil {
		paths = odata.Paths(q.Filter)
	}
	for _, o := range q.OrderBy {
		paths = append(paths, o.Path)
	}
	for _, p := range paths {
		if _, ok := field(p); !ok {
			return q, fault.At("$filter", "incidents have no property %q to filter or order by", p)
		}
	}
	if q.Top != nil && (*q.Top < 1 || *q.Top > mostSize) {
		return q, fault.At("$top", "must be between 1 and %d", mostSize)
	}
	return q, nil
}

func (f *face) listIncidents(c *call) error {
	q, err := options(c.Request)
	if err != nil {
		return err
	}
	sel := workspace.Selection{Limit: pageSize}
	if q.Top != nil {
		sel.Limit = *q.Top
	}
	if q.Filter != nil {
		sel.Match = func(i workspace.Incident) bool { return q.Filter.Match(get(i)) }
	}
	ordered := len(q.OrderBy) > 0
	if ordered {
		sel.Less = func(a, b workspace.Incident) bool { return odata.Compare(q.OrderBy, get(a), get(b)) < 0 }
	}
	n, err := from(q)
	if err != nil {
		return err
	}
	if ordered {
		sel.Skip = int(n)
	} else {
		sel.Before = n
	}
	page, err := f.Workspaces.Incidents(c.Context(), c.workspace.ID, sel)
	if err != nil {
		return err
	}
	out := wire.List[wire.Incident]{Value: []wire.Incident{}}
	for _, i := range page.Items {
		out.Value = append(out.Value, f.incident(c, i))
	}
	if page.Next != 0 {
		out.NextLink = f.nextLink(c, strconv.FormatInt(page.Next, 10))
	}
	return c.write(http.StatusOK, out)
}

// from reads where a page begins, 0 at the beginning.
func from(q odata.Query) (int64, error) {
	if q.SkipToken == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(q.SkipToken, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.At("$skipToken", "%q isn't one that a nextLink carried", q.SkipToken)
	}
	return n, nil
}

// paged gives the page of a whole list that $top and $skipToken ask for; what
// hangs on one incident is too little to be filtered or ordered here.
func paged[T any](f *face, c *call, all []T) (wire.List[T], error) {
	q, err := options(c.Request)
	if err != nil {
		return wire.List[T]{}, err
	}
	if q.Filter != nil || len(q.OrderBy) > 0 {
		return wire.List[T]{}, fault.New(fault.Invalid, "$filter and $orderby are offered for incidents alone")
	}
	begin, err := from(q)
	if err != nil {
		return wire.List[T]{}, err
	}
	rest := all[min(int(begin), len(all)):]
	size := len(rest)
	if q.Top != nil {
		size = min(*q.Top, size)
	}
	out := wire.List[T]{Value: rest[:size]}
	if size < len(rest) {
		out.NextLink = f.nextLink(c, strconv.FormatInt(begin+int64(size), 10))
	}
	return out, nil
}

// nextLink is the absolute link to the next page.
func (f *face) nextLink(c *call, token string) string {
	q := url.Values{}
	for name, values := range c.URL.Query() {
		if strings.TrimPrefix(strings.ToLower(name), "$") != "skiptoken" {
			q[name] = values
		}
	}
	q.Set("$skipToken", token)
	return f.PublicURL + c.URL.Path + "?" + q.Encode()
}

// incident lays an incident out.
func (f *face) incident(c *call, i workspace.Incident) wire.Incident {
	p := wire.IncidentProperties{
		Title: i.Title, Description: i.Description, Severity: i.Severity.Title(), Status: string(i.Status),
		Classification: i.Classification, ClassificationReason: i.ClassificationReason, ClassificationComment: i.ClassificationComment,
		Owner: wire.EncodeOwner(i.Owner), Labels: []wire.Label{}, FirstActivity: wire.OptionalTime(i.FirstActivity), LastActivity: wire.OptionalTime(i.LastActivity),
		Modified: wire.At(i.Modified), Created: wire.At(i.Created), Number: i.Number, RuleIDs: i.RuleIDs,
		URL: f.Workspaces.URL(c.workspace, i.Name), ProviderName: i.ProviderName, ProviderIncidentID: i.ProviderIncidentID,
		AdditionalData: wire.AdditionalData{
			Alerts: len(i.AlertIDs), Comments: i.CommentCount, Products: i.Products, Tactics: i.Tactics, Techniques: i.Techniques,
			ProviderURL: i.ProviderURL, MergedURL: i.MergedURL,
		},
	}
	if i.MergedNumber != 0 {
		p.AdditionalData.MergedNumber = strconv.FormatInt(i.MergedNumber, 10)
	}
	for _, l := range i.Labels {
		p.Labels = append(p.Labels, wire.Label{Name: l.Name, Type: l.Type})
	}
	out := wire.New(c.scope(), p, "Incidents", i.Name)
	out.ETag = i.ETag
	return out
}

func (f *face) getIncident(c *call) error {
	i, err := f.Workspaces.Incident(c.Context(), c.workspace.ID, c.params["incident"])
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, f.incident(c, i))
}

func (f *face) putIncident(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := wire.DecodeIncidentPut(body)
	if err != nil {
		return err
	}
	etag := in.ETag // travels in the body (Source: clients.md 0.9); a header counts too
	if h := c.Header.Get("If-Match"); h != "" && h != "*" {
		etag = h
	}
	i, created, err := f.Workspaces.Put(c.Context(), c.workspace.ID, c.params["incident"], workspace.Put{
		Title: in.Title, Description: in.Description, Severity: in.Severity, Status: workspace.Status(in.Status),
		Classification: in.Classification, ClassificationReason: in.ClassificationReason, ClassificationComment: in.ClassificationComment,
		Owner: in.Owner, Labels: in.Labels, FirstActivity: in.FirstActivity, LastActivity: in.LastActivity,
	}, c.actor(), etag)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return c.write(status, f.incident(c, i))
}

func (f *face) deleteIncident(c *call) error {
	switch err := f.Workspaces.Delete(c.Context(), c.workspace.ID, c.params["incident"], c.actor()); {
	case fault.Is(err, fault.NotFound):
		return c.write(http.StatusNoContent, nil)
	case err != nil:
		return err
	}
	return c.write(http.StatusOK, nil)
}

func (f *face) incidentAlerts(c *call) error {
	list, err := f.Workspaces.Alerts(c.Context(), c.workspace.ID, c.params["incident"])
	if err != nil {
		return err
	}
	out := wire.List[wire.Alert]{Value: []wire.Alert{}}
	for _, a := range list {
		one, err := wire.EncodeAlert(c.scope(), a)
		if err != nil {
			return err
		}
		out.Value = append(out.Value, one)
	}
	return c.write(http.StatusOK, out)
}

func (f *face) incidentEntities(c *call) error {
	list, err := f.Workspaces.Entities(c.Context(), c.workspace.ID, c.params["incident"])
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, wire.EncodeEntities(c.scope(), list))
}

// incidentBookmarks: the workspace has no bookmarks, so no incident links one.
func (f *face) incidentBookmarks(c *call) error {
	if _, err := f.Workspaces.Incident(c.Context(), c.workspace.ID, c.params["incident"]); err != nil {
		return err
	}
	return c.write(http.StatusOK, wire.List[struct{}]{Value: []struct{}{}})
}

func (f *face) incidentRelations(c *call) error {
	i, err := f.Workspaces.Incident(c.Context(), c.workspace.ID, c.params["incident"])
	if err != nil {
		return err
	}
	all := []wire.Relation{}
	for _, id := range i.AlertIDs {
		all = append(all, wire.AlertRelation(c.scope(), i.Name, id))
	}
	out, err := paged(f, c, all)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, out)
}

func (f *face) incidentRelation(c *call) error {
	i, err := f.Workspaces.Incident(c.Context(), c.workspace.ID, c.params["incident"])
	if err != nil {
		return err
	}
	for _, id := range i.AlertIDs {
		if one := wire.AlertRelation(c.scope(), i.Name, id); strings.EqualFold(one.Name, c.params["relation"]) {
			return c.write(http.StatusOK, one)
		}
	}
	return fault.New(fault.NotFound, "incident %s has no relation %s", i.Name, c.params["relation"])
}
