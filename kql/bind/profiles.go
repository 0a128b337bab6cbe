package bind

import (
	"slices"
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// profile is a service's function that this server answers from its own
// tables, as KQL. A function that adds to rows gives one row for each asked:
// k, with at where it has a time, and its columns.
type profile struct {
	// key says which column of the rows before it is asked about: the first
	// argument's, else this one.
	key string
	// timed functions take a time as their second argument; without one it is now.
	timed bool
	// tables are those that it reads.
	tables []string
	// body reads the table asked (k, at). H is the kind of a hash.
	body string
	// knows says what the answer rests on.
	knows string
}

// profiles are the functions over rows. Source of their columns and arguments:
// the reference pages of advanced hunting's functions.
var profiles = map[string]profile{
	"FileProfile": {key: "SHA1", tables: []string{"DeviceFileEvents", "DeviceProcessEvents", "DeviceImageLoadEvents", "DeviceFileCertificateInfo", "AlertEvidence"},
		knows: "this server's own tables: prevalence counts its devices, and what no table tells is empty",
		body: `let hashes = asked | where isnotempty(k) | distinct k;
let seen = union
    (DeviceFileEvents | where tolower(HASH) in (hashes) | project Timestamp, DeviceId, SHA1, SHA256, MD5, FileSize, Company = '', Product = '', Ran = false),
    (DeviceProcessEvents | where tolower(HASH) in (hashes) | project Timestamp, DeviceId, SHA1, SHA256, MD5, FileSize, Company = ProcessVersionInfoCompanyName, Product = ProcessVersionInfoProductName, Ran = true),
    (DeviceImageLoadEvents | where tolower(HASH) in (hashes) | project Timestamp, DeviceId, SHA1, SHA256, MD5, FileSize, Company = '', Product = '', Ran = true);
let files = seen
    | summarize SHA1 = max(SHA1), SHA256 = max(SHA256), MD5 = max(MD5), FileSize = max(FileSize), GlobalPrevalence = toint(count_distinct(DeviceId)), GlobalFirstSeen = min(Timestamp),
        GlobalLastSeen = max(Timestamp), Publisher = max(Company), SoftwareName = max(Product), Ran = max(toint(Ran)) by k = tolower(HASH);
let signed = DeviceFileCertificateInfo
    | where tolower(SHA1) in ((files | project tolower(SHA1)))
    | summarize arg_max(Timestamp, Signer, Issuer, SignerHash, IsSigned, IsTrusted, IsRootSignerMicrosoft) by sha1 = tolower(SHA1);
let threats = AlertEvidence
    | where isnotempty(SHA1) and isnotempty(ThreatFamily) and tolower(SHA1) in ((files | project tolower(SHA1)))
    | summarize ThreatName = max(ThreatFamily) by sha1 = tolower(SHA1);
files
| extend sha1 = tolower(SHA1)
| lookup kind=leftouter signed on sha1
| lookup kind=leftouter threats on sha1
| project k, SHA1, SHA256, MD5, FileSize, GlobalPrevalence, GlobalFirstSeen, GlobalLastSeen, Signer, Issuer, SignerHash, IsCertificateValid = IsTrusted, IsRootSignerMicrosoft,
    SignatureState = case(isnull(IsSigned), 'Unknown', not(IsSigned), 'Unsigned', IsTrusted == true, 'SignedValid', 'SignedInvalid'),
    IsExecutable = iff(Ran == 1, true, bool(null)), ThreatName, Publisher, SoftwareName, ProfileAvailability = 'Available'`},
	"DeviceFromIP": {key: "IP", timed: true, tables: []string{"DeviceNetworkInfo"},
		knows: "the addresses that devices reported: the device is the one that reported the address last",
		body: `let addresses = asked | where isnotempty(k) | distinct k, at;
DeviceNetworkInfo
| mv-expand address = parse_json(IPAddresses)
| project k = tostring(address.IPAddress), Reported = Timestamp, DeviceId
| join kind=inner addresses on k
| where Reported <= at
| summarize arg_max(Reported, DeviceId) by k, at
| project k, at, IP = k, DeviceId`},
	"SeenBy": {key: "DeviceId", tables: []string{"DeviceNetworkInfo", "DeviceNetworkEvents"},
		knows: "connections: a device is seen by those that connected to an address it reported",
		body: `let devices = asked | where isnotempty(k) | distinct k;
let addresses = DeviceNetworkInfo
    | where DeviceId in (devices)
    | mv-expand address = parse_json(IPAddresses)
    | project k = DeviceId, ip = tostring(address.IPAddress)
    | where isnotempty(ip)
    | distinct k, ip;
DeviceNetworkEvents
| where RemoteIP in ((addresses | project ip))
| distinct ip = RemoteIP, Seer = DeviceId
| join kind=inner addresses on ip
| where Seer != k
| summarize SeenBy = array_sort_asc(make_set(Seer)) by k
| project k, DeviceId = k, SeenBy`},
}

// assigned is AssignedIPAddresses: each address by the adapter that reported it last.
var assigned = Function{Parameters: "device:string, time:datetime=datetime(null)", Body: `let at = coalesce(time, now());
DeviceNetworkInfo
| where (DeviceId == device or DeviceName =~ device) and Timestamp <= at
| summarize arg_max(Timestamp, *) by NetworkAdapterName
| mv-expand address = parse_json(IPAddresses)
| extend IPAddress = tostring(address.IPAddress), Networks = parse_json(ConnectedNetworks)
| where isnotempty(IPAddress)
| extend IPType = case(isnotempty(address.AddressType), tostring(address.AddressType), ipv4_is_private(IPAddress), 'Private', 'Public')
| summarize arg_max(Timestamp, IPType, NetworkAdapterType, Networks) by IPAddress
| project Timestamp, IPAddress, IPType, NetworkAdapterType, ConnectedNetworks = Networks`}

// tablesThere tells whether a function's tables are there.
func (b *binder) tablesThere(names []string) bool {
	for _, n := range names {
		if _, ok := b.env.Tables(n); !ok {
			return false
		}
	}
	return true
}

// local warns what an answer rests on.
func (b *binder) local(x *syntax.Call, knows string) {
	b.add(syntax.Error{Span: x.Func.Span, Code: "KQL908", Warning: true, Message: "'" + x.Func.Text + "' answers from " + knows})
}

// profiled joins what a profile says to the rows before it; nil where a table
// that it reads isn't there.
func (b *binder) profiled(x *syntax.Call, s *scope, piped plan.Node) plan.Node {
	p, ok := profiles[x.Func.Text]
	if !ok || !b.tablesThere(p.tables) {
		return nil
	}
	b.local(x, p.knows)
	own := len(piped.Columns())
	key, hash := b.profileKey(p, x, s, piped)
	items := []plan.Item{b.item("k", key)}
	if p.timed {
		items = append(items, b.item("at", b.profileTime(x, s, piped)))
	}
	b.shared++
	shared := &plan.Shared{Number: b.shared, Input: &plan.Project{Input: piped, Items: append(keepAll(piped.Columns()), items...), Extends: true}}
	left, rows := b.ref(shared), b.ref(shared)
	asked := &plan.Project{Input: rows}
	for i, it := range items {
		asked.Items = append(asked.Items, b.item(it.Name, rows.Columns()[own+i].Ref()))
	}
	b.shared++
	question := &plan.Shared{Number: b.shared, Input: asked}
	body, _ := ParseFunction(Function{Body: strings.ReplaceAll(p.body, "HASH", hash)})
	answer := b.query(body.Body, &scope{names: map[string]*entity{"asked": {used: true, table: func() plan.Node { return b.ref(question) }}}})
	j := &plan.Join{Kind: "leftouter", Left: left, Right: answer, Cols: append(append([]plan.Column{}, left.Columns()...), answer.Columns()...)}
	for i := range items {
		j.On = append(j.On, plan.Pair{Left: left.Columns()[own+i].Ref(), Right: answer.Columns()[i].Ref(), Equal: true})
	}
	return b.added(x.Func.Text, j, left.Columns()[:own], answer.Columns()[len(items):])
}

// added lays the joined columns out as the function does: those that the rows
// have are set in place, the others follow. A value that the profile lacks
// stays as it was.
func (b *binder) added(name string, j *plan.Join, own, found []plan.Column) plan.Node {
	out := &plan.Project{Input: j, Items: keepAll(own)}
	for _, c := range services[name] {
		at := slices.IndexFunc(found, func(f plan.Column) bool { return f.Name == c.Name })
		value := b.convert(found[at].Ref(), c.Type)
		if c.Name == "ProfileAvailability" {
			value = call("iff", schema.String, call("isempty", schema.Bool, value), &plan.Const{Typ: schema.String, Value: "Missing"}, value)
		}
		i := slices.IndexFunc(own, func(o plan.Column) bool { return o.Name == c.Name })
		switch {
		case i < 0:
			out.Items = append(out.Items, b.item(c.Name, value))
		case own[i].Type == c.Type && c.Type == schema.String:
			out.Items[i] = b.item(c.Name, call("iff", c.Type, call("isempty", schema.Bool, value), own[i].Ref(), value))
		case own[i].Type == c.Type:
			out.Items[i] = b.item(c.Name, call("coalesce", c.Type, value, own[i].Ref()))
		default:
			out.Items[i] = b.item(c.Name, value)
		}
	}
	return out
}

// profileKey gives the value that is asked about, and the kind of hash that it is.
func (b *binder) profileKey(p profile, x *syntax.Call, s *scope, rows plan.Node) (key plan.Expr, hash string) {
	name := p.key
	if len(x.Args) > 0 {
		if id, ok := unparen(x.Args[0]).(*syntax.Ident); ok {
			name = id.Text
		} else if text, ok := b.constant(x.Args, 0, s).(string); ok && text != "" {
			name = text
		}
	}
	key = &plan.Const{Typ: schema.String, Value: ""}
	if col, ok := b.rowFor(rows).find(name); ok {
		key = b.convert(col.Ref(), schema.String)
	} else {
		b.add(syntax.Error{Span: x.At(), Code: "KQL909", Warning: true, Message: "the rows have no column '" + name + "' that '" + x.Func.Text + "' could ask about"})
	}
	switch upper := strings.ToUpper(name); {
	case strings.HasSuffix(upper, "SHA256"):
		hash = "SHA256"
	case strings.HasSuffix(upper, "MD5"):
		hash = "MD5"
	default:
		hash = "SHA1"
	}
	if p.key == "SHA1" {
		key = call("tolower", schema.String, key)
	}
	return key, hash
}

// profileTime gives the time that is asked about: the second argument, over the rows.
func (b *binder) profileTime(x *syntax.Call, s *scope, rows plan.Node) plan.Expr {
	if len(x.Args) > 1 {
		return b.convert(b.scalar(x.Args[1], ctx{scope: s, row: b.rowFor(rows)}), schema.DateTime)
	}
	return ticks(schema.DateTime, b.env.Now)
}
