package connector

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// Settings are the connector's switches for one workspace. Source: facts 2.2.
type Settings struct {
	Incidents bool     `json:"incidents"` // incidents, both ways
	Alerts    bool     `json:"alerts"`    // with their alerts
	Entities  bool     `json:"entities"`  // directory entities
	Tables    []string `json:"tables"`    // event tables that are streamed
	// TurnOffCreationRules has connecting turn off the rules that make
	// incidents of the integrated products' alerts.
	TurnOffCreationRules bool `json:"turnOffCreationRules"`
	// Resource is the name that a client gave the connection as a resource; "" if none did.
	Resource string `json:"resource,omitempty"`
}

// Connection is the connector's state for one workspace.
type Connection struct {
	Workspace string         `json:"workspace"`
	Connected bool           `json:"connected"`
	Settings  Settings       `json:"settings"`
	Since     schema.Ticks   `json:"since"` // of the present state
	By        security.Actor `json:"by"`
	// RulesOff are the creation rules that connecting turned off, and when. They
	// stay off until somebody turns them on.
	RulesOff   []string     `json:"rulesOff,omitempty"`
	RulesOffAt schema.Ticks `json:"rulesOffAt,omitempty"`
}

// Connect connects a workspace, or changes the switches of one that is
// connected. Event tables are granted from now on. Incidents follow with the
// next calls of Next, those that were there before too. Invalid for a table
// that can't be streamed.
func (s *Service) Connect(ctx context.Context, ws string, c Settings, by security.Actor) (Connection, error) {
	ws = strings.ToLower(ws)
	tables, err := streamable(c.Tables)
	if err != nil {
		return Connection{}, fmt.Errorf("connect workspace %s: %w", ws, err)
	}
	if err := s.onePlace(ws, tables); err != nil {
		return Connection{}, fmt.Errorf("connect workspace %s: %w", ws, err)
	}
	c.Tables = tables
	var off []string
	if c.TurnOffCreationRules && s.o.Rules != nil {
		if off, err = s.o.Rules.TurnOff(ctx, ws, by); err != nil {
			return Connection{}, fmt.Errorf("connect workspace %s: turn off creation rules: %w", ws, err)
		}
	}
	return s.change(ctx, ws, func(k *Connection, now schema.Ticks) {
		if !k.Connected {
			k.Connected, k.Since, k.By = true, now, by
		}
		k.Settings = c
		if c.TurnOffCreationRules && k.RulesOffAt == 0 {
			k.RulesOffAt = now
		}
		for _, rule := range off {
			if !slices.Contains(k.RulesOff, rule) {
				k.RulesOff = append(k.RulesOff, rule)
			}
		}
	})
}

// Tables gives the event tables to connect with when nobody names any: those
// that stream, or streamed before it was disconnected; all that can the first
// time, but none where the other side is another server.
func (s *Service) Tables(ctx context.Context, ws string) ([]string, error) {
	if s.remote(ws) != "" {
		return nil, nil
	}
	k, err := s.Connection(ctx, ws)
	if err != nil || len(k.Settings.Tables) > 0 {
		return k.Settings.Tables, err
	}
	all := []string{}
	for _, stream := range schema.Default().Streams() {
		all = append(all, stream.Table)
	}
	return all, nil
}

// Disconnect stops the synchronisation and the streams of a workspace. What is
// there stays on both sides; creation rules stay off.
func (s *Service) Disconnect(ctx context.Context, ws string, by security.Actor) (Connection, error) {
	ws = strings.ToLower(ws)
	return s.change(ctx, ws, func(k *Connection, now schema.Ticks) {
		if k.Connected {
			k.Connected, k.Since, k.By = false, now, by
		}
	})
}

// SetStream turns the streaming of one event table on or off. Conflict if the
// workspace isn't connected.
func (s *Service) SetStream(ctx context.Context, ws, table string, on bool, by security.Actor) (Connection, error) {
	ws = strings.ToLower(ws)
	names, err := streamable([]string{table})
	if err != nil {
		return Connection{}, fmt.Errorf("stream to workspace %s: %w", ws, err)
	}
	if on {
		if err := s.onePlace(ws, names); err != nil {
			return Connection{}, fmt.Errorf("stream to workspace %s: %w", ws, err)
		}
	}
	k, err := s.Connection(ctx, ws)
	if err != nil {
		return Connection{}, err
	}
	if !k.Connected {
		return Connection{}, fault.New(fault.Conflict, "workspace %s isn't connected; connect it before streaming tables to it", ws)
	}
	return s.change(ctx, ws, func(k *Connection, _ schema.Ticks) {
		k.Settings.Tables = slices.DeleteFunc(slices.Clone(k.Settings.Tables), func(t string) bool { return t == names[0] })
		if on {
			k.Settings.Tables = append(k.Settings.Tables, names[0])
			slices.Sort(k.Settings.Tables)
		}
	})
}

// streamable checks names of tables and gives them in their exact spelling,
// each once, sorted. Source: facts 2.6.
func streamable(names []string) ([]string, error) {
	out := []string{}
	for _, name := range names {
		t, ok := schema.Default().Table(schema.XDR, name)
		if ok {
			_, ok = schema.Default().Streamed(t.Name)
		}
		if !ok {
			return nil, fault.At("tables", "%q can't be streamed; there are %d tables that can", name, len(schema.Default().Streams()))
		}
		out = append(out, t.Name)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// change stores a change of a connection and has it take effect.
func (s *Service) change(ctx context.Context, ws string, f func(*Connection, schema.Ticks)) (k Connection, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	now := s.o.Now()
	err = s.o.Store.Update(ctx, func(tx state.Tx) error {
		k, _ = connections.Get(tx, ws)
		k.Workspace = ws
		f(&k, now)
		connections.Put(tx, ws, k)
		return nil
	})
	if err != nil {
		return Connection{}, fmt.Errorf("store the connection of workspace %s: %w", ws, err)
	}
	s.stale = true
	if err := s.grant(ctx, k, now); err != nil {
		return k, fmt.Errorf("stream to workspace %s: %w", ws, err)
	}
	s.o.Changed()
	return k, nil
}

// grant has the grants of a workspace be as its switches say.
func (s *Service) grant(ctx context.Context, k Connection, now schema.Ticks) error {
	if s.o.Streams == nil {
		return nil
	}
	for _, stream := range schema.Default().Streams() {
		on := k.Connected && slices.Contains(k.Settings.Tables, stream.Table)
		if err := s.o.Streams.SetGrant(ctx, k.Workspace, stream.Table, on, now); err != nil {
			return fmt.Errorf("table %s: %w", stream.Table, err)
		}
	}
	return nil
}

// Connections lists the connections of all workspaces that ever had one.
func (s *Service) Connections(ctx context.Context) (all []Connection, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		all = nil
		for _, k := range connections.Scan(tx, state.All()) {
			all = append(all, k)
		}
		return nil
	})
	return all, err
}

// Connection gives a workspace's connection; one that never was is not connected.
func (s *Service) Connection(ctx context.Context, ws string) (k Connection, err error) {
	ws = strings.ToLower(ws)
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		k, _ = connections.Get(tx, ws)
		k.Workspace = ws
		return nil
	})
	return k, err
}

// refresh makes the runners what the stored connections say.
func (s *Service) refresh(ctx context.Context, now schema.Ticks) error {
	if !s.stale {
		return nil
	}
	all, err := s.Connections(ctx)
	if err != nil {
		return err
	}
	for _, k := range all {
		if err := s.grant(ctx, k, now); err != nil {
			return fmt.Errorf("stream to workspace %s: %w", k.Workspace, err)
		}
		r, there := s.runners[k.Workspace]
		switch {
		case !k.Connected || !k.Settings.Incidents:
			delete(s.runners, k.Workspace)
		case there:
			if r.settings.Alerts != k.Settings.Alerts {
				r.resync = compareFrom(now) // every incident gains its alerts, or keeps those it has
			}
			r.settings = k.Settings
		default:
			if s.runners[k.Workspace], err = s.start(ctx, k, now); err != nil {
				return err
			}
		}
	}
	s.stale = false
	return nil
}

func (s *Service) inOrder() []*runner {
	names := make([]string, 0, len(s.runners))
	for ws := range s.runners {
		names = append(names, ws)
	}
	slices.Sort(names)
	out := make([]*runner, len(names))
	for i, ws := range names {
		out[i] = s.runners[ws]
	}
	return out
}
