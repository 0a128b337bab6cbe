package correlation

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"lockstep/security"
)

// Look reads from an alert what correlation uses of it: the things it names,
// those that say nothing about a story left out, the rest strongest first.
func (l Linking) Look(a security.Alert) Sight {
	s := Sight{
		Alert: a.ID, Detector: Detector(a), Tactics: security.SortTactics(a.Tactics),
		First: a.FirstActivity, Last: max(a.FirstActivity, a.LastActivity),
	}
	c := collector{common: map[string]bool{}}
	for _, e := range a.Evidence {
		c.add(e.Entity, 0)
	}
	for i, p := range c.pieces {
		c.pieces[i].Keys = slices.DeleteFunc(p.Keys, func(k string) bool { return security.Weak(k) || c.common[k] })
	}
	s.Pieces = l.distinct(slices.DeleteFunc(c.pieces, func(p Piece) bool { return len(p.Keys) == 0 || l.p.Base[p.Kind] == 0 }))
	if slices.ContainsFunc(s.Pieces, func(p Piece) bool { return p.Asset }) { // how rare a detection is shows by the assets it is about
		s.Pieces = append(s.Pieces, Piece{Kind: Detection, Keys: []string{string(Detection) + ":" + s.Detector}})
	}
	slices.SortStableFunc(s.Pieces, func(p, q Piece) int { return cmp.Compare(l.p.Base[q.Kind], l.p.Base[p.Kind]) })
	s.Pieces = s.Pieces[:min(len(s.Pieces), l.p.Pieces)]
	for i, p := range s.Pieces {
		s.Pieces[i].Keys = p.Keys[:min(len(p.Keys), maxKeys)]
	}
	return s
}

// maxKeys bounds the keys used of one thing: a hostile one may have thousands.
const maxKeys = 16

// Detector names the detection that raised an alert.
func Detector(a security.Alert) string {
	return a.ServiceSource + "/" + cmp.Or(a.DetectorID, a.AlertType, "") + "/" + a.Title
}

// distinct gives each thing once: pieces that share a key, directly or by way
// of others, are the same thing and must not count as several pieces of evidence.
func (l Linking) distinct(pieces []Piece) (out []Piece) {
	parent := make([]int, len(pieces))
	owner := map[string]int{} // which piece has a key first
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i, p := range pieces {
		parent[i] = i
		for _, k := range p.Keys {
			if j, taken := owner[k]; taken {
				x, y := root(i), root(j)
				parent[max(x, y)] = min(x, y)
			} else {
				owner[k] = i
			}
		}
	}
	at := map[int]int{} // where in out the piece of a root stands
	for i, p := range pieces {
		r := root(i)
		if r == i {
			at[r] = len(out)
			out = append(out, Piece{Kind: p.Kind})
		}
		into := &out[at[r]]
		if l.p.Base[p.Kind] > l.p.Base[into.Kind] {
			into.Kind = p.Kind
		}
		into.Asset = into.Asset || p.Asset
		for _, k := range p.Keys {
			if owner[k] == i && !slices.Contains(into.Keys, k) {
				into.Keys = append(into.Keys, k)
			}
		}
	}
	return out
}

// collector gathers the pieces of an alert's entities and of their parts.
type collector struct {
	pieces []Piece
	common map[string]bool // keys of things that every machine has
}

// parts are the entities inside another that are evidence of their own.
var parts = []string{"imageFile", "account", "host"}

// maxDepth bounds how deep inside others entities are looked for.
const maxDepth = 3

func (c *collector) add(e security.Entity, depth int) {
	keys := e.Keys()
	switch {
	case e.Kind == security.File && systemFile(e):
		for _, k := range append(keys, keysOf(e.Parts["fileHashes"])...) {
			c.common[k] = true
		}
		return
	case e.Kind == security.File:
		keys = append(keys, keysOf(e.Parts["fileHashes"])...)
	case e.Kind == security.Account && commonAccount(e), e.Kind == security.IP && commonAddress(e):
		return
	case e.Kind == security.Mailbox:
		keys = append(keys, holder(e.Field("mailboxPrimaryAddress")).Keys()...)
	case e.Kind == security.MailMessage: // whoever received it
		keys = append(keys, security.Entity{Kind: e.Kind}.With("networkMessageId", e.Field("networkMessageId")).Keys()...)
	case e.Kind == security.URL:
		keys = append(keys, domain(e.Field("url")).Keys()...)
	}
	if len(keys) > 0 {
		c.pieces = append(c.pieces, Piece{Kind: e.Kind, Keys: keys, Asset: assets[e.Kind]})
	}
	if depth == maxDepth {
		return
	}
	for _, name := range parts {
		for _, part := range e.Parts[name] {
			c.add(part, depth+1)
		}
	}
}

// assets are the kinds that an attack moves between.
var assets = map[security.Kind]bool{security.Host: true, security.Account: true, security.Mailbox: true, security.AzureResource: true}

func keysOf(entities []security.Entity) []string {
	var keys []string
	for _, e := range entities {
		keys = append(keys, e.Keys()...)
	}
	return keys
}

// holder is the user whose mailbox an address is.
func holder(address string) security.Entity {
	name, suffix, ok := strings.Cut(address, "@")
	if !ok {
		return security.Entity{Kind: security.Account}
	}
	return security.Entity{Kind: security.Account}.With("accountName", name).With("upnSuffix", suffix)
}

// domain is the host name of a URL.
func domain(text string) security.Entity {
	u, err := url.Parse(text)
	if err != nil {
		return security.Entity{Kind: security.DNS}
	}
	return security.Entity{Kind: security.DNS}.With("domainName", strings.ToLower(u.Hostname()))
}

// systemFolders hold what every machine has, with the folders in them; a file
// there links nothing. Folders that anybody can write to aren't among them.
var systemFolders = []string{
	"/windows/system32/", "/windows/syswow64/", "/windows/winsxs/", "/windows/microsoft.net/", "/windows/servicing/",
	"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/lib/",
}

func systemFile(e security.Entity) bool {
	folder := strings.TrimRight(strings.ToLower(strings.ReplaceAll(e.Field("directory"), `\`, "/")), "/") + "/"
	if len(folder) > 2 && folder[1] == ':' {
		folder = folder[2:] // the drive
	}
	return folder == "/windows/" || slices.ContainsFunc(systemFolders, func(f string) bool { return strings.HasPrefix(folder, f) })
}

// commonNames are accounts that every machine has.
// Source: Windows well-known security principals.
var commonNames = map[string]bool{
	"system": true, "localsystem": true, "local system": true, "local service": true, "localservice": true,
	"network service": true, "networkservice": true, "anonymous logon": true, "iusr": true, "root": true,
}

// commonSIDs are the security identifiers of such accounts.
var commonSIDs = map[string]bool{"S-1-5-7": true, "S-1-5-18": true, "S-1-5-19": true, "S-1-5-20": true}

// commonAccount tells whether an account exists on every machine, or is a
// machine's own, which says no more than the machine does.
func commonAccount(e security.Entity) bool {
	name := strings.ToLower(e.Field("accountName"))
	return commonNames[name] || strings.HasSuffix(name, "$") || commonSIDs[strings.ToUpper(e.Field("sid"))]
}

// commonAddress tells whether an address means something else on every machine.
func commonAddress(e security.Entity) bool {
	ip, err := netip.ParseAddr(e.Field("address"))
	if err != nil {
		return false
	}
	return ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.Unmap() == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
