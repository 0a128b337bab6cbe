// Package acceptance starts the real program as a new user would and checks it
// over its HTTP APIs and its command line alone.
package acceptance

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
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the path of the built lockstep; TestMain builds it.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lockstep-acceptance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "lockstep")
	if out, err := exec.Command("go", "build", "-o", program, "lockstep/cmd/lockstep").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build lockstep: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// house is a running server with its data folder.
type house struct {
	t      testing.TB
	dir    string
	args   []string
	base   string // https://localhost:PORT
	cmd    *exec.Cmd
	done   chan struct{} // closed when the process has ended
	client *http.Client

	mu     sync.Mutex
	tokens map[string]string
	log    bytes.Buffer
}

// start starts a server on a new folder; further arguments go to serve.
func start(t testing.TB, args ...string) *house {
	t.Helper()
	h := &house{t: t, dir: filepath.Join(t.TempDir(), "data"), args: args, tokens: map[string]string{}}
	h.serve()
	t.Cleanup(h.stop)
	return h
}

// apis matches the line by which serve says where it listens.
var apis = regexp.MustCompile(`https://localhost:\d+`)

// serve starts the process on the folder and waits until it says where it is.
func (h *house) serve() {
	h.t.Helper()
	address := "127.0.0.1:0"
	if h.base != "" { // started again: where it was
		address = "127.0.0.1" + h.base[strings.LastIndex(h.base, ":"):]
	}
	args := append([]string{"serve", "--data", h.dir, "--listen", address, "--portal-listen", ""}, h.args...)
	h.cmd = exec.Command(program, args...)
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	h.cmd.Stderr = &locked{h: h}
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.done = make(chan struct{})
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			fmt.Fprintln(&locked{h: h}, lines.Text())
			if url := apis.FindString(lines.Text()); url != "" {
				select {
				case found <- url:
				default:
				}
			}
		}
		_ = h.cmd.Wait()
		close(h.done)
	}()
	select {
	case h.base = <-found:
	case <-h.done:
		h.t.Fatalf("lockstep serve ended before it listened:\n%s", h.output())
	case <-time.After(time.Minute):
		h.t.Fatalf("lockstep serve didn't say within a minute where it listens:\n%s", h.output())
	}
	h.trust()
}

// locked writes what the process prints into the house's log.
type locked struct{ h *house }

func (l *locked) Write(p []byte) (int, error) {
	l.h.mu.Lock()
	defer l.h.mu.Unlock()
	return l.h.log.Write(p)
}

func (h *house) output() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := h.log.String()
	return text[max(0, len(text)-8000):]
}

// trust makes a client that trusts the server's own CA, as `lockstep ca` writes it.
func (h *house) trust() {
	h.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(h.run("ca"))) {
		h.t.Fatal("lockstep ca printed no certificate")
	}
	h.client = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 16}}
}

// stop ends the server cleanly and fails the test if it won't.
func (h *house) stop() {
	select {
	case <-h.done:
		return
	default:
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.done:
	case <-time.After(30 * time.Second):
		_ = h.cmd.Process.Kill()
		h.t.Errorf("lockstep serve didn't end within 30 s of SIGTERM:\n%s", h.output())
	}
	if h.t.Failed() {
		h.t.Logf("the server printed:\n%s", h.output())
	}
}

// kill ends the server as a power cut would.
func (h *house) kill() {
	_ = h.cmd.Process.Kill()
	<-h.done
}

// run runs a verb of the program on the house's folder and gives what it prints.
func (h *house) run(args ...string) string {
	h.t.Helper()
	out, err := h.try(args...)
	if err != nil {
		h.t.Fatalf("lockstep %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (h *house) try(args ...string) (string, error) {
	cmd := exec.Command(program, append(args, "--data", h.dir)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), nil
}

// audiences of the APIs.
const (
	toGraph  = "https://graph.microsoft.com"
	toARM    = "https://management.azure.com"
	toLogs   = "https://api.loganalytics.io"
	toIngest = "https://monitor.azure.com"
)

// token gets a token for an audience, once.
func (h *house) token(audience string) string {
	h.t.Helper()
	h.mu.Lock()
	have := h.tokens[audience]
	h.mu.Unlock()
	if have != "" {
		return have
	}
	got := strings.TrimSpace(h.run("token", "--audience", audience))
	h.mu.Lock()
	h.tokens[audience] = got
	h.mu.Unlock()
	return got
}

// answer is a response, read whole.
type answer struct {
	status int
	body   []byte
	header http.Header
}

// call makes one request with a token for the audience; body is JSON text, bytes or a value.
func (h *house) call(audience, method, path string, body any, headers ...string) (answer, error) {
	var from io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		from = strings.NewReader(b)
	case []byte:
		from = bytes.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		from = bytes.NewReader(data)
	}
	url := path
	if strings.HasPrefix(path, "/") {
		url = h.base + path
	}
	req, err := http.NewRequestWithContext(context.Background(), method, url, from)
	if err != nil {
		return answer{}, err
	}
	if from != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+h.token(audience))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := h.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, data, res.Header}, err
}

// must makes a request that has to succeed and decodes its JSON.
func (h *house) must(audience, method, path string, body any, into any) {
	h.t.Helper()
	a, err := h.call(audience, method, path, body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.status/100 != 2 {
		h.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if into != nil {
		if err := json.Unmarshal(a.body, into); err != nil {
			h.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
}

// eventually tries until f succeeds; it asks again as soon as an answer is
// there, and gives up after the limit with the last reason.
func (h *house) eventually(limit time.Duration, what string, f func() error) time.Duration {
	h.t.Helper()
	began := time.Now()
	err := errors.New("never tried")
	for time.Since(began) < limit {
		if err = f(); err == nil {
			return time.Since(began)
		}
		time.Sleep(2 * time.Millisecond) // another process is asked over its API: there is no signal to wait for
	}
	h.t.Fatalf("%s: not within %s: %v", what, limit, err)
	return 0
}

// shared gives the folder of the recorded tenant, or skips loudly.
func shared(t testing.TB) string {
	dir := os.Getenv("LOCKSTEP_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "defender")); err != nil {
		t.Skipf("NOT CHECKED: the recorded tenant isn't there (LOCKSTEP_SHARED=%q): %v", dir, err)
	}
	return filepath.Join(dir, "data")
}

// long gives the time for a test that can go on for longer, 0 in the gate.
func long() time.Duration {
	d, _ := time.ParseDuration(os.Getenv("LOCKSTEP_LONG"))
	return d
}

// read decodes a JSON file.
func read(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func now() time.Time { return time.Now().UTC() }
