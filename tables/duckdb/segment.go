package duckdb

import (
	"context"
	"fmt"
)

// segment is a Parquet file of old rows of one relation.
type segment struct {
	file                   string
	relation               int64
	fields                 int // how many of the relation's fields it has
	rows, bytes            int64
	fromEvent, toEvent     int64
	fromArrival, toArrival int64
}

// segments reads the manifest within the connection's transaction: by
// relation, newest first.
func (c *connection) segments(ctx context.Context) (map[int64][]segment, error) {
	found, err := c.all(ctx, "SELECT file, relation, fields, amount, bytes, from_event, to_event, from_arrival, to_arrival FROM segments ORDER BY to_event DESC, file DESC")
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	out := map[int64][]segment{}
	for _, f := range found {
		s := segment{f[0].(string), f[1].(int64), int(f[2].(int64)), f[3].(int64), f[4].(int64), f[5].(int64), f[6].(int64), f[7].(int64), f[8].(int64)}
		out[s.relation] = append(out[s.relation], s)
	}
	return out, nil
}
