package content

import (
	"strings"

	"gopkg.in/yaml.v3"

	"lockstep/schema"
)

// The vocabulary of custom detections. Source: the published model of
// detectionRule, and the page on custom detections' frequencies and columns.
var (
	alertSeverities = []string{"informational", "low", "medium", "high"}
	periods         = []string{"0", "1H", "3H", "12H", "24H"}
	categories      = []string{"InitialAccess", "Execution", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess", "Discovery", "LateralMovement", "Collection", "CommandAndControl",
		"Exfiltration", "Impact", "Malware", "Ransomware", "SuspiciousActivity", "UnwantedSoftware", "Exploit", "Weaponization", "Delivery", "Reconnaissance", "ResourceDevelopment"}
	assets = []string{"#microsoft.graph.security.impactedDeviceAsset", "#microsoft.graph.security.impactedUserAsset", "#microsoft.graph.security.impactedMailboxAsset"}
)

// defender checks a custom detection of Defender.
func (c *checker) defender(f fields) {
	c.required(f, []string{"displayName"}, []string{"schedule"}, []string{"detectionAction"})
	condition := f.under("queryCondition")
	template := f.under("detectionAction").under("alertTemplate")
	if f.under("schedule").node != nil {
		c.required(f.under("schedule"), []string{"period"})
		c.oneOf(f.under("schedule"), "period", periods)
	}
	if template.node != nil {
		c.required(template, []string{"title"}, []string{"severity"}, []string{"category"})
		c.oneOf(template, "severity", alertSeverities)
		c.oneOf(template, "category", categories)
	} else if action := f.under("detectionAction"); action.node != nil {
		c.required(action, []string{"alertTemplate"})
	}
	n, ok := condition.get("queryText")
	if !ok || n.Kind != yaml.ScalarNode {
		if condition.node != nil {
			c.required(condition, []string{"queryText"})
		}
		return
	}
	columns := c.query(n.Value, schema.XDR, c.places(n))
	if columns == nil {
		return
	}
	c.impact(f, n, columns)
}

// impact checks the columns that a detection needs: when, which event, whom.
func (c *checker) impact(f fields, query *yaml.Node, columns []schema.Column) {
	if !has(columns, "Timestamp") && !has(columns, "TimeGenerated") {
		c.reportNode(Error, "RULE040", query, "a detection's query must give Timestamp or TimeGenerated: the service dates its alerts by it")
	}
	if !has(columns, "ReportId") {
		c.reportNode(Warning, "RULE041", query, "a detection over device, identity or mail events must give ReportId: the service finds the event again by it")
	}
	template := f.under("detectionAction").under("alertTemplate")
	for _, x := range template.list("impactedAssets") {
		a := fieldsOf(x)
		c.oneOf(a, "@odata.type", assets)
		c.identifier(a, columns)
	}
	for _, x := range f.under("detectionAction").list("responseActions") {
		c.identifier(fieldsOf(x), columns)
	}
}

// identifier checks that the columns that an asset or action goes by are in
// the answer. They are written deviceId for DeviceId, several with commas between.
func (c *checker) identifier(f fields, columns []schema.Column) {
	n, ok := f.get("identifier")
	if !ok || n.Kind != yaml.ScalarNode {
		return
	}
	place := c.places(n)
	at := 0
	for part := range strings.SplitSeq(n.Value, ",") {
		name := strings.TrimSpace(part)
		found := false
		for _, x := range columns {
			found = found || strings.EqualFold(x.Name, name)
		}
		if !found && name != "" {
			start := at + strings.Index(part, name)
			c.report(c.sure(), "RULE020", place(start), place(start+len(name)), "the query's answer has no column '%s'%s", name, nearest(name, columnNames(columns)))
		}
		at += len(part) + 1
	}
}
