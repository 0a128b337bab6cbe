package emit

// sessions says row_window_session: a row begins a session where the row before
// is too far, where the text says so, or where the session's first row is too far. The
// first two are breaks that a running count finds; the third is found within them.
func (s *sel) sessions(args []frag, order string) frag {
	t := s.hoist(args[0])
	if order == "" {
		order = "ORDER BY 1"
	}
	broken := text("CASE WHEN " + t.text + " - lag(" + t.text + ") OVER (" + order + ") <= ").and(args[2])
	if len(args) > 3 {
		broken = broken.and(text(" AND NOT coalesce(")).and(args[3]).and(text(", false)"))
	}
	broken = broken.and(text(" THEN 0 ELSE 1 END"))
	broken.level = max(broken.level, t.level)
	flag := s.hoist(broken)
	part := s.hoist(frag{text: "sum(" + flag.text + ") OVER (" + order + " ROWS UNBOUNDED PRECEDING)", level: flag.level})
	f := s.e.say("row_window_session", t, part, text(order), args[1])
	f.level = max(f.level, part.level)
	return f
}
