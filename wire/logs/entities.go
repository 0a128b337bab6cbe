package logs

import (
	"strings"

	"lockstep/fault"
	"lockstep/security"
	"lockstep/wire/shape"
)

// version3 is the layout of entities inside SecurityAlert.Entities and
// AlertEvidence.AdditionalFields. Source: facts 10.2 and recorded rows.
var version3 = &shape.Dialect{
	Discriminator: "Type",
	KindOf:        kindOf,
	TypeOf:        typeOf,
	Ignore:        []string{"MergeByKey", "MergeByKeyHex"},
	Layouts: []shape.Layout{
		{Kind: security.Account, Type: "account", Props: []shape.Prop{
			{Field: "accountName", Path: "AccountName", Read: true}, // Name holds a display name where both stand
			{Field: "accountName", Path: "Name"},
			{Field: "ntDomain", Path: "NTDomain"}, {Field: "ntDomain", Path: "DomainName", Read: true},
			{Field: "upnSuffix", Path: "UPNSuffix"}, {Field: "dnsDomain", Path: "DnsDomain"},
			{Field: "userPrincipalName", Path: "UserPrincipalName"}, {Field: "userPrincipalName", Path: "Upn", Read: true},
			{Field: "displayName", Path: "DisplayName"}, {Field: "sid", Path: "Sid"},
			{Field: "aadUserId", Path: "AadUserId"}, {Field: "aadTenantId", Path: "AadTenantId"}, {Field: "puid", Path: "PUID"},
			{Field: "objectGuid", Path: "ObjectGuid"}, {Field: "isDomainJoined", Path: "IsDomainJoined", As: shape.Bool},
		}, Parts: []shape.Part{{Name: "host", Path: "Host", Kind: security.Host}}},
		{Kind: security.Host, Type: "host", Props: []shape.Prop{
			{Field: "hostName", Path: "HostName"}, {Field: "dnsDomain", Path: "DnsDomain"}, {Field: "ntDomain", Path: "NTDomain"},
			{Field: "@fqdn", Path: "FQDN"}, {Field: "netBiosName", Path: "NetBiosName"},
			{Field: "mdeDeviceId", Path: "MdatpDeviceId"}, {Field: "mdeDeviceId", Path: "MachineId", Read: true},
			{Field: "aadDeviceId", Path: "AadDeviceId"}, {Field: "azureID", Path: "AzureID"}, {Field: "omsAgentID", Path: "OMSAgentID"},
			{Field: "osFamily", Path: "OSFamily"}, {Field: "osVersion", Path: "OSVersion"}, {Field: "osBuild", Path: "OsBuild"},
			{Field: "osPlatform", Path: "OSPlatform"},
			{Field: "isDomainJoined", Path: "IsDomainJoined", As: shape.Bool},
			{Field: "riskScore", Path: "RiskScore"}, {Field: "healthStatus", Path: "HealthStatus"},
			{Field: "onboardingStatus", Path: "OnboardingStatus"}, {Field: "defenderAvStatus", Path: "AvStatus"},
			{Field: "rbacGroupName", Path: "RbacGroupName"}, {Field: "rbacGroupId", Path: "RbacGroupId"},
			{Field: "firstSeen", Path: "FirstSeenDateTime", As: shape.Time}, {Field: "lastSeen", Path: "LastSeen", As: shape.Time},
			{Field: "lastIpAddress", Path: "LastIpAddress.Address"}, {Field: "lastExternalIpAddress", Path: "LastExternalIpAddress.Address"},
			{Field: "lastIpAddress", Path: "LastIpAddress", Read: true}, {Field: "lastExternalIpAddress", Path: "LastExternalIpAddress", Read: true},
		}, Parts: []shape.Part{{Name: "ipInterfaces", Path: "IpInterfaces", Many: true, Kind: security.IP}}},
		{Kind: security.IP, Type: "ip", Props: []shape.Prop{
			{Field: "address", Path: "Address"},
			{Field: "countryCode", Path: "Location.CountryCode"}, {Field: "countryName", Path: "Location.CountryName"},
			{Field: "state", Path: "Location.State"}, {Field: "city", Path: "Location.City"},
			{Field: "latitude", Path: "Location.Latitude", As: shape.Real}, {Field: "longitude", Path: "Location.Longitude", As: shape.Real},
			{Field: "asn", Path: "Location.Asn", As: shape.Number},
			{Field: "carrier", Path: "Location.Carrier"}, {Field: "organization", Path: "Location.Organization"},
		}},
		{Kind: security.URL, Type: "url", Props: []shape.Prop{{Field: "url", Path: "Url"}}},
		{Kind: security.File, Type: "file", Props: []shape.Prop{
			{Field: "fileName", Path: "Name"}, {Field: "directory", Path: "Directory"},
			{Field: "fileSize", Path: "SizeInBytes", As: shape.Number}, {Field: "filePublisher", Path: "Publisher"},
			{Field: "signer", Path: "Signer"}, {Field: "issuer", Path: "Issuer"}, {Field: "detectionStatus", Path: "DetectionStatus"},
		}, Parts: []shape.Part{
			{Name: "fileHashes", Path: "FileHashes", Many: true, Kind: security.FileHash},
			{Name: "host", Path: "Host", Kind: security.Host},
		}},
		{Kind: security.FileHash, Type: "filehash", Props: []shape.Prop{{Field: "algorithm", Path: "Algorithm", Values: []string{"MD5", "SHA1", "SHA256", "SHA256AC", "Unknown"}}, {Field: "hashValue", Path: "Value"}}},
		{Kind: security.Process, Type: "process", Props: []shape.Prop{
			{Field: "processId", Path: "ProcessId"}, {Field: "commandLine", Path: "CommandLine"},
			{Field: "creationTimeUtc", Path: "CreationTimeUtc", As: shape.Time}, {Field: "elevationToken", Path: "ElevationToken"},
			{Field: "detectionStatus", Path: "DetectionStatus"},
		}, Parts: []shape.Part{
			{Name: "imageFile", Path: "ImageFile", Kind: security.File},
			{Name: "parentProcess", Path: "ParentProcess", Kind: security.Process},
			{Name: "account", Path: "Account", Kind: security.Account},
			{Name: "host", Path: "Host", Kind: security.Host},
		}},
		{Kind: security.Mailbox, Type: "mailbox", Props: []shape.Prop{
			{Field: "mailboxPrimaryAddress", Path: "MailboxPrimaryAddress"}, {Field: "displayName", Path: "DisplayName"}, {Field: "upn", Path: "Upn"},
			{Field: "externalDirectoryObjectId", Path: "AadId"}, {Field: "externalDirectoryObjectId", Path: "ExternalDirectoryObjectId", Read: true},
			{Field: "account.accountName", Path: "AccountName"}, {Field: "account.ntDomain", Path: "DomainName"}, {Field: "account.sid", Path: "UserSid"},
			{Field: "riskLevel", Path: "RiskLevel"},
		}},
		{Kind: security.MailMessage, Type: "mailMessage", Props: []shape.Prop{
			{Field: "recipient", Path: "Recipient"}, {Field: "subject", Path: "Subject"},
			{Field: "networkMessageId", Path: "NetworkMessageId"}, {Field: "internetMessageId", Path: "InternetMessageId"},
			{Field: "senderIP", Path: "SenderIP"},
			{Field: "p1Sender", Path: "P1Sender"}, {Field: "p1SenderDisplayName", Path: "P1SenderDisplayName"}, {Field: "p1SenderDomain", Path: "P1SenderDomain"},
			{Field: "p2Sender", Path: "P2Sender"}, {Field: "p2SenderDisplayName", Path: "P2SenderDisplayName"}, {Field: "p2SenderDomain", Path: "P2SenderDomain"},
			{Field: "deliveryAction", Path: "DeliveryAction"}, {Field: "deliveryLocation", Path: "DeliveryLocation"},
			{Field: "antispamDirection", Path: "AntispamDirection"}, {Field: "language", Path: "Language"},
			{Field: "receiveDate", Path: "ReceivedDate", As: shape.Time}, {Field: "receiveDate", Path: "ReceiveDate", As: shape.Time, Read: true},
			{Field: "urls", Path: "Urls", As: shape.List}, {Field: "threats", Path: "Threats", As: shape.List},
			{Field: "threatDetectionMethods", Path: "ThreatDetectionMethods", As: shape.List},
			{Field: "urlCount", Path: "UrlCount", As: shape.Number}, {Field: "attachmentCount", Path: "AttachmentCount", As: shape.Number},
			{Field: "urn", Path: "Urn"},
		}},
		{Kind: security.MailCluster, Type: "mailCluster", Props: []shape.Prop{
			{Field: "networkMessageIds", Path: "NetworkMessageIds", As: shape.List}, {Field: "query", Path: "Query"},
			{Field: "mailCount", Path: "MailCount", As: shape.Number}, {Field: "clusterBy", Path: "ClusterBy"}, {Field: "clusterByValue", Path: "ClusterByValue"},
			{Field: "urn", Path: "Urn"}, {Field: "source", Path: "Source"}, {Field: "clusterGroup", Path: "ClusterGroup"},
			{Field: "clusterSourceIdentifier", Path: "ClusterSourceIdentifier"}, {Field: "clusterSourceType", Path: "ClusterSourceType"},
			{Field: "clusterQueryStartTime", Path: "ClusterQueryStartTime", As: shape.Time}, {Field: "clusterQueryEndTime", Path: "ClusterQueryEndTime", As: shape.Time},
			{Field: "queryTime", Path: "QueryTime", As: shape.Time}, {Field: "threats", Path: "Threats", As: shape.List},
		}},
		{Kind: security.CloudApplication, Type: "cloud-application", Props: []shape.Prop{
			{Field: "appId", Path: "AppId", As: shape.Number}, {Field: "appName", Path: "Name"}, {Field: "saasAppId", Path: "SaasId", As: shape.Number},
			{Field: "instanceName", Path: "InstanceName"}, {Field: "instanceId", Path: "InstanceId", As: shape.Number},
		}},
		{Kind: security.OAuthApplication, Type: "oauth-application", Props: []shape.Prop{
			{Field: "appId", Path: "OAuthAppId"}, {Field: "objectId", Path: "OAuthObjectId"}, {Field: "appName", Path: "Name"}, {Field: "publisher", Path: "PublisherName"},
		}},
		{Kind: security.AzureResource, Type: "azure-resource", Props: []shape.Prop{
			{Field: "resourceId", Path: "ResourceId"}, {Field: "resourceName", Path: "ResourceName"}, {Field: "resourceType", Path: "ResourceType"},
			{Field: "subscriptionId", Path: "SubscriptionId"},
		}},
		{Kind: security.RegistryKey, Type: "registry-key", Props: []shape.Prop{{Field: "hive", Path: "Hive"}, {Field: "key", Path: "Key"}}},
		{Kind: security.RegistryValue, Type: "registry-value", Props: []shape.Prop{
			{Field: "valueName", Path: "Name"}, {Field: "valueData", Path: "Value"}, {Field: "valueType", Path: "ValueType"},
		}, Parts: []shape.Part{{Name: "key", Path: "Key", Kind: security.RegistryKey}, {Name: "host", Path: "Host", Kind: security.Host}}},
		{Kind: security.SecurityGroup, Type: "security-group", Props: []shape.Prop{
			{Field: "distinguishedName", Path: "DistinguishedName"}, {Field: "sid", Path: "SID"}, {Field: "objectGuid", Path: "ObjectGuid"},
			{Field: "displayName", Path: "DisplayName"}, {Field: "securityGroupId", Path: "SecurityGroupId"}, {Field: "friendlyName", Path: "FriendlyName"},
		}},
		{Kind: security.SubmissionMail, Type: "submissionMail", Props: []shape.Prop{
			{Field: "submissionId", Path: "SubmissionId"}, {Field: "submissionDate", Path: "SubmissionDate", As: shape.Time}, {Field: "submitter", Path: "Submitter"},
			{Field: "networkMessageId", Path: "NetworkMessageId"}, {Field: "recipient", Path: "Recipient"}, {Field: "sender", Path: "Sender"},
			{Field: "senderIp", Path: "SenderIp"}, {Field: "subject", Path: "Subject"}, {Field: "reportType", Path: "ReportType"},
		}},
		{Kind: security.Malware, Type: "malware", Props: []shape.Prop{{Field: "malwareName", Path: "Name"}, {Field: "category", Path: "Category"}}, Parts: []shape.Part{
			{Name: "files", Path: "Files", Many: true, Kind: security.File}, {Name: "processes", Path: "Processes", Many: true, Kind: security.Process},
		}},
		{Kind: security.DNS, Type: "dns", Props: []shape.Prop{{Field: "domainName", Path: "DomainName"}}, Parts: []shape.Part{
			{Name: "ipAddresses", Path: "IpAddresses", Many: true, Kind: security.IP},
			{Name: "dnsServerIp", Path: "DnsServerIp", Kind: security.IP}, {Name: "hostIpAddress", Path: "HostIpAddress", Kind: security.IP},
		}},
		{Kind: security.CloudLogonReq, Type: "cloud-logon-request", Props: []shape.Prop{{Field: "requestId", Path: "RequestId"}}},
		{Kind: security.CloudLogonSess, Type: "cloud-logon-session", Props: []shape.Prop{
			{Field: "sessionId", Path: "SessionId"}, {Field: "userAgent", Path: "UserAgent"}, {Field: "startTimeUtc", Path: "StartTimeUtc", As: shape.Time},
			{Field: "browser", Path: "Browser"}, {Field: "operatingSystem", Path: "OperatingSystem"}, {Field: "deviceName", Path: "DeviceName"},
			{Field: "protocol", Path: "Protocol"}, {Field: "previousLogonTime", Path: "PreviousLogonTime", As: shape.Time},
		}, Parts: []shape.Part{{Name: "account", Path: "Account", Kind: security.Account}}},
	},
}

// kindOf names the kind of a type without a layout: blob-container → BlobContainer.
func kindOf(typeName string) security.Kind {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(typeName, func(r rune) bool { return r == '-' || r == ' ' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if b.Len() == 0 {
		return "Unknown"
	}
	return security.Kind(b.String())
}

// typeOf is kindOf's inverse.
func typeOf(kind security.Kind) string {
	var b strings.Builder
	for i, r := range string(kind) {
		if 'A' <= r && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// evidenceMembers say something of the entity's part in the alert, not of the entity.
var evidenceMembers = []string{"LastVerdict", "LastRemediationState", "Roles", "DetailedRoles", "ThreatAnalysisSummary", "RemediationProviders"}

// ReadEntities reads the JSON text of SecurityAlert.Entities: an array whose
// objects may stand for one another by $id and $ref. Text that isn't such an
// array, or holds more than anybody's alert, is a fault of kind Invalid;
// references that lead nowhere or round in circles are left out.
func ReadEntities(text string) ([]security.Evidence, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	list, err := shape.Array([]byte(text))
	if err != nil {
		return nil, err
	}
	r := shape.NewReader(version3, list)
	var out []security.Evidence
	for _, one := range list {
		object, ok := one.(map[string]any)
		if !ok {
			continue
		}
		if ev, ok := readEvidence(r, object); ok {
			out = append(out, ev)
		}
	}
	return out, r.Err()
}

// ReadEntity reads one entity in the same layout: AlertEvidence.AdditionalFields.
func ReadEntity(text string, kind security.Kind) (security.Evidence, error) {
	object, err := shape.Object([]byte(text))
	if err != nil {
		return security.Evidence{}, err
	}
	r := shape.NewReader(version3, object)
	ev, ok := readEvidence(r, object)
	if err := r.Err(); err != nil {
		return ev, err
	}
	if !ok {
		return ev, fault.New(fault.Invalid, "the entity refers to itself or to nothing")
	}
	if ev.Entity.Kind == "" || ev.Entity.Kind == "Unknown" {
		ev.Entity.Kind = kind
	}
	return ev, nil
}

func readEvidence(r *shape.Reader, object map[string]any) (security.Evidence, bool) {
	object, ok := r.Resolve(object)
	if !ok {
		return security.Evidence{}, false
	}
	text := func(name string) string { s, _ := object[name].(string); return s }
	ev := security.Evidence{
		Verdict:           lower(security.Verdicts, text("LastVerdict")),
		RemediationStatus: lower(security.RemediationStatuses, text("LastRemediationState")),
		DetailedRoles:     texts(object["DetailedRoles"]),
	}
	for _, role := range texts(object["Roles"]) {
		ev.Roles = append(ev.Roles, security.EvidenceRoles.Or(role, role))
	}
	inner := make(map[string]any, len(object))
	for name, v := range object {
		inner[name] = v
	}
	for _, name := range evidenceMembers {
		delete(inner, name)
	}
	if at := text("CreatedTimeUtc"); at != "" && ev.Verdict != "" {
		// Beside a verdict this is when the evidence was made; elsewhere when the file or process was.
		if err := ev.Created.UnmarshalText([]byte(at)); err == nil {
			delete(inner, "CreatedTimeUtc")
		}
	}
	ev.Entity, ok = r.Entity(inner, "Unknown")
	ev.Entity = named(ev.Entity)
	return ev, ok
}

// named mends what recorded rows write askew: a display name where the
// account's name belongs, a whole name for a NetBIOS name.
func named(e security.Entity) security.Entity {
	if e.Kind != security.Account || !strings.Contains(e.Field("accountName"), " ") {
		return e
	}
	user, _, ok := strings.Cut(e.Field("userPrincipalName"), "@")
	if !ok {
		return e
	}
	name := e.Field("accountName")
	e = e.With("accountName", user)
	if e.Field("displayName") == "" {
		e = e.With("displayName", name)
	}
	return e
}

// lower reads an enumeration's member as Graph spells it, keeping what it doesn't know.
func lower(e security.Enum, text string) string {
	if v := e.Or(text, text); v != "unknown" {
		return v
	}
	return ""
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

// WriteEntity lays one piece of evidence out as an object of this layout.
func WriteEntity(ev security.Evidence) map[string]any {
	out := version3.Write(ev.Entity)
	if ev.Verdict != "" {
		out["LastVerdict"] = upper(ev.Verdict)
		if ev.Created != 0 {
			out["CreatedTimeUtc"] = ev.Created.String()
		}
	}
	if ev.RemediationStatus != "" && ev.RemediationStatus != "none" {
		out["LastRemediationState"] = upper(ev.RemediationStatus)
	}
	if len(ev.Roles) > 0 {
		roles := make([]string, len(ev.Roles))
		for i, r := range ev.Roles {
			roles[i] = upper(r)
		}
		out["Roles"] = roles
	}
	if len(ev.DetailedRoles) > 0 {
		out["DetailedRoles"] = ev.DetailedRoles
	}
	return out
}

// Members gives an entity's own members in this layout, without its parts and type.
func Members(e security.Entity) map[string]any {
	e.Parts = nil
	out := version3.Write(e)
	delete(out, "Type")
	return out
}

// Fields reads members of an entity of a kind: Members' inverse.
func Fields(kind security.Kind, members map[string]any) security.Entity {
	object := make(map[string]any, len(members)+1)
	for name, v := range members {
		object[name] = v
	}
	delete(object, "$ref")
	object["Type"] = version3.Name(kind)
	e, _ := shape.NewReader(version3, nil).Entity(object, kind)
	return e
}

// WriteEntities lays evidence out as the JSON text of SecurityAlert.Entities,
// each object numbered by $id.
func WriteEntities(evidence []security.Evidence) (string, error) {
	if len(evidence) == 0 {
		return "", nil
	}
	list := make([]any, len(evidence))
	next := 2 // the numbering begins behind the alert itself
	for i, ev := range evidence {
		object := WriteEntity(ev)
		number(object, &next)
		list[i] = object
	}
	return shape.JSON(list)
}

// number gives every typed object an $id.
func number(v any, next *int) {
	switch v := v.(type) {
	case map[string]any:
		if _, typed := v["Type"]; typed {
			v["$id"] = decimal(*next)
			*next++
		}
		for _, name := range sortedNames(v) {
			number(v[name], next)
		}
	case []any:
		for _, one := range v {
			number(one, next)
		}
	}
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
