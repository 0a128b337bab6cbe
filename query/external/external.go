// Package external fetches what a query asks other hosts for (externaldata,
// http_request) and makes typed rows of it. It knows the formats, and the
// bounds of size, rows and number. Where requests may go is decided by the
// client that it is given; without one, nowhere.
package external

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"lockstep/fault"
	"lockstep/kql"
	"lockstep/rows"
	"lockstep/schema"
)

// Setting is the server's setting that lists the hosts that queries may reach.
const Setting = "query_hosts"

// Options bound what is fetched. Zero limits take the defaults.
type Options struct {
	// Client reaches the hosts that are allowed and no others; nil: none.
	Client *http.Client

	MaxBytes     int64 // of one query's data, inflated: 32 MiB
	MaxRows      int   // of one table: 500,000
	MaxAddresses int   // of one query: 32
}

const (
	defaultBytes     = 32 << 20
	defaultRows      = 500_000
	defaultAddresses = 32
)

// Fetcher fetches for all queries.
type Fetcher struct{ o Options }

// New makes a fetcher.
func New(o Options) *Fetcher {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultBytes
	}
	if o.MaxRows <= 0 {
		o.MaxRows = defaultRows
	}
	if o.MaxAddresses <= 0 {
		o.MaxAddresses = defaultAddresses
	}
	return &Fetcher{o}
}

// Begin starts the fetching of one query: its bounds are over all that it asks.
func (f *Fetcher) Begin() *Fetching { return &Fetching{o: f.o, left: f.o.MaxBytes} }

// Fetching is what one query fetches. It serves one goroutine.
type Fetching struct {
	o         Options
	left      int64 // bytes
	addresses int
}

// Rows fetches what is asked for as rows of a table with its columns. A host
// that isn't allowed gives fault.Denied, one that can't be reached
// fault.Unavailable, an answer that is no use fault.Invalid.
func (f *Fetching) Rows(ctx context.Context, asked kql.External, t *schema.Table) (*rows.Batch, error) {
	batch, err := f.rows(ctx, asked, t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", asked.Operator, err)
	}
	return batch, nil
}

func (f *Fetching) rows(ctx context.Context, asked kql.External, t *schema.Table) (*rows.Batch, error) {
	if f.addresses += len(asked.URIs); f.addresses > f.o.MaxAddresses {
		return nil, fault.New(fault.Invalid, "a query may ask %d addresses, this one asks more", f.o.MaxAddresses)
	}
	if asked.Operator != "externaldata" {
		return f.request(ctx, asked, t)
	}
	d := &decoder{loose: rows.NewLoose(t), table: t, most: f.o.MaxRows}
	d.skipFirst, _ = asked.Options["ignorefirstrecord"].(bool)
	d.skipLast, _ = asked.Options["ignorelastrecord"].(bool)
	if mapping, _ := asked.Options["ingestionmapping"].(string); mapping != "" {
		if err := d.mapBy(mapping); err != nil {
			return nil, err
		}
	}
	format, _ := asked.Options["format"].(string)
	for _, uri := range asked.URIs {
		at, err := address(uri)
		if err != nil {
			return nil, err
		}
		_, body, err := f.get(ctx, "GET", at, nil, "")
		if err == nil {
			err = f.decode(d, at.Path, format, body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(at), err)
		}
	}
	return d.loose.Batch(), nil
}

// decode unpacks a body as its name and first bytes say, and reads it.
func (f *Fetching) decode(d *decoder, name, format string, body []byte) error {
	name = strings.ToLower(path.Base(name))
	switch {
	case bytes.HasPrefix(body, []byte("\x1f\x8b")) || strings.HasSuffix(name, ".gz"):
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return fault.New(fault.Invalid, "it is no gzip data: %w", err)
		}
		return f.inflated(d, strings.TrimSuffix(name, ".gz"), format, r)
	case bytes.HasPrefix(body, []byte("PK\x03\x04")) && format != "raw":
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return fault.New(fault.Invalid, "it is no zip archive: %w", err)
		}
		for _, file := range z.File {
			if file.FileInfo().IsDir() {
				continue
			}
			r, err := file.Open()
			if err == nil {
				err = errors.Join(f.inflated(d, file.Name, format, r), r.Close())
			}
			if err != nil {
				return fault.New(fault.Invalid, "file %q of the archive: %w", clip(file.Name), err)
			}
		}
		return nil
	}
	return d.read(name, format, body)
}

func (f *Fetching) inflated(d *decoder, name, format string, r io.Reader) error {
	body, err := f.all(r)
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			err = fault.New(fault.Invalid, "unpack it: %w", err)
		}
		return err
	}
	return d.read(strings.ToLower(path.Base(name)), format, body)
}

// all reads to the end, within what is left to the query.
func (f *Fetching) all(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, f.left+1))
	if err != nil {
		return nil, err
	}
	if f.left -= int64(len(body)); f.left < 0 {
		return nil, fault.New(fault.Invalid, "a query may fetch %d bytes, unpacked; this is more", f.o.MaxBytes)
	}
	return body, nil
}

// address reads what stands for an address: a URL, perhaps followed by ; and
// how to sign in to a store, which isn't done.
func address(uri string) (*url.URL, error) {
	text, _, _ := strings.Cut(strings.TrimSpace(uri), ";")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fault.New(fault.Invalid, "an address begins with https:// and a host; %q does not", clip(text))
	}
	u.User, u.Fragment = nil, ""
	return u, nil
}

// shown is an address without what may be secret in it.
func shown(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// get makes a request and reads its answer.
func (f *Fetching) get(ctx context.Context, method string, at *url.URL, headers map[string]string, content string) (*http.Response, []byte, error) {
	if f.o.Client == nil {
		return nil, nil, refused(at, errors.New("this server lets queries reach no other host"))
	}
	r, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(content))
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "%w", err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("User-Agent", "lockstep")
	res, err := f.o.Client.Do(r)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the address, which may hold a secret
	}
	switch {
	case ctx.Err() != nil:
		return nil, nil, context.Cause(ctx)
	case fault.Is(err, fault.Denied):
		return nil, nil, refused(at, err)
	case err != nil && fault.KindOf(err) != fault.Internal:
		return nil, nil, err
	case err != nil:
		return nil, nil, fault.New(fault.Unavailable, "it can't be reached: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return nil, nil, fault.New(fault.Invalid, "it answered %s", clip(res.Status))
	}
	body, err := f.all(res.Body)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if fault.KindOf(err) == fault.Internal {
			err = fault.New(fault.Unavailable, "its answer broke off: %w", err)
		}
		return nil, nil, err
	}
	return res, body, nil
}

// refused says what to do about a host that isn't allowed.
func refused(at *url.URL, err error) error {
	return fault.New(fault.Denied, "the host %s isn't one that queries may reach; who runs the server adds it to the setting %s (%w)", at.Host, Setting, err)
}

// request makes the one row that http_request answers with.
func (f *Fetching) request(ctx context.Context, asked kql.External, t *schema.Table) (*rows.Batch, error) {
	at, err := address(asked.URIs[0])
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	if asked.Headers != "" && json.Unmarshal([]byte(asked.Headers), &headers) != nil {
		return nil, fault.New(fault.Invalid, "the headers of a request are a bag of texts")
	}
	method := http.MethodGet
	if asked.Operator == "http_request_post" {
		method = http.MethodPost
	}
	res, body, err := f.get(ctx, method, at, headers, asked.Content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(at), err)
	}
	got := map[string]string{}
	for name := range res.Header {
		got[name] = res.Header.Get(name)
	}
	text, err := json.Marshal(got)
	if err != nil {
		return nil, err
	}
	loose := rows.NewLoose(t)
	loose.Text(0, text)
	loose.Text(1, body) // JSON where it is some, else a text
	loose.Next()
	return loose.Batch(), nil
}

// clip keeps messages short: names come from outside.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
