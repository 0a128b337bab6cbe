package sample

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"lockstep/schema"
	"lockstep/source"
)

// Manifest is sample.json: what a written sample consists of.
type Manifest struct {
	Format int                     `json:"format"` // 1
	Name   string                  `json:"name"`   // as Tenant.Name
	Seed   uint64                  `json:"seed"`
	Rows   int64                   `json:"rows"`
	Days   int                     `json:"days"`
	Begin  schema.Ticks            `json:"begin"`
	End    schema.Ticks            `json:"end"`
	Total  int64                   `json:"records"`
	Files  map[string]ManifestFile `json:"files"` // by path, with slashes
}

// ManifestFile is one file of a written sample.
type ManifestFile struct {
	Records int64 `json:"records"`
	// Times are when each record of an alerts file is sent, which an alert's
	// body doesn't always say (a repeat is the same body later).
	Times []schema.Ticks `json:"times,omitempty"`
}

// WriteFolder writes the sample as a folder of recordings: defender/ (Event Hub
// records), sentinel/ (flat rows), alerts/ (one file a shape), truth.json and
// sample.json. The folder must not hold a sample yet. progress, if not nil, is
// told the number of records written so far.
func (t *Tenant) WriteFolder(dir string, progress func(records int64)) (err error) {
	if _, err := os.Stat(filepath.Join(dir, "sample.json")); err == nil {
		return fmt.Errorf("write sample: %s holds a sample already", dir)
	}
	files := map[string]*lineFile{}
	defer func() {
		for _, f := range files {
			f.file.Close() // after an error; else they are closed already
		}
	}()
	m := Manifest{Format: 1, Name: t.Name(), Seed: t.options.Seed, Rows: t.options.Rows, Days: t.options.Days, Begin: t.begin,
		End: t.begin + schema.Ticks(t.options.Days)*schema.Day, Files: map[string]ManifestFile{}}
	err = t.Records(func(r source.Record) error {
		f := files[r.File]
		if f == nil {
			if f, err = newLineFile(filepath.Join(dir, filepath.FromSlash(r.File))); err != nil {
				return err
			}
			files[r.File] = f
		}
		entry := m.Files[r.File]
		entry.Records++
		if r.Kind == source.Alert {
			entry.Times = append(entry.Times, r.Time)
		}
		m.Files[r.File] = entry
		m.Total++
		if progress != nil && m.Total%10_000 == 0 {
			progress(m.Total)
		}
		return f.add(r.Body)
	})
	if err != nil {
		return fmt.Errorf("write sample to %s: %w", dir, err)
	}
	for name, f := range files {
		if err := f.close(); err != nil {
			return fmt.Errorf("write sample file %s: %w", name, err)
		}
	}
	if err := writeJSON(filepath.Join(dir, "truth.json"), t.Truth()); err != nil {
		return err
	}
	if progress != nil {
		progress(m.Total)
	}
	return writeJSON(filepath.Join(dir, "sample.json"), m) // last: a folder with it is whole
}

// lineFile is a compressed file of JSON lines.
type lineFile struct {
	file *os.File
	buf  *bufio.Writer
	zip  *gzip.Writer
}

func newLineFile(path string) (*lineFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	return &lineFile{file: f, zip: z, buf: bufio.NewWriterSize(z, 64<<10)}, nil
}

func (f *lineFile) add(body []byte) error {
	if _, err := f.buf.Write(body); err != nil {
		return err
	}
	return f.buf.WriteByte('\n')
}

func (f *lineFile) close() error {
	for _, deed := range []func() error{f.buf.Flush, f.zip.Close, f.file.Close} {
		if err := deed(); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(path string, v any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	e := json.NewEncoder(io.Writer(f))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
