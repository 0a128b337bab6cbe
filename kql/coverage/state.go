package coverage

import (
	"io/fs"
)

// State says how a word's answers are known to be right.
type State string

// The states, the surest first.
const (
	Recorded   State = "engine case"                 // an answer that the engine gave
	Published  State = "documentation example"       // an answer that its documentation prints
	Own        State = "own case from documentation" // an answer worked out from what the documentation says
	Refused    State = "refused"                     // nothing is answered: the compiler says that it isn't supported
	Unverified State = "unverified"                  // it answers, and nothing shows that it answers right
)

// States lists the states in order.
func States() []State { return []State{Recorded, Published, Own, Refused, Unverified} }

// Entry is a word and how it is known.
type Entry struct {
	Word
	State  State
	Source string // a published case's id, or a file; empty for none
}

// Entries gives every word's state. dir is kql/testdata; refused tells whether
// the compiler refuses a word, and is asked only about words without a case.
func Entries(dir fs.FS, refused func(Word) bool) (out []Entry, err error) {
	published, err := Listed(dir, VerifiedFile)
	if err != nil {
		return nil, err
	}
	elsewhere, err := Listed(dir, ElsewhereFile)
	if err != nil {
		return nil, err
	}
	cases, err := Cases(dir)
	if err != nil {
		return nil, err
	}
	for _, w := range Words() {
		e := Entry{Word: w, State: Unverified}
		switch {
		case published[w] != "" && !Documented(published[w]):
			e.State, e.Source = Recorded, published[w]
		case published[w] != "":
			e.State, e.Source = Published, published[w]
		case cases[w] != "":
			e.State, e.Source = Own, "kql/testdata/"+cases[w]
		case elsewhere[w] != "":
			e.State, e.Source = Own, elsewhere[w]
		case refused(w):
			e.State = Refused
		}
		out = append(out, e)
	}
	return out, nil
}
