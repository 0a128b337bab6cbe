package access

import (
	"context"

	"lockstep/fault"
)

type contextKey struct{}

// With gives a context that carries who is asking.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From gives who is asking. If nobody was identified the error is
// fault.Denied with ErrUnauthenticated.
func From(ctx context.Context) (Principal, error) {
	if p, ok := ctx.Value(contextKey{}).(Principal); ok {
		return p, nil
	}
	return Principal{}, fault.New(fault.Denied, "%w", ErrUnauthenticated)
}

// AuthorizeRequest decides for whoever the context carries; see Authorize.
func (s *Service) AuthorizeRequest(ctx context.Context, action Action, scope string) error {
	p, err := From(ctx)
	if err != nil {
		return err
	}
	return s.Authorize(ctx, p, action, scope)
}
