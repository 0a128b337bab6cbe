package egress_test

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"lockstep/egress"
	"lockstep/fault"
)

// loopback is what only a test allows.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func client(t *testing.T, o egress.Options) *http.Client {
	t.Helper()
	c, err := egress.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// serve starts a server over TLS and gives its URL, host and authorities.
func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, string, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(s.Certificate())
	u, _ := url.Parse(s.URL)
	return s, u.Host, trusted
}

func get(c *http.Client, url string) (string, error) {
	res, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestAllowed(t *testing.T) {
	s, host, trusted := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	if body, err := get(client(t, egress.Options{Allow: []string{host}, Within: loopback, Trusted: trusted}), s.URL); err != nil || body != "hello" {
		t.Errorf("%q, %v", body, err)
	}
	for name, o := range map[string]egress.Options{
		"nothing listed":      {Within: loopback, Trusted: trusted},
		"another host listed": {Allow: []string{"example.org"}, Within: loopback, Trusted: trusted},
		"another port listed": {Allow: []string{"127.0.0.1:1", "127.0.0.1"}, Within: loopback, Trusted: trusted},
		"another scheme":      {Allow: []string{"http://" + host}, Within: loopback, Trusted: trusted},
		"no private address":  {Allow: []string{host}, Trusted: trusted},
	} {
		if _, err := get(client(t, o), s.URL); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := get(client(t, egress.Options{Allow: []string{host}, Within: loopback}), s.URL); err == nil || fault.Is(err, fault.Denied) {
		t.Errorf("a server with an unknown authority: %v", err)
	}
}

// A listed name gains nothing by resolving to this machine.
func TestNameOfThisMachine(t *testing.T) {
	s, host, trusted := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
	_, port, _ := net.SplitHostPort(host)
	_, err := get(client(t, egress.Options{Allow: []string{"localhost:" + port}, Trusted: trusted}), strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "this machine") {
		t.Errorf("localhost gave %v", err)
	}
}

func TestAddresses(t *testing.T) {
	refused := []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
		"192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
		"64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:0:1::",
	}
	for _, ip := range refused {
		if err := egress.Admit("tcp", netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String(), nil); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", ip, err)
		}
	}
	for _, ip := range []string{"20.190.159.0", "1.1.1.1", "172.32.0.1", "2603:1030::1", "2a00:1450::1"} {
		if err := egress.Admit("tcp6", netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String(), nil); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
	}
	if err := egress.Admit("tcp", "[fe80::1%eth0]:443", nil); !fault.Is(err, fault.Denied) {
		t.Errorf("a zone: %v", err)
	}
	if err := egress.Admit("udp", "1.1.1.1:443", nil); !fault.Is(err, fault.Denied) {
		t.Errorf("udp: %v", err)
	}
	if err := egress.Admit("tcp", "10.1.2.3:443", []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}); err != nil {
		t.Errorf("an allowed range: %v", err)
	}
}

func TestList(t *testing.T) {
	c := client(t, egress.Options{Allow: []string{"Graph.Example", "*.bus.example", "other.example:8443"}, Timeout: time.Nanosecond})
	for target, listed := range map[string]bool{
		"https://graph.example/x": true, "https://GRAPH.example.:443": true, "https://a.bus.example": true, "https://a.b.bus.example": true,
		"https://other.example:8443": true, "https://graph.example:8443": false, "http://graph.example": false, "https://bus.example": false,
		"https://abus.example": false, "https://graph.example.evil": false, "https://x@evil.example": false, "https://graph.example@evil.example": false,
		"https://other.example": false, "ftp://graph.example": false,
	} {
		// Past the list the tiny timeout ends the request before anything is sent.
		_, err := get(c, target)
		if denied := fault.Is(err, fault.Denied); err == nil || denied == listed {
			t.Errorf("%s: %v", target, err)
		}
	}
	for _, bad := range []string{"", "*", "*.com", "*.*.example", "a.*.example", "https://x/path", "x?y", "u:p@x", "ftp://x", "a b"} {
		if _, err := egress.New(egress.Options{Allow: []string{bad}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q on the list: %v", bad, err)
		}
	}
}

func TestRedirect(t *testing.T) {
	reached := false
	s, host, trusted := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			reached = true
			return
		}
		http.Redirect(w, r, "/there", http.StatusFound)
	})
	_, err := get(client(t, egress.Options{Allow: []string{host}, Within: loopback, Trusted: trusted}), s.URL)
	if !fault.Is(err, fault.Denied) || reached {
		t.Errorf("a redirect gave %v, followed: %v", err, reached)
	}
}

func TestSize(t *testing.T) {
	s, host, trusted := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := strings.Repeat("x", 1000)
		switch r.URL.Path {
		case "/exact":
			body = body[:100]
		case "/chunked":
			w.(http.Flusher).Flush()
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			io.WriteString(z, body)
			return
		}
		io.WriteString(w, body)
	})
	c := client(t, egress.Options{Allow: []string{host}, Within: loopback, Trusted: trusted, MaxBody: 100})
	for _, path := range []string{"/", "/chunked", "/gzip"} {
		if body, err := get(c, s.URL+path); !fault.Is(err, fault.Invalid) || len(body) > 100 {
			t.Errorf("%s: %d bytes, %v", path, len(body), err)
		}
	}
	if body, err := get(c, s.URL+"/exact"); err != nil || len(body) != 100 {
		t.Errorf("a body of just the bound: %d bytes, %v", len(body), err)
	}
}

func TestTime(t *testing.T) {
	done := make(chan struct{})
	s, host, trusted := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush() // the head comes, the body never does
		<-done
	})
	defer close(done)
	_, err := get(client(t, egress.Options{Allow: []string{host}, Within: loopback, Trusted: trusted, Timeout: 50 * time.Millisecond}), s.URL)
	var late net.Error
	if !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("a server that hangs gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if _, err := client(t, egress.Options{Allow: []string{host}, Within: loopback, Trusted: trusted}).Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended gave %v", err)
	}
}
