package sample

import (
	"encoding/hex"
	"math/bits"
)

// dice is a stream of numbers that depends on nothing but its start, so that
// any row can be made by itself, in any order, on any machine (SplitMix64).
type dice uint64

// roll starts the stream of one thing: the n-th of its kind in a tenant.
func roll(seed uint64, kind string, n int64) dice {
	return start(seed, label(kind), n)
}

// start is roll with the kind's label already known.
func start(seed, kind uint64, n int64) dice {
	d := dice(seed ^ bits.RotateLeft64(kind, 17))
	d = dice(d.next() ^ uint64(n)*0xd6e8feb86659fd93)
	d.next()
	return d
}

// label is a number for a name (FNV-1a).
func label(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(name); i++ {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number in [0, n).
func (d *dice) below(n int) int {
	hi, _ := bits.Mul64(d.next(), uint64(n))
	return int(hi)
}

// between gives a number in [low, high].
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// chance is true in so many of a thousand cases.
func (d *dice) chance(perMille int) bool { return d.below(1000) < perMille }

// pick gives one of several values.
func pick[T any](d *dice, of []T) T { return of[d.below(len(of))] }

// guid gives a random GUID in its text form.
func (d *dice) guid() string { return string(appendGUID(nil, d.next(), d.next())) }

// hexes gives n random bytes as lower-case hex.
func (d *dice) hexes(n int) string { return string(d.appendHex(nil, n)) }

func (d *dice) appendHex(b []byte, n int) []byte {
	var word [8]byte
	for n > 0 {
		x := d.next()
		for i := range word {
			word[i] = byte(x >> (8 * i))
		}
		m := min(n, 8)
		b = hex.AppendEncode(b, word[:m])
		n -= m
	}
	return b
}

// appendGUID writes a version-4 GUID of 128 bits.
func appendGUID(b []byte, x, y uint64) []byte {
	x = x&^0xf000 | 0x4000
	y = y&^(0xc<<60) | 0x8<<60
	b = appendNibbles(b, x>>32, 8)
	b = append(b, '-')
	b = appendNibbles(b, x>>16, 4)
	b = append(b, '-')
	b = appendNibbles(b, x, 4)
	b = append(b, '-')
	b = appendNibbles(b, y>>48, 4)
	b = append(b, '-')
	return appendNibbles(b, y, 12)
}

const nibbles = "0123456789abcdef"

func appendNibbles(b []byte, x uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		b = append(b, nibbles[x>>(4*i)&15])
	}
	return b
}
