package xdr

import (
	"slices"

	"lockstep/security"
)

// thing is an entity as an incident counts it: its kind and all its keys.
type thing struct {
	Kind security.Kind `json:"kind"`
	Keys []string      `json:"keys"`
}

// cast is the distinct entities of an incident.
type cast struct {
	things  []thing               // a zero one is gone: it became part of another
	at      map[string]int        // which thing has a key
	counts  map[security.Kind]int // things of a kind
	gone    int
	changed bool
}

func newCast(things []thing) *cast {
	c := &cast{things: things, at: make(map[string]int, 2*len(things)), counts: map[security.Kind]int{}}
	for i, t := range things {
		c.counts[t.Kind]++
		for _, k := range t.Keys {
			c.at[k] = i
		}
	}
	return c
}

// add adds a thing and makes one of all that share a key with it.
func (c *cast) add(t thing) {
	home, fresh := -1, false
	for _, k := range t.Keys {
		i, known := c.at[k]
		switch {
		case !known:
			fresh = true
		case home < 0:
			home = i
		case home != i:
			c.absorb(home, i)
		}
	}
	if home < 0 {
		home = len(c.things)
		c.things = append(c.things, thing{Kind: t.Kind})
		c.counts[t.Kind]++
	}
	if !fresh {
		return
	}
	for _, k := range t.Keys {
		if _, known := c.at[k]; !known {
			c.at[k] = home
			c.things[home].Keys = append(slices.Clip(c.things[home].Keys), k)
		}
	}
	c.changed = true
}

// absorb makes thing other part of thing home.
func (c *cast) absorb(home, other int) {
	for _, k := range c.things[other].Keys {
		c.at[k] = home
	}
	c.things[home].Keys = slices.Concat(c.things[home].Keys, c.things[other].Keys)
	c.counts[c.things[other].Kind]--
	c.things[other] = thing{}
	c.gone++
	c.changed = true
}

func (c *cast) addAlert(a security.Alert) {
	for _, e := range a.Evidence {
		if keys := e.Entity.Keys(); len(keys) > 0 {
			c.add(thing{Kind: e.Entity.Kind, Keys: keys})
		}
	}
}

// size is how many things there are.
func (c *cast) size() int { return len(c.things) - c.gone }

// list gives the things as they are kept.
func (c *cast) list() []thing {
	return slices.DeleteFunc(slices.Clone(c.things), func(t thing) bool { return t.Kind == "" })
}

// together is how many things two casts have between them.
func together(a, b *cast) int {
	both := newCast(a.list())
	for _, t := range b.list() {
		both.add(t)
	}
	return both.size()
}

// cast gives an incident's distinct entities.
func (u *work) cast(h *held) *cast {
	if h.cast == nil {
		things, _ := casts.Get(u.tx, incidentKey(h.ID))
		h.cast = newCast(things)
	}
	return h.cast
}
