package replay_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/fault"
	"lockstep/sample"
	"lockstep/schema"
	"lockstep/source"
	"lockstep/source/replay"
)

// store is a receiver that keeps what it is given, once per key, and misbehaves
// as told.
type store struct {
	mu      sync.Mutex
	seen    map[string]int // records by key
	lines   []string
	order   []string // of alerts
	trouble func(key string) trouble
	wrong   string // records that contain it are refused
}

type trouble int

const (
	fine     trouble = iota
	lost             // the batch doesn't arrive
	dropped          // it is stored, the answer is lost
	finished         // the receiver refuses for good
)

func (s *store) take(label, key string, body []byte) (replay.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := fine
	if s.trouble != nil {
		what = s.trouble(key)
	}
	switch what {
	case lost:
		return replay.Receipt{}, fault.Later(time.Second, "away")
	case finished:
		return replay.Receipt{}, fault.New(fault.Denied, "not you")
	}
	if s.seen == nil {
		s.seen = map[string]int{}
	}
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if n, ok := s.seen[key]; ok {
		if n != len(lines) {
			return replay.Receipt{}, fault.New(fault.Conflict, "key %s came with %d records, then with %d", key, n, len(lines))
		}
		if what == dropped {
			return replay.Receipt{}, fault.New(fault.Unavailable, "cut")
		}
		return replay.Receipt{Repeat: true}, nil
	}
	s.seen[key] = len(lines)
	var r replay.Receipt
	for i, text := range lines {
		if s.wrong != "" && strings.Contains(text, s.wrong) {
			r.Refused = append(r.Refused, replay.Refusal{Record: i + 1, Reason: "wrong"})
			continue
		}
		r.Accepted++
		s.lines = append(s.lines, label+" "+text)
		if strings.HasPrefix(label, "alert") {
			s.order = append(s.order, text)
		}
	}
	if what == dropped {
		return replay.Receipt{}, fault.New(fault.Unavailable, "cut")
	}
	return r, nil
}

func (s *store) Alerts(_ context.Context, key string, body []byte) (replay.Receipt, error) {
	return s.take("alert", key, body)
}
func (s *store) Events(_ context.Context, key string, body []byte) (replay.Receipt, error) {
	return s.take("event", key, body)
}
func (s *store) Rows(_ context.Context, workspace, table, key string, body []byte) (replay.Receipt, error) {
	return s.take("row "+workspace+" "+table, key, body)
}

// sorted are the stored lines, in an order to compare by.
func (s *store) sorted() []string {
	out := slices.Clone(s.lines)
	slices.Sort(out)
	return out
}

// recording is a source in memory.
type recording struct {
	name    string
	records []source.Record
}

func (r recording) Name() string { return r.name }

func (r recording) Outline(context.Context) (source.Outline, error) {
	o := source.Outline{Records: int64(len(r.records)), First: r.records[0].Time, Last: r.records[len(r.records)-1].Time}
	for i := 1; i < len(r.records); i++ {
		if r.records[i].Time-r.records[i-1].Time >= source.MinPause {
			o.Pauses = append(o.Pauses, source.Pause{From: r.records[i-1].Time, To: r.records[i].Time})
		}
	}
	return o, nil
}

func (r recording) Read(ctx context.Context, from int64, yield func(source.Record) error) error {
	for _, record := range r.records[from:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(record); err != nil {
			return err
		}
	}
	return nil
}

var shapes = []source.Shape{source.Graph, source.SecurityAlert, source.AlertInfo}

// mixed is a recording of n records of all kinds, 7 minutes apart.
func mixed(n int) recording {
	begin, _ := schema.ParseTicks("2024-06-01T00:00:00Z")
	r := recording{name: fmt.Sprintf("mixed-%d", n)}
	for i := range n {
		t := begin + schema.Ticks(i)*7*schema.Minute
		record := source.Record{Kind: source.Event, Table: "DeviceInfo", Time: t, File: "defender/DeviceInfo", Number: int64(i), Body: fmt.Appendf(nil, `{"time":%q,"n":%d}`, t, i)}
		switch i % 7 {
		case 2:
			record.Kind, record.Table = source.Row, "SigninLogs"
		case 4:
			record.Kind, record.Table = source.Row, "AuditLogs"
		case 5, 6:
			record.Kind, record.Table, record.Shape = source.Alert, "", shapes[i%len(shapes)]
		}
		r.records = append(r.records, record)
	}
	return r
}

// clock is one that goes on only while somebody waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.waits = c.now.Add(d), append(c.waits, d)
	return nil
}

var now = time.Date(2026, 5, 5, 12, 0, 0, 0, time.UTC)

func options(r source.Source, s replay.Sink) replay.Options {
	return replay.Options{Source: r, Sink: s, Workspace: "soc", BatchRecords: 10, End: now,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func run(t *testing.T, o replay.Options) replay.Progress {
	t.Helper()
	p, err := replay.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAReplayEndsNowAndKeepsAlertsInOrder(t *testing.T) {
	s := &store{}
	p := run(t, options(mixed(100), s))
	want := replay.Progress{Total: 100, Done: 100, Sent: 100, Accepted: 100, Alerts: 28, Events: 44, Rows: 28, Bytes: p.Bytes, Time: schema.At(now), Rate: p.Rate, Left: p.Left}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("progress (-want +got):\n%s", d)
	}
	last := 0
	for _, line := range s.order {
		var a struct {
			Shape source.Shape
			Alert struct{ N int }
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		n := a.Alert.N
		if n < last {
			t.Errorf("alert %d came after alert %d", n, last)
		}
		if a.Shape != shapes[n%len(shapes)] {
			t.Errorf("alert %d came in shape %q", n, a.Shape)
		}
		last = n
	}
	if !slices.Contains(s.lines, `event {"time":"2026-05-05T12:00:00.0000000Z","n":99}`) {
		t.Errorf("the last record doesn't end the replay: %s", s.lines[len(s.lines)-1])
	}
	rows := 0
	for _, line := range s.lines {
		if strings.HasPrefix(line, "row soc ") {
			rows++
		}
	}
	if rows != 28 {
		t.Errorf("%d rows went to the workspace, want 28", rows)
	}
	as := &store{}
	o := options(mixed(100), as)
	o.AsRecorded = true
	run(t, o)
	if !slices.Contains(as.lines, `event {"time":"2024-06-01T00:00:00.0000000Z","n":0}`) {
		t.Error("times were moved although they were to stay")
	}
}

// However the receiver misbehaves and wherever the sender is killed: in the end
// the receiver holds each record once, as an undisturbed replay leaves it.
func TestNothingIsLostOrDoubled(t *testing.T) {
	smooth := &store{}
	const records = 70
	run(t, options(mixed(records), smooth))
	want := smooth.sorted()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(dir, "state.json")
		os.Remove(path)
		s := &store{}
		calls, stop := 0, 0
		cancel := context.CancelFunc(func() {})
		troubles := rapid.SliceOfN(rapid.SampledFrom([]trouble{fine, fine, fine, lost, dropped}), 20, 20).Draw(rt, "troubles")
		troubles = append(troubles, fine) // else one unlucky batch would never get through
		kills := rapid.SliceOfN(rapid.IntRange(1, 60), 0, 6).Draw(rt, "killed after")
		s.trouble = func(string) trouble {
			if calls++; calls == stop {
				cancel()
			}
			return troubles[calls%len(troubles)]
		}
		for {
			ctx, c := context.WithCancel(context.Background())
			cancel = c
			if len(kills) > 0 {
				stop, kills = calls+kills[0], kills[1:]
			}
			o := options(mixed(records), s)
			o.State = path
			o.End = now.Add(time.Duration(calls) * time.Hour) // a later start must not move what was begun
			p, err := replay.Run(ctx, o)
			c()
			if errors.Is(err, context.Canceled) {
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			if p.Sent != records || p.Accepted+p.Repeats+p.Refused != p.Sent {
				rt.Fatalf("sent %d, accepted %d, repeats %d, refused %d", p.Sent, p.Accepted, p.Repeats, p.Refused)
			}
			break
		}
		if d := cmp.Diff(want, s.sorted()); d != "" {
			rt.Fatalf("(-undisturbed +disturbed):\n%s", d)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			rt.Fatal("the state of a finished replay stays")
		}
	})
}

func TestRefusedRecordsAreNamed(t *testing.T) {
	s := &store{wrong: `"n":7}`}
	o := options(mixed(30), s)
	var got []replay.Refused
	o.Refused = func(r replay.Refused) { got = append(got, r) }
	p := run(t, o)
	want := []replay.Refused{{File: "defender/DeviceInfo", Number: 7, Refusal: replay.Refusal{Record: got[0].Record, Reason: "wrong"}}}
	if d := cmp.Diff(want, got); d != "" || p.Refused != 1 || p.Accepted != 29 {
		t.Errorf("%d refused, %d accepted (-want +got):\n%s", p.Refused, p.Accepted, d)
	}
}

// An alert of AlertInfo and AlertEvidence rows is one record, to the receiver
// too: it goes as the message that it is, and counts as one.
func TestAlertsOfRowsArriveAsOneMessage(t *testing.T) {
	r := mixed(6)
	r.records[5] = source.Record{Kind: source.Alert, Shape: source.AlertInfo, Time: r.records[5].Time, File: "alerts/alertinfo", Number: 3,
		Body: []byte(`{"records":[{"category":"AdvancedHunting-AlertInfo","time":"2024-06-01T00:35:00Z","properties":{"AlertId":"a1"}},{"category":"AdvancedHunting-AlertEvidence","properties":{"AlertId":"a1","n":1}}]}`)}
	s := &store{}
	p := run(t, options(r, s))
	if p.Total != 6 || p.Done != 6 || p.Sent != 6 || p.Accepted != 6 || p.Alerts != 1 {
		t.Errorf("progress %+v", p)
	}
	want := []string{`{"shape":"alertinfo","alert":{"records":[{"category":"AdvancedHunting-AlertInfo","time":"2026-05-05T12:00:00Z","properties":{"AlertId":"a1"}},{"category":"AdvancedHunting-AlertEvidence","properties":{"AlertId":"a1","n":1}}]}}`}
	if d := cmp.Diff(want, s.order); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestAReceiverThatSaysNoEndsTheReplay(t *testing.T) {
	s := &store{trouble: func(string) trouble { return finished }}
	if _, err := replay.Run(context.Background(), options(mixed(30), s)); !fault.Is(err, fault.Denied) {
		t.Errorf("error %v", err)
	}
	clock := &clock{now: now}
	s = &store{trouble: func(string) trouble { return lost }}
	o := options(mixed(1), s)
	o.Now, o.Wait = clock.Now, clock.Wait
	o.Patience = 30 * time.Second
	if _, err := replay.Run(context.Background(), o); !fault.Is(err, fault.Throttled) || clock.Now().Sub(now) < 30*time.Second || clock.Now().Sub(now) > 40*time.Second {
		t.Errorf("gave up after %s: %v", clock.Now().Sub(now), err)
	}
	if waits := clock.waits; waits[0] != time.Second || waits[len(waits)-1] != 5*time.Second {
		t.Errorf("waited %v: as long as asked at first, 5 s at last", waits)
	}
}

func TestAStateOfAnotherRecordingIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s := &store{trouble: func(string) trouble { return finished }}
	o := options(mixed(30), s)
	o.State = path
	if _, err := replay.Run(context.Background(), o); err == nil {
		t.Fatal("no error")
	}
	o = options(mixed(31), &store{})
	o.State = path
	if _, err := replay.Run(context.Background(), o); !fault.Is(err, fault.Conflict) {
		t.Errorf("error %v", err)
	}
}

func TestThePaceFollowsTheRecording(t *testing.T) {
	clock := &clock{now: now}
	s := &store{}
	o := options(mixed(61), s) // seven hours
	o.Speed = 600              // in 42 seconds
	o.Now, o.Wait = clock.Now, clock.Wait
	var left []time.Duration
	o.Report = func(p replay.Progress) { left = append(left, p.Left) }
	run(t, o)
	if took := clock.Now().Sub(now); took != 42*time.Second {
		t.Errorf("took %s, want 42s", took)
	}
	if len(left) < 50 || left[0] < 40*time.Second || left[len(left)-1] != 0 {
		t.Errorf("time left: %v", left)
	}
}

// The HTTP client against a server that loses answers, is overloaded, and lets
// tokens expire.
func TestOverHTTP(t *testing.T) {
	tenant, err := sample.New(sample.Options{Seed: 4, Rows: sample.MinRows})
	if err != nil {
		t.Fatal(err)
	}
	smooth := &store{}
	o := options(tenant, smooth)
	o.BatchRecords = 500
	run(t, o)

	rough := &store{}
	var mu sync.Mutex // over what follows
	calls, valid := 0, "token-1"
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+valid {
			http.Error(w, `{"error":{"code":"InvalidToken"}}`, http.StatusUnauthorized)
			return
		}
		calls++
		if calls == 30 || calls == 100 { // further apart than requests that are under way together
			valid += "x"
		}
		if calls%5 == 0 {
			w.Header().Set("Retry-After", "2")
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			return
		}
		label := "event"
		part := strings.Split(r.URL.Path, "/")
		switch {
		case strings.HasSuffix(r.URL.Path, "/alerts"):
			label = "alert"
		case len(part) == 7 && part[3] == "workspaces":
			label = "row " + part[4] + " " + part[6]
		}
		receipt, err := rough.take(label, r.Header.Get("Idempotency-Key"), body.Bytes())
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		if calls%7 == 0 { // stored, but the answer never arrives
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
			return
		}
		json.NewEncoder(w).Encode(receipt)
	})
	server := httptest.NewTLSServer(handler)
	defer server.Close()
	o.Sink = &replay.Server{Base: server.URL, Client: server.Client(), Token: func(context.Context, bool) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return valid, nil
	}}
	p := run(t, o)
	if d := cmp.Diff(smooth.sorted(), rough.sorted()); d != "" {
		t.Errorf("(-undisturbed +disturbed):\n%.3000s", d)
	}
	if p.Retries == 0 || p.Sent != p.Accepted+p.Repeats {
		t.Errorf("progress %+v", p)
	}

	// The same over a socket, as a data folder has it.
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	local := &store{}
	socket := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scan := bufio.NewScanner(r.Body)
		n := 0
		for scan.Scan() {
			n++
		}
		local.mu.Lock()
		local.seen = map[string]int{r.Header.Get("Idempotency-Key"): n}
		local.mu.Unlock()
		fmt.Fprintf(w, `{"accepted":%d}`, n)
	})}}
	socket.Start()
	defer socket.Close()
	o = options(mixed(20), replay.OverSocket(path))
	if p := run(t, o); p.Accepted != 20 {
		t.Errorf("over a socket: %+v", p)
	}
}

func TestErrorsOfAServerSayWhatToDo(t *testing.T) {
	for status, want := range map[int]fault.Kind{400: fault.Invalid, 401: fault.Denied, 403: fault.Denied, 404: fault.NotFound, 413: fault.Invalid, 429: fault.Throttled, 500: fault.Unavailable, 503: fault.Unavailable} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, strings.Repeat("no", 500), status)
		}))
		s := &replay.Server{Base: server.URL + "/"}
		_, err := s.Events(context.Background(), "k", []byte("{}\n"))
		if !fault.Is(err, want) || !strings.Contains(err.Error(), "/ingest/v1/events") || len(err.Error()) > 700 {
			t.Errorf("status %d: kind %s, want %s: %v", status, fault.KindOf(err), want, err)
		}
		server.Close()
	}
	s := &replay.Server{Base: "http://127.0.0.1:1"}
	if _, err := s.Rows(context.Background(), "w", "T", "k", nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}
}

func BenchmarkReplayOfASample(b *testing.B) {
	tenant, err := sample.New(sample.Options{Seed: 1, Rows: 100_000})
	if err != nil {
		b.Fatal(err)
	}
	var records int64
	for b.Loop() {
		p, err := replay.Run(context.Background(), replay.Options{Source: tenant, Sink: void{}, Workspace: "w", End: now})
		if err != nil {
			b.Fatal(err)
		}
		records += p.Done
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// void takes everything and keeps nothing.
type void struct{}

func (void) take(body []byte) (replay.Receipt, error) {
	return replay.Receipt{Accepted: int64(bytes.Count(body, []byte("\n")))}, nil
}
func (v void) Alerts(_ context.Context, _ string, body []byte) (replay.Receipt, error) {
	return v.take(body)
}
func (v void) Events(_ context.Context, _ string, body []byte) (replay.Receipt, error) {
	return v.take(body)
}
func (v void) Rows(_ context.Context, _, _, _ string, body []byte) (replay.Receipt, error) {
	return v.take(body)
}
