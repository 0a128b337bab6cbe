package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"lockstep/schema"
	"lockstep/source"
)

// fields is a JSON object; its keys are written in order of their names.
type fields map[string]any

// compact writes v as one line of JSON, without escaping of <, > and &.
func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("sample: " + err.Error()) // maps of strings, numbers and lists: cannot fail
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// render writes an alert in one of the three shapes.
func (w *world) render(f *finding, shape source.Shape) []byte {
	switch shape {
	case source.Graph:
		return compact(w.graphAlert(f))
	case source.AlertInfo:
		records := []fields{w.record("AlertInfo", f.made, w.infoRow(f))}
		for _, row := range w.evidenceRows(f) {
			records = append(records, w.record("AlertEvidence", f.made, row))
		}
		return compact(fields{"records": records})
	default:
		return compact(w.securityAlertRow(f))
	}
}

// record wraps a row as an Event Hub record.
func (w *world) record(table string, t schema.Ticks, row fields) fields {
	return fields{"time": t, "tenantId": w.company.tenantID, "operationName": "Publish", "category": "AdvancedHunting-" + table, "properties": row}
}

func (w *world) link(f *finding) string {
	return "https://xdr." + mailDomain + "/alerts/" + f.id + "?tid=" + w.company.tenantID
}

// graphAlert is the Graph alert resource. Source: facts 10.1.
func (w *world) graphAlert(f *finding) fields {
	evidence := []fields{}
	for _, p := range f.evidence {
		evidence = append(evidence, w.graphEvidence(f, p)...)
	}
	a := fields{
		"@odata.type": "#microsoft.graph.security.alert", "id": f.id, "providerAlertId": f.provider, "tenantId": w.company.tenantID,
		"status": f.status, "severity": f.severity, "classification": nil, "determination": nil, "assignedTo": nil,
		"serviceSource": f.product.service, "detectionSource": f.product.detection, "productName": f.product.current, "detectorId": f.detector,
		"title": f.title, "description": f.about, "category": f.category, "mitreTechniques": f.techniques,
		"recommendedActions": "Check the entities of this alert, contain what is affected, reset the credentials involved.",
		"alertWebUrl":        w.link(f), "threatDisplayName": optional(f.threat), "threatFamilyName": nil, "actorDisplayName": nil,
		"createdDateTime": f.made, "lastUpdateDateTime": f.updated, "firstActivityDateTime": f.first, "lastActivityDateTime": f.last,
		"resolvedDateTime": nil, "comments": []any{}, "systemTags": []any{}, "evidence": evidence,
	}
	if f.status == "resolved" {
		a["resolvedDateTime"] = f.updated
	}
	return a
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// listed is a list of the value, or an empty one.
func listed(s string) []string {
	if s == "" {
		return []string{}
	}
	return []string{s}
}

// graphEvidence is one piece in Graph's typed form; a sign-in gives two.
func (w *world) graphEvidence(f *finding, p piece) []fields {
	roles := []string{}
	if p.role != "" {
		roles = append(roles, p.role)
	}
	base := func(kind string, more fields) fields {
		more["@odata.type"] = "#microsoft.graph.security." + kind + "Evidence"
		more["createdDateTime"], more["verdict"], more["remediationStatus"], more["remediationStatusDetails"] = f.made, p.judged(), "none", nil
		more["roles"], more["detailedRoles"], more["tags"] = roles, []string{}, []string{}
		return more
	}
	switch {
	case p.device != nil:
		d := p.device
		return []fields{base("device", fields{"mdeDeviceId": d.id, "azureAdDeviceId": d.aadID, "deviceDnsName": d.name, "hostName": d.host, "ntDomain": ntDomain, "dnsDomain": adDomain,
			"osPlatform": d.platform, "osBuild": d.build, "version": d.version, "healthStatus": "active", "riskScore": "high", "rbacGroupName": d.group,
			"onboardingStatus": "onboarded", "defenderAvStatus": "updated", "ipInterfaces": []string{d.ip}, "lastIpAddress": d.ip, "lastExternalIpAddress": officeIP, "loggedOnUsers": []any{}})}
	case p.person != nil:
		return []fields{base("user", fields{"userAccount": userAccount(p.person)})}
	case p.mailbox != nil:
		return []fields{base("mailbox", fields{"primaryAddress": p.mailbox.upn, "displayName": p.mailbox.name, "upn": p.mailbox.upn, "userAccount": userAccount(p.mailbox)})}
	case p.process != nil:
		q := p.process
		e := fields{"processId": q.id, "parentProcessId": q.parentID, "processCommandLine": q.line(), "processCreationDateTime": q.created, "parentProcessCreationDateTime": q.parentCreated,
			"detectionStatus": "detected", "mdeDeviceId": q.device.id, "imageFile": imageDetails(q.program), "parentProcessImageFile": imageDetails(q.parent), "userAccount": userAccount(q.who)}
		return []fields{base("process", e)}
	case p.file != nil:
		return []fields{base("file", fields{"detectionStatus": "detected", "fileDetails": fields{"fileName": p.file.name, "filePath": p.file.folder, "fileSize": p.file.size,
			"sha1": p.file.sha1, "sha256": p.file.sha256, "md5": p.file.md5}})}
	case p.mail != nil:
		m := p.mail
		return []fields{base("analyzedMessage", fields{"networkMessageId": m.id(), "internetMessageId": m.internetID(), "subject": m.subject, "recipientEmailAddress": m.recipient(),
			"senderIp": m.senderIP, "p1Sender": sender(m), "p2Sender": sender(m), "deliveryAction": m.delivery, "deliveryLocation": m.location, "antiSpamDirection": strings.ToLower(m.direction),
			"urls": m.links(), "urlCount": m.urls, "attachmentsCount": m.files, "threats": listed(m.threat), "receivedDateTime": m.at})}
	case p.app != nil:
		return []fields{base("cloudApplication", fields{"appId": p.app.id, "displayName": p.app.name, "instanceId": 0, "instanceName": p.app.name, "saasAppId": p.app.id})}
	case p.oauth != nil:
		return []fields{base("oauthApplication", fields{"appId": p.oauth.appID, "displayName": p.oauth.name, "objectId": p.oauth.objectID, "publisher": "Unknown"})}
	case p.signin != nil:
		s := p.signin
		return []fields{
			base("cloudLogonSession", fields{"sessionId": session(s), "userAgent": browser, "startUtcDateTime": f.first, "account": userAccount(s.who)}),
			base("cloudLogonRequest", fields{"requestId": string(appendGUID(nil, s.id[0], s.id[1]))})}
	case p.ip != "":
		return []fields{base("ip", fields{"ipAddress": p.ip, "countryLetterCode": nil})}
	case p.url != "":
		return []fields{base("url", fields{"url": p.url})}
	default:
		hive, key, _ := strings.Cut(p.key[0], `\`)
		return []fields{base("registryValue", fields{"registryHive": hive, "registryKey": key, "registryValueName": p.key[1], "registryValue": p.key[2], "registryValueType": "string"})}
	}
}

func (p piece) judged() string {
	if p.verdict == "" {
		return "suspicious"
	}
	return p.verdict
}

func session(s *signin) string { return string(appendGUID(nil, s.corr[1], s.id[0])) }

func (m *mail) links() []string {
	out := []string{}
	for k := range m.urls {
		url, _ := m.link(k)
		out = append(out, url)
	}
	return out
}

func sender(m *mail) fields {
	return fields{"emailAddress": m.from, "displayName": m.fromName, "domainName": m.fromDomain}
}

func userAccount(p *person) fields {
	return fields{"accountName": p.account, "domainName": p.domain, "userSid": p.sid, "azureAdUserId": optional(p.objectID), "userPrincipalName": optional(p.upn), "displayName": optional(p.name)}
}

func imageDetails(p *program) fields {
	return fields{"fileName": p.file, "filePath": p.folder, "fileSize": p.size, "filePublisher": optional(p.company), "sha1": p.sha1, "sha256": p.sha256, "md5": p.md5}
}

// infoRow and evidenceRows are the alert as hunting rows. Source: facts 9.3,
// schema of AlertInfo and AlertEvidence, and the recorded tenant's rows.
func (w *world) infoRow(f *finding) fields {
	return fields{"Timestamp": f.first, "AlertId": f.id, "Title": f.title, "Category": f.category, "Severity": capital(f.severity),
		"ServiceSource": f.product.infoService, "DetectionSource": f.product.infoDetection, "AttackTechniques": attackTechniques(f)}
}

func attackTechniques(f *finding) string {
	named := []string{}
	for _, t := range f.techniques {
		named = append(named, techniqueNames[t]+" ("+t+")")
	}
	return string(compact(named))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (w *world) evidenceRows(f *finding) []fields {
	var rows []fields
	for _, p := range f.evidence {
		for _, e := range w.entities(f, p) {
			row := fields{"Timestamp": f.first, "AlertId": f.id, "Title": f.title, "Categories": string(compact([]string{f.category})), "Severity": capital(f.severity),
				"AttackTechniques": attackTechniques(f), "ServiceSource": f.product.infoService, "DetectionSource": f.product.infoDetection,
				"EntityType": evidenceTypes[e["Type"].(string)], "EvidenceRole": "Related"}
			if p.impacted {
				row["EvidenceRole"] = "Impacted"
			}
			if p.role == "source" || p.role == "destination" {
				row["EvidenceDirection"] = capital(p.role)
			}
			for name, v := range p.columns(e["Type"].(string)) {
				if v != "" {
					row[name] = v
				}
			}
			row["AdditionalFields"] = string(compact(e))
			rows = append(rows, row)
		}
	}
	return rows
}

// evidenceTypes maps the entity types of version 3 to AlertEvidence.EntityType.
var evidenceTypes = map[string]string{"host": "Machine", "account": "User", "process": "Process", "file": "File", "ip": "Ip", "url": "Url", "mailMessage": "MailMessage",
	"mailbox": "Mailbox", "cloud-application": "CloudApplication", "oauth-application": "OAuthApplication", "registry-value": "RegistryValue",
	"cloud-logon-session": "CloudLogonSession", "cloud-logon-request": "CloudLogonRequest"}

// columns are the columns of AlertEvidence that a piece fills.
func (p piece) columns(kind string) fields {
	account := func(q *person) fields {
		return fields{"AccountName": q.account, "AccountDomain": q.domain, "AccountSid": q.sid, "AccountObjectId": q.objectID, "AccountUpn": q.upn}
	}
	switch {
	case p.device != nil:
		return fields{"DeviceId": p.device.id, "DeviceName": p.device.name, "LocalIP": p.device.ip}
	case p.person != nil:
		return account(p.person)
	case p.mailbox != nil:
		return fields{"AccountObjectId": p.mailbox.objectID, "AccountUpn": p.mailbox.upn}
	case p.process != nil:
		g := p.process.program
		return fields{"FileName": g.file, "FolderPath": g.folder, "SHA1": g.sha1, "SHA256": g.sha256, "FileSize": g.size, "ProcessCommandLine": p.process.line()}
	case p.file != nil:
		return fields{"FileName": p.file.name, "FolderPath": p.file.folder, "SHA1": p.file.sha1, "SHA256": p.file.sha256, "FileSize": p.file.size}
	case p.mail != nil:
		return fields{"NetworkMessageId": p.mail.id(), "EmailSubject": p.mail.subject, "AccountUpn": p.mail.recipient()}
	case p.app != nil:
		return fields{"Application": p.app.name, "ApplicationId": p.app.id}
	case p.oauth != nil:
		return fields{"Application": p.oauth.name, "OAuthApplicationId": p.oauth.appID}
	case p.ip != "":
		return fields{"RemoteIP": p.ip}
	case p.url != "":
		return fields{"RemoteUrl": p.url}
	case kind == "registry-value":
		_, key, _ := strings.Cut(p.key[0], `\`) // without its hive, as recorded
		return fields{"RegistryKey": key, "RegistryValueName": p.key[1], "RegistryValueData": p.key[2]}
	}
	return nil
}

// entities are the version-3 entities of a piece, without $id. Source: facts
// 10.2, and the recorded tenant's SecurityAlert.Entities.
func (w *world) entities(f *finding, p piece) []fields {
	one := func(kind string, e fields) []fields {
		e["Type"] = kind
		if p.role != "" {
			e["Roles"] = []string{capital(p.role)}
		}
		e["LastVerdict"] = capital(p.judged())
		for name, v := range e {
			if v == "" || v == nil {
				delete(e, name)
			}
		}
		return []fields{e}
	}
	switch {
	case p.device != nil:
		d := p.device
		return one("host", fields{"HostName": d.host, "DnsDomain": adDomain, "NTDomain": ntDomain, "OSFamily": family(d), "OSVersion": d.version, "IsDomainJoined": true,
			"MdatpDeviceId": d.id, "AadDeviceId": d.aadID, "FQDN": d.name, "LastIpAddress": d.ip, "LeadingHost": p.impacted})
	case p.person != nil:
		return one("account", accountEntity(p.person))
	case p.mailbox != nil:
		return one("mailbox", fields{"MailboxPrimaryAddress": p.mailbox.upn, "DisplayName": p.mailbox.name, "Upn": p.mailbox.upn, "AadId": p.mailbox.objectID})
	case p.process != nil:
		return one("process", processEntity(p.process, true))
	case p.file != nil:
		return one("file", fields{"Name": p.file.name, "Directory": p.file.folder, "SizeInBytes": p.file.size, "FileHashes": hashes(p.file.sha1, p.file.sha256, p.file.md5)})
	case p.mail != nil:
		m := p.mail
		return one("mailMessage", fields{"Recipient": m.recipient(), "Sender": m.from, "P1Sender": m.from, "P1SenderDomain": m.fromDomain, "P2Sender": m.from, "P2SenderDisplayName": m.fromName,
			"P2SenderDomain": m.fromDomain, "SenderIP": m.senderIP, "ReceivedDate": m.at, "NetworkMessageId": m.id(), "InternetMessageId": m.internetID(), "Subject": m.subject,
			"DeliveryAction": m.delivery, "DeliveryLocation": m.location, "AntispamDirection": m.direction, "Urls": m.links(), "Threats": listed(m.threat)})
	case p.app != nil:
		return one("cloud-application", fields{"AppId": p.app.id, "SaasId": p.app.id, "Name": p.app.name, "InstanceName": p.app.name, "InstanceId": 0})
	case p.oauth != nil:
		return one("oauth-application", fields{"Name": p.oauth.name, "OAuthAppId": p.oauth.appID, "OAuthObjectId": p.oauth.objectID, "TenantId": w.company.tenantID})
	case p.signin != nil:
		s := p.signin
		return append(one("cloud-logon-session", fields{"SessionId": session(s), "UserAgent": browser, "StartTimeUtc": f.first}),
			one("cloud-logon-request", fields{"RequestId": string(appendGUID(nil, s.id[0], s.id[1]))})...)
	case p.ip != "":
		return one("ip", fields{"Address": p.ip})
	case p.url != "":
		return one("url", fields{"Url": p.url})
	default:
		hive, key, _ := strings.Cut(p.key[0], `\`)
		return one("registry-value", fields{"Name": p.key[1], "Value": p.key[2], "ValueType": "String", "Key": fields{"Type": "registry-key", "Hive": hive, "Key": key}})
	}
}

func family(d *device) string {
	if d.windows() {
		return "Windows"
	}
	return d.platform
}

func accountEntity(p *person) fields {
	e := fields{"Name": p.account, "NTDomain": p.domain, "Sid": p.sid, "AadUserId": p.objectID, "DisplayName": p.name, "IsDomainJoined": true, "UserPrincipalName": p.upn}
	if _, suffix, ok := strings.Cut(p.upn, "@"); ok {
		e["UPNSuffix"] = suffix
	}
	for name, v := range e {
		if v == "" {
			delete(e, name)
		}
	}
	return e
}

func processEntity(q *process, withParent bool) fields {
	e := fields{"ProcessId": strconv.FormatInt(q.id, 10), "CommandLine": q.line(), "CreationTimeUtc": q.created, "ElevationToken": "Default",
		"ImageFile": fields{"Type": "file", "Name": q.program.file, "Directory": q.program.folder, "FileHashes": hashes(q.program.sha1, q.program.sha256, q.program.md5)}}
	if withParent {
		e["ParentProcess"] = fields{"Type": "process", "ProcessId": strconv.FormatInt(q.parentID, 10), "CreationTimeUtc": q.parentCreated,
			"ImageFile": fields{"Type": "file", "Name": q.parent.file, "Directory": q.parent.folder, "FileHashes": hashes(q.parent.sha1, q.parent.sha256, q.parent.md5)}}
	}
	account := accountEntity(q.who)
	account["Type"] = "account"
	e["Account"] = account
	e["Host"] = fields{"Type": "host", "HostName": q.device.host, "DnsDomain": adDomain, "MdatpDeviceId": q.device.id}
	return e
}

func hashes(sha1, sha256, md5 string) []fields {
	return []fields{{"Type": "filehash", "Algorithm": "SHA1", "Value": sha1}, {"Type": "filehash", "Algorithm": "SHA256", "Value": sha256}, {"Type": "filehash", "Algorithm": "MD5", "Value": md5}}
}

// securityAlertRow is the alert as a workspace's SecurityAlert row. Source:
// facts 3.7, and the recorded tenant's rows.
func (w *world) securityAlertRow(f *finding) fields {
	next := 2
	entities := []fields{}
	for _, p := range f.evidence {
		for _, e := range w.entities(f, p) {
			number(e, &next)
			entities = append(entities, e)
		}
	}
	parents, subs := []string{}, []string{}
	for _, t := range f.techniques {
		parent, _, deeper := strings.Cut(t, ".")
		parents = append(parents, parent)
		if deeper {
			subs = append(subs, t)
		}
	}
	extended := fields{"OriginSource": "Microsoft 365 defender", "Category": f.category, "DetectionSource": f.product.detection, "AssignedTo": nil, "Determination": nil, "Classification": nil,
		"ThreatName": optional(f.threat), "DetectorId": f.detector, "LastUpdated": f.updated.Time().Format("1/2/2006 3:04:05 PM"), "ProcessedBySentinel": "True", "Alert generation status": "Full alert created"}
	return fields{"TenantId": w.company.workspaceID, "TimeGenerated": f.updated + 40*schema.Second, "DisplayName": f.title, "AlertName": f.title, "AlertSeverity": capital(f.severity),
		"Description": f.about, "ProviderName": f.product.providerName, "VendorName": "Microsoft", "VendorOriginalId": f.provider, "SystemAlertId": f.system, "AlertType": f.detector,
		"IsIncident": false, "StartTime": f.first, "EndTime": f.last, "ProcessingEndTime": f.updated + 39*schema.Second,
		"RemediationSteps":   `["1. Check the entities of this alert.","2. Contain what is affected.","3. Reset the credentials involved."]`,
		"ExtendedProperties": string(compact(extended)), "Entities": string(compact(entities)), "SourceSystem": "Detection", "ProductName": f.product.productName,
		"AlertLink": w.link(f), "Status": map[string]string{"new": "New", "inProgress": "InProgress", "resolved": "Resolved"}[f.status], "CompromisedEntity": compromised(f),
		"Tactics": f.category, "Techniques": string(compact(parents)), "SubTechniques": string(compact(subs)), "Type": "SecurityAlert"}
}

// number gives each entity its $id, from the outside in.
func number(e fields, next *int) {
	e["$id"] = fmt.Sprint(*next)
	*next++
	for _, name := range []string{"Account", "Host", "ImageFile", "Key", "ParentProcess"} {
		if inner, ok := e[name].(fields); ok {
			number(inner, next)
		}
	}
	if list, ok := e["FileHashes"].([]fields); ok {
		for _, inner := range list {
			number(inner, next)
		}
	}
}

// compromised is SecurityAlert.CompromisedEntity. Source: facts 1.5.
func compromised(f *finding) any {
	switch f.product {
	case identity:
		return "CompromisedEntity"
	case protection:
		for _, p := range f.evidence {
			if p.person != nil {
				return p.person.upn
			}
		}
	case endpoint, antivirus:
		for _, p := range f.evidence {
			if p.device != nil && p.impacted {
				return p.device.host
			}
		}
	}
	return nil
}
