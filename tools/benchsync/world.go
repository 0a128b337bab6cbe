package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pause is between two looks at the other side.
const pause = time.Millisecond

// The sides on which edits are made.
const (
	onXDR       = "xdr"
	onWorkspace = "workspace"
)

// world is the incidents of both sides.
type world struct {
	*server
	made  int
	last  atomic.Int64 // number of the last owner
	pairs []pair
}

// pair is an incident of the XDR and its parallel one.
type pair struct {
	xdr, name, title, severity string

	turn *sync.Mutex // whoever edits it: one edit is sent after the one before was acknowledged
}

// edit is one change: the owner gets a name that counts up.
type edit struct {
	side   string
	owner  int
	pair   int
	took   time.Duration // from the acknowledgement until the other side had it, or a later one
	failed error
}

func latencies(edits []edit, side string) (out []time.Duration) {
	for _, e := range edits {
		if side == "" || e.side == side {
			out = append(out, e.took)
		}
	}
	return out
}

// grow sends alerts of which each makes an incident, and gives how long after
// the acknowledgement the workspace had each of them.
func (w *world) grow(ctx context.Context, n int) ([]time.Duration, error) {
	var lines []string
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for i := range n {
		id := fmt.Sprintf("dabench%d", w.made+i)
		text, err := json.Marshal(map[string]any{
			"@odata.type": "#microsoft.graph.security.alert", "id": id, "title": "Detection " + id, "severity": "medium", "status": "new", "category": "Execution",
			"serviceSource": "microsoftDefenderForEndpoint", "detectionSource": "microsoftDefenderForEndpoint",
			"createdDateTime": now, "lastUpdateDateTime": now, "firstActivityDateTime": now, "lastActivityDateTime": now,
			"evidence": []any{map[string]any{"@odata.type": "#microsoft.graph.security.deviceEvidence", "createdDateTime": now, "verdict": "suspicious",
				"mdeDeviceId": fmt.Sprintf("%040x", id), "deviceDnsName": id + ".bench.example", "hostName": id}},
		})
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(text))
	}
	before := w.made
	var receipt struct{ Accepted int }
	if err := w.call(ctx, toIngest, "POST", "/ingest/v1/alerts?shape=graph", strings.Join(lines, "\n"), &receipt); err != nil {
		return nil, err
	}
	acknowledged := time.Now()
	if receipt.Accepted != n {
		return nil, fmt.Errorf("%d of %d alerts were accepted", receipt.Accepted, n)
	}
	w.made += n
	took := make([]time.Duration, 0, n)
	for len(took) < n {
		if time.Since(acknowledged) > 5*time.Minute {
			return nil, fmt.Errorf("%d of %d new incidents aren't in the workspace after five minutes", n-len(took), n)
		}
		var page struct {
			Value []struct{ Properties struct{ IncidentNumber int } }
		}
		if err := w.call(ctx, toARM, "GET", w.insights("incidents?$top=1&$orderby=properties/incidentNumber%20desc"), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Value) > 0 {
			for len(took) < page.Value[0].Properties.IncidentNumber-before {
				took = append(took, time.Since(acknowledged))
			}
		}
		if err := wait(ctx, 5*pause); err != nil {
			return nil, err
		}
	}
	return took, nil
}

// learn reads which incidents are parallel.
func (w *world) learn(ctx context.Context) error {
	for next := w.insights("incidents?$top=200"); next != ""; {
		var page struct {
			Value []struct {
				Name       string
				Properties struct{ Title, Severity, ProviderIncidentID string }
			}
			NextLink string
		}
		if err := w.call(ctx, toARM, "GET", next, nil, &page); err != nil {
			return err
		}
		for _, i := range page.Value {
			w.pairs = append(w.pairs, pair{i.Properties.ProviderIncidentID, i.Name, i.Properties.Title, i.Properties.Severity, new(sync.Mutex)})
		}
		next = page.NextLink
	}
	if len(w.pairs) != w.made {
		return fmt.Errorf("the workspace has %d incidents of %d", len(w.pairs), w.made)
	}
	return nil
}

// edit changes owners at a rate, on both sides by turns.
func (w *world) edit(ctx context.Context, rate int, long time.Duration) ([]edit, error) {
	edits := make([]edit, int(long.Seconds()*float64(rate)))
	var all sync.WaitGroup
	began := time.Now()
	for n := range edits {
		e := &edits[n]
		*e = edit{side: []string{onXDR, onWorkspace}[n%2], pair: 10 + n%(len(w.pairs)-10)}
		if n/2%5 == 0 {
			e.pair = n / 10 % 10
			if w.xdr != nil {
				// Each side has its own: who edits isn't known of a remote XDR, counts as a
				// person and beats this application, so that its edit may never cross.
				e.pair = e.pair/2*2 + n%2
			}
		}
		if err := wait(ctx, time.Until(began.Add(time.Duration(n)*time.Second/time.Duration(rate)))); err != nil {
			return nil, err
		}
		all.Go(func() { e.failed = w.make(ctx, e) })
	}
	all.Wait()
	for _, e := range edits {
		if e.failed != nil {
			return nil, e.failed
		}
	}
	return edits, nil
}

func ownerOf(n int) string { return fmt.Sprintf("analyst%d@bench.example", n) }

// numberOf reads an owner's number, 0 if it has none.
func numberOf(owner string) (n int) {
	_, _ = fmt.Sscanf(owner, "analyst%d@", &n)
	return n
}

// make makes one edit and waits until the other side has it.
func (w *world) make(ctx context.Context, e *edit) error {
	p := w.pairs[e.pair]
	p.turn.Lock()
	e.owner = int(w.last.Add(1))
	owner := ownerOf(e.owner)
	err := w.send(ctx, e.side, p, owner)
	p.turn.Unlock()
	if err != nil {
		return err
	}
	acknowledged := time.Now()
	for {
		shown, err := w.shown(ctx, e.side, p)
		if err != nil {
			return err
		}
		if e.took = time.Since(acknowledged); numberOf(shown) >= e.owner {
			return nil
		}
		if e.took > time.Minute {
			story, _ := w.run("sync", "explain", p.xdr)
			return fmt.Errorf("incident %s: %s, set on the %s, isn't on the other side after a minute; it shows %q\n%s", p.xdr, owner, e.side, shown, story)
		}
		if err := wait(ctx, max(pause, e.took/20)); err != nil { // whoever waits long asks less often
			return err
		}
	}
}

// send sends an edit as a client of that side does.
func (w *world) send(ctx context.Context, side string, p pair, owner string) error {
	if side == onXDR {
		return w.call(ctx, toGraph, "PATCH", "/v1.0/security/incidents/"+p.xdr, map[string]any{"assignedTo": owner}, nil)
	}
	return w.call(ctx, toARM, "PUT", w.insights("incidents/"+p.name), map[string]any{"properties": map[string]any{
		"title": p.title, "severity": p.severity, "status": "New", "owner": map[string]any{"userPrincipalName": owner}}}, nil)
}

// shown is the owner that the side opposite to an edit shows.
func (w *world) shown(ctx context.Context, side string, p pair) (string, error) {
	if side == onWorkspace {
		var i struct{ AssignedTo string }
		err := w.call(ctx, toGraph, "GET", "/v1.0/security/incidents/"+p.xdr, nil, &i)
		return i.AssignedTo, err
	}
	var i struct {
		Properties struct {
			Owner struct{ UserPrincipalName, Email, AssignedTo string }
		}
	}
	err := w.call(ctx, toARM, "GET", w.insights("incidents/"+p.name), nil, &i)
	o := i.Properties.Owner
	return cmp.Or(o.UserPrincipalName, o.Email, o.AssignedTo), err
}

// missing counts the edits that the workspace's history has no row of.
func (w *world) missing(ctx context.Context, edits []edit) (int, error) {
	if _, err := w.run("sync", "wait"); err != nil {
		return 0, err
	}
	var got struct {
		Tables []struct{ Rows [][]any }
	}
	query := "SecurityIncident | distinct coalesce(tostring(Owner.userPrincipalName), tostring(Owner.email), tostring(Owner.assignedTo))"
	if err := w.call(ctx, toLogs, "POST", "/v1/workspaces/"+w.id+"/query", map[string]string{"query": query}, &got); err != nil {
		return 0, err
	}
	have := map[string]bool{}
	for _, r := range got.Tables[0].Rows {
		have[fmt.Sprint(r[0])] = true
	}
	missing := 0
	for _, e := range edits {
		if !have[ownerOf(e.owner)] {
			missing++
		}
	}
	return missing, nil
}

// wait waits, unless the context ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
