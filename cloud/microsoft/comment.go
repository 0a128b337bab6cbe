package microsoft

import (
	"fmt"
	"regexp"
	"strings"

	"lockstep/security"
)

// mostComment is the most characters of a comment. Source: facts 5.1.
const mostComment = 30_000

// signature ends a comment that this end wrote: who said it, when, and its id.
// Both APIs take the application for the author, and Graph gives comments no
// ids; the id is in the text, so that a comment is known again whoever reads it
// and wherever a merge copies it. Text is never compared.
var signature = regexp.MustCompile(`\n\n\[[^\n]*, lockstep ([A-Za-z0-9][A-Za-z0-9._-]{0,99})\]$`)

// signed is a comment's text as it is written to the other server.
func signed(c security.Comment) string {
	by := strings.Join(strings.Fields(c.Author.Name), " ")
	if by == "" {
		by = "somebody"
	}
	if r := []rune(by); len(r) > 200 {
		by = string(r[:200])
	}
	end := fmt.Sprintf("\n\n[%s, %s, lockstep %s]", by, c.Created.Time().Format("2006-01-02 15:04:05Z"), c.ID)
	const cut = "\n… (longer on the other side)"
	if r := []rune(c.Text); len(r)+len([]rune(end)) > mostComment {
		return string(r[:mostComment-len([]rune(end))-len([]rune(cut))]) + cut + end
	}
	return c.Text + end
}

// recognised gives comments that carry a signature their own ids. Author and
// text stay as the server shows them: who can comment there could write any.
func recognised(comments []security.Comment) []security.Comment {
	for i, c := range comments {
		if m := signature.FindStringSubmatch(c.Text); m != nil {
			comments[i].ID = m[1]
		}
	}
	return comments
}
