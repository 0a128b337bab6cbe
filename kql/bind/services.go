package bind

import (
	"strings"

	"lockstep/kql/plan"
	"lockstep/kql/syntax"
	"lockstep/schema"
)

// services are the tabular functions of Defender and Sentinel themselves and
// the columns that each adds to the rows before it, or gives.
// Source: the reference pages of advanced hunting's functions, and of watchlists.
var services = map[string][]schema.Column{
	"FileProfile": {{Name: "SHA1", Type: schema.String}, {Name: "SHA256", Type: schema.String}, {Name: "MD5", Type: schema.String}, {Name: "FileSize", Type: schema.Long},
		{Name: "GlobalPrevalence", Type: schema.Int}, {Name: "GlobalFirstSeen", Type: schema.DateTime}, {Name: "GlobalLastSeen", Type: schema.DateTime},
		{Name: "Signer", Type: schema.String}, {Name: "Issuer", Type: schema.String}, {Name: "SignerHash", Type: schema.String}, {Name: "IsCertificateValid", Type: schema.Bool},
		{Name: "IsRootSignerMicrosoft", Type: schema.Bool}, {Name: "SignatureState", Type: schema.String}, {Name: "IsExecutable", Type: schema.Bool}, {Name: "ThreatName", Type: schema.String},
		{Name: "Publisher", Type: schema.String}, {Name: "SoftwareName", Type: schema.String}, {Name: "ProfileAvailability", Type: schema.String}},
	"DeviceFromIP":        {{Name: "IP", Type: schema.String}, {Name: "DeviceId", Type: schema.String}},
	"SeenBy":              {{Name: "DeviceId", Type: schema.String}, {Name: "SeenBy", Type: schema.Dynamic}},
	"AssignedIPAddresses": {{Name: "Timestamp", Type: schema.DateTime}, {Name: "IPAddress", Type: schema.String}, {Name: "IPType", Type: schema.String}, {Name: "NetworkAdapterType", Type: schema.String}, {Name: "ConnectedNetworks", Type: schema.Dynamic}},
	"_GetWatchlist":       {{Name: "_DTItemId", Type: schema.String}, {Name: "LastUpdatedTimeUTC", Type: schema.DateTime}, {Name: "SearchKey", Type: schema.String}, {Name: "WatchlistItem", Type: schema.Dynamic}},
	"_GetWatchlistAlias":  {{Name: "WatchlistAlias", Type: schema.String}},
}

// parsers are the prefixes of ASIM's unifying functions: tables whose columns nobody declares here.
var parsers = []string{"_Im_", "_ASim_", "im", "ASim", "vim"}

func isService(name string) bool {
	if _, ok := services[name]; ok {
		return true
	}
	for _, p := range parsers {
		if rest, ok := strings.CutPrefix(name, p); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
			return true
		}
	}
	return false
}

// service binds a service's function. Profiles answer from the tables; what
// no table tells gives empty columns.
func (b *binder) service(x *syntax.Call, s *scope, piped plan.Node) plan.Node {
	name := x.Func.Text
	if name == "_GetWatchlist" {
		return b.watchlist(x, s)
	}
	if name == "_GetWatchlistAlias" && b.env.WatchlistNames != nil {
		b.want(x, 0, 0)
		v := &plan.Values{Cols: []plan.Column{b.column("WatchlistAlias", schema.String)}}
		for _, alias := range b.env.WatchlistNames() {
			v.Rows = append(v.Rows, []plan.Expr{&plan.Const{Typ: schema.String, Value: alias}})
		}
		return v
	}
	if name == "AssignedIPAddresses" && piped == nil && len(x.Args) > 0 && b.tablesThere([]string{"DeviceNetworkInfo"}) {
		b.local(x, "the addresses that devices reported: each as its adapter reported it last")
		return b.saved(name, assigned, x, s, nil)
	}
	if _, ok := profiles[name]; ok && piped == nil && len(x.Args) > 0 && b.isTable(x.Args[0], s) {
		piped = b.tabular(x.Args[0], s)
		x = &syntax.Call{Span: x.Span, Func: x.Func, Args: x.Args[1:]}
	}
	if piped != nil {
		if n := b.profiled(x, s, piped); n != nil {
			return n
		}
	}
	columns, known := services[name]
	if !known {
		columns = []schema.Column{{Name: "TimeGenerated", Type: schema.DateTime}}
	}
	e := syntax.Error{Span: x.At(), Code: "KQL902", Message: "the function '" + name + "' has no data here: its columns are empty", Warning: true}
	b.add(e)
	if piped == nil {
		v := &plan.Values{}
		for _, c := range columns {
			v.Cols = append(v.Cols, b.column(c.Name, c.Type))
		}
		if known {
			return v
		}
		return b.openUp(v, "")
	}
	p := &plan.Project{Input: piped, Items: keepAll(piped.Columns()), Extends: true}
next:
	for _, c := range columns {
		it := b.item(c.Name, plan.Null(c.Type))
		for i := range p.Items {
			if p.Items[i].Name == c.Name {
				if p.Items[i].Type != c.Type {
					p.Items[i] = it
				}
				continue next
			}
		}
		p.Items = append(p.Items, it)
	}
	return p
}

func (b *binder) watchlist(x *syntax.Call, s *scope) plan.Node {
	b.want(x, 1, 2)
	alias, _ := b.constant(x.Args, 0, s).(string)
	if b.env.Watchlists != nil {
		if t, ok := b.env.Watchlists(alias); ok {
			return b.scan(t, "")
		}
	}
	e := syntax.Error{Span: x.At(), Code: "KQL903", Message: "there is no watchlist '" + alias + "': it gives no rows", Warning: true}
	b.add(e)
	v := &plan.Values{}
	for _, c := range services["_GetWatchlist"] {
		v.Cols = append(v.Cols, b.column(c.Name, c.Type))
	}
	return b.openUp(v, "WatchlistItem")
}
