package connector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"lockstep/connector/reconcile"
	"lockstep/schema"
	"lockstep/state"
	"lockstep/tables"
)

// The data types of incidents and alerts are named after their tables.
const (
	incidentsType = "SecurityIncident"
	alertsType    = "SecurityAlert"
)

// Status is how a workspace's connection fares.
type Status struct {
	Connection Connection
	Types      []DataType
	Feeds      []FeedHealth
	Ends       []EndHealth  // the XDR's, then the workspace's
	Waiting    int          // incidents that wait to be looked at
	Behind     schema.Ticks // age of the oldest change that waits; 0 if none does
	Holes      []Hole       // incidents, and parts of feeds, that keep failing, oldest first
	// Creation is the time from a new incident of the XDR to being visible in
	// the workspace, Edit that of other changes, either way; since the start.
	Creation, Edit Latency
	Resynced       schema.Ticks // when all incidents were last compared; 0: not since the start
}

// DataType is the health of one kind of data. Source: facts 2.7.
type DataType struct {
	Name         string
	Component    string // for event tables: as the connector's page groups them
	On           bool
	LastReceived schema.Ticks // when the newest came; 0: never
	Newest       schema.Ticks // event time of the newest row
	Rows         int64
	Lag          schema.Ticks // of incidents and alerts: age of the oldest change that waits
	Failures     int64        // since the start
	LastError    string
}

// FeedHealth is how far a side's feed was followed.
type FeedHealth struct {
	Side      string
	Position  int64
	Failures  int64
	LastError string
	RestsTill schema.Ticks // after a failure
	Failing   bool         // reading it failed the last time
}

// Status tells how a workspace's connection fares.
func (s *Service) Status(ctx context.Context, ws string) (Status, error) {
	ws = strings.ToLower(ws)
	k, err := s.Connection(ctx, ws)
	if err != nil {
		return Status{}, fmt.Errorf("status of workspace %s: %w", ws, err)
	}
	st := Status{Connection: k, Ends: []EndHealth{
		healthOf(reconcile.XDR, s.o.XDR.Capabilities()), healthOf(reconcile.Workspace, s.o.Workspace(ws).Capabilities()),
	}}
	on := k.Connected && k.Settings.Incidents
	incidents, alerts := DataType{Name: incidentsType, On: on}, DataType{Name: alertsType, On: on && k.Settings.Alerts}
	s.turn.Lock()
	if r := s.runners[ws]; r != nil {
		r.report(&st, s.o.Now())
		r.health(&incidents)
		r.health(&alerts)
	}
	s.turn.Unlock()
	incidents.Lag, alerts.Lag = st.Behind, st.Behind
	holes, err := s.holes(ctx, ws)
	if err != nil {
		return Status{}, fmt.Errorf("status of workspace %s: %w", ws, err)
	}
	st.Holes = append(st.Holes, holes...)
	slices.SortStableFunc(st.Holes, func(a, b Hole) int { return cmp.Compare(a.Since, b.Since) })
	st.Types, err = s.types(ctx, k, incidents, alerts)
	if err != nil {
		return Status{}, fmt.Errorf("status of workspace %s: %w", ws, err)
	}
	return st, nil
}

func (r *runner) report(st *Status, now schema.Ticks) {
	st.Waiting = r.queue.size()
	for _, g := range r.gaps {
		st.Holes = append(st.Holes, g.hole())
	}
	if oldest := r.queue.oldest(); oldest != 0 {
		st.Behind = max(now-oldest, 0)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	st.Creation, st.Edit, st.Resynced = r.creation.latency(), r.edit.latency(), r.figures.resynced
	for _, f := range []*feeder{&r.xdr, &r.work} {
		name := string(f.side) + " feed"
		st.Feeds = append(st.Feeds, FeedHealth{
			Side: string(f.side), Position: f.progress.read, RestsTill: max(f.window.until, f.pace.until),
			Failures: r.figures.failures[name], LastError: r.figures.errors[name],
			Failing: f.window.attempts > 0 || f.side == reconcile.XDR && r.resync.window.attempts > 0,
		})
	}
}

func (r *runner) health(t *DataType) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.LastReceived, t.Failures, t.LastError = r.figures.received[t.Name], r.figures.failures[t.Name], r.figures.errors[t.Name]
}

func (s *Service) holes(ctx context.Context, ws string) (all []Hole, err error) {
	err = s.o.Store.View(ctx, func(tx state.Tx) error {
		all = nil
		for _, l := range links.By(tx, "hole", state.Prefix(ws)) {
			all = append(all, *l.Hole)
		}
		return nil
	})
	return all, err
}

// types adds what the tables tell, and the event tables.
func (s *Service) types(ctx context.Context, k Connection, own ...DataType) ([]DataType, error) {
	all := own
	for _, stream := range schema.Default().Streams() {
		on := k.Connected && slices.Contains(k.Settings.Tables, stream.Table)
		all = append(all, DataType{Name: stream.Table, Component: stream.Component, On: on})
	}
	if s.o.Streams == nil {
		return all, nil
	}
	stats, err := s.o.Streams.Stats(ctx, tables.View{Side: schema.Workspace, Workspace: k.Workspace, Now: s.o.Now()})
	if err != nil {
		return nil, err
	}
	for _, stat := range stats {
		if n := slices.IndexFunc(all, func(t DataType) bool { return t.Name == stat.Table }); n >= 0 {
			all[n].Rows, all[n].Newest = stat.Rows, stat.Newest
			all[n].LastReceived = max(all[n].LastReceived, stat.Received)
		}
	}
	return all, nil
}
