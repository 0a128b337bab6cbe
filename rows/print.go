package rows

import (
	"math"
	"strconv"

	"lockstep/schema"
)

// Print gives row i of a column as the Kusto tools print it: true and false,
// points with seven fractional digits, timespans as d.hh:mm:ss, JSON minified;
// nothing for null.
func (c *Column) Print(i int) string {
	if c.IsNull(i) {
		return ""
	}
	switch c.Type {
	case schema.Bool:
		return strconv.FormatBool(c.Ints[i] != 0)
	case schema.DateTime:
		return schema.Ticks(c.Ints[i]).String()
	case schema.TimeSpan:
		return PrintSpan(schema.Ticks(c.Ints[i]))
	case schema.Int, schema.Long:
		return strconv.FormatInt(c.Ints[i], 10)
	case schema.Real:
		return PrintReal(c.Reals[i])
	default:
		return c.Texts[i]
	}
}

// PrintReal writes a real in the fewest digits that give it back.
func PrintReal(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f != 0 && (math.Abs(f) < 1e-5 || math.Abs(f) >= 1e15):
		return strconv.FormatFloat(f, 'E', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
