package content

import (
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"lockstep/kql"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// The vocabulary of analytics rules. Source: facts 6.5, 6.6.
var (
	severities = []string{"Informational", "Low", "Medium", "High"}
	kinds      = []string{"Scheduled", "NRT"}
	operators  = []string{"gt", "lt", "eq", "ne", "GreaterThan", "LessThan", "Equal", "NotEqual"}
	grouping   = []string{"SingleAlert", "AlertPerResult"}
	matching   = []string{"AllEntities", "AnyAlert", "Selected"}
	tactics    = []string{"Reconnaissance", "ResourceDevelopment", "InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess", "Discovery",
		"LateralMovement", "Collection", "CommandAndControl", "Exfiltration", "Impact", "PreAttack", "ImpairProcessControl", "InhibitResponseFunction"}
	dynamicProperties = []string{"AlertLink", "ConfidenceLevel", "ConfidenceScore", "ExtendedLinks", "ProductName", "ProviderName", "ProductComponentName", "RemediationSteps", "Techniques", "SubTechniques"}
)

// entities are the types of entities and the identifiers that a mapping can
// give. Source: the reference of entity types.
var entities = map[string][]string{
	"Account":           {"Name", "FullName", "NTDomain", "DnsDomain", "UPNSuffix", "Sid", "AadTenantId", "AadUserId", "PUID", "IsDomainJoined", "DisplayName", "ObjectGuid", "CloudAppAccountId", "IsAnonymized"},
	"AzureResource":     {"ResourceId"},
	"CloudApplication":  {"AppId", "Name", "InstanceName"},
	"DNS":               {"DomainName"},
	"File":              {"Directory", "Name"},
	"FileHash":          {"Algorithm", "Value"},
	"Host":              {"DnsDomain", "NTDomain", "HostName", "FullName", "NetBiosName", "AzureID", "OMSAgentID", "OSFamily", "OSVersion", "IsDomainJoined"},
	"IP":                {"Address", "AddressScope"},
	"MailCluster":       {"NetworkMessageIds", "CountByDeliveryStatus", "CountByThreatType", "CountByProtectionStatus", "Threats", "Query", "QueryTime", "MailCount", "IsVolumeAnomaly", "Source", "ClusterSourceIdentifier", "ClusterSourceType", "ClusterQueryStartTime", "ClusterQueryEndTime", "ClusterGroup"},
	"MailMessage":       {"Recipient", "Urls", "Threats", "Sender", "P1Sender", "P1SenderDisplayName", "P1SenderDomain", "SenderIP", "P2Sender", "P2SenderDisplayName", "P2SenderDomain", "ReceivedDate", "NetworkMessageId", "InternetMessageId", "Subject", "Language", "ThreatDetectionMethods", "BodyFingerprintBin1", "BodyFingerprintBin2", "BodyFingerprintBin3", "BodyFingerprintBin4", "BodyFingerprintBin5", "AntispamDirection", "DeliveryAction", "DeliveryLocation"},
	"Mailbox":           {"MailboxPrimaryAddress", "DisplayName", "Upn", "ExternalDirectoryObjectId", "RiskLevel"},
	"Malware":           {"Name", "Category"},
	"Process":           {"ProcessId", "CommandLine", "ElevationToken", "CreationTimeUtc"},
	"RegistryKey":       {"Hive", "Key"},
	"RegistryValue":     {"Name", "Value", "ValueType"},
	"SecurityGroup":     {"DistinguishedName", "SID", "ObjectGuid"},
	"SubmissionMail":    {"SubmissionId", "SubmissionDate", "Submitter", "NetworkMessageId", "Timestamp", "Recipient", "Sender", "SenderIp", "Subject", "ReportType"},
	"URL":               {"Url"},
	"CloudLogonSession": {"UserAgent", "SessionId", "Account"},
}

// known are the members of an analytics rule's file.
var known = []string{"id", "name", "displayName", "description", "descriptionDetailed", "severity", "status", "requiredDataConnectors", "queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold", "tactics",
	"techniques", "subTechniques", "relevantTechniques", "query", "entityMappings", "sentinelEntitiesMappings", "customDetails", "alertDetailsOverride", "eventGroupingSettings", "eventGroupSettings", "incidentConfiguration", "suppressionEnabled",
	"suppressionDuration", "version", "kind", "tags", "enabled", "metadata", "alertRuleTemplateName", "templateVersion", "startTimeUtc", "lastModifiedUtc", "severitiesFilter"}

// analytics checks a rule of Sentinel in YAML: an analytics rule, or a hunting
// query, which has no severity.
func (c *checker) analytics(f fields) {
	c.required(f, []string{"name", "displayName"}, []string{"query"})
	if _, ok := f.get("kind", "queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"); !ok {
		c.hunting(f)
		return
	}
	c.unknown(f, known)
	c.shared(f, f.text("kind"))
}

// template checks an analytics rule of an ARM template.
func (c *checker) template(resource, properties fields) {
	c.required(properties, []string{"displayName"}, []string{"query"}, []string{"enabled"}, []string{"suppressionEnabled"}, []string{"suppressionDuration"})
	c.shared(properties, resource.text("kind"))
}

// shared checks what YAML and ARM share.
func (c *checker) shared(f fields, kind string) {
	c.required(f, []string{"severity"})
	c.oneOf(f, "kind", kinds)
	c.oneOf(f, "severity", severities)
	c.oneOf(f, "triggerOperator", operators)
	c.oneOf(f.under("eventGroupingSettings"), "aggregationKind", grouping)
	c.oneOf(f.under("incidentConfiguration").under("groupingConfiguration"), "matchingMethod", matching)
	for _, t := range f.list("tactics") {
		c.word(t, "tactic", tactics)
	}
	if !strings.EqualFold(kind, "NRT") {
		c.required(f, []string{"queryFrequency"}, []string{"queryPeriod"}, []string{"triggerOperator"}, []string{"triggerThreshold"})
		c.schedule(f)
	}
	c.duration(f, "suppressionDuration", 5*time.Minute, 24*time.Hour)
	columns, ok := c.ruleQuery(f, schema.Workspace)
	if !ok {
		return
	}
	if !strings.EqualFold(kind, "NRT") && !has(columns, "TimeGenerated") {
		n, _ := f.get("query")
		c.reportNode(Warning, "RULE023", n, "the answer has no column TimeGenerated: the service then takes the time of the run for the alert's")
	}
	c.mappings(f, columns)
}

// hunting checks a query that people run: its text, and what it maps.
func (c *checker) hunting(f fields) {
	if columns, ok := c.ruleQuery(f, schema.Workspace); ok {
		c.mappings(f, columns)
	}
}

// parser checks a saved function.
func (c *checker) parser(f fields) {
	n, ok := f.get("FunctionQuery", "ParserQuery")
	if !ok || n.Kind != yaml.ScalarNode || computed(n.Value) {
		return
	}
	before := len(c.findings)
	place, prologue := c.places(n), prologue(f)
	if c.scalar(prologue, n.Value) {
		return
	}
	c.query(prologue+n.Value, schema.Workspace, func(offset int) int { return place(offset - len(prologue)) })
	kept := c.findings[:before]
	for _, x := range c.findings[before:] {
		if x.Code != "KQL100" { // a file of functions alone gives no answer
			kept = append(kept, x)
		}
	}
	c.findings = kept
}

// scalar tells that a function's body is an expression that gives one value.
func (c *checker) scalar(prologue, body string) bool {
	program, _ := kql.Compile(prologue+"print "+strings.TrimSpace(body), kql.Environment{Functions: c.options.Functions, Now: c.options.Now})
	return program != nil
}

// most is how long a rule's query may be. Source: facts 6.5.
const most = 10_000

var everything = regexp.MustCompile(`(?i)\b(search|union)\s+\*`)

// ruleQuery compiles the member query.
func (c *checker) ruleQuery(f fields, side schema.Side) ([]schema.Column, bool) {
	n, ok := f.get("query")
	if !ok || n.Kind != yaml.ScalarNode || computed(n.Value) {
		return nil, false
	}
	place := c.places(n)
	if len(n.Value) > most {
		c.reportNode(Warning, "RULE024", n, "the query has %d characters; the service takes %d", len(n.Value), most)
	}
	if at := everything.FindStringIndex(n.Value); at != nil {
		c.report(Warning, "RULE025", place(at[0]), place(at[1]), "the service takes no '%s' in a rule: name the tables", n.Value[at[0]:at[1]])
	}
	columns := c.query(n.Value, side, place)
	return columns, columns != nil
}

// schedule checks how often a rule runs and how far it looks back. Source: facts 6.5.
func (c *checker) schedule(f fields) {
	const least, longest = 5 * time.Minute, 14 * 24 * time.Hour
	frequency, ok1 := c.duration(f, "queryFrequency", least, longest)
	period, ok2 := c.duration(f, "queryPeriod", least, longest)
	if ok1 && ok2 && frequency > period {
		n, _ := f.get("queryPeriod")
		c.reportNode(Error, "RULE013", n, "queryPeriod is shorter than queryFrequency: the events between two runs would be missed")
	}
}

// mappings checks the columns that a rule names beside its query.
func (c *checker) mappings(f fields, columns []schema.Column) {
	for _, e := range f.list("entityMappings") {
		m := fieldsOf(e)
		typ := m.text("entityType")
		identifiers := entities[typ]
		if n, ok := m.get("entityType"); ok && identifiers == nil && !computed(typ) {
			c.reportNode(Warning, "RULE021", n, "'%s' is no type of entity%s", typ, nearest(typ, keys(entities)))
		}
		for _, x := range m.list("fieldMappings") {
			fm := fieldsOf(x)
			if n, ok := fm.get("identifier"); ok && identifiers != nil {
				c.wordOf(Warning, "RULE022", n, "identifier of "+typ, identifiers)
			}
			if n, ok := fm.get("columnName"); ok {
				c.column(n, n.Value, columns)
			}
		}
	}
	for _, e := range f.list("sentinelEntitiesMappings") {
		if n, ok := fieldsOf(e).get("columnName"); ok {
			c.column(n, n.Value, columns)
		}
	}
	for _, d := range f.under("customDetails").by {
		if d.value.Kind == yaml.ScalarNode {
			c.column(d.value, d.value.Value, columns)
		}
	}
	over := f.under("alertDetailsOverride")
	for _, name := range []string{"alertSeverityColumnName", "alertTacticsColumnName"} {
		if n, ok := over.get(name); ok && n.Value != "" {
			c.column(n, n.Value, columns)
		}
	}
	for _, name := range []string{"alertDisplayNameFormat", "alertDescriptionFormat"} {
		if n, ok := over.get(name); ok {
			c.format(n, columns)
		}
	}
	for _, x := range over.list("alertDynamicProperties") {
		p := fieldsOf(x)
		if n, ok := p.get("alertProperty"); ok {
			c.word(n, "property", dynamicProperties)
		}
		if n, ok := p.get("value"); ok {
			c.column(n, n.Value, columns)
		}
	}
}

// column reports a column that the query doesn't give.
func (c *checker) column(n *yaml.Node, name string, columns []schema.Column) {
	if has(columns, name) || n.Kind != yaml.ScalarNode || computed(name) || name == "" {
		return
	}
	c.reportNode(c.sure(), "RULE020", n, "the query's answer has no column '%s'%s", name, nearest(name, columnNames(columns)))
}

// sure is how bad a missing column is: where a query reads a table that nobody
// declared, or opens a bag, its answer may have more columns than are known here.
func (c *checker) sure() Severity {
	if c.open {
		return Warning
	}
	return Error
}

var braces = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// format checks the {{columns}} of a text.
func (c *checker) format(n *yaml.Node, columns []schema.Column) {
	place := c.places(n)
	for _, m := range braces.FindAllStringSubmatchIndex(n.Value, -1) {
		if name := n.Value[m[2]:m[3]]; !has(columns, name) {
			c.report(c.sure(), "RULE020", place(m[2]), place(m[3]), "the query's answer has no column '%s'%s", name, nearest(name, columnNames(columns)))
		}
	}
}

func columnNames(columns []schema.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

func nearest(word string, names []string) string {
	if near := syntax.Nearest(word, names); near != "" && near != word {
		return "; did you mean '" + near + "'?"
	}
	return ""
}
