package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// progress shows how far a part is: one line that is written over on a
// terminal, else a line every few seconds.
type progress struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex
	what  string
	n, of int
	began time.Time
	last  time.Time
}

func newProgress(f *os.File) *progress {
	info, err := f.Stat()
	return &progress{out: f, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// begin starts a part of so many steps.
func (p *progress) begin(what string, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.n, p.of, p.began, p.last = what, 0, of, time.Now(), time.Time{}
}

// step counts one.
func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	pause := 5 * time.Second
	if p.terminal {
		pause = 100 * time.Millisecond
	}
	if p.n < p.of && time.Since(p.last) < pause || p.of == 0 {
		return
	}
	p.last = time.Now()
	start, end := "", "\n"
	if p.terminal {
		start = "\r\x1b[K"
		if p.n < p.of {
			end = ""
		}
	}
	fmt.Fprintf(p.out, "%s%s %d/%d, %s%s", start, p.what, p.n, p.of, time.Since(p.began).Round(time.Second), end)
}
