// Package connector is the integration between the XDR and the workspaces: it
// keeps parallel incidents in step in both directions, switches the streaming
// of event tables, and can tell of each incident why both sides are as they
// are. It reaches the sides over connector/port alone. It leaves the decision
// what to write to reconcile, incidents to the sides, rows to the tables. It
// starts no goroutine and holds no timer: Next does what is due.
package connector

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/tables"
)

// Streams is who grants workspaces the XDR's event rows.
type Streams interface {
	// SetGrant turns the streaming of a table to a workspace on or off; to set
	// what is set changes nothing.
	SetGrant(ctx context.Context, workspace, table string, on bool, now schema.Ticks) error
	// Grants lists a workspace's grants, ended ones too.
	Grants(ctx context.Context, workspace string) ([]tables.Grant, error)
	// Stats counts the rows that a view shows, table by table.
	Stats(ctx context.Context, view tables.View) ([]tables.Stat, error)
}

// CreationRules are the rules that make incidents of single products' alerts.
type CreationRules interface {
	// TurnOff turns off a workspace's rules for the integrated products and
	// gives the names of those that were on.
	TurnOff(ctx context.Context, workspace string, by security.Actor) ([]string, error)
}

// Options are the parts that a Service is made of.
type Options struct {
	Store     state.Store
	Now       func() schema.Ticks
	NewID     func() string // a new id for each write
	XDR       port.End
	Workspace func(workspace string) port.End

	Streams  Streams       // nil: no event streaming
	Rules    CreationRules // nil: there are none to turn off
	TenantID string        // part of the names of workspace incidents
	Seed     uint64        // of the jitter between retries
	Changed  func()        // called when settings changed, so that Next has work; may be nil
	// Reached is told when an end can't be read for the third time in a row, and
	// again with nil when it can. It may be nil, and must not call the service.
	Reached func(end string, err error)

	ResyncEvery schema.Ticks // how often all incidents are compared; 0: one hour, five minutes if an end has no complete feed
}

// Service is the connector of all workspaces. It is safe for concurrent use;
// Next runs one at a time.
type Service struct {
	o Options

	turn    sync.Mutex // held by whatever reads or changes the fields below
	rand    *rand.Rand
	runners map[string]*runner // by workspace, those that are connected
	stale   bool               // runners don't match the stored connections
}

// New makes the service on a store. Invalid if a part is missing.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Now == nil || o.NewID == nil || o.XDR == nil || o.Workspace == nil {
		return nil, fault.New(fault.Invalid, "the connector needs a store, a clock, a source of ids and both ends")
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Reached == nil {
		o.Reached = func(string, error) {}
	}
	return &Service{o: o, rand: rand.New(rand.NewPCG(o.Seed, 0)), runners: map[string]*runner{}, stale: true}, nil
}

// Next does a bounded part of what is due at a time: reads both feeds, brings
// incidents into agreement, compares all now and then. did tells that there may
// be more to do at once; wakeAt when there is something again even if nobody
// calls (0: never). An error is one of the connector's own store; a failing
// end is no error here but waits, and shows in Status.
func (s *Service) Next(ctx context.Context, now schema.Ticks) (did bool, wakeAt schema.Ticks, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.refresh(ctx, now); err != nil {
		return false, 0, fmt.Errorf("read connections: %w", err)
	}
	for _, r := range s.inOrder() {
		more, wake, err := r.next(ctx, now)
		if err != nil {
			return did, now, fmt.Errorf("synchronise workspace %s: %w", r.ws, err)
		}
		did = did || more
		if wake != 0 && (wakeAt == 0 || wake < wakeAt) {
			wakeAt = wake
		}
	}
	return did, wakeAt, nil
}
