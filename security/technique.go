package security

import "strings"

// TechniqueText is a technique as the hunting tables write it: its name with
// the id in brackets, or the id alone where the name isn't known here.
func TechniqueText(id string) string {
	if name, ok := techniqueNames[id]; ok {
		return name + " (" + id + ")"
	}
	return id
}

// TechniqueName is a technique's name; of a sub-technique that isn't known
// here, its parent's; else the id.
func TechniqueName(id string) string {
	if name, ok := techniqueNames[id]; ok {
		return name
	}
	parent, _, _ := strings.Cut(id, ".")
	if name, ok := techniqueNames[parent]; ok {
		return name
	}
	return id
}

// techniqueNames are the names of the techniques that alerts most often name.
// Source: MITRE ATT&CK for Enterprise.
var techniqueNames = map[string]string{
	"T1003": "OS Credential Dumping", "T1003.001": "LSASS Memory", "T1003.002": "Security Account Manager", "T1003.003": "NTDS",
	"T1003.004": "LSA Secrets", "T1003.006": "DCSync", "T1005": "Data from Local System", "T1007": "System Service Discovery",
	"T1010": "Application Window Discovery", "T1012": "Query Registry", "T1016": "System Network Configuration Discovery",
	"T1018": "Remote System Discovery", "T1020": "Automated Exfiltration", "T1021": "Remote Services", "T1021.001": "Remote Desktop Protocol",
	"T1021.002": "SMB/Windows Admin Shares", "T1021.004": "SSH", "T1021.006": "Windows Remote Management", "T1027": "Obfuscated Files or Information",
	"T1033": "System Owner/User Discovery", "T1036": "Masquerading", "T1036.003": "Rename System Utilities",
	"T1036.004": "Masquerade Task or Service", "T1036.005": "Match Legitimate Name or Location", "T1039": "Data from Network Shared Drive",
	"T1040": "Network Sniffing", "T1041": "Exfiltration Over C2 Channel", "T1046": "Network Service Discovery",
	"T1047": "Windows Management Instrumentation", "T1048": "Exfiltration Over Alternative Protocol", "T1049": "System Network Connections Discovery",
	"T1053": "Scheduled Task/Job", "T1053.002": "At", "T1053.003": "Cron", "T1053.005": "Scheduled Task", "T1055": "Process Injection",
	"T1055.001": "Dynamic-link Library Injection", "T1055.002": "Portable Executable Injection", "T1055.003": "Thread Execution Hijacking",
	"T1055.004": "Asynchronous Procedure Call", "T1055.005": "Thread Local Storage", "T1055.012": "Process Hollowing", "T1056": "Input Capture",
	"T1057": "Process Discovery", "T1059": "Command and Scripting Interpreter", "T1059.001": "PowerShell", "T1059.003": "Windows Command Shell",
	"T1059.004": "Unix Shell", "T1059.005": "Visual Basic", "T1059.006": "Python", "T1059.007": "JavaScript", "T1068": "Exploitation for Privilege Escalation",
	"T1069": "Permission Groups Discovery", "T1069.001": "Local Groups", "T1069.002": "Domain Groups", "T1070": "Indicator Removal",
	"T1070.001": "Clear Windows Event Logs", "T1070.004": "File Deletion", "T1071": "Application Layer Protocol", "T1071.001": "Web Protocols",
	"T1071.004": "DNS", "T1074": "Data Staged", "T1078": "Valid Accounts", "T1078.002": "Domain Accounts", "T1078.003": "Local Accounts",
	"T1078.004": "Cloud Accounts", "T1082": "System Information Discovery", "T1083": "File and Directory Discovery", "T1087": "Account Discovery",
	"T1087.001": "Local Account", "T1087.002": "Domain Account", "T1087.003": "Email Account", "T1087.004": "Cloud Account", "T1090": "Proxy",
	"T1090.003": "Multi-hop Proxy", "T1095": "Non-Application Layer Protocol", "T1098": "Account Manipulation", "T1098.001": "Additional Cloud Credentials",
	"T1105": "Ingress Tool Transfer", "T1106": "Native API", "T1110": "Brute Force", "T1110.001": "Password Guessing", "T1110.003": "Password Spraying",
	"T1110.004": "Credential Stuffing", "T1111": "Multi-Factor Authentication Interception", "T1112": "Modify Registry", "T1113": "Screen Capture",
	"T1114": "Email Collection", "T1114.002": "Remote Email Collection", "T1114.003": "Email Forwarding Rule", "T1119": "Automated Collection",
	"T1127": "Trusted Developer Utilities Proxy Execution", "T1133": "External Remote Services", "T1134": "Access Token Manipulation",
	"T1135": "Network Share Discovery", "T1136": "Create Account", "T1136.001": "Local Account", "T1136.002": "Domain Account", "T1136.003": "Cloud Account",
	"T1137": "Office Application Startup", "T1140": "Deobfuscate/Decode Files or Information", "T1187": "Forced Authentication", "T1189": "Drive-by Compromise",
	"T1190": "Exploit Public-Facing Application", "T1195": "Supply Chain Compromise", "T1197": "BITS Jobs", "T1199": "Trusted Relationship",
	"T1201": "Password Policy Discovery", "T1203": "Exploitation for Client Execution", "T1204": "User Execution", "T1204.001": "Malicious Link",
	"T1204.002": "Malicious File", "T1207": "Rogue Domain Controller", "T1210": "Exploitation of Remote Services", "T1213": "Data from Information Repositories",
	"T1218": "System Binary Proxy Execution", "T1218.005": "Mshta", "T1218.010": "Regsvr32", "T1218.011": "Rundll32", "T1219": "Remote Access Software",
	"T1222": "File and Directory Permissions Modification", "T1482": "Domain Trust Discovery", "T1484": "Domain or Tenant Policy Modification",
	"T1485": "Data Destruction", "T1486": "Data Encrypted for Impact", "T1489": "Service Stop", "T1490": "Inhibit System Recovery",
	"T1496": "Resource Hijacking", "T1497": "Virtualization/Sandbox Evasion", "T1497.001": "System Checks", "T1498": "Network Denial of Service",
	"T1499": "Endpoint Denial of Service", "T1505": "Server Software Component", "T1505.003": "Web Shell", "T1518": "Software Discovery",
	"T1518.001": "Security Software Discovery", "T1526": "Cloud Service Discovery", "T1528": "Steal Application Access Token", "T1530": "Data from Cloud Storage",
	"T1531": "Account Access Removal", "T1534": "Internal Spearphishing", "T1537": "Transfer Data to Cloud Account", "T1538": "Cloud Service Dashboard",
	"T1539": "Steal Web Session Cookie", "T1543": "Create or Modify System Process", "T1543.003": "Windows Service", "T1546": "Event Triggered Execution",
	"T1546.003": "Windows Management Instrumentation Event Subscription", "T1547": "Boot or Logon Autostart Execution",
	"T1547.001": "Registry Run Keys / Startup Folder", "T1548": "Abuse Elevation Control Mechanism", "T1548.002": "Bypass User Account Control",
	"T1550": "Use Alternate Authentication Material", "T1550.001": "Application Access Token", "T1550.002": "Pass the Hash", "T1550.003": "Pass the Ticket",
	"T1550.004": "Web Session Cookie", "T1552": "Unsecured Credentials", "T1552.001": "Credentials In Files", "T1552.004": "Private Keys",
	"T1555": "Credentials from Password Stores", "T1555.003": "Credentials from Web Browsers", "T1556": "Modify Authentication Process",
	"T1557": "Adversary-in-the-Middle", "T1558": "Steal or Forge Kerberos Tickets", "T1558.001": "Golden Ticket", "T1558.003": "Kerberoasting",
	"T1558.004": "AS-REP Roasting", "T1560": "Archive Collected Data", "T1562": "Impair Defenses", "T1562.001": "Disable or Modify Tools",
	"T1562.004": "Disable or Modify System Firewall", "T1564": "Hide Artifacts", "T1564.008": "Email Hiding Rules", "T1566": "Phishing",
	"T1566.001": "Spearphishing Attachment", "T1566.002": "Spearphishing Link", "T1566.003": "Spearphishing via Service", "T1567": "Exfiltration Over Web Service",
	"T1567.002": "Exfiltration to Cloud Storage", "T1568": "Dynamic Resolution", "T1569": "System Services", "T1569.002": "Service Execution",
	"T1570": "Lateral Tool Transfer", "T1571": "Non-Standard Port", "T1572": "Protocol Tunneling", "T1573": "Encrypted Channel",
	"T1574": "Hijack Execution Flow", "T1574.001": "DLL Search Order Hijacking", "T1574.002": "DLL Side-Loading",
	"T1574.011": "Services Registry Permissions Weakness", "T1578": "Modify Cloud Compute Infrastructure", "T1580": "Cloud Infrastructure Discovery",
	"T1586": "Compromise Accounts", "T1589": "Gather Victim Identity Information", "T1595": "Active Scanning", "T1606": "Forge Web Credentials",
	"T1606.002": "SAML Tokens", "T1615": "Group Policy Discovery", "T1620": "Reflective Code Loading", "T1621": "Multi-Factor Authentication Request Generation",
	"T1649": "Steal or Forge Authentication Certificates",
}
