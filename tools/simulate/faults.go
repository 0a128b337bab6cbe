package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// planted is a fault in the shipped code: texts that are replaced when the
// program is compiled. The simulation must find it.
type planted struct {
	name, what string
	changes    []change
}

// change replaces a text that stands once in a file.
type change struct{ file, old, new string }

// The files in which faults are planted.
const (
	agree     = "connector/agree.go"
	runner    = "connector/runner.go"
	queue     = "connector/queue.go"
	decide    = "connector/reconcile/reconcile.go"
	decision  = "connector/reconcile/decision.go"
	sets      = "connector/reconcile/sets.go"
	stamps    = "connector/reconcile/stamps.go"
	wordsGo   = "connector/reconcile/words.go"
	contentGo = "connector/reconcile/content.go"
	unmerge   = "xdr/unmerge.go"
)

// faults are the mistakes that integrations of this kind make (sync-failures),
// each as it would stand in our code.
var faults = []planted{
	{"base-not-stored", "what was agreed isn't remembered after a write", []change{
		{agree, "case Made, Found:\n\t\t\tl.Base = settled(l.Base, step.Settles)", "case Made, Found:"}}},
	{"base-before-write", "the new base is stored before the write, without an intent", []change{
		{agree, "if err := r.record(ctx, jobs...); err != nil || len(writing) == 0 {",
			"intents := map[*job]*intent{}\n\tfor _, j := range writing {\n\t\tfor _, s := range j.steps {\n\t\t\tj.l.Base = settled(j.l.Base, s.Settles)\n\t\t}\n\t\tintents[j], j.l.Intent = j.l.Intent, nil\n\t}\n" +
				"\terr := r.record(ctx, jobs...)\n\tfor j, i := range intents {\n\t\tj.l.Intent = i\n\t}\n\tif err != nil || len(writing) == 0 {"}}},
	{"lost-answer-not-asked", "a write whose answer was lost counts as never made", []change{
		{agree, "f.end.Applied(ctx, sent.WriteID)", `f.end.Applied(ctx, "none")`}}},
	{"refused-repeat-believed", "a refusal of a repeat counts as one of the first attempt", []change{
		{agree, "definite(err) && !j.unsure", "definite(err)"}}},
	{"no-base", "the last writer wins: nothing is compared with what was agreed", []change{
		{decide, "d.base = in.Base", "d.base = nil"}}},
	{"automation-beats-people", "people and automation are equals", []change{
		{decision, "return a.Kind != security.Automation && a.Kind != security.System", "return true"}}},
	{"xdr-always-wins", "a conflict is the XDR's, whoever set what when", []change{
		{decision, "\tcase w.At > x.At:\n\t\treturn Workspace, RuleLater\n", ""}}},
	{"hint-as-state", "a hint of one side is taken to say that the other is as agreed", []change{
		{agree, "s, err := r.see(ctx, l, now, depth)", "s, err := r.see(ctx, l, now, depth)\n\tif b, w := l.Base, s.w; err == nil && b != nil && w != nil && it.cause == CauseXDR {\n\t\tw.Resolution, w.Severity, w.Tags, w.Version = b.Resolution.Workspace, b.Severity, b.Tags, 0\n\t\tif b.Owner != nil {\n\t\t\tw.Owner = *b.Owner\n\t\t}\n\t\ts.plan = reconcile.Decide(r.inputOf(l, s.x, w))\n\t}"}}},
	{"comments-by-text", "comments are compared by their text", []change{
		{sets, "out[i] = c.ID", "out[i] = c.Text"}, {sets, "!known[strings.ToLower(c.ID)]", "!known[strings.ToLower(c.Text)]"}}},
	{"foreign-ids-believed", "comments are compared by ids that an end doesn't keep", []change{
		{wordsGo, "return !xdr.CommentIDs || !workspace.CommentIDs", "return false"}}},
	{"owner-cleared", "a write that doesn't speak of the owner clears it", []change{
		{contentGo, "w.Incident, w.Actor, w.At = incident, otherwise, d.in.Now", "w.Incident, w.Actor, w.At = incident, otherwise, d.in.Now\n\tif w.Owner == nil {\n\t\tw.Owner = &security.Owner{}\n\t}"}}},
	{"reason-left-behind", "status crosses without its closing reason", []change{
		{decision, "back := d.in.Dictionary.ToXDR(w, x, agreed)", "back := d.in.Dictionary.ToXDR(w, x, agreed)\n\t\tback.Classification, back.Reason = x.Classification, x.Reason"}}},
	{"watermark-after", "the feed is read on after the entry that follows the last one", []change{
		{runner, "r.changes(ctx, f, f.progress.read, f.window.size)", "r.changes(ctx, f, f.progress.read+1, f.window.size)"}}},
	{"position-ahead", "the stored position is what was read, not what was dealt with", []change{
		{queue, "return p.open[0].seq - 1", "return p.read"}}},
	{"page-edge", "the list of all goes on one after the last of each page", []change{
		{runner, "r.queue.add(id, laneResync, CauseResync, 0)", "if id != ids[len(ids)-1] {\n\t\t\tr.queue.add(id, laneResync, CauseResync, 0)\n\t\t}"}}},
	{"no-condition", "writes don't say against which version they were made", []change{
		{contentGo, "w.IfVersion = version", "w.IfVersion = 0 * version"}}},
	{"loser-hidden", "nobody is told of a value that gave way", []change{
		{stamps, "step.Write.Notes = append(step.Write.Notes,\n\t\t\tfmt.Sprintf(", "_ = append(step.Write.Notes,\n\t\t\tfmt.Sprintf("}}},
	{"target-later", "a merged incident is emptied before its target is brought up to date", []change{
		{agree, `if target == "" || l.Base`, `if target != "" || l.Base`}}},
	{"redirect-stays", "a redirect that goes away is not followed", []change{
		{decide, "in.XDR = canonical(in.XDR)", "if in.XDR = canonical(in.XDR); in.Base != nil && in.XDR.Content.Redirect == \"\" && in.Base.Redirect != \"\" {\n\t\tin.XDR.Content.Redirect, in.XDR.Resolution = in.Base.Redirect, in.Base.Resolution.XDR\n\t}"}}},
	{"carried-forgotten", "what was said on an incident while it was merged into another counts as had by it", []change{
		{sets, "d.carries.Carried = append(d.carries.Carried, c.ID)", "d.carries.Comments = append(d.carries.Comments, c.ID)"}}},
	{"parted-without-alerts", "an incident that is parted from another leaves its alerts there", []change{
		{unmerge, "source.AlertIDs, target.AlertIDs = k.Alerts, without(target.AlertIDs, k.Alerts...)", "source.AlertIDs = k.Alerts"}}},
	{"tags-come-back", "tags are united, whatever was removed", []change{
		{sets, "base = d.base.Tags", "base = nil"}}},
	{"future-believed", "a time later than now is believed", []change{
		{stamps, "st.At == 0 || st.At > receipt", "st.At == 0"}}},
	{"echo", "what our own writes change on the XDR counts as news from there", []change{
		{contentGo, "c.Alerts, c.Severity, c.Updated, c.LastModifier = nil, \"\", 0, security.Actor{}", "c.Alerts, c.Severity, c.LastModifier = nil, \"\", security.Actor{}"}}},
}

// plant writes the changed files into a folder and gives the overlay with
// which the go command compiles them. root is the module's folder.
func (f planted) plant(root, folder string) (overlay string, err error) {
	texts := map[string]string{}
	for _, c := range f.changes {
		text, ok := texts[c.file]
		if !ok {
			data, err := os.ReadFile(filepath.Join(root, c.file))
			if err != nil {
				return "", fmt.Errorf("plant %s: %w", f.name, err)
			}
			text = string(data)
		}
		if n := strings.Count(text, c.old); n != 1 {
			return "", fmt.Errorf("plant %s: %q stands %d times in %s, not once", f.name, c.old, n, c.file)
		}
		texts[c.file] = strings.Replace(text, c.old, c.new, 1)
	}
	replace := map[string]string{}
	for file, text := range texts {
		to := filepath.Join(folder, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("plant %s: %w", f.name, err)
		}
		replace[filepath.Join(root, file)] = to
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o600)
}
