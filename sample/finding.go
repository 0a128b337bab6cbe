package sample

import (
	"fmt"

	"lockstep/schema"
	"lockstep/source"
)

// product is one of the six that raise alerts, by all the names it has.
// Source: facts 1.2 and 1.3, and the recorded tenant.
type product struct {
	prefix        string // of the unified alert id
	productName   string // SecurityAlert.ProductName
	providerName  string // SecurityAlert.ProviderName
	service       string // Graph serviceSource
	detection     string // Graph detectionSource
	current       string // Graph productName
	infoService   string // AlertInfo.ServiceSource
	infoDetection string // AlertInfo.DetectionSource
	id            func(d *dice, made schema.Ticks) (provider string)
}

func guidID(d *dice, _ schema.Ticks) string { return d.guid() }

var (
	endpoint = &product{"da", "Microsoft Defender Advanced Threat Protection", "MDATP", "microsoftDefenderForEndpoint", "microsoftDefenderForEndpoint",
		"Microsoft Defender for Endpoint", "Microsoft Defender for Endpoint", "EDR", func(d *dice, _ schema.Ticks) string { return d.guid() + "_1" }}
	antivirus = &product{"da", "Microsoft Defender Advanced Threat Protection", "MDATP", "microsoftDefenderForEndpoint", "antivirus",
		"Microsoft Defender for Endpoint", "Microsoft Defender for Endpoint", "Antivirus", func(d *dice, _ schema.Ticks) string { return d.guid() + "_1" }}
	officeMail = &product{"fa", "Office 365 Advanced Threat Protection", "OATP", "microsoftDefenderForOffice365", "microsoftDefenderForOffice365",
		"Microsoft Defender for Office 365", "Microsoft Defender for Office 365", "Microsoft Defender for Office 365", guidID}
	identity = &product{"aa", "Azure Advanced Threat Protection", "Azure Advanced Threat Protection", "microsoftDefenderForIdentity", "microsoftDefenderForIdentity",
		"Microsoft Defender for Identity", "Microsoft Defender for Identity", "Microsoft Defender for Identity", guidID}
	cloudApps = &product{"ca", "Microsoft Cloud App Security", "MCAS", "microsoftDefenderForCloudApps", "cloudAppSecurity",
		"Microsoft Defender for Cloud Apps", "Microsoft Defender for Cloud Apps", "Cloud App Security", func(d *dice, _ schema.Ticks) string { return d.hexes(12) }}
	protection = &product{"ad", "Azure Active Directory Identity Protection", "IPC", "azureAdIdentityProtection", "azureAdIdentityProtection",
		"Microsoft Entra ID Protection", "AAD Identity Protection", "AAD Identity Protection", func(d *dice, _ schema.Ticks) string { return d.hexes(32) }}
	defender = &product{"ra", "Microsoft 365 Defender", "MicrosoftThreatProtection", "microsoft365Defender", "microsoft365Defender",
		"Microsoft Defender XDR", "Microsoft Defender XDR", "Microsoft 365 Defender", func(d *dice, made schema.Ticks) string {
			return fmt.Sprintf("ra%d_%d", made, int64(d.below(2_000_000_000))-1_000_000_000)
		}}
)

// finding is one alert of one product.
type finding struct {
	product      *product
	id           string // unified: with the product's prefix
	provider     string // the product's own
	system       string // GUID in a workspace
	title, about string
	category     string // a tactic
	severity     string // low, medium, high, informational
	techniques   []string
	detector     string
	first, last  schema.Ticks
	made         schema.Ticks
	updated      schema.Ticks
	status       string // Graph words
	evidence     []piece
	threat       string
	shapes       []source.Shape
	progress     []step // what becomes of it later
	repeated     bool   // sent again, byte by byte
}

// step is a later state of an alert.
type step struct {
	after  schema.Ticks
	status string
	more   *piece
}

// piece is an entity with its part in an alert. The field that is set says
// which kind it is.
type piece struct {
	device   *device
	person   *person
	process  *process
	file     *diskFile
	mail     *mail
	mailbox  *person
	app      *application
	oauth    *oauthApp
	signin   *signin // its session and request
	ip       string
	url      string
	key      [3]string // registry key, value name, value data
	role     string    // Graph evidence role; "" = none
	impacted bool
	verdict  string
}

type oauthApp struct{ name, appID, objectID string }

// techniqueNames are the published names of the techniques the sample uses
// (MITRE ATT&CK).
var techniqueNames = map[string]string{
	"T1003.001": "LSASS Memory", "T1018": "Remote System Discovery", "T1021.001": "Remote Desktop Protocol", "T1021.002": "SMB/Windows Admin Shares",
	"T1027": "Obfuscated Files or Information", "T1047": "Windows Management Instrumentation", "T1055": "Process Injection", "T1059.001": "PowerShell",
	"T1078": "Valid Accounts", "T1078.004": "Cloud Accounts", "T1087.002": "Domain Account", "T1090.003": "Multi-hop Proxy", "T1098.001": "Additional Cloud Credentials",
	"T1110": "Brute Force", "T1110.003": "Password Spraying", "T1114.003": "Email Forwarding Rule", "T1486": "Data Encrypted for Impact", "T1490": "Inhibit System Recovery",
	"T1534": "Internal Spearphishing", "T1539": "Steal Web Session Cookie", "T1552.004": "Private Keys", "T1558.003": "Kerberoasting", "T1562.001": "Disable or Modify Tools",
	"T1564.008": "Email Hiding Rules", "T1566.001": "Spearphishing Attachment", "T1566.002": "Spearphishing Link", "T1567.002": "Exfiltration to Cloud Storage",
	"T1569.002": "Service Execution", "T1606.002": "SAML Tokens", "T1053.005": "Scheduled Task", "T1204.002": "Malicious File", "T1489": "Service Stop", "T1657": "Financial Theft",
	"T1218.011": "Rundll32", "T1105": "Ingress Tool Transfer", "T1621": "Multi-Factor Authentication Request Generation",
}
