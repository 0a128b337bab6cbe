package chaos

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// stamps are the members that hold times of change.
var stamps = map[string]bool{
	"createdDateTime": true, "lastUpdateDateTime": true, "createdTimeUtc": true, "lastModifiedTimeUtc": true,
}

// optional are members that the documents allow to be missing; one of them that
// is null or empty is left out by Drift.
var optional = map[string]bool{
	"redirectIncidentId": true, "description": true, "summary": true, "resolvingComment": true, "assignedTo": true, "tenantId": true,
	"systemTags": true, "customTags": true, "comments": true, "lastModifiedBy": true, "detectorId": true, "productName": true, "actorDisplayName": true,
	"threatDisplayName": true, "threatFamilyName": true, "recommendedActions": true, "resolvedDateTime": true, "mitreTechniques": true,
	"alertPolicyId": true, "additionalData": true, "customDetails": true, "relatedAnalyticRuleIds": true,
}

// rewrite changes the JSON of an answer by the faults that are about it.
func (d *Door) rewrite(got *recorder) {
	reader := json.NewDecoder(bytes.NewReader(got.body.Bytes()))
	reader.UseNumber()
	var body any
	if reader.Decode(&body) != nil {
		return
	}
	var made []string
	for _, one := range []struct {
		fault  Fault
		change func(map[string]any) bool
	}{{Ties, round}, {Bare, strip}, {Drift, drift}} {
		if d.can(one.fault) && each(body, one.change) {
			d.counts.Faults[one.fault]++
			made = append(made, string(one.fault))
		}
	}
	if len(made) == 0 {
		return
	}
	got.body.Reset()
	w := json.NewEncoder(&got.body)
	w.SetEscapeHTML(false)
	if err := w.Encode(body); err != nil {
		panic(err) // it was JSON a moment ago
	}
	got.header.Set(header, strings.Join(made, ", "))
}

// each calls change for every object in a value, the inner ones first, and
// tells whether one was changed.
func each(value any, change func(map[string]any) bool) (changed bool) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			changed = each(one, change) || changed
		}
	case map[string]any:
		for _, one := range v {
			changed = each(one, change) || changed
		}
		changed = change(v) || changed
	}
	return changed
}

// round cuts the fractions of stamps.
func round(o map[string]any) (changed bool) {
	for name, value := range o {
		text, ok := value.(string)
		if !ok || !stamps[name] {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			o[name] = at.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05Z")
			changed = true
		}
	}
	return changed
}

// strip takes the alerts off an incident that was merged into another.
func strip(o map[string]any) bool {
	_, has := o["alerts"]
	if o["status"] != "redirected" || !has {
		return false
	}
	delete(o, "alerts")
	return true
}

// drift adds members that nobody knows and leaves out what is null or empty.
func drift(o map[string]any) bool {
	_, resource := o["id"]
	if !resource {
		return false
	}
	for name, value := range o {
		list, isList := value.([]any)
		if optional[name] && (value == nil || isList && len(list) == 0) {
			delete(o, name)
		}
	}
	o["futureProperty"] = map[string]any{"level": json.Number("3"), "notes": []any{"new", nil}}
	o["futureFlag"] = true
	if evidence, ok := o["evidence"].([]any); ok {
		o["evidence"] = append(evidence, map[string]any{"@odata.type": "#microsoft.graph.security.quantumEvidence", "spin": "up"})
	}
	return true
}
