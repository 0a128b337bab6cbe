package rows

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/bits"
	"sort"

	"github.com/zeebo/xxh3"
)

// Sum is what a set of rows comes to, whatever their order: the sum of the
// rows' hashes, and how many they are. Equal sums mean equal rows, repeats
// counted. Null columns and empty strings don't enter, so a table that has
// grown a column keeps the sum of its old rows.
type Sum struct {
	Rows   int64
	Hi, Lo uint64
}

// Add joins the sums of two sets.
func (s Sum) Add(o Sum) Sum {
	lo, carry := bits.Add64(s.Lo, o.Lo, 0)
	hi, _ := bits.Add64(s.Hi, o.Hi, carry)
	return Sum{s.Rows + o.Rows, hi, lo}
}

// String gives the sum as 32 hexadecimal digits.
func (s Sum) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.Hi)
	binary.BigEndian.PutUint64(b[8:], s.Lo)
	return hex.EncodeToString(b[:])
}

// Hash gives the sum of the batch's rows over all columns.
func (b *Batch) Hash() Sum {
	var s Sum
	b.EachHash(b.columns(nil), func(_ int, hi, lo uint64) { s = s.Add(Sum{1, hi, lo}) })
	return s
}

// EachHash gives a 128-bit hash of each row over the columns at the given
// positions. The order of the positions doesn't matter.
func (b *Batch) EachHash(columns []int, each func(row int, hi, lo uint64)) {
	order := b.columns(columns)
	var buf []byte
	for i := range b.N {
		buf = buf[:0]
		for _, c := range order {
			column := &b.Columns[c]
			if column.IsNull(i) {
				continue
			}
			switch StorageOf(column.Type) {
			case Ints:
				buf = binary.LittleEndian.AppendUint64(b.named(buf, c), uint64(column.Ints[i]))
			case Reals:
				buf = binary.LittleEndian.AppendUint64(b.named(buf, c), math.Float64bits(column.Reals[i]))
			case Texts:
				if text := column.Texts[i]; text != "" {
					buf = binary.LittleEndian.AppendUint32(b.named(buf, c), uint32(len(text)))
					buf = append(buf, text...)
				}
			}
		}
		h := xxh3.Hash128(buf)
		each(i, h.Hi, h.Lo)
	}
}

func (b *Batch) named(buf []byte, column int) []byte {
	buf = append(buf, b.Table.Columns[column].Name...)
	return append(buf, 0, byte(b.Columns[column].Type))
}

// columns gives positions in order of column name; all of them for nil.
func (b *Batch) columns(of []int) []int {
	order := make([]int, 0, len(b.Columns))
	if of == nil {
		for i := range b.Columns {
			order = append(order, i)
		}
	} else {
		order = append(order, of...)
	}
	sort.Slice(order, func(i, j int) bool { return b.Table.Columns[order[i]].Name < b.Table.Columns[order[j]].Name })
	return order
}
