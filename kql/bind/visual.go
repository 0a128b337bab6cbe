package bind

import (
	"slices"
	"strings"

	"lockstep/kql/syntax"
)

// Visualisations and their properties. Source: Kusto, the render operator.
var (
	visualisations = []string{"table", "list", "barchart", "piechart", "ladderchart", "timechart", "linechart", "anomalychart", "pivotchart", "areachart",
		"stackedareachart", "scatterchart", "timepivot", "columnchart", "timeline", "3Dchart", "card", "treemap", "plotly", "graph", "sankey"}
	visualProperties = []string{"accumulate", "anomalycolumns", "kind", "legend", "linewidth", "series", "title", "xaxis", "xcolumn", "xtitle", "yaxis", "ycolumns", "ysplit", "ytitle",
		"ymin", "ymax", "xmin", "xmax"}
	visualKinds = []string{"default", "unstacked", "stacked", "stacked100", "map"}
)

// show checks what a render operator asks for.
func (b *binder) show(op *syntax.Render) {
	if !slices.Contains(visualisations, op.Kind) {
		b.fail(op.At(), "KQL148", "'%s' is no visualisation%s", op.Kind, oneOf(op.Kind, slices.Clone(visualisations)))
	}
	for _, o := range op.Options {
		if !slices.Contains(visualProperties, strings.ToLower(o.Name.Text)) {
			b.fail(o.Name.Span, "KQL155", "render has no option '%s'%s", o.Name.Text, oneOf(o.Name.Text, slices.Clone(visualProperties)))
		}
	}
	b.chosen(op, op.Options, "kind", "default", visualKinds...)
	b.render = op
}
