package replay

import (
	"bytes"
	"time"

	"lockstep/schema"
)

// AppendShifted appends a record's JSON to dst with its times moved by the plan.
//
// A time is a string that is a whole datetime and nothing else, in the form of
// RFC 3339 (with T or a space, with or without a zone) or the American one that
// ExtendedProperties carries (7/2/2024 10:01:28 AM); also inside JSON that a
// string holds (Entities, AdditionalFields). Numbers of digits, zones and
// fractions stay as written. A time within a longer text stays.
func (p Plan) AppendShifted(dst, body []byte) []byte {
	if p.still() {
		return append(dst, body...)
	}
	from := 0
	for i := 0; ; {
		quote := bytes.IndexByte(body[i:], '"')
		if quote < 0 {
			return append(dst, body[from:]...)
		}
		i += quote + 1
		if i >= len(body) || body[i] < '0' || body[i] > '9' {
			continue
		}
		d, n := scan(body[i:])
		if n == 0 {
			continue
		}
		to, moved := p.At(d.ticks())
		if moved {
			dst = append(dst, body[from:i]...)
			dst = d.append(dst, to, body[i:i+n])
			from = i + n
		}
		i += n
	}
}

// datetime is a time as it is written.
type datetime struct {
	year, month, day, hour, minute, second int
	fraction                               int // in ticks
	zone                                   int // seconds east of UTC
	american                               bool
	twelve                                 bool // hours with AM or PM
	padded                                 bool // American, with two digits for month and day
	tail                                   int  // where fraction and zone begin
	digits                                 int  // of the fraction
}

// ticks is the point that is meant.
func (d datetime) ticks() schema.Ticks {
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, time.UTC)
	return schema.At(t) + schema.Ticks(d.fraction) - schema.Ticks(d.zone)*schema.Second
}

// scan reads a datetime that fills the string which begins at b; n is its
// length, 0 if there is none.
func scan(b []byte) (d datetime, n int) {
	if len(b) < 18 {
		return d, 0
	}
	if b[4] == '-' {
		d, n = scanISO(b)
	} else if b[1] == '/' || b[2] == '/' {
		d, n = scanAmerican(b)
	}
	if n == 0 || n >= len(b) || b[n] != '"' && b[n] != '\\' ||
		d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31 || d.hour > 23 || d.minute > 59 || d.second > 59 || d.year < 1 {
		return d, 0
	}
	return d, n
}

// scanISO reads 2024-06-26T10:31:05.0923642Z and its relatives.
func scanISO(b []byte) (d datetime, n int) {
	var ok [6]bool
	d.year, ok[0] = number(b[0:4])
	d.month, ok[1] = number(b[5:7])
	d.day, ok[2] = number(b[8:10])
	d.hour, ok[3] = number(b[11:13])
	d.minute, ok[4] = number(b[14:16])
	if len(b) < 20 {
		return d, 0
	}
	d.second, ok[5] = number(b[17:19])
	if ok != [6]bool{true, true, true, true, true, true} || b[7] != '-' || b[10] != 'T' && b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return d, 0
	}
	n = 19
	d.tail = n
	if b[n] == '.' {
		unit := int(schema.Second)
		for n++; n < len(b) && b[n] >= '0' && b[n] <= '9'; n++ {
			unit /= 10
			d.fraction += int(b[n]-'0') * unit
			d.digits++
		}
	}
	switch {
	case n < len(b) && b[n] == 'Z':
		n++
	case n+6 <= len(b) && (b[n] == '+' || b[n] == '-') && b[n+3] == ':':
		h, fine := number(b[n+1 : n+3])
		m, fine2 := number(b[n+4 : n+6])
		if !fine || !fine2 {
			return d, 0
		}
		d.zone = h*3600 + m*60
		if b[n] == '-' {
			d.zone = -d.zone
		}
		n += 6
	}
	return d, n
}

// scanAmerican reads 6/27/2024 10:33:26 PM and 06/26/2024 10:34:11.
func scanAmerican(b []byte) (d datetime, n int) {
	d.american = true
	read := func(most int, end byte) int {
		v, k := 0, 0
		for ; k < most && n < len(b) && b[n] >= '0' && b[n] <= '9'; k++ {
			v = v*10 + int(b[n]-'0')
			n++
		}
		if k == 0 || end != 0 && (n >= len(b) || b[n] != end) {
			return -1
		}
		if end != 0 {
			n++
		}
		return v
	}
	d.padded = b[2] == '/' && b[0] == '0'
	d.month, d.day, d.year = read(2, '/'), read(2, '/'), read(4, ' ')
	d.hour, d.minute, d.second = read(2, ':'), read(2, ':'), read(2, 0)
	if d.month < 0 || d.day < 0 || d.year < 0 || d.hour < 0 || d.minute < 0 || d.second < 0 {
		return d, 0
	}
	if n+3 <= len(b) && b[n] == ' ' && (b[n+1] == 'A' || b[n+1] == 'P') && b[n+2] == 'M' {
		if d.hour < 1 || d.hour > 12 {
			return d, 0
		}
		d.twelve = true
		d.hour %= 12
		if b[n+1] == 'P' {
			d.hour += 12
		}
		n += 3
	}
	return d, n
}

// number reads a number that is all digits.
func number(b []byte) (v int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

// append writes a point in the form in which d was written.
func (d datetime) append(dst []byte, to schema.Ticks, written []byte) []byte {
	t := (to + schema.Ticks(d.zone)*schema.Second).Time()
	if d.american {
		return t.AppendFormat(dst, map[[2]bool]string{
			{false, false}: "1/2/2006 15:04:05", {true, false}: "01/02/2006 15:04:05", {false, true}: "1/2/2006 3:04:05 PM", {true, true}: "01/02/2006 03:04:05 PM",
		}[[2]bool{d.padded, d.twelve}])
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = digits(dst, year, 4)
	dst = append(dst, '-')
	dst = digits(dst, int(month), 2)
	dst = append(dst, '-')
	dst = digits(dst, day, 2)
	dst = append(dst, written[10])
	dst = digits(dst, hour, 2)
	dst = append(dst, ':')
	dst = digits(dst, minute, 2)
	dst = append(dst, ':')
	dst = digits(dst, second, 2)
	tail := written[d.tail:]
	if d.digits > 0 && int(to%schema.Second) != d.fraction { // in the middle of a pause
		dst = append(dst, '.')
		dst = append(dst, bytes.Repeat([]byte("0"), d.digits)...)
		tail = tail[1+d.digits:]
	}
	return append(dst, tail...)
}

func digits(dst []byte, v, width int) []byte {
	for unit := [...]int{1, 1, 10, 100, 1000}[width]; unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+v/unit%10))
	}
	return dst
}
