package sample

import (
	"lockstep/schema"
)

// This file writes rows of the Identity* tables, CloudAppEvents, SigninLogs,
// AuditLogs, OfficeActivity and IdentityInfo.

// application is a cloud application; the first id is the one that Defender
// for Cloud Apps gives it, the second its Entra application id.
type application struct {
	name  string
	id    int64
	appID string
}

var applications = []application{
	{"Microsoft Exchange Online", 20893, "00000002-0000-0ff1-ce00-000000000000"},
	{"Microsoft SharePoint Online", 20892, "00000003-0000-0ff1-ce00-000000000000"},
	{"Microsoft OneDrive for Business", 15600, "6a9b9266-8161-4a7b-913a-a9eda19da220"},
	{"Microsoft Teams", 28375, "1fec8e78-bce4-4aaf-ab1b-5451cc387264"},
	{"Microsoft Azure", 12260, "797f4846-ba00-4fd7-ba43-dac1f8f63013"},
	{"Microsoft 365", 11161, "89bee1f7-5e6e-4d8a-9f3d-ecd601259da7"},
}

const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"

// site is from where a cloud action comes.
type site struct {
	ip, city, state, country, carrier string
	anonymous                         bool // Tor or an anonymizer
}

// siteOf is where a person works at a time.
func siteOf(p *person, t schema.Ticks) site {
	return site{ip: p.seenFrom(t), city: p.city, state: p.state, country: p.country, carrier: "Lakeside Broadband"}
}

func (w *world) identityLogonRow(l *line, action, app, kind, protocol, failure string, p *person, s site, from, to *device, x, y uint64) {
	l.text("ActionType", action)
	l.text("Application", app)
	l.text("LogonType", kind)
	l.text("Protocol", protocol)
	l.text("FailureReason", failure)
	l.fixed(p.asAccount)
	l.text("AccountDisplayName", p.name)
	if from != nil {
		l.text("DeviceName", from.name)
		l.fixed(`"DeviceType":"Desktop",`)
		l.text("OSPlatform", from.platform)
		l.text("IPAddress", from.ip)
	} else {
		l.text("IPAddress", s.ip)
		l.text("Location", s.country)
		l.text("Isp", s.carrier)
	}
	if to != nil {
		l.text("DestinationDeviceName", to.name)
		l.text("DestinationIPAddress", to.ip)
		l.fixed(`"DestinationPort":88,`)
		l.json("AdditionalFields", `{"TO.DEVICE":"`+to.host+`","ACTOR.ACCOUNT":"`+p.account+`"}`)
	}
	l.guid("ReportId", x, y)
}

func (w *world) identityQueryRow(l *line, action, kind, target, query string, p *person, from, to *device, x, y uint64) {
	l.text("ActionType", action)
	l.fixed(`"Application":"Active Directory",`)
	l.text("QueryType", kind)
	l.text("QueryTarget", target)
	l.text("Query", query)
	l.text("Protocol", map[string]string{"DNS query": "Dns", "LDAP query": "Ldap", "SAMR query": "Samr"}[action])
	if p != nil {
		l.fixed(p.asAccount)
		l.text("AccountDisplayName", p.name)
	}
	l.text("DeviceName", from.name)
	l.text("IPAddress", from.ip)
	l.long("Port", int64(49152+x%16000))
	l.text("DestinationDeviceName", to.name)
	l.text("DestinationIPAddress", to.ip)
	l.long("DestinationPort", map[string]int64{"DNS query": 53, "LDAP query": 389, "SAMR query": 445}[action])
	l.json("AdditionalFields", `{"Count":"1","FROM.DEVICE":"`+from.host+`","TO.DEVICE":"`+to.host+`"}`)
	l.guid("ReportId", x, y)
}

func (w *world) directoryRow(l *line, action string, p *person, target *person, at *device, extra string, x, y uint64) {
	l.text("ActionType", action)
	l.fixed(`"Application":"Active Directory",`)
	if p != nil {
		l.fixed(p.asAccount)
		l.text("AccountDisplayName", p.name)
	}
	if target != nil {
		l.text("TargetAccountUpn", target.upn)
		l.text("TargetAccountDisplayName", target.name)
	}
	if at != nil {
		l.text("DeviceName", at.name)
		l.text("IPAddress", at.ip)
	}
	l.text("DestinationDeviceName", w.company.servers[0].name)
	l.json("AdditionalFields", extra)
	l.guid("ReportId", x, y)
}

func (w *world) cloudAppRow(l *line, action string, p *person, app application, s site, object, extra string, admin bool, x, y uint64) {
	l.text("ActionType", action)
	l.text("Application", app.name)
	l.long("ApplicationId", app.id)
	l.fixed(`"AppInstanceId":0,"AccountType":"Regular","ActivityType":"Basic","IsExternalUser":false,"IsImpersonated":false,`)
	l.text("AccountObjectId", p.objectID)
	l.text("AccountId", p.objectID)
	l.text("AccountDisplayName", p.name)
	l.flag("IsAdminOperation", admin)
	l.fixed(`"DeviceType":"Desktop","OSPlatform":"Windows 10",`)
	l.text("IPAddress", s.ip)
	l.flag("IsAnonymousProxy", s.anonymous)
	l.text("CountryCode", s.country)
	l.text("City", s.city)
	l.text("Isp", s.carrier)
	l.text("UserAgent", browser)
	l.name("ActivityObjects")
	l.b = append(l.b, `[{"Type":"User","Role":"Actor","Name":`...)
	l.quoted(p.name)
	l.b = append(l.b, `,"Id":"`...)
	l.b = append(l.b, p.objectID...)
	l.b = append(l.b, `"}],`...)
	l.text("ObjectName", object)
	l.name("RawEventData")
	l.b = append(l.b, `{"Operation":`...)
	l.quoted(action)
	l.b = append(l.b, `,"UserId":`...)
	l.quoted(p.upn)
	l.b = append(l.b, `,"ClientIP":"`...)
	l.b = append(l.b, s.ip...)
	l.b = append(l.b, '"')
	if extra != "" {
		l.b = append(l.b, ',')
		l.b = append(l.b, extra...)
	}
	l.b = append(l.b, `},"AdditionalFields":{},`...)
	l.guid("ReportId", x, y)
}

// signin is a sign-in to Entra ID.
type signin struct {
	who      *person
	app      application
	site     site
	code     int64 // 0 = success
	reason   string
	client   string
	risk     string // RiskLevelDuringSignIn; "" = none
	riskType string
	mfa      bool
	managed  bool
	id, corr [2]uint64
}

func (w *world) signinRow(l *line, t schema.Ticks, s signin) {
	l.fixed(`"SourceSystem":"Azure AD","OperationName":"Sign-in activity","OperationVersion":"1.0","Category":"SignInLogs","Resource":"Microsoft.aadiam","ResourceGroup":"Microsoft.aadiam","Level":"4",`)
	l.text("ResourceId", "/tenants/"+w.company.tenantID+"/providers/Microsoft.aadiam")
	l.name("ResultType")
	l.b = append(l.b, '"')
	l.b = appendInt(l.b, s.code)
	l.b = append(l.b, '"', ',')
	l.text("ResultDescription", s.reason)
	l.guid("CorrelationId", s.corr[0], s.corr[1])
	l.text("Identity", s.who.name)
	l.text("Location", s.site.country)
	l.text("AppDisplayName", s.app.name)
	l.text("AppId", s.app.appID)
	requirement := "singleFactorAuthentication"
	if s.mfa {
		requirement = "multiFactorAuthentication"
	}
	l.text("AuthenticationRequirement", requirement)
	l.text("ClientAppUsed", s.client)
	l.fixed(`"ConditionalAccessPolicies":[{"id":"b7c1f0a2-6d2e-4a55-9c0e-7f5b1d4e9a10","displayName":"Ask for a second factor","result":"success"}],"ConditionalAccessStatus":"success",`)
	l.at("CreatedDateTime", t)
	l.name("DeviceDetail")
	if s.managed {
		l.b = append(l.b, `{"deviceId":"`...)
		l.b = append(l.b, s.who.device.aadID...)
		l.b = append(l.b, `","displayName":"`...)
		l.b = append(l.b, s.who.device.host...)
		l.b = append(l.b, `","operatingSystem":"Windows10","browser":"Edge 126.0.0","isCompliant":true,"isManaged":true,"trustType":"Hybrid Azure AD joined"},`...)
	} else {
		l.b = append(l.b, `{"deviceId":"","operatingSystem":"Windows10","browser":"Chrome 126.0.0"},`...)
	}
	l.fixed(`"IsInteractive":true,`)
	l.guid("Id", s.id[0], s.id[1])
	l.text("IPAddress", s.site.ip)
	l.name("LocationDetails")
	l.b = append(l.b, `{"city":"`+s.site.city+`","state":"`+s.site.state+`","countryOrRegion":"`+s.site.country+`"},`...)
	risk, state := s.risk, "atRisk"
	if risk == "" {
		risk, state = "none", "none"
	}
	l.text("RiskLevelDuringSignIn", risk)
	l.text("RiskLevelAggregated", risk)
	l.text("RiskState", state)
	if s.riskType == "" {
		l.fixed(`"RiskEventTypes":"[]","RiskEventTypes_V2":"[]",`)
	} else {
		l.text("RiskEventTypes_V2", `["`+s.riskType+`"]`)
	}
	l.fixed(`"ResourceDisplayName":"Microsoft Graph","ResourceIdentity":"00000003-0000-0000-c000-000000000000",`)
	l.name("Status")
	l.b = append(l.b, `{"errorCode":`...)
	l.b = appendInt(l.b, s.code)
	if s.reason != "" {
		l.b = append(l.b, `,"failureReason":`...)
		l.quoted(s.reason)
	}
	l.b = append(l.b, '}', ',')
	l.text("UserAgent", browser)
	l.text("UserDisplayName", s.who.name)
	l.text("UserId", s.who.objectID)
	l.text("UserPrincipalName", s.who.upn)
	l.text("AADTenantId", w.company.tenantID)
	l.fixed(`"UserType":"Member","TokenIssuerType":"AzureAD","CrossTenantAccessType":"none",`)
	l.text("ResourceTenantId", w.company.tenantID)
	l.text("HomeTenantId", w.company.tenantID)
}

// audit is a change in the directory.
type audit struct {
	operation, category, service string
	by                           *person
	ip                           string
	target, targetType, targetID string
	changes                      string // JSON array of modified properties
	x, y                         uint64
}

func (w *world) auditRow(l *line, t schema.Ticks, a audit) {
	l.fixed(`"SourceSystem":"Azure AD","OperationVersion":"1.0","Resource":"Microsoft.aadiam","ResourceGroup":"Microsoft.aadiam","Level":"4","Result":"success",`)
	l.text("ResourceId", "/tenants/"+w.company.tenantID+"/providers/Microsoft.aadiam")
	l.text("OperationName", a.operation)
	l.text("ActivityDisplayName", a.operation)
	l.text("Category", a.category)
	l.text("LoggedByService", a.service)
	l.guid("CorrelationId", a.x, a.y)
	l.guid("Id", a.y, a.x)
	l.at("ActivityDateTime", t)
	l.text("Identity", a.by.name)
	l.json("InitiatedBy", `{"user":{"id":"`+a.by.objectID+`","displayName":`+quote(a.by.name)+`,"userPrincipalName":"`+a.by.upn+`","ipAddress":"`+a.ip+`"}}`)
	changes := a.changes
	if changes == "" {
		changes = "[]"
	}
	l.json("TargetResources", `[{"id":"`+a.targetID+`","displayName":`+quote(a.target)+`,"type":"`+a.targetType+`","modifiedProperties":`+changes+`}]`)
	l.json("AdditionalDetails", `[{"key":"User-Agent","value":`+quote(browser)+`}]`)
	l.text("AADTenantId", w.company.tenantID)
	l.text("AADOperationType", "Update")
}

// office is an action in Exchange, SharePoint, OneDrive or Teams.
type office struct {
	operation, record, workload string
	who                         *person
	ip                          string
	object                      string
	fields                      string // further fields, ready to print
	x, y                        uint64
}

func (w *world) officeRow(l *line, t schema.Ticks, o office) {
	l.fixed(`"SourceSystem":"OfficeActivityManager","UserType":"Regular","ResultStatus":"Succeeded","ExternalAccess":"False",`)
	l.text("RecordType", o.record)
	l.text("Operation", o.operation)
	l.text("OfficeWorkload", o.workload)
	l.text("OrganizationId", w.company.tenantID)
	l.text("OrganizationName", mailDomain)
	l.text("UserId", o.who.upn)
	l.text("UserKey", o.who.objectID)
	l.text("ClientIP", o.ip)
	l.text("UserAgent", browser)
	l.text("OfficeObjectId", o.object)
	l.fixed(o.fields)
	l.at("Start_Time", t)
	l.guid("OfficeId", o.x, o.y)
	l.guid("SourceRecordId", o.x, o.y)
}

func (w *world) identityInfoRow(l *line, p *person) {
	l.text("AccountName", p.account)
	l.text("AccountDomain", ntDomain)
	l.text("AccountUPN", p.upn)
	l.text("AccountSID", p.sid)
	l.text("AccountObjectId", p.objectID)
	l.text("AccountTenantId", w.company.tenantID)
	l.text("AccountDisplayName", p.name)
	l.text("GivenName", p.given)
	l.text("Surname", p.family)
	l.text("MailAddress", p.upn)
	l.text("Department", p.department)
	l.text("JobTitle", p.title)
	l.text("City", p.city)
	l.text("Country", p.country)
	l.text("CompanyName", companyName)
	l.fixed(`"IsAccountEnabled":true,"UserType":"Member","SourceSystem":"UEBA","GroupMembership":["Everyone"],"AssignedRoles":[],`)
	l.flag("IsServiceAccount", p.title == "Service account")
}
