package query

import (
	"slices"

	"lockstep/schema"
)

// standardColumns can be named over every table of a workspace.
// Source: Azure Monitor, standard columns in logs.
func standardColumns() []schema.Column {
	return []schema.Column{
		{Name: "_ItemId", Type: schema.String, Hidden: true}, {Name: "_TimeReceived", Type: schema.DateTime, Hidden: true},
		{Name: "_ResourceId", Type: schema.String, Hidden: true}, {Name: "_SubscriptionId", Type: schema.String, Hidden: true},
		{Name: "_BilledSize", Type: schema.Real, Hidden: true}, {Name: "_IsBillable", Type: schema.String, Hidden: true},
	}
}

// withStandard is a workspace's table with the standard columns that it doesn't declare.
func withStandard(t *schema.Table) *schema.Table {
	if t.Side != schema.Workspace {
		return t
	}
	columns := slices.Clone(t.Columns)
	for _, c := range standardColumns() {
		if !slices.ContainsFunc(columns, func(own schema.Column) bool { return own.Name == c.Name }) {
			columns = append(columns, c)
		}
	}
	all := *schema.NewTable(t.Name, t.Side, columns)
	all.Component, all.Key, all.Time = t.Component, t.Key, t.Time
	return &all
}
