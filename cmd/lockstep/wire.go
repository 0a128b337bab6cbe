package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"lockstep/access"
	"lockstep/access/certificate"
	"lockstep/api/chaos"
	"lockstep/connector"
	"lockstep/fault"
	"lockstep/geo"
	"lockstep/health"
	"lockstep/history"
	"lockstep/portal"
	"lockstep/query"
	"lockstep/schema"
	"lockstep/state"
	"lockstep/state/folder"
	"lockstep/state/sqlite"
	"lockstep/tables"
	"lockstep/tables/duckdb"
	"lockstep/web"
	"lockstep/workspace"
	"lockstep/workspace/searches"
	"lockstep/workspace/watchlists"
	"lockstep/xdr"
)

// Names of files in the data folder.
const (
	stateName       = "state.db"
	credentialsName = "credentials.json"
	keysName        = "keys.pem"
)

// server is every part of Lockstep, wired. Nothing else knows all packages.
// A side that this server doesn't play is nil.
type server struct {
	settings Settings
	log      *slog.Logger
	now      func() schema.Ticks
	metrics  *metrics

	folder *folder.Folder
	state  *sqlite.Store
	tables *duckdb.Store

	certificate *certificate.Store
	access      *access.Service
	place       place
	first       bool // this start made the first user and application

	xdr        *xdr.Service
	workspaces *workspace.Service
	watchlists *watchlists.Service
	searches   *searches.Service
	connector  *connector.Service

	remoteSpace workspace.Workspace // of another server, which this one's XDR is joined to; zero if there is none
	door        *chaos.Door         // stands before the APIs of a server that misbehaves; nil else

	queries *query.Service
	places  *geo.Places // nil without a database
	history *history.Service
	portal  *portal.Portal
	driver  *driver
}

// place is where this server stands: ids that are made once.
type place struct {
	Tenant       string `json:"tenant"`
	Subscription string `json:"subscription"`
}

// places is the bucket of the one place.
var places = state.Table[place]{Name: "server/place"}

// open opens the data folder and wires all parts. It starts no loop and no
// listener. What was opened is closed when a later part fails.
func open(ctx context.Context, set Settings, log *slog.Logger) (_ *server, err error) {
	s := &server{settings: set, log: log, metrics: newMetrics()}
	s.now = func() schema.Ticks { return schema.At(time.Now()) + schema.Span(set.ClockAhead) }
	s.driver = newDriver(s.now, log)
	syscall.Umask(0o077) // whatever an engine makes in the folder is for its owner alone
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = folder.Open(set.Data); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.openStores, s.openAccess, s.openSides, s.openWorkspace, s.openQueries, s.openPortal} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// newID makes a random GUID.
func newID() string { return uuid.NewString() }

func (s *server) openStores(ctx context.Context) (err error) {
	if s.state, err = sqlite.Open(s.folder.Path(stateName)); err != nil {
		return fmt.Errorf("open state: %w", err)
	}
	epoch, err := folder.NextEpoch(ctx, s.state)
	if err != nil {
		return fmt.Errorf("begin a new epoch: %w", err)
	}
	functions := duckdb.KQL()
	if s.settings.Places != "" {
		if s.places, err = geo.Open(s.settings.Places); err != nil {
			return fmt.Errorf("places: %w", err)
		}
		functions = duckdb.GeoInfo(functions, s.places.Lookup)
	}
	s.tables, err = duckdb.Open(s.folder.Path(), duckdb.Options{
		Functions: functions,
		Epoch:     int64(epoch), Clock: s.now, Memory: s.settings.Memory, Spill: s.settings.Spill, SealAfter: 2 * schema.Day,
		Retention: tables.Retention{XDRDays: s.settings.XDRDays, WorkspaceDays: s.settings.WorkspaceDays},
	})
	if err != nil {
		return fmt.Errorf("open tables: %w", err)
	}
	return s.state.Update(ctx, func(tx state.Tx) error {
		s.place, _ = places.Get(tx, "")
		for _, id := range []struct {
			into *string
			set  string
		}{{&s.place.Tenant, s.settings.Tenant}, {&s.place.Subscription, s.settings.Subscription}} {
			if id.set != "" {
				*id.into = strings.ToLower(id.set)
			} else if *id.into == "" {
				*id.into = newID()
			}
		}
		places.Put(tx, "", s.place)
		return nil
	})
}

func (s *server) openAccess(ctx context.Context) (err error) {
	clock := func() schema.Ticks { return schema.At(time.Now()) } // clients judge certificates by the real one
	if s.certificate, err = certificate.Open(s.folder.Path(), s.settings.Names, clock); err != nil {
		return fmt.Errorf("open certificates: %w", err)
	}
	keys, err := access.OpenKeys(s.folder.Path(keysName))
	if err != nil {
		return fmt.Errorf("open signing keys: %w", err)
	}
	s.access, err = access.New(ctx, access.Options{
		Store: s.state, Now: s.now, NewID: newID, Tenant: s.place.Tenant, Issuer: s.settings.PublicURL, Bases: s.bases(), Keys: keys,
	})
	if err != nil {
		return fmt.Errorf("open access: %w", err)
	}
	s.first, err = s.access.Bootstrap(ctx, s.folder.Path(credentialsName), "admin@"+hostOf(s.settings.PublicURL), s.settings.Password)
	return err
}

// bases lists the URLs under which the server is reached.
func (s *server) bases() []string {
	port := s.settings.Listen[strings.LastIndex(s.settings.Listen, ":")+1:]
	return []string{s.settings.PublicURL, "https://localhost:" + port, "https://127.0.0.1:" + port}
}

func hostOf(url string) string {
	host := strings.TrimPrefix(url, "https://")
	host, _, _ = strings.Cut(host, "/")
	if i := strings.LastIndex(host, ":"); i > 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return host
}

// openSides makes the two sides and what joins them, and registers the parts
// that have work of their own with the driver.
func (s *server) openSides(context.Context) (err error) {
	changed := s.driver.wake
	if s.settings.has("xdr") {
		s.xdr, err = xdr.New(xdr.Options{
			Store: s.state, Now: s.now, Directory: s.access, PortalURL: s.settings.PublicURL, TenantID: s.place.Tenant, Changed: changed,
		})
		if err != nil {
			return fmt.Errorf("open the XDR: %w", err)
		}
		s.driver.add("xdr", s.xdr.Next)
	}
	if s.settings.has("workspace") {
		s.workspaces, err = workspace.New(workspace.Options{
			Store: s.state, Now: s.now, NewID: newID, Directory: s.access, PortalURL: s.settings.PublicURL, Changed: changed,
		})
		if err != nil {
			return fmt.Errorf("open the workspaces: %w", err)
		}
		s.watchlists = watchlists.New(watchlists.Options{Store: s.state, Now: s.now, NewID: newID})
		s.searches = searches.New(searches.Options{Store: s.state, Now: s.now})
	}
	x, w, err := s.ends()
	if err != nil {
		return fmt.Errorf("join another server: %w", err)
	}
	if x != nil && w != nil {
		s.connector, err = connector.New(connector.Options{
			Store: s.state, Now: s.now, NewID: newID, XDR: x, Workspace: w,
			Streams: s.tables, TenantID: s.place.Tenant, Seed: uint64(s.now()), Changed: changed, Reached: s.reached,
		})
		if err != nil {
			return fmt.Errorf("open the connector: %w", err)
		}
		s.driver.add("connector", s.connector.Next)
	}
	s.history = &history.Service{Rows: s.tables, Schema: schema.Default()}
	if s.xdr != nil {
		s.history.Alerts = s.xdr
	}
	if s.workspaces != nil {
		s.history.Snapshots = snapshots{s.workspaces, s.xdr}
	}
	s.driver.add("history", s.history.Next)
	s.driver.add("tables", s.maintain)
	return nil
}

// maintainEvery is how often expired rows are removed and old ones sealed.
const maintainEvery = 10 * schema.Minute

// maintain keeps the tables in order now and then.
func (s *server) maintain(ctx context.Context, now schema.Ticks) (bool, schema.Ticks, error) {
	if due := s.metrics.maintained.Load() + int64(maintainEvery); int64(now) < due {
		return false, schema.Ticks(due), nil
	}
	s.metrics.maintained.Store(int64(now))
	if s.places != nil {
		if changed, err := s.places.Reload(); err != nil {
			s.log.Warn("the database of places stays as it was", "error", err)
		} else if changed {
			s.log.Info("read the database of places again", "file", s.settings.Places)
		}
	}
	if err := s.tables.Maintain(ctx, now); err != nil {
		return false, now + maintainEvery, fmt.Errorf("maintain tables: %w", err)
	}
	return false, now + maintainEvery, nil
}

// openQueries makes the query service, which asks access for every table.
func (s *server) openQueries(context.Context) error {
	outside, err := s.external()
	if err != nil {
		return err
	}
	o := query.Options{
		Tables: s.tables, Clock: s.now, Timeout: s.settings.QueryTimeout, MaxRows: s.settings.QueryRows,
		Concurrent: s.settings.QueryAtOnce, PerPrincipal: s.settings.QueryInside, PerMinute: s.settings.QueryRate, Budget: s.settings.QueryBudget,
		Allow: s.mayRead, External: outside, Places: s.places != nil,
	}
	if s.workspaces != nil {
		o.Custom, o.Workspaces = custom{s.watchlists, s.searches}, s.workspaceID
	}
	s.queries = query.New(o)
	return nil
}

// mayRead decides whether a principal may read a table, in joins and
// wildcards too.
func (s *server) mayRead(_ context.Context, principal string, side schema.Side, ws, table string) error {
	scope := access.XDR
	if side == schema.Workspace {
		scope = ws
	}
	if principal == s.operator().ID {
		return nil
	}
	p, err := s.access.Principal(principal)
	if err != nil {
		return err
	}
	if !access.Allowed(p, access.HuntingRun, scope) {
		return fault.New(fault.Denied, "%s may not read %s", p.Name, table)
	}
	return nil
}

// operator is whoever works at the machine, over the folder's socket: who
// started the server, for nobody else can open the socket.
func (s *server) operator() access.Principal {
	name := "of this machine"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return s.access.Operator(name)
}

// openPortal makes the pages and registers their live hints with the driver.
func (s *server) openPortal(context.Context) (err error) {
	o := portal.Options{
		Queries: s.queries, People: pagePeople{s.access}, Access: access.People{Service: s.access},
		Tenant: s.settings.TenantName, Dist: web.Dist(), Now: s.now, NewID: newID, Log: s.log, Hosts: []string{hostOf(s.settings.PublicURL)},
	}
	if s.xdr != nil {
		o.XDR = s.xdr
	}
	if s.workspaces != nil {
		o.Workspaces = s.workspaces
	}
	if s.connector != nil {
		o.Connector = s.connector
	}
	if s.portal, err = portal.New(o); err != nil {
		return fmt.Errorf("open the portal: %w", err)
	}
	s.driver.add("live", (&live{server: s, portal: s.portal}).next)
	return nil
}

// openWorkspace makes the first workspace at first start.
func (s *server) openWorkspace(ctx context.Context) error {
	if s.workspaces == nil {
		return s.joinRemote(ctx)
	}
	list, err := s.workspaces.Workspaces(ctx)
	if err != nil || len(list) > 0 {
		return err
	}
	_, err = s.workspaces.Create(ctx, workspace.Workspace{
		ID: newID(), Name: s.settings.Workspace, ResourceGroup: s.settings.ResourceGroup, SubscriptionID: s.place.Subscription,
		Primary: true, RetentionDays: s.settings.WorkspaceDays,
	})
	if err != nil {
		return fmt.Errorf("make workspace %s: %w", s.settings.Workspace, err)
	}
	if s.connector == nil {
		return nil
	}
	w, err := s.workspaces.Workspace(ctx, s.settings.Workspace)
	if err != nil {
		return err
	}
	// One process with both sides comes connected: that is what it is for. Event tables stay off until somebody wants them.
	_, err = s.connector.Connect(ctx, w.ID, connector.Settings{Incidents: true, Alerts: true, Entities: true, TurnOffCreationRules: true}, s.operator().Actor())
	return err
}

// close closes what is open, the last opened first.
func (s *server) close() error {
	var errs []error
	if s.portal != nil {
		s.portal.Close()
	}
	if s.tables != nil {
		errs = append(errs, s.tables.Close())
	}
	if s.state != nil {
		errs = append(errs, s.state.Close())
	}
	if s.folder != nil {
		_ = os.Remove(s.folder.Path(socketName))
		errs = append(errs, s.folder.Close())
	}
	return errors.Join(errs...)
}

// failed logs an error of our own that a face could only answer as internal.
func (s *server) failed(r *http.Request, err error) {
	s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
}

// reached notes that an end of the connector can't be read, or can again.
func (s *server) reached(end string, err error) {
	if err != nil {
		err = fmt.Errorf("the connector can't read the %s, and tries again: %w", end, err)
		s.log.Warn("can't synchronise", "end", end, "error", err)
	}
	s.driver.health.Check("sync/"+end, health.Warning, err)
}
