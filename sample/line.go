package sample

import (
	"strconv"

	"lockstep/schema"
)

// line writes one JSON object, field by field, without reflection: a sample of
// millions of rows must not be slower to make than to take in. Every field
// leaves a comma behind, which the end takes away.
type line struct {
	b    []byte
	day  schema.Ticks // the day whose text is in date
	date [11]byte     // "2006-01-02T"
}

// event begins an Event Hub record of a hunting table.
// Source: facts 9.1, and the recorded tenant's records.
func (l *line) event(t *table, at schema.Ticks) {
	l.b = append(l.b[:0], `{"time":"`...)
	l.time(at)
	l.b = append(l.b, t.head...)
	l.time(at)
	l.b = append(l.b, '"', ',')
}

// row begins a flat row of a workspace table.
func (l *line) row(t *table, at schema.Ticks) {
	l.b = append(l.b[:0], `{"TimeGenerated":"`...)
	l.time(at)
	l.b = append(l.b, t.head...)
}

// end closes an event or a row.
func (l *line) end(t *table) []byte {
	l.b[len(l.b)-1] = '}'
	if t.event {
		l.b = append(l.b, '}')
	}
	return l.b
}

// fixed adds fields that were written before: `"A":"b",`.
func (l *line) fixed(fields string) { l.b = append(l.b, fields...) }

func (l *line) name(name string) {
	l.b = append(l.b, '"')
	l.b = append(l.b, name...)
	l.b = append(l.b, '"', ':')
}

// text adds a string; an empty one is left out.
func (l *line) text(name, value string) {
	if value == "" {
		return
	}
	l.name(name)
	l.quoted(value)
	l.b = append(l.b, ',')
}

func (l *line) quoted(value string) { l.b = appendQuoted(l.b, value) }

// long adds a number.
func (l *line) long(name string, v int64) {
	l.name(name)
	l.b = strconv.AppendInt(l.b, v, 10)
	l.b = append(l.b, ',')
}

// flag adds a boolean.
func (l *line) flag(name string, v bool) {
	l.name(name)
	l.b = strconv.AppendBool(l.b, v)
	l.b = append(l.b, ',')
}

// json adds a value that is JSON already.
func (l *line) json(name, value string) {
	l.name(name)
	l.b = append(l.b, value...)
	l.b = append(l.b, ',')
}

// at adds a point in time; zero is left out.
func (l *line) at(name string, t schema.Ticks) {
	if t == 0 {
		return
	}
	l.name(name)
	l.b = append(l.b, '"')
	l.time(t)
	l.b = append(l.b, '"', ',')
}

// guid adds 128 bits as a GUID.
func (l *line) guid(name string, x, y uint64) {
	l.name(name)
	l.b = append(l.b, '"')
	l.b = appendGUID(l.b, x, y)
	l.b = append(l.b, '"', ',')
}

// time writes a point as 2026-01-05T10:00:00.1234567Z, the fraction only if
// there is one.
func (l *line) time(t schema.Ticks) {
	if day := t / schema.Day; day != l.day || l.date[0] == 0 {
		l.day = day
		copy(l.date[:], t.Time().Format("2006-01-02T"))
	}
	l.b = append(l.b, l.date[:]...)
	rest := int(t % schema.Day)
	second := rest / int(schema.Second)
	fraction := rest % int(schema.Second)
	l.two(second / 3600)
	l.b = append(l.b, ':')
	l.two(second / 60 % 60)
	l.b = append(l.b, ':')
	l.two(second % 60)
	if fraction > 0 {
		l.b = append(l.b, '.')
		for unit := 1_000_000; unit > 0; unit /= 10 {
			l.b = append(l.b, byte('0'+fraction/unit%10))
		}
	}
	l.b = append(l.b, 'Z')
}

func (l *line) two(n int) { l.b = append(l.b, byte('0'+n/10), byte('0'+n%10)) }

// appendQuoted writes a JSON string.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', nibbles[c>>4], nibbles[c&15])
		}
		from = i + 1
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// quote gives s as a JSON string.
func quote(s string) string { return string(appendQuoted(nil, s)) }
