package simulation

import (
	"context"
	"errors"

	"lockstep/fault"
	"lockstep/state"
)

// errCrash ends the connector's process where it stands.
var errCrash = errors.New("the process ended")

// disk is the connector's store. The process that uses it may end before or
// after any commit.
type disk struct {
	state.Store
	h    *history
	dead bool // the process ended; boot brings it back
}

// Update commits, unless the process ends or the disk is busy.
func (d *disk) Update(ctx context.Context, f func(state.Tx) error) error {
	switch {
	case d.dead:
		return errCrash
	case d.h.goes("disk busy", 120):
		return fault.New(fault.Unavailable, "the disk is busy")
	case d.h.goes("crash before commit", 100):
		d.dead = true
		return errCrash
	}
	if err := d.Store.Update(ctx, f); err != nil {
		return err
	}
	if d.h.goes("crash after commit", 100) {
		d.dead = true
		return errCrash
	}
	return nil
}
