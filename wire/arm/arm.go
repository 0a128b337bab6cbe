// Package arm knows the JSON of Microsoft.SecurityInsights resources: the
// envelope, incident, comment, alert, entities, relation, data connector,
// list and error; both ways where a client reads them. It leaves routes,
// query options and status codes to the face, and the vocabulary of incidents
// to whoever fills the properties. Source: facts 10.2.
package arm

import (
	"encoding/json"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Provider is the resource provider that all types here belong to.
const Provider = "Microsoft.SecurityInsights"

// Scope is the ARM path of a workspace's SecurityInsights resources.
type Scope struct {
	Workspace      string // the workspace's ARM path, beginning with /subscriptions/
	WorkspaceID    string // its GUID
	SubscriptionID string
	ResourceGroup  string
}

// ID is the path of a resource: ID("incidents", name), ID("incidents", name, "comments", id).
func (s Scope) ID(segments ...string) string {
	return s.Workspace + "/providers/" + Provider + "/" + strings.Join(segments, "/")
}

// Resource is the envelope of every resource. ETag is a quoted text inside the
// JSON text and is left out when empty; so is Kind.
type Resource[P any] struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	ETag       string `json:"etag,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Properties P      `json:"properties"`
}

// New puts properties into the envelope of a resource: segments as for Scope.ID.
func New[P any](s Scope, properties P, segments ...string) Resource[P] {
	kinds := []string{Provider}
	for i := 0; i < len(segments); i += 2 {
		kinds = append(kinds, segments[i])
	}
	return Resource[P]{ID: s.ID(segments...), Name: segments[len(segments)-1], Type: strings.Join(kinds, "/"), Properties: properties}
}

// List is a page of resources. NextLink is absolute.
type List[T any] struct {
	Value    []T    `json:"value"`
	NextLink string `json:"nextLink,omitempty"`
}

// ErrorBody is what a failed request answers (CloudError).
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail says what failed.
type ErrorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Failure builds the body of a failed request.
func Failure(code, message string) ErrorBody { return ErrorBody{ErrorDetail{code, message}} }

// Owner is an incident's owner.
type Owner struct {
	ObjectID   *string `json:"objectId"`
	Email      *string `json:"email"`
	AssignedTo *string `json:"assignedTo"`
	UPN        *string `json:"userPrincipalName"`
	Type       string  `json:"ownerType,omitempty"`
}

// EncodeOwner lays an owner out; nobody has null in every member.
func EncodeOwner(o security.Owner) Owner {
	return Owner{nullable(o.ObjectID), nullable(o.Email), nullable(o.AssignedTo), nullable(o.UPN), o.Type}
}

// Decode reads an owner.
func (o Owner) Decode() security.Owner {
	return security.Owner{ObjectID: text(o.ObjectID), Email: text(o.Email), AssignedTo: text(o.AssignedTo), UPN: text(o.UPN), Type: o.Type}
}

// Client is who made or changed something (ClientInfo).
type Client struct {
	ObjectID *string `json:"objectId"`
	Email    *string `json:"email"`
	Name     *string `json:"name"`
	UPN      *string `json:"userPrincipalName"`
}

// EncodeClient lays an actor out: with an object id, a UPN is shown in parts;
// else only the name is known.
func EncodeClient(a security.Actor) Client {
	user, _, isUPN := strings.Cut(a.Name, "@")
	if a.ID == "" || !isUPN {
		return Client{ObjectID: nullable(a.ID), Name: nullable(a.Name)}
	}
	return Client{nullable(a.ID), nullable(a.Name), nullable(user), nullable(a.Name)}
}

// Decode reads an actor. One that isn't known to be anything else is a person.
func (c Client) Decode() security.Actor {
	name := text(c.UPN)
	if name == "" {
		name = text(c.Name)
	}
	return security.Actor{Kind: security.Person, ID: text(c.ObjectID), Name: name}
}

// Time is a point as ARM writes it; zero is null.
type Time struct{ schema.Ticks }

// MarshalJSON writes the point with seven fractional digits.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.Ticks == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads a point; null is zero.
func (t *Time) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		t.Ticks = 0
		return nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return fault.New(fault.Invalid, "%s is not a time", raw)
	}
	return t.UnmarshalText([]byte(s))
}

// At is a point as ARM writes it.
func At(t schema.Ticks) Time { return Time{t} }

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Texts is a list that is [] when it is empty, never null.
type Texts []string

// MarshalJSON writes the list.
func (l Texts) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]string(l))
}
