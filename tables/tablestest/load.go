package tablestest

import (
	"strings"
	"testing"

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
)

// loading: rows from outside are read beside stored ones, by one snapshot alone.
func loading(t *testing.T, open Open) {
	b := start(t, open, t.TempDir(), 0)
	b.append(tables.Append{Batches: b.batch("DeviceEvents", `{"DeviceName":"pc1"}`)})
	outside := schema.NewTable(`hostile"; DROP TABLE x --`, schema.XDR, []schema.Column{
		{Name: `a"b`, Type: schema.String}, {Name: "n", Type: schema.Long}, {Name: "r", Type: schema.Real}, {Name: "on", Type: schema.Bool},
		{Name: "i", Type: schema.Int}, {Name: "d", Type: schema.Dynamic}, {Name: "at", Type: schema.DateTime}})
	batch := rows.New(outside, 0)
	for i := range 5000 {
		batch.Columns[0].AppendText(strings.Repeat("'x", i%40))
		for _, c := range []int{1, 3, 4, 6} {
			batch.Columns[c].AppendInt(int64(i % 2))
		}
		batch.Columns[2].AppendReal(0.5)
		if i == 4999 {
			batch.Columns[5].AppendNull()
		} else {
			batch.Columns[5].AppendText(`{"k":1}`)
		}
		batch.N++
	}
	n, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	defer n.Close()
	b.must(n.Load(ctx, batch))
	b.must(n.Load(ctx, rows.New(schema.NewTable("empty", schema.XDR, nil), 0)))
	sql, args, err := n.Relation(outside, []string{"n", `a"b`, "r", "on", "i", "d", tables.ReceivedColumn}, tables.Range{From: 1, After: 1})
	b.must(err)
	result := schema.NewTable("result", schema.XDR, []schema.Column{{Name: "count", Type: schema.Long}, {Name: "sum", Type: schema.Real}, {Name: "longest", Type: schema.Long},
		{Name: "on", Type: schema.Long}, {Name: "bags", Type: schema.Long}, {Name: "received", Type: schema.Long}})
	found, err := n.Query(ctx, `SELECT count(*), sum(r), max(length("a""b")), sum(CASE WHEN "on" THEN i ELSE 0 END), count(d), count(_received) FROM `+sql+" AS r", args, result, tables.Limit{})
	b.must(err)
	var cells []string
	for i := range found.Rows.Columns {
		cells = append(cells, found.Rows.Columns[i].Print(0))
	}
	b.want(strings.Join(cells, "|"), "5000|2500|78|2500|4999|0")
	b.want(b.read(n, schema.XDR, "DeviceEvents", "DeviceName", tables.Range{}), "pc1")
	again, err := b.Snapshot(ctx, b.xdr())
	b.must(err)
	defer again.Close()
	sql, _, err = again.Relation(outside, []string{"n"}, tables.Range{})
	b.must(err)
	found, err = again.Query(ctx, "SELECT count(*), CAST(0 AS DOUBLE), 0, 0, 0, 0 FROM "+sql+" AS r", nil, result, tables.Limit{})
	b.must(err)
	b.want(found.Rows.Columns[0].Print(0), "0")
}
