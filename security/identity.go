package security

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"net/url"
	"sort"
	"strings"

	"lockstep/schema"
)

// identify gives the keys that a kind is known by, nil for a kind without
// rules. Source: facts 10.2 (strong identifiers of the entity reference), the
// ids that Defender gives beside (device, Entra device), and recorded rows.
func (e Entity) identify() []string {
	switch e.Kind {
	case Account:
		return accountKeys(e)
	case CloudApplication:
		return cloudApplicationKeys(e)
	case File:
		return fileKeys(e)
	case FileHash:
		return fileHashKeys(e)
	case Host:
		return hostKeys(e)
	case IP:
		return ipKeys(e)
	case MailCluster:
		return mailClusterKeys(e)
	case MailMessage:
		return mailMessageKeys(e)
	case Malware:
		return malwareKeys(e)
	case Process:
		return processKeys(e)
	case RegistryKey:
		return registryKeyKeys(e)
	case RegistryValue:
		return registryValueKeys(e)
	case SubmissionMail:
		return submissionMailKeys(e)
	case URL:
		return urlKeys(e)
	}
	var keys []string
	for _, field := range identifying[e.Kind] {
		keys = append(keys, e.key(field, e.Field(field))...)
	}
	return keys
}

// identifying are the fields each of which alone says which thing of the kind it is.
var identifying = map[Kind][]string{
	AzureResource:    {"resourceId"},
	CloudLogonReq:    {"requestId"},
	CloudLogonSess:   {"sessionId"},
	DNS:              {"domainName"},
	Mailbox:          {"mailboxPrimaryAddress", "externalDirectoryObjectId"},
	OAuthApplication: {"appId", "objectId"},
	SecurityGroup:    {"sid", "objectGuid", "distinguishedName", "securityGroupId"},
}

// weak marks a key that names something only within its surroundings: two
// entities with such a key in one alert are one, in two alerts they may not be.
const weak = "weak:"

// Keys gives every key that the entity is known by, sorted: two entities that
// share one are the same thing. A key begins with the entity's kind; one for
// which Weak is true should not tie two alerts together. An entity without
// any key names nothing: a built-in account given by its name alone.
func (e Entity) Keys() []string {
	keys := e.identify()
	if len(keys) == 0 && !e.builtIn() {
		if text := e.canonical(); text != "" {
			keys = []string{weak + string(e.Kind) + ":only:" + digest(text)}
		}
	}
	sort.Strings(keys)
	return unique(keys)
}

// Weak reports whether a key names something only within its surroundings: a
// private address, a bare name, an entity known by nothing but its text.
func Weak(key string) bool { return strings.HasPrefix(key, weak) }

// Same reports whether two entities are the same thing.
func Same(a, b Entity) bool {
	of := map[string]bool{}
	for _, k := range a.Keys() {
		of[k] = true
	}
	for _, k := range b.Keys() {
		if of[k] {
			return true
		}
	}
	return false
}

// ID is the entity's id in the workspace: a UUIDv5 of its first strong key.
func (e Entity) ID() string {
	keys := e.Keys()
	if len(keys) == 0 {
		return DerivedID("entity", string(e.Kind)+":"+e.canonical())
	}
	return DerivedID("entity", keys[0])
}

// key builds a key of parts, none of which may be empty.
func (e Entity) key(by string, parts ...string) []string {
	for i, p := range parts {
		parts[i] = strings.ToLower(strings.TrimSpace(p))
		if parts[i] == "" {
			return nil
		}
	}
	return []string{string(e.Kind) + ":" + by + ":" + strings.Join(parts, "|")}
}

// builtInNames are accounts that every machine has. Source: facts 10.2.
var builtInNames = map[string]bool{
	"admin": true, "administrator": true, "system": true, "root": true, "anonymous": true, "authenticated user": true,
	"network": true, "null": true, "local system": true, "localsystem": true, "network service": true, "local service": true,
	"anonymous logon": true,
}

// builtInDomains are authorities that every machine has.
var builtInDomains = map[string]bool{"": true, "nt authority": true, "builtin": true, "workgroup": true, "font driver host": true, "window manager": true}

// wellKnown reports whether a SID is the same on every machine.
func wellKnown(sid string) bool {
	s := strings.ToUpper(strings.TrimSpace(sid))
	return s != "" && !strings.HasPrefix(s, "S-1-5-21-") && !strings.HasPrefix(s, "S-1-12-1-")
}

// builtIn reports whether the entity is an account of every machine, given without the machine.
func (e Entity) builtIn() bool {
	if e.Kind != Account {
		return false
	}
	_, hosted := e.Part("host")
	name := strings.ToLower(strings.TrimSpace(e.Field("accountName")))
	return !hosted && builtInNames[name] && builtInDomains[strings.ToLower(e.Field("ntDomain"))] &&
		(e.Field("sid") == "" || wellKnown(e.Field("sid")))
}

func accountKeys(e Entity) (keys []string) {
	for _, f := range []string{"aadUserId", "puid", "objectGuid"} {
		keys = append(keys, e.key(f, e.Field(f))...)
	}
	if sid := e.Field("sid"); !wellKnown(sid) {
		keys = append(keys, e.key("sid", sid)...)
	}
	name, domain := e.Field("accountName"), e.Field("ntDomain")
	if user, at, ok := strings.Cut(e.Field("userPrincipalName"), "@"); ok {
		keys = append(keys, e.key("at", user, at)...)
	}
	if user, at, ok := strings.Cut(name, "@"); ok {
		keys = append(keys, e.key("at", user, at)...)
		return keys
	}
	for _, suffix := range []string{e.Field("upnSuffix"), e.Field("dnsDomain")} {
		keys = append(keys, e.key("at", name, suffix)...)
	}
	switch {
	case builtInDomains[strings.ToLower(domain)]:
	case strings.Contains(domain, "."): // sources put a DNS domain here too
		keys = append(keys, e.key("at", name, domain)...)
	default:
		keys = append(keys, e.key("nt", name, domain)...)
	}
	if len(keys) > 0 {
		return keys
	}
	if host, ok := e.Part("host"); ok && name != "" {
		for _, k := range host.Keys() {
			keys = append(keys, e.key("on", name, k)...)
		}
	}
	return keys
}

func hostKeys(e Entity) (keys []string) {
	for _, f := range []string{"mdeDeviceId", "aadDeviceId", "azureID", "omsAgentID", "vmId"} {
		keys = append(keys, e.key(f, e.Field(f))...)
	}
	for _, name := range []string{e.Field("hostName"), e.Field("netBiosName")} {
		name = strings.TrimSuffix(name, ".")
		if host, domain, ok := strings.Cut(name, "."); ok && !isAddress(name) {
			keys = append(keys, e.key("dns", host, domain)...)
			continue
		}
		keys = append(keys, e.key("dns", name, strings.Trim(e.Field("dnsDomain"), "."))...)
		switch nt := e.Field("ntDomain"); {
		case builtInDomains[strings.ToLower(nt)]:
		case strings.Contains(nt, "."):
			keys = append(keys, e.key("dns", name, nt)...)
		default:
			keys = append(keys, e.key("nt", name, nt)...)
		}
	}
	if len(keys) == 0 {
		for _, k := range e.key("name", e.Field("hostName")) {
			keys = append(keys, weak+k)
		}
	}
	return keys
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// ipKeys makes one key of an address however it is written; a private one is weak.
func ipKeys(e Entity) []string {
	addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(e.Field("address")), "[]"))
	if err != nil {
		return e.key("text", e.Field("address"))
	}
	addr = addr.Unmap().WithZone("")
	keys := e.key("address", addr.String())
	if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() {
		keys[0] = weak + keys[0]
	}
	return keys
}

// emptyHashes are those of no bytes at all: they identify nothing.
var emptyHashes = map[string]bool{
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": true,
	"da39a3ee5e6b4b0d3255bfef95601890afd80709":                         true,
	"d41d8cd98f00b204e9800998ecf8427e":                                 true,
}

func fileHashKeys(e Entity) []string {
	if emptyHashes[strings.ToLower(e.Field("hashValue"))] {
		return nil
	}
	return e.key("hash", e.Field("algorithm"), e.Field("hashValue"))
}

// fileKeys: a name with a hash, or a path; a path without a machine and
// without a hash names the file only within its surroundings.
func fileKeys(e Entity) (keys []string) {
	name := e.Field("fileName")
	for _, h := range e.Parts["fileHashes"] {
		if len(fileHashKeys(h)) > 0 {
			keys = append(keys, e.key("hash", or(name, "?"), h.Field("algorithm"), h.Field("hashValue"))...)
		}
	}
	path := strings.TrimRight(e.Field("directory"), `\/`)
	if host, ok := e.Part("host"); ok {
		for _, k := range host.Keys() {
			keys = append(keys, e.key("path", k, path, name)...)
		}
	}
	if len(keys) == 0 {
		for _, k := range e.key("path", path, name) {
			keys = append(keys, weak+k)
		}
	}
	return keys
}

// processKeys: number and start time, which has 100 ns precision and so needs
// no machine; a time in whole seconds does.
func processKeys(e Entity) (keys []string) {
	at, err := schema.ParseTicks(e.Field("creationTimeUtc"))
	if err != nil {
		return nil
	}
	if at%schema.Second != 0 {
		return e.key("start", e.Field("processId"), at.String())
	}
	if host, ok := e.Part("host"); ok {
		for _, k := range host.Keys() {
			keys = append(keys, e.key("start", k, e.Field("processId"), at.String())...)
		}
	}
	return keys
}

func urlKeys(e Entity) []string {
	text := strings.TrimSpace(e.Field("url"))
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
		if u.Path == "/" {
			u.Path = ""
		}
		text = u.String()
	}
	if text == "" {
		return nil
	}
	return []string{string(e.Kind) + ":url:" + text} // a path's case counts
}

func mailMessageKeys(e Entity) (keys []string) {
	for _, f := range []string{"networkMessageId", "internetMessageId"} {
		keys = append(keys, e.key(f, e.Field(f), e.Field("recipient"))...)
	}
	if len(keys) > 0 {
		return keys
	}
	for _, f := range []string{"networkMessageId", "internetMessageId"} {
		keys = append(keys, e.key(f, e.Field(f))...)
	}
	return keys
}

func mailClusterKeys(e Entity) []string {
	if q := e.Field("query"); q != "" {
		return e.key("query", digest(q))
	}
	if u := e.Field("urn"); u != "" {
		return e.key("urn", u)
	}
	return e.key("by", e.Field("clusterBy"), e.Field("clusterByValue"))
}

func cloudApplicationKeys(e Entity) []string {
	if id := e.Field("appId"); id != "" && id != "0" {
		return e.key("appId", id, or(e.Field("instanceName"), "-"))
	}
	return e.key("name", e.Field("appName"), or(e.Field("instanceName"), "-"))
}

func malwareKeys(e Entity) []string {
	return e.key("name", e.Field("malwareName"), or(e.Field("category"), "-"))
}

func registryKeyKeys(e Entity) []string {
	return e.key("key", or(e.Field("hive"), "-"), e.Field("key"))
}

func registryValueKeys(e Entity) []string {
	key, ok := e.Part("key")
	if !ok {
		return nil
	}
	return e.key("value", or(key.Field("hive"), "-"), key.Field("key"), or(e.Field("valueName"), "(default)"))
}

func submissionMailKeys(e Entity) []string {
	return e.key("submission", e.Field("submissionId"), or(e.Field("networkMessageId"), "-"), or(e.Field("recipient"), "-"))
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// canonical is everything the entity says, in one order; "" when it says nothing.
func (e Entity) canonical() string {
	if len(e.Fields) == 0 && len(e.Parts) == 0 && len(e.Extra) == 0 {
		return ""
	}
	e.Extra = canonicalJSON(e.Extra)
	text, err := json.Marshal(e) // maps are written in the order of their keys
	if err != nil {
		return ""
	}
	return string(text)
}

// canonicalJSON writes an object's members in order, without the numbering of
// the document it stood in.
func canonicalJSON(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	delete(members, "$id")
	out, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return out
}
