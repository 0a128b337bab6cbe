package security

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// namespace is under which ids of what Lockstep derives are made.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:lockstep:derived"))

// DerivedID is the id of something derived: a UUIDv5 of its kind and natural
// key, so that the same thing always gets the same id.
func DerivedID(kind, key string) string {
	return uuid.NewSHA1(namespace, []byte(kind+"\x00"+key)).String()
}

// SystemID is an alert's id in the workspace when its source gives none.
func SystemID(unifiedID string) string { return DerivedID("alert", unifiedID) }

// ownID is the forms that products' own ids have: a GUID that may have a
// suffix, ticks with a signed number or a GUID, a hash, or a hexadecimal object id.
var ownID = regexp.MustCompile(`^(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(_.*)?|[0-9]{15,}_.+|[0-9a-f]{24}|[0-9a-f]{40}|[0-9a-f]{64})$`)

// UnifiedID is an alert's id across products: the product's prefix before the
// id that the product gave, unless the id carries it already.
// Source: facts 1.2; recorded alerts of the XDR and of automated
// investigations carry it in their provider id.
func UnifiedID(p Product, detection, providerID string) string {
	prefix := p.PrefixOf(detection)
	if _, carried := p.carried(providerID); carried || providerID == "" {
		return providerID
	}
	return prefix + providerID
}

// OwnID is UnifiedID's inverse: the id as the product's own, without a prefix
// that was only put before it.
func OwnID(p Product, unifiedID string) string {
	prefix, ok := p.carried(unifiedID)
	if !ok || prefix.Kept {
		return unifiedID
	}
	return unifiedID[len(prefix.Prefix):]
}

// carried gives the product's prefix that an id begins with. A GUID or hash
// that happens to begin with the same letters carries none.
func (p Product) carried(id string) (Prefix, bool) {
	if ownID.MatchString(id) {
		return Prefix{}, false
	}
	for _, prefix := range append([]Prefix{{Prefix: p.Prefix, Kept: p.Kept}}, p.Prefixes...) {
		if rest, ok := strings.CutPrefix(id, prefix.Prefix); ok && prefix.Prefix != "" && rest != "" {
			return prefix, true
		}
	}
	return Prefix{}, false
}

// Complete fills what a shape may leave out from what it gave: product names
// from any of them, ids from each other, the detection source, the words that
// stand for an unset value, tactics from the category.
func (a *Alert) Complete() {
	p, known := a.product()
	if known {
		a.ServiceSource, a.ProductName = p.ServiceSource, p.LegacyName
		setEmpty(&a.ProviderName, p.ProviderName)
		if a.DetectionSource == "" || a.DetectionSource == "unknown" {
			a.DetectionSource = p.Detection
		}
	}
	setEmpty(&a.ServiceSource, "unknown")
	setEmpty(&a.DetectionSource, "unknown")
	setEmpty(&a.VendorName, "Microsoft")
	if a.ID == "" {
		a.ID = UnifiedID(p, a.DetectionSource, a.ProviderID)
	}
	setEmpty(&a.ProviderID, OwnID(p, a.ID))
	if a.SystemID == "" && a.ID != "" {
		a.SystemID = SystemID(a.ID)
	}
	setEmpty((*string)(&a.Severity), string(SeverityUnknown))
	setEmpty((*string)(&a.Status), string(AlertNew))
	setEmpty(&a.Classification, "unknown")
	setEmpty(&a.Determination, "unknown")
	if len(a.Tactics) == 0 {
		if t, ok := Tactic(a.Category); ok {
			a.Tactics = []string{t}
		}
	}
	if a.FirstActivity == 0 {
		a.FirstActivity = a.Created
	}
	if a.LastActivity == 0 {
		a.LastActivity = a.FirstActivity
	}
	if a.Created == 0 {
		a.Created = a.FirstActivity
	}
	if a.Updated == 0 {
		a.Updated = a.Created
	}
}

// product finds the alert's product by service and detection source, and by
// its names as far as these don't say it.
func (a *Alert) product() (Product, bool) {
	if a.DetectionSource != "" && a.DetectionSource != "unknown" {
		if p, ok := ProductFor(a.ServiceSource, a.DetectionSource); ok {
			return p, true
		}
	}
	for _, name := range []string{a.ProductName, a.ProviderName} {
		named, ok := ProductNamed(name)
		if !ok || a.ServiceSource != "" && a.ServiceSource != "unknown" && a.ServiceSource != named.ServiceSource {
			continue
		}
		if p, ok := ProductFor(named.ServiceSource, a.DetectionSource); ok && p.Detection == a.DetectionSource {
			return p, true
		}
		if by, ok := ProductNamed(a.ProviderName); ok && by.ServiceSource == named.ServiceSource {
			return by, true // the provider's name says more: ASI NRT Alerts
		}
		return named, true
	}
	return ProductOf(a.ServiceSource)
}

func setEmpty(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// Compromised is the entity that SecurityAlert.CompromisedEntity names: the
// one the source named; else, as each product does, the first device's name,
// the user's UPN, or for identity alerts the literal text. Source: facts 1.5.
func (a Alert) Compromised() string {
	if a.CompromisedEntity != "" {
		return a.CompromisedEntity
	}
	switch a.ServiceSource {
	case "microsoftDefenderForIdentity":
		return "CompromisedEntity"
	case "microsoftDefenderForEndpoint":
		for _, ev := range a.Evidence {
			if e := ev.Entity; e.Kind == Host && e.Field("hostName") != "" {
				if e.Field("dnsDomain") == "" {
					return e.Field("hostName")
				}
				return e.Field("hostName") + "." + e.Field("dnsDomain")
			}
		}
	case "azureAdIdentityProtection":
		for _, ev := range a.Evidence {
			if upn := ev.Entity.Field("userPrincipalName"); ev.Entity.Kind == Account && upn != "" {
				return upn
			}
		}
	}
	return ""
}
