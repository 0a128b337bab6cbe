// Package file knows recordings in a folder: which file holds what, when each
// record was published, and how to read all files as one stream in the order
// of time with bounded memory. Two layouts: what sample.Tenant.WriteFolder
// writes, and a recorded tenant (defender/ with Event Hub records, sentinel/
// with flat rows, among them SecurityAlert). It also reads the incidents that
// a recorded tenant really had. It leaves sending to source/replay, and a
// record that is broken to whoever takes it in: it is handed over as it is.
package file

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"lockstep/fault"
	"lockstep/schema"
	"lockstep/source"
)

// Folder is a folder of recordings. Make it with Open.
type Folder struct {
	dir    string
	name   string
	whole  bool // written by sample: every file is in order
	files  []recording
	counts map[string]int64 // records by file, if a manifest says
}

// recording is one file of lines.
type recording struct {
	path  string // inside the folder, with slashes
	kind  source.Kind
	shape source.Shape
	table string
	times []schema.Ticks // of alerts, when a manifest has them
	// divided marks the SecurityAlert table of a recorded tenant: its rows are
	// alerts of the XDR products and rows of the workspace's own rules.
	divided bool
}

// manifest is the part of a sample's sample.json that reading needs.
type manifest struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	Files  map[string]struct {
		Records int64          `json:"records"`
		Times   []schema.Ticks `json:"times"`
	} `json:"files"`
}

// Open looks at a folder. The error is NotFound if there is no such folder and
// Invalid if it holds no recording.
func Open(dir string) (*Folder, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fault.New(fault.NotFound, "open recording: there is no folder %s", dir)
	}
	f := &Folder{dir: dir, counts: map[string]int64{}}
	m, err := f.manifest()
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		folder string
		kind   source.Kind
	}{{"defender", source.Event}, {"sentinel", source.Row}, {"alerts", source.Alert}, {".", source.Event}} {
		if part.folder == "." && len(f.files) > 0 {
			break // single tables in the folder itself count only where there are no parts
		}
		if err := f.collect(part.folder, part.kind, m); err != nil {
			return nil, err
		}
	}
	if len(f.files) == 0 {
		return nil, fault.New(fault.Invalid, "open recording: %s holds none; wanted: defender/<Table>.ndjson.gz, sentinel/<Table>.ndjson.gz or alerts/<shape>.ndjson.gz", dir)
	}
	f.name, f.whole = m.Name, m.Name != ""
	if f.name == "" {
		if f.name, err = f.fingerprint(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Folder) manifest() (m manifest, err error) {
	data, err := os.ReadFile(filepath.Join(f.dir, "sample.json"))
	if os.IsNotExist(err) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err == nil && m.Format != 1 {
		err = fault.New(fault.Invalid, "format %d is unknown; this program reads format 1", m.Format)
	}
	if err != nil {
		return m, fmt.Errorf("open recording: %s: %w", filepath.Join(f.dir, "sample.json"), err)
	}
	return m, nil
}

// shapes are the alert files by name.
var shapes = map[string]source.Shape{"graph": source.Graph, "alertinfo": source.AlertInfo, "securityalert": source.SecurityAlert}

// collect lists the recordings of one part of the folder, by name.
func (f *Folder) collect(part string, kind source.Kind, m manifest) error {
	entries, err := os.ReadDir(filepath.Join(f.dir, part))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open recording: %w", err)
	}
	for _, e := range entries {
		table, isLines := strings.CutSuffix(strings.TrimSuffix(e.Name(), ".gz"), ".ndjson")
		if e.IsDir() || !isLines {
			continue
		}
		r := recording{path: path.Join(part, e.Name()), kind: kind, table: table}
		switch {
		case kind == source.Alert:
			shape, ok := shapes[table]
			if !ok {
				return fault.New(fault.Invalid, "open recording: %s: an alerts file is named graph, alertinfo or securityalert", r.path)
			}
			r.shape, r.table, r.times = shape, "", m.Files[r.path].Times
		case kind == source.Row && table == "SecurityIncident":
			continue // what the real service made of it: History, not something to take in
		case kind == source.Row && table == "SecurityAlert":
			r.divided = true
		}
		if entry, ok := m.Files[r.path]; ok {
			f.counts[r.path] = entry.Records
		}
		f.files = append(f.files, r)
	}
	sort.Slice(f.files, func(i, j int) bool { return f.files[i].path < f.files[j].path })
	return nil
}

// fingerprint names a recording by its files and their sizes, wherever it lies.
func (f *Folder) fingerprint() (string, error) {
	h := sha256.New()
	for _, r := range f.files {
		info, err := os.Stat(filepath.Join(f.dir, filepath.FromSlash(r.path)))
		if err != nil {
			return "", fmt.Errorf("open recording: %w", err)
		}
		fmt.Fprintln(h, r.path, info.Size())
	}
	return "recording-" + hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// Name is the sample's name, or a fingerprint of a recorded tenant's files.
func (f *Folder) Name() string { return f.name }

// Dir is the folder.
func (f *Folder) Dir() string { return f.dir }
