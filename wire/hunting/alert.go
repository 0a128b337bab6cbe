package hunting

import (
	"encoding/json"
	"strconv"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/wire/logs"
	"lockstep/wire/shape"
)

// Row is a row of a hunting table: values by column.
type Row map[string]any

// Text gives a column's value as text, "" for null.
func (r Row) Text(name string) string {
	switch v := r[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case nil:
		return ""
	default:
		text, err := shape.JSON(v)
		if err != nil {
			return ""
		}
		return text
	}
}

// ParseRow reads a row; one inside an Event Hub record is its properties.
func ParseRow(text []byte) (Row, error) {
	row, err := shape.Object(text)
	if err != nil {
		return nil, err
	}
	if inner, ok := row["properties"].(map[string]any); ok && row["category"] != nil {
		return inner, nil
	}
	return row, nil
}

// Bundle is an alert as the hunting tables hold it: its AlertInfo row, nil
// when only evidence is at hand, and its AlertEvidence rows.
type Bundle struct {
	Info     Row
	Evidence []Row
}

// Group puts rows of AlertInfo and AlertEvidence together by AlertId, in the
// order in which the ids first appear. Rows without one are given back.
func Group(rows []Row) (bundles []Bundle, stray []Row) {
	at := map[string]int{}
	for _, row := range rows {
		id := row.Text("AlertId")
		if id == "" {
			stray = append(stray, row)
			continue
		}
		i, ok := at[id]
		if !ok {
			i = len(bundles)
			at[id], bundles = i, append(bundles, Bundle{})
		}
		if row.Text("EntityType") != "" {
			bundles[i].Evidence = append(bundles[i].Evidence, row)
		} else {
			bundles[i].Info = row
		}
	}
	return bundles, stray
}

// DecodeAlert reads a bundle: intake shape alertinfo. A bundle without any
// row, or a time that isn't one, is a fault of kind Invalid.
func DecodeAlert(b Bundle) (security.Alert, error) {
	head := b.Info
	if head == nil {
		if len(b.Evidence) == 0 {
			return security.Alert{}, fault.New(fault.Invalid, "neither an AlertInfo nor an AlertEvidence row")
		}
		head = b.Evidence[0]
	}
	a := security.Alert{
		ID: head.Text("AlertId"), Title: head.Text("Title"), Category: head.Text("Category"),
		Severity: security.ParseSeverity(head.Text("Severity")), Techniques: security.ParseTechniques(head.Text("AttackTechniques")),
		DetectionSource: security.DetectionSource(head.Text("DetectionSource")), ServiceSource: head.Text("ServiceSource"),
	}
	if a.Category == "" {
		if list := strings.Trim(head.Text("Categories"), `[]"`); list != "" {
			a.Category, _, _ = strings.Cut(list, `"`)
		}
	}
	if p, ok := security.ProductNamed(a.ServiceSource); ok {
		a.ServiceSource = p.ServiceSource
		a.ProviderID = security.OwnID(p, a.ID)
	}
	if err := a.Created.UnmarshalText([]byte(either(head.Text("Timestamp"), head.Text("TimeGenerated")))); err != nil {
		return a, fault.At("Timestamp", "%w", err)
	}
	for n, row := range b.Evidence {
		ev, err := readEvidence(row)
		if err != nil {
			return a, fault.New(fault.Invalid, "evidence %d: %w", n, err)
		}
		a.ThreatFamily = either(a.ThreatFamily, row.Text("ThreatFamily"))
		a.Evidence = append(a.Evidence, ev)
	}
	a.Complete()
	return a, nil
}

// InfoRow lays an alert out as its AlertInfo row.
func InfoRow(a security.Alert) Row {
	return Row{
		"Timestamp": stamp(a), "AlertId": a.ID, "Title": a.Title, "Category": a.Category, "Severity": a.Severity.Title(),
		"ServiceSource": service(a), "DetectionSource": detection(a), "AttackTechniques": techniqueTexts(a.Techniques),
	}
}

// EvidenceRows lays an alert's evidence out as AlertEvidence rows, one per
// thing named (evidence that names nothing, or the same row, is left out).
func EvidenceRows(a security.Alert) ([]Row, error) {
	var out []Row
	seen := map[string]bool{}
	for n, ev := range a.Evidence {
		row, err := writeEvidence(ev)
		if err != nil {
			return nil, fault.New(fault.Internal, "lay out evidence %d of alert %s: %w", n, a.ID, err)
		}
		if row == nil {
			continue
		}
		row["Timestamp"], row["AlertId"], row["Title"] = stamp(a), a.ID, a.Title
		row["Categories"] = texts([]string{a.Category})
		row["AttackTechniques"] = techniqueTexts(a.Techniques)
		row["ServiceSource"], row["DetectionSource"], row["Severity"] = service(a), detection(a), a.Severity.Title()
		row["ThreatFamily"] = a.ThreatFamily
		if key := EvidenceKey(row); !seen[key] {
			seen[key] = true
			out = append(out, row)
		}
	}
	return out, nil
}

// EvidenceKey is by what an AlertEvidence row is known again, as the schema's
// key of the table says it, ignoring case.
func EvidenceKey(row Row) string {
	var b strings.Builder
	table, ok := schema.Default().Table(schema.XDR, "AlertEvidence")
	if !ok {
		return ""
	}
	for _, column := range table.Key {
		b.WriteString(strings.ToLower(row.Text(column)))
		b.WriteByte(0)
	}
	return b.String()
}

// stamp is an alert's Timestamp: recorded rows show its last activity.
func stamp(a security.Alert) string { return a.LastActivity.String() }

func service(a security.Alert) string {
	if p, ok := security.ProductOf(a.ServiceSource); ok {
		return p.Hunting
	}
	return a.ProductName
}

func detection(a security.Alert) string {
	if d, ok := security.DetectionNamed(a.DetectionSource); ok && d.Hunting != "" {
		return d.Hunting
	}
	return a.DetectionSource
}

// techniqueTexts is a list of techniques as the tables write it: names with
// their ids, as JSON text.
func techniqueTexts(ids []string) string {
	named := make([]string, len(ids))
	for i, id := range ids {
		named[i] = security.TechniqueText(id)
	}
	return texts(named)
}

// texts is a list of texts as JSON; "" for none.
func texts(list []string) string {
	var kept []string
	for _, t := range list {
		if t != "" {
			kept = append(kept, t)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	text, err := shape.JSON(kept)
	if err != nil {
		return ""
	}
	return text
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// additional is the entity whole, as AdditionalFields carries it.
func additional(ev security.Evidence) (string, error) {
	object := logs.WriteEntity(ev)
	if impacted(ev) {
		object["Role"] = 0
	} else {
		object["Role"] = 1
	}
	return shape.JSON(object)
}
