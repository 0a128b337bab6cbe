package portal

import (
	"context"
	"net/http"
	"slices"

	"lockstep/connector"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Connector is what the connector's page asks of the integration.
// *connector.Service satisfies it. A workspace is named by its id.
type Connector interface {
	Connection(ctx context.Context, ws string) (connector.Connection, error)
	Connect(ctx context.Context, ws string, c connector.Settings, by security.Actor) (connector.Connection, error)
	Disconnect(ctx context.Context, ws string, by security.Actor) (connector.Connection, error)
	SetStream(ctx context.Context, ws, table string, on bool, by security.Actor) (connector.Connection, error)
	Status(ctx context.Context, ws string) (connector.Status, error)
	Explain(ctx context.Context, ws, incident string) (connector.Story, error)
}

// switches of the connector's page beside those of the tables (facts 2.2).
var switches = map[string]func(c *connector.Settings, on bool){
	"incidents": func(c *connector.Settings, on bool) { c.Incidents, c.Alerts = on, on },
	"entities":  func(c *connector.Settings, on bool) { c.Entities = on },
}

// DataType is the health of one kind of data: incidents, alerts, a table.
type DataType struct {
	Name         string       `json:"name"`
	On           bool         `json:"on"`
	LastReceived schema.Ticks `json:"lastReceived"`
	LagSeconds   float64      `json:"lagSeconds"` // age of the oldest change that waits
	Count        int64        `json:"count"`      // rows in the workspace
	Failures     int64        `json:"failures"`   // since the start
	Failure      string       `json:"failure"`    // the last one; "" when all is well
}

// Latency of incidents from creation to visible in the workspace, in
// milliseconds, over Count incidents.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// HoleView is an incident that keeps failing to cross.
type HoleView struct {
	XDR      string       `json:"xdr"`
	Where    string       `json:"where,omitempty"` // a part of a feed, where it isn't known which incident
	Since    schema.Ticks `json:"since"`
	Attempts int          `json:"attempts"`
	Next     schema.Ticks `json:"next"`
	Error    string       `json:"error"`
}

// Story tells why both incidents of a pair are as they are.
type Story struct {
	Sentences []string `json:"sentences"` // in the order of what happened
}

// StreamView is a table's switch.
type StreamView struct {
	Table     string `json:"table"`
	Component string `json:"component"`
	Title     string `json:"title"` // what the table holds
	Free      bool   `json:"free"`
	On        bool   `json:"on"`
}

// ConnectorPage is the whole of the connector's page for one workspace.
type ConnectorPage struct {
	Workspace  string       `json:"workspace"` // name
	Connected  bool         `json:"connected"`
	Since      schema.Ticks `json:"since"`
	By         string       `json:"by"`
	Incidents  bool         `json:"incidents"` // with their alerts
	Entities   bool         `json:"entities"`
	Streams    []StreamView `json:"streams"` // all that can be streamed, in the order of the page
	Health     []DataType   `json:"health"`  // of what is switched on, or ever received
	Latency    Latency      `json:"latency"`
	Waiting    int          `json:"waiting"` // incidents that wait to be looked at
	Behind     float64      `json:"behindSeconds"`
	Holes      []HoleView   `json:"holes"`
	Feeds      []string     `json:"feeds"` // what is wrong with reading either side's changes
	RulesOff   []string     `json:"rulesOff"`
	RulesOffAt schema.Ticks `json:"rulesOffAt"`
	May        bool         `json:"may"` // change anything
}

func connectorPage(name string, st connector.Status) ConnectorPage {
	k := st.Connection
	page := ConnectorPage{Workspace: name, Connected: k.Connected, Since: k.Since, By: k.By.Name, Incidents: k.Settings.Incidents, Entities: k.Settings.Entities,
		Streams: []StreamView{}, Health: []DataType{}, Holes: []HoleView{}, Feeds: []string{}, RulesOff: some(k.RulesOff), RulesOffAt: k.RulesOffAt,
		Waiting: st.Waiting, Behind: st.Behind.Duration().Seconds(),
		Latency: Latency{Count: st.Creation.Count, P50: milliseconds(st.Creation.P50), P99: milliseconds(st.Creation.P99), Max: milliseconds(st.Creation.Greatest)}}
	for _, t := range st.Types {
		if t.On || t.LastReceived > 0 || t.Rows > 0 {
			page.Health = append(page.Health, DataType{Name: t.Name, On: t.On, LastReceived: t.LastReceived, LagSeconds: t.Lag.Duration().Seconds(),
				Count: t.Rows, Failures: t.Failures, Failure: t.LastError})
		}
	}
	for _, h := range st.Holes {
		page.Holes = append(page.Holes, HoleView{XDR: h.XDR, Where: h.Where, Since: h.Since, Attempts: h.Attempts, Next: h.Next, Error: h.Error})
	}
	for _, f := range st.Feeds {
		if f.LastError != "" {
			page.Feeds = append(page.Feeds, f.Side+": "+f.LastError)
		}
	}
	catalog := schema.Default()
	for _, stream := range catalog.Streams() {
		v := StreamView{Table: stream.Table, Component: stream.Component, Free: catalog.Free(stream.Table), On: slices.Contains(k.Settings.Tables, stream.Table)}
		if t, ok := catalog.Table(schema.XDR, stream.Table); ok {
			v.Title = t.Description
		}
		page.Streams = append(page.Streams, v)
	}
	return page
}

func milliseconds(t schema.Ticks) float64 { return float64(t) / float64(schema.Millisecond) }

func (p *Portal) needConnector() error {
	if p.o.Connector == nil {
		return missing("connector")
	}
	return nil
}

func (p *Portal) connectorStatus(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	if err := p.needConnector(); err != nil {
		return nil, err
	}
	ws, err := p.workspaceNamed(r.Context(), r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	status, err := p.o.Connector.Status(r.Context(), ws.ID)
	if err != nil {
		return nil, err
	}
	page := connectorPage(ws.Name, status)
	page.May = p.o.Access.Allowed(s.person, ConnectorWrite, ws.ID)
	return page, nil
}

// changed makes a change to a workspace's connector and answers with the page after it.
func (p *Portal) changed(w http.ResponseWriter, r *http.Request, s session, change func(ws string) (connector.Connection, error)) (any, error) {
	if err := p.needConnector(); err != nil {
		return nil, err
	}
	ws, err := p.workspaceNamed(r.Context(), r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	if _, err := change(ws.ID); err != nil {
		return nil, err
	}
	p.Notify(Hint{Side: schema.Workspace, Workspace: ws.ID, Kind: "connector", ID: ws.ID})
	return p.connectorStatus(w, r, s)
}

// connectBody is what somebody connects with.
type connectBody struct {
	Incidents            bool `json:"incidents"` // with their alerts
	Entities             bool `json:"entities"`
	TurnOffCreationRules bool `json:"turnOffCreationRules"`
}

func (p *Portal) connectorConnect(w http.ResponseWriter, r *http.Request, s session) (any, error) {
	body, err := read[connectBody](r)
	if err != nil {
		return nil, err
	}
	return p.changed(w, r, s, func(ws string) (connector.Connection, error) {
		// Tables that streamed before a disconnect aren't taken up again unasked.
		return p.o.Connector.Connect(r.Context(), ws, connector.Settings{Incidents: body.Incidents, Alerts: body.Incidents,
			Entities: body.Entities, TurnOffCreationRules: body.TurnOffCreationRules}, s.actor())
	})
}

func (p *Portal) connectorDisconnect(w http.ResponseWriter, r *http.Request, s session) (any, error) {
	return p.changed(w, r, s, func(ws string) (connector.Connection, error) {
		return p.o.Connector.Disconnect(r.Context(), ws, s.actor())
	})
}

type switchBody struct {
	On bool `json:"on"`
}

func (p *Portal) connectorSwitch(w http.ResponseWriter, r *http.Request, s session) (any, error) {
	body, err := read[switchBody](r)
	if err != nil {
		return nil, err
	}
	set, ok := switches[r.PathValue("switch")]
	if !ok {
		return nil, fault.New(fault.NotFound, "the connector has no switch %q", r.PathValue("switch"))
	}
	return p.changed(w, r, s, func(ws string) (connector.Connection, error) {
		now, err := p.o.Connector.Connection(r.Context(), ws)
		if err != nil {
			return now, err
		}
		if !now.Connected {
			return now, fault.New(fault.Conflict, "the workspace isn't connected: connect it first")
		}
		set(&now.Settings, body.On)
		return p.o.Connector.Connect(r.Context(), ws, now.Settings, s.actor())
	})
}

func (p *Portal) connectorTable(w http.ResponseWriter, r *http.Request, s session) (any, error) {
	body, err := read[switchBody](r)
	if err != nil {
		return nil, err
	}
	table := r.PathValue("table")
	if _, ok := schema.Default().Streamed(table); !ok {
		return nil, fault.New(fault.NotFound, "the table %q can't be streamed", table)
	}
	return p.changed(w, r, s, func(ws string) (connector.Connection, error) {
		return p.o.Connector.SetStream(r.Context(), ws, table, body.On, s.actor())
	})
}

func (p *Portal) explain(_ http.ResponseWriter, r *http.Request, _ session) (any, error) {
	if err := p.needConnector(); err != nil {
		return nil, err
	}
	ws, err := p.workspaceNamed(r.Context(), r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	story, err := p.o.Connector.Explain(r.Context(), ws.ID, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return Story{some(story.Sentences)}, nil
}
