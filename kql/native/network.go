package native

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

func network() []Function {
	ranges := func(v6 bool) func([]any) any {
		return func(a []any) any {
			var list []string
			for _, r := range a[1:] {
				if els, ok := array(r); ok {
					for _, e := range els {
						list = append(list, plain(e))
					}
				} else if v, ok := read(str(r)); ok {
					list = append(list, plain(v))
				} else {
					list = append(list, str(r))
				}
			}
			if inRangeOf(str(a[0]), str(a[0]), v6) == nil { // it is no address
				return nil
			}
			for _, r := range list {
				if inRangeOf(str(a[0]), r, v6) == true {
					return true
				}
			}
			return false
		}
	}
	return []Function{
		{Name: "ipv4_is_private", Params: types(tText), Least: 1, Result: tBool, Eval: func(a []any) any {
			p, ok := prefix4(str(a[0]))
			if !ok {
				return nil
			}
			for _, r := range private {
				if r.Contains(p.Addr()) && p.Bits() >= r.Bits() {
					return true
				}
			}
			return false
		}},
		{Name: "ipv6_in", Params: types(tText, tText), Least: 2, Result: tBool, Eval: func(a []any) any { return inRangeOf(str(a[0]), str(a[1]), true) == true }},
		{Name: "ipv4_in", Params: types(tText, tText), Least: 2, Result: tBool, Eval: func(a []any) any { return inRangeOf(str(a[0]), str(a[1]), false) == true }},
		{Name: "ipv4_is_in_range", Params: types(tText, tText), Least: 2, Result: tBool, Eval: func(a []any) any { return inRangeOf(str(a[0]), str(a[1]), false) }},
		{Name: "ipv6_is_in_range", Params: types(tText, tText), Least: 2, Result: tBool, Eval: func(a []any) any { return inRangeOf(str(a[0]), str(a[1]), true) }},
		{Name: "ipv4_is_in_any_range", Params: types(tText), Least: 1, Variadic: tDyn, Result: tBool, Eval: ranges(false)},
		{Name: "ipv6_is_in_any_range", Params: types(tText), Least: 1, Variadic: tDyn, Result: tBool, Eval: ranges(true)},
		{Name: "ipv4_is_match", Params: types(tText, tText, tLong), Least: 2, Result: tBool, Eval: func(a []any) any {
			n, ok := compare4(a)
			if !ok {
				return nil
			}
			return n == 0
		}},
		{Name: "ipv4_compare", Params: types(tText, tText, tLong), Least: 2, Result: tLong, Eval: func(a []any) any {
			n, ok := compare4(a)
			if !ok {
				return nil
			}
			return n
		}},
		{Name: "ipv6_is_match", Params: types(tText, tText, tLong), Least: 2, Result: tBool, Eval: func(a []any) any {
			n, ok := compare6(a)
			if !ok {
				return nil
			}
			return n == 0
		}},
		{Name: "ipv6_compare", Params: types(tText, tText, tLong), Least: 2, Result: tLong, Eval: func(a []any) any {
			n, ok := compare6(a)
			if !ok {
				return nil
			}
			return n
		}},
		{Name: "ipv4_netmask_suffix", Params: types(tText), Least: 1, Result: tLong, Eval: func(a []any) any {
			if p, ok := prefix4(str(a[0])); ok {
				return int64(p.Bits())
			}
			return nil
		}},
		{Name: "parse_ipv4", Params: types(tText), Least: 1, Result: tLong, Eval: func(a []any) any {
			if p, ok := prefix4(str(a[0])); ok {
				return value4(p.Masked().Addr())
			}
			return nil
		}},
		{Name: "parse_ipv4_mask", Params: types(tText, tLong), Least: 2, Result: tLong, Eval: func(a []any) any {
			p, ok := prefix4(str(a[0]))
			n := num(a[1])
			if !ok || n < 0 || n > 32 {
				return nil
			}
			return value4(netip.PrefixFrom(p.Addr(), min(int(n), p.Bits())).Masked().Addr())
		}},
		{Name: "parse_ipv6", Params: types(tText), Least: 1, Result: tText, Eval: func(a []any) any { return expanded6(str(a[0]), 128) }},
		{Name: "parse_ipv6_mask", Params: types(tText, tLong), Least: 2, Result: tText, Eval: func(a []any) any { return expanded6(str(a[0]), int(num(a[1]))) }},
		{Name: "format_ipv4", Params: types(tText, tLong), Least: 1, Result: tText, Eval: func(a []any) any { return format4(a, false) }},
		{Name: "format_ipv4_mask", Params: types(tText, tLong), Least: 1, Result: tText, Eval: func(a []any) any { return format4(a, true) }},
		{Name: "has_ipv4", Params: types(tText, tText), Least: 2, Result: tBool, Eval: func(a []any) any { return hasIPv4(str(a[0]), str(a[1]), false) }},
		{Name: "has_ipv4_prefix", Params: types(tText, tText), Least: 2, Result: tBool, Eval: func(a []any) any { return hasIPv4(str(a[0]), str(a[1]), true) }},
		{Name: "has_any_ipv4", Params: types(tText), Least: 1, Variadic: tDyn, Result: tBool, Eval: func(a []any) any { return hasAnyIPv4(a, false) }},
		{Name: "has_any_ipv4_prefix", Params: types(tText), Least: 1, Variadic: tDyn, Result: tBool, Eval: func(a []any) any { return hasAnyIPv4(a, true) }},
		{Name: "geo_info", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any { return nil }},
		{Name: "parse_url", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any { return parseURL(str(a[0])) }},
		{Name: "parse_urlquery", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any {
			o := newObject()
			o.set("Query Parameters", queryBag(strings.TrimPrefix(str(a[0]), "?")))
			return write(o)
		}},
		{Name: "parse_path", Params: types(tText), Least: 1, Result: tDyn, Eval: func(a []any) any { return parsePath(str(a[0])) }},
		{Name: "parse_version", Params: types(tText), Least: 1, Result: tDec, Eval: func(a []any) any { return parseVersion(str(a[0])) }},
	}
}

var private = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}

func prefix4(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	ip, mask, ok := strings.Cut(s, "/")
	n := 32
	if ok {
		v, err := strconv.Atoi(mask)
		if err != nil || v < 0 || v > 32 {
			return netip.Prefix{}, false
		}
		n = v
	}
	a, err := netip.ParseAddr(ip)
	if err != nil || !a.Is4() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, n), true
}

func prefix6(s string) (netip.Prefix, bool) {
	ip, mask, ok := strings.Cut(strings.TrimSpace(s), "/")
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	n := 128
	if strings.Contains(ip, ".") && strings.HasPrefix(ip, "::") && !a.Is4In6() && a.Is6() { // ::1.2.3.4 stands for ::ffff:1.2.3.4
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if ok {
		v, err := strconv.Atoi(mask)
		if err != nil || v < 0 || v > 128 {
			return netip.Prefix{}, false
		}
		n = v
	}
	if a.Is4() {
		a = netip.AddrFrom16(a.As16())
		if ok && n <= 32 {
			n += 96
		}
	}
	return netip.PrefixFrom(a, n), true
}

// inRangeOf tells whether ip is within a range; nil when one of them is no address.
func inRangeOf(ip, r string, v6 bool) any {
	parse := prefix4
	if v6 {
		parse = prefix6
	}
	a, ok1 := parse(ip)
	p, ok2 := parse(r)
	if !ok1 || !ok2 {
		return nil
	}
	bitsOf := min(a.Bits(), p.Bits())
	if !strings.Contains(r, "/") {
		bitsOf = a.Bits()
	}
	return netip.PrefixFrom(p.Addr(), bitsOf).Masked() == netip.PrefixFrom(a.Addr(), bitsOf).Masked()
}

func value4(a netip.Addr) int64 {
	b := a.As4()
	return int64(b[0])<<24 | int64(b[1])<<16 | int64(b[2])<<8 | int64(b[3])
}

func compare4(a []any) (int64, bool) {
	x, ok1 := prefix4(str(a[0]))
	y, ok2 := prefix4(str(a[1]))
	n := given(a, 2, 32)
	if !ok1 || !ok2 || n < 0 || n > 32 {
		return 0, false
	}
	m := min(x.Bits(), y.Bits(), int(n))
	return int64(netip.PrefixFrom(x.Addr(), m).Masked().Addr().Compare(netip.PrefixFrom(y.Addr(), m).Masked().Addr())), true
}

func compare6(a []any) (int64, bool) {
	x, ok1 := prefix6(str(a[0]))
	y, ok2 := prefix6(str(a[1]))
	n := given(a, 2, 128)
	if !ok1 || !ok2 || n < 0 || n > 128 {
		return 0, false
	}
	m := min(x.Bits(), y.Bits(), int(n))
	return int64(netip.PrefixFrom(x.Addr(), m).Masked().Addr().Compare(netip.PrefixFrom(y.Addr(), m).Masked().Addr())), true
}

func expanded6(s string, n int) any {
	p, ok := prefix6(s)
	if !ok || n < 0 || n > 128 {
		return ""
	}
	return netip.PrefixFrom(p.Addr(), min(p.Bits(), n)).Masked().Addr().StringExpanded()
}

func format4(a []any, mask bool) any {
	s := str(a[0])
	p, ok := prefix4(s)
	if !ok {
		v, isInt := toLong(s).(int64)
		if !isInt || v < 0 || v > 0xffffffff {
			return ""
		}
		p = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), 32)
	}
	n := int(given(a, 1, int64(p.Bits())))
	if n < 0 || n > 32 {
		return ""
	}
	q := netip.PrefixFrom(p.Addr(), min(n, p.Bits())).Masked()
	if mask {
		return q.Addr().String() + "/" + strconv.Itoa(min(n, p.Bits()))
	}
	return q.Addr().String()
}

// hasIPv4 tells whether an address, or one that starts so, stands in a text
// between characters that no address has. Source: Kusto, has_ipv4, has_ipv4_prefix.
func hasIPv4(s, ip string, prefix bool) bool {
	_, whole := prefix4(ip)
	if !whole && !(prefix && strings.HasSuffix(ip, ".")) {
		return false // a prefix is a whole address, or ends with a dot
	}
	part := func(c byte) bool {
		return c >= '0' && c <= '9' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for from := 0; ; {
		i := strings.Index(s[from:], ip)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(ip)
		if i == 0 || !part(s[i-1]) {
			for end < len(s) && part(s[end]) {
				end++
			}
			if address := s[i:end]; whole && address == ip {
				return true
			} else if a, err := netip.ParseAddr(strings.TrimRight(address, ".")); prefix && err == nil && a.Is4() && (!whole || strings.TrimRight(address, ".") == ip) {
				return true
			}
		}
		from = i + 1
	}
}

func hasAnyIPv4(a []any, prefix bool) bool {
	for _, r := range a[1:] {
		v, ok := read(str(r))
		list, isList := v.([]any)
		switch {
		case !ok:
			list = []any{str(r)}
		case !isList:
			list = []any{v}
		}
		for _, e := range list {
			if hasIPv4(str(a[0]), plain(e), prefix) {
				return true
			}
		}
	}
	return false
}

func parseURL(s string) any {
	u, err := url.Parse(strings.TrimSpace(s))
	o := newObject()
	if err != nil || u.Scheme == "" && u.Host == "" {
		for _, k := range []string{"Scheme", "Host", "Port", "Path", "Username", "Password"} {
			o.set(k, "")
		}
		o.set("Query Parameters", newObject())
		o.set("Fragment", "")
		return write(o)
	}
	password, _ := u.User.Password()
	o.set("Scheme", u.Scheme)
	o.set("Host", u.Hostname())
	o.set("Port", u.Port())
	o.set("Path", u.EscapedPath())
	o.set("Username", u.User.Username())
	o.set("Password", password)
	o.set("Query Parameters", queryBag(u.RawQuery))
	o.set("Fragment", u.Fragment)
	return write(o)
}

func queryBag(query string) *object {
	o := newObject()
	for _, pair := range strings.Split(query, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			o.set(k, v)
		}
	}
	return o
}

var scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+)://`)

func parsePath(s string) any {
	o := newObject()
	rest := s
	sch := ""
	if m := scheme.FindStringSubmatch(s); m != nil {
		sch, rest = m[1], s[len(m[0]):]
	}
	stream := ""
	root := ""
	if len(rest) > 1 && rest[1] == ':' {
		root = rest[:2]
	}
	at := strings.LastIndexAny(rest, `/\`)
	dir, file := "", rest
	if at >= 0 {
		dir, file = rest[:at], rest[at+1:]
	}
	if i := strings.IndexByte(file, ':'); i >= 0 && len(root) == 2 && at >= 0 {
		file, stream = file[:i], file[i+1:]
	}
	name := dir
	if i := strings.LastIndexAny(dir, `/\`); i >= 0 {
		name = dir[i+1:]
	}
	ext := ""
	if i := strings.LastIndexByte(file, '.'); i >= 0 {
		ext = file[i+1:]
	}
	o.set("Scheme", sch)
	o.set("RootPath", root)
	o.set("DirectoryPath", dir)
	o.set("DirectoryName", name)
	o.set("Filename", file)
	o.set("Extension", ext)
	o.set("AlternateDataStreamName", stream)
	return write(o)
}

// parseVersion gives a number that orders as versions do: four parts of eight digits.
func parseVersion(s string) any {
	parts := strings.Split(strings.TrimSpace(s), ".")
	if len(parts) > 4 || s == "" {
		return nil
	}
	out := ""
	for i := 0; i < 4; i++ {
		p := "0"
		if i < len(parts) {
			p = parts[i]
		}
		if len(p) > 8 || p == "" || strings.Trim(p, "0123456789") != "" {
			return nil
		}
		out += strings.Repeat("0", 8-len(p)) + p
	}
	out = strings.TrimLeft(out, "0")
	if out == "" {
		return "0"
	}
	return out
}
