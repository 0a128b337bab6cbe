package portal

import (
	"context"
	"net/http"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Connector is what the connector's page asks of the integration. A workspace
// is named by its id, an incident by the workspace's name for it.
type Connector interface {
	// Status of the connector of a workspace; with Connected false if there is none.
	Status(ctx context.Context, ws string) (ConnectorStatus, error)
	Connect(ctx context.Context, ws string, c ConnectorSettings, by security.Actor) error
	Disconnect(ctx context.Context, ws string, by security.Actor) error
	// SetSwitch turns one of Switches on or off.
	SetSwitch(ctx context.Context, ws, name string, on bool, by security.Actor) error
	// SetStream turns the streaming of a table on or off.
	SetStream(ctx context.Context, ws, table string, on bool, by security.Actor) error
	// Explain tells how an incident came to be as it is, oldest first.
	Explain(ctx context.Context, ws, incident string) ([]StoryLine, error)
}

// The switches of the connector's page beside those of the tables (facts 2.2).
const (
	SwitchIncidents = "incidents" // incidents and alerts
	SwitchEntities  = "entities"
)

// ConnectorSettings are what somebody connects with.
type ConnectorSettings struct {
	Incidents            bool     `json:"incidents"` // with their alerts
	Entities             bool     `json:"entities"`
	Tables               []string `json:"tables"`
	TurnOffCreationRules bool     `json:"turnOffCreationRules"`
}

// ConnectorStatus is the state and the health of one workspace's connector.
type ConnectorStatus struct {
	Connected bool         `json:"connected"`
	Since     schema.Ticks `json:"since"`
	By        string       `json:"by"`
	Incidents bool         `json:"incidents"`
	Entities  bool         `json:"entities"`
	Tables    []string     `json:"-"` // those that stream
	Health    []DataType   `json:"health"`
	Latency   Latency      `json:"latency"`
	// Holes are incidents that one side has and the other, by now, should have too.
	Holes int `json:"holes"`
	// Rules are the incident creation rules that connecting turned off.
	Rules []RuleOff `json:"rules"`
	// Cannot are things that a remote end isn't able to do, as sentences.
	Cannot []string `json:"cannot"`
}

// DataType is the health of one kind of data: incidents, alerts, a table.
type DataType struct {
	Name         string       `json:"name"`
	LastReceived schema.Ticks `json:"lastReceived"`
	LagSeconds   float64      `json:"lagSeconds"` // how far the workspace is behind the XDR now
	Count        int64        `json:"count"`      // what there is in the workspace
	Failure      string       `json:"failure"`    // "" when all is well
	FailedAt     schema.Ticks `json:"failedAt"`
}

// Latency of incidents from creation to visible in the workspace, in
// milliseconds, over Count incidents.
type Latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// RuleOff is an incident creation rule that was turned off.
type RuleOff struct {
	Name    string       `json:"name"`
	Product string       `json:"product"`
	At      schema.Ticks `json:"at"`
	By      string       `json:"by"`
}

// StoryLine is one step in the life of a synchronised incident.
type StoryLine struct {
	At     schema.Ticks `json:"at"`
	Side   string       `json:"side"` // where it was written
	Deed   string       `json:"deed"`
	Reason string       `json:"reason"`
	Lost   string       `json:"lost"` // the value that gave way in a conflict
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
	ConnectorStatus
	Workspace string       `json:"workspace"` // name
	Streams   []StreamView `json:"streams"`   // all that can be streamed, in the order of the page
	May       bool         `json:"may"`       // change anything
}

func (p *Portal) needConnector() error {
	if p.o.Connector == nil {
		return missing("connector")
	}
	return nil
}

func (p *Portal) connectorStatus(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	return p.connectorPage(r, s)
}

func (p *Portal) connectorPage(r *http.Request, s session) (any, error) {
	ctx := r.Context()
	if err := p.needConnector(); err != nil {
		return nil, err
	}
	ws, err := p.workspaceNamed(ctx, r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	status, err := p.o.Connector.Status(ctx, ws.ID)
	if err != nil {
		return nil, err
	}
	status.Health, status.Rules, status.Cannot = some(status.Health), some(status.Rules), some(status.Cannot)
	page := ConnectorPage{ConnectorStatus: status, Workspace: ws.Name, Streams: []StreamView{},
		May: p.o.Access.Authorize(ctx, s.person, ConnectorWrite, ws.ID) == nil}
	on := map[string]bool{}
	for _, t := range status.Tables {
		on[t] = true
	}
	catalog := schema.Default()
	for _, stream := range catalog.Streams() {
		v := StreamView{Table: stream.Table, Component: stream.Component, Free: catalog.Free(stream.Table), On: on[stream.Table]}
		if t, ok := catalog.Table(schema.XDR, stream.Table); ok {
			v.Title = t.Description
		}
		page.Streams = append(page.Streams, v)
	}
	return page, nil
}

// changed makes a change to a workspace's connector and answers with the page after it.
func (p *Portal) changed(r *http.Request, s session, deed string, change func(ws string) error) (any, error) {
	if err := p.needConnector(); err != nil {
		return nil, err
	}
	ws, err := p.workspaceNamed(r.Context(), r.PathValue("ws"))
	if err != nil {
		return nil, err
	}
	if err := change(ws.ID); err != nil {
		return nil, err
	}
	p.Notify(Hint{Side: schema.Workspace, Workspace: ws.ID, Kind: "connector", ID: ws.ID})
	return p.connectorPage(r, s)
}

func (p *Portal) connectorConnect(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	body, err := read[ConnectorSettings](r)
	if err != nil {
		return nil, err
	}
	return p.changed(r, s, "connect", func(ws string) error {
		return p.o.Connector.Connect(r.Context(), ws, body, s.actor())
	})
}

func (p *Portal) connectorDisconnect(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	return p.changed(r, s, "disconnect", func(ws string) error {
		return p.o.Connector.Disconnect(r.Context(), ws, s.actor())
	})
}

type switchBody struct {
	On bool `json:"on"`
}

func (p *Portal) connectorSwitch(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	body, err := read[switchBody](r)
	if err != nil {
		return nil, err
	}
	name := r.PathValue("switch")
	if name != SwitchIncidents && name != SwitchEntities {
		return nil, fault.New(fault.NotFound, "the connector has no switch %q", name)
	}
	return p.changed(r, s, "switch "+name+" of", func(ws string) error {
		return p.o.Connector.SetSwitch(r.Context(), ws, name, body.On, s.actor())
	})
}

func (p *Portal) connectorTable(_ http.ResponseWriter, r *http.Request, s session) (any, error) {
	body, err := read[switchBody](r)
	if err != nil {
		return nil, err
	}
	table := r.PathValue("table")
	if _, ok := schema.Default().Streamed(table); !ok {
		return nil, fault.New(fault.NotFound, "the table %q can't be streamed", table)
	}
	return p.changed(r, s, "stream "+table+" to", func(ws string) error {
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
	return some(story), nil
}
