package xdr_test

import (
	"slices"
	"strings"
	"testing"

	"lockstep/connector/port"
	"lockstep/fault"
	"lockstep/schema"
	"lockstep/security"
	"lockstep/xdr"
)

func TestUpdateIsOneVersionOneEntryAndALineAField(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	feed := len(s.feed())
	s.now += schema.Minute
	inc := s.update(id, xdr.Patch{
		Status: ptr(xdr.Status("INPROGRESS")), Classification: ptr("TruePositive"), Determination: ptr("compromisedUser"),
		AssignedTo: ptr("Ana"), Severity: ptr(security.Severity("HIGH")), AddTags: []string{"pilot"},
	}, ben)
	if inc.Version != 2 || inc.Updated != s.now || inc.LastModifier != ben || inc.Status != xdr.InProgress || inc.Classification != "truePositive" ||
		inc.Determination != "compromisedAccount" || inc.Owner.UPN != "ana@lab.example" || inc.Severity != security.High || !inc.SeverityByHand {
		t.Errorf("incident %+v", inc)
	}
	want := []string{"severityChanged", "ownerChanged", "statusChanged", "classificationChanged", "determinationChanged", "tagsChanged"}
	if got := s.deeds(id, 2); !slices.Equal(got, want) {
		t.Errorf("deeds %v, want %v", got, want)
	}
	entries := s.feed()[feed:]
	if n := len(slices.DeleteFunc(entries, func(c xdr.Change) bool { return c.Kind != xdr.KindIncident })); n != 1 {
		t.Errorf("%d entries of the incident", n)
	}
	if again := s.update(id, xdr.Patch{Status: ptr(xdr.InProgress), AssignedTo: ptr("ana@lab.example"), AddTags: []string{"PILOT"}}, ana); again.Version != 2 || again.LastModifier != ben {
		t.Errorf("nothing new made %+v", again)
	}
}

func TestUpdateRefuses(t *testing.T) {
	long := strings.Repeat("x", 30_001)
	for name, test := range map[string]struct {
		patch xdr.Patch
		says  string
	}{
		"redirected":          {xdr.Patch{Status: ptr(xdr.Redirected)}, "merge"},
		"status":              {xdr.Patch{Status: ptr(xdr.Status("Closed"))}, "active, inProgress, awaitingAction, resolved"},
		"classification":      {xdr.Patch{Classification: ptr("maybe")}, "truePositive"},
		"determination alone": {xdr.Patch{Determination: ptr("malware")}, "needs a classification"},
		"determination":       {xdr.Patch{Classification: ptr("falsePositive"), Determination: ptr("malware")}, "notMalicious, notEnoughDataToValidate, other"},
		"severity":            {xdr.Patch{Severity: ptr(security.SeverityUnknown)}, "informational, low, medium, high"},
		"comment":             {xdr.Patch{AddComments: []security.Comment{{Text: long}}}, "30000"},
		"empty comment":       {xdr.Patch{AddComments: []security.Comment{{Text: " \n"}}}, "empty"},
		"resolving comment":   {xdr.Patch{ResolvingComment: &long}, "30000"},
		"description":         {xdr.Patch{Description: &long}, "5000"},
		"name":                {xdr.Patch{DisplayName: &long}, "1000"},
		"tag":                 {xdr.Patch{AddTags: []string{long}}, "256"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSide(t)
			id := s.one(alert("da1", 0, "host/pc1"))
			test.patch.AssignedTo = ptr("Ana") // must not be kept either
			_, err := s.Update(ctx, id, test.patch, ana, 0)
			kindOf(t, err, fault.Invalid)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v doesn't say %q", err, test.says)
			}
			if inc := s.incident(id); inc.Version != 1 || !inc.Owner.IsZero() {
				t.Errorf("incident %+v", inc)
			}
		})
	}
}

func TestUpdateOfAVersionThatPassed(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	if _, err := s.Update(ctx, id, xdr.Patch{AssignedTo: ptr("Ana")}, ana, 1); err != nil {
		t.Fatal(err)
	}
	_, err := s.Update(ctx, id, xdr.Patch{AssignedTo: ptr("Ben")}, ben, 1)
	kindOf(t, err, fault.Conflict)
	for _, unknown := range []string{"99", "", "01", "-1", "x"} {
		_, err = s.Update(ctx, unknown, xdr.Patch{}, ana, 0)
		kindOf(t, err, fault.NotFound)
	}
}

func TestResolvingTakesOpenAlertsAlongAndAssigningAll(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	s.one(alert("da2", 1, "host/pc1"))
	if _, err := s.UpdateAlert(ctx, "da2", xdr.AlertPatch{Status: ptr(security.AlertResolved)}, ben); err != nil {
		t.Fatal(err)
	}
	s.update(id, xdr.Patch{AssignedTo: ptr("ana@lab.example"), Status: ptr(xdr.Resolved), Classification: ptr("truePositive"), Determination: ptr("malware")}, ana)
	one, _ := s.Alert(ctx, "da1")
	if one.Status != security.AlertResolved || one.Classification != "truePositive" || one.Determination != "malware" || one.AssignedTo != "ana@lab.example" || one.Version != 2 || one.Resolved != s.now {
		t.Errorf("the open alert %+v", one)
	}
	two, _ := s.Alert(ctx, "da2")
	if two.Classification != "unknown" || two.AssignedTo != "ana@lab.example" || two.Version != 3 {
		t.Errorf("the resolved alert %+v", two)
	}
	if err := s.check(2); err != nil {
		t.Error(err)
	}
}

func TestAnAlertsChangeIsAVersionOfItsIncident(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	s.now += schema.Minute
	patch := xdr.AlertPatch{Status: ptr(security.AlertStatus("InProgress")), Classification: ptr("truePositive"), Determination: ptr("malware")}
	for range 2 {
		a, err := s.UpdateAlert(ctx, "da1", patch, ana)
		if err != nil || a.Version != 2 || a.Status != security.AlertInProgress || a.Updated != s.now {
			t.Errorf("alert %+v, %v", a, err)
		}
		if inc := s.incident(id); inc.Version != 2 || inc.Updated != s.now || inc.LastModifier != ana {
			t.Errorf("incident %+v", inc)
		}
	}
	if deeds := s.deeds(id, 2); !slices.Equal(deeds, []string{"alertStatusChanged", "alertClassificationChanged", "alertDeterminationChanged"}) {
		t.Errorf("deeds %v", deeds)
	}
	for _, bad := range []xdr.AlertPatch{{Status: ptr(security.AlertStatus("unknown"))}, {Classification: ptr("falsePositive"), Determination: ptr("malware")}} {
		_, err := s.UpdateAlert(ctx, "da1", bad, ana)
		kindOf(t, err, fault.Invalid)
	}
	_, err := s.UpdateAlert(ctx, "da9", patch, ana)
	kindOf(t, err, fault.NotFound)
}

func TestReopeningClearsTheClosingReason(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	inc := s.update(id, xdr.Patch{Status: ptr(xdr.Resolved), Classification: ptr("falsePositive"), Determination: ptr("clean"), ResolvingComment: ptr("test host")}, ana)
	if inc.ResolvedAt != s.now || inc.Determination != "notMalicious" {
		t.Errorf("resolved %+v", inc)
	}
	inc = s.update(id, xdr.Patch{Status: ptr(xdr.Active)}, ana)
	if inc.Classification != "unknown" || inc.Determination != "unknown" || inc.ResolvingComment != "" || inc.ResolvedAt != 0 {
		t.Errorf("reopened %+v", inc)
	}
}

func TestANewClassificationDropsADeterminationThatDoesNotFit(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	s.update(id, xdr.Patch{Classification: ptr("truePositive"), Determination: ptr("malware")}, ana)
	if inc := s.update(id, xdr.Patch{Classification: ptr("informationalExpectedActivity")}, ana); inc.Determination != "unknown" {
		t.Errorf("determination %s", inc.Determination)
	}
}

func TestSeverityByHandStaysUntilAHigherAlertArrives(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	s.update(id, xdr.Patch{Severity: ptr(security.Low)}, ana)
	low := alert("da2", 1, "host/pc1")
	low.Severity = security.Low
	s.one(low)
	if inc := s.incident(id); inc.Severity != security.Low || !inc.SeverityByHand {
		t.Errorf("after a low alert: %s", inc.Severity)
	}
	high := alert("da3", 2, "host/pc1")
	high.Severity = security.High
	s.one(high)
	if inc := s.incident(id); inc.Severity != security.High || inc.SeverityByHand {
		t.Errorf("after a high alert: %s", inc.Severity)
	}
}

func TestANameByHandSurvivesGrowth(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	s.update(id, xdr.Patch{DisplayName: ptr("Mine")}, ana)
	s.one(alert("da2", 1, "host/pc1"))
	if inc := s.incident(id); inc.DisplayName != "Mine" {
		t.Errorf("name %q", inc.DisplayName)
	}
	if inc := s.update(id, xdr.Patch{DisplayName: ptr("")}, ana); inc.DisplayName != "Execution incident on one endpoint" || inc.DisplayNameByHand {
		t.Errorf("name given back: %q", inc.DisplayName)
	}
}

func TestTagsIgnoreCase(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	inc := s.update(id, xdr.Patch{CustomTags: &[]string{"Pilot", "pilot", " VIP "}, AddTags: []string{"PILOT", "new"}}, ana)
	if !slices.Equal(inc.CustomTags, []string{"Pilot", "VIP", "new"}) {
		t.Errorf("tags %q", inc.CustomTags)
	}
	inc = s.update(id, xdr.Patch{RemoveTags: []string{"vip"}}, ana)
	if !slices.Equal(inc.CustomTags, []string{"Pilot", "new"}) {
		t.Errorf("tags %q", inc.CustomTags)
	}
}

func TestAnUnknownOwnerIsKeptAsWritten(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	if inc := s.update(id, xdr.Patch{AssignedTo: ptr("someone@else.example")}, ana); inc.Owner != (security.Owner{AssignedTo: "someone@else.example"}) {
		t.Errorf("owner %+v", inc.Owner)
	}
	if inc := s.update(id, xdr.Patch{AssignedTo: ptr("")}, ana); !inc.Owner.IsZero() {
		t.Errorf("owner %+v", inc.Owner)
	}
	if a, _ := s.Alert(ctx, "da1"); a.AssignedTo != "" {
		t.Errorf("alert still assigned to %q", a.AssignedTo)
	}
}

func TestCommentsKeepTheirOrderAndAuthor(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	if _, err := s.Comment(ctx, id, "first", ana); err != nil {
		t.Fatal(err)
	}
	s.now += schema.Minute
	list, err := s.Comment(ctx, id, "second", ben)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Text != "first" || list[1].Author != ben || list[1].Created != s.now || list[0].ID == list[1].ID || list[0].ID == "" {
		t.Errorf("comments %+v", list)
	}
	if inc := s.incident(id); inc.Version != 3 {
		t.Errorf("version %d", inc.Version)
	}
	if list, err := s.CommentAlert(ctx, "da1", "on the alert", ana); err != nil || len(list) != 1 || list[0].ID == "" {
		t.Errorf("alert comments %+v, %v", list, err)
	}
}

func TestListsPageStablyWhileTheSideGrows(t *testing.T) {
	s := newSide(t)
	for i := range 10 {
		s.one(alert(numbered("da", i), i%3, numbered("host/pc", i)))
	}
	var ids, alertIDs []string
	sel, asel := xdr.Selection[xdr.Incident]{Limit: 3}, xdr.Selection[security.Alert]{Limit: 3}
	for round := 0; ; round++ {
		page, err := s.Incidents(ctx, sel)
		if err != nil {
			t.Fatal(err)
		}
		for _, inc := range page.Items {
			ids = append(ids, inc.ID)
		}
		if sel.Before = page.Next; page.Next == "" {
			break
		}
		apage, err := s.Alerts(ctx, asel)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range apage.Items {
			alertIDs = append(alertIDs, a.ID)
		}
		asel.Before = apage.Next
		s.one(alert(numbered("later", round), 100+round, numbered("host/x", round)))
		s.update("1", xdr.Patch{AddTags: []string{numbered("t", round)}}, ana)
	}
	if want := []string{"10", "9", "8", "7", "6", "5", "4", "3", "2", "1"}; !slices.Equal(ids, want) {
		t.Errorf("incidents %v", ids)
	}
	if want := []string{"da8", "da5", "da2", "da7", "da4", "da1", "da9", "da6", "da3"}; !slices.Equal(alertIDs, want) {
		t.Errorf("alerts %v", alertIDs)
	}
	page, _ := s.Incidents(ctx, xdr.Selection[xdr.Incident]{
		Match: func(i xdr.Incident) bool { return len(i.ID) == 1 }, Less: func(a, b xdr.Incident) bool { return a.ID < b.ID }, Skip: 2, Limit: 2})
	if page.Total != 9 || len(page.Items) != 2 || page.Items[0].ID != "3" {
		t.Errorf("page %+v", page)
	}
	if page, _ := s.Incidents(ctx, xdr.Selection[xdr.Incident]{Limit: 1, Skip: 1, Count: true}); page.Total != 13 || page.Items[0].ID != "12" || page.Next != "12" {
		t.Errorf("page %+v", page)
	}
}

func TestStampsSayWhoSetAFieldLast(t *testing.T) {
	s := newSide(t)
	id := s.one(alert("da1", 0, "host/pc1"))
	s.update(id, xdr.Patch{AssignedTo: ptr("Ana")}, ana)
	s.now += schema.Minute
	s.update(id, xdr.Patch{Status: ptr(xdr.InProgress)}, ben)
	got, err := s.End().Incident(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if got.Stamps[port.FieldOwner] != (port.Stamp{Actor: ana, At: epoch}) || got.Stamps[port.FieldResolution] != (port.Stamp{Actor: ben, At: s.now}) {
		t.Errorf("stamps %+v", got.Stamps)
	}
}
