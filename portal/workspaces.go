package portal

import (
	"context"
	"net/http"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
)

// xdrProviders are the names that incidents mirrored from the XDR carry as
// provider, the present one and the older (facts 3.5).
var xdrProviders = []string{"Microsoft XDR", "Microsoft 365 Defender"}

func mirrored(i workspace.Incident) bool {
	for _, name := range xdrProviders {
		if strings.EqualFold(i.ProviderName, name) && i.ProviderIncidentID != "" {
			return true
		}
	}
	return false
}

func (p *Portal) workspaceNamed(ctx context.Context, name string) (workspace.Workspace, error) {
	if p.o.Workspaces == nil {
		return workspace.Workspace{}, missing("workspace side")
	}
	ws, err := p.o.Workspaces.Workspace(ctx, name)
	if err != nil {
		return ws, err
	}
	return ws, nil
}

// visibleWorkspaces lists those that the person may do anything in.
func (p *Portal) visibleWorkspaces(ctx context.Context, person security.Owner) ([]WorkspaceView, error) {
	all, err := p.o.Workspaces.Workspaces(ctx)
	if err != nil {
		return nil, err
	}
	out := []WorkspaceView{}
	for _, ws := range all {
		may, any := p.allowed(ctx, person, ws.ID), false
		for _, yes := range may {
			any = any || yes
		}
		if any {
			out = append(out, WorkspaceView{ID: ws.ID, Name: ws.Name, Primary: ws.Primary, Onboarded: ws.Onboarded,
				RetentionDays: ws.RetentionDays, ResourceID: ws.ResourceID(), May: may})
		}
	}
	return out, nil
}

func (p *Portal) workspaceList(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if p.o.Workspaces == nil {
		return []WorkspaceView{}, nil
	}
	return p.visibleWorkspaces(r.Context(), s.person)
}

func (p *Portal) workspaceQueue(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	ws, err := p.workspaceNamed(r.Context(), r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	l, err := parseListing(r.URL.Query(), s.person)
	if err != nil {
		return nil, err
	}
	row := rowsOnce(func(i workspace.Incident) string { return i.Name }, workspaceRow)
	page, err := p.o.Workspaces.Incidents(r.Context(), ws.ID, workspace.Selection{
		Match: func(i workspace.Incident) bool { return l.matches(row(i)) },
		Less:  func(a, b workspace.Incident) bool { return l.less(row(a), row(b)) },
		Skip:  l.skip,
		Limit: l.limit,
		Count: true,
	})
	if err != nil {
		return nil, err
	}
	out := QueuePage{Items: make([]Row, 0, len(page.Items)), Total: page.Total, Skip: l.skip}
	for _, i := range page.Items {
		out.Items = append(out.Items, workspaceRow(i))
	}
	return out, nil
}

func (p *Portal) workspaceIncident(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	ws, err := p.workspaceNamed(r.Context(), r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	return p.workspaceDetail(r.Context(), ws, r.PathValue("name"), s)
}

func (p *Portal) workspaceDetail(ctx context.Context, ws workspace.Workspace, name string, s session) (Detail, error) {
	i, err := p.o.Workspaces.Incident(ctx, ws.ID, name)
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Row: workspaceRow(i), Description: i.Description, Comment: i.ClassificationComment, ETag: i.ETag, Modifier: i.ModifiedBy.Name,
		ClosedAt: i.ClosedAt, Parallel: []Link{}, MergedFrom: []string{}, May: p.allowed(ctx, s.person, ws.ID)}
	if mirrored(i) && p.o.XDR != nil {
		d.Parallel = append(d.Parallel, Link{Side: schema.XDR, ID: i.ProviderIncidentID, Number: i.ProviderIncidentID, Path: xdrPath(i.ProviderIncidentID)})
	}
	if d.MergedInto, err = p.workspaceTarget(ctx, ws, i); err != nil {
		return Detail{}, err
	}
	alerts, err := p.o.Workspaces.Alerts(ctx, ws.ID, i.Name)
	if err != nil {
		return Detail{}, err
	}
	entities, err := p.o.Workspaces.Entities(ctx, ws.ID, i.Name)
	if err != nil {
		return Detail{}, err
	}
	comments, err := p.o.Workspaces.Comments(ctx, ws.ID, i.Name)
	if err != nil {
		return Detail{}, err
	}
	activity, err := p.o.Workspaces.Activities(ctx, ws.ID, i.Name)
	if err != nil {
		return Detail{}, err
	}
	d.AlertList, d.EntityList, d.Comments = alertViews(alerts), entityViews(entities, alerts), commentViews(comments)
	d.Activity = make([]ActivityView, 0, len(activity))
	for _, a := range activity {
		d.Activity = append(d.Activity, ActivityView{At: a.At, Version: a.Version, Actor: a.Actor.Name, Kind: string(a.Actor.Kind),
			Deed: a.Deed, Text: a.Text, From: a.From, To: a.To})
	}
	d.Activity = newestFirst(d.Activity)
	return d, nil
}

// workspaceTarget finds the incident that a merged one's content went to.
func (p *Portal) workspaceTarget(ctx context.Context, ws workspace.Workspace, i workspace.Incident) (*Link, error) {
	if i.MergedNumber == 0 {
		return nil, nil
	}
	link := &Link{Side: schema.Workspace, Workspace: ws.Name, Number: workspaceRow(i).Redirect}
	target, err := p.o.Workspaces.ByNumber(ctx, ws.ID, i.MergedNumber)
	switch {
	case fault.Is(err, fault.NotFound): // deleted since
	case err != nil:
		return nil, err
	default:
		link.ID, link.Path = target.Name, workspacePath(ws.Name, target.Name)
	}
	return link, nil
}

// workspacePatch states the whole incident anew, as the API of that side asks
// for, from what is there and what the page changes.
func (p *Portal) workspacePatch(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	ctx := r.Context()
	ws, err := p.workspaceNamed(ctx, r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	body, err := read[patch](r)
	if err != nil {
		return nil, err
	}
	now, err := p.o.Workspaces.Incident(ctx, ws.ID, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	etag := body.ETag
	if etag == "" {
		etag = now.ETag // what is merged below must still be there when it is written
	}
	put, err := p.restated(ctx, now, body, s)
	if err != nil {
		return nil, err
	}
	if _, _, err := p.o.Workspaces.Put(ctx, ws.ID, now.Name, put, s.actor(), etag); err != nil {
		return nil, err
	}
	return p.workspaceDetail(ctx, ws, now.Name, s)
}

// restated is the incident as it is with the page's changes.
func (p *Portal) restated(ctx context.Context, now workspace.Incident, body patch, s session) (workspace.Put, error) {
	put := workspace.Put{Title: now.Title, Description: now.Description, Severity: now.Severity, Status: now.Status,
		Classification: now.Classification, ClassificationReason: now.ClassificationReason, ClassificationComment: now.ClassificationComment,
		Labels: body.Tags, FirstActivity: now.FirstActivity, LastActivity: now.LastActivity}
	for to, from := range map[*string]*string{&put.Title: body.Title, &put.Classification: body.Classification,
		&put.ClassificationReason: body.Reason, &put.ClassificationComment: body.Comment} {
		if from != nil {
			*to = *from
		}
	}
	if body.Severity != nil {
		if put.Severity = security.ParseSeverity(*body.Severity); !put.Severity.Known() {
			return put, fault.At("severity", "%q is not a severity", *body.Severity)
		}
	}
	if body.Status != nil {
		put.Status = workspace.Status(*body.Status)
	}
	if put.Status != workspace.StatusClosed { // an open incident has no closing reason
		put.Classification, put.ClassificationReason, put.ClassificationComment = "", "", ""
	}
	if body.Owner != nil {
		owner, err := p.ownerNamed(ctx, *body.Owner, s)
		if err != nil {
			return put, err
		}
		put.Owner = &owner
	}
	return put, nil
}

// ownerNamed finds a person; a name that nobody has is kept as written.
func (p *Portal) ownerNamed(ctx context.Context, text string, s session) (security.Owner, error) {
	if text == "" {
		return security.Owner{}, nil
	}
	people := []security.Owner{s.person}
	if p.o.People != nil {
		all, err := p.o.People.People(ctx)
		if err != nil {
			return security.Owner{}, err
		}
		people = append(people, all...)
	}
	for _, o := range people {
		for _, name := range []string{o.UPN, o.Email, o.ObjectID, o.AssignedTo} {
			if name != "" && strings.EqualFold(name, text) {
				return o, nil
			}
		}
	}
	return security.Owner{AssignedTo: text}, nil
}

func (p *Portal) workspaceComment(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	ctx := r.Context()
	ws, err := p.workspaceNamed(ctx, r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	body, err := read[commentBody](r)
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	if _, err := p.o.Workspaces.AddComment(ctx, ws.ID, name, p.o.NewID(), body.Text, s.actor()); err != nil {
		return nil, err
	}
	return p.workspaceDetail(ctx, ws, name, s)
}
