package arm

import (
	"encoding/json"
	"strings"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/wire/logs"
	"lockstep/wire/shape"
)

// layout is a kind's properties: fields at their paths, and parts by the id of
// the entity that they are.
type layout struct {
	kind  security.Kind
	props []shape.Prop
	parts []shape.Part // Path: the member with the part's id, or ids
	names []string     // fields of which the first that is there is the friendly name
}

func same(fields ...string) (out []shape.Prop) {
	for _, f := range fields {
		out = append(out, shape.Prop{Field: f, Path: f})
	}
	return out
}

func as(form shape.As, fields ...string) (out []shape.Prop) {
	for _, f := range fields {
		out = append(out, shape.Prop{Field: f, Path: f, As: form})
	}
	return out
}

func join(lists ...[]shape.Prop) (out []shape.Prop) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// layouts of the kinds of the entity API. A kind without one has its friendly
// name and everything else in additionalData. Source: facts 10.2.
var layouts = []layout{
	{security.Account, join(same("accountName", "ntDomain", "upnSuffix", "dnsDomain", "displayName", "sid", "aadTenantId", "aadUserId", "puid", "objectGuid"), as(shape.Bool, "isDomainJoined")),
		[]shape.Part{{Name: "host", Path: "hostEntityId"}}, []string{"displayName", "accountName", "userPrincipalName", "aadUserId", "sid"}},
	{security.Host, join(same("hostName", "ntDomain", "dnsDomain", "netBiosName", "azureID", "omsAgentID", "osFamily", "osVersion"), as(shape.Bool, "isDomainJoined")),
		nil, []string{"hostName", "netBiosName", "mdeDeviceId"}},
	{security.IP, join(same("address"), []shape.Prop{
		{Field: "countryCode", Path: "location.countryCode"}, {Field: "countryName", Path: "location.countryName"}, {Field: "state", Path: "location.state"},
		{Field: "city", Path: "location.city"}, {Field: "latitude", Path: "location.latitude", As: shape.Real},
		{Field: "longitude", Path: "location.longitude", As: shape.Real}, {Field: "asn", Path: "location.asn", As: shape.Number},
	}), nil, []string{"address"}},
	{security.URL, same("url"), nil, []string{"url"}},
	{security.File, same("fileName", "directory"),
		[]shape.Part{{Name: "fileHashes", Path: "fileHashEntityIds", Many: true}, {Name: "host", Path: "hostEntityId"}}, []string{"fileName"}},
	{security.FileHash, append(same("hashValue"), shape.Prop{Field: "algorithm", Path: "algorithm", Values: []string{"MD5", "SHA1", "SHA256", "SHA256AC", "Unknown"}}), nil, []string{"hashValue"}},
	{security.Process, join(same("processId", "commandLine", "elevationToken"), as(shape.Time, "creationTimeUtc")), []shape.Part{
		{Name: "imageFile", Path: "imageFileEntityId"}, {Name: "parentProcess", Path: "parentProcessEntityId"},
		{Name: "account", Path: "accountEntityId"}, {Name: "host", Path: "hostEntityId"},
	}, []string{"imageFile.fileName", "commandLine", "processId"}},
	{security.Mailbox, same("mailboxPrimaryAddress", "displayName", "upn", "externalDirectoryObjectId"), nil, []string{"mailboxPrimaryAddress", "displayName"}},
	{security.MailMessage, join(same("recipient", "subject", "networkMessageId", "internetMessageId", "senderIP", "p1Sender", "p1SenderDisplayName", "p1SenderDomain",
		"p2Sender", "p2SenderDisplayName", "p2SenderDomain", "deliveryAction", "deliveryLocation", "antispamDirection", "language"),
		as(shape.Time, "receiveDate"), as(shape.List, "urls", "threats", "threatDetectionMethods")), nil, []string{"subject", "internetMessageId", "networkMessageId"}},
	{security.MailCluster, join(same("query", "source", "clusterGroup", "clusterSourceIdentifier", "clusterSourceType"), as(shape.Number, "mailCount"),
		as(shape.Time, "queryTime", "clusterQueryStartTime", "clusterQueryEndTime"), as(shape.List, "networkMessageIds", "threats")), nil, []string{"clusterBy", "query"}},
	{security.CloudApplication, join(same("appName", "instanceName"), as(shape.Number, "appId")), nil, []string{"appName"}},
	{security.AzureResource, same("resourceId", "subscriptionId"), nil, []string{"resourceName", "resourceId"}},
	{security.RegistryKey, same("hive", "key"), nil, []string{"key"}},
	{security.RegistryValue, same("valueName", "valueData", "valueType"), []shape.Part{{Name: "key", Path: "keyEntityId"}}, []string{"valueName"}},
	{security.SecurityGroup, same("distinguishedName", "sid", "objectGuid"), nil, []string{"displayName", "distinguishedName"}},
	{security.SubmissionMail, join(same("submissionId", "submitter", "networkMessageId", "recipient", "sender", "senderIp", "subject", "reportType"), as(shape.Time, "submissionDate")), nil, []string{"subject"}},
	{security.Malware, same("malwareName", "category"),
		[]shape.Part{{Name: "files", Path: "fileEntityIds", Many: true}, {Name: "processes", Path: "processEntityIds", Many: true}}, []string{"malwareName"}},
	{security.DNS, same("domainName"), []shape.Part{
		{Name: "dnsServerIp", Path: "dnsServerIpEntityId"}, {Name: "hostIpAddress", Path: "hostIpAddressEntityId"}, {Name: "ipAddresses", Path: "ipAddressEntityIds", Many: true},
	}, []string{"domainName"}},
}

func layoutFor(kind security.Kind) layout {
	for _, l := range layouts {
		if l.kind == kind {
			return l
		}
	}
	return layout{kind: kind, names: []string{"appName", "displayName", "sessionId", "requestId", "name"}}
}

// Entity is an entity resource.
type Entity = Resource[map[string]any]

// Entities is the answer of POST …/incidents/{name}/entities.
type Entities struct {
	Entities []Entity   `json:"entities"`
	MetaData []MetaData `json:"metaData"`
}

// MetaData counts the entities of a kind.
type MetaData struct {
	Kind  string `json:"entityKind"`
	Count int    `json:"count"`
}

// EncodeEntities lays entities out with their parts beside them: a process's
// image and parent are entities of the answer, which the process names by id.
// Ids are UUIDv5 of the entity's identity. What names nothing is left out.
func EncodeEntities(s Scope, list []security.Entity) Entities {
	var flat []security.Entity
	for _, e := range list {
		flat = flatten(flat, e, 0)
	}
	out := Entities{Entities: []Entity{}, MetaData: []MetaData{}}
	all := security.Union(flat...)
	known := map[string]string{} // key → id of the entity that has it
	for _, e := range all {
		for _, k := range e.Keys() {
			known[k] = e.ID()
		}
	}
	at := map[string]int{}
	for _, e := range all {
		one := encodeEntity(s, e, known)
		out.Entities = append(out.Entities, one)
		i, ok := at[one.Kind]
		if !ok {
			i = len(out.MetaData)
			at[one.Kind], out.MetaData = i, append(out.MetaData, MetaData{Kind: one.Kind})
		}
		out.MetaData[i].Count++
	}
	return out
}

// maxDepth bounds how deep parts of parts are laid out.
const maxDepth = 8

func flatten(into []security.Entity, e security.Entity, depth int) []security.Entity {
	into = append(into, e)
	if depth < maxDepth {
		for _, p := range layoutFor(e.Kind).parts {
			for _, inner := range e.Parts[p.Name] {
				into = flatten(into, inner, depth+1)
			}
		}
	}
	return into
}

// EncodeEntity lays one entity out, its parts by id alone.
func EncodeEntity(s Scope, e security.Entity) Entity { return encodeEntity(s, e, nil) }

func encodeEntity(s Scope, e security.Entity, known map[string]string) Entity {
	l := layoutFor(e.Kind)
	properties := map[string]any{}
	rest := e
	rest.Fields = make(map[string]string, len(e.Fields))
	for name, v := range e.Fields {
		rest.Fields[name] = v
	}
	for _, p := range l.props {
		if value := p.Spelled(e.Field(p.Field)); value != "" {
			put(properties, p.Path, shape.Value(value, p.As))
			delete(rest.Fields, p.Field)
		}
	}
	for _, p := range l.parts {
		var ids []string
		for _, inner := range e.Parts[p.Name] {
			if keys := inner.Keys(); len(keys) > 0 {
				id, ok := known[keys[0]]
				if !ok {
					id = inner.ID()
				}
				ids = append(ids, id)
			}
		}
		switch {
		case len(ids) == 0:
		case p.Many:
			properties[p.Path] = ids
		default:
			properties[p.Path] = ids[0]
		}
	}
	for _, f := range l.names {
		if name := shape.Get(e, f); name != "" {
			properties["friendlyName"] = name
			break
		}
	}
	if more := logs.Members(rest); len(more) > 0 {
		properties["additionalData"] = more
	}
	out := New(s, properties, "Entities", e.ID())
	out.Kind = string(e.Kind)
	return out
}

func put(object map[string]any, path string, value any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		object[name] = value
		return
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		object[name] = inner
	}
	put(inner, rest, value)
}

// DecodeEntities reads the answer of POST …/entities: EncodeEntities' inverse.
// Entities that only serve as parts of others are among the result too.
func DecodeEntities(body []byte) ([]security.Entity, error) {
	object, err := shape.Object(body)
	if err != nil {
		return nil, err
	}
	list, _ := object["entities"].([]any)
	byName := map[string]map[string]any{}
	for n, v := range list {
		one, ok := v.(map[string]any)
		if !ok {
			return nil, fault.At("entities", "member %d isn't an object", n)
		}
		if name, ok := one["name"].(string); ok {
			byName[strings.ToLower(name)] = one
		}
	}
	out := make([]security.Entity, 0, len(list))
	left := maxEntities
	for _, v := range list {
		out = append(out, decodeEntity(v.(map[string]any), byName, 0, &left))
	}
	if left < 0 {
		return nil, fault.At("entities", "more than %d, counting each reference", maxEntities)
	}
	return out, nil
}

// maxEntities bounds how many entities references may unfold to.
const maxEntities = 50_000

func decodeEntity(object map[string]any, byName map[string]map[string]any, depth int, left *int) security.Entity {
	*left--
	kind, _ := object["kind"].(string)
	properties, _ := object["properties"].(map[string]any)
	l := layoutFor(security.Kind(kind))
	more, _ := properties["additionalData"].(map[string]any)
	e := logs.Fields(l.kind, more)
	for _, p := range l.props {
		e = shape.Set(e, p.Field, shape.TextAt(properties, p.Path, p.As))
	}
	if depth >= maxDepth || *left < 0 {
		return e
	}
	for _, p := range l.parts {
		var parts []security.Entity
		for _, id := range ids(properties[p.Path]) {
			if inner, ok := byName[strings.ToLower(id)]; ok {
				parts = append(parts, decodeEntity(inner, byName, depth+1, left))
			}
		}
		if len(parts) > 0 {
			e = shape.WithPart(e, p.Name, parts...)
		}
	}
	return e
}

// ids are the names of entities: an id, or a list of them; of a whole path the last segment.
func ids(v any) (out []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, one := range list {
		if s, ok := one.(string); ok && s != "" {
			out = append(out, s[strings.LastIndexByte(s, '/')+1:])
		}
	}
	return out
}

// Alert is an alert resource: an entity of kind SecurityAlert.
type Alert = Resource[AlertProperties]

// AlertProperties are an alert's.
type AlertProperties struct {
	SystemAlertID       string                     `json:"systemAlertId"`
	ProviderAlertID     string                     `json:"providerAlertId,omitempty"`
	DisplayName         string                     `json:"alertDisplayName"`
	FriendlyName        string                     `json:"friendlyName"`
	AlertType           string                     `json:"alertType,omitempty"`
	AlertLink           string                     `json:"alertLink,omitempty"`
	Severity            string                     `json:"severity"`
	Status              string                     `json:"status"`
	Description         string                     `json:"description,omitempty"`
	ProductName         string                     `json:"productName"`
	ProductComponent    string                     `json:"productComponentName,omitempty"`
	VendorName          string                     `json:"vendorName"`
	CompromisedEntity   string                     `json:"compromisedEntity,omitempty"`
	ConfidenceLevel     string                     `json:"confidenceLevel"`
	Tactics             Texts                      `json:"tactics"`
	RemediationSteps    Texts                      `json:"remediationSteps"`
	ResourceIdentifiers []ResourceIdentifier       `json:"resourceIdentifiers"`
	Start               Time                       `json:"startTimeUtc"`
	End                 Time                       `json:"endTimeUtc"`
	Generated           Time                       `json:"timeGenerated"`
	Processed           Time                       `json:"processingEndTime"`
	AdditionalData      map[string]json.RawMessage `json:"additionalData,omitempty"`
}

// ResourceIdentifier says which workspace an alert lies in.
type ResourceIdentifier struct {
	Type           string `json:"type"`
	WorkspaceID    string `json:"workspaceId,omitempty"`
	SubscriptionID string `json:"subscriptionId,omitempty"`
	ResourceGroup  string `json:"resourceGroup,omitempty"`
}

// EncodeAlert lays an alert out.
func EncodeAlert(s Scope, a security.Alert) (Alert, error) {
	more, err := logs.WriteProperties(a)
	if err != nil {
		return Alert{}, err
	}
	out := New(s, AlertProperties{
		SystemAlertID: a.SystemID, ProviderAlertID: a.ProviderID, DisplayName: a.Title, FriendlyName: a.Title, AlertType: a.AlertType,
		AlertLink: a.AlertLink, Severity: a.Severity.Title(), Status: alertStatuses.Or(string(a.Status), "Unknown"), Description: a.Description,
		ProductName: a.ProductName, ProductComponent: a.Component, VendorName: a.VendorName, CompromisedEntity: a.Compromised(),
		ConfidenceLevel: "Unknown", Tactics: a.Tactics,
		ResourceIdentifiers: []ResourceIdentifier{{Type: "LogAnalytics", WorkspaceID: s.WorkspaceID, SubscriptionID: s.SubscriptionID, ResourceGroup: s.ResourceGroup}},
		Start:               At(a.FirstActivity), End: At(a.LastActivity), Generated: At(a.Updated), Processed: At(a.Created), AdditionalData: more,
	}, "Entities", a.SystemID)
	if a.RecommendedActions != "" {
		out.Properties.RemediationSteps = Texts{a.RecommendedActions}
	}
	out.Kind = "SecurityAlert"
	return out, nil
}

// DecodeAlert reads an alert resource; its entities are the incident's.
func DecodeAlert(body []byte) (security.Alert, error) {
	var in Alert
	if err := decode(body, &in); err != nil {
		return security.Alert{}, err
	}
	p := in.Properties
	a := security.Alert{
		SystemID: p.SystemAlertID, ProviderID: p.ProviderAlertID, Title: p.DisplayName, AlertType: p.AlertType, AlertLink: p.AlertLink,
		Severity: security.ParseSeverity(p.Severity), Status: security.AlertStatus(security.AlertStatuses.Or(p.Status, string(security.AlertNew))),
		Description: p.Description, ProductName: p.ProductName, Component: p.ProductComponent, VendorName: p.VendorName,
		CompromisedEntity: p.CompromisedEntity, Tactics: security.ParseTactics(strings.Join(p.Tactics, ",")),
		RecommendedActions: strings.Join(p.RemediationSteps, "\n"),
		FirstActivity:      p.Start.Ticks, LastActivity: p.End.Ticks, Updated: p.Generated.Ticks, Created: p.Processed.Ticks,
	}
	if a.Status == "unknown" {
		a.Status = security.AlertNew
	}
	if a.Title == "" {
		a.Title = p.FriendlyName
	}
	members := make(map[string]any, len(p.AdditionalData))
	for name, raw := range p.AdditionalData {
		var v any
		if err := json.Unmarshal(raw, &v); err == nil {
			members[name] = v
		}
	}
	logs.ReadProperties(members, &a)
	a.Complete()
	return a, nil
}
