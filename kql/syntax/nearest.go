package syntax

import "strings"

// Nearest gives the name most like word, or "" when none is near: used to
// say "did you mean".
func Nearest(word string, names []string) string {
	best, score := "", 1+len(word)/3
	for _, n := range names {
		d := distance(strings.ToLower(word), strings.ToLower(n), score)
		if d < score || d == score && best != "" && n < best {
			best, score = n, d
		}
	}
	return best
}

// distance is the edit distance of a and b, or more than most.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most || len(a) > 100 {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
