// Package certificate keeps a certificate authority of our own and the
// server's certificate under it, so that TLS works from the first start:
// vendor SDKs refuse plain http. It leaves the listener to its caller.
package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"lockstep/access/keyfile"
	"lockstep/fault"
	"lockstep/schema"
)

// The lives of the authority, of a server certificate (vendor SDKs and
// browsers refuse ones that live much longer) and how long before its end
// that is renewed.
const (
	authorityLife = 10 * 365 * schema.Day
	serverLife    = 397 * schema.Day
	renewBefore   = 60 * schema.Day
	backdated     = schema.Hour // for clients whose clock is behind
)

// Store keeps the authority and the server's certificate in a folder. Its
// methods are safe for concurrent use.
type Store struct {
	dir   string
	names []string
	now   func() schema.Ticks

	authority *x509.Certificate
	key       *ecdsa.PrivateKey

	mu     sync.Mutex
	server *tls.Certificate
}

// always are the names that every server certificate carries.
var always = []string{"localhost", "127.0.0.1", "::1"}

// Open reads the authority from ca.pem in the folder, making it if there is
// none, and sees to a server certificate in server.pem for localhost and the
// further names: host names, which may begin with "*.", and addresses.
func Open(dir string, names []string, now func() schema.Ticks) (*Store, error) {
	s := &Store{dir: dir, now: now, names: slices.Clone(always)}
	for _, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if !slices.Contains(s.names, name) {
			s.names = append(s.names, name)
		}
	}
	if err := s.openAuthority(); err != nil {
		return nil, fmt.Errorf("open the certificate authority: %w", err)
	}
	if _, err := s.current(); err != nil {
		return nil, err
	}
	return s, nil
}

func checkName(name string) error {
	if net.ParseIP(name) != nil {
		return nil
	}
	host := strings.TrimPrefix(name, "*.")
	u, err := url.Parse("https://" + host)
	if err != nil || u.Host != host || u.Port() != "" || host == "" || strings.ContainsAny(host, " *_%@") {
		return fault.At("names", "%q is neither a host name nor an address", name)
	}
	return nil
}

// Authority gives the authority's certificate as PEM: what clients must trust.
func (s *Store) Authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.authority.Raw})
}

// TLS is a server's configuration. The certificate is renewed in time while
// the server runs.
func (s *Store) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.current() },
	}
}

func (s *Store) openAuthority() error {
	path := filepath.Join(s.dir, "ca.pem")
	certificate, key, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		certificate, key, err = s.newAuthority()
		if err == nil {
			err = save(path, key, certificate)
		}
	}
	if err != nil {
		return err
	}
	if s.authority, err = x509.ParseCertificate(certificate[0]); err != nil {
		return err
	}
	s.key = key
	switch {
	case !s.authority.IsCA || !key.PublicKey.Equal(s.authority.PublicKey):
		return fmt.Errorf("%s isn't an authority with its key", path)
	case s.now().Time().After(s.authority.NotAfter):
		return fmt.Errorf("%s expired at %s: remove it, start again and let clients trust the new one", path, s.authority.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

func (s *Store) newAuthority() ([][]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Lockstep authority " + fingerprint(key), Organization: []string{"Lockstep"}},
		NotBefore:             (now - backdated).Time(),
		NotAfter:              (now + authorityLife).Time(),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return [][]byte{der}, key, err
}

// current gives a server certificate that is valid for a while and carries the
// names, making one if the kept one doesn't.
func (s *Store) current() (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil && s.serves(s.server.Leaf) {
		return s.server, nil
	}
	c, err := s.renew()
	if err != nil {
		return nil, fmt.Errorf("see to the server certificate: %w", err)
	}
	s.server = c
	return c, nil
}

func (s *Store) renew() (*tls.Certificate, error) {
	path := filepath.Join(s.dir, "server.pem")
	chain, key, err := load(path)
	if err == nil {
		if leaf, e := x509.ParseCertificate(chain[0]); e == nil && s.serves(leaf) && key.PublicKey.Equal(leaf.PublicKey) {
			return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if chain, key, err = s.newServer(); err != nil {
		return nil, err
	}
	if err := save(path, key, chain); err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(chain[0])
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, err
}

func (s *Store) serves(leaf *x509.Certificate) bool {
	now := s.now()
	names := append(slices.Clone(leaf.DNSNames), texts(leaf.IPAddresses)...)
	return now.Time().After(leaf.NotBefore) && (now + s.margin(leaf)).Time().Before(leaf.NotAfter) &&
		leaf.CheckSignatureFrom(s.authority) == nil &&
		!slices.ContainsFunc(s.names, func(n string) bool { return !slices.Contains(names, canonical(n)) })
}

// margin is how long a certificate must still be valid; at the end of the
// authority's life nothing is gained by renewing.
func (s *Store) margin(leaf *x509.Certificate) schema.Ticks {
	if !leaf.NotAfter.Before(s.authority.NotAfter) {
		return 0
	}
	return renewBefore
}

func (s *Store) newServer() ([][]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	end := (now + serverLife).Time()
	if end.After(s.authority.NotAfter) {
		end = s.authority.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: s.names[0]},
		NotBefore:    (now - backdated).Time(),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range s.names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.authority, &key.PublicKey, s.key)
	return [][]byte{der, s.authority.Raw}, key, err
}

func canonical(name string) string {
	if ip := net.ParseIP(name); ip != nil {
		return ip.String()
	}
	return name
}

func texts(ips []net.IP) (out []string) {
	for _, ip := range ips {
		out = append(out, ip.String())
	}
	return out
}

func serial() *big.Int {
	raw := make([]byte, 16)
	rand.Read(raw)
	raw[0] &= 0x7f
	return new(big.Int).SetBytes(raw)
}

func fingerprint(key *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "unknown"
	}
	sum := sha256.Sum256(der)
	return fmt.Sprintf("%x", sum[:4])
}

// save writes a key and its chain into one file, so that the two never part.
func save(path string, key *ecdsa.PrivateKey, chain [][]byte) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	out.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, c := range chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c}))
	}
	return keyfile.Write(path, out.Bytes())
}

func load(path string) (chain [][]byte, key *ecdsa.PrivateKey, err error) {
	data, err := keyfile.Read(path)
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("%s: its key isn't ECDSA", path)
	}
	return pair.Certificate, key, nil
}
