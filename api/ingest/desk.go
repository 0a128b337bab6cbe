package ingest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"lockstep/fault"
	"lockstep/rows"
	"lockstep/schema"
)

// desk is where deliveries are read and turned into columns. Large ones take
// turns: one less at a time than there are processors, so that the store, the
// connector and whoever asks for something get theirs.
type desk struct {
	turns  chan *clerk
	stored sync.Map // *schema.Table → how its rows are kept
	bodies sync.Pool
	schema *schema.Catalog
}

// clerk is the decoders of one turn; they keep their buffers. Each side has
// its own, for a table's name may mean another table on the other side.
type clerk struct{ events, rows *rows.Decoder }

func newDesk(catalog *schema.Catalog) *desk {
	d := &desk{schema: catalog, turns: make(chan *clerk, max(1, runtime.GOMAXPROCS(0)-1))}
	for range cap(d.turns) {
		d.turns <- d.clerk()
	}
	return d
}

func (d *desk) clerk() *clerk {
	return &clerk{rows: rows.NewDecoder(nil), events: rows.NewDecoder(func(name string) (*schema.Table, bool) {
		t, ok := d.schema.Table(schema.XDR, name)
		if !ok {
			return nil, false
		}
		return d.keep(t), true
	})}
}

// keep gives the table as its rows are kept, the same one every time.
func (d *desk) keep(t *schema.Table) *schema.Table {
	if known, ok := d.stored.Load(t); ok {
		return known.(*schema.Table)
	}
	known, _ := d.stored.LoadOrStore(t, rows.Stored(t))
	return known.(*schema.Table)
}

// small deliveries don't wait for their turn.
const small = 256 << 10

// decode lets a clerk read a body.
func (d *desk) decode(body []byte, read func(*clerk) ([]*rows.Batch, []rows.Refusal)) ([]*rows.Batch, []rows.Refusal) {
	if len(body) <= small {
		return read(d.clerk())
	}
	c, next := <-d.turns, d.clerk() // should a defect end the reading halfway, c is in no state to go on
	defer func() { d.turns <- next }()
	batches, refused := read(c)
	next = c
	return batches, refused
}

// large bodies share buffers.
const large = 4 << 20

// body reads a request's body, inflated. It is valid until release.
func (d *desk) body(r *http.Request) (body []byte, release func(), err error) {
	var b *bytes.Buffer
	room := int(min(max(r.ContentLength, 0), MaxBody)) + bytes.MinRead
	if room > large {
		b, _ = d.bodies.Get().(*bytes.Buffer)
	}
	if b == nil || b.Cap() < room { // one that is too small is let go
		b = bytes.NewBuffer(make([]byte, 0, room))
	}
	b.Reset()
	release = func() {
		if b.Cap() > large {
			d.bodies.Put(b)
		}
	}
	if err := fill(b, r); err != nil {
		release()
		return nil, nil, err
	}
	return b.Bytes(), release, nil
}

func fill(b *bytes.Buffer, r *http.Request) error {
	var from io.Reader = r.Body
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return fault.New(fault.Invalid, "the body isn't gzip although Content-Encoding says so: %w", err)
		}
		from = z
	}
	if _, err := b.ReadFrom(io.LimitReader(from, MaxBody+1)); err != nil {
		return fault.New(fault.Invalid, "read the body: %w", err)
	}
	if b.Len() > MaxBody {
		return fault.New(fault.Invalid, "the body is over %d MiB: send fewer records at once", MaxBody>>20)
	}
	if b.Len() < 64 && len(bytes.TrimSpace(b.Bytes())) == 0 {
		return fault.New(fault.Invalid, "the body is empty: send records as JSON, one a line, or as an array")
	}
	return nil
}
