package certificate_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/access/certificate"
	"lockstep/fault"
	"lockstep/schema"
)

// clock is a time that a test turns.
type clock struct{ now schema.Ticks }

func (c *clock) read() schema.Ticks { return c.now }

func start() *clock { return &clock{638_900_000_000_000_000} }

// shake connects a client that trusts the authority alone to a server that
// uses the store, under a name, and gives the server's certificate.
func shake(t *testing.T, s *certificate.Store, authority []byte, name string, at schema.Ticks) (*x509.Certificate, error) {
	t.Helper()
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		t.Fatal("the authority is no PEM")
	}
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		defer there.Close()
		_ = tls.Server(there, s.TLS()).Handshake()
	}()
	client := tls.Client(here, &tls.Config{RootCAs: trusted, ServerName: name, Time: at.Time})
	if err := client.Handshake(); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates[0], nil
}

func open(t *testing.T, dir string, c *clock, names ...string) *certificate.Store {
	t.Helper()
	s, err := certificate.Open(dir, names, c.read)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNames(t *testing.T) {
	c := start()
	s := open(t, t.TempDir(), c, "soc.lab.example", "*.apps.example", "192.0.2.7", "localhost")
	for name, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "soc.lab.example": true, "x.apps.example": true, "192.0.2.7": true,
		"lab.example": false, "x.y.apps.example": false, "127.0.0.2": false,
	} {
		if _, err := shake(t, s, s.Authority(), name, c.now); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := open(t, t.TempDir(), c)
	if _, err := shake(t, s, other.Authority(), "localhost", c.now); err == nil {
		t.Error("another authority is trusted")
	}
	for _, bad := range []string{"", "https://x", "a b", "x:443", "a/b", "*", "*.*.x"} {
		if _, err := certificate.Open(t.TempDir(), []string{bad}, c.read); !fault.Is(err, fault.Invalid) {
			t.Errorf("name %q gave %v", bad, err)
		}
	}
}

func TestKept(t *testing.T) {
	dir, c := t.TempDir(), start()
	s := open(t, dir, c)
	first, err := shake(t, s, s.Authority(), "localhost", c.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.pem", "server.pem"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	again := open(t, dir, c)
	if !bytes.Equal(again.Authority(), s.Authority()) {
		t.Error("a second start made another authority")
	}
	if second, err := shake(t, again, s.Authority(), "localhost", c.now); err != nil || !second.Equal(first) {
		t.Errorf("a second start made another certificate: %v", err)
	}
	named := open(t, dir, c, "new.example")
	if _, err := shake(t, named, s.Authority(), "new.example", c.now); err != nil {
		t.Errorf("a new name: %v", err)
	}
	if strings.Contains(string(s.Authority()), "PRIVATE") {
		t.Error("the authority's PEM holds its key")
	}
}

func TestRenewal(t *testing.T) {
	dir, c := t.TempDir(), start()
	s := open(t, dir, c)
	last, err := shake(t, s, s.Authority(), "localhost", c.now)
	if err != nil {
		t.Fatal(err)
	}
	renewed := 0
	for range 10 * 12 {
		c.now += 30 * schema.Day
		now, err := shake(t, s, s.Authority(), "localhost", c.now)
		if err != nil {
			t.Fatalf("at %s: %v", c.now, err)
		}
		if !now.Equal(last) {
			renewed++
		}
		last = now
	}
	if renewed < 9 || renewed > 12 {
		t.Errorf("renewed %d times in ten years", renewed)
	}
	c.now += schema.Day * 365
	if _, err := certificate.Open(dir, nil, c.read); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an authority past its life gave %v", err)
	}
}

func TestBroken(t *testing.T) {
	c := start()
	for _, name := range []string{"ca.pem", "server.pem"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := certificate.Open(dir, nil, c.read); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
