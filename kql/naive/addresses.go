package naive

import (
	"net/netip"
	"strings"

	"lockstep/schema"
)

// addresses are the functions over IP v4 addresses.
func addresses() map[string]func(call) any {
	return map[string]func(call) any{
		"ipv4_is_private": func(c call) any {
			a, bits, ok := address(c.text(0))
			if !ok {
				return nil
			}
			return isPrivate(a, bits)
		},
		"ipv4_is_in_range": func(c call) any {
			in, ok := inRange(c.text(0), c.text(1))
			if !ok {
				return nil
			}
			return in
		},
		"ipv4_is_in_any_range": func(c call) any {
			_, _, ok := address(c.text(0))
			if !ok {
				return nil
			}
			for i := 1; i < len(c.args); i++ {
				list, is := c.args[i].([]any)
				if !is {
					list = []any{asText(c.args[i], c.kind(i))}
				}
				for _, r := range list {
					if in, _ := inRange(c.text(0), asText(r, schema.Dynamic)); in {
						return true
					}
				}
			}
			return false
		},
		"ipv4_is_match": func(c call) any {
			a, p, ok1 := address(c.text(0))
			b, q, ok2 := address(c.text(1))
			if !ok1 || !ok2 {
				return nil
			}
			bits := min(p, q, int(c.long(2, 32)))
			return masked(a, bits) == masked(b, bits)
		},
	}
}

// address reads a.b.c.d or a.b.c.d/bits.
func address(s string) (netip.Addr, int, bool) {
	s = strings.TrimSpace(s)
	a, suffix, cut := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(a)
	if err != nil || !addr.Is4() {
		return addr, 0, false
	}
	bits := 32
	if cut {
		n, ok := asLong(suffix).(int64)
		if !ok || n < 0 || n > 32 {
			return addr, 0, false
		}
		bits = int(n)
	}
	return addr, bits, true
}

func masked(a netip.Addr, bits int) netip.Prefix { return netip.PrefixFrom(a, bits).Masked() }

func isPrivate(a netip.Addr, bits int) bool {
	for _, r := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} {
		p := netip.MustParsePrefix(r)
		if p.Contains(a) && bits >= p.Bits() {
			return true
		}
	}
	return false
}

// inRange tells whether an address is in a range; ok is false where one is none.
func inRange(s, within string) (in, ok bool) {
	a, p, ok1 := address(s)
	r, bits, ok2 := address(within)
	if !ok1 || !ok2 {
		return false, false
	}
	return p >= bits && masked(a, bits) == masked(r, bits), true
}
