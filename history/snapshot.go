package history

import (
	"fmt"
	"strconv"

	"lockstep/wire/logs"
	"lockstep/workspace"
)

// addSnapshot adds the row of one version of an incident or an alert.
func (s *Service) addSnapshot(w *writer, snap workspace.Snapshot) error {
	ws := snap.Workspace
	if i := snap.Incident; i != nil {
		row, err := logs.IncidentRow(s.incident(snap))
		if err != nil {
			return fmt.Errorf("incident %s version %d: %w", i.Name, snap.Version, err)
		}
		w.add("SecurityIncident", row)
	}
	if a := snap.Alert; a != nil {
		row, err := logs.AlertRow(*a, logs.Origin{
			TenantID: ws.ID, SubscriptionID: ws.SubscriptionID, ResourceGroup: ws.ResourceGroup, At: max(a.Created, a.Updated), AlertLink: s.AlertURL(a.ID),
		})
		if err != nil {
			return fmt.Errorf("alert %s version %d: %w", a.ID, snap.Version, err)
		}
		w.add("SecurityAlert", row)
	}
	return nil
}

// incident puts a snapshot into the words of the SecurityIncident table.
func (s *Service) incident(snap workspace.Snapshot) logs.Incident {
	i := snap.Incident
	out := logs.Incident{
		TenantID: snap.Workspace.ID, At: i.Modified, Name: i.Name, Number: i.Number, Title: i.Title, Description: i.Description,
		Severity: i.Severity, Status: string(i.Status), Classification: i.Classification, ClassificationReason: i.ClassificationReason,
		ClassificationComment: i.ClassificationComment, Owner: i.Owner, ProviderName: i.ProviderName, ProviderIncidentID: i.ProviderIncidentID,
		ProviderURL: i.ProviderURL, URL: s.Snapshots.URL(snap.Workspace, i.Name), FirstActivity: i.FirstActivity, LastActivity: i.LastActivity,
		FirstModified: i.FirstModified, Modified: i.Modified, Created: i.Created, Closed: i.ClosedAt, ModifiedBy: i.ModifiedBy.Name,
		AlertIDs: i.AlertIDs, RuleIDs: i.RuleIDs, Comments: snap.Comments, Products: i.Products, Tactics: i.Tactics, Techniques: i.Techniques,
		MergedURL: i.MergedURL,
	}
	if i.MergedNumber != 0 {
		out.MergedNumber = strconv.FormatInt(i.MergedNumber, 10)
	}
	for _, l := range i.Labels {
		out.Labels = append(out.Labels, logs.Label{Name: l.Name, Type: l.Type})
	}
	return out
}
