package main

import (
	"context"
	"strconv"

	"lockstep/history"
	"lockstep/wire/logs"
	"lockstep/workspace"
	"lockstep/xdr"
)

// snapshots gives the workspaces' feed as history wants it.
type snapshots struct {
	workspaces *workspace.Service
	xdr        *xdr.Service // nil on a server that isn't the XDR
}

func (s snapshots) History(ctx context.Context, after int64, limit int) ([]history.Snapshot, int64, error) {
	list, next, err := s.workspaces.History(ctx, after, limit)
	if err != nil {
		return nil, 0, err
	}
	out := make([]history.Snapshot, 0, len(list))
	for _, snap := range list {
		w := snap.Workspace
		one := history.Snapshot{Seq: snap.Seq, Workspace: w.ID}
		if snap.Incident != nil {
			one.Incident = s.incident(snap)
		}
		if a := snap.Alert; a != nil {
			one.Alert = a
			one.Origin = logs.Origin{TenantID: w.ID, SubscriptionID: w.SubscriptionID, ResourceGroup: w.ResourceGroup, At: max(a.Created, a.Updated)}
			if s.xdr != nil {
				one.Origin.AlertLink = s.xdr.URL(a.IncidentID)
			}
		}
		out = append(out, one)
	}
	return out, next, nil
}

// incident puts a snapshot into the words of the SecurityIncident table.
func (s snapshots) incident(snap workspace.Snapshot) *logs.Incident {
	i := snap.Incident
	out := &logs.Incident{
		TenantID: snap.Workspace.ID, At: i.Modified, Name: i.Name, Number: i.Number, Title: i.Title, Description: i.Description,
		Severity: i.Severity, Status: string(i.Status), Classification: i.Classification, ClassificationReason: i.ClassificationReason,
		ClassificationComment: i.ClassificationComment, Owner: i.Owner, ProviderName: i.ProviderName, ProviderIncidentID: i.ProviderIncidentID,
		ProviderURL: i.ProviderURL, URL: s.workspaces.URL(snap.Workspace, i.Name), FirstActivity: i.FirstActivity, LastActivity: i.LastActivity,
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
