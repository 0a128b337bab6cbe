package native

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math"
	"net/netip"
	"sort"
	"strings"
	"unicode/utf8"
)

// mostInflated bounds a decompressed text: a small one can hold gigabytes.
const mostInflated = 16 << 20

// encodings are the functions that change how bytes are written down.
func encodings() []Function {
	return []Function{
		{Name: "base64_decode_toguid", Params: types(tText), Least: 1, Result: tGuid, Eval: func(a []any) any {
			raw, err := base64.StdEncoding.DecodeString(str(a[0]))
			if err != nil || len(raw) != 16 {
				return nil
			}
			s := hex.EncodeToString(turned(raw))
			return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
		}},
		{Name: "base64_encode_fromguid", Params: types(tGuid), Least: 1, Result: tText, Eval: func(a []any) any {
			raw, err := hex.DecodeString(strings.ReplaceAll(str(a[0]), "-", ""))
			if err != nil || len(raw) != 16 {
				return ""
			}
			return base64.StdEncoding.EncodeToString(turned(raw))
		}},
		{Name: "gzip_compress_to_base64_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any {
			var out bytes.Buffer
			w := gzip.NewWriter(&out)
			return packed(&out, w, str(a[0]))
		}},
		{Name: "zlib_compress_to_base64_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any {
			var out bytes.Buffer
			w := zlib.NewWriter(&out)
			return packed(&out, w, str(a[0]))
		}},
		{Name: "gzip_decompress_from_base64_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any {
			return unpacked(str(a[0]), func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
		}},
		{Name: "zlib_decompress_from_base64_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any {
			return unpacked(str(a[0]), func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })
		}},
		{Name: "punycode_from_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return punycode(str(a[0])) }},
		{Name: "punycode_to_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return fromPunycode(str(a[0])) }},
		{Name: "punycode_domain_from_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return domainText(str(a[0])) }},
		{Name: "punycode_domain_to_string", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return domainPunycode(str(a[0])) }},
		{Name: "ipv4_range_to_cidr_list", Params: types(tText, tText), Least: 2, Result: tDyn, Eval: func(a []any) any { return cidrs(str(a[0]), str(a[1])) }},
		{Name: "dynamic_to_json", Params: types(tDyn), Least: 1, Result: tText, Eval: func(a []any) any {
			v, ok := read(str(a[0]))
			if !ok {
				return ""
			}
			return str(write(sorted(v)))
		}},
	}
}

// turned swaps a guid between the order of its text and that of its bytes,
// whose first three parts are little-endian.
func turned(b []byte) []byte {
	return []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
}

func packed(out *bytes.Buffer, w io.WriteCloser, s string) any {
	if _, err := io.WriteString(w, s); err != nil {
		return ""
	}
	if w.Close() != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func unpacked(s string, open func(io.Reader) (io.Reader, error)) any {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	r, err := open(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(r, mostInflated))
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}

// sorted orders the keys of every object.
func sorted(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = sorted(v[i])
		}
	case *object:
		out := newObject()
		keys := append([]string{}, v.keys...)
		sort.Strings(keys)
		for _, k := range keys {
			out.set(k, sorted(v.vals[k]))
		}
		return out
	}
	return v
}

// The parameters of Punycode. Source: RFC 3492, section 5.
const punyBase, punyMin, punyMax, punySkew, punyDamp, punyBias, punyFirst = 36, 1, 26, 38, 700, 72, 128

func punyAdapt(delta, count int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / count
	k := 0
	for delta > (punyBase-punyMin)*punyMax/2 {
		delta /= punyBase - punyMin
		k += punyBase
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}

func punycode(s string) string {
	const digits = "abcdefghijklmnopqrstuvwxyz0123456789"
	if len(s) > 10_000 {
		return ""
	}
	runes := []rune(s)
	var out []byte
	for _, r := range runes {
		if r < punyFirst {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	done := basic
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := punyFirst, 0, punyBias
	for done < len(runes) {
		next := math.MaxInt32
		for _, r := range runes {
			if int(r) >= n && int(r) < next {
				next = int(r)
			}
		}
		delta += (next - n) * (done + 1)
		n = next
		for _, r := range runes {
			if int(r) < n {
				delta++
			}
			if int(r) != n {
				continue
			}
			q := delta
			for k := punyBase; ; k += punyBase {
				t := min(max(k-bias, punyMin), punyMax)
				if q < t {
					break
				}
				out = append(out, digits[t+(q-t)%(punyBase-t)])
				q = (q - t) / (punyBase - t)
			}
			out = append(out, digits[q])
			bias = punyAdapt(delta, done+1, done == basic)
			delta = 0
			done++
		}
		delta++
		n++
	}
	return string(out)
}

// fromPunycode gives "" for what is none.
func fromPunycode(s string) string {
	if len(s) > 10_000 {
		return ""
	}
	var out []rune
	if at := strings.LastIndexByte(s, '-'); at > 0 {
		for _, r := range s[:at] {
			if r >= punyFirst {
				return ""
			}
			out = append(out, r)
		}
		s = s[at+1:]
	} else {
		s = strings.TrimPrefix(s, "-")
	}
	n, i, bias := punyFirst, 0, punyBias
	for p := 0; p < len(s); {
		old, w := i, 1
		for k := punyBase; ; k += punyBase {
			if p >= len(s) {
				return ""
			}
			d := 0
			switch c := s[p]; {
			case c >= 'a' && c <= 'z':
				d = int(c - 'a')
			case c >= 'A' && c <= 'Z':
				d = int(c - 'A')
			case c >= '0' && c <= '9':
				d = int(c-'0') + 26
			default:
				return ""
			}
			p++
			i += d * w
			t := min(max(k-bias, punyMin), punyMax)
			if d < t {
				break
			}
			if w *= punyBase - t; w > math.MaxInt32 || i > math.MaxInt32 {
				return ""
			}
		}
		count := len(out) + 1
		bias = punyAdapt(i-old, count, old == 0)
		n += i / count
		i %= count
		if n > utf8.MaxRune || n >= 0xd800 && n < 0xe000 {
			return ""
		}
		out = append(out[:i], append([]rune{rune(n)}, out[i:]...)...)
		i++
	}
	return string(out)
}

// domainText decodes the labels of a domain that begin with xn--.
func domainText(s string) string {
	labels := strings.Split(s, ".")
	for i, l := range labels {
		if len(l) > 4 && strings.EqualFold(l[:4], "xn--") {
			if labels[i] = fromPunycode(l[4:]); labels[i] == "" {
				return ""
			}
		}
	}
	return strings.Join(labels, ".")
}

// domainPunycode encodes the labels of a domain that aren't ASCII.
func domainPunycode(s string) string {
	labels := strings.Split(s, ".")
	for i, l := range labels {
		if strings.IndexFunc(l, func(r rune) bool { return r >= punyFirst }) >= 0 {
			labels[i] = "xn--" + punycode(l)
		}
	}
	return strings.Join(labels, ".")
}

// cidrs are the fewest networks that make up a range of IPv4 addresses.
func cidrs(from, to string) any {
	a, err1 := netip.ParseAddr(from)
	z, err2 := netip.ParseAddr(to)
	if err1 != nil || err2 != nil || !a.Is4() || !z.Is4() {
		return nil
	}
	number := func(x netip.Addr) uint64 {
		b := x.As4()
		return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
	}
	out := []any{}
	for at, end := number(a), number(z); at <= end; {
		bits := 0
		for bits < 32 && at&(1<<bits) == 0 && at+1<<(bits+1)-1 <= end {
			bits++
		}
		for bits > 0 && (at&(1<<bits-1) != 0 || at+1<<bits-1 > end) {
			bits--
		}
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)}), 32-bits)
		out = append(out, p.String())
		at += 1 << bits
	}
	return write(out)
}
