package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"lockstep/fault"
)

// socketName is the socket in the data folder by which verbs reach the server.
const socketName = "lockstep.sock"

// client speaks to the server that owns the data folder, over its socket.
type client struct{ http *http.Client }

// connected runs a verb's work against the server that owns the folder. When
// none runs, it opens the folder itself, under the same lock and behind the
// same socket, for as long as the work takes.
func (s *shell) connected(ctx context.Context, work func(c *client) error) error {
	path := filepath.Join(s.settings.Data, socketName)
	if probe, err := net.Dial("unix", path); err == nil {
		_ = probe.Close()
		return work(newClient(path))
	} else if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("reach the server in %s: %w", s.settings.Data, err)
	}
	if _, err := os.Stat(filepath.Join(s.settings.Data, stateName)); err != nil {
		return fault.New(fault.NotFound, "there is no data in %q yet: start `lockstep serve`, or name the folder with --data", s.settings.Data)
	}
	server, err := open(ctx, s.settings, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if fault.Is(err, fault.Conflict) { // a server owns the folder and is about to listen
		if waitFor(ctx, path) {
			return work(newClient(path))
		}
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped, err := server.serveSocket(ctx)
	if err == nil {
		server.driver.run(ctx)
		err = work(newClient(path))
	}
	cancel()
	if stopped != nil {
		<-stopped
	}
	return errors.Join(err, server.close())
}

// listens reports whether somebody listens on a socket.
func listens(path string) bool {
	probe, err := net.Dial("unix", path)
	return err == nil && probe.Close() == nil
}

// patience is how long a verb waits for a server that is starting.
const patience = 15 * time.Second

// waitFor waits until somebody listens on a socket.
func waitFor(ctx context.Context, path string) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if listens(path) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return false
}

func newClient(socket string) *client {
	var d net.Dialer
	return &client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) },
	}}}
}

// local is the host name by which verbs address the socket; nothing resolves it.
const local = "http://lockstep.local"

// call makes one request to the control face; in and out are JSON values, nil for none.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, local+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return refusal(res)
	}
	if out == nil {
		return nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw, err = io.ReadAll(res.Body)
		return err
	}
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	return d.Decode(out)
}

// refusal turns an error answer back into an error of its kind.
func refusal(res *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	var e struct {
		Error struct {
			Code    fault.Kind `json:"code"`
			Message string     `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &e) != nil || e.Error.Message == "" {
		return fmt.Errorf("the server answered %s: %s", res.Status, data)
	}
	return fault.New(e.Error.Code, "%s", e.Error.Message)
}
