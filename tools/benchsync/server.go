package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// The audiences of the APIs.
const (
	toGraph  = "https://graph.microsoft.com"
	toARM    = "https://management.azure.com"
	toLogs   = "https://api.loganalytics.io"
	toIngest = "https://monitor.azure.com"
)

// server is a running program on a folder of its own.
type server struct {
	program, dir, base string
	cmd                *exec.Cmd
	client             *http.Client
	tokens             map[string]string
	workspace          string  // its ARM path
	id                 string  // of the workspace
	xdr                *server // where the XDR is another process; nil else
}

var address = regexp.MustCompile(`https://localhost:\d+`)

// serveTwo starts an XDR and a workspace in two processes, joined over TLS.
func serveTwo(ctx context.Context, program, dir string) (*server, error) {
	x, err := serve(ctx, program, filepath.Join(dir, "xdr"), "--roles", "xdr")
	if err != nil {
		return nil, err
	}
	work, err := joinTo(ctx, x, filepath.Join(dir, "workspace"))
	if err != nil {
		x.stop()
		return nil, err
	}
	work.xdr = x
	return work, nil
}

// joinTo starts a workspace that knows the XDR's application, secret and authority.
func joinTo(ctx context.Context, x *server, dir string) (*server, error) {
	text, err := os.ReadFile(filepath.Join(x.dir, "credentials.json"))
	if err != nil {
		return nil, err
	}
	var first struct{ Tenant, ClientID, ClientSecret string }
	if err := json.Unmarshal(text, &first); err != nil {
		return nil, err
	}
	ca, err := x.run("ca")
	if err != nil {
		return nil, err
	}
	secret, authority := filepath.Join(x.dir, "..", "secret"), filepath.Join(x.dir, "..", "ca.pem")
	if err := errors.Join(os.WriteFile(secret, []byte(first.ClientSecret), 0o600), os.WriteFile(authority, ca, 0o600)); err != nil {
		return nil, err
	}
	return serve(ctx, x.program, dir, "--roles", "workspace", "--remote-xdr", x.base, "--remote-tenant", first.Tenant, "--remote-client-id", first.ClientID,
		"--remote-client-secret-file", secret, "--remote-ca", authority, "--remote-ranges", "127.0.0.0/8,::1/128")
}

// serve starts the program and signs in.
func serve(ctx context.Context, program, dir string, args ...string) (*server, error) {
	s := &server{program: program, dir: filepath.Join(dir, "data"), tokens: map[string]string{}}
	s.cmd = exec.CommandContext(ctx, program, append([]string{"serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--portal-listen", ""}, args...)...)
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (make build makes it): %w", program, err)
	}
	lines := bufio.NewScanner(out)
	for s.base == "" && lines.Scan() {
		s.base = address.FindString(lines.Text())
	}
	if s.base == "" {
		return nil, errors.Join(errors.New("the server ended before it said where it listens"), s.cmd.Wait())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if err := s.signIn(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *server) signIn() error {
	ca, err := s.run("ca")
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 256}}
	for _, audience := range []string{toGraph, toARM, toLogs, toIngest} {
		token, err := s.run("token", "--audience", audience)
		if err != nil {
			return err
		}
		s.tokens[audience] = strings.TrimSpace(string(token))
	}
	var list []struct {
		ResourceID, ID string
		Primary        bool
	}
	text, err := s.run("sync", "workspaces", "-o", "json")
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	for _, w := range list {
		if w.Primary {
			s.workspace, s.id = w.ResourceID, w.ID
		}
	}
	return err
}

// run runs a verb of the program on the folder.
func (s *server) run(args ...string) ([]byte, error) {
	cmd := exec.Command(s.program, append(args, "--data", s.dir)...)
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("lockstep %s: %s", args[0], bytes.TrimSpace(failed.Stderr))
	}
	return out, err
}

func (s *server) stop() {
	if s.xdr != nil {
		defer s.xdr.stop()
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// call makes a request and reads its answer into a value, unless that is nil.
func (s *server) call(ctx context.Context, audience, method, path string, body, into any) error {
	if s.xdr != nil && (audience == toGraph || audience == toIngest) {
		return s.xdr.call(ctx, audience, method, path, body, into)
	}
	var from io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		from = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		from = bytes.NewReader(text)
	}
	if strings.HasPrefix(path, "/") {
		path = s.base + path
	}
	req, err := http.NewRequestWithContext(ctx, method, path, from)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.tokens[audience])
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%d %s", res.StatusCode, text)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, strings.TrimPrefix(path, s.base), err)
	}
	return nil
}

// insights is the path of something of the workspace.
func (s *server) insights(rest string) string {
	join := "?"
	if strings.Contains(rest, "?") {
		join = "&"
	}
	return s.workspace + "/providers/Microsoft.SecurityInsights/" + rest + join + "api-version=2025-07-01-preview"
}
