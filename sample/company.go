package sample

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/schema"
)

// The invented company. Domains are under .example (RFC 2606), addresses of
// the outside world from the ranges set aside for documentation and
// benchmarks (RFC 5737, RFC 2544): nothing here belongs to anybody.
const (
	companyName = "Tarnbeck Optics"
	mailDomain  = "tarnbeck.example"
	adDomain    = "corp.tarnbeck.example"
	ntDomain    = "TARNBECK"
	officeIP    = "198.51.100.24"
)

// How many people and devices the company has.
const (
	personCount = 300
	deviceCount = 200
)

// company is everybody and everything that the sample is about.
type company struct {
	tenantID    string
	workspaceID string
	people      []*person
	devices     []*device
	desks       []*device // devices with a person at them
	servers     []*device
	services    []*person // accounts that no person uses
	system      *person
	byRole      map[string]*person
	byHost      map[string]*device
}

// person is an account.
type person struct {
	name, account, upn, sid, objectID string
	domain                            string // as Windows prints it
	department, title                 string
	given, family                     string
	home                              string // address of their line at home
	city, country, state              string
	device                            *device

	asAccount    string // the five Account* fields, ready to print
	asThree      string // of these, the three that every table has
	asInitiating string // the five InitiatingProcessAccount* fields
}

// device is a machine.
type device struct {
	id, host, name, ip, mac     string // name is the full DNS name in lower case
	group                       string
	platform, version, category string
	build                       int64
	aadID                       string
	owner                       *person
	server                      bool

	asDevice string // DeviceId, DeviceName, MachineGroup, ready to print
}

// windows tells whether the machine runs Windows.
func (d *device) windows() bool { return strings.HasPrefix(d.platform, "Windows") }

func newCompany(seed uint64) *company {
	d := roll(seed, "company", 0)
	c := &company{tenantID: d.guid(), workspaceID: d.guid(), byRole: map[string]*person{}, byHost: map[string]*device{}}
	sid := fmt.Sprintf("S-1-5-21-%d-%d-%d", 1e9+d.below(1e9), 1e9+d.below(1e9), 1e9+d.below(1e9))
	c.hire(seed, sid)
	c.equip(seed)
	return c
}

// hire makes the accounts.
func (c *company) hire(seed uint64, sid string) {
	taken := map[string]bool{}
	for i := range personCount {
		d := roll(seed, "person", int64(i))
		p := &person{domain: ntDomain, sid: sid + "-" + strconv.Itoa(1104+i), objectID: d.guid()}
		for {
			p.given, p.family = pick(&d, givenNames), pick(&d, familyNames)
			p.account = strings.ToLower(p.given[:1] + p.family)
			if !taken[p.account] {
				break
			}
		}
		taken[p.account] = true
		p.name, p.upn = p.given+" "+p.family, p.account+"@"+mailDomain
		job := jobs[i%len(jobs)]
		p.department, p.title = job.department, pick(&d, job.titles)
		p.home = fmt.Sprintf("198.18.%d.%d", d.below(200), 1+d.below(250))
		place := pick(&d, places)
		p.city, p.state, p.country = place[0], place[1], place[2]
		p.print()
		c.people = append(c.people, p)
	}
	for _, role := range roles {
		p := c.people[role.person]
		p.title, p.department = role.title, role.department
		c.byRole[role.name] = p
	}
	for i, account := range serviceAccounts {
		d := roll(seed, "service account", int64(i))
		p := &person{name: account, account: account, upn: account + "@" + mailDomain, domain: ntDomain,
			sid: sid + "-" + strconv.Itoa(1600+i), objectID: d.guid(), department: "IT", title: "Service account"}
		p.print()
		c.services = append(c.services, p)
		c.byRole[account] = p
	}
	c.system = &person{name: "SYSTEM", account: "system", domain: "nt authority", sid: "S-1-5-18"}
	c.system.print()
}

// print prepares the fields that most rows repeat.
func (p *person) print() {
	fields := func(prefix string, all bool) string {
		var l line
		l.text(prefix+"AccountDomain", strings.ToLower(p.domain))
		l.text(prefix+"AccountName", p.account)
		l.text(prefix+"AccountSid", p.sid)
		if all {
			l.text(prefix+"AccountUpn", p.upn)
			l.text(prefix+"AccountObjectId", p.objectID)
		}
		return string(l.b)
	}
	p.asAccount, p.asThree, p.asInitiating = fields("", true), fields("", false), fields("InitiatingProcess", true)
}

// equip makes the devices: servers first, then a desk for two in three people.
func (c *company) equip(seed uint64) {
	for i := range deviceCount {
		d := roll(seed, "device", int64(i))
		m := &device{id: d.hexes(20), aadID: d.guid(), category: "Endpoint",
			mac: strings.ToUpper(strings.Join(pairs(d.hexes(6)), "-"))}
		if i < len(serverNames) {
			s := serverNames[i]
			m.server, m.host, m.platform, m.build, m.version = true, s.host, s.platform, s.build, s.version
			m.ip, m.group = fmt.Sprintf("10.40.1.%d", 10+i), "Servers"
			c.servers = append(c.servers, m)
		} else {
			k := i - len(serverNames)
			kind := deskKinds[k%len(deskKinds)]
			m.host, m.platform, m.build, m.version = fmt.Sprintf("tbk-%s-%03d", kind.mark, k+1), kind.platform, kind.build, kind.version
			m.ip, m.group = fmt.Sprintf("10.40.%d.%d", 16+k/200, 20+k%200), kind.group
			m.owner = c.people[k%len(c.people)]
			if m.owner.device == nil {
				m.owner.device = m
			}
			c.desks = append(c.desks, m)
		}
		m.name = m.host + "." + adDomain
		var l line
		l.text("DeviceId", m.id)
		l.text("DeviceName", m.name)
		l.text("MachineGroup", m.group)
		m.asDevice = string(l.b)
		c.devices = append(c.devices, m)
		c.byHost[m.host] = m
	}
	for i, p := range c.people { // who has no desk of their own shares one
		if p.device == nil {
			p.device = c.desks[i%len(c.desks)]
		}
	}
}

func pairs(hex string) (out []string) {
	for i := 0; i+1 < len(hex); i += 2 {
		out = append(out, hex[i:i+2])
	}
	return out
}

// outside gives an address of the outside world.
func outside(d *dice) string {
	return fmt.Sprintf("198.19.%d.%d", d.below(256), 1+d.below(254))
}

// seenFrom is the address by which a person's traffic leaves at a time.
func (p *person) seenFrom(t schema.Ticks) string {
	if hour := t % schema.Day / schema.Hour; hour >= 7 && hour < 18 && t/schema.Day%7 < 5 {
		return officeIP
	}
	return p.home
}

type job struct {
	department string
	titles     []string
}

// Tables of names. All invented, or too common to mean anybody.
var (
	givenNames = []string{"Ada", "Anouk", "Bram", "Carla", "Cem", "Dalia", "Edda", "Emil", "Farah", "Finn", "Greta", "Hugo", "Ines", "Ivo",
		"Jonas", "Juna", "Kalle", "Katja", "Lena", "Levi", "Malin", "Marek", "Nadia", "Nils", "Olga", "Oskar", "Paula", "Pavel", "Quinn",
		"Rania", "Ruben", "Sanne", "Silas", "Tara", "Timo", "Ulla", "Vera", "Viktor", "Wanda", "Yara", "Yusuf", "Zoe"}
	familyNames = []string{"Abbot", "Alder", "Barlow", "Beck", "Brandt", "Calder", "Castell", "Dorn", "Ebner", "Egan", "Falk", "Fenwick",
		"Garland", "Grieve", "Hale", "Harker", "Iversen", "Jansson", "Keel", "Kestrel", "Lindqvist", "Lorne", "Marsh", "Moser", "Nolan",
		"Norcott", "Oakes", "Olin", "Pell", "Pryce", "Quill", "Rask", "Reyes", "Sadler", "Sorrel", "Tarn", "Thorne", "Ulmer", "Vane",
		"Varga", "Wells", "Wray", "Yates", "Zeller"}
	jobs = []job{
		{"Manufacturing", []string{"Line Lead", "Process Technician", "Quality Inspector"}},
		{"Engineering", []string{"Optical Engineer", "Firmware Engineer", "Test Engineer"}},
		{"Sales", []string{"Account Manager", "Sales Engineer"}},
		{"Manufacturing", []string{"Shift Planner", "Machine Operator"}},
		{"Finance", []string{"Accountant", "Controller", "Payables Clerk"}},
		{"Engineering", []string{"Mechanical Designer", "Software Engineer"}},
		{"Support", []string{"Support Engineer", "Field Technician"}},
		{"People", []string{"HR Partner", "Recruiter"}},
		{"Marketing", []string{"Content Editor", "Event Manager"}},
		{"IT", []string{"Systems Administrator", "Service Desk Analyst"}},
		{"Legal", []string{"Contracts Counsel"}},
	}
	roles = []struct {
		name       string
		person     int
		title      string
		department string
	}{
		{"first victim", 16, "Optical Engineer", "Engineering"},
		{"domain admin", 20, "Infrastructure Lead", "IT"},
		{"help desk", 31, "Service Desk Analyst", "IT"},
		{"payables", 37, "Payables Lead", "Finance"},
		{"finance chief", 48, "Chief Financial Officer", "Finance"},
		{"controller", 59, "Group Controller", "Finance"},
		{"backup admin", 42, "Systems Administrator", "IT"},
	}
	serviceAccounts = []string{"svc-adfs", "svc-sql", "svc-backup", "svc-scan", "svc-sync", "svc-print"}
	places          = [][3]string{{"Dublin", "Dublin", "IE"}, {"Cork", "Cork", "IE"}, {"Galway", "Galway", "IE"}, {"Belfast", "Antrim", "GB"},
		{"Bristol", "Bristol", "GB"}, {"Lisbon", "Lisboa", "PT"}}
	serverNames = []struct {
		host, platform string
		build          int64
		version        string
	}{
		{"tbk-dc-01", "WindowsServer2022", 20348, "21H2"}, {"tbk-dc-02", "WindowsServer2022", 20348, "21H2"},
		{"tbk-adfs-01", "WindowsServer2022", 20348, "21H2"}, {"tbk-adfs-02", "WindowsServer2022", 20348, "21H2"},
		{"tbk-file-01", "WindowsServer2019", 17763, "1809"}, {"tbk-file-02", "WindowsServer2019", 17763, "1809"},
		{"tbk-sql-01", "WindowsServer2019", 17763, "1809"}, {"tbk-sql-02", "WindowsServer2022", 20348, "21H2"},
		{"tbk-app-01", "WindowsServer2019", 17763, "1809"}, {"tbk-app-02", "WindowsServer2019", 17763, "1809"},
		{"tbk-app-03", "WindowsServer2022", 20348, "21H2"}, {"tbk-rds-01", "WindowsServer2016", 14393, "1607"},
		{"tbk-bkp-01", "WindowsServer2019", 17763, "1809"}, {"tbk-print-01", "WindowsServer2016", 14393, "1607"},
		{"tbk-sync-01", "WindowsServer2022", 20348, "21H2"}, {"tbk-mgmt-01", "WindowsServer2022", 20348, "21H2"},
		{"tbk-mes-01", "WindowsServer2019", 17763, "1809"}, {"tbk-mes-02", "WindowsServer2019", 17763, "1809"},
		{"tbk-web-01", "Linux", 0, "22.4"}, {"tbk-web-02", "Linux", 0, "22.4"}, {"tbk-git-01", "Linux", 0, "22.4"}, {"tbk-ci-01", "Linux", 0, "24.4"},
	}
	deskKinds = []struct {
		mark, platform string
		build          int64
		version, group string
	}{
		{"lt", "Windows11", 22631, "23H2", "Offices"}, {"lt", "Windows11", 22631, "23H2", "Offices"}, {"ws", "Windows10", 19045, "22H2", "Plant"},
		{"lt", "Windows11", 26100, "24H2", "Offices"}, {"ws", "Windows10", 19045, "22H2", "Plant"}, {"lt", "Windows11", 22631, "23H2", "Offices"},
		{"mb", "macOS", 0, "14.5", "Offices"},
	}
)
