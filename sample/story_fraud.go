package sample

import (
	"lockstep/schema"
)

// fraud tells how a session was stolen through a copied sign-in page, a
// mailbox was read and filtered, and an invoice was answered with another bank
// account.
func (s *script) fraud() {
	s.tell("fraud", "Business e-mail compromise", "A stolen session, a mailbox read and filtered, a payment redirected.")
	c, w := s.w.company, s.w
	clerk, controller := c.byRole["payables"], c.byRole["controller"]
	t := s.moment(0.36, 10, 5)
	const page, thiefIP = "https://login.tarnbeck-portal.example/common/oauth2", "198.19.33.201"
	thief := site{ip: thiefIP, city: "Vilnius", state: "Vilnius", country: "LT", carrier: "Night Relay", anonymous: true}

	s.step("a mail asks to renew the password; its page passes on what is typed and keeps the session")
	lure := s.deliver(mail{at: t, from: "it@tarnbeck-helpdesk.example", fromName: "IT Suport", fromDomain: "tarnbeck-helpdesk.example", senderIP: "198.19.91.140", to: clerk,
		subject: "Action needed: your password ends today", direction: "Inbound", delivery: "Delivered", location: "Inbox/folder", url: page})
	click := t + 21*minute
	s.put("UrlClickEvents", click, func(l *line) { w.clickRow(l, lure, clerk, page, clerk.seenFrom(click), "ClickAllowed", false) })
	s.signin(click+minute, signin{who: clerk, app: applications[0], site: site{ip: "198.19.33.10", city: "Vilnius", state: "Vilnius", country: "LT", carrier: "Night Relay"}, client: "Browser", mfa: true})
	s.raise(finding{product: defender, title: "User clicked a link to a copied sign-in page", about: "A user signed in through a page that stands between them and the real one.", category: "InitialAccess", severity: "medium", techniques: []string{"T1566.002", "T1539"},
		first: click, last: click + minute, evidence: []piece{{person: clerk, impacted: true, role: "compromised"}, {url: page, verdict: "malicious"}, {mail: lure}}})

	s.step("the session is used from an anonymizer")
	use := click + 50*minute
	in := s.signin(use, signin{who: clerk, app: applications[0], site: thief, client: "Browser", risk: "high", riskType: "anonymizedIPAddress", mfa: true})
	s.pattern("impossible travel", "SigninLogs", 2, "Dublin and Vilnius within an hour, the same account")
	s.raise(finding{product: protection, title: "Anonymous IP address", about: "A sign-in from an address of an anonymizer.", category: "InitialAccess", severity: "medium", techniques: []string{"T1090.003"}, first: use, last: use,
		evidence: []piece{{person: clerk, impacted: true}, {signin: in}, {ip: thiefIP, role: "attacker"}}})
	s.raise(finding{product: protection, title: "Anomalous token", about: "A token was used in a way that doesn't fit the account.", category: "CredentialAccess", severity: "high", techniques: []string{"T1539"}, first: use, last: use + 30*minute,
		evidence: []piece{{person: clerk, impacted: true}, {signin: in}, {ip: thiefIP, role: "attacker"}}, progress: []step{{after: 26 * schema.Hour, status: "resolved"}}})
	s.raise(finding{product: cloudApps, title: "Activity from a Tor IP address", about: "An address of the Tor network used this account.", category: "DefenseEvasion", severity: "medium", techniques: []string{"T1090.003"}, first: use, last: use + 40*minute,
		evidence: []piece{{person: clerk, impacted: true}, {app: &applications[0]}, {ip: thiefIP, role: "attacker"}}})

	s.step("mail about payments is read")
	const reads = 36
	for k := range reads {
		at := use + schema.Ticks(3+k)*minute
		s.office(at, office{operation: "MailItemsAccessed", record: "ExchangeItemAggregated", workload: "Exchange", who: clerk, ip: thiefIP, fields: `"MailboxOwnerUPN":"` + clerk.upn + `","ClientInfoString":"Client=REST;Client=RESTSystem;;",`})
		s.cloud(at, "MailItemsAccessed", clerk, applications[0], thief, "Inbox", "", false)
	}
	s.pattern("mail read from an anonymizer", "OfficeActivity", reads, "MailItemsAccessed from an address with a risky sign-in")

	s.step("a rule hides the answers, a second factor of the thief's is registered")
	rule := use + 48*minute
	parameters := `[{"Name":"Name","Value":"."},{"Name":"SubjectOrBodyContainsWords","Value":"invoice;payment;bank"},{"Name":"MoveToFolder","Value":"RSS Feeds"},{"Name":"MarkAsRead","Value":"True"}]`
	s.office(rule, office{operation: "New-InboxRule", record: "ExchangeAdmin", workload: "Exchange", who: clerk, ip: thiefIP, object: clerk.account + `\.`, fields: `"Parameters":` + quote(parameters) + `,`})
	s.office(rule+4*minute, office{operation: "Set-Mailbox", record: "ExchangeAdmin", workload: "Exchange", who: clerk, ip: thiefIP, object: clerk.account,
		fields: `"Parameters":` + quote(`[{"Name":"ForwardingSmtpAddress","Value":"smtp:tb.archive@vault-drop.example"},{"Name":"DeliverToMailboxAndForward","Value":"True"}]`) + `,`})
	s.cloud(rule, "New-InboxRule", clerk, applications[0], thief, ".", `"Parameters":`+parameters, false)
	s.audit(rule+9*minute, audit{operation: "User registered security info", category: "UserManagement", service: "Authentication Methods", by: clerk, ip: thiefIP, target: clerk.upn, targetType: "User", targetID: clerk.objectID})
	s.pattern("inbox rule that hides mail about money", "OfficeActivity", 1, "New-InboxRule with a name of one character")
	s.pattern("forwarding to outside", "OfficeActivity", 1, "Set-Mailbox with ForwardingSmtpAddress")
	s.pattern("second factor registered from a risky address", "AuditLogs", 1, "within an hour of the risky sign-in")
	s.raise(finding{product: defender, title: "Suspicious inbox manipulation rule", about: "A rule hides certain mail from its owner.", category: "DefenseEvasion", severity: "high", techniques: []string{"T1564.008"}, first: rule, last: rule,
		evidence: []piece{{person: clerk, impacted: true, role: "compromised"}, {app: &applications[0]}, {ip: thiefIP, role: "attacker"}}, progress: []step{{after: 70 * minute, status: "inProgress", more: &piece{mailbox: clerk}}}})
	s.raise(finding{product: cloudApps, title: "Suspicious inbox forwarding", about: "A mailbox forwards to an address outside the organisation.", category: "Collection", severity: "medium", techniques: []string{"T1114.003"}, first: rule + 4*minute, last: rule + 4*minute,
		evidence: []piece{{person: clerk, impacted: true}, {app: &applications[0]}, {ip: thiefIP, role: "attacker"}}})

	s.step("the next day an invoice with another bank account goes to the controller")
	ask := rule + 23*schema.Hour
	order := s.deliver(mail{at: ask, from: clerk.upn, fromName: clerk.name, fromDomain: mailDomain, senderIP: thiefIP, to: controller, subject: "Re: Invoice 2210-77, new bank details", direction: "Intra-org", delivery: "Delivered", location: "Inbox/folder", files: 1})
	s.put("EmailAttachmentInfo", order.at, func(l *line) { w.attachmentRow(l, order) })
	s.office(ask, office{operation: "Send", record: "ExchangeItem", workload: "Exchange", who: clerk, ip: thiefIP, fields: `"MailboxOwnerUPN":"` + clerk.upn + `","Item":` + quote(`{"Subject":"`+order.subject+`"}`) + `,`})
	s.raise(finding{product: officeMail, title: "Suspicious email sending patterns detected", about: "An account sent mail in a way that it never did.", category: "LateralMovement", severity: "medium", techniques: []string{"T1534"}, first: ask, last: ask,
		evidence: []piece{{mailbox: clerk, impacted: true}, {mail: order}, {person: clerk, impacted: true}}})
	s.raise(finding{product: defender, title: "Financial fraud from a compromised mailbox", about: "A mailbox under somebody else's control asked for a payment to a new bank account.", category: "Impact", severity: "high", techniques: []string{"T1657"}, first: use, last: ask,
		evidence: []piece{{person: clerk, impacted: true, role: "compromised"}, {mailbox: controller}, {mail: order}, {ip: thiefIP, role: "attacker"}}})
}
