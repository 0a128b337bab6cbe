package sqlite

import "fmt"

// LimitPages makes the file full at a number of pages.
func LimitPages(s *Store, pages int) {
	if err := s.writer.exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		panic(err)
	}
}
