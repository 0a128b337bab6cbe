// Package egress makes the one HTTP client for everything that leaves the
// machine. It knows where requests may go: hosts on a list, at public
// addresses, checked on the connection itself, so that a name that resolves to
// something else the second time gains nothing. It leaves what is sent to its
// users.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"lockstep/fault"
)

// Options say where requests may go and how large and long answers may be.
type Options struct {
	// Allow lists the hosts: "graph.microsoft.com", "*.servicebus.windows.net",
	// "soc.example:8443". Without a port it is that of https; with http:// in
	// front plain http is meant. Nothing is allowed that isn't listed.
	Allow []string
	// Within lists address ranges that may be reached although they are not
	// public, such as the one where an own service stands. None by default.
	Within []netip.Prefix
	// Trusted are the authorities of servers; nil: the system's.
	Trusted *x509.CertPool
	// MaxBody is the most bytes of an answer, inflated; 0: 64 MiB.
	MaxBody int64
	// Timeout is the most time for a request with its answer; 0: one minute.
	Timeout time.Duration
}

const (
	defaultMaxBody = 64 << 20
	defaultTimeout = time.Minute
)

// New makes the client. Its errors are fault.Denied where a request may not
// go, fault.Invalid for an answer that is too large.
func New(o Options) (*http.Client, error) {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	gate := &gate{maxBody: o.MaxBody}
	for _, text := range o.Allow {
		d, err := parseDestination(text)
		if err != nil {
			return nil, err
		}
		gate.allow = append(gate.allow, d)
	}
	dialer := &net.Dialer{
		Timeout: min(10*time.Second, o.Timeout),
		// Called with each address that is about to be connected to, after the
		// name was resolved.
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return admit(network, address, o.Within)
		},
	}
	gate.next = &http.Transport{
		Proxy:                  nil, // a proxy would be reached in the place of what was checked
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Trusted},
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    min(10*time.Second, o.Timeout),
		MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute,
	}
	return &http.Client{
		Transport: gate,
		Timeout:   o.Timeout,
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			return fault.New(fault.Denied, "%s redirects to %s, which isn't followed", via[0].URL.Host, to.URL.Host)
		},
	}, nil
}

// destination is one entry of the list.
type destination struct{ scheme, host, port string }

func parseDestination(text string) (destination, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "https://" + text
	}
	u, err := url.Parse(full)
	if err != nil || u.Hostname() == "" || u.Host+strings.TrimSuffix(u.Path, "/") != u.Host || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return destination{}, fault.At("allow", "%q is no host such as graph.microsoft.com, *.example.org or host:8443", text)
	}
	if port(u) == "" {
		return destination{}, fault.At("allow", "%q: only https and http are known", text)
	}
	host := strings.ToLower(u.Hostname())
	if rest := strings.TrimPrefix(host, "*."); strings.Contains(rest, "*") || rest != host && !strings.Contains(rest, ".") {
		return destination{}, fault.At("allow", "%q covers too much: write *. before a domain", text)
	}
	return destination{u.Scheme, host, port(u)}, nil
}

// port gives a URL's port, written or meant; "" if the scheme isn't known.
func port(u *url.URL) string {
	switch u.Scheme {
	case "https", "http":
	default:
		return ""
	}
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

func (d destination) covers(u *url.URL) bool {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if suffix, ok := strings.CutPrefix(d.host, "*"); ok {
		if !strings.HasSuffix(host, suffix) || host == suffix[1:] {
			return false
		}
	} else if host != d.host {
		return false
	}
	return u.Scheme == d.scheme && port(u) == d.port
}

// gate lets requests through to hosts on the list and bounds the answers.
type gate struct {
	allow   []destination
	maxBody int64
	next    http.RoundTripper
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.allows(r.URL) {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, fault.New(fault.Denied, "%s://%s isn't on the list of hosts that this server may reach", r.URL.Scheme, r.URL.Host)
	}
	res, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.ContentLength > g.maxBody {
		res.Body.Close()
		return nil, tooLarge(r.URL.Host, g.maxBody)
	}
	res.Body = &bounded{ReadCloser: res.Body, left: g.maxBody, host: r.URL.Host, most: g.maxBody}
	return res, nil
}

func (g *gate) allows(u *url.URL) bool {
	for _, d := range g.allow {
		if d.covers(u) {
			return true
		}
	}
	return false
}

func tooLarge(host string, most int64) error {
	return fault.New(fault.Invalid, "the answer of %s is larger than %d bytes", host, most)
}

// bounded is a body that fails, rather than ends, past its bound: a cut answer
// must not pass for a whole one.
type bounded struct {
	io.ReadCloser
	left, most int64
	host       string
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), tooLarge(b.host, b.most)
	}
	b.left -= int64(n)
	return n, err
}

// admit refuses a connection to an address that isn't public.
func admit(network, address string, within []netip.Prefix) error {
	if !strings.HasPrefix(network, "tcp") {
		return fault.New(fault.Denied, "connections over %s aren't allowed", network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fault.New(fault.Denied, "%q is no address: %w", address, err)
	}
	ip := to.Addr().Unmap().WithZone("")
	for _, p := range within {
		if p.Contains(ip) {
			return nil
		}
	}
	if what, ok := reserved(ip); ok {
		return fault.New(fault.Denied, "%s is %s; this server reaches public addresses only", ip, what)
	}
	return nil
}

// ranges are the addresses that are not public, with what they are (Source:
// the IANA registries of special-purpose addresses). Those that carry an IPv4
// address inside are among them, for it could be any.
var ranges = []struct{ prefix, what string }{
	{"0.0.0.0/8", "no host"}, {"10.0.0.0/8", "private"}, {"100.64.0.0/10", "shared by a carrier"}, {"127.0.0.0/8", "this machine"},
	{"169.254.0.0/16", "link-local"}, {"172.16.0.0/12", "private"}, {"192.0.0.0/24", "reserved"}, {"192.0.2.0/24", "for documentation"},
	{"192.88.99.0/24", "reserved"}, {"192.168.0.0/16", "private"}, {"198.18.0.0/15", "for benchmarks"}, {"198.51.100.0/24", "for documentation"},
	{"203.0.113.0/24", "for documentation"}, {"224.0.0.0/4", "multicast"}, {"240.0.0.0/4", "reserved"},
	{"::/96", "no host"}, {"64:ff9b::/96", "a translated address"}, {"64:ff9b:1::/48", "a translated address"}, {"100::/64", "discarded"},
	{"2001::/23", "reserved"}, {"2001:db8::/32", "for documentation"}, {"2002::/16", "a tunnelled address"}, {"3fff::/20", "for documentation"},
	{"5f00::/16", "reserved"}, {"fc00::/7", "private"}, {"fe80::/10", "link-local"}, {"fec0::/10", "private"}, {"ff00::/8", "multicast"},
}

func reserved(ip netip.Addr) (what string, ok bool) {
	for _, r := range ranges {
		if netip.MustParsePrefix(r.prefix).Contains(ip) {
			return r.what, true
		}
	}
	if !ip.IsGlobalUnicast() {
		return "no public address", true
	}
	return "", false
}
