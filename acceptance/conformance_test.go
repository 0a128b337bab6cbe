package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// published gives a file of the published descriptions, or skips loudly.
func published(t *testing.T, file string) string {
	t.Helper()
	dir := os.Getenv("LOCKSTEP_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(dir, "specs", filepath.FromSlash(file))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT CHECKED: the published description isn't there (LOCKSTEP_SHARED=%q): %v", os.Getenv("LOCKSTEP_SHARED"), err)
	}
	return path
}

// furnished starts a server with an alert of every product in it.
func furnished(t *testing.T) *house {
	t.Helper()
	h := start(t)
	bodies := productAlerts(t)
	if got := deliver(h, bodies); got.Accepted != len(bodies) {
		t.Fatalf("of %d alerts %d were accepted: %+v", len(bodies), got.Accepted, got.Refused)
	}
	h.settle()
	return h
}

// description is the published OpenAPI document of Microsoft.SecurityInsights.
type description struct {
	*openapi3.T
	t *testing.T
	// others counts entities of kinds that the document doesn't know.
	others map[string]int
}

// responses gives the document's answers of an operation.
func (d *description) responses(operation string) *openapi3.Responses {
	d.t.Helper()
	for _, item := range d.Paths.Map() {
		for _, o := range item.Operations() {
			if o.OperationID == operation {
				return o.Responses
			}
		}
	}
	d.t.Fatalf("the description has no operation %s", operation)
	return nil
}

// judge lists what is wrong with an answer to an operation: a status that
// isn't one of its own, a body that its schema forbids or whose members it
// doesn't name.
func (d *description) judge(operation string, a answer) (wrong []string) {
	d.t.Helper()
	all := d.responses(operation)
	response := all.Status(a.status)
	if response == nil && a.status >= 400 {
		response = all.Default()
	}
	if response == nil {
		return []string{fmt.Sprintf("status %d isn't one of the operation's", a.status)}
	}
	media := response.Value.Content.Get("application/json")
	if media == nil {
		if len(a.body) != 0 {
			wrong = append(wrong, fmt.Sprintf("a body where none is published: %s", a.body))
		}
		return wrong
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		wrong = append(wrong, fmt.Sprintf("content type %q", kind))
	}
	var value any
	if err := json.Unmarshal(a.body, &value); err != nil {
		return append(wrong, fmt.Sprintf("the body isn't JSON: %v", err))
	}
	return append(wrong, d.fit(media.Schema.Value, value, "")...)
}

// fit holds a value against a schema. Members that are one of several kinds
// are held against the schema of their kind, so that a mistake shows as
// itself and not as a failure of all kinds.
func (d *description) fit(s *openapi3.Schema, value any, path string) (wrong []string) {
	if by := s.Discriminator; by != nil {
		object, _ := value.(map[string]any)
		kind, _ := object[by.PropertyName].(string)
		ref := by.Mapping[kind].Ref
		if ref == "" {
			d.others[kind]++
			return nil
		}
		object = maps.Clone(object)
		delete(object, by.PropertyName) // held against its own schema by the choice
		return d.fit(d.Components.Schemas[ref[strings.LastIndex(ref, "/")+1:]].Value, object, path+"("+kind+")")
	}
	if kind, ok := value.(string); ok && strings.HasSuffix(path, ".entityKind") && !slices.Contains(s.Enum, any(kind)) {
		d.others[kind]++
		return nil
	}
	switch v := value.(type) {
	case []any:
		if s.Items != nil {
			for i, one := range v {
				wrong = append(wrong, d.fit(s.Items.Value, one, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
		return wrong
	case map[string]any:
		members, required := membersOf(s)
		if members["kind"] == nil && v["kind"] != nil && s.Properties["properties"] != nil { // a kind where there is no choice
			v = maps.Clone(v)
			delete(v, "kind")
		}
		for _, name := range required {
			if _, ok := v[name]; !ok && name != "kind" {
				wrong = append(wrong, path+"."+name+" is missing")
			}
		}
		if len(members) > 0 {
			for name, inner := range v {
				if member := members[name]; member != nil {
					wrong = append(wrong, d.fit(member.Value, inner, path+"."+name)...)
				} else {
					wrong = append(wrong, path+"."+name+" isn't in the description")
				}
			}
			return wrong
		}
	}
	if err := s.VisitJSON(value); err != nil {
		wrong = append(wrong, fmt.Sprintf("%s: %v", path, err))
	}
	return wrong
}

// membersOf gives the members that a schema and those it is made of name.
func membersOf(s *openapi3.Schema) (members openapi3.Schemas, required []string) {
	members, required = openapi3.Schemas{}, slices.Clone(s.Required)
	for name, one := range s.Properties {
		members[name] = one
	}
	for _, part := range s.AllOf {
		more, must := membersOf(part.Value)
		for name, one := range more {
			members[name] = one
		}
		required = append(required, must...)
	}
	return members, required
}

// youngKinds are kinds of entities that alerts carry and the description
// hasn't yet; clients read them as an entity without a type of its own.
var youngKinds = []string{"CloudLogonRequest", "CloudLogonSession", "OAuthApplication"}

// TestConformanceOfARM asks for everything that the ARM face serves and holds
// each answer, errors too, against the published description.
func TestConformanceOfARM(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(published(t, "openapi/securityinsights-2025-07-01-preview.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := &description{doc, t, map[string]int{}}
	h := furnished(t)
	held := map[string]int{}
	ask := func(operation, method, rest string, body any, status int) answer {
		t.Helper()
		path := rest
		if !strings.HasPrefix(rest, "https://") {
			path = h.insights(rest)
		}
		a, err := h.call(toARM, method, path, body)
		if err != nil {
			t.Fatal(err)
		}
		held[operation]++
		if a.status != status {
			t.Errorf("%s %s: %d %s, want %d", method, rest, a.status, a.body, status)
		}
		for _, what := range d.judge(operation, a) {
			t.Errorf("%s %s (%s): %s", method, rest, operation, what)
		}
		return a
	}
	var list struct {
		Value    []struct{ Name string }
		NextLink string
	}
	into := func(a answer, v any) {
		t.Helper()
		if err := json.Unmarshal(a.body, v); err != nil {
			t.Fatalf("%v in %s", err, a.body)
		}
	}
	into(ask("Incidents_List", "GET", "incidents?$top=3", nil, 200), &list)
	if list.NextLink == "" {
		t.Error("three incidents are all")
	}
	ask("Incidents_List", "GET", list.NextLink, nil, 200)
	into(ask("Incidents_List", "GET", "incidents?$top=100", nil, 200), &list)
	ask("Incidents_List", "GET", "incidents?$filter=nonsense", nil, 400)
	if len(list.Value) < 5 {
		t.Fatalf("%d incidents", len(list.Value))
	}
	for n, i := range list.Value {
		at := "incidents/" + i.Name
		ask("Incidents_Get", "GET", at, nil, 200)
		ask("Incidents_ListAlerts", "POST", at+"/alerts", nil, 200)
		ask("Incidents_ListEntities", "POST", at+"/entities", nil, 200)
		ask("Incidents_ListBookmarks", "POST", at+"/bookmarks", nil, 200)
		var relations struct{ Value []struct{ Name string } }
		into(ask("IncidentRelations_List", "GET", at+"/relations", nil, 200), &relations)
		for _, r := range relations.Value {
			ask("IncidentRelations_Get", "GET", at+"/relations/"+r.Name, nil, 200)
		}
		if n < 2 {
			id := uuid.NewString()
			comment := map[string]any{"properties": map[string]any{"message": "held against the description"}}
			ask("IncidentComments_CreateOrUpdate", "PUT", at+"/comments/"+id, comment, 201)
			ask("IncidentComments_CreateOrUpdate", "PUT", at+"/comments/"+id, comment, 200)
			ask("IncidentComments_List", "GET", at+"/comments", nil, 200)
			ask("IncidentComments_Get", "GET", at+"/comments/"+id, nil, 200)
			ask("IncidentComments_Delete", "DELETE", at+"/comments/"+id, nil, 200)
			ask("IncidentComments_Delete", "DELETE", at+"/comments/"+id, nil, 204)
			ask("IncidentComments_Get", "GET", at+"/comments/"+id, nil, 404)
			ask("IncidentComments_CreateOrUpdate", "PUT", at+"/comments/"+uuid.NewString(), map[string]any{}, 400)
		}
	}

	own := "incidents/" + uuid.NewString()
	state := map[string]any{"title": "Held against the description", "severity": "Medium", "status": "New"}
	ask("Incidents_CreateOrUpdate", "PUT", own, map[string]any{"properties": state}, 201)
	state["status"], state["classification"], state["classificationReason"], state["classificationComment"] = "Closed", "TruePositive", "SuspiciousActivity", "it was"
	state["owner"], state["labels"] = map[string]any{"email": "ava@tailwind.example"}, []any{map[string]any{"labelName": "held"}}
	state["firstActivityTimeUtc"], state["lastActivityTimeUtc"] = "2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:06Z"
	ask("Incidents_CreateOrUpdate", "PUT", own, map[string]any{"properties": state}, 200)
	ask("Incidents_CreateOrUpdate", "PUT", own, map[string]any{"etag": `"old"`, "properties": state}, 409)
	ask("Incidents_CreateOrUpdate", "PUT", own, map[string]any{"properties": map[string]any{"title": "no status"}}, 400)
	ask("Incidents_Get", "GET", own, nil, 200)
	ask("Incidents_Delete", "DELETE", own, nil, 200)
	ask("Incidents_Delete", "DELETE", own, nil, 204)
	ask("Incidents_Get", "GET", own, nil, 404)

	into(ask("DataConnectors_List", "GET", "dataConnectors", nil, 200), &list)
	if len(list.Value) != 1 {
		t.Fatalf("%d data connectors", len(list.Value))
	}
	at := "dataConnectors/" + list.Value[0].Name
	var connector map[string]any
	into(ask("DataConnectors_Get", "GET", at, nil, 200), &connector)
	ask("DataConnectors_CreateOrUpdate", "PUT", at, connector, 200)
	ask("DataConnectors_Delete", "DELETE", at, nil, 200)
	ask("DataConnectors_Delete", "DELETE", at, nil, 204)
	ask("DataConnectors_Get", "GET", at, nil, 404)
	ask("DataConnectors_CreateOrUpdate", "PUT", at, connector, 201)
	for kind, n := range d.others {
		if !slices.Contains(youngKinds, kind) {
			t.Errorf("%d entities of kind %q, which the description doesn't know", n, kind)
		}
	}
	t.Logf("held: %v; of kinds younger than the description: %v", held, d.others)

	// The judge itself: each of these changes of a good answer must show.
	good, err := h.call(toARM, "GET", h.insights("incidents/"+url.PathEscape(firstOf(h))), nil)
	if err != nil || good.status != 200 {
		t.Fatal(err, good.status)
	}
	for pattern, put := range map[string]string{
		`"severity":"[A-Za-z]+"`: `"severity":"Enormous"`, `"status":"[A-Za-z]+"`: `"state":"New"`,
		`"incidentNumber":\d+`: `"incidentNumber":"one"`, `"createdTimeUtc":"[^"]+"`: `"createdTimeUtc":"yesterday"`,
	} {
		bad := good
		bad.body = regexp.MustCompile(pattern).ReplaceAll(good.body, []byte(put))
		if bytes.Equal(bad.body, good.body) {
			t.Errorf("the answer has no %s: %s", pattern, good.body)
		} else if len(d.judge("Incidents_Get", bad)) == 0 {
			t.Errorf("an answer with %s passes", put)
		}
	}
}

// firstOf gives the name of one of the workspace's incidents.
func firstOf(h *house) string {
	for _, i := range h.wsIncidents() {
		return i.Name
	}
	return ""
}

// model is Graph's published model of its security resources.
type model struct {
	t        *testing.T
	defs     map[string]any
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
	held     map[string]int
}

// security begins the names of the model's types.
const security = "microsoft.graph.security."

// judge lists what is wrong with a value of a type: what the schema forbids,
// and members that it doesn't name, in the value and in what it holds. A value
// that says of what type it is, is held against that one.
func (m *model) judge(name string, value any, path string) (wrong []string) {
	m.t.Helper()
	object, ok := value.(map[string]any)
	if !ok {
		return []string{path + " isn't an object"}
	}
	if own, ok := object["@odata.type"].(string); ok {
		name = strings.TrimPrefix(own, "#")
	}
	def, ok := m.defs[name].(map[string]any)
	if !ok {
		return []string{path + " is of type " + name + ", which the model doesn't know"}
	}
	m.held[strings.TrimPrefix(name, security)]++
	s := m.compiled[name]
	if s == nil {
		var err error
		if s, err = m.compiler.Compile("model.json#/$defs/" + name); err != nil {
			m.t.Fatal(err)
		}
		m.compiled[name] = s
	}
	if err := s.Validate(value); err != nil {
		wrong = append(wrong, fmt.Sprintf("%s (%s): %v", path, name, err))
	}
	members, _ := def["properties"].(map[string]any)
	open := true // a type that names no members of its own
	for member := range members {
		open = open && strings.HasPrefix(member, "@odata.")
	}
	if open {
		return wrong
	}
	for member, inner := range object {
		if strings.HasPrefix(member, "@odata.") {
			continue
		}
		of, ok := members[member].(map[string]any)
		if !ok {
			wrong = append(wrong, path+"."+member+" isn't in the model")
			continue
		}
		wrong = append(wrong, m.inside(of, inner, path+"."+member)...)
	}
	return wrong
}

// inside judges what a member holds, where that is of a type of the model.
func (m *model) inside(of map[string]any, value any, path string) (wrong []string) {
	if items, ok := of["items"].(map[string]any); ok {
		list, _ := value.([]any)
		for i, one := range list {
			wrong = append(wrong, m.inside(items, one, fmt.Sprintf("%s[%d]", path, i))...)
		}
		return wrong
	}
	choices, _ := of["anyOf"].([]any)
	for _, choice := range append(choices, of) {
		ref, _ := choice.(map[string]any)["$ref"].(string)
		name := strings.TrimPrefix(ref, "#/$defs/")
		if _, object := value.(map[string]any); object && name != "" {
			return m.judge(name, value, path)
		}
	}
	return nil
}

// TestConformanceOfGraph asks for incidents, alerts with their evidence,
// comments and hunting answers, and holds each against the published model.
func TestConformanceOfGraph(t *testing.T) {
	text, err := os.ReadFile(published(t, "msgraph/microsoft.graph.security-v1.0.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(text []byte) map[string]any {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return v.(map[string]any)
	}
	all := read(text)
	m := &model{t: t, defs: all["$defs"].(map[string]any), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}, held: map[string]int{}}
	m.compiler.AssertFormat()
	if err := m.compiler.AddResource("model.json", all); err != nil {
		t.Fatal(err)
	}
	h := furnished(t)
	ask := func(name, method, path string, body any, headers ...string) map[string]any {
		t.Helper()
		if !strings.HasPrefix(path, "https://") {
			path = "/v1.0/security/" + path
		}
		a, err := h.call(toGraph, method, path, body, headers...)
		if err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		got := read(a.body)
		if name == "" {
			return got
		}
		values, many := got["value"].([]any)
		if !many {
			values = []any{got}
		}
		for i, v := range values {
			for _, what := range m.judge(security+name, v, fmt.Sprintf("[%d]", i)) {
				t.Errorf("%s %s: %s", method, path, what)
			}
		}
		if many {
			for member := range got {
				if member != "value" && !slices.Contains([]string{"@odata.context", "@odata.count", "@odata.nextLink"}, member) {
					t.Errorf("%s %s: a collection has no %s", method, path, member)
				}
			}
		}
		return got
	}
	incidents := ask("incident", "GET", "incidents?$expand=alerts&$count=true&$top=100", nil)["value"].([]any)
	first := ask("incident", "GET", "incidents?$top=2&$count=true", nil)
	ask("incident", "GET", first["@odata.nextLink"].(string), nil)
	alerts := ask("alert", "GET", "alerts_v2?$top=100", nil)["value"].([]any)
	ask("alert", "GET", "alerts_v2?$top=100", nil, "Prefer", "include-unknown-enum-members")
	if len(incidents) < 5 || len(alerts) < 20 {
		t.Fatalf("%d incidents, %d alerts", len(incidents), len(alerts))
	}
	id := incidents[0].(map[string]any)["id"].(string)
	alert := url.PathEscape(alerts[0].(map[string]any)["id"].(string))
	ask("alert", "GET", "incidents/"+id+"/alerts", nil)
	ask("alert", "GET", "alerts_v2/"+alert, nil)
	comment := map[string]any{"@odata.type": "microsoft.graph.security.alertComment", "comment": "held against the model"}
	ask("alertComment", "POST", "incidents/"+id+"/comments", comment)
	ask("alertComment", "POST", "alerts_v2/"+alert+"/comments", comment)
	ask("alert", "PATCH", "alerts_v2/"+alert, map[string]any{"status": "inProgress", "assignedTo": "ava@tailwind.example"})
	ask("incident", "PATCH", "incidents/"+id, map[string]any{"status": "resolved", "classification": "truePositive", "determination": "malware", "resolvingComment": "it was", "customTags": []string{"held"}})
	ask("incident", "GET", "incidents/"+id+"?$expand=alerts", nil)
	for _, query := range []string{
		"AlertInfo | take 3", "AlertEvidence | take 3",
		"print b=true, d=datetime(2026-01-02), n=decimal(1.5), o=dynamic({\"a\":[1]}), g=guid(5e6f0000-0000-4000-8000-00000000000f), i=int(7), l=long(8), r=1.25, s='x', t=1h, z=int(null)",
	} {
		got := ask("huntingQueryResults", "POST", "runHuntingQuery", map[string]string{"Query": query})
		if rows := got["results"].([]any); len(rows) == 0 {
			t.Errorf("%s gives nothing", query)
		}
	}
	for _, path := range []string{"incidents/424242", "incidents?$filter=nonsense", "nowhere"} {
		a, err := h.call(toGraph, "GET", "/v1.0/security/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		shown, _ := read(a.body)["error"].(map[string]any)
		inner, _ := shown["innerError"].(map[string]any)
		if a.status < 400 || shown["code"] == "" || shown["message"] == "" || inner["request-id"] == nil || inner["client-request-id"] == nil || inner["date"] == nil {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	t.Logf("held: %v", m.held)

	// The judge itself: each of these changes of a good incident must show.
	for member, put := range map[string]any{"severity": "Enormous", "createdDateTime": "yesterday", "colour": "red", "comments": []any{map[string]any{"text": "x"}}} {
		good := ask("", "GET", "incidents/"+id, nil)
		good[member] = put
		if len(m.judge(security+"incident", good, "")) == 0 {
			t.Errorf("an incident whose %s is %v passes", member, put)
		}
	}
}
