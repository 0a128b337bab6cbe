// Package microsoft makes ends of the connector of servers that speak
// Microsoft's published APIs: an XDR over Microsoft Graph security, and a
// workspace over Azure Resource Manager's SecurityInsights. The server may be
// another Lockstep or the real service. It knows how to ask, which answers to
// believe and how to say what those APIs can't do; the JSON is wire/graph's and
// wire/arm's, what to write is the connector's to decide, when to ask again too.
// Source: facts 10.1, 10.2; storage-notes 1.8; sync-failures S1 to S4.
package microsoft

import (
	"net/http"
	"net/url"
	"strings"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
)

// Directory finds the person behind a name as a remote end writes it.
type Directory interface {
	Resolve(text string) (security.Owner, bool)
}

// Options are what an end needs.
type Options struct {
	// Client makes the requests: egress's, which decides where they may go.
	Client *http.Client
	// Base is the server's address, with the path before /v1.0 or
	// /subscriptions if it has one: https://graph.microsoft.com.
	Base string
	// Authority gives the tokens: https://login.microsoftonline.com. "": Base.
	Authority            string
	Tenant               string // id or domain
	ClientID             string
	ClientSecret         string
	Now                  func() schema.Ticks
	Directory            Directory // may be nil: owners stay as they are written
	PollEvery            schema.Ticks
	PerMinute            int // requests that the server takes; 0: any number
	PageSize             int // most lines of a list at once; 0: 100
	shortOverlap, settle schema.Ticks
}

// Defaults of an end.
const (
	pageSize = 100 // Source: facts 5.2, the older API's; the newer one's isn't published
	// overlap is how far each poll goes back behind the newest change that was
	// seen: replicas lag, and stamps have seconds alone. A wide one comes now
	// and then for those that lag longer.
	overlap     = 5 * schema.Second
	wideOverlap = 15 * schema.Minute
	wideEvery   = schema.Minute
	// settling is how long an answer with the stamp of a known version and other
	// values isn't believed: one of the two is older.
	settling = 2 * schema.Second
)

func (o *Options) complete() error {
	u, err := url.Parse(o.Base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fault.New(fault.Invalid, "%q is no address of a server such as https://graph.microsoft.com", o.Base)
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	if o.Authority == "" {
		o.Authority = u.Scheme + "://" + u.Host
	}
	o.Authority = strings.TrimSuffix(o.Authority, "/")
	for name, value := range map[string]string{"tenant": o.Tenant, "client id": o.ClientID, "client secret": o.ClientSecret} {
		if value == "" {
			return fault.New(fault.Invalid, "the remote server %s needs a %s", o.Base, name)
		}
	}
	if o.Client == nil || o.Now == nil {
		return fault.New(fault.Invalid, "a remote end needs a client and a clock")
	}
	if o.PageSize == 0 {
		o.PageSize = pageSize
	}
	if o.shortOverlap == 0 {
		o.shortOverlap = overlap
	}
	if o.settle == 0 {
		o.settle = settling
	}
	return nil
}

// owner is the owner behind a name, as the directory knows it; else as written.
func (o *Options) owner(text string) security.Owner {
	if text == "" {
		return security.Owner{}
	}
	if o.Directory != nil {
		if found, ok := o.Directory.Resolve(text); ok {
			return found
		}
	}
	if strings.Contains(text, "@") {
		return security.Owner{UPN: text, AssignedTo: text}
	}
	return security.Owner{AssignedTo: text}
}

// capabilities are what both APIs have in common: no write ids, no feed, no
// time or actor for a field.
func (o *Options) capabilities() port.Capabilities {
	return port.Capabilities{CommentIDs: true, Where: o.Base, PollEvery: o.PollEvery, PerMinute: o.PerMinute}
}
