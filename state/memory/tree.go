package memory

import "hash/fnv"

// node is a treap of keys: a search tree by key and a heap by weight. The
// weight is a hash of the key, so that a set of keys has one shape whatever
// the order in which they came. A node belongs to the edit that made it, which
// may change it in place; every other one copies it first.
type node struct {
	key         string
	value       []byte
	weight      uint64
	owner       *edit
	left, right *node
}

// edit stands for one transaction's right to change the nodes it made. It must
// have a size: pointers to empty structs may be equal.
type edit struct{ _ byte }

func weigh(key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(key))
	w := h.Sum64()
	w ^= w >> 33 // FNV's high bits alone are too regular for keys that count up
	w *= 0xff51afd7ed558ccd
	return w ^ w>>33
}

func (n *node) get(key string) ([]byte, bool) {
	for n != nil {
		switch {
		case key < n.key:
			n = n.left
		case key > n.key:
			n = n.right
		default:
			return n.value, true
		}
	}
	return nil, false
}

func (n *node) mine(e *edit) *node {
	if n.owner == e {
		return n
	}
	c := *n
	c.owner = e
	return &c
}

func (n *node) put(e *edit, key string, value []byte) *node {
	if n == nil {
		return &node{key: key, value: value, weight: weigh(key), owner: e}
	}
	n = n.mine(e)
	switch {
	case key < n.key:
		n.left = n.left.put(e, key, value)
		if n.left.weight > n.weight {
			l := n.left
			n.left, l.right = l.right, n
			return l
		}
	case key > n.key:
		n.right = n.right.put(e, key, value)
		if n.right.weight > n.weight {
			r := n.right
			n.right, r.left = r.left, n
			return r
		}
	default:
		n.value = value
	}
	return n
}

// delete gives the tree without a key, the same tree if it isn't there.
func (n *node) delete(e *edit, key string) *node {
	if n == nil {
		return nil
	}
	switch {
	case key < n.key:
		if l := n.left.delete(e, key); l != n.left {
			n = n.mine(e)
			n.left = l
		}
	case key > n.key:
		if r := n.right.delete(e, key); r != n.right {
			n = n.mine(e)
			n.right = r
		}
	default:
		return join(e, n.left, n.right)
	}
	return n
}

// join makes one tree of two, all keys of a below those of b.
func join(e *edit, a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.weight > b.weight:
		a = a.mine(e)
		a.right = join(e, a.right, b)
		return a
	default:
		b = b.mine(e)
		b.left = join(e, a, b.left)
		return b
	}
}

// scan yields the keys of a range in order and reports whether to go on.
func (n *node) scan(from, to string, reverse bool, yield func(string, []byte) bool) bool {
	if n == nil {
		return true
	}
	below, above := n.key < from, to != "" && n.key >= to
	first, second := n.left, n.right
	skipFirst, skipSecond := below, above
	if reverse {
		first, second = second, first
		skipFirst, skipSecond = skipSecond, skipFirst
	}
	return (skipFirst || first.scan(from, to, reverse, yield)) &&
		(below || above || yield(n.key, n.value)) &&
		(skipSecond || second.scan(from, to, reverse, yield))
}
