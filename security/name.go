package security

import "sort"

// nameFields says which fields make the name that people read, most telling
// first, a line a kind. Source: the friendlyName of ARM entities.
var nameFields = map[Kind][]string{
	Account:          {"displayName", "userPrincipalName", "accountName", "aadUserId", "sid"},
	Host:             {"hostName", "netBiosName", "fqdn", "mdeDeviceId", "aadDeviceId"},
	IP:               {"address"},
	File:             {"fileName"},
	FileHash:         {"hashValue"},
	Process:          {"commandLine", "processId"},
	URL:              {"url"},
	DNS:              {"domainName"},
	Mailbox:          {"mailboxPrimaryAddress", "upn", "displayName"},
	MailMessage:      {"subject", "networkMessageId", "recipient"},
	MailCluster:      {"query", "clusterSourceIdentifier"},
	Malware:          {"malwareName"},
	CloudApplication: {"appName", "instanceName", "appId"},
	OAuthApplication: {"name", "oAuthAppId", "appId"},
	AzureResource:    {"resourceId"},
	RegistryKey:      {"key"},
	RegistryValue:    {"valueName", "valueData"},
	SecurityGroup:    {"distinguishedName", "sid"},
}

// Name is what people call an entity: a process by its image, others by their
// most telling field, else a part's name, else any field, else the kind.
func (e Entity) Name() string {
	if e.Kind == Process {
		if image, ok := e.Part("imageFile"); ok && image.Field("fileName") != "" {
			return image.Field("fileName")
		}
	}
	for _, f := range nameFields[e.Kind] {
		if v := e.Field(f); v != "" {
			return v
		}
	}
	for _, name := range sorted(e.Fields) {
		return e.Fields[name]
	}
	for _, name := range sorted(e.Parts) {
		if p, ok := e.Part(name); ok {
			return p.Name()
		}
	}
	return string(e.Kind)
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
