package acceptance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is what the server acknowledged of one incident, and what was sent.
// An edit without an acknowledgement may have been made or not.
type ledger struct {
	xdr, name, title string
	path             string   // of the workspace's incident
	sent             int      // edits; each has the next number
	owner            int      // number of the last owner acknowledged
	said             []string // comments acknowledged
}

// TestKilledWhileEdited edits both sides while the server is killed again and
// again: no acknowledged edit may be missing, and both sides must agree.
func TestKilledWhileEdited(t *testing.T) {
	kills, seed := 4, uint64(2)
	if d := long(); d > 0 {
		kills, seed = min(50, max(6, int(d/(16*time.Second)))), uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	h := start(t)
	ledgers := h.pairs(20)
	var longest time.Duration
	for range kills {
		h.editUntilKilled(ledgers, rng)
		h.serve()
		began := time.Now()
		h.settle()
		for _, wrong := range h.missing(ledgers) {
			t.Error(wrong)
		}
		longest = max(longest, time.Since(began))
		if t.Failed() {
			return
		}
	}
	edits := 0
	for _, l := range ledgers {
		edits += l.sent
	}
	t.Logf("did %d kills, %d edits, both sides compared and equal at most %s after the restart", kills, edits, longest.Round(time.Millisecond))
}

// pairs makes incidents that share nothing, and waits until they are on both sides.
func (h *house) pairs(n int) (all []*ledger) {
	h.t.Helper()
	var alerts []alert
	for i := range n {
		alerts = append(alerts, alert{fmt.Sprintf("da-pair-%d", i), fmt.Sprintf("Detection of pair %d", i), "medium", fmt.Sprintf("pc-pair-%d", i), "", time.Now()})
	}
	h.send(alerts...)
	h.settle()
	for id, i := range h.wsIncidents() {
		all = append(all, &ledger{xdr: id, name: i.Name, title: i.Properties.Title, path: i.ID})
	}
	h.token(toGraph) // while there is somebody to ask
	if len(all) != n {
		h.t.Fatalf("%d alerts without anything in common came to %d incidents in the workspace", n, len(all))
	}
	slices.SortFunc(all, func(a, b *ledger) int { return strings.Compare(a.xdr, b.xdr) })
	return all
}

// editUntilKilled has four editors at work, each on incidents of its own, and
// kills the server at a drawn moment.
func (h *house) editUntilKilled(all []*ledger, rng *rand.Rand) {
	h.t.Helper()
	const editors = 4
	var work sync.WaitGroup
	for n := range editors {
		draw := rand.New(rand.NewPCG(rng.Uint64(), 0))
		work.Go(func() {
			for h.editOne(all[n+editors*draw.IntN(len(all)/editors)], draw) {
			}
		})
	}
	dead := make(chan struct{})
	time.AfterFunc(time.Duration(20+rng.IntN(600))*time.Millisecond, func() { // how far the server gets is drawn, not waited for
		h.kill()
		close(dead)
	})
	<-dead
	work.Wait()
}

// editOne makes one edit. It gives false once the server doesn't answer.
func (h *house) editOne(l *ledger, draw *rand.Rand) bool {
	l.sent++
	text := fmt.Sprintf("edit %d", l.sent)
	ask := func(audience, method, path string, body any) bool {
		a, err := h.call(audience, method, path, body)
		if err == nil && a.status/100 != 2 && a.status != 412 && a.status != 409 {
			h.t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		}
		return err == nil && a.status/100 == 2
	}
	switch draw.IntN(4) {
	case 0:
		if !ask(toGraph, "PATCH", "/v1.0/security/incidents/"+l.xdr, map[string]any{"assignedTo": ownerOf(l.sent)}) {
			return false
		}
		l.owner = l.sent
	case 1:
		body := map[string]any{"properties": map[string]any{"title": l.title, "severity": "Medium", "status": "New", "owner": map[string]any{"userPrincipalName": ownerOf(l.sent)}}}
		if !ask(toARM, "PUT", l.path+"?"+armVersion, body) {
			return false
		}
		l.owner = l.sent
	case 2:
		if !ask(toGraph, "POST", "/v1.0/security/incidents/"+l.xdr+"/comments", map[string]any{"@odata.type": "microsoft.graph.security.alertComment", "comment": text}) {
			return false
		}
		l.said = append(l.said, text)
	default:
		id := fmt.Sprintf("00000000-0000-4000-8000-%06d%06d", l.sent, draw.IntN(1_000_000))
		if !ask(toARM, "PUT", l.path+"/comments/"+id+"?"+armVersion, map[string]any{"properties": map[string]any{"message": text}}) {
			return false
		}
		l.said = append(l.said, text)
	}
	return true
}

func ownerOf(n int) string { return fmt.Sprintf("analyst%d@tailwind.example", n) }

// missing says which acknowledged edits aren't on both sides, and where these differ.
func (h *house) missing(all []*ledger) (wrong []string) {
	h.t.Helper()
	xdr, work := h.xdrIncidents(false), h.wsIncidents()
	for _, l := range all {
		x, w := xdr[l.xdr], work[l.xdr]
		n := 0
		_, _ = fmt.Sscanf(x.AssignedTo, "analyst%d@", &n)
		if x.AssignedTo != w.owner() || n < l.owner || n > l.sent {
			wrong = append(wrong, fmt.Sprintf("incident %s belongs to %q on the XDR and %q in the workspace; the last owner acknowledged is %q", l.xdr, x.AssignedTo, w.owner(), ownerOf(l.owner)))
		}
		onXDR, inWork := map[string]int{}, map[string]int{}
		for _, c := range x.Comments {
			onXDR[c.Comment]++
		}
		for _, text := range h.comments(w.Name) {
			inWork[text]++
		}
		if !maps.Equal(onXDR, inWork) {
			wrong = append(wrong, fmt.Sprintf("incident %s has the comments %v on the XDR and %v in the workspace", l.xdr, onXDR, inWork))
		}
		for _, text := range l.said {
			if onXDR[text] != 1 {
				wrong = append(wrong, fmt.Sprintf("incident %s: the comment %q was acknowledged and is there %d times", l.xdr, text, onXDR[text]))
			}
		}
	}
	return wrong
}
