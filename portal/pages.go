package portal

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// pages hands out the built files, and index.html for every address of a page.
type pages struct{ files fs.FS }

func newPages(files fs.FS) *pages { return &pages{files} }

// pagePaths are the addresses that the pages' own router answers: exact, or
// with everything below where they end in a slash.
var pagePaths = []string{"/incidents", "/incidents/", "/workspaces/", "/connector", "/connector/", "/hunting", "/signin"}

func isPage(name string) bool {
	for _, p := range pagePaths {
		if name == p || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// types of the files that a build makes, so that they don't depend on the machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".json": "application/json", ".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8",
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
		return
	}
	name := path.Clean(r.URL.Path)
	if name == "/" {
		http.Redirect(w, r, "/incidents", http.StatusFound)
		return
	}
	if isPage(name) {
		name = "/index.html"
	}
	f, err := p.open(strings.TrimPrefix(name, "/"))
	switch {
	case err == nil:
	case name == "/index.html":
		http.Error(w, "portal not built: run make web", http.StatusServiceUnavailable)
		return
	default:
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	kind, ok := types[path.Ext(name)]
	if !ok {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "/assets/") { // named by their content
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.data
	if f.zipped {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
		} else if body, err = unzip(body); err != nil {
			http.Error(w, "the portal's build is damaged: run make web", http.StatusInternalServerError)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

type file struct {
	data   []byte
	zipped bool
}

// open finds a file, or its compressed form, which a release build has alone.
// Names that start with a dot are no part of the pages.
func (p *pages) open(name string) (file, error) {
	if p.files == nil || strings.HasPrefix(path.Base(name), ".") {
		return file{}, fs.ErrNotExist
	}
	data, err := fs.ReadFile(p.files, name+".gz")
	if err == nil {
		return file{data, true}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return file{}, err
	}
	data, err = fs.ReadFile(p.files, name)
	return file{data, false}, err
}

func acceptsGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(coding, "gzip") && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}

func unzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
