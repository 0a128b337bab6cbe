package sample

// share is a table's part of the sample, in parts of 1000.
type share struct {
	table  string
	event  bool
	parts  int64
	rhythm rhythm
	whole  bool // times of whole seconds
}

// shares are the proportions between the tables: those of the recorded tenant
// (8,765 hunting rows, 853 sign-in, audit and Office rows), with library loads
// and file events raised to what an endpoint really sends. AlertInfo and
// AlertEvidence have no share: they follow from the alerts.
var shares = []share{
	{"DeviceProcessEvents", true, 165, machines, false},
	{"DeviceNetworkEvents", true, 165, machines, false},
	{"DeviceLogonEvents", true, 80, machines, false},
	{"DeviceFileEvents", true, 72, machines, false},
	{"DeviceEvents", true, 60, machines, false},
	{"DeviceImageLoadEvents", true, 50, machines, false},
	{"DeviceRegistryEvents", true, 42, machines, false},
	{"DeviceInfo", true, 40, machines, false},
	{"DeviceNetworkInfo", true, 32, machines, false},
	{"DeviceFileCertificateInfo", true, 8, machines, false},
	{"EmailEvents", true, 55, people, true},
	{"EmailUrlInfo", true, 78, people, true},
	{"EmailAttachmentInfo", true, 8, people, true},
	{"EmailPostDeliveryEvents", true, 2, people, true},
	{"UrlClickEvents", true, 4, people, true},
	{"IdentityLogonEvents", true, 45, people, false},
	{"IdentityQueryEvents", true, 14, machines, false},
	{"IdentityDirectoryEvents", true, 4, people, false},
	{"CloudAppEvents", true, 26, people, true},
	{"AlertInfo", true, 0, people, false},
	{"AlertEvidence", true, 0, people, false},
	{"SigninLogs", false, 27, people, false},
	{"AuditLogs", false, 8, people, false},
	{"OfficeActivity", false, 14, people, true},
	{"IdentityInfo", false, 1, people, false},
}
