// Package graph knows the JSON of Microsoft Graph's security resources: alert
// (alerts_v2) with its typed evidence, incident, comment, the collection and
// the error around them; both ways, so that a server, a client and the alert
// intake share it. It leaves hunting results to wire/hunting, query options
// and status codes to the face. Source: facts 1.4 and 10.1.
package graph

import (
	"encoding/json"

	"lockstep/schema"
	"lockstep/security"
)

// View is how one request sees the resources.
type View struct {
	TenantID string
	Portal   string // for links, without a slash at the end: https://localhost:8443
	// Late is set by Prefer: include-unknown-enum-members: members added to an
	// enumeration after it was closed are sent as themselves, not as unknownFutureValue.
	Late bool
}

// PreferLate is the preference that sets View.Late.
const PreferLate = "include-unknown-enum-members"

// future stands for a member that the client may not know.
const future = "unknownFutureValue"

// value is an enumeration's member as this request may see it.
func (v View) value(e security.Enum, member, unset string) string {
	if member == "" {
		return unset
	}
	known, ok := e.Parse(member)
	if !ok {
		return unset
	}
	if v.Late || e.Open(known) {
		return known
	}
	return future
}

// Collection is a page of resources.
type Collection[T any] struct {
	Context  string `json:"@odata.context,omitempty"`
	Count    *int   `json:"@odata.count,omitempty"`
	NextLink string `json:"@odata.nextLink,omitempty"`
	Value    []T    `json:"value"`
}

// ErrorBody is what a failed request answers.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail says what failed. Codes: facts 10.1 (accessDenied,
// itemNotFound, invalidRequest, …).
type ErrorDetail struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Target  string      `json:"target,omitempty"`
	Inner   *InnerError `json:"innerError,omitempty"`
}

// InnerError identifies the request that failed.
type InnerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// Failure builds the body of a failed request.
func Failure(code, message, requestID, clientRequestID string, at schema.Ticks) ErrorBody {
	return ErrorBody{Error: ErrorDetail{Code: code, Message: message,
		Inner: &InnerError{Date: at.Time().Format("2006-01-02T15:04:05"), RequestID: requestID, ClientRequestID: clientRequestID}}}
}

// Comment is an alertComment.
type Comment struct {
	Type    string `json:"@odata.type,omitempty"`
	Comment string `json:"comment"`
	By      string `json:"createdByDisplayName"`
	At      string `json:"createdDateTime"`
}

// EncodeComments lays comments out.
func EncodeComments(comments []security.Comment) []Comment {
	out := make([]Comment, len(comments))
	for i, c := range comments {
		out[i] = Comment{Comment: c.Text, By: c.Author.Name, At: c.Created.String()}
	}
	return out
}

// commentIn reads a comment in its present spelling and in that of old samples.
type commentIn struct {
	Comment string `json:"comment"`
	By      string `json:"createdByDisplayName"`
	OldBy   string `json:"createdBy"`
	At      string `json:"createdDateTime"`
	OldAt   string `json:"createdTime"`
}

func decodeComments(in []commentIn) (out []security.Comment) {
	for _, c := range in {
		if c.Comment == "" {
			continue
		}
		by, at := c.By, c.At
		if by == "" {
			by = c.OldBy
		}
		if at == "" {
			at = c.OldAt
		}
		created := ticks(at)
		out = append(out, security.Comment{
			ID:     security.DerivedID("comment", created.String()+"\x00"+by+"\x00"+c.Comment),
			Author: security.Actor{Kind: security.Person, Name: by}, Text: c.Comment, Created: created,
		})
	}
	return out
}

// DecodeComment reads the body of POST …/comments.
func DecodeComment(body []byte) (string, error) {
	var in commentIn
	if err := decode(body, &in); err != nil {
		return "", err
	}
	return in.Comment, nil
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNull(t schema.Ticks) *string {
	if t == 0 {
		return nil
	}
	s := t.String()
	return &s
}

func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

func rawMap(m map[string]json.RawMessage) map[string]json.RawMessage {
	if len(m) == 0 {
		return nil
	}
	return m
}
