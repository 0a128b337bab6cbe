package graph

import (
	"strings"

	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/shape"
)

// prefix of the names of evidence types; suffix too.
const (
	typePrefix = "#microsoft.graph.security."
	typeSuffix = "Evidence"
)

func evidenceType(name string) string { return typePrefix + name + typeSuffix }

// Evidence types without a layout are kept and served as they came.
// Source of the layouts: facts 10.1 and the published CSDL of Graph v1.0.
var dialect = &shape.Dialect{
	Discriminator: "@odata.type",
	KindOf: func(typeName string) security.Kind {
		name := strings.TrimSuffix(strings.TrimPrefix(typeName, typePrefix), typeSuffix)
		if name == "" {
			return "Unknown"
		}
		return security.Kind(strings.ToUpper(name[:1]) + name[1:])
	},
	TypeOf: func(kind security.Kind) string {
		if kind == "" {
			return evidenceType("alert")
		}
		return evidenceType(strings.ToLower(string(kind[:1])) + string(kind[1:]))
	},
	Layouts: []shape.Layout{
		{Kind: security.Account, Type: evidenceType("user"), Props: accountProps("userAccount.", "")},
		{Kind: security.Host, Type: evidenceType("device"), Props: []shape.Prop{
			{Field: "mdeDeviceId", Path: "mdeDeviceId"},
			{Field: "aadDeviceId", Path: "azureAdDeviceId"},
			{Field: "hostName", Path: "hostName"},
			{Field: "dnsDomain", Path: "dnsDomain"},
			{Field: "ntDomain", Path: "ntDomain"},
			{Field: "@fqdn", Path: "deviceDnsName"},
			{Field: "osPlatform", Path: "osPlatform"},
			{Field: "osBuild", Path: "osBuild", As: shape.Number},
			{Field: "osVersion", Path: "version"},
			{Field: "healthStatus", Path: "healthStatus", Values: []string{"active", "inactive", "impairedCommunication", "noSensorData", "noSensorDataImpairedCommunication", "unknown"}},
			{Field: "riskScore", Path: "riskScore", Values: []string{"none", "informational", "low", "medium", "high"}},
			{Field: "rbacGroupId", Path: "rbacGroupId", As: shape.Number},
			{Field: "rbacGroupName", Path: "rbacGroupName"},
			{Field: "onboardingStatus", Path: "onboardingStatus", Values: []string{"insufficientInfo", "onboarded", "canBeOnboarded", "unsupported"}},
			{Field: "defenderAvStatus", Path: "defenderAvStatus", Values: []string{"notReporting", "disabled", "notUpdated", "updated", "unknown", "notSupported"}},
			{Field: "firstSeen", Path: "firstSeenDateTime", As: shape.Time},
			{Field: "lastIpAddress", Path: "lastIpAddress"},
			{Field: "lastExternalIpAddress", Path: "lastExternalIpAddress"},
			{Field: "ipInterfaces", Path: "ipInterfaces", As: shape.Addresses},
			{Field: "loggedOnUsers", Path: "loggedOnUsers", As: shape.List},
			{Field: "vmId", Path: "vmMetadata.vmId"},
			{Field: "cloudProvider", Path: "vmMetadata.cloudProvider", Values: []string{"unknown", "azure"}},
			{Field: "azureID", Path: "vmMetadata.resourceId"},
			{Field: "subscriptionId", Path: "vmMetadata.subscriptionId"},
		}},
		{Kind: security.IP, Type: evidenceType("ip"), Props: []shape.Prop{
			{Field: "address", Path: "ipAddress"},
			{Field: "countryCode", Path: "countryLetterCode"},
			{Field: "countryName", Path: "location.countryName"},
			{Field: "state", Path: "location.state"},
			{Field: "city", Path: "location.city"},
			{Field: "latitude", Path: "location.latitude", As: shape.Real},
			{Field: "longitude", Path: "location.longitude", As: shape.Real},
		}},
		{Kind: security.URL, Type: evidenceType("url"), Props: []shape.Prop{{Field: "url", Path: "url"}}},
		{Kind: security.File, Type: evidenceType("file"), Props: append(fileProps("fileDetails.", ""),
			shape.Prop{Field: "detectionStatus", Path: "detectionStatus", Values: detectionStatuses},
			shape.Prop{Field: "host.mdeDeviceId", Path: "mdeDeviceId"},
		)},
		{Kind: security.FileHash, Type: evidenceType("fileHash"), Props: []shape.Prop{
			{Field: "algorithm", Path: "algorithm", Values: []string{"unknown", "md5", "sha1", "sha256", "sha256ac"}}, {Field: "hashValue", Path: "value"},
		}},
		{Kind: security.Process, Type: evidenceType("process"), Props: join(
			[]shape.Prop{
				{Field: "processId", Path: "processId", As: shape.Number},
				{Field: "commandLine", Path: "processCommandLine"},
				{Field: "creationTimeUtc", Path: "processCreationDateTime", As: shape.Time},
				{Field: "parentProcess.processId", Path: "parentProcessId", As: shape.Number},
				{Field: "parentProcess.creationTimeUtc", Path: "parentProcessCreationDateTime", As: shape.Time},
				{Field: "detectionStatus", Path: "detectionStatus", Values: detectionStatuses},
				{Field: "host.mdeDeviceId", Path: "mdeDeviceId"},
			},
			fileProps("imageFile.", "imageFile."),
			fileProps("parentProcessImageFile.", "parentProcess.imageFile."),
			accountProps("userAccount.", "account."),
		)},
		{Kind: security.Mailbox, Type: evidenceType("mailbox"), Props: []shape.Prop{
			{Field: "mailboxPrimaryAddress", Path: "primaryAddress"},
			{Field: "displayName", Path: "displayName"},
			{Field: "upn", Path: "upn"},
			{Field: "externalDirectoryObjectId", Path: "userAccount.azureAdUserId"},
			{Field: "account.accountName", Path: "userAccount.accountName"},
			{Field: "account.ntDomain", Path: "userAccount.domainName"},
			{Field: "account.sid", Path: "userAccount.userSid"},
			{Field: "account.userPrincipalName", Path: "userAccount.userPrincipalName"},
			{Field: "account.displayName", Path: "userAccount.displayName"},
		}},
		{Kind: security.MailMessage, Type: evidenceType("analyzedMessage"), Props: []shape.Prop{
			{Field: "networkMessageId", Path: "networkMessageId"},
			{Field: "internetMessageId", Path: "internetMessageId"},
			{Field: "subject", Path: "subject"},
			{Field: "recipient", Path: "recipientEmailAddress"},
			{Field: "senderIP", Path: "senderIp"},
			{Field: "p1Sender", Path: "p1Sender.emailAddress"},
			{Field: "p1SenderDisplayName", Path: "p1Sender.displayName"},
			{Field: "p1SenderDomain", Path: "p1Sender.domainName"},
			{Field: "p2Sender", Path: "p2Sender.emailAddress"},
			{Field: "p2SenderDisplayName", Path: "p2Sender.displayName"},
			{Field: "p2SenderDomain", Path: "p2Sender.domainName"},
			{Field: "deliveryAction", Path: "deliveryAction"},
			{Field: "deliveryLocation", Path: "deliveryLocation"},
			{Field: "antispamDirection", Path: "antiSpamDirection"},
			{Field: "language", Path: "language"},
			{Field: "urls", Path: "urls", As: shape.List},
			{Field: "urlCount", Path: "urlCount", As: shape.Number},
			{Field: "attachmentCount", Path: "attachmentsCount", As: shape.Number},
			{Field: "threats", Path: "threats", As: shape.List},
			{Field: "threatDetectionMethods", Path: "threatDetectionMethods", As: shape.List},
			{Field: "receiveDate", Path: "receivedDateTime", As: shape.Time},
			{Field: "urn", Path: "urn"},
		}},
		{Kind: security.MailCluster, Type: evidenceType("mailCluster"), Props: []shape.Prop{
			{Field: "clusterBy", Path: "clusterBy"}, {Field: "clusterByValue", Path: "clusterByValue"},
			{Field: "mailCount", Path: "emailCount", As: shape.Number},
			{Field: "networkMessageIds", Path: "networkMessageIds", As: shape.List},
			{Field: "query", Path: "query"}, {Field: "urn", Path: "urn"},
		}},
		{Kind: security.RegistryKey, Type: evidenceType("registryKey"), Props: []shape.Prop{
			{Field: "hive", Path: "registryHive"}, {Field: "key", Path: "registryKey"},
		}},
		{Kind: security.RegistryValue, Type: evidenceType("registryValue"), Props: []shape.Prop{
			{Field: "key.hive", Path: "registryHive"}, {Field: "key.key", Path: "registryKey"},
			{Field: "valueName", Path: "registryValueName"}, {Field: "valueData", Path: "registryValue"},
			{Field: "valueType", Path: "registryValueType"}, {Field: "host.mdeDeviceId", Path: "mdeDeviceId"},
		}},
		{Kind: security.SecurityGroup, Type: evidenceType("securityGroup"), Props: []shape.Prop{
			{Field: "displayName", Path: "displayName"}, {Field: "securityGroupId", Path: "securityGroupId"},
			{Field: "sid", Path: "sid"}, {Field: "distinguishedName", Path: "distinguishedName"},
			{Field: "friendlyName", Path: "friendlyName"}, {Field: "objectGuid", Path: "activeDirectoryObjectGuid"},
		}},
		{Kind: security.CloudApplication, Type: evidenceType("cloudApplication"), Props: []shape.Prop{
			{Field: "appId", Path: "appId", As: shape.Number}, {Field: "appName", Path: "displayName"},
			{Field: "instanceId", Path: "instanceId", As: shape.Number}, {Field: "instanceName", Path: "instanceName"},
			{Field: "saasAppId", Path: "saasAppId", As: shape.Number},
		}},
		{Kind: security.OAuthApplication, Type: evidenceType("oauthApplication"), Props: []shape.Prop{
			{Field: "appId", Path: "appId"}, {Field: "appName", Path: "displayName"},
			{Field: "objectId", Path: "objectId"}, {Field: "publisher", Path: "publisher"},
		}},
		{Kind: security.AzureResource, Type: evidenceType("azureResource"), Props: []shape.Prop{
			{Field: "resourceId", Path: "resourceId"}, {Field: "resourceName", Path: "resourceName"},
			{Field: "resourceType", Path: "resourceType"},
		}},
		{Kind: security.Malware, Type: evidenceType("malware"), Props: []shape.Prop{
			{Field: "malwareName", Path: "name"}, {Field: "category", Path: "category"},
		}, Parts: []shape.Part{
			{Name: "files", Path: "files", Many: true, Kind: security.File},
			{Name: "processes", Path: "processes", Many: true, Kind: security.Process},
		}},
		{Kind: security.DNS, Type: evidenceType("dns"), Props: []shape.Prop{{Field: "domainName", Path: "domainName"}}, Parts: []shape.Part{
			{Name: "dnsServerIp", Path: "dnsServerIp", Kind: security.IP},
			{Name: "hostIpAddress", Path: "hostIpAddress", Kind: security.IP},
			{Name: "ipAddresses", Path: "ipAddresses", Many: true, Kind: security.IP},
		}},
		{Kind: security.SubmissionMail, Type: evidenceType("submissionMail"), Props: []shape.Prop{
			{Field: "networkMessageId", Path: "networkMessageId"}, {Field: "recipient", Path: "recipient"},
			{Field: "reportType", Path: "reportType"}, {Field: "sender", Path: "sender"}, {Field: "senderIp", Path: "senderIp"},
			{Field: "subject", Path: "subject"}, {Field: "submissionDate", Path: "submissionDateTime", As: shape.Time},
			{Field: "submissionId", Path: "submissionId"}, {Field: "submitter", Path: "submitter"},
		}},
		{Kind: security.CloudLogonReq, Type: evidenceType("cloudLogonRequest"), Props: []shape.Prop{{Field: "requestId", Path: "requestId"}}},
		{Kind: security.CloudLogonSess, Type: evidenceType("cloudLogonSession"), Props: []shape.Prop{
			{Field: "sessionId", Path: "sessionId"}, {Field: "userAgent", Path: "userAgent"}, {Field: "browser", Path: "browser"},
			{Field: "operatingSystem", Path: "operatingSystem"}, {Field: "deviceName", Path: "deviceName"}, {Field: "protocol", Path: "protocol"},
			{Field: "startTimeUtc", Path: "startUtcDateTime", As: shape.Time},
			{Field: "previousLogonTime", Path: "previousLogonDateTime", As: shape.Time},
		}, Parts: []shape.Part{{Name: "account", Path: "account", Kind: security.Account}}},
	},
}

var detectionStatuses = []string{"detected", "blocked", "prevented"}

// accountProps is a userAccount object at a path.
func accountProps(path, field string) []shape.Prop {
	return []shape.Prop{
		{Field: field + "accountName", Path: path + "accountName"},
		{Field: field + "ntDomain", Path: path + "domainName"},
		{Field: field + "sid", Path: path + "userSid"},
		{Field: field + "aadUserId", Path: path + "azureAdUserId"},
		{Field: field + "@upn", Path: path + "userPrincipalName"},
		{Field: field + "displayName", Path: path + "displayName"},
		{Field: field + "objectGuid", Path: path + "activeDirectoryObjectGuid"},
		{Field: field + "aadTenantId", Path: path + "tenantId"},
	}
}

// fileProps is a fileDetails object at a path.
func fileProps(path, field string) []shape.Prop {
	return []shape.Prop{
		{Field: field + "fileName", Path: path + "fileName"},
		{Field: field + "directory", Path: path + "filePath"},
		{Field: field + "fileSize", Path: path + "fileSize", As: shape.Number},
		{Field: field + "filePublisher", Path: path + "filePublisher"},
		{Field: field + "signer", Path: path + "signer"},
		{Field: field + "issuer", Path: path + "issuer"},
		{Field: field + "#MD5", Path: path + "md5"},
		{Field: field + "#SHA1", Path: path + "sha1"},
		{Field: field + "#SHA256", Path: path + "sha256"},
		{Field: field + "#SHA256AC", Path: path + "sha256Ac"},
	}
}

func join(lists ...[]shape.Prop) (out []shape.Prop) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// base are the members that every evidence has beside its entity's.
var base = []string{"createdDateTime", "verdict", "remediationStatus", "remediationStatusDetails", "roles", "detailedRoles", "tags"}

// readEvidence reads one member of an alert's evidence.
func readEvidence(r *shape.Reader, object map[string]any) (security.Evidence, bool) {
	text := func(name string) string { s, _ := object[name].(string); return s }
	ev := security.Evidence{
		Created:           ticks(text("createdDateTime")),
		Verdict:           security.Verdicts.Or(text("verdict"), text("verdict")),
		RemediationStatus: security.RemediationStatuses.Or(text("remediationStatus"), text("remediationStatus")),
		RemediationDetail: text("remediationStatusDetails"),
		Roles:             texts(object["roles"]),
		DetailedRoles:     texts(object["detailedRoles"]),
		Tags:              texts(object["tags"]),
	}
	inner := make(map[string]any, len(object))
	for name, v := range object {
		inner[name] = v
	}
	for _, name := range base {
		delete(inner, name)
	}
	var ok bool
	ev.Entity, ok = r.Entity(inner, "Unknown")
	return ev, ok
}

// writeEvidence lays one piece of evidence of an alert out; evidence without a
// time has the alert's.
func writeEvidence(ev security.Evidence, alert schema.Ticks, v View) map[string]any {
	if ev.Created == 0 {
		ev.Created = alert
	}
	out := dialect.Write(ev.Entity)
	out["createdDateTime"] = ev.Created.String()
	out["verdict"] = v.value(security.Verdicts, ev.Verdict, "unknown")
	out["remediationStatus"] = v.value(security.RemediationStatuses, ev.RemediationStatus, "none")
	out["remediationStatusDetails"] = nullable(ev.RemediationDetail)
	roles := []string{}
	for _, r := range ev.Roles {
		roles = append(roles, v.value(security.EvidenceRoles, r, "unknown"))
	}
	out["roles"] = roles
	out["detailedRoles"] = list(ev.DetailedRoles)
	out["tags"] = list(ev.Tags)
	return out
}

func texts(v any) (out []string) {
	values, _ := v.([]any)
	for _, one := range values {
		if s, ok := one.(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

func ticks(text string) schema.Ticks {
	if text == "" {
		return 0
	}
	t, err := schema.ParseTicks(text)
	if err != nil {
		return 0
	}
	return t
}
