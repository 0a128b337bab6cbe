package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"lockstep/cloud/microsoft"
	"lockstep/connector"
	"lockstep/connector/port"
	"lockstep/egress"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/workspace"
)

// published is a service whose defaults are known: how it is polled, how often
// asked, and where its tokens come from.
type published struct {
	suffix, login string
	poll          time.Duration
	rate, page    int
}

// services are the real ones, then any other server: another Lockstep. The rate
// is below the 150 a minute of the older resources (Source: facts 5.2); the
// newer ones have none published.
var services = []published{
	{"graph.microsoft.com", "https://login.microsoftonline.com", 15 * time.Second, 100, 100},
	{"management.azure.com", "https://login.microsoftonline.com", 15 * time.Second, 100, 100},
	{"", "", 250 * time.Millisecond, 0, 1000},
}

func serviceAt(u *url.URL) published {
	for _, s := range services {
		if s.suffix == "" || u.Hostname() == s.suffix {
			return s
		}
	}
	return published{}
}

// remoteURL is the address of the other server; nil if there is none.
func (s Settings) remoteURL() (setting string, u *url.URL, err error) {
	setting, text := "remote_xdr", s.RemoteXDR
	if text == "" {
		setting, text = "remote_workspace", s.RemoteSpace
	}
	if text == "" {
		return "", nil, nil
	}
	u, err = url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return setting, nil, fault.At(setting, "%q is no address that begins with https:// and a host", text)
	}
	return setting, u, nil
}

// checkRemote checks what can be checked of the settings about the other
// server without asking it.
func (s Settings) checkRemote() error {
	setting, u, err := s.remoteURL()
	switch {
	case err != nil:
		return err
	case u == nil:
		return nil
	case s.RemoteXDR != "" && s.RemoteSpace != "":
		return fault.At("remote_workspace", "a server is joined to one other: it plays the side that the other one doesn't")
	case s.RemoteXDR != "" && s.has("xdr"):
		return fault.At("remote_xdr", "this server is the XDR itself; with --roles workspace it can be joined to another one")
	case s.RemoteSpace != "" && s.has("workspace"):
		return fault.At("remote_workspace", "this server has workspaces itself; with --roles xdr it can be joined to another one's")
	case s.RemoteTenant == "" || s.RemoteClient == "":
		return fault.At(setting, "needs remote_tenant and remote_client_id too")
	case s.RemoteSecret == "" && s.RemoteFile == "":
		return fault.At(setting, "needs remote_client_secret_file, or LOCKSTEP_REMOTE_CLIENT_SECRET in the environment")
	}
	_, err = prefixes("remote_ranges", s.RemoteRanges)
	return err
}

// remoteOptions are what the end of the other server needs.
func (s *server) remoteOptions() (microsoft.Options, error) {
	set := s.settings
	setting, u, err := set.remoteURL()
	if err != nil {
		return microsoft.Options{}, err
	}
	service := serviceAt(u)
	o := microsoft.Options{
		Base: u.Scheme + "://" + u.Host, Authority: set.RemoteLogin, Tenant: set.RemoteTenant, ClientID: set.RemoteClient, ClientSecret: set.RemoteSecret,
		Now: s.now, Directory: s.access, PollEvery: schema.Span(service.poll), PerMinute: service.rate, PageSize: service.page,
	}
	if setting == "remote_xdr" {
		o.Base += strings.TrimSuffix(u.Path, "/")
	}
	if o.Authority == "" {
		o.Authority = service.login
	}
	if set.RemotePoll > 0 {
		o.PollEvery = schema.Span(set.RemotePoll)
	}
	if set.RemoteRate > 0 {
		o.PerMinute = set.RemoteRate
	}
	if o.ClientSecret == "" {
		if o.ClientSecret, err = secretIn(set.RemoteFile); err != nil {
			return o, fault.At("remote_client_secret_file", "%w", err)
		}
	}
	allow := []string{u.Host}
	if o.Authority != "" {
		login, err := url.Parse(o.Authority)
		if err != nil || login.Scheme != "https" || login.Host == "" {
			return o, fault.At("remote_authority", "%q is no address that begins with https:// and a host", o.Authority)
		}
		allow = append(allow, login.Host)
	}
	within, err := prefixes("remote_ranges", set.RemoteRanges)
	if err != nil {
		return o, err
	}
	trusted, err := trustedBy(set.RemoteCA)
	if err != nil {
		return o, err
	}
	o.Client, err = egress.New(egress.Options{Allow: allow, Within: within, Trusted: trusted, Timeout: remoteTimeout})
	return o, err
}

// secretIn reads a secret from a file, which nobody but its owner may open.
func secretIn(file string) (string, error) {
	about, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if mode := about.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" { // which tells of no such bits
		return "", fmt.Errorf("%s is open to others (mode %04o), and a secret is in it: chmod 600 %s", file, mode, file)
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// remoteTimeout is the most time for one question to the other server.
const remoteTimeout = 30 * time.Second

// trustedBy are the system's authorities and those in a file.
func trustedBy(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.At("remote_ca", "%w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fault.At("remote_ca", "%s holds no certificate in the PEM form", file)
	}
	return pool, nil
}

// ends are both sides as the connector reaches them: here, or at the other
// server. Without a second side there are none.
func (s *server) ends() (x port.End, w func(workspace string) port.End, err error) {
	if s.xdr != nil {
		x = s.xdr.End()
	}
	if s.workspaces != nil {
		w = func(ws string) port.End { return s.workspaces.End(ws) }
	}
	if x != nil && w != nil || s.settings.RemoteXDR == "" && s.settings.RemoteSpace == "" {
		return x, w, nil
	}
	o, err := s.remoteOptions()
	if err != nil {
		return nil, nil, err
	}
	if x == nil {
		x, err = microsoft.XDR(o)
		return x, w, err
	}
	_, u, err := s.settings.remoteURL()
	if err != nil {
		return nil, nil, err
	}
	there, err := microsoft.Workspace(o, u.Path)
	if err != nil {
		return nil, nil, err
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	s.remoteSpace = workspace.Workspace{
		ID: security.DerivedID("remote workspace", strings.ToLower(s.settings.RemoteSpace)), Name: parts[7], SubscriptionID: parts[1], ResourceGroup: parts[3], Primary: true,
	}
	return x, func(string) port.End { return there }, nil
}

// joinRemote connects to the workspace of another server the first time.
func (s *server) joinRemote(ctx context.Context) error {
	if s.remoteSpace.ID == "" {
		return nil
	}
	k, err := s.connector.Connection(ctx, s.remoteSpace.ID)
	if err != nil || k.Since != 0 {
		return err
	}
	if _, err = s.connector.Connect(ctx, s.remoteSpace.ID, connector.Settings{Incidents: true}, s.operator().Actor()); err != nil {
		return fmt.Errorf("connect to %s: %w", s.settings.RemoteSpace, err)
	}
	return nil
}
