package security

// Product is a service whose alerts arrive, under each name that one of the
// published vocabularies gives it. Every filter on a product goes through
// ProductNamed, so that old and new names find the same alerts.
type Product struct {
	ServiceSource string   // Graph serviceSource: the key
	Name          string   // current product name, as pages show it
	LegacyName    string   // SecurityAlert.ProductName and alertProductNames, as copied queries have it
	ProviderName  string   // SecurityAlert.ProviderName
	Hunting       string   // AlertInfo.ServiceSource
	Others        []string // further names, older and newer, of any vocabulary
	Detection     string   // detection source when an alert states none
	Prefix        string   // of a unified alert id
	Prefixes      []Prefix // other prefixes, by detection source
	Kept          bool     // the product's own ids carry Prefix already
	Integrated    bool     // its alerts take part in XDR incidents (facts 1.1)
	Late          bool     // listed after unknownFutureValue
}

// Prefix is the id prefix of one detection source of a product.
type Prefix struct {
	Detection string
	Prefix    string
	Kept      bool // the product's own ids carry it already
}

// products is facts 1.1 to 1.3, with what recorded rows show beside: the
// provider MicrosoftThreatProtection, prefix ar of automated investigations,
// prefix ea of alerts made by hand.
var products = []Product{
	{
		ServiceSource: "microsoftDefenderForEndpoint", Name: "Microsoft Defender for Endpoint",
		LegacyName: "Microsoft Defender Advanced Threat Protection", ProviderName: "MDATP", Hunting: "Microsoft Defender for Endpoint",
		Others:    []string{"Windows Defender ATP", "Windows Defender Advanced Threat Protection", "Microsoft Defender ATP", "MDE", "MicrosoftDefenderATP"},
		Detection: "microsoftDefenderForEndpoint", Prefix: "da",
		Prefixes:   []Prefix{{"customDetection", "ed", false}, {"automatedInvestigation", "ar", true}},
		Integrated: true,
	},
	{
		ServiceSource: "microsoftDefenderForIdentity", Name: "Microsoft Defender for Identity",
		LegacyName: "Azure Advanced Threat Protection", ProviderName: "Azure Advanced Threat Protection", Hunting: "Microsoft Defender for Identity",
		Others:    []string{"Azure ATP", "AATP", "MDI", "AzureATP"},
		Detection: "microsoftDefenderForIdentity", Prefix: "aa", Prefixes: []Prefix{{"microsoft365Defender", "ri", false}},
		Integrated: true,
	},
	{
		ServiceSource: "microsoftDefenderForCloudApps", Name: "Microsoft Defender for Cloud Apps",
		LegacyName: "Microsoft Cloud App Security", ProviderName: "MCAS", Hunting: "Microsoft Defender for Cloud Apps",
		Others:    []string{"MicrosoftCloudAppSecurity", "MDA", "MDCA", "Cloud App Security"},
		Detection: "cloudAppSecurity", Prefix: "ca",
		Prefixes:   []Prefix{{"appGovernancePolicy", "ma", false}, {"appGovernanceDetection", "ma", false}, {"microsoft365Defender", "rm", false}},
		Integrated: true,
	},
	{
		ServiceSource: "microsoftDefenderForOffice365", Name: "Microsoft Defender for Office 365",
		LegacyName: "Office 365 Advanced Threat Protection", ProviderName: "OATP", Hunting: "Microsoft Defender for Office 365",
		Others:    []string{"Office 365 ATP", "MDO", "OfficeATP"},
		Detection: "microsoftDefenderForOffice365", Prefix: "fa", Integrated: true,
	},
	{
		ServiceSource: "microsoft365Defender", Name: "Microsoft Defender XDR",
		LegacyName: "Microsoft 365 Defender", ProviderName: "MicrosoftThreatProtection", Hunting: "Microsoft Defender XDR",
		Others:    []string{"Microsoft Threat Protection", "Microsoft XDR", "MTP"},
		Detection: "microsoft365Defender", Prefix: "ra", Kept: true,
		Prefixes:   []Prefix{{"microsoftThreatExperts", "ta", true}, {"customDetection", "ea", true}, {"manual", "ea", true}},
		Integrated: true,
	},
	{
		ServiceSource: "azureAdIdentityProtection", Name: "Microsoft Entra ID Protection",
		LegacyName: "Azure Active Directory Identity Protection", ProviderName: "IPC", Hunting: "AAD Identity Protection",
		Others:    []string{"Azure AD Identity Protection", "AADIP", "Entra ID Protection", "AadIdentityProtection"},
		Detection: "azureAdIdentityProtection", Prefix: "ad", Integrated: true,
	},
	{
		ServiceSource: "microsoftAppGovernance", Name: "App Governance",
		LegacyName: "App Governance", ProviderName: "AppGovernance", Hunting: "App Governance",
		Others:    []string{"Microsoft App Governance"},
		Detection: "appGovernancePolicy", Prefix: "ma", Integrated: true,
	},
	{
		ServiceSource: "dataLossPrevention", Name: "Microsoft Purview Data Loss Prevention",
		LegacyName: "Microsoft Data Loss Prevention", ProviderName: "MicrosoftDataLossPrevention", Hunting: "Microsoft Data Loss Prevention",
		Others:    []string{"Data Loss Prevention", "DLP", "Microsoft 365 Data Loss Prevention"},
		Detection: "microsoftDataLossPrevention", Prefix: "dl", Integrated: true,
	},
	{
		ServiceSource: "microsoftDefenderForCloud", Name: "Microsoft Defender for Cloud",
		LegacyName: "Azure Security Center", ProviderName: "Azure Security Center", Hunting: "Microsoft Defender for Cloud",
		Others:    []string{"MDC", "ASC", "Azure Defender"},
		Detection: "microsoftDefenderForCloud", Prefix: "dc", Integrated: true, Late: true,
	},
	{
		ServiceSource: "microsoftSentinel", Name: "Microsoft Sentinel",
		LegacyName: "Azure Sentinel", ProviderName: "ASI Scheduled Alerts", Hunting: "Microsoft Sentinel",
		Others:    []string{"ASI"},
		Detection: "scheduledAlerts", Prefix: "sn", Integrated: true, Late: true,
	},
	{
		ServiceSource: "microsoftInsiderRiskManagement", Name: "Microsoft Purview Insider Risk Management",
		LegacyName: "Microsoft 365 Insider Risk Management", ProviderName: "OfficeIRM", Hunting: "Microsoft Insider Risk Management",
		Others:    []string{"Insider Risk Management", "IRM", "Microsoft 365 Insider Risk Management"},
		Detection: "microsoftInsiderRiskManagement", Prefix: "ir", Integrated: true, Late: true,
	},
	{
		ServiceSource: "microsoftThreatIntelligence", Name: "Microsoft Threat Intelligence",
		LegacyName: "Microsoft Threat Intelligence", ProviderName: "Threat Intelligence Alerts", Hunting: "Microsoft Threat Intelligence",
		Others:    []string{"Microsoft Defender Threat Intelligence"},
		Detection: "microsoftThreatIntelligence", Prefix: "ti", Integrated: true, Late: true,
	},
}

// variants are products that have names of their own for one detection source
// of a service source.
var variants = []Product{
	{
		ServiceSource: "microsoftDefenderForCloud", Name: "Microsoft Defender for IoT",
		LegacyName: "Azure Security Center for IoT", ProviderName: "IoTSecurity", Hunting: "Microsoft Defender for Cloud",
		Others:    []string{"Defender for IoT", "Azure Defender for IoT"},
		Detection: "microsoftDefenderForIoT", Prefix: "dc", Integrated: true, Late: true,
	},
	{
		ServiceSource: "microsoftSentinel", Name: "Microsoft Sentinel",
		LegacyName: "Azure Sentinel", ProviderName: "ASI NRT Alerts", Hunting: "Microsoft Sentinel",
		Detection: "nrtAlerts", Prefix: "sn", Integrated: true, Late: true,
	},
	{
		ServiceSource: "microsoftSentinel", Name: "Microsoft Sentinel",
		LegacyName: "Azure Sentinel", ProviderName: "ASI Fusion", Hunting: "Microsoft Sentinel",
		Others:    []string{"ASI ML Behavior Analytics"},
		Detection: "builtInMl", Prefix: "sn", Integrated: true, Late: true,
	},
}

// Products lists the products in the order of the Graph enumeration, one for
// each service source.
func Products() []Product { return append([]Product(nil), products...) }

// ProductOf finds a product by its Graph service source.
func ProductOf(serviceSource string) (Product, bool) {
	for _, p := range products {
		if equalFold(p.ServiceSource, serviceSource) {
			return p, true
		}
	}
	return Product{}, false
}

// ProductFor finds a product by service source and detection source, which
// some products share a service source by.
func ProductFor(serviceSource, detection string) (Product, bool) {
	for _, p := range variants {
		if equalFold(p.ServiceSource, serviceSource) && equalFold(p.Detection, detection) {
			return p, true
		}
	}
	return ProductOf(serviceSource)
}

// ProductNamed finds a product by any of its names, old or new, ignoring case
// and spaces. Where two products share a name, the one whose own name it is
// wins, then the one that stands first.
func ProductNamed(name string) (Product, bool) {
	f := fold(name)
	if f == "" {
		return Product{}, false
	}
	for _, names := range []func(Product) []string{
		func(p Product) []string {
			return []string{p.ServiceSource, p.LegacyName, p.ProviderName, p.Hunting, p.Name}
		},
		func(p Product) []string { return p.Others },
	} {
		for _, list := range [][]Product{products, variants} {
			for _, p := range list {
				for _, n := range names(p) {
					if fold(n) == f {
						return p, true
					}
				}
			}
		}
	}
	return Product{}, false
}

// Names lists every name that the product is known by.
func (p Product) Names() []string {
	out := []string{}
	seen := map[string]bool{}
	for _, n := range append([]string{p.ServiceSource, p.Name, p.LegacyName, p.ProviderName, p.Hunting}, p.Others...) {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// PrefixOf gives the prefix of the product's alerts of a detection source.
func (p Product) PrefixOf(detection string) string {
	for _, e := range p.Prefixes {
		if equalFold(e.Detection, detection) {
			return e.Prefix
		}
	}
	return p.Prefix
}
