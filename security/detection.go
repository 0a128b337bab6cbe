package security

// Detection is a technology that raises alerts, under each of its names.
type Detection struct {
	Source  string   // Graph detectionSource
	Hunting string   // AlertInfo.DetectionSource
	Others  []string // what SecurityAlert rows and the legacy API say
	Late    bool     // listed after unknownFutureValue
}

// detections is facts 1.4 with the texts seen in recorded rows of AlertInfo
// and SecurityAlert.ExtendedProperties.
var detections = []Detection{
	{Source: "unknown"},
	{Source: "microsoftDefenderForEndpoint", Hunting: "EDR", Others: []string{"WindowsDefenderAtp", "Microsoft Defender for Endpoint", "MDATP"}},
	{Source: "antivirus", Hunting: "Antivirus", Others: []string{"WindowsDefenderAv", "Windows Defender AV"}},
	{Source: "smartScreen", Hunting: "SmartScreen", Others: []string{"WindowsDefenderSmartScreen"}},
	{Source: "customTi", Hunting: "Custom TI", Others: []string{"CustomerTI"}},
	{Source: "microsoftDefenderForOffice365", Hunting: "Microsoft Defender for Office 365", Others: []string{"OfficeATP", "Office 365 ATP"}},
	{Source: "automatedInvestigation", Hunting: "Automated investigation"},
	{Source: "microsoftThreatExperts", Hunting: "Microsoft Threat Experts", Others: []string{"ThreatExperts", "Microsoft Defender Experts"}},
	{Source: "customDetection", Hunting: "Custom detection", Others: []string{"CustomDetection"}},
	{Source: "microsoftDefenderForIdentity", Hunting: "Microsoft Defender for Identity", Others: []string{"AzureATP", "Azure ATP"}},
	{Source: "cloudAppSecurity", Hunting: "Cloud App Security", Others: []string{"MCAS", "Microsoft Cloud App Security", "Microsoft Defender for Cloud Apps"}},
	{Source: "microsoft365Defender", Hunting: "Microsoft 365 Defender", Others: []string{"MTP", "Microsoft Defender XDR"}},
	{Source: "azureAdIdentityProtection", Hunting: "AAD Identity Protection", Others: []string{"IPC", "Microsoft Entra ID Protection"}},
	{Source: "manual", Hunting: "Manual"},
	{Source: "microsoftDataLossPrevention", Hunting: "Microsoft Data Loss Prevention", Others: []string{"dataLossPrevention"}},
	{Source: "appGovernancePolicy", Hunting: "App Governance Policy"},
	{Source: "appGovernanceDetection", Hunting: "App Governance Detection", Others: []string{"App Governance"}},
	{Source: "microsoftDefenderForCloud", Hunting: "MDC", Others: []string{"Microsoft Defender for Cloud"}, Late: true},
	{Source: "microsoftDefenderForIoT", Hunting: "DefenderForIoT", Others: []string{"IoTSecurity"}, Late: true},
	{Source: "microsoftDefenderForServers", Hunting: "DefenderForServers", Late: true},
	{Source: "microsoftDefenderForStorage", Hunting: "DefenderForStorage", Late: true},
	{Source: "microsoftDefenderForDNS", Hunting: "DefenderForDNS", Late: true},
	{Source: "microsoftDefenderForDatabases", Hunting: "DefenderForDatabases", Late: true},
	{Source: "microsoftDefenderForContainers", Hunting: "DefenderForContainers", Late: true},
	{Source: "microsoftDefenderForNetwork", Hunting: "DefenderForNetwork", Late: true},
	{Source: "microsoftDefenderForAppService", Hunting: "DefenderForAppService", Late: true},
	{Source: "microsoftDefenderForKeyVault", Hunting: "DefenderForKeyVault", Late: true},
	{Source: "microsoftDefenderForResourceManager", Hunting: "DefenderForResourceManager", Late: true},
	{Source: "microsoftDefenderForApiManagement", Hunting: "DefenderForApiManagement", Late: true},
	{Source: "nrtAlerts", Hunting: "NRT Alerts", Late: true},
	{Source: "scheduledAlerts", Hunting: "Scheduled Alerts", Late: true},
	{Source: "microsoftDefenderThreatIntelligenceAnalytics", Hunting: "Microsoft Defender Threat Intelligence Analytics", Others: []string{"Threat Intelligence Alerts"}, Late: true},
	{Source: "builtInMl", Hunting: "Built-in ML", Others: []string{"Fusion", "ML Behavior Analytics"}, Late: true},
	{Source: "microsoftInsiderRiskManagement", Hunting: "Microsoft Insider Risk Management", Late: true},
	{Source: "microsoftThreatIntelligence", Hunting: "Microsoft Threat Intelligence", Late: true},
	{Source: "microsoftDefenderForAIServices", Hunting: "DefenderForAIServices", Late: true},
	{Source: "securityCopilot", Hunting: "Security Copilot", Late: true},
	{Source: "microsoftSentinel", Hunting: "Microsoft Sentinel", Others: []string{"Azure Sentinel"}, Late: true},
}

// Detections lists the detection sources in the published order.
func Detections() []Detection { return append([]Detection(nil), detections...) }

// DetectionNamed finds a detection source by any of its names.
func DetectionNamed(name string) (Detection, bool) {
	f := fold(name)
	if f == "" {
		return Detection{}, false
	}
	for _, d := range detections {
		if fold(d.Source) == f || d.Hunting != "" && fold(d.Hunting) == f {
			return d, true
		}
	}
	for _, d := range detections {
		for _, other := range d.Others {
			if fold(other) == f {
				return d, true
			}
		}
	}
	return Detection{}, false
}

// DetectionSource gives the Graph value of a detection source's name, "unknown" if there is none.
func DetectionSource(name string) string {
	if d, ok := DetectionNamed(name); ok {
		return d.Source
	}
	return "unknown"
}
