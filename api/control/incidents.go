package control

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
	"lockstep/xdr"
)

// Incident is an incident of either side, as the verbs print it.
type Incident struct {
	Side       string     `json:"side"`
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Status     string     `json:"status"`
	Reason     string     `json:"reason"`
	Severity   string     `json:"severity"`
	Owner      string     `json:"owner"`
	Version    int64      `json:"version"`
	Alerts     string     `json:"alerts"` // "12"; "150+" where a workspace links fewer than there are
	Tags       []string   `json:"tags"`
	URL        string     `json:"url"`
	Parallel   string     `json:"parallel"`
	Redirect   string     `json:"redirect"`
	Merged     []string   `json:"merged"`     // ids of those that were merged into it, of the XDR side
	AlertList  [][]string `json:"alertList"`  // time, severity, product, title
	EntityList [][]string `json:"entityList"` // kind, name
	Activity   [][]string `json:"activity"`   // time, who, what
}

// primary finds the workspace that a request names, the primary one if it names none.
func (f *face) primary(r *http.Request, name string) (workspace.Workspace, error) {
	if f.Workspaces == nil {
		return workspace.Workspace{}, fault.New(fault.NotFound, "this server has no workspaces: it is the XDR side alone")
	}
	if name != "" {
		return f.Workspaces.Workspace(r.Context(), name)
	}
	list, err := f.Workspaces.Workspaces(r.Context())
	if err != nil {
		return workspace.Workspace{}, err
	}
	for _, w := range list {
		if w.Primary {
			return w, nil
		}
	}
	return workspace.Workspace{}, fault.New(fault.NotFound, "there is no primary workspace")
}

// incident shows one incident of the side that the request names.
func (f *face) incident(r *http.Request) (any, error) {
	q := r.URL.Query()
	if q.Get("side") == string(schema.Workspace) {
		return f.workspaceIncident(r, q.Get("workspace"), r.PathValue("id"))
	}
	if f.XDR == nil {
		return nil, fault.New(fault.NotFound, "this server isn't the XDR side: ask with --side workspace")
	}
	i, err := f.XDR.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return f.show(r, i)
}

// show lays an XDR incident out.
func (f *face) show(r *http.Request, i xdr.Incident) (Incident, error) {
	out := Incident{
		Side: "xdr", ID: i.ID, Title: i.DisplayName, Status: string(i.Status), Reason: pair(i.Classification, i.Determination),
		Severity: string(i.Severity), Owner: i.Owner.Text(), Version: i.Version, Alerts: strconv.Itoa(len(i.AlertIDs)),
		Tags: append(append([]string{}, i.CustomTags...), i.SystemTags...), URL: f.XDR.URL(i.ID), Merged: append([]string{}, i.MergedIDs...),
	}
	if i.RedirectID != "" {
		out.Redirect = f.XDR.URL(i.RedirectID)
	}
	alerts, err := f.XDR.AlertsOf(r.Context(), i.ID)
	if err != nil {
		return out, err
	}
	entities, err := f.XDR.Entities(r.Context(), i.ID)
	if err != nil {
		return out, err
	}
	activity, err := f.XDR.Activities(r.Context(), i.ID)
	if err != nil {
		return out, err
	}
	out.AlertList, out.EntityList = alertLines(alerts), entityLines(entities)
	for _, a := range activity {
		out.Activity = append(out.Activity, []string{stamp(a.At), a.Actor.Name, a.Text})
	}
	if f.Workspaces != nil {
		if w, err := f.primary(r, ""); err == nil {
			if p, err := f.Workspaces.ByProvider(r.Context(), w.ID, i.ID); err == nil {
				out.Parallel = f.Workspaces.URL(w, p.Name)
			}
		}
	}
	return out, nil
}

// number tells a workspace incident's number from its name.
var number = regexp.MustCompile(`^\d{1,9}$`)

func (f *face) workspaceIncident(r *http.Request, ws, id string) (any, error) {
	w, err := f.primary(r, ws)
	if err != nil {
		return nil, err
	}
	var i workspace.Incident
	if number.MatchString(id) {
		n, _ := strconv.ParseInt(id, 10, 64)
		i, err = f.Workspaces.ByNumber(r.Context(), w.ID, n)
	} else {
		i, err = f.Workspaces.Incident(r.Context(), w.ID, id)
	}
	if err != nil {
		return nil, err
	}
	out := Incident{
		Side: "workspace", ID: fmt.Sprint(i.Number), Title: i.Title, Status: string(i.Status), Reason: pair(i.Classification, i.ClassificationReason),
		Severity: i.Severity.Title(), Owner: i.Owner.Text(), Version: i.Version, Alerts: strconv.Itoa(i.AlertTotal),
		URL: f.Workspaces.URL(w, i.Name), Parallel: i.ProviderURL, Redirect: i.MergedURL, Tags: []string{}, Merged: []string{},
	}
	if i.AlertTotal > len(i.AlertIDs) {
		out.Alerts = fmt.Sprintf("%d+", len(i.AlertIDs))
	}
	for _, l := range i.Labels {
		out.Tags = append(out.Tags, l.Name)
	}
	alerts, err := f.Workspaces.Alerts(r.Context(), w.ID, i.Name)
	if err != nil {
		return nil, err
	}
	entities, err := f.Workspaces.Entities(r.Context(), w.ID, i.Name)
	if err != nil {
		return nil, err
	}
	activity, err := f.Workspaces.Activities(r.Context(), w.ID, i.Name)
	if err != nil {
		return nil, err
	}
	out.AlertList, out.EntityList = alertLines(alerts), entityLines(entities)
	for _, a := range activity {
		out.Activity = append(out.Activity, []string{stamp(a.At), a.Actor.Name, a.Text})
	}
	return out, nil
}

func pair(classification, reason string) string {
	if classification == "" || classification == "unknown" {
		return ""
	}
	return strings.TrimSuffix(classification+" / "+reason, " / ")
}

func stamp(t schema.Ticks) string { return t.Time().Format("2006-01-02 15:04:05Z") }

func alertLines(alerts []security.Alert) [][]string {
	out := [][]string{}
	slices.SortStableFunc(alerts, func(a, b security.Alert) int { return cmp.Compare(a.FirstActivity, b.FirstActivity) })
	for _, a := range alerts {
		product := a.ProductName
		if p, ok := security.ProductOf(a.ServiceSource); ok {
			product = p.Name
		}
		out = append(out, []string{stamp(a.FirstActivity), string(a.Severity), product, a.Title})
	}
	return out
}

func entityLines(entities []security.Entity) [][]string {
	out := [][]string{}
	for _, e := range entities {
		out = append(out, []string{string(e.Kind), e.Name()})
	}
	return out
}

// MergeRequest asks for a merge by hand.
type MergeRequest struct {
	IDs    []string `json:"ids"`
	Reason string   `json:"reason"`
}

func (f *face) merge(r *http.Request) (any, error) {
	if f.XDR == nil {
		return nil, fault.New(fault.NotFound, "this server isn't the XDR side: incidents are merged there")
	}
	var q MergeRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	i, err := f.XDR.Merge(r.Context(), q.IDs, q.Reason, f.actor())
	if err != nil {
		return nil, err
	}
	return f.show(r, i)
}

// UnmergeRequest asks for a merge to be taken back.
type UnmergeRequest struct {
	Reason string `json:"reason"`
}

func (f *face) unmerge(r *http.Request) (any, error) {
	if f.XDR == nil {
		return nil, fault.New(fault.NotFound, "this server isn't the XDR side: incidents are parted there")
	}
	var q UnmergeRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	i, err := f.XDR.Unmerge(r.Context(), r.PathValue("id"), q.Reason, f.actor())
	if err != nil {
		return nil, err
	}
	return f.show(r, i)
}
