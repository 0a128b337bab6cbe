// Package folder knows that one process owns a data folder: its lock, and the
// epoch that numbers each start. It leaves what lies in the folder to the
// stores, which refuse files of a newer format themselves.
package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"lockstep/fault"
	"lockstep/state"
)

// Folder is a data folder that this process owns until Close.
type Folder struct {
	dir  string
	lock *os.File
}

// Open makes the folder if there is none, sees to its mode of 0700 and takes
// its lock. If another process has it the error is a Conflict that names the
// process. The lock goes with the process, however that ends.
func Open(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	f, err := take(dir)
	if err != nil {
		return nil, fmt.Errorf("open data folder %s: %w", dir, err)
	}
	return f, nil
}

func take(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, errors.Join(fault.New(fault.Conflict, "another lockstep (pid %s) owns %s", owner(lock), dir), lock.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock: %w", err), lock.Close())
	}
	if err := sign(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), lock.Close())
	}
	return &Folder{dir: dir, lock: lock}, nil
}

// sign writes this process's number, for whoever finds the lock taken.
func sign(lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err := lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func owner(lock *os.File) string {
	text := make([]byte, 20)
	n, _ := lock.ReadAt(text, 0) // a short read is the normal case; without a number the message says so
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n]))); err == nil {
		return strconv.Itoa(pid)
	}
	return "unknown"
}

// Path gives the place of a file in the folder.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.dir}, name...)...)
}

// Close gives the folder up.
func (f *Folder) Close() error { return f.lock.Close() }

// Epoch is the number of a start of the server. Each is higher than all before
// it, also when other files of the folder were restored from an older copy.
type Epoch int64

// arrivals is how many arrival numbers an epoch has.
const arrivals = 1 << 40

// MaxEpoch is the last epoch whose arrival numbers fit into 63 bits.
const MaxEpoch Epoch = 1<<23 - 1

// First gives the first arrival number of the epoch; the ones after it count
// up. Rules scan rows by arrival, so no number may come back after a restore.
func (e Epoch) First() int64 { return int64(e) * arrivals }

// NextEpoch makes a new epoch durable in state and gives it. The server calls
// it once at each start, before it takes anything in.
func NextEpoch(ctx context.Context, s state.Store) (Epoch, error) {
	started := state.Table[Epoch]{Name: "meta"}
	var e Epoch
	err := s.Update(ctx, func(tx state.Tx) error {
		e, _ = started.Get(tx, "epoch")
		if e++; e > MaxEpoch {
			return fault.New(fault.Unavailable, "the server was started %d times, which is all that arrival numbers allow", e-1)
		}
		started.Put(tx, "epoch", e)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("begin an epoch: %w", err)
	}
	return e, nil
}
