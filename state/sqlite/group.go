package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"lockstep/fault"
	"lockstep/state"
)

// most is how many updates share one commit. It bounds how long the first of
// them waits when others keep coming.
const most = 128

// group is updates that share one commit. All of them learn its outcome.
type group struct {
	members int
	done    chan struct{}
	err     error
}

// Update runs f in a transaction that can write; see state.Store.
//
// Callers take turns. Each runs its f in a savepoint of the group's
// transaction, in its own goroutine. If others wait it passes the turn on and
// waits for the commit; the last one, or the one that fills the group, commits
// for all. So the more callers there are, the more of them share one flush.
func (s *Store) Update(ctx context.Context, f func(state.Tx) error) error {
	if err := s.queue.take(ctx); err != nil {
		return fmt.Errorf("state: update: %w", err)
	}
	g, err := s.member(f)
	if err != nil {
		return err
	}
	<-g.done
	return g.err
}

var errLeft = errors.New("state: the transaction's function ended its goroutine")

// member runs f holding the turn, then commits or passes the turn on, also
// when f never returns.
func (s *Store) member(f func(state.Tx) error) (g *group, err error) {
	defer func() {
		if s.group != nil && s.group.members < most && s.queue.hand() {
			return // somebody after us commits
		}
		s.commitGroup()
		s.queue.pass()
	}()
	defer func() { g, err = s.settle(err) }()
	if err = s.begin(); err != nil {
		return nil, err
	}
	t := &tx{ctx: context.Background(), c: s.writer}
	err = errLeft // unless run returns
	err = t.run(f)
	if t.broken != nil {
		s.failGroup(t.broken)
	}
	return nil, err
}

// begin opens the group's transaction if there is none, else this member's savepoint in it.
func (s *Store) begin() error {
	if err := s.isClosed(); err != nil {
		return err
	}
	if s.group == nil {
		if err := s.writer.run(s.writer.begin); err != nil {
			return fault.New(fault.Unavailable, "state: begin: %w", err)
		}
		s.group = &group{done: make(chan struct{})}
	}
	if s.group.members == 0 {
		return nil // alone, it is rolled back with the whole transaction
	}
	if err := s.writer.run(s.writer.save); err != nil {
		err = fault.New(fault.Unavailable, "state: begin: %w", err)
		s.failGroup(err)
		return err
	}
	return nil
}

// settle keeps what f wrote in the group's transaction, or takes it alone out of it.
func (s *Store) settle(err error) (*group, error) {
	if s.group == nil {
		if err == nil {
			err = errors.New("state: the transaction was lost")
		}
		return nil, err
	}
	if err == nil {
		if s.group.members > 0 {
			if e := s.writer.run(s.writer.release); e != nil {
				e = fault.New(fault.Unavailable, "state: %w", e)
				s.failGroup(e)
				return nil, e
			}
		}
		s.group.members++
		return s.group, nil
	}
	if s.group.members == 0 {
		s.failGroup(err)
		return nil, err
	}
	if e := errors.Join(s.writer.run(s.writer.undo), s.writer.run(s.writer.release)); e != nil {
		s.failGroup(fault.New(fault.Unavailable, "state: roll back: %w", e))
	}
	return nil, err
}

// commitGroup makes the group durable and tells its members. Whoever calls it
// holds the turn.
func (s *Store) commitGroup() {
	g := s.group
	if g == nil {
		return
	}
	if err := s.writer.run(s.writer.commit); err != nil {
		s.failGroup(fault.New(fault.Unavailable, "state: commit: %w", err))
		return
	}
	s.group = nil
	close(g.done)
}

// failGroup gives up the group's transaction: after a failure of the engine
// itself (a full disk, a read error) none of its members can be trusted to be
// whole, and none was acknowledged.
func (s *Store) failGroup(cause error) {
	g := s.group
	if g == nil {
		return
	}
	_ = s.writer.run(s.writer.rollback) // fails if the engine has rolled back by itself, which serves as well
	s.group = nil
	g.err = cause
	close(g.done)
}

// queue lets callers in one at a time, first come first served.
type queue struct {
	mu   sync.Mutex
	busy bool
	line []chan struct{}
}

// take waits for the turn; the caller passes it on. A caller whose context
// ends while it waits leaves the line.
func (q *queue) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if !q.busy {
		q.busy = true
		q.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	q.line = append(q.line, mine)
	q.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.line, mine); i >= 0 {
		q.line = slices.Delete(q.line, i, i+1)
		return ctx.Err()
	}
	return nil // the turn came at the same moment: the one before counts on it being used
}

// hand gives the turn to the next in line; false if there is none, and the
// caller still has it.
func (q *queue) hand() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next()
}

func (q *queue) next() bool {
	if len(q.line) == 0 {
		return false
	}
	close(q.line[0])
	q.line = slices.Delete(q.line, 0, 1)
	return true
}

// pass gives the turn to the next in line, or to whoever comes.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = q.next()
}
