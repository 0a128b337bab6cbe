package rows

import (
	"github.com/valyala/fastjson"

	"lockstep/schema"
)

// Loose makes rows of a table from values that were made for no schema of
// ours, such as the cells of somebody's CSV: a value that doesn't suit its
// column becomes null, and a column that isn't set has none.
type Loose struct{ p *plan }

// NewLoose begins a batch.
func NewLoose(t *schema.Table) *Loose {
	p := newPlan(t)
	p.start()
	return &Loose{p}
}

// Text sets a column of the row under way from what a text spells.
func (l *Loose) Text(column int, b []byte) {
	l.set(column, func() error { return l.p.setText(&l.p.batch.Columns[column], column, b) })
}

// Value sets a column of the row under way from JSON.
func (l *Loose) Value(column int, v *fastjson.Value) {
	l.set(column, func() error { return l.p.set(column, v) })
}

func (l *Loose) set(column int, add func() error) {
	if column >= len(l.p.seen) || l.p.seen[column] {
		return
	}
	if add() != nil {
		l.p.batch.Columns[column].AppendNull()
	}
	l.p.seen[column] = true
}

// Next ends the row under way.
func (l *Loose) Next() {
	for i, seen := range l.p.seen {
		if !seen {
			l.p.batch.Columns[i].AppendNull()
		}
	}
	clear(l.p.seen)
	l.p.batch.N++
}

// N is how many rows were ended.
func (l *Loose) N() int { return l.p.batch.N }

// Batch gives the rows; nothing is added after it.
func (l *Loose) Batch() *Batch { return l.p.take() }
