package native

import (
	"encoding/xml"
	"regexp"
	"strings"
)

var pathPart = regexp.MustCompile(`^(?:\.([A-Za-z_][\w-]*)|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|\[\s*(-?\d+)\s*\])`)

func extractJSON(a []any) any {
	path, text := str(a[0]), str(a[1])
	v, ok := read(text)
	rest, is := strings.CutPrefix(path, "$")
	if !ok || !is {
		return ""
	}
	for rest != "" {
		m := pathPart.FindStringSubmatch(rest)
		if m == nil {
			return ""
		}
		rest = rest[len(m[0]):]
		if m[4] != "" {
			list, ok := v.([]any)
			n, _ := toLong(m[4]).(int64)
			if n < 0 {
				n += int64(len(list))
			}
			if !ok || n < 0 || n >= int64(len(list)) {
				return ""
			}
			v = list[n]
			continue
		}
		o, ok := v.(*object)
		if !ok {
			return ""
		}
		v = o.vals[m[1]+m[2]+m[3]]
	}
	return plain(v)
}

// parseXML gives a bag of an element: attributes with @, text as #text, repeated children as an array.
func parseXML(s string) any {
	d := xml.NewDecoder(strings.NewReader(s))
	d.Strict = false
	root := newObject()
	for {
		t, err := d.Token()
		if err != nil {
			break
		}
		if el, ok := t.(xml.StartElement); ok {
			v, ok := xmlElement(d, el, 0)
			if !ok {
				return nil
			}
			root.set(el.Name.Local, v)
			return write(root)
		}
	}
	return nil
}

func xmlElement(d *xml.Decoder, el xml.StartElement, depth int) (any, bool) {
	if depth > 100 {
		return nil, false
	}
	o := newObject()
	for _, a := range el.Attr {
		name := a.Name.Local
		if a.Name.Space == "xmlns" {
			name = "xmlns:" + name
		}
		o.set("@"+name, a.Value)
	}
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, false
		}
		switch t := t.(type) {
		case xml.StartElement:
			v, ok := xmlElement(d, t, depth+1)
			if !ok {
				return nil, false
			}
			if old, ok := o.vals[t.Name.Local]; ok {
				if list, is := old.([]any); is {
					v = append(list, v)
				} else {
					v = []any{old, v}
				}
			}
			o.set(t.Name.Local, v)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			s := strings.TrimSpace(text.String())
			if len(o.keys) == 0 {
				if s == "" {
					return nil, true
				}
				return s, true
			}
			if s != "" {
				o.set("#text", s)
			}
			return o, true
		}
	}
}

// commandLine splits by the rules of Windows: blanks outside of quotes, \" is a quote.
func commandLine(s string) (out []string) {
	var b strings.Builder
	inQuote, started := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			n := 0
			for i < len(s) && s[i] == '\\' {
				n++
				i++
			}
			started = true
			if i < len(s) && s[i] == '"' {
				b.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					b.WriteByte('"')
				} else {
					inQuote = !inQuote
				}
				continue
			}
			b.WriteString(strings.Repeat(`\`, n))
			i--
		case c == '"':
			inQuote, started = !inQuote, true
		case (c == ' ' || c == '\t') && !inQuote:
			if started {
				out = append(out, b.String())
				b.Reset()
				started = false
			}
		default:
			b.WriteByte(c)
			started = true
		}
	}
	if started {
		out = append(out, b.String())
	}
	return out
}
