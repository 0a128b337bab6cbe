package native

import (
	"regexp"
	"strings"
	"sync"
)

// agentRule says what a user agent text is by an expression whose groups are
// the parts of a version. The first that matches wins.
type agentRule struct{ family, pattern string }

// browserRules and systemRules are in the order in which they must be tried:
// most texts name several older browsers too.
var (
	browserRules = []agentRule{
		{"Edge", `(?:Edge|EdgA|EdgiOS|Edg)/(\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Opera", `(?:OPR|Opera)/(\d+)(?:\.(\d+))?(?:\.(\d+))?`},
		{"Samsung Internet", `SamsungBrowser/(\d+)(?:\.(\d+))?`}, {"Firefox iOS", `FxiOS/(\d+)(?:\.(\d+))?`}, {"Chrome Mobile iOS", `CriOS/(\d+)(?:\.(\d+))?(?:\.(\d+))?`},
		{"Firefox Mobile", `Mobile;.*Firefox/(\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Firefox", `Firefox/(\d+)(?:\.(\d+))?(?:\.(\d+))?`},
		{"HeadlessChrome", `HeadlessChrome/(\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Chrome Mobile", `Chrome/(\d+)(?:\.(\d+))?(?:\.(\d+))?.* Mobile`}, {"Chrome", `Chrome/(\d+)(?:\.(\d+))?(?:\.(\d+))?`},
		{"IE", `MSIE (\d+)(?:\.(\d+))?`}, {"IE", `Trident/.*rv:(\d+)(?:\.(\d+))?`}, {"Mobile Safari", `Version/(\d+)(?:\.(\d+))?(?:\.(\d+))?.*Mobile.*Safari/`}, {"Safari", `Version/(\d+)(?:\.(\d+))?(?:\.(\d+))?.*Safari/`},
		{"curl", `curl/(\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Wget", `Wget/(\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Python Requests", `python-requests/(\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Go-http-client", `Go-http-client/(\d+)(?:\.(\d+))?`},
	}
	systemRules = []agentRule{
		{"Windows Phone", `Windows Phone(?: OS)? (\d+)(?:\.(\d+))?`}, {"Windows 10", `Windows NT 10\.0`}, {"Windows 8.1", `Windows NT 6\.3`}, {"Windows 8", `Windows NT 6\.2`}, {"Windows 7", `Windows NT 6\.1`},
		{"Windows Vista", `Windows NT 6\.0`}, {"Windows XP", `Windows NT 5\.1`}, {"Android", `Android (\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"iOS", `(?:iPhone|iPad|iPod).* OS (\d+)(?:_(\d+))?(?:_(\d+))?`},
		{"Mac OS X", `Mac OS X (\d+)(?:[._](\d+))?(?:[._](\d+))?`}, {"Chrome OS", `CrOS \S+ (\d+)(?:\.(\d+))?(?:\.(\d+))?`}, {"Ubuntu", `Ubuntu`}, {"Linux", `Linux`},
	}
	deviceRules = []agentRule{{"iPhone", `iPhone`}, {"iPad", `iPad`}, {"iPod", `iPod`}, {"Mac", `Macintosh`}, {"Spider", `(?i:bot|spider|crawler)\b`}}
)

type compiledRule struct {
	family string
	re     *regexp.Regexp
}

var agentRules = sync.OnceValue(func() (out [3][]compiledRule) {
	for i, list := range [][]agentRule{browserRules, systemRules, deviceRules} {
		for _, r := range list {
			out[i] = append(out[i], compiledRule{r.family, regexp.MustCompile(r.pattern)})
		}
	}
	return out
})

func findAgent(list []compiledRule, s string) (string, []string) {
	for _, r := range list {
		if m := r.re.FindStringSubmatch(s); m != nil {
			return r.family, append(m[1:], "", "", "")
		}
	}
	return "Other", []string{"", "", ""}
}

// userAgent says what a browser calls itself: its own name and version, its
// system's, its device's, as asked for.
// Source: Kusto, parse_user_agent, on the shape of the result.
func userAgent(a []any) any {
	s := str(a[0])
	if len(s) > 4096 {
		s = s[:4096]
	}
	wanted := map[string]bool{}
	if len(a) < 2 {
		wanted = map[string]bool{"browser": true, "os": true, "device": true}
	} else if list, ok := array(a[1]); ok {
		for _, v := range list {
			wanted[strings.ToLower(plain(v))] = true
		}
	} else if v, ok := read(str(a[1])); ok {
		wanted[strings.ToLower(plain(v))] = true
	}
	rules := agentRules()
	out := newObject()
	version := func(family string, parts []string, names ...string) *object {
		o := newObject()
		o.set("Family", family)
		for i, n := range names {
			o.set(n, parts[i])
		}
		return o
	}
	if wanted["browser"] {
		family, parts := findAgent(rules[0], s)
		out.set("Browser", version(family, parts, "MajorVersion", "MinorVersion", "Patch"))
	}
	if wanted["os"] {
		family, parts := findAgent(rules[1], s)
		o := version(family, parts, "MajorVersion", "MinorVersion", "Patch")
		o.set("PatchMinor", "")
		out.set("OperatingSystem", o)
	}
	if wanted["device"] {
		family, _ := findAgent(rules[2], s)
		o := newObject()
		brand, model := "", ""
		if family != "Other" && family != "Spider" {
			brand, model = "Apple", family
		} else if family == "Spider" {
			brand, model = "Spider", "Desktop"
		}
		o.set("Family", family)
		o.set("Brand", brand)
		o.set("Model", model)
		out.set("Device", o)
	}
	return write(out)
}
