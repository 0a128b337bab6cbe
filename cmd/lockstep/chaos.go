package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"lockstep/api/chaos"
	"lockstep/fault"
)

// chaosOptions are the flags of a server that misbehaves.
type chaosOptions struct {
	profile  string
	seed     uint64
	anywhere bool
}

func (c *chaosOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&c.profile, "chaos", "", "misbehave as this profile says, to test clients against (the list is above)")
	f.Uint64Var(&c.seed, "chaos-seed", 1, "seed of the misbehaviour")
	f.BoolVar(&c.anywhere, "chaos-anywhere", false, "misbehave at an address that others can reach, too")
}

// check refuses flags that mean nothing without a profile.
func (c *chaosOptions) check(f *pflag.FlagSet) error {
	for _, name := range []string{"chaos-seed", "chaos-anywhere"} {
		if c.profile == "" && f.Changed(name) {
			return usageError{fmt.Errorf("--%s without --chaos has no effect: name a profile, for example --chaos all", name)}
		}
	}
	return nil
}

// door is the door before the APIs, and a line that says so; nil without a profile.
func (c chaosOptions) door(set Settings) (d *chaos.Door, line string, err error) {
	if c.profile == "" {
		return nil, "", nil
	}
	p, err := chaos.Named(c.profile)
	if err != nil {
		return nil, "", err
	}
	host, _, err := net.SplitHostPort(set.Listen)
	if err != nil {
		return nil, "", fault.At("listen", "%w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !c.anywhere {
		return nil, "", fault.At("chaos", "%s can be reached from elsewhere: a server that misbehaves listens on this machine alone, or with --chaos-anywhere", set.Listen)
	}
	line = fmt.Sprintf("!!! THIS SERVER MISBEHAVES ON PURPOSE: profile %s (%s), seed %d. Its data may be trusted, its answers not. %s%s counts. !!!",
		p.Name, p.Help, c.seed, set.PublicURL, chaos.Path)
	return chaos.New(p, c.seed, time.Now), line, nil
}

// spoiled stands the door, if there is one, before a handler.
func (s *server) spoiled(next http.Handler) http.Handler {
	if s.door == nil {
		return next
	}
	return s.door.Before(next)
}
