package graph

import (
	"net/http"

	"lockstep/security"
	wire "lockstep/wire/graph"
	"lockstep/xdr"
)

// alertFields gives an alert's filterable properties by their Graph names.
var alertFields = map[string]func(security.Alert) any{
	"id":                    func(a security.Alert) any { return a.ID },
	"providerAlertId":       func(a security.Alert) any { return a.ProviderID },
	"incidentId":            func(a security.Alert) any { return a.IncidentID },
	"title":                 func(a security.Alert) any { return a.Title },
	"category":              func(a security.Alert) any { return a.Category },
	"assignedTo":            func(a security.Alert) any { return orNull(a.AssignedTo) },
	"classification":        func(a security.Alert) any { return a.Classification },
	"determination":         func(a security.Alert) any { return a.Determination },
	"severity":              func(a security.Alert) any { return string(a.Severity) },
	"status":                func(a security.Alert) any { return string(a.Status) },
	"serviceSource":         func(a security.Alert) any { return a.ServiceSource },
	"detectionSource":       func(a security.Alert) any { return a.DetectionSource },
	"productName":           func(a security.Alert) any { return a.ProductName },
	"createdDateTime":       func(a security.Alert) any { return a.Created },
	"lastUpdateDateTime":    func(a security.Alert) any { return a.Updated },
	"firstActivityDateTime": func(a security.Alert) any { return a.FirstActivity },
	"lastActivityDateTime":  func(a security.Alert) any { return a.LastActivity },
}

func (f *face) listAlerts(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, alertFields)
	if err != nil {
		return err
	}
	page, err := f.XDR.Alerts(r.Context(), l.selection())
	if err != nil {
		return err
	}
	out, err := f.alerts(r, l, l.shown(page.Items), "security/alerts_v2")
	if err != nil {
		return err
	}
	if l.count {
		out.Count = &page.Total
	}
	out.NextLink = l.nextLink(f.PublicURL, r, page)
	return write(w, http.StatusOK, out)
}

func (f *face) countAlerts(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, alertFields)
	if err != nil {
		return err
	}
	sel := l.selection()
	sel.Limit, sel.Before, sel.Skip, sel.Count = 1, "", 0, true
	page, err := f.XDR.Alerts(r.Context(), sel)
	if err != nil {
		return err
	}
	return plain(w, page.Total)
}

// alerts lays a page of alerts out as the request asks.
func (f *face) alerts(r *http.Request, l *list[security.Alert], items []security.Alert, what string) (wire.Collection[any], error) {
	out := wire.Collection[any]{Context: f.PublicURL + "/v1.0/$metadata#" + what, Value: []any{}}
	view := f.view(r)
	for _, a := range items {
		body, err := l.narrow(wire.EncodeAlert(a, view))
		if err != nil {
			return out, err
		}
		out.Value = append(out.Value, body)
	}
	return out, nil
}

func (f *face) getAlert(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, alertFields)
	if err != nil {
		return err
	}
	a, err := f.XDR.Alert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return f.alert(w, r, a, l)
}

// alert writes one alert as the request's options ask.
func (f *face) alert(w http.ResponseWriter, r *http.Request, a security.Alert, l *list[security.Alert]) error {
	body := wire.EncodeAlert(a, f.view(r))
	body.Context = f.PublicURL + "/v1.0/$metadata#security/alerts_v2/$entity"
	narrowed, err := l.narrow(body)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, narrowed)
}

func (f *face) patchAlert(w http.ResponseWriter, r *http.Request) error {
	l, err := parseList(r, alertFields)
	if err != nil {
		return err
	}
	body, err := read(r)
	if err != nil {
		return err
	}
	p, err := wire.DecodeAlertPatch(body)
	if err != nil {
		return err
	}
	change := xdr.AlertPatch{Classification: p.Classification, Determination: p.Determination, AssignedTo: p.AssignedTo}
	if p.Status != nil {
		s := security.AlertStatus(*p.Status)
		change.Status = &s
	}
	a, err := f.XDR.UpdateAlert(r.Context(), r.PathValue("id"), change, actor(r))
	if err != nil {
		return err
	}
	return f.alert(w, r, a, l)
}

func (f *face) commentAlert(w http.ResponseWriter, r *http.Request) error {
	text, err := commentOf(r)
	if err != nil {
		return err
	}
	comments, err := f.XDR.CommentAlert(r.Context(), r.PathValue("id"), text, actor(r))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, wire.Collection[wire.Comment]{Value: wire.EncodeComments(comments)})
}
