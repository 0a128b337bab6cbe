package xdr

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/state"
	"lockstep/xdr/correlation"
)

// Directory knows people: by object id, UPN, mail or name.
type Directory interface {
	Resolve(text string) (security.Owner, bool)
}

// Correlator decides where alerts belong. It is pure: what it remembers of
// entities is handed to it and kept by the service, so that a restart changes
// no decision.
type Correlator interface {
	Look(alert security.Alert) correlation.Sight
	Judge(s correlation.Sight, n correlation.Neighbourhood) correlation.Verdict
	Remember(m correlation.Memory, s correlation.Sight, p correlation.Piece, incident string) correlation.Memory
	Keep() schema.Ticks // how long a memory matters after it was last added to
}

// Options are what a Service is made of.
type Options struct {
	Store      state.Store
	Now        func() schema.Ticks
	Directory  Directory  // may be nil: every owner is kept as written
	Correlator Correlator // nil: bounded evidence linking with its defaults
	PortalURL  string     // https://localhost:8443
	TenantID   string
	Changed    func() // called after each commit that appended to the feed; may be nil
}

// Service is the XDR side. Its methods may be called from many goroutines.
type Service struct {
	store      state.Store
	now        func() schema.Ticks
	directory  Directory
	correlator Correlator
	portal     string
	tenant     string
	changed    func()
}

// New makes the service over a store that may hold its state from before.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Now == nil {
		return nil, fault.New(fault.Invalid, "xdr: a store and a clock are needed")
	}
	s := &Service{store: o.Store, now: o.Now, directory: o.Directory, correlator: o.Correlator, portal: strings.TrimRight(o.PortalURL, "/"), tenant: o.TenantID, changed: o.Changed}
	if s.correlator == nil {
		s.correlator = correlation.New(correlation.Defaults())
	}
	return s, nil
}

// Incident gives an incident, a redirected one as itself.
func (s *Service) Incident(ctx context.Context, id string) (inc Incident, err error) {
	err = s.view(ctx, func(u *work) error {
		h, err := u.known(id)
		if err == nil {
			inc = h.Incident
		}
		return err
	})
	return inc, err
}

// Resolve gives the id under which an incident lives now: its own, or that of
// the incident it was merged into.
func (s *Service) Resolve(ctx context.Context, id string) (live string, err error) {
	inc, err := s.Incident(ctx, id)
	return cmp.Or(inc.RedirectID, inc.ID), err
}

// Comments gives an incident's comments, oldest first.
func (s *Service) Comments(ctx context.Context, id string) (list []security.Comment, err error) {
	err = s.view(ctx, func(u *work) error {
		h, err := u.known(id)
		if err == nil {
			list = u.comments(h.ID)
		}
		return err
	})
	return list, err
}

// Activities gives an incident's activity log, oldest first.
func (s *Service) Activities(ctx context.Context, id string) (list []Activity, err error) {
	err = s.view(ctx, func(u *work) error {
		h, err := u.known(id)
		if err == nil {
			list = u.activities(h.ID)
		}
		return err
	})
	return list, err
}

// Link gives the record of why an alert was put where it was put first.
func (s *Service) Link(ctx context.Context, alert string) (link correlation.Link, err error) {
	err = s.view(ctx, func(u *work) error {
		r := u.alert(alert)
		if r == nil {
			return notFound("alert", alert)
		}
		link = r.Link
		return nil
	})
	return link, err
}

// MergeLink gives the evidence by which an incident was merged away by rule.
func (s *Service) MergeLink(ctx context.Context, source string) (link correlation.Link, err error) {
	err = s.view(ctx, func(u *work) error {
		var ok bool
		if link, ok = merges.Get(u.tx, source); !ok {
			return fault.New(fault.NotFound, "incident %q was not merged by rule", source)
		}
		return nil
	})
	return link, err
}

// Feed gives up to limit entries of the change feed after a position, oldest first.
func (s *Service) Feed(ctx context.Context, after int64, limit int) (entries []state.Entry[Change], err error) {
	err = s.view(ctx, func(u *work) error {
		entries = feed.After(u.tx, after, limit)
		return nil
	})
	return entries, err
}

// URL is the address of an incident's page.
func (s *Service) URL(id string) string {
	return s.portal + "/incidents/" + url.PathEscape(id) + "?tid=" + url.QueryEscape(s.tenant)
}

// view runs f on a snapshot.
func (s *Service) view(ctx context.Context, f func(*work) error) error {
	return s.store.View(ctx, func(tx state.Tx) error { return f(s.begin(tx, 0)) })
}

// change runs f in one transaction and stores what it touched: one version
// and one feed entry for each incident and alert, however often it was touched.
func (s *Service) change(ctx context.Context, f func(*work) error) error {
	now := s.now()
	appended := false
	err := s.store.Update(ctx, func(tx state.Tx) error {
		u := s.begin(tx, now)
		if err := f(u); err != nil {
			return err
		}
		appended = u.flush()
		return nil
	})
	if err == nil && appended && s.changed != nil {
		s.changed()
	}
	return err
}

func notFound(what, id string) error {
	return fault.New(fault.NotFound, "there is no %s %s", what, quote(id))
}

// quote shows text of somebody else's making in a message.
func quote(text string) string {
	const most = 100
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", text)
}
