package reconcile

import (
	"slices"
	"strconv"

	"lockstep/connector/port"
	"lockstep/security"
)

// WordForWord reports whether comments can be told apart by their words alone,
// because one of the ends doesn't keep the ids given.
func WordForWord(xdr, workspace port.Capabilities) bool {
	return !xdr.CommentIDs || !workspace.CommentIDs
}

// ByWords gives comments of either side of a pair ids by what they say: the
// first, the second of the same words. So as many are on both sides; of the
// same words said on both at the same time nobody can say that they were two.
func ByWords(pair string, comments []security.Comment) []security.Comment {
	named := slices.Clone(comments)
	often := map[string]int{}
	for i, c := range named {
		often[c.Text]++
		named[i].ID = wordID(pair, c.Text, often[c.Text])
	}
	return named
}

// wordID is the id of a comment that says a text for the n-th time.
func wordID(pair, text string, n int) string {
	return security.DerivedID("comment by its words", pair+"\x00"+strconv.Itoa(n)+"\x00"+text)
}

// byWords has both sides' comments known by their words, where they must be.
func (in *Input) byWords() {
	if !WordForWord(in.XDRCan, in.WorkspaceCan) {
		return
	}
	in.XDR.Comments = ByWords(in.XDR.ID, in.XDR.Comments)
	if in.Workspace != nil {
		w := *in.Workspace
		w.Comments = ByWords(in.XDR.ID, w.Comments)
		in.Workspace = &w
	}
}

// said is how often the workspace has a comment that says a text.
func (d *decision) said(text string) (n int) {
	if d.in.Workspace == nil {
		return 0
	}
	for _, c := range d.in.Workspace.Comments {
		if c.Text == text {
			n++
		}
	}
	return n
}
