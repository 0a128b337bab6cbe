package native

import (
	"encoding/binary"
	"math"
)

// hashes are the functions hash and hash_combine. A text is hashed as its
// bytes, any other value as its eight bytes, least first.
// Source: Kusto, hash: results for a text and for a datetime.
func hashes() []Function {
	of := func(bytes func(any) string) func([]any) any {
		return func(a []any) any {
			n := int64(hash64(bytes(a[0])))
			if m := given(a, 1, 0); m > 0 {
				n = (n%m + m) % m
			}
			return n
		}
	}
	eight := func(u uint64) string { return string(binary.LittleEndian.AppendUint64(nil, u)) }
	return []Function{
		{Name: "hash", Params: types(tText, tLong), Least: 1, Result: tLong, Eval: of(str)},
		{Name: "hash_long", Params: types(tLong, tLong), Least: 1, Result: tLong, Eval: of(func(v any) string { return eight(uint64(num(v))) })},
		{Name: "hash_real", Params: types(tReal, tLong), Least: 1, Result: tLong, Eval: of(func(v any) string { return eight(math.Float64bits(real(v))) })},
		{Name: "hash_combine", Variadic: tLong, Result: tLong, Eval: func(a []any) any {
			h := uint64(0)
			for _, v := range a {
				h ^= uint64(num(v)) + 0x9e3779b97f4a7c15 + h<<6 + h>>2
			}
			return int64(h)
		}},
	}
}

// hash64 is xxHash64 with seed 0. Source: the xxHash specification.
func hash64(s string) uint64 {
	const p1, p2, p3, p4, p5 = 11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261
	u64 := func(i int) uint64 {
		var v uint64
		for k := 7; k >= 0; k-- {
			v = v<<8 | uint64(s[i+k])
		}
		return v
	}
	rol := func(x uint64, r uint) uint64 { return x<<r | x>>(64-r) }
	mix := func(acc, v uint64) uint64 { return rol(acc+v*p2, 31) * p1 }
	n, i := len(s), 0
	var h uint64
	if n >= 32 {
		zero := uint64(0)
		v1, v2, v3, v4 := zero, zero+p2, zero, zero-p1
		v1 = zero + p1
		v1 += p2
		for ; i+32 <= n; i += 32 {
			v1, v2, v3, v4 = mix(v1, u64(i)), mix(v2, u64(i+8)), mix(v3, u64(i+16)), mix(v4, u64(i+24))
		}
		h = rol(v1, 1) + rol(v2, 7) + rol(v3, 12) + rol(v4, 18)
		for _, v := range []uint64{v1, v2, v3, v4} {
			h = (h^mix(0, v))*p1 + p4
		}
	} else {
		h = p5
	}
	h += uint64(n)
	for ; i+8 <= n; i += 8 {
		h = rol(h^mix(0, u64(i)), 27)*p1 + p4
	}
	if i+4 <= n {
		v := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24
		h = rol(h^v*p1, 23)*p2 + p3
		i += 4
	}
	for ; i < n; i++ {
		h = rol(h^uint64(s[i])*p5, 11) * p1
	}
	h ^= h >> 33
	h *= p2
	h ^= h >> 29
	h *= p3
	return h ^ h>>32
}
