package acceptance

import (
	"fmt"
	"strings"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
)

// The models below stand for those that the full Graph SDK generates, which
// take too long to build for a gate: the same runtime reads and writes them.

// readers tells kiota how to read a model's members.
type readers = map[string]func(serialization.ParseNode) error

func readText(into *string) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		v, err := n.GetStringValue()
		if v != nil {
			*into = *v
		}
		return err
	}
}

func readTime(into *time.Time) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		v, err := n.GetTimeValue()
		if v != nil {
			*into = *v
		}
		return err
	}
}

func readObject[T serialization.Parsable](into *T, make serialization.ParsableFactory) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		v, err := n.GetObjectValue(make)
		if v != nil {
			*into = v.(T)
		}
		return err
	}
}

func readList[T serialization.Parsable](into *[]T, make serialization.ParsableFactory) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		list, err := n.GetCollectionOfObjectValues(make)
		for _, v := range list {
			*into = append(*into, v.(T))
		}
		return err
	}
}

func readTexts(into *[]string) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		list, err := n.GetCollectionOfPrimitiveValues("string")
		for _, v := range list {
			*into = append(*into, *v.(*string))
		}
		return err
	}
}

// maker makes the factory of a model.
func maker[T any, P interface {
	*T
	serialization.Parsable
}]() serialization.ParsableFactory {
	return func(serialization.ParseNode) (serialization.Parsable, error) { return P(new(T)), nil }
}

// unwritten is for models that are only read.
type unwritten struct{}

func (unwritten) Serialize(serialization.SerializationWriter) error {
	return fmt.Errorf("this model is only read")
}

// gIncident is an incident.
type gIncident struct {
	unwritten
	ID, DisplayName, Status, Severity, Classification, Determination, AssignedTo, WebURL string
	Created, Updated                                                                     time.Time
	CustomTags                                                                           []string
	Alerts                                                                               []*gAlert
	Comments                                                                             []*gComment
}

func (i *gIncident) GetFieldDeserializers() readers {
	return readers{
		"id": readText(&i.ID), "displayName": readText(&i.DisplayName), "status": readText(&i.Status), "severity": readText(&i.Severity),
		"classification": readText(&i.Classification), "determination": readText(&i.Determination), "assignedTo": readText(&i.AssignedTo),
		"incidentWebUrl": readText(&i.WebURL), "createdDateTime": readTime(&i.Created), "lastUpdateDateTime": readTime(&i.Updated),
		"customTags": readTexts(&i.CustomTags), "alerts": readList(&i.Alerts, maker[gAlert]()), "comments": readList(&i.Comments, maker[gComment]()),
	}
}

// gAlert is an alert.
type gAlert struct {
	unwritten
	ID, IncidentID, Title, Status, Severity, ServiceSource, DetectionSource, AssignedTo string
	Created, First, Last                                                                time.Time
	Evidence                                                                            []*gEvidence
}

func (a *gAlert) GetFieldDeserializers() readers {
	return readers{
		"id": readText(&a.ID), "incidentId": readText(&a.IncidentID), "title": readText(&a.Title), "status": readText(&a.Status),
		"severity": readText(&a.Severity), "serviceSource": readText(&a.ServiceSource), "detectionSource": readText(&a.DetectionSource), "assignedTo": readText(&a.AssignedTo),
		"createdDateTime": readTime(&a.Created), "firstActivityDateTime": readTime(&a.First), "lastActivityDateTime": readTime(&a.Last),
		"evidence": readList(&a.Evidence, maker[gEvidence]()),
	}
}

// gEvidence is a piece of evidence: its type, and whom or what it shows.
type gEvidence struct {
	unwritten
	Type, Verdict, HostName, IPAddress, URL string
	Created                                 time.Time
	Roles                                   []string
	Account                                 *gAccount
}

func (e *gEvidence) GetFieldDeserializers() readers {
	return readers{
		"@odata.type": readText(&e.Type), "verdict": readText(&e.Verdict), "createdDateTime": readTime(&e.Created), "roles": readTexts(&e.Roles),
		"hostName": readText(&e.HostName), "ipAddress": readText(&e.IPAddress), "url": readText(&e.URL), "userAccount": readObject(&e.Account, maker[gAccount]()),
	}
}

type gAccount struct {
	unwritten
	AccountName, UPN string
}

func (a *gAccount) GetFieldDeserializers() readers {
	return readers{"accountName": readText(&a.AccountName), "userPrincipalName": readText(&a.UPN)}
}

// gComment is a comment, which is written too.
type gComment struct {
	Text, By string
	Created  time.Time
}

func (c *gComment) GetFieldDeserializers() readers {
	return readers{"comment": readText(&c.Text), "createdByDisplayName": readText(&c.By), "createdDateTime": readTime(&c.Created)}
}

func (c *gComment) Serialize(w serialization.SerializationWriter) error {
	kind := "microsoft.graph.security.alertComment"
	if err := w.WriteStringValue("@odata.type", &kind); err != nil {
		return err
	}
	return w.WriteStringValue("comment", &c.Text)
}

// gPatch states members of an incident or alert to be changed: texts, or lists of texts.
type gPatch map[string]any

func (gPatch) GetFieldDeserializers() readers { return readers{} }

func (p gPatch) Serialize(w serialization.SerializationWriter) error { return w.WriteAdditionalData(p) }

// gPage is a page of a collection of T.
type gPage[T any, P interface {
	*T
	serialization.Parsable
}] struct {
	unwritten
	Value []P
	Next  *string
	Count *int64
}

func (p *gPage[T, P]) GetValue() []P             { return p.Value }
func (p *gPage[T, P]) GetOdataNextLink() *string { return p.Next }

func (p *gPage[T, P]) GetFieldDeserializers() readers {
	return readers{
		"value":           readList(&p.Value, maker[T, P]()),
		"@odata.nextLink": func(n serialization.ParseNode) (err error) { p.Next, err = n.GetStringValue(); return err },
		"@odata.count":    func(n serialization.ParseNode) (err error) { p.Count, err = n.GetInt64Value(); return err },
	}
}

type (
	gIncidents = gPage[gIncident, *gIncident]
	gAlerts    = gPage[gAlert, *gAlert]
	gComments  = gPage[gComment, *gComment]
)

// gHunt is the answer of a hunting query.
type gHunt struct {
	unwritten
	Schema  []*gColumn
	Results []*gRow
}

func (h *gHunt) GetFieldDeserializers() readers {
	return readers{"schema": readList(&h.Schema, maker[gColumn]()), "results": readList(&h.Results, maker[gRow]())}
}

// columns gives the answer's columns as name type, name type.
func (h *gHunt) columns() string {
	var out []string
	for _, c := range h.Schema {
		out = append(out, c.Name+" "+c.Type)
	}
	return strings.Join(out, ", ")
}

type gColumn struct {
	unwritten
	Name, Type string
}

func (c *gColumn) GetFieldDeserializers() readers {
	return readers{"name": readText(&c.Name), "type": readText(&c.Type)}
}

// gRow is a row of a hunting answer: all its members are additional data.
type gRow struct {
	unwritten
	data map[string]any
}

func (r *gRow) GetFieldDeserializers() readers                    { return readers{} }
func (r *gRow) GetAdditionalData() map[string]any                 { return r.data }
func (r *gRow) SetAdditionalData(values map[string]any)           { r.data = values }
func (r *gRow) Serialize(serialization.SerializationWriter) error { return nil }

// gError is an ODataError.
type gError struct {
	unwritten
	kiota.ApiError
	Main *gMainError
}

func (e *gError) GetFieldDeserializers() readers {
	return readers{"error": readObject(&e.Main, maker[gMainError]())}
}

func (e *gError) Error() string { return fmt.Sprintf("%d %+v", e.ResponseStatusCode, e.Main) }

type gMainError struct {
	unwritten
	Code, Message string
	Inner         *gInnerError
}

func (e *gMainError) GetFieldDeserializers() readers {
	return readers{"code": readText(&e.Code), "message": readText(&e.Message), "innerError": readObject(&e.Inner, maker[gInnerError]())}
}

type gInnerError struct {
	unwritten
	RequestID, ClientRequestID string
	Date                       time.Time
}

func (e *gInnerError) GetFieldDeserializers() readers {
	return readers{"request-id": readText(&e.RequestID), "client-request-id": readText(&e.ClientRequestID), "date": readTime(&e.Date)}
}
