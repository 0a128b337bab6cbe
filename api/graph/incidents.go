package graph

import (
	"net/http"
	"strconv"

	"lockstep/fault"
	"lockstep/security"
	wire "lockstep/wire/graph"
	"lockstep/xdr"
)

// fields gives an incident's filterable properties by their Graph names.
// Source: facts 10.1; more than the documents promise does no harm.
var incidentFields = map[string]func(xdr.Incident) any{
	"id":                 func(i xdr.Incident) any { return i.ID },
	"displayName":        func(i xdr.Incident) any { return i.DisplayName },
	"description":        func(i xdr.Incident) any { return i.Description },
	"assignedTo":         func(i xdr.Incident) any { return orNull(i.Owner.Text()) },
	"classification":     func(i xdr.Incident) any { return i.Classification },
	"determination":      func(i xdr.Incident) any { return i.Determination },
	"severity":           func(i xdr.Incident) any { return string(i.Severity) },
	"status":             func(i xdr.Incident) any { return string(i.Status) },
	"createdDateTime":    func(i xdr.Incident) any { return i.Created },
	"lastUpdateDateTime": func(i xdr.Incident) any { return i.Updated },
	"redirectIncidentId": func(i xdr.Incident) any { return orNull(i.RedirectID) },
	"customTags":         func(i xdr.Incident) any { return i.CustomTags },
	"systemTags":         func(i xdr.Incident) any { return i.SystemTags },
	"lastModifiedBy":     func(i xdr.Incident) any { return i.LastModifier.Name },
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (f *face) listIncidents(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, incidentFields, "alerts")
	if err != nil {
		return err
	}
	page, err := f.XDR.Incidents(r.Context(), l.selection())
	if err != nil {
		return err
	}
	view, expand := f.view(r), l.expands("alerts")
	out := wire.Collection[any]{Context: f.PublicURL + "/v1.0/$metadata#security/incidents", Value: []any{}}
	for _, i := range l.shown(page.Items) {
		one, err := f.incident(r, i, expand)
		if err != nil {
			return err
		}
		body, err := l.narrow(wire.EncodeIncident(one, view))
		if err != nil {
			return err
		}
		out.Value = append(out.Value, body)
	}
	if l.count {
		out.Count = &page.Total
	}
	out.NextLink = l.nextLink(f.PublicURL, r, page)
	return write(w, http.StatusOK, out)
}

func (f *face) countIncidents(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, incidentFields, "alerts")
	if err != nil {
		return err
	}
	sel := l.selection()
	sel.Limit, sel.Before, sel.Skip, sel.Count = 1, "", 0, true
	page, err := f.XDR.Incidents(r.Context(), sel)
	if err != nil {
		return err
	}
	return plain(w, page.Total)
}

func plain(w http.ResponseWriter, n int) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte(strconv.Itoa(n)))
	return err
}

func (f *face) getIncident(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, incidentFields, "alerts")
	if err != nil {
		return err
	}
	i, err := f.XDR.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return f.answer(w, r, i, l)
}

// answer writes one incident as the request's options ask.
func (f *face) answer(w http.ResponseWriter, r *http.Request, i xdr.Incident, l *list[xdr.Incident]) error {
	one, err := f.incident(r, i, l.expands("alerts"))
	if err != nil {
		return err
	}
	body := wire.EncodeIncident(one, f.view(r))
	body.Context = f.PublicURL + "/v1.0/$metadata#security/incidents/$entity"
	narrowed, err := l.narrow(body)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, narrowed)
}

// incident puts an incident with its comments, and its alerts if expanded, into Graph's words.
func (f *face) incident(r *http.Request, i xdr.Incident, expand bool) (wire.Incident, error) {
	comments, err := f.XDR.Comments(r.Context(), i.ID)
	if err != nil {
		return wire.Incident{}, err
	}
	out := wire.Incident{
		ID: i.ID, DisplayName: i.DisplayName, Description: i.Description, WebURL: f.XDR.URL(i.ID),
		RedirectIncidentID: i.RedirectID, Status: string(i.Status), Severity: i.Severity,
		Classification: i.Classification, Determination: i.Determination, ResolvingComment: i.ResolvingComment,
		AssignedTo: i.Owner.Text(), LastModifiedBy: i.LastModifier.Name, CustomTags: i.CustomTags, SystemTags: i.SystemTags,
		Comments: comments, Created: i.Created, Updated: i.Updated, Expanded: expand,
	}
	if expand {
		if out.Alerts, err = f.XDR.AlertsOf(r.Context(), i.ID); err != nil {
			return wire.Incident{}, err
		}
	}
	return out, nil
}

func (f *face) patchIncident(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, incidentFields, "alerts")
	if err != nil {
		return err
	}
	body, err := read(r)
	if err != nil {
		return err
	}
	p, err := wire.DecodeIncidentPatch(body)
	if err != nil {
		return err
	}
	i, err := f.XDR.Update(r.Context(), r.PathValue("id"), patch(p), actor(r), 0)
	if err != nil {
		return err
	}
	return f.answer(w, r, i, l)
}

// patch puts a decoded body into the XDR's words.
func patch(p wire.Patch) xdr.Patch {
	out := xdr.Patch{
		Classification: p.Classification, Determination: p.Determination, ResolvingComment: p.ResolvingComment,
		AssignedTo: p.AssignedTo, DisplayName: p.DisplayName, Description: p.Description, CustomTags: p.CustomTags,
	}
	if p.Status != nil {
		s := xdr.Status(*p.Status)
		out.Status = &s
	}
	if p.Severity != nil {
		s := security.Severity(*p.Severity)
		out.Severity = &s
	}
	return out
}

func (f *face) incidentComments(w http.ResponseWriter, r *http.Request) error {
	if _, err := f.XDR.Incident(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	comments, err := f.XDR.Comments(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, wire.Collection[wire.Comment]{Value: wire.EncodeComments(comments)})
}

func (f *face) commentIncident(w http.ResponseWriter, r *http.Request) error {
	text, err := commentOf(r)
	if err != nil {
		return err
	}
	comments, err := f.XDR.Comment(r.Context(), r.PathValue("id"), text, actor(r))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, wire.Collection[wire.Comment]{Value: wire.EncodeComments(comments)})
}

func commentOf(r *http.Request) (string, error) {
	body, err := read(r)
	if err != nil {
		return "", err
	}
	text, err := wire.DecodeComment(body)
	if err != nil {
		return "", err
	}
	if text == "" {
		return "", fault.At("comment", "is empty")
	}
	return text, nil
}

func (f *face) incidentAlerts(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, alertFields)
	if err != nil {
		return err
	}
	if _, err := f.XDR.Incident(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	all, err := f.XDR.AlertsOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	page := l.page(all)
	out, err := f.alerts(r, l, l.shown(page.Items), "security/incidents('"+r.PathValue("id")+"')/alerts")
	if err != nil {
		return err
	}
	if l.count {
		out.Count = &page.Total
	}
	out.NextLink = l.nextLink(f.PublicURL, r, page)
	return write(w, http.StatusOK, out)
}

func (f *face) countIncidentAlerts(w http.ResponseWriter, r *http.Request) error {
	i, err := f.XDR.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return plain(w, len(i.AlertIDs))
}
