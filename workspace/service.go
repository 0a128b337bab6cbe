package workspace

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
)

// Directory finds people and groups.
type Directory interface {
	// Resolve finds a principal by object id, UPN, mail address or display name.
	Resolve(text string) (security.Owner, bool)
}

// Options are the parts that a Service is made of.
type Options struct {
	Store state.Store
	Now   func() schema.Ticks
	NewID func() string // a new GUID each time

	Directory Directory // nil: owners are kept as written
	PortalURL string    // without a slash at its end: begins the links to incident pages
	Changed   func()    // called after each commit that appended to the feed; may be nil
}

// Service is all workspaces of the tenant. It is safe for concurrent use.
type Service struct {
	o Options
}

// New makes the service on a store. Invalid if a part is missing.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Now == nil || o.NewID == nil {
		return nil, fault.New(fault.Invalid, "workspace service needs a store, a clock and a source of ids")
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	o.PortalURL = strings.TrimRight(o.PortalURL, "/")
	return &Service{o: o}, nil
}

// defaultRetentionDays is how long a workspace keeps rows unless told otherwise (DESIGN, decisions).
const defaultRetentionDays = 90

// Create adds a workspace. An empty ID is filled in; RetentionDays 0 means
// 90. A workspace of the same path with the same id, or with none stated, is
// given back as it is; Conflict if id or name are taken otherwise, or if a
// second one wants to be primary.
func (s *Service) Create(ctx context.Context, w Workspace) (Workspace, error) {
	if w.RetentionDays == 0 {
		w.RetentionDays = defaultRetentionDays
	}
	stated := w.ID != ""
	if !stated {
		w.ID = s.o.NewID()
	}
	w.ID = strings.ToLower(w.ID)
	if err := checkWorkspace(w); err != nil {
		return Workspace{}, fmt.Errorf("create workspace %q: %w", w.Name, err)
	}
	err := s.o.Store.Update(ctx, func(tx state.Tx) error {
		for _, other := range workspaces.Scan(tx, state.All()) {
			samePath := strings.EqualFold(other.ResourceID(), w.ResourceID())
			switch {
			case samePath && (!stated || other.ID == w.ID):
				w = other
				return nil
			case samePath:
				return fault.New(fault.Conflict, "workspace %q has the id %s", w.Name, other.ID)
			case other.ID == w.ID:
				return fault.New(fault.Conflict, "the id %s is that of workspace %q", w.ID, other.Name)
			case strings.EqualFold(other.Name, w.Name):
				return fault.New(fault.Conflict, "there is a workspace %q in resource group %q; names are unique on one server", other.Name, other.ResourceGroup)
			case w.Primary && other.Primary:
				return fault.New(fault.Conflict, "workspace %q is the primary one; there is only one", other.Name)
			}
		}
		workspaces.Put(tx, w.ID, w)
		return nil
	})
	if err != nil {
		return Workspace{}, fmt.Errorf("create workspace %q: %w", w.Name, err)
	}
	return w, nil
}

func checkWorkspace(w Workspace) error {
	if _, err := uuid.Parse(w.ID); err != nil {
		return fault.At("id", "%q is not a GUID", w.ID)
	}
	if !resourceName.MatchString(w.Name) {
		return fault.At("name", "%q must be 4 to 63 letters, digits and hyphens, with no hyphen at either end", w.Name)
	}
	if _, err := uuid.Parse(w.SubscriptionID); err != nil {
		return fault.At("subscriptionId", "%q is not a GUID", w.SubscriptionID)
	}
	if !groupName.MatchString(w.ResourceGroup) {
		return fault.At("resourceGroup", "%q must be 1 to 90 letters, digits and . _ - ( )", w.ResourceGroup)
	}
	if w.RetentionDays < 4 || w.RetentionDays > 730 {
		return fault.At("retentionDays", "%d is not within 4 and 730", w.RetentionDays)
	}
	return nil
}

// Workspaces lists all workspaces by name.
func (s *Service) Workspaces(ctx context.Context) ([]Workspace, error) {
	var all []Workspace
	err := s.o.Store.View(ctx, func(tx state.Tx) error {
		all = slices.Collect(values(workspaces.Scan(tx, state.All())))
		return nil
	})
	slices.SortFunc(all, func(a, b Workspace) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all, err
}

// Workspace finds a workspace by id or name, ignoring case. NotFound if there is none.
func (s *Service) Workspace(ctx context.Context, idOrName string) (Workspace, error) {
	return s.find(ctx, func(w Workspace) bool {
		return strings.EqualFold(w.ID, idOrName) || strings.EqualFold(w.Name, idOrName)
	}, fmt.Sprintf("workspace %q", idOrName))
}

// ByPath finds a workspace by the parts of its ARM path, ignoring case. NotFound if there is none.
func (s *Service) ByPath(ctx context.Context, subscription, group, name string) (Workspace, error) {
	want := Workspace{SubscriptionID: subscription, ResourceGroup: group, Name: name}.ResourceID()
	return s.find(ctx, func(w Workspace) bool { return strings.EqualFold(w.ResourceID(), want) }, "workspace "+want)
}

func (s *Service) find(ctx context.Context, match func(Workspace) bool, what string) (Workspace, error) {
	all, err := s.Workspaces(ctx)
	if err != nil {
		return Workspace{}, fmt.Errorf("find %s: %w", what, err)
	}
	if i := slices.IndexFunc(all, match); i >= 0 {
		return all[i], nil
	}
	return Workspace{}, fault.New(fault.NotFound, "there is no %s", what)
}

// URL is the page of an incident.
func (s *Service) URL(w Workspace, name string) string {
	return s.o.PortalURL + "/workspaces/" + w.Name + "/incidents/" + name
}

// known gives the workspace of an id within a transaction.
func known(tx state.Tx, ws string) (Workspace, error) {
	w, ok := workspaces.Get(tx, strings.ToLower(ws))
	if !ok {
		return Workspace{}, fault.New(fault.NotFound, "there is no workspace %q", ws)
	}
	return w, nil
}

func values[K, V any](seq iter.Seq2[K, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range seq {
			if !yield(v) {
				return
			}
		}
	}
}
