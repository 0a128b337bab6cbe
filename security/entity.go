package security

import (
	"encoding/json"
	"strings"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// Kind is the kind of an entity, in the ARM API's words (facts 10.2).
type Kind string

// The kinds that have fields of their own. Other kinds keep everything in Extra.
const (
	Account          Kind = "Account"
	AzureResource    Kind = "AzureResource"
	CloudApplication Kind = "CloudApplication"
	DNS              Kind = "DnsResolution"
	File             Kind = "File"
	FileHash         Kind = "FileHash"
	Host             Kind = "Host"
	IP               Kind = "Ip"
	Mailbox          Kind = "Mailbox"
	MailCluster      Kind = "MailCluster"
	MailMessage      Kind = "MailMessage"
	Malware          Kind = "Malware"
	OAuthApplication Kind = "OAuthApplication"
	Process          Kind = "Process"
	RegistryKey      Kind = "RegistryKey"
	RegistryValue    Kind = "RegistryValue"
	SecurityGroup    Kind = "SecurityGroup"
	SubmissionMail   Kind = "SubmissionMail"
	URL              Kind = "Url"
	CloudLogonSess   Kind = "CloudLogonSession"
	CloudLogonReq    Kind = "CloudLogonRequest"
)

// Entity is a thing that alerts are about. Fields carry the ARM property
// names of the kind (accountName, hostName, address, …) plus mdeDeviceId and
// aadDeviceId for hosts; values are text (true/false, decimal numbers, RFC
// 3339 times), never empty. Parts are entities inside it: imageFile,
// parentProcess, account, host, key, fileHashes, files, ipInterfaces … A list of
// plain values (urls, threats) is a field with a JSON array as its text.
type Entity struct {
	Kind   Kind                `json:"kind"`
	Fields map[string]string   `json:"fields,omitempty"`
	Parts  map[string][]Entity `json:"parts,omitempty"`
	Extra  json.RawMessage     `json:"extra,omitempty"` // what the shape carried beside, under its own names
}

// Field gives a field's value, "" if it isn't there.
func (e Entity) Field(name string) string { return e.Fields[name] }

// With returns the entity with a field set; an empty value changes nothing.
func (e Entity) With(name, value string) Entity {
	if value == "" {
		return e
	}
	fields := make(map[string]string, len(e.Fields)+1)
	for k, v := range e.Fields {
		fields[k] = v
	}
	fields[name] = value
	e.Fields = fields
	return e
}

// Part gives the first entity under a part's name.
func (e Entity) Part(name string) (Entity, bool) {
	if p := e.Parts[name]; len(p) > 0 {
		return p[0], true
	}
	return Entity{}, false
}
