package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lockstep/schema"
)

// outcome is what a replay leaves behind: the incidents, and each table's rows.
type outcome struct {
	Incidents map[string]string
	Rows      map[string]string
}

// phases is how often a sample is replayed in one run; between two of them
// incidents are merged by hand.
const phases = 2

// TestKills replays samples with merges in between, once undisturbed and once
// with the server killed at seeded moments, and compares what is left.
func TestKills(t *testing.T) {
	kills, seed := 3, uint64(1)
	if d := long(); d > 0 {
		kills, seed = min(30, max(6, int(d/(20*time.Second)))), uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	end := now().Truncate(time.Second)
	want := undisturbed(t, end)
	rng := rand.New(rand.NewPCG(seed, 0))
	h := start(t)
	h.run("connect")
	killed := 0
	for phase := range phases {
		killed += h.replayKilled(phase, end, kills/phases+kills%phases*(1-min(phase, 1)), rng)
		killed += h.mergePairs(phase, rng, true)
	}
	h.settle()
	if diff := cmp.Diff(want, h.outcome()); diff != "" {
		t.Errorf("after %d kills the outcome isn't that of the run without (-without +with):\n%s", killed, diff)
	}
	h.agree()
	t.Logf("did %d kills, %d incidents, %d tables", killed, len(want.Incidents), len(want.Rows))
}

// undisturbed is the outcome of the same replays and merges without a kill.
func undisturbed(t *testing.T, end time.Time) outcome {
	h := start(t)
	defer h.stop()
	h.run("connect")
	for phase := range phases {
		got := h.replay(phaseArgs(phase, end)...)
		if got.Accepted+got.Repeats+got.Refused != got.Sent {
			t.Errorf("phase %d: %+v doesn't add up", phase, got)
		}
		h.mergePairs(phase, nil, false)
	}
	h.settle()
	return h.outcome()
}

func phaseArgs(phase int, end time.Time) []string {
	rows := "8000"
	if long() > 0 {
		rows = "40000"
	}
	return []string{"--rows", rows, "--seed", strconv.Itoa(100 + phase), "--end", end.Add(time.Duration(phase-phases) * time.Hour).Format(time.RFC3339)}
}

// replayKilled replays one phase over a line on which the server is killed
// and started again.
func (h *house) replayKilled(phase int, end time.Time, kills int, rng *rand.Rand) int {
	h.t.Helper()
	l := between(h, kills, rng)
	cmd := exec.Command(program, append([]string{"replay", "-o", "json", "--data", l.dir}, phaseArgs(phase, end)...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	done := 0
	for going := true; going || done < kills-l.remaining(); {
		select {
		case err = <-ended:
			going = false
		case back := <-l.ask:
			h.kill()
			h.serve()
			done++
			close(back)
		}
	}
	if err != nil {
		h.t.Fatalf("replay of phase %d: %v\n%s", phase, err, errs.String())
	}
	if done < kills {
		h.t.Logf("phase %d ended after %d of %d kills", phase, done, kills)
	}
	var got replayed
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		h.t.Fatalf("replay of phase %d printed %q", phase, out.String())
	}
	if got.Accepted+got.Repeats+got.Refused != got.Sent || got.Done != got.Total {
		h.t.Errorf("phase %d with kills: %+v doesn't add up", phase, got)
	}
	return done
}

// mergePairs merges three pairs of single-alert incidents, the same ones in
// every run; with kills, the server may die in the middle of each.
func (h *house) mergePairs(phase int, rng *rand.Rand, kill bool) (kills int) {
	h.t.Helper()
	var single []int
	for id, i := range h.xdrIncidents(true) {
		if i.Status == "active" && len(i.Alerts) == 1 {
			n, _ := strconv.Atoi(id)
			single = append(single, n)
		}
	}
	slices.Sort(single)
	for pair := range 3 {
		at := phase*6 + pair*2
		if at+1 >= len(single) {
			return kills
		}
		a, b := strconv.Itoa(single[at]), strconv.Itoa(single[at+1])
		if kill && pair == 0 {
			ended := make(chan struct{})
			go func() { _, _ = h.try("incident", "merge", a, b); close(ended) }()
			select {
			case <-ended:
			case <-time.After(time.Duration(rng.IntN(20)) * time.Millisecond):
			}
			h.kill()
			<-ended
			h.serve()
			kills++
		}
		if h.xdrIncident(a).RedirectIncidentID == "" && h.xdrIncident(b).RedirectIncidentID == "" {
			h.run("incident", "merge", a, b)
		}
	}
	return kills
}

// outcome reads what is left over the APIs: every incident, and count and
// content of every table but the two that are projections in part.
func (h *house) outcome() outcome {
	h.t.Helper()
	out := outcome{Incidents: map[string]string{}, Rows: map[string]string{}}
	for id, i := range h.xdrIncidents(true) {
		out.Incidents[id] = fmt.Sprintf("%s %s %s → %s: %s", i.DisplayName, i.Status, i.Severity, i.RedirectIncidentID, strings.Join(i.alertIDs(), " "))
	}
	for _, s := range schema.Default().Streams() {
		tb, _ := schema.Default().Table(schema.XDR, s.Table)
		var columns []string
		for _, c := range tb.Columns {
			columns = append(columns, c.Name)
		}
		if s.Table == "AlertInfo" || s.Table == "AlertEvidence" {
			ids := map[string]bool{}
			for _, r := range h.rows("xdr", s.Table+" | distinct AlertId") {
				ids[r[0]] = true
			}
			list := keys(ids)
			sort.Strings(list)
			out.Rows[s.Table] = strings.Join(list, " ")
			continue
		}
		n, sum := h.content("xdr", s.Table, columns)
		m, _ := h.content("workspace", s.Table, common(s.Table))
		out.Rows[s.Table] = fmt.Sprintf("%d rows %x, %d in the workspace", n, sum, m)
	}
	return out
}
