package external_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lockstep/egress"
	"lockstep/fault"
	"lockstep/kql"
	"lockstep/query/external"
	"lockstep/schema"
)

// bodies are what the server answers, by path; functions misbehave.
var bodies = map[string]any{
	"/a.csv": "name,n,at,bag\n\"x, \"\"y\"\"\",1,2026-01-05,\"{\"\"k\"\":[1]}\"\n'; DROP TABLE x; --,no,never,plain\nshort\n",
	"/b.csv": "\xef\xbb\xbfx,2\n",
	"/a.tsv": "a\t1\n", "/a.psv": "a|1\n", "/a.scsv": "a;1\n",
	"/a.txt":     "one\r\ntwo, three\n\nfour",
	"/a.json":    "{\"name\":\"a\",\"n\":1}\n{\"n\":\"2\",\"bag\":{\"k\":null},\"other\":1}",
	"/multi":     "[{\"name\":\"a\",\"at\":\"2026-01-05T00:00:00Z\"},\n {\"name\":{\"in\":1},\"n\":1.5}]",
	"/deep.json": `[{"o":{"p q":[{"v":"found"}]},"n":7}]`,
	"/broken":    `[{"name":"a"`,
	"/a.csv.gz":  gzipped("z,9\n"),
	"/gzipped":   gzipped("g,8\n"),
	"/a.zip":     zipped(map[string]string{"in/one.csv": "p,1\n", "two.txt": "q\n"}),
	"/not.gz":    "this is no gzip", "/cut.gz": gzipped(strings.Repeat("long,1\n", 1000))[:30],
	"/bomb.gz": gzipped(strings.Repeat("0", 4<<20)),
	"/large":   strings.Repeat("x\n", 100_000),
	"/many":    strings.Repeat("x\n", 101),
	"/redirect": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://forbidden.example/x", http.StatusFound)
	}),
	"/missing": http.HandlerFunc(http.NotFound),
	"/slow":    http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() }),
	"/hangup": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "a,1\n")
	}),
	"/echo": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", r.Method+" "+r.Header.Get("X-Sent"))
		fmt.Fprintf(w, `{"body":%q}`, body)
	}),
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func zipped(files map[string]string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"in/one.csv", "two.txt"} {
		f, _ := w.Create(name)
		io.WriteString(f, files[name])
	}
	w.Close()
	return b.String()
}

func serve(t *testing.T) (url string, client *http.Client) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch body := bodies[r.URL.Path].(type) {
		case string:
			io.WriteString(w, body)
		case http.HandlerFunc:
			body(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	client, err := egress.New(egress.Options{Allow: []string{s.URL}, Within: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, MaxBody: 1 << 20, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return s.URL, client
}

var columns = []schema.Column{{Name: "name", Type: schema.String}, {Name: "n", Type: schema.Long}, {Name: "at", Type: schema.DateTime}, {Name: "bag", Type: schema.Dynamic}}

func fetch(ctx context.Context, f *external.Fetching, asked kql.External) (string, error) {
	batch, err := f.Rows(ctx, asked, schema.NewTable("x", "", asked.Columns))
	if err != nil {
		return "", err
	}
	var lines []string
	for i := range batch.N {
		var cells []string
		for c := range batch.Columns {
			cells = append(cells, batch.Columns[c].Print(i))
		}
		lines = append(lines, strings.TrimRight(strings.Join(cells, "~"), "~"))
	}
	return strings.Join(lines, "\n"), nil
}

func TestFormats(t *testing.T) {
	url, client := serve(t)
	for _, test := range []struct {
		paths, options string
		want           string
	}{
		{"/a.csv", "ignorefirstrecord", "x, \"y\"~1~2026-01-05T00:00:00.0000000Z~{\"k\":[1]}\n'; DROP TABLE x; --~~~\"plain\"\nshort"},
		{"/a.csv /b.csv", "ignorefirstrecord ignorelastrecord", "x, \"y\"~1~2026-01-05T00:00:00.0000000Z~{\"k\":[1]}\n'; DROP TABLE x; --~~~\"plain\""},
		{"/b.csv /a.tsv /a.psv /a.scsv", "", "x~2\na~1\na~1\na~1"},
		{"/b.csv?sv=1;managed_identity=system", "format=csv", "x~2"},
		{"/a.txt", "", "one\ntwo, three\n\nfour"},
		{"/a.txt", "format=TXT ignorefirstrecord", "two, three\n\nfour"},
		{"/b.csv", "format=raw", "x,2\n"},
		{"/a.json", "", "a~1\n~2~~{\"k\":null}"},
		{"/multi", "format=multijson", "a~~2026-01-05T00:00:00.0000000Z\n{\"in\":1}"},
		{"/deep.json", `ingestionmapping=[{"Column":"name","Properties":{"Path":"$.o['absent'][0].v"}},{"column":"n","path":"$.n"},{"Column":"bag","Properties":{"ConstValue":"c"}}]`, "~7~~\"c\""},
		{"/deep.json", `ingestionmapping=[{"Column":"name","Properties":{"Path":"$.o[\"p__q\"][0].v"}}]`, "found"},
		{"/b.csv", `ingestionmapping=[{"Column":"name","Properties":{"Ordinal":"1"}},{"Column":"n","Ordinal":1}]`, "2~2"},
		{"/a.csv.gz", "", "z~9"}, {"/gzipped", "format=csv", "g~8"}, {"/a.zip", "", "p~1\nq"},
	} {
		asked := kql.External{Operator: "externaldata", Columns: columns, Options: map[string]any{}}
		for _, p := range strings.Fields(test.paths) {
			asked.URIs = append(asked.URIs, url+p)
		}
		for _, o := range strings.Fields(test.options) {
			name, value, ok := strings.Cut(o, "=")
			asked.Options[name] = strings.ReplaceAll(value, "__", " ")
			if !ok {
				asked.Options[name] = true
			}
		}
		got, err := fetch(context.Background(), external.New(external.Options{Client: client}).Begin(), asked)
		if err != nil || got != test.want {
			t.Errorf("%s %s: %v\ngot  %q\nwant %q", test.paths, test.options, err, got, test.want)
		}
	}
}

// A server that misbehaves costs a bounded amount, and the error says what it did.
func TestMisbehaviour(t *testing.T) {
	url, client := serve(t)
	gone := errors("the caller is gone")
	for _, test := range []struct {
		path, format string
		kind         fault.Kind
		says         string
	}{
		{"/large", "txt", fault.Invalid, "may fetch 100000 bytes"},
		{"/many", "txt", fault.Invalid, "more than 100 rows"},
		{"/not.gz", "csv", fault.Invalid, "no gzip data"},
		{"/cut.gz", "csv", fault.Invalid, "unpack it"},
		{"/bomb.gz", "txt", fault.Invalid, "may fetch 100000 bytes"},
		{"/redirect?sig=secret", "csv", fault.Denied, "forbidden.example"},
		{"/missing?sig=secret", "csv", fault.Invalid, "404"},
		{"/hangup", "csv", fault.Unavailable, "broke off"},
		{"/broken", "json", fault.Invalid, "no JSON"},
		{"/a.csv", "avro", fault.Invalid, `"avro" isn't read here; there are csv,`},
		{"/slow", "csv", "", "the caller is gone"},
	} {
		ctx, cancel := context.WithCancelCause(context.Background())
		if test.path == "/slow" {
			ctx, cancel = context.WithCancelCause(context.Background())
			time.AfterFunc(20*time.Millisecond, func() { cancel(gone) })
		}
		f := external.New(external.Options{Client: client, MaxBytes: 100_000, MaxRows: 100}).Begin()
		_, err := fetch(ctx, f, kql.External{Operator: "externaldata", URIs: []string{url + test.path}, Columns: columns, Options: map[string]any{"format": test.format}})
		if err == nil || test.kind != "" && fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s %v, want it to say %q", test.path, fault.KindOf(err), err, test.says)
		}
		cancel(nil)
	}
}

type errors string

func (e errors) Error() string { return string(e) }

// Nothing is reached that isn't allowed, and the error names host and setting.
func TestNotAllowed(t *testing.T) {
	url, client := serve(t)
	for _, test := range []struct {
		uri    string
		client *http.Client
		kind   fault.Kind
		says   []string
	}{
		{"https://evil.example/x?sig=secret", client, fault.Denied, []string{"host evil.example", "query_hosts"}},
		{url + "/a.csv", nil, fault.Denied, []string{strings.TrimPrefix(url, "http://"), "query_hosts"}},
		{"file:///etc/passwd", client, fault.Invalid, []string{"https://"}},
		{"abfss://c@store.example/x", client, fault.Invalid, []string{"https://"}},
		{"/etc/passwd", client, fault.Invalid, []string{"https://"}},
		{"http://169.254.169.254/latest", client, fault.Denied, []string{"169.254.169.254"}},
	} {
		for _, operator := range []string{"externaldata", "http_request", "http_request_post"} {
			_, err := fetch(context.Background(), external.New(external.Options{Client: test.client}).Begin(), kql.External{Operator: operator, URIs: []string{test.uri}, Columns: columns})
			if !fault.Is(err, test.kind) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("%s of %s: %v", operator, test.uri, err)
			}
			for _, says := range append(test.says, operator) {
				if !strings.Contains(fmt.Sprint(err), says) {
					t.Errorf("%s of %s: %v doesn't say %q", operator, test.uri, err, says)
				}
			}
		}
	}
}

func TestRequests(t *testing.T) {
	url, client := serve(t)
	f := external.New(external.Options{Client: client, MaxAddresses: 3}).Begin()
	asked := kql.External{Operator: "http_request_post", URIs: []string{url + "/echo"}, Headers: `{"X-Sent":"h"}`, Content: "c",
		Columns: []schema.Column{{Name: "ResponseHeaders", Type: schema.Dynamic}, {Name: "ResponseBody", Type: schema.Dynamic}}}
	got, err := fetch(context.Background(), f, asked)
	if err != nil || !strings.Contains(got, `"X-Got":"POST h"`) || !strings.HasSuffix(got, `~{"body":"c"}`) {
		t.Errorf("%s, %v", got, err)
	}
	asked.Operator, asked.URIs = "http_request", []string{url + "/a.txt"}
	if got, err := fetch(context.Background(), f, asked); err != nil || !strings.HasSuffix(got, `~"one\r\ntwo, three\n\nfour"`) {
		t.Errorf("%s, %v", got, err)
	}
	asked.URIs = []string{url, url}
	if _, err := fetch(context.Background(), f, asked); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "may ask 3 addresses") {
		t.Errorf("too many addresses: %v", err)
	}
}
