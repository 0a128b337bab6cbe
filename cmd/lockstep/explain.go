package main

import (
	"fmt"
	"strings"
	"time"

	"lockstep/api/control"
)

// printExplained shows how a query was answered, as text or as one object.
func (s *shell) printExplained(e *control.Explained) error {
	if s.format == "json" {
		return s.printJSON(e)
	}
	_, err := s.out.WriteString(explanation(e))
	return err
}

// explanation writes an explanation as text. What attackers may have written
// stands in constants: nothing of it reaches the terminal as it is.
func explanation(e *control.Explained) string {
	var b strings.Builder
	lines := func(indent, text string) {
		for line := range strings.Lines(text) {
			b.WriteString(indent + printable(strings.TrimSuffix(line, "\n")) + "\n")
		}
	}
	b.WriteString("Plan\n")
	lines("  ", e.Plan.String())
	b.WriteString("\nStages\n")
	for i, stage := range e.Stages {
		if stage.Go != "" {
			fmt.Fprintf(&b, "  %d. Go: %s over the rows of %s, called by the statement\n", i+1, stage.Go, counted(stage.Reads, "table"))
			continue
		}
		fmt.Fprintf(&b, "  %d. SQL, with %s\n", i+1, counted(len(stage.Args), "value"))
		lines("     ", stage.SQL)
		for k, a := range stage.Args {
			text := fmt.Sprint(a)
			if t, ok := a.(string); ok {
				text = fmt.Sprintf("%q", t)
			}
			lines("     ", fmt.Sprintf("?%d = %s", k+1, text))
		}
	}
	b.WriteString("\nRead\n")
	if len(e.Scanned) == 0 {
		b.WriteString("  no table\n")
	}
	for _, t := range e.Scanned {
		fmt.Fprintf(&b, "  %s: %s, %s\n", printable(t.Table), counted(int(t.Rows), "row"), counted(t.Segments, "segment"))
	}
	millis := func(ms float64) time.Duration {
		return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Microsecond)
	}
	fmt.Fprintf(&b, "\nCompiled in %s, ran in %s, gave %s\n", millis(e.CompileMillis), millis(e.RunMillis), counted(e.Rows, "row"))
	return b.String()
}
