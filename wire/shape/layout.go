// Package shape knows how the kinds of entity are laid out in a published
// JSON shape: tables of which field stands at which path, and the one engine
// that reads and writes by them. It leaves the tables themselves to the shape
// each belongs to, and what stands around an entity to them too.
package shape

import (
	"strings"

	"lockstep/schema"
	"lockstep/security"
)

// As says how a field's text is written in JSON.
type As uint8

// The forms of a field.
const (
	Text   As = iota
	Time      // RFC 3339 with seven fractional digits
	Number    // whole
	Real
	Bool
	List // an array of plain values; as a field, its JSON text
	// Addresses is an array of texts that stand for a part: one IP entity each.
	Addresses
)

// Prop says at which path of a shape a field stands.
type Prop struct {
	// Field addresses a field of the entity: its name, with a part's name and
	// a dot before it for a field of a part (host.mdeDeviceId), or #SHA1 for
	// the value of that hash among fileHashes, or @fqdn, @upn or
	// @localIP for what is put together from several fields.
	Field string
	Path  string // members joined by dots
	As    As
	Read  bool // another spelling: read if nothing better is there, never written
	// Values are the members that the shape knows, where it closes the list:
	// a value is written as it spells it, and not at all if it isn't one.
	Values []string
}

// Part says at which path whole entities stand inside an entity.
type Part struct {
	Name string
	Path string
	Many bool          // an array
	Kind security.Kind // when the inner object has no discriminator
}

// Layout is one kind in one shape.
type Layout struct {
	Kind  security.Kind
	Type  string // value of the discriminator
	Props []Prop
	Parts []Part
}

// Dialect is a shape: its layouts and how it names those it has none for.
type Dialect struct {
	Discriminator string // member that names the type
	Layouts       []Layout
	KindOf        func(typeName string) security.Kind // of a type without a layout
	TypeOf        func(kind security.Kind) string     // inverse of KindOf
	Ignore        []string                            // members that say nothing of the entity
}

// layoutOf finds a layout by discriminator.
func (d *Dialect) layoutOf(typeName string) *Layout {
	for i := range d.Layouts {
		if strings.EqualFold(d.Layouts[i].Type, typeName) {
			return &d.Layouts[i]
		}
	}
	return nil
}

// layoutFor finds a layout by kind; the first of the kind is the one written.
func (d *Dialect) layoutFor(kind security.Kind) *Layout {
	for i := range d.Layouts {
		if d.Layouts[i].Kind == kind {
			return &d.Layouts[i]
		}
	}
	return nil
}

// Name gives the discriminator's value for a kind.
func (d *Dialect) Name(kind security.Kind) string {
	if layout := d.layoutFor(kind); layout != nil {
		return layout.Type
	}
	return d.TypeOf(kind)
}

// partKinds are the kinds of parts that a dotted field makes.
var partKinds = map[string]security.Kind{
	"imageFile": security.File, "parentProcess": security.Process, "account": security.Account, "host": security.Host,
	"key": security.RegistryKey, "fileHashes": security.FileHash, "hostIpAddress": security.IP, "dnsServerIp": security.IP,
	"ipAddress": security.IP,
}

// Get gives the field at an address, "" if there is none.
func Get(e security.Entity, address string) string {
	name, rest, deeper := strings.Cut(address, ".")
	if deeper {
		if part, ok := e.Part(name); ok {
			return Get(part, rest)
		}
		return ""
	}
	if c, ok := composed[name]; ok {
		return c.get(e)
	}
	algorithm, isHash := strings.CutPrefix(name, "#")
	if !isHash {
		return e.Field(name)
	}
	for _, h := range e.Parts["fileHashes"] {
		if strings.EqualFold(h.Field("algorithm"), algorithm) {
			return h.Field("hashValue")
		}
	}
	return ""
}

// Set gives the entity with the field at an address; an empty value changes nothing.
func Set(e security.Entity, address, value string) security.Entity {
	if value == "" {
		return e
	}
	name, rest, deeper := strings.Cut(address, ".")
	algorithm, isHash := strings.CutPrefix(name, "#")
	c, isComposed := composed[name]
	switch {
	case isComposed && !deeper:
		return c.set(e, value)
	case deeper:
		part, ok := e.Part(name)
		if !ok {
			part = security.Entity{Kind: partKinds[name]}
		}
		return WithPart(e, name, Set(part, rest, value))
	case isHash:
		hash := security.Entity{Kind: security.FileHash, Fields: map[string]string{"algorithm": algorithm, "hashValue": strings.ToLower(value)}}
		return WithPart(e, "fileHashes", append(append([]security.Entity(nil), e.Parts["fileHashes"]...), hash)...)
	}
	return e.With(name, value)
}

// WithPart gives the entity with a part's entities replaced.
func WithPart(e security.Entity, name string, list ...security.Entity) security.Entity {
	parts := make(map[string][]security.Entity, len(e.Parts)+1)
	for n, l := range e.Parts {
		parts[n] = l
	}
	parts[name] = list
	e.Parts = parts
	return e
}

// clock gives a time's text in the one form that entities carry; text that is
// no time stays as it is.
func clock(text string) string {
	at, err := schema.ParseTicks(text)
	if err != nil {
		return text
	}
	if at == 0 {
		return "" // 0001-01-01 stands for no time
	}
	return at.String()
}

// composed are the names that sources write whole and entities carry in parts.
var composed = map[string]struct {
	get func(security.Entity) string
	set func(security.Entity, string) security.Entity
}{
	"@fqdn": {
		get: func(e security.Entity) string {
			host, domain := e.Field("hostName"), e.Field("dnsDomain")
			if domain == "" || strings.Contains(host, ".") {
				return host
			}
			if host == "" {
				return ""
			}
			return host + "." + domain
		},
		set: func(e security.Entity, fqdn string) security.Entity {
			host, domain, _ := strings.Cut(fqdn, ".")
			if e.Field("hostName") == "" {
				e = e.With("hostName", host)
			}
			if e.Field("dnsDomain") == "" && strings.EqualFold(e.Field("hostName"), host) {
				e = e.With("dnsDomain", domain)
			}
			return e
		},
	},
	"@localIP": {
		get: func(e security.Entity) string {
			for _, ip := range e.Parts["ipInterfaces"] {
				return ip.Field("address")
			}
			return e.Field("lastIpAddress")
		},
		set: func(e security.Entity, address string) security.Entity { return e.With("lastIpAddress", address) },
	},
	"@upn": {
		get: func(e security.Entity) string {
			name, suffix := e.Field("accountName"), e.Field("upnSuffix")
			if upn := e.Field("userPrincipalName"); upn != "" || name == "" || suffix == "" {
				return upn
			}
			return name + "@" + suffix
		},
		set: func(e security.Entity, upn string) security.Entity { return e.With("userPrincipalName", upn) },
	},
}
