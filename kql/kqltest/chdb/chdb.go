// Package chdb runs statements on ClickHouse's engine inside of a test. The
// engine is a shared library that `make clickhouse` installs beside this file; it is
// opened at run time, so nothing is linked to it and no product needs it.
package chdb

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

// The entry points that are used, by the names that the library exports.
static struct {
	void **(*connect)(int, char **);
	void *(*query)(void *, const char *, size_t, const char *, size_t, const char *const *, const size_t *, const char *const *, const size_t *, size_t);
	char *(*buffer)(void *);
	size_t (*length)(void *);
	const char *(*fault)(void *);
	void (*destroy)(void *);
	const char *(*version)(void);
	void (*signals)(int);
} chdb;

static const char *load(const char *file) {
	void *h = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!h) return dlerror();
	struct { void **to; const char *name; } entries[] = {
		{(void **)&chdb.connect, "chdb_connect"}, {(void **)&chdb.query, "chdb_query_with_params_n"},
		{(void **)&chdb.buffer, "chdb_result_buffer"}, {(void **)&chdb.length, "chdb_result_length"},
		{(void **)&chdb.fault, "chdb_result_error"}, {(void **)&chdb.destroy, "chdb_destroy_query_result"},
		{(void **)&chdb.version, "chdb_version"}, {(void **)&chdb.signals, "chdb_set_signal_handlers_enabled"},
	};
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		if (!(*entries[i].to = dlsym(h, entries[i].name))) return entries[i].name;
	chdb.signals(0); // signals are the Go runtime's
	return 0;
}

static void *open_engine(void) {
	char *argv[] = {"clickhouse"};
	void **c = chdb.connect(1, argv);
	return c ? *c : 0;
}

static void *run(void *conn, const char *sql, size_t n, const char *const *names, const size_t *name_lens, const char *const *values, const size_t *value_lens, size_t count) {
	return chdb.query(conn, sql, n, "JSONCompactEachRow", 18, names, name_lens, values, value_lens, count);
}
static const char *fault(void *r) { return chdb.fault(r); }
static char *buffer(void *r) { return chdb.buffer(r); }
static size_t length(void *r) { return chdb.length(r); }
static void destroy(void *r) { chdb.destroy(r); }
*/
import "C"

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// ErrMissing says that the library isn't installed.
var ErrMissing = errors.New("ClickHouse's library isn't installed: make clickhouse")

// Library is where the library is installed: in the folder of this package.
func Library() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
}

// Engine is the one engine of this process: the library holds no second.
type Engine struct {
	mu   sync.Mutex
	conn unsafe.Pointer
}

var open = sync.OnceValues(func() (*Engine, error) {
	file := Library()
	if _, err := os.Stat(file); err != nil {
		return nil, ErrMissing
	}
	name := C.CString(file)
	defer C.free(unsafe.Pointer(name))
	if why := C.load(name); why != nil {
		return nil, errors.New("open " + file + ": " + C.GoString(why))
	}
	conn := C.open_engine()
	if conn == nil {
		return nil, errors.New("ClickHouse's engine doesn't start")
	}
	e := &Engine{conn: conn}
	_, err := e.Query("SET output_format_json_quote_denormals = 1", nil)
	return e, err
})

// Open starts the engine, in memory, or gives the one that runs; ErrMissing without the library.
func Open() (*Engine, error) { return open() }

// escaped is how a parameter's text is written: as a field of tab-separated values.
var escaped = strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "\r", "\\r", "\x00", "\\0", "\b", "\\b", "\f", "\\f", "'", "\\'")

// Query runs a statement with its parameters by name and gives the answer's
// text: a JSON array a row, one a line.
func (e *Engine) Query(sql string, params map[string]string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var free []unsafe.Pointer
	keep := func(s string) (*C.char, C.size_t) {
		p := C.CString(s)
		free = append(free, unsafe.Pointer(p))
		return p, C.size_t(len(s))
	}
	defer func() {
		for _, p := range free {
			C.free(p)
		}
	}()
	size := C.size_t(max(1, len(params))) * C.size_t(unsafe.Sizeof(uintptr(0)))
	block := func() unsafe.Pointer {
		p := C.malloc(size)
		free = append(free, p)
		return p
	}
	names, values := block(), block()
	nameLens, valueLens := block(), block()
	i := 0
	for k, v := range params {
		unsafe.Slice((**C.char)(names), len(params))[i], unsafe.Slice((*C.size_t)(nameLens), len(params))[i] = keep(k)
		unsafe.Slice((**C.char)(values), len(params))[i], unsafe.Slice((*C.size_t)(valueLens), len(params))[i] = keep(escaped.Replace(v))
		i++
	}
	text, n := keep(sql)
	r := C.run(e.conn, text, n, (**C.char)(names), (*C.size_t)(nameLens), (**C.char)(values), (*C.size_t)(valueLens), C.size_t(len(params)))
	if r == nil {
		return "", errors.New("ClickHouse gave no answer")
	}
	defer C.destroy(r)
	if why := C.fault(r); why != nil && *why != 0 {
		return "", errors.New(C.GoString(why))
	}
	return C.GoStringN(C.buffer(r), C.int(C.length(r))), nil
}
