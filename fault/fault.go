// Package fault knows the few kinds of error that Lockstep distinguishes and
// how to carry one through layers. It leaves to each face the translation of
// a kind into that face's own status and wire shape.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in terms a caller can act on.
type Kind string

// The kinds. An error that carries none of them is Internal.
const (
	Invalid     Kind = "invalid"     // the caller's input is wrong; repeating it won't help
	NotFound    Kind = "notFound"    // the thing named doesn't exist, or isn't visible to the caller
	Conflict    Kind = "conflict"    // the thing changed since the caller looked, or a guard forbids the change
	Denied      Kind = "denied"      // who asks may not do this
	Throttled   Kind = "throttled"   // too much at once; see RetryAfter
	Unavailable Kind = "unavailable" // can't be done now; the same request may work later
	Internal    Kind = "internal"    // our own failure: logged with its cause, shown without it
)

// Error is an error with a kind. Its text is one sentence for whoever asked.
type Error struct {
	Kind       Kind
	Target     string        // the field, record or parameter at fault, if one is
	RetryAfter time.Duration // for Throttled and Unavailable; 0 when unknown
	err        error
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap gives the error that carries the text, so that causes wrapped with %w are found.
func (e *Error) Unwrap() error { return e.err }

// New makes an error of a kind; format may wrap a cause with %w.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, err: fmt.Errorf(format, args...)}
}

// At makes an Invalid error about one named field, record or parameter; the
// name stands before the message.
func At(target, format string, args ...any) error {
	return &Error{Kind: Invalid, Target: target, err: fmt.Errorf("%s: %w", target, fmt.Errorf(format, args...))}
}

// Later makes a Throttled error that says after how long to come back.
func Later(after time.Duration, format string, args ...any) error {
	return &Error{Kind: Throttled, RetryAfter: after, err: fmt.Errorf(format, args...)}
}

// KindOf gives the kind of the outermost Error in err's chain; Internal if
// there is none, and the empty kind for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
