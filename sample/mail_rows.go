package sample

import (
	"strconv"
	"strings"

	"lockstep/schema"
)

// mail is a message to one recipient.
type mail struct {
	at             schema.Ticks
	x, y           uint64 // the NetworkMessageId
	from, fromName string
	fromDomain     string
	senderIP       string
	to             *person
	outTo          string // recipient outside, of mail that leaves
	subject        string
	direction      string
	delivery       string // DeliveryAction
	location       string
	threat         string // ThreatTypes
	detection      string // DetectionMethods
	cluster        int64
	urls, files    int64
	url            string // the first link, when it is a given one
	dice           dice
}

func (m *mail) id() string { return string(appendGUID(nil, m.x, m.y)) }

func (m *mail) recipient() string {
	if m.outTo != "" {
		return m.outTo
	}
	return m.to.upn
}

func (m *mail) internetID() string {
	return "<" + strings.ToUpper(strconv.FormatUint(m.x, 16)) + "." + strconv.FormatUint(m.y>>20, 16) + "@" + m.fromDomain + ">"
}

// correspondent is somebody outside who writes to the company.
type correspondent struct{ name, account, domain, ip string }

var (
	partners = []correspondent{
		{"Noor Bakker", "n.bakker", "glasswerk.example", "203.0.113.11"}, {"Otto Prinz", "prinz", "feinmechanik.example", "203.0.113.23"},
		{"Dunmore Freight", "dispatch", "dunmorefreight.example", "203.0.113.37"}, {"Celia Ward", "celia.ward", "wardandpartners.example", "203.0.113.52"},
		{"Kinsale Bank", "statements", "kinsalebank.example", "203.0.113.61"}, {"Lightpath Weekly", "news", "lightpath-weekly.example", "203.0.113.70"},
		{"Atlas Travel", "bookings", "atlastravel.example", "203.0.113.88"}, {"Ridge Components", "orders", "ridgecomponents.example", "203.0.113.94"},
		{"Hana Sato", "h.sato", "aokoptics.example", "203.0.113.120"}, {"Cloud Notices", "noreply", "cloudnotices.example", "203.0.113.140"},
	}
	// nuisances write unwanted mail. Two of the subjects are hostile on purpose:
	// whoever shows or exports a subject must survive them.
	nuisances = []correspondent{
		{"Parcel Desk", "track", "parcel-desk-info.example", "198.19.7.20"}, {"Prize Office", "win", "prizeoffice.example", "198.19.44.9"},
		{"IT Suport", "it", "tarnbeck-helpdesk.example", "198.19.91.140"}, {"Invoice Team", "billing", "invoice-cloud.example", "198.19.130.3"},
	}
	subjects = []string{"Weekly report", "Re: coating samples", "Delivery window for Thursday", "Minutes of the planning meeting", "Your order 44817",
		"Travel confirmation", "Updated price list", "Please review: contract draft", "Maintenance tonight", "New starters in May", "Lens batch 2207 results",
		"Lunch on Friday?", "Statement of account", "Re: Re: drawing revision C", "Visitor registration", "Training reminder"}
	nuisanceSubjects = []string{"Your parcel could not be delivered", "You have (1) unpaid invoice", "Mailbox almost full: confirm now", "Claim your reward",
		`<img src=x onerror="alert(document.domain)"> Invoice`, `=cmd|' /C calc'!A0`, "Password expires today"}
	attachmentNames = []string{"report.pdf", "offer.docx", "drawing.dxf", "batch.xlsx", "logo.png", "terms.pdf"}
	pathWords       = []string{"news", "orders", "view", "track", "docs", "offers", "help", "events"}
)

// mailAt gives message i.
func (w *world) mailAt(i int64) mail {
	d := start(w.seed, w.mailLabel, i)
	grid := w.grids["EmailEvents"]
	m := mail{at: grid.at(i), x: d.next(), y: d.next(), to: pick(&d, w.company.people), direction: "Inbound", delivery: "Delivered", location: "Inbox/folder",
		urls: w.grids["EmailUrlInfo"].over(i, grid), files: w.grids["EmailAttachmentInfo"].over(i, grid)}
	switch kind := d.below(100); {
	case kind < 34:
		from := pick(&d, w.company.people)
		m.from, m.fromName, m.fromDomain, m.senderIP, m.direction = from.upn, from.name, mailDomain, officeIP, "Intra-org"
		m.subject = pick(&d, subjects)
	case kind < 44:
		to := pick(&d, partners)
		m.from, m.fromName, m.fromDomain, m.senderIP, m.direction = m.to.upn, m.to.name, mailDomain, officeIP, "Outbound"
		m.outTo, m.location, m.subject = to.account+"@"+to.domain, "On-prem/external", pick(&d, subjects)
	case kind < 90:
		from := pick(&d, partners)
		m.from, m.fromName, m.fromDomain, m.senderIP = from.account+"@"+from.domain, from.name, from.domain, from.ip
		m.subject = pick(&d, subjects)
	default:
		from := pick(&d, nuisances)
		m.from, m.fromName, m.fromDomain, m.senderIP = from.account+"@"+from.domain, from.name, from.domain, from.ip
		m.subject = pick(&d, nuisanceSubjects)
		m.threat, m.detection = "Spam", `{"Spam":["Fingerprint matching"]}`
		m.delivery, m.location = "Junked", "Junk folder"
		if d.chance(350) {
			m.threat, m.detection = "Phish", `{"Phish":["URL malicious reputation"]}`
			m.delivery, m.location = "Blocked", "Quarantine"
		}
	}
	m.cluster = int64(label(m.from+m.subject) >> 32)
	m.dice = d
	return m
}

// link gives the k-th link of a mail.
func (m *mail) link(k int64) (url, domain string) {
	if k == 0 && m.url != "" {
		domain = strings.SplitN(m.url, "/", 4)[2]
		return m.url, domain
	}
	d := start(m.x, m.y, k)
	domain = "www." + m.fromDomain
	return "https://" + domain + "/" + pick(&d, pathWords) + "/" + d.hexes(5), domain
}

func (w *world) mailRow(l *line, m *mail) {
	l.guid("NetworkMessageId", m.x, m.y)
	l.text("InternetMessageId", m.internetID())
	l.text("SenderMailFromAddress", m.from)
	l.text("SenderFromAddress", m.from)
	l.text("SenderDisplayName", m.fromName)
	l.text("SenderMailFromDomain", m.fromDomain)
	l.text("SenderFromDomain", m.fromDomain)
	l.text("SenderIPv4", m.senderIP)
	l.text("RecipientEmailAddress", m.recipient())
	if m.outTo == "" {
		l.text("RecipientObjectId", m.to.objectID)
	}
	l.text("Subject", m.subject)
	l.long("EmailClusterId", m.cluster)
	l.text("EmailDirection", m.direction)
	l.text("DeliveryAction", m.delivery)
	l.text("DeliveryLocation", m.location)
	l.text("LatestDeliveryAction", m.delivery)
	l.text("LatestDeliveryLocation", m.location)
	l.text("ThreatTypes", m.threat)
	l.text("DetectionMethods", m.detection)
	if m.direction == "Inbound" {
		l.fixed(`"AuthenticationDetails":"{\"SPF\":\"pass\",\"DKIM\":\"pass\",\"DMARC\":\"pass\",\"CompAuth\":\"pass\"}",`)
	}
	l.long("AttachmentCount", m.files)
	l.long("UrlCount", m.urls)
	l.fixed(`"EmailLanguage":"en","AdditionalFields":"{}",`)
	w.mailReport(l, m, 1)
}

// mailReport writes the id by which a row about a mail is known.
func (w *world) mailReport(l *line, m *mail, k int64) {
	l.name("ReportId")
	l.b = append(l.b, '"')
	l.b = appendGUID(l.b, m.x, m.y)
	l.b = append(l.b, '-')
	l.b = strconv.AppendUint(l.b, m.y>>1, 10)
	l.b = append(l.b, '-')
	l.b = strconv.AppendInt(l.b, k, 10)
	l.b = append(l.b, '"', ',')
}

func (w *world) urlRow(l *line, m *mail, k int64) {
	url, domain := m.link(k)
	l.guid("NetworkMessageId", m.x, m.y)
	l.text("Url", url)
	l.text("UrlDomain", domain)
	l.fixed(`"UrlLocation":"Body",`)
	w.mailReport(l, m, k+1)
}

func (w *world) attachmentRow(l *line, m *mail) {
	d := start(m.x, m.y, -1)
	name := pick(&d, attachmentNames)
	l.guid("NetworkMessageId", m.x, m.y)
	l.text("SenderFromAddress", m.from)
	l.text("SenderDisplayName", m.fromName)
	l.text("RecipientEmailAddress", m.recipient())
	l.text("FileName", name)
	l.text("FileType", name[strings.IndexByte(name, '.')+1:])
	l.text("SHA256", d.hexes(32))
	l.long("FileSize", int64(d.between(800, 4_000_000)))
	l.text("ThreatTypes", m.threat)
	w.mailReport(l, m, 1)
}

func (w *world) postDeliveryRow(l *line, m *mail, action string) {
	l.guid("NetworkMessageId", m.x, m.y)
	l.text("InternetMessageId", m.internetID())
	l.fixed(`"Action":"Moved to quarantine","ActionTrigger":"SpecialAction","ActionResult":"Success","DeliveryLocation":"Quarantine",`)
	l.text("ActionType", action)
	l.text("RecipientEmailAddress", m.recipient())
	l.text("ThreatTypes", strings.Fields(action)[0])
	l.text("DetectionMethods", `{"`+strings.Fields(action)[0]+`":["URL detonation reputation"]}`)
	w.mailReport(l, m, 9)
}

func (w *world) clickRow(l *line, m *mail, who *person, url, ip, action string, through bool) {
	l.text("Url", url)
	l.text("ActionType", action)
	l.text("AccountUpn", who.upn)
	l.fixed(`"Workload":"Email",`)
	l.guid("NetworkMessageId", m.x, m.y)
	l.text("IPAddress", ip)
	l.flag("IsClickedThrough", through)
	l.name("UrlChain")
	l.quoted(`["` + url + `"]`)
	l.b = append(l.b, ',')
	l.guid("ReportId", m.y, m.x)
}
