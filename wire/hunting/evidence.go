package hunting

import (
	"strings"

	"lockstep/security"
	"lockstep/wire/logs"
	"lockstep/wire/shape"
)

// entityType is a kind's name in AlertEvidence.EntityType.
type entityType struct {
	kind    security.Kind
	name    string
	columns []column
}

// column says which field of the entity a column shows (see shape.Prop).
type column struct {
	name  string
	field string
	as    shape.As
}

// accountColumns show an account, or one inside an entity.
func accountColumns(field string) []column {
	return []column{
		{"AccountName", field + "accountName", shape.Text}, {"AccountDomain", field + "ntDomain", shape.Text},
		{"AccountSid", field + "sid", shape.Text}, {"AccountObjectId", field + "aadUserId", shape.Text},
		{"AccountUpn", field + "@upn", shape.Text},
	}
}

func fileColumns(field string) []column {
	return []column{
		{"FileName", field + "fileName", shape.Text}, {"FolderPath", field + "directory", shape.Text},
		{"SHA1", field + "#SHA1", shape.Text}, {"SHA256", field + "#SHA256", shape.Text}, {"FileSize", field + "fileSize", shape.Number},
	}
}

// entityTypes are the kinds with columns of their own; others have their
// kind's name and everything in AdditionalFields. Source: recorded rows.
var entityTypes = []entityType{
	{security.Account, "User", accountColumns("")},
	{security.Host, "Machine", []column{
		{"DeviceId", "mdeDeviceId", shape.Text}, {"DeviceName", "@fqdn", shape.Text}, {"LocalIP", "@localIP", shape.Text},
	}},
	{security.IP, "Ip", []column{{"RemoteIP", "address", shape.Text}}},
	{security.URL, "Url", []column{{"RemoteUrl", "url", shape.Text}}},
	{security.File, "File", fileColumns("")},
	{security.Process, "Process", append(fileColumns("imageFile."), column{"ProcessCommandLine", "commandLine", shape.Text})},
	{security.Mailbox, "Mailbox", []column{
		{"AccountName", "account.accountName", shape.Text}, {"AccountDomain", "account.ntDomain", shape.Text}, {"AccountSid", "account.sid", shape.Text},
		{"AccountObjectId", "externalDirectoryObjectId", shape.Text}, {"AccountUpn", "upn", shape.Text},
	}},
	{security.MailMessage, "MailMessage", []column{
		{"NetworkMessageId", "networkMessageId", shape.Text}, {"EmailSubject", "subject", shape.Text}, {"AccountUpn", "recipient", shape.Text},
	}},
	{security.MailCluster, "MailCluster", nil},
	{security.CloudApplication, "CloudApplication", []column{{"Application", "appName", shape.Text}, {"ApplicationId", "appId", shape.Number}}},
	{security.OAuthApplication, "OAuthApplication", []column{{"Application", "appName", shape.Text}, {"OAuthApplicationId", "appId", shape.Text}}},
	{security.AzureResource, "CloudResource", []column{
		{"ResourceID", "resourceId", shape.Text}, {"CloudResource", "resourceName", shape.Text}, {"ResourceType", "resourceType", shape.Text}, {"SubscriptionId", "subscriptionId", shape.Text},
	}},
	{security.RegistryKey, "RegistryKey", []column{{"RegistryKey", "key", shape.Text}}},
	{security.RegistryValue, "RegistryValue", []column{
		{"RegistryKey", "key.key", shape.Text}, {"RegistryValueName", "valueName", shape.Text}, {"RegistryValueData", "valueData", shape.Text},
	}},
	{security.SecurityGroup, "SecurityGroup", nil},
	{security.SubmissionMail, "SubmissionMail", []column{{"NetworkMessageId", "networkMessageId", shape.Text}, {"EmailSubject", "subject", shape.Text}, {"AccountUpn", "recipient", shape.Text}}},
	{security.CloudLogonSess, "CloudLogonSession", nil},
	{security.CloudLogonReq, "CloudLogonRequest", nil},
}

func typeNamed(name string) (entityType, bool) {
	for _, t := range entityTypes {
		if strings.EqualFold(t.name, name) {
			return t, true
		}
	}
	return entityType{}, false
}

func typeOf(kind security.Kind) entityType {
	for _, t := range entityTypes {
		if t.kind == kind {
			return t
		}
	}
	return entityType{kind: kind, name: string(kind)}
}

// readEvidence reads one AlertEvidence row: AdditionalFields first, which
// holds the entity whole, then the columns for what it lacks.
func readEvidence(row Row) (security.Evidence, error) {
	t, known := typeNamed(row.Text("EntityType"))
	if !known {
		t = entityType{kind: security.Kind(row.Text("EntityType"))}
	}
	var ev security.Evidence
	if text := row.Text("AdditionalFields"); strings.HasPrefix(strings.TrimSpace(text), "{") {
		var err error
		if ev, err = logs.ReadEntity(text, t.kind); err != nil {
			return ev, err
		}
	}
	if ev.Entity.Kind == "" || ev.Entity.Kind == "Unknown" {
		ev.Entity.Kind = t.kind
	}
	if known && ev.Entity.Kind == t.kind {
		for _, c := range t.columns {
			if shape.Get(ev.Entity, c.field) == "" || c.field == "accountName" {
				ev.Entity = shape.Set(ev.Entity, c.field, row.Text(c.name))
			}
		}
	}
	ev.Roles = roles(ev.Roles, row)
	return ev, nil
}

// roles adds what the row's own columns say of the part that the thing played.
func roles(have []string, row Row) []string {
	for _, c := range []struct{ column, value, role string }{
		{"EvidenceDirection", "Source", "source"}, {"EvidenceDirection", "Destination", "destination"}, {"EvidenceRole", "Impacted", Impacted},
	} {
		if strings.EqualFold(row.Text(c.column), c.value) && !contains(have, c.role) {
			have = append(have, c.role)
		}
	}
	return have
}

// Impacted is the role that stands for EvidenceRole Impacted: Graph's
// nearest word for what an attack had as its target.
const Impacted = "attacked"

// impacted reports whether evidence is shown as Impacted: by its role, else,
// as recorded rows have it, when it is an asset.
func impacted(ev security.Evidence) bool {
	for _, r := range []string{Impacted, "compromised"} {
		if contains(ev.Roles, r) {
			return true
		}
	}
	switch ev.Entity.Kind {
	case security.Host, security.Account, security.Mailbox, security.AzureResource:
		return !contains(ev.Roles, "contextual") && !contains(ev.Roles, "attacker")
	}
	return false
}

// writeEvidence lays evidence out as a row's own columns; nil for what names nothing.
func writeEvidence(ev security.Evidence) (Row, error) {
	if len(ev.Entity.Keys()) == 0 || ev.Entity.Kind == security.FileHash {
		return nil, nil // a hash is a column of its file
	}
	t := typeOf(ev.Entity.Kind)
	fields, err := additional(ev)
	if err != nil {
		return nil, err
	}
	row := Row{"EntityType": t.name, "EvidenceRole": "Related", "EvidenceDirection": "", "AdditionalFields": fields}
	if impacted(ev) {
		row["EvidenceRole"] = "Impacted"
	}
	for _, d := range []string{"source", "destination"} {
		if contains(ev.Roles, d) {
			row["EvidenceDirection"] = strings.ToUpper(d[:1]) + d[1:]
		}
	}
	for _, c := range t.columns {
		if text := shape.Get(ev.Entity, c.field); text != "" {
			row[c.name] = shape.Value(text, c.as)
		}
	}
	return row, nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}
