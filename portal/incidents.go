package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
)

func (p *Portal) needXDR() error {
	if p.o.XDR == nil {
		return missing("XDR side")
	}
	return nil
}

func (p *Portal) xdrQueue(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needXDR(); err != nil {
		return nil, err
	}
	l, err := parseListing(r.URL.Query(), s.person)
	if err != nil {
		return nil, err
	}
	row := rowsOnce(func(i xdr.Incident) string { return i.ID }, xdrRow)
	page, err := p.o.XDR.Incidents(r.Context(), xdr.Selection[xdr.Incident]{
		Match: func(i xdr.Incident) bool {
			// A merged incident is gone from the queue unless asked for by its status.
			if i.Status == xdr.Redirected && !slices.Contains(l.statuses, string(xdr.Redirected)) {
				return false
			}
			return l.matches(row(i))
		},
		Less:  func(a, b xdr.Incident) bool { return l.less(row(a), row(b)) },
		Skip:  l.skip,
		Limit: l.limit,
	})
	if err != nil {
		return nil, err
	}
	out := QueuePage{Items: make([]Row, 0, len(page.Items)), Total: page.Total, Skip: l.skip}
	for _, i := range page.Items {
		out.Items = append(out.Items, xdrRow(i))
	}
	return out, nil
}

func (p *Portal) xdrIncident(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needXDR(); err != nil {
		return nil, err
	}
	return p.xdrDetail(r.Context(), r.PathValue("id"), s)
}

func (p *Portal) xdrDetail(ctx context.Context, id string, s session) (Detail, error) {
	i, err := p.o.XDR.Incident(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Row: xdrRow(i), Description: i.Description, Comment: i.ResolvingComment, Modifier: i.LastModifier.Name, ClosedAt: i.ResolvedAt,
		MergedFrom: some(i.MergedIDs), May: p.allowed(ctx, s.person, "")}
	if i.Status == xdr.Redirected {
		target, err := p.o.XDR.Resolve(ctx, id)
		if err != nil {
			return Detail{}, err
		}
		d.MergedInto = &Link{Side: schema.XDR, ID: target, Number: target, Path: xdrPath(target)}
	}
	alerts, err := p.o.XDR.AlertsOf(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	entities, err := p.o.XDR.Entities(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	comments, err := p.o.XDR.Comments(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	activity, err := p.o.XDR.Activities(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	d.AlertList, d.EntityList, d.Comments = alertViews(alerts), entityViews(entities, alerts), commentViews(comments)
	d.Activity = make([]ActivityView, 0, len(activity))
	for _, a := range activity {
		d.Activity = append(d.Activity, ActivityView{At: a.At, Version: a.Version, Actor: a.Actor.Name, Kind: string(a.Actor.Kind),
			Deed: a.Deed, Text: a.Text, From: a.From, To: a.To, Origin: a.Origin})
	}
	d.Activity = newestFirst(d.Activity)
	d.Parallel, err = p.parallelOf(ctx, id, s)
	return d, err
}

func xdrPath(id string) string { return "/incidents/" + url.PathEscape(id) }

func workspacePath(ws, name string) string {
	return "/workspaces/" + url.PathEscape(ws) + "/incidents/" + url.PathEscape(name)
}

// parallelOf finds the workspace incidents that mirror an XDR incident, in
// the workspaces that the person may read.
func (p *Portal) parallelOf(ctx context.Context, id string, s session) ([]Link, error) {
	links := []Link{}
	if p.o.Workspaces == nil {
		return links, nil
	}
	all, err := p.o.Workspaces.Workspaces(ctx)
	if err != nil {
		return nil, err
	}
	for _, ws := range all {
		if !p.o.Access.Allowed(s.person, IncidentsRead, ws.ID) {
			continue
		}
		twin, err := p.o.Workspaces.ByProvider(ctx, ws.ID, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		links = append(links, Link{Side: schema.Workspace, Workspace: ws.Name, ID: twin.Name,
			Number: workspaceRow(twin).Number, Path: workspacePath(ws.Name, twin.Name)})
	}
	return links, nil
}

// patch is a change that a page asks for, on either side. A missing field
// stays. Status and reason are in the side's own words.
type patch struct {
	Version        int64     `json:"version"` // seen on the XDR side; 0: whatever it is
	ETag           string    `json:"etag"`    // seen on the workspace side; "": whatever it is
	Status         *string   `json:"status"`
	Classification *string   `json:"classification"`
	Reason         *string   `json:"reason"` // determination, or classification reason
	Comment        *string   `json:"comment"`
	Owner          *string   `json:"owner"` // UPN; "" unassigns
	Severity       *string   `json:"severity"`
	Title          *string   `json:"title"`
	Tags           *[]string `json:"tags"` // the whole set of custom tags
}

func (p *Portal) xdrPatch(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needXDR(); err != nil {
		return nil, err
	}
	body, err := read[patch](r)
	if err != nil {
		return nil, err
	}
	change := xdr.Patch{Classification: body.Classification, Determination: body.Reason, ResolvingComment: body.Comment,
		AssignedTo: body.Owner, DisplayName: body.Title, CustomTags: body.Tags}
	if body.Status != nil {
		status := xdr.Status(*body.Status)
		change.Status = &status
	}
	if body.Severity != nil {
		severity := security.ParseSeverity(*body.Severity)
		if !severity.Known() {
			return nil, fault.At("severity", "%q is not a severity", *body.Severity)
		}
		change.Severity = &severity
	}
	id := r.PathValue("id")
	if _, err := p.o.XDR.Update(r.Context(), id, change, s.actor(), body.Version); err != nil {
		return nil, err
	}
	return p.xdrDetail(r.Context(), id, s)
}

type commentBody struct {
	Text string `json:"text"`
}

func (p *Portal) xdrComment(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needXDR(); err != nil {
		return nil, err
	}
	body, err := read[commentBody](r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if _, err := p.o.XDR.Comment(r.Context(), id, body.Text, s.actor()); err != nil {
		return nil, err
	}
	return p.xdrDetail(r.Context(), id, s)
}

type mergeBody struct {
	IDs    []string `json:"ids"`
	Reason string   `json:"reason"`
}

// merged tells which incident holds everything after a merge.
type merged struct {
	Target string `json:"target"`
	Path   string `json:"path"`
}

func (p *Portal) xdrMerge(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needXDR(); err != nil {
		return nil, err
	}
	body, err := read[mergeBody](r)
	if err != nil {
		return nil, err
	}
	target, err := p.o.XDR.Merge(r.Context(), body.IDs, body.Reason, s.actor())
	if err != nil {
		return nil, err
	}
	return merged{target.ID, xdrPath(target.ID)}, nil
}

type unmergeBody struct {
	Reason string `json:"reason"`
}

// xdrUnmerge parts an incident from the one that it was merged into.
func (p *Portal) xdrUnmerge(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needXDR(); err != nil {
		return nil, err
	}
	body, err := read[unmergeBody](r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if _, err := p.o.XDR.Unmerge(r.Context(), id, body.Reason, s.actor()); err != nil {
		return nil, err
	}
	return p.xdrDetail(r.Context(), id, s)
}
