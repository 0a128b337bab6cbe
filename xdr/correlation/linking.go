package correlation

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"

	"lockstep/schema"
	"lockstep/security"
)

// Parameters tune the rule. Their Version is kept with every decision.
type Parameters struct {
	Version string
	Base    map[security.Kind]float64 // weight of a kind at its best; a kind that isn't here is no evidence

	Hub        int          // more peers than this: no evidence
	Half       float64      // peers beyond the first that halve a weight
	PeerWindow schema.Ticks // peers count for so long
	Decay      schema.Ticks // a weight falls to 1/e over this gap
	Repeating  schema.Ticks // the same for a detection

	Join, Merge            float64 // scores to reach
	Strong, StrongTogether float64 // the best single piece must reach Strong, or StrongTogether if there are two kinds

	SameDetector, NextStage, Neither float64 // context multiplies, it never adds

	Pieces, Visits, Peers int // how many are used of an alert, and kept of a key
}

// Defaults are the parameters with the measurements of reference/correlation.md 4.4.
func Defaults() Parameters {
	return Parameters{
		Version: "bounded-evidence/1",
		Base: map[security.Kind]float64{
			security.MailMessage: .70, security.SubmissionMail: .70, security.Mailbox: .70,
			security.URL: .60, security.DNS: .60,
			security.Host: .55, security.Account: .55, security.AzureResource: .55, security.CloudLogonSess: .55,
			security.File: .50, security.FileHash: .50, security.Process: .50, security.OAuthApplication: .50,
			security.MailCluster: .40,
			Detection:            .35,
			security.IP:          .25,
		},
		Hub: 12, Half: 4, PeerWindow: 48 * schema.Hour, Decay: 24 * schema.Hour, Repeating: 10 * schema.Minute,
		Join: .30, Merge: .35, Strong: .30, StrongTogether: .18,
		SameDetector: 1.15, NextStage: 1.05, Neither: .90,
		Pieces: 64, Visits: 8, Peers: 24,
	}
}

// Linking is the first rule: bounded evidence linking.
type Linking struct {
	p    Parameters
	rank map[string]int // of a tactic in the kill chain
}

// New makes the rule.
func New(p Parameters) Linking {
	rank := map[string]int{}
	for i, tactic := range security.Tactics() {
		rank[tactic] = i
	}
	return Linking{p: p, rank: rank}
}

// Judge decides where an alert goes.
func (l Linking) Judge(s Sight, n Neighbourhood) Verdict {
	links := l.links(s, n)
	v := Verdict{Join: n.Home, Link: Link{Alert: s.Alert, Incident: n.Home, Rule: l.p.Version}}
	for _, link := range links {
		if link.Incident == n.Home {
			v.Link = link
		}
	}
	if v.Join == "" {
		for _, link := range links {
			if standing, _ := n.Standing(link.Incident); standing.Open && link.Score >= l.p.Join {
				v.Join, v.Link = link.Incident, link
				break
			}
		}
	}
	for _, link := range links {
		if v.Join != "" && link.Incident != v.Join && link.Score >= l.p.Merge {
			v.Merges = append(v.Merges, link)
		}
	}
	return v
}

// links weighs the evidence for every incident around, best first, and keeps
// those whose evidence is strong enough to mean anything.
func (l Linking) links(s Sight, n Neighbourhood) []Link {
	evidence := map[string][]Via{}
	for _, p := range s.Pieces {
		for incident, via := range l.weigh(p, s, n) {
			evidence[incident] = append(evidence[incident], via)
		}
	}
	var links []Link
	for incident, via := range evidence {
		standing, known := n.Standing(incident)
		if !known || !l.strong(via) {
			continue
		}
		context := l.context(s, standing)
		links = append(links, Link{Alert: s.Alert, Incident: incident, Via: via, Context: context, Score: Score(via, context), Rule: l.p.Version})
	}
	slices.SortFunc(links, func(a, b Link) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(len(a.Incident), len(b.Incident)), cmp.Compare(a.Incident, b.Incident))
	})
	return links
}

// Score is the score of a link: the chance that at least one piece of
// evidence tells the truth, times the context's factor.
func Score(via []Via, context float64) float64 {
	miss := 1.0
	for _, v := range via {
		miss *= 1 - v.Weight
	}
	return (1 - miss) * context
}

// least is the weight below which a piece of evidence is left out.
const least = .05

// weigh gives what one piece says for each incident in which it was seen: the
// best of its keys.
func (l Linking) weigh(p Piece, s Sight, n Neighbourhood) map[string]Via {
	degree := 0
	for _, key := range p.Keys {
		degree = max(degree, l.degree(n.Memories[key], p, s))
	}
	if degree > l.p.Hub {
		return nil
	}
	damped := l.p.Base[p.Kind] / (1 + float64(max(0, degree-1))/l.p.Half)
	decay := l.p.Decay
	if p.Kind == Detection {
		decay = l.p.Repeating
	}
	best := map[string]Via{}
	for _, key := range p.Keys {
		for _, v := range n.Memories[key].Visits {
			gap := max(0, int64(s.First)-v.Last, v.First-int64(s.Last))
			w := damped * math.Exp(-float64(gap)/float64(decay))
			if w < least {
				continue
			}
			if in, ok := n.Standing(v.Incident); ok && w > best[in.Incident].Weight {
				best[in.Incident] = Via{Key: key, Kind: p.Kind, Degree: degree, Gap: gap, Weight: w}
			}
		}
	}
	return best
}

// degree counts the assets that a key was seen with around the alert's time.
func (l Linking) degree(m Memory, p Piece, s Sight) int {
	n, own := 0, digests(p.Keys)
	for _, peer := range m.Peers {
		if int64(s.First)-peer.Seen <= int64(l.p.PeerWindow) && !meets(peer.Keys, own) {
			n++
		}
	}
	return n
}

// digests are short forms of keys, enough to tell a few dozen peers apart.
func digests(keys []string) []uint32 {
	out := make([]uint32, len(keys))
	for i, k := range keys {
		h := fnv.New32a()
		h.Write([]byte(k))
		out[i] = h.Sum32()
	}
	return out
}

func meets(a, b []uint32) bool {
	return slices.ContainsFunc(a, func(k uint32) bool { return slices.Contains(b, k) })
}

// strong tells whether evidence can carry a link: one good piece, or two of
// different kinds of which one is fair. Many weak ones never do.
func (l Linking) strong(via []Via) bool {
	best, kinds := 0.0, map[security.Kind]bool{}
	for _, v := range via {
		best = max(best, v.Weight)
		kinds[v.Kind] = true
	}
	return best >= l.p.Strong || len(kinds) >= 2 && best >= l.p.StrongTogether
}

// context is the factor for how the alert fits what the incident holds.
func (l Linking) context(s Sight, in Standing) float64 {
	if slices.Contains(in.Detectors, s.Detector) {
		return l.p.SameDetector
	}
	for _, tactic := range s.Tactics {
		if len(in.Tactics) > 0 && l.rank[tactic] > l.rank[in.Tactics[0]] && !slices.Contains(in.Tactics, tactic) {
			return l.p.NextStage
		}
	}
	return l.p.Neither
}

// Remember gives the memory of one key of piece p after the alert went into
// an incident.
func (l Linking) Remember(m Memory, s Sight, p Piece, incident string) Memory {
	m.Visits = visit(m.Visits, Visit{Incident: incident, First: int64(s.First), Last: int64(s.Last)})
	if over := len(m.Visits) - l.p.Visits; over > 0 {
		m.Visits = m.Visits[over:]
	}
	m.Peers = slices.Clone(m.Peers)
	for _, other := range s.Pieces {
		if other.Asset && !slices.Equal(other.Keys, p.Keys) {
			m.Peers = l.meet(m.Peers, Peer{Keys: digests(other.Keys), Seen: int64(s.Last)})
		}
	}
	return m
}

// meet notes a peer; the one not seen for longest makes room.
func (l Linking) meet(peers []Peer, p Peer) []Peer {
	out := make([]Peer, 0, len(peers)+1)
	for _, q := range peers {
		if !meets(q.Keys, p.Keys) {
			out = append(out, q)
			continue
		}
		p.Seen = max(p.Seen, q.Seen)
		for _, k := range q.Keys {
			if !slices.Contains(p.Keys, k) {
				p.Keys = append(p.Keys, k)
			}
		}
	}
	out = append(out, p)
	if len(out) <= l.p.Peers {
		return out
	}
	oldest := 0
	for i, q := range out {
		if q.Seen < out[oldest].Seen {
			oldest = i
		}
	}
	return slices.Delete(out, oldest, oldest+1)
}

// Keep is for how long after it was last added to a memory can matter.
func (l Linking) Keep() schema.Ticks { return 3 * max(l.p.Decay, l.p.PeerWindow) }
