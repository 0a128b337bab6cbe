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
	"lockstep/wire/arm"
)

const (
	armResource = "https://management.azure.com"
	armVersion  = "2025-09-01"
)

// Labels that this end sets, and shows to nobody as tags of people: which of
// the XDR's incidents an incident stands for, since the API takes no provider's
// id; and that it was merged away (facts 4.3).
const (
	partnerLabel    = "xdr-incident:"
	redirectedLabel = "Redirected"
)

// Limits of the service. Source: facts 5.1.
const (
	mostDescription = 5_000
	mostTitle       = 500 // none is published; our own workspace's
)

// Workspace makes the end of a workspace over ARM's SecurityInsights. path is
// the workspace's resource id: /subscriptions/…/workspaces/NAME. What it makes
// there are incidents of that workspace, marked by a label; the API takes no
// alerts, no products, tactics or links from outside, and no lines of the
// activity log. Writes are conditional on the etag.
func Workspace(o Options, path string) (port.End, error) {
	if err := o.complete(); err != nil {
		return nil, fmt.Errorf("remote workspace: %w", err)
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) != 8 || !strings.EqualFold(parts[0], "subscriptions") || !strings.EqualFold(parts[6], "workspaces") {
		return nil, fault.New(fault.Invalid, "remote workspace: %q is no resource id such as /subscriptions/…/resourceGroups/…/providers/Microsoft.OperationalInsights/workspaces/NAME", path)
	}
	return &workspace{o: o, line: newLine(o, armResource), root: "/" + strings.Join(parts, "/") + "/providers/" + arm.Provider,
		memory: memory{settle: o.settle}, watch: watch{short: o.shortOverlap}}, nil
}

type workspace struct {
	o      Options
	line   *line
	root   string
	memory memory
	watch  watch
	census census
}

var _ port.End = (*workspace)(nil)

func (s *workspace) Capabilities() port.Capabilities {
	can := s.o.capabilities()
	can.Conditional = true
	return can
}

// Changes polls by the time of the last modification.
func (s *workspace) Changes(ctx context.Context, after int64, limit int) ([]port.Hint, error) {
	now := s.o.Now()
	return s.watch.hints(ctx, s, after, limit, s.o.PageSize, now, func(e entry) { s.memory.saw(e.id, e.updated, 0, now) })
}

// IDs lists the incidents that stand for one of the XDR's, by the time of creation.
func (s *workspace) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	return s.census.page(ctx, s, after, limit, s.o.PageSize, func(id string) (schema.Ticks, error) {
		i, err := s.get(ctx, id)
		return i.Properties.Created.Ticks, err
	})
}

// at is the path of something of the workspace.
func (s *workspace) at(more ...string) string {
	return s.query(url.Values{}, more...)
}

func (s *workspace) query(q url.Values, more ...string) string {
	q.Set("api-version", armVersion)
	path := s.root
	for _, segment := range more {
		path += "/" + url.PathEscape(segment)
	}
	return path + "?" + q.Encode()
}

func (s *workspace) first(b by, from schema.Ticks, top int, ordered bool) string {
	property := map[by]string{created: "properties/createdTimeUtc", updated: "properties/lastModifiedTimeUtc"}[b]
	q := url.Values{"$filter": {property + " ge " + from.String()}, "$top": {strconv.Itoa(top)}}
	if ordered {
		q.Set("$orderby", property+" asc")
	}
	return s.query(q, "incidents")
}

func (s *workspace) read(ctx context.Context, path string) (page []entry, next string, err error) {
	list, err := pageOf[arm.Incident](ctx, s.line, "GET", path)
	if err != nil {
		return nil, "", err
	}
	for _, raw := range list.lines {
		i := raw.resource
		page = append(page, entry{
			id: i.Name, created: i.Properties.Created.Ticks, updated: i.Properties.Modified.Ticks, values: digest(raw.text), strange: partnerOf(i) == "",
		})
	}
	return page, list.next, nil
}

// line of a list: a resource, and as it was written.
type listed[T any] struct {
	lines []struct {
		resource T
		text     []byte
	}
	next string
}

// pageOf reads a page of a list. A line that can't be read is left out: it
// holds up no other, and reading it by its name shows what is wrong.
func pageOf[T any](ctx context.Context, l *line, method, path string) (out listed[T], err error) {
	body, err := l.do(ctx, method, path, nil)
	if err != nil {
		return out, err
	}
	var list arm.List[json.RawMessage]
	if err := json.Unmarshal(body, &list); err != nil {
		return out, fault.New(fault.Unavailable, "the list isn't the JSON expected: %w", err)
	}
	for _, raw := range list.Value {
		var one T
		if json.Unmarshal(raw, &one) == nil {
			out.lines = append(out.lines, struct {
				resource T
				text     []byte
			}{one, raw})
		}
	}
	if list.NextLink != "" {
		out.next, err = l.relative(list.NextLink)
	}
	return out, err
}

// partnerOf is the id of the XDR's incident that an incident stands for, "" if
// it stands for none.
func partnerOf(i arm.Incident) string {
	for _, l := range i.Properties.Labels {
		if id, ok := cutPrefixFold(l.Name, partnerLabel); ok {
			return id
		}
	}
	return ""
}

func cutPrefixFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return "", false
	}
	return text[len(prefix):], true
}

// tagsOf are an incident's labels but for those of the service and of this end.
func tagsOf(i arm.Incident) (tags []string) {
	for _, l := range i.Properties.Labels {
		_, ours := cutPrefixFold(l.Name, partnerLabel)
		if !ours && !strings.EqualFold(l.Name, redirectedLabel) && !strings.EqualFold(l.Type, "AutoAssigned") {
			tags = append(tags, l.Name)
		}
	}
	return tags
}

// get reads an incident as the server shows it.
func (s *workspace) get(ctx context.Context, id string) (i arm.Incident, err error) {
	body, err := s.line.do(ctx, "GET", s.at("incidents", id), nil)
	if err != nil {
		return i, err
	}
	if i, err = decodeIncident(id, body); err != nil {
		return i, err
	}
	return i, s.memory.believe(id, i.Properties.Modified.Ticks, digestOf(i), s.o.Now())
}

func decodeIncident(id string, body []byte) (i arm.Incident, err error) {
	if err = json.Unmarshal(body, &i); err == nil && !strings.EqualFold(i.Name, id) {
		err = fmt.Errorf("it is about %q", i.Name)
	}
	if err != nil {
		return i, fault.New(fault.Unavailable, "the answer about incident %s can't be read: %w", id, err)
	}
	return i, nil
}

// digestOf tells two states apart: the etag is another one with each.
func digestOf(i arm.Incident) uint64 {
	if i.ETag != "" {
		return digest([]byte(i.ETag))
	}
	text, err := json.Marshal(i)
	if err != nil {
		panic(err) // plain texts and numbers can be encoded
	}
	return digest(text)
}

// versionOf is an etag as a number: equal for equal etags.
func versionOf(i arm.Incident) int64 { return max(int64(digestOf(i)>>1), 1) }

// Incident reads an incident with its comments. Who set a field isn't told; the
// time of the last change is the latest that each can have.
func (s *workspace) Incident(ctx context.Context, id string) (port.Incident, error) {
	i, err := s.get(ctx, id)
	if err != nil {
		return port.Incident{}, err
	}
	comments, err := s.comments(ctx, i)
	if err != nil {
		return port.Incident{}, err
	}
	p := i.Properties
	out := port.Incident{
		ID: i.Name, Version: versionOf(i), Partner: partnerOf(i),
		Resolution: port.Resolution{Status: p.Status, Classification: p.Classification, Reason: p.ClassificationReason, Comment: p.ClassificationComment},
		Owner:      p.Owner.Decode(), Severity: security.ParseSeverity(p.Severity), Tags: tagsOf(i), Comments: comments,
		Stamps: map[port.Field]port.Stamp{},
		Content: port.Content{
			Title: p.Title, Description: p.Description, Severity: security.ParseSeverity(p.Severity), URL: p.AdditionalData.ProviderURL,
			Created: p.Created.Ticks, Updated: p.Modified.Ticks, Products: p.AdditionalData.Products, Tactics: p.AdditionalData.Tactics, Techniques: p.AdditionalData.Techniques,
		},
	}
	if p.Status != "Closed" { // an undetermined reason may be shown on an open one
		out.Resolution = port.Resolution{Status: p.Status}
	}
	for _, f := range []port.Field{port.FieldResolution, port.FieldOwner, port.FieldSeverity, port.FieldTags} {
		out.Stamps[f] = port.Stamp{At: p.Modified.Ticks}
	}
	return out, nil
}

func (s *workspace) comments(ctx context.Context, i arm.Incident) (all []security.Comment, err error) {
	if i.Properties.AdditionalData.Comments == 0 {
		return nil, nil
	}
	for path := s.at("incidents", i.Name, "comments"); path != ""; {
		page, err := pageOf[arm.Comment](ctx, s.line, "GET", path)
		if err != nil {
			return nil, err
		}
		for _, one := range page.lines {
			c := one.resource
			all = append(all, security.Comment{ID: c.Name, Text: c.Properties.Message, Author: c.Properties.Author.Decode(), Created: c.Properties.Created.Ticks})
		}
		path = page.next
	}
	slices.SortStableFunc(all, func(a, b security.Comment) int { return int(min(max(a.Created-b.Created, -1), 1)) })
	return recognised(all), nil
}

// Apply makes a write: one PUT of the whole incident as it is with the changes
// in it, on its etag, then each comment under its own id.
func (s *workspace) Apply(ctx context.Context, w port.Write) (port.Applied, error) {
	i, err := s.get(ctx, w.Incident)
	there := err == nil
	switch {
	case fault.Is(err, fault.NotFound) && !w.Create:
		return port.Applied{}, err
	case fault.Is(err, fault.NotFound) && w.Content == nil:
		return port.Applied{}, fault.At("content", "is required to make an incident")
	case err != nil && !fault.Is(err, fault.NotFound):
		return port.Applied{}, err
	case there && w.IfVersion != 0 && w.IfVersion != versionOf(i):
		return port.Applied{}, fault.New(fault.Conflict, "incident %s changed since it was read", w.Incident)
	}
	body, changed, err := changes(i, there, w)
	if err != nil {
		return port.Applied{}, err
	}
	if changed {
		answer, err := s.line.do(ctx, "PUT", s.at("incidents", w.Incident), body)
		if err != nil {
			return port.Applied{}, err
		}
		if i, err = decodeIncident(w.Incident, answer); err != nil {
			return port.Applied{}, err
		}
		s.memory.saw(w.Incident, i.Properties.Modified.Ticks, digestOf(i), s.o.Now())
	}
	for _, c := range w.AddComments {
		if err := s.comment(ctx, w.Incident, c); err != nil {
			if changed {
				err = undone(err)
			}
			return port.Applied{}, err
		}
		changed = true
	}
	return port.Applied{WriteID: w.ID, Incident: w.Incident, Version: versionOf(i), At: s.o.Now()}, nil
}

// comment writes a comment. One of its id that is there already is a repeat.
func (s *workspace) comment(ctx context.Context, incident string, c security.Comment) error {
	message := map[string]any{"properties": map[string]string{"message": signed(c)}}
	path := s.at("incidents", incident, "comments", c.ID)
	_, err := s.line.do(ctx, "PUT", path, message)
	if fault.Is(err, fault.Conflict) {
		if _, there := s.line.do(ctx, "GET", path, nil); there == nil {
			return nil
		}
	}
	return err
}

// incidentPut is the body of a PUT: the members that a client may set.
type incidentPut struct {
	ETag       string         `json:"etag,omitempty"`
	Properties map[string]any `json:"properties"`
}

// changes is the PUT that makes a write's changes of an incident, and whether
// it makes any.
func changes(i arm.Incident, there bool, w port.Write) (incidentPut, bool, error) {
	p := i.Properties
	was := textOf(p)
	if !there {
		p.Status, p.Severity = "New", severityName(w.Content.Severity)
		p.Labels = []arm.Label{{Name: partnerLabel + w.Partner}}
	} else if w.Partner != "" && partnerOf(i) == "" {
		p.Labels = append(slices.Clone(p.Labels), arm.Label{Name: partnerLabel + w.Partner})
	}
	if c := w.Content; c != nil {
		p.Title, p.Description = cut(c.Title, mostTitle), cut(c.Description, mostDescription)
		if p.Title == "" {
			p.Title = "Incident " + w.Partner
		}
		p.FirstActivity, p.LastActivity = arm.OptionalTime(c.FirstActivity), arm.OptionalTime(c.LastActivity)
		p.Labels = relabel(p.Labels, redirectedLabel, c.Redirect != "")
	}
	if r := w.Resolution; r != nil {
		p.Status, p.Classification, p.ClassificationReason, p.ClassificationComment = r.Status, r.Classification, r.Reason, r.Comment
	}
	if w.Owner != nil {
		p.Owner = arm.EncodeOwner(*w.Owner)
	}
	if w.Severity != nil {
		p.Severity = severityName(*w.Severity)
	}
	for _, t := range w.RemoveTags {
		p.Labels = relabel(p.Labels, t, false)
	}
	for _, t := range w.AddTags {
		p.Labels = relabel(p.Labels, t, true)
	}
	now := textOf(p)
	if there && was == now {
		return incidentPut{}, false, nil
	}
	put := incidentPut{ETag: i.ETag}
	if err := json.Unmarshal([]byte(now), &put.Properties); err != nil {
		return put, false, fmt.Errorf("write incident %s: %w", w.Incident, err)
	}
	return put, true, nil
}

// textOf is what a client may set of an incident, as JSON.
func textOf(p arm.IncidentProperties) string {
	names := []map[string]string{}
	for _, l := range p.Labels {
		names = append(names, map[string]string{"labelName": l.Name})
	}
	members := map[string]any{
		"title": p.Title, "severity": p.Severity, "status": p.Status, "labels": names,
		"owner": map[string]any{"objectId": p.Owner.ObjectID, "email": p.Owner.Email, "assignedTo": p.Owner.AssignedTo, "userPrincipalName": p.Owner.UPN},
	}
	for name, value := range map[string]string{
		"description": p.Description, "classification": p.Classification, "classificationReason": p.ClassificationReason, "classificationComment": p.ClassificationComment,
	} {
		if value != "" {
			members[name] = value
		}
	}
	for name, value := range map[string]*arm.Time{"firstActivityTimeUtc": p.FirstActivity, "lastActivityTimeUtc": p.LastActivity} {
		if value != nil {
			members[name] = value
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // plain texts and times can be encoded
	}
	return string(text)
}

// relabel has labels hold a name or not; sets of labels ignore case.
func relabel(labels []arm.Label, name string, on bool) (out []arm.Label) {
	there := false
	for _, l := range labels {
		if strings.EqualFold(l.Name, name) {
			if there = true; !on {
				continue
			}
		}
		out = append(out, l)
	}
	if on && !there {
		out = append(out, arm.Label{Name: name})
	}
	return out
}

// severityName is a severity in the workspace's words, which knows four.
func severityName(s security.Severity) string {
	if !s.Known() {
		s = security.Informational
	}
	return s.Title()
}

func cut(text string, most int) string {
	const more = " … (longer in the XDR)"
	if r := []rune(text); len(r) > most {
		return string(r[:most-len([]rune(more))]) + more
	}
	return text
}

// Applied can't be known: the API keeps no ids of writes.
func (s *workspace) Applied(context.Context, string) (port.Applied, bool, error) {
	return port.Applied{}, false, nil
}
