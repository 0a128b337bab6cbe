package sample

import (
	"lockstep/schema"
)

// table is a table that the sample writes to.
type table struct {
	name  string
	event bool   // a hunting event; else a workspace row
	head  string // what stands between the first time and the fields
}

// world is what all rows of a sample are made from.
type world struct {
	seed         uint64
	company      *company
	programs     map[string]*program
	tables       map[string]*table
	grids        map[string]*grid
	choices      [2][]*program // by where they run, each as often as its weight
	desks        []*device     // Windows machines
	servers      []*device
	processLabel uint64 // labels of what is drawn often
	mailLabel    uint64
}

// newTable prepares the text that every row of a table repeats.
func newTable(name string, event bool, c *company) *table {
	t := &table{name: name, event: event}
	if event {
		t.head = `","tenantId":"` + c.tenantID + `","operationName":"Publish","category":"AdvancedHunting-` + name + `","properties":{"Timestamp":"`
	} else {
		t.head = `","TenantId":"` + c.workspaceID + `","Type":"` + name + `",`
	}
	return t
}

func newWorld(seed uint64) *world {
	w := &world{seed: seed, company: newCompany(seed), programs: newPrograms(), tables: map[string]*table{}, grids: map[string]*grid{},
		processLabel: label("process"), mailLabel: label("mail")}
	for _, share := range shares {
		w.tables[share.table] = newTable(share.table, share.event, w.company)
	}
	for _, s := range programSpecs {
		p := w.programs[file(s.path)]
		for range p.weight {
			if p.place != server {
				w.choices[0] = append(w.choices[0], p)
			}
			if p.place != desk {
				w.choices[1] = append(w.choices[1], p)
			}
		}
	}
	for _, d := range w.company.desks {
		if d.windows() {
			w.desks = append(w.desks, d)
		}
	}
	for _, d := range w.company.servers {
		if d.windows() {
			w.servers = append(w.servers, d)
		}
	}
	return w
}

// processAt gives the process of row i of DeviceProcessEvents. Other device
// rows name it as the one that initiated them.
func (w *world) processAt(i int64) process {
	return w.processFrom(start(w.seed, w.processLabel, i), i, w.grids["DeviceProcessEvents"].at(i))
}

func (w *world) processFrom(d dice, i int64, t schema.Ticks) process {
	p := process{report: 1 + i%1_000_000}
	if d.chance(830) {
		p.device, p.program = pick(&d, w.desks), pick(&d, w.choices[0])
	} else {
		p.device, p.program = pick(&d, w.servers), pick(&d, w.choices[1])
	}
	p.parent = p.program.parent
	switch {
	case p.program.elevated && d.chance(850):
		p.who = w.company.system
	case p.device.server:
		p.who = pick(&d, w.company.services)
	default:
		p.who = p.device.owner
	}
	p.id, p.parentID = int64(4*d.between(200, 6000)), int64(4*d.between(150, 2500))
	p.created = t - schema.Ticks(d.below(20_000))
	p.parentCreated = t - schema.Ticks(d.below(36_000))*schema.Second - schema.Ticks(d.below(10_000_000))
	p.dice = d
	return p
}
