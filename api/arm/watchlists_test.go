package arm_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// body makes a request and gives the status and the whole answer.
func (h *house) body(method, target, body string, headers ...string) (int, map[string]any) {
	h.t.Helper()
	if !strings.HasPrefix(target, "/") {
		target = h.at + target
	}
	r := httptest.NewRequest(method, target+"?api-version=2025-09-01", strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			h.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
		}
	}
	return w.Code, out
}

// in finds a value by a path of names.
func in(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func TestWatchlists(t *testing.T) {
	h := serve(t)
	const properties = `"displayName":"VIPs","provider":"Microsoft","itemsSearchKey":"User"`
	status, got := h.body("PUT", "watchlists/vips", `{"properties":{`+properties+`,"source":"v.csv","sourceType":"Local","numberOfLinesToSkip":1,"contentType":"text/csv","rawContent":"# note\nUser,Tier\nann,0\nbob,1\n"}}`)
	if status != 201 || in(got, "name") != "vips" || in(got, "type") != "Microsoft.SecurityInsights/Watchlists" || in(got, "properties", "provisioningState") != "Succeeded" || in(got, "properties", "rawContent") != nil {
		t.Fatalf("%d %v", status, got)
	}
	etag, _ := in(got, "etag").(string)
	if status, got = h.body("GET", "Watchlists/VIPS/watchlistItems", ""); status != 200 || len(got["value"].([]any)) != 2 {
		t.Fatalf("%d %v", status, got)
	}
	item := got["value"].([]any)[0]
	id, _ := in(item, "name").(string)
	if in(item, "properties", "itemsKeyValue", "User") != "ann" {
		t.Errorf("%v", item)
	}
	if status, got = h.body("PUT", "watchlists/vips/watchlistItems/"+id, `{"properties":{"itemsKeyValue":{"User":"ann","Tier":2,"Extra":null}}}`); status != 200 || in(got, "properties", "itemsKeyValue", "Tier") != "2" {
		t.Errorf("%d %v", status, got)
	}
	if status, got = h.body("PUT", "watchlists/vips/watchlistItems/11111111-0000-4000-8000-000000000000", `{"properties":{"itemsKeyValue":{"User":"cem"}}}`); status != 201 {
		t.Errorf("%d %v", status, got)
	}
	if status, got = h.body("PUT", "watchlists/vips", `{"etag":"\"99\"","properties":{`+properties+`}}`); status != 409 {
		t.Errorf("an old etag: %d %v", status, got)
	}
	if status, got = h.body("PUT", "watchlists/vips", `{"properties":{`+properties+`,"description":"new"}}`, "If-Match", etag); status != 200 || in(got, "properties", "description") != "new" {
		t.Errorf("%d %v", status, got)
	}
	for _, wrong := range []string{`{"properties":{` + properties + `,"watchlistAlias":"other"}}`, `{"properties":{` + properties + `,"sourceType":"AzureStorage"}}`, `{"properties":{"displayName":"x"}}`} {
		if status, got = h.body("PUT", "watchlists/vips", wrong); status != 400 {
			t.Errorf("%s: %d %v", wrong, status, got)
		}
	}
	for _, gone := range []string{"watchlists/vips/watchlistItems/" + id, "watchlists/vips", "watchlists/vips"} {
		if status, _ = h.body("DELETE", gone, ""); status != 204 {
			t.Errorf("delete %s: %d", gone, status)
		}
	}
	if status, got = h.body("GET", "watchlists", ""); status != 200 || len(got["value"].([]any)) != 0 {
		t.Errorf("%d %v", status, got)
	}
	if status, _ = h.body("GET", "watchlists/vips", ""); status != 404 {
		t.Errorf("a deleted list: %d", status)
	}
}

func TestSavedSearches(t *testing.T) {
	h := serve(t)
	at := strings.TrimSuffix(h.at, "/providers/Microsoft.SecurityInsights/") + "/savedSearches"
	put := `{"etag":"*","properties":{"category":"Function","displayName":"Hosts","query":"DeviceInfo | where DeviceName == name","functionAlias":"Hosts","functionParameters":"name:string = 'pc1'","version":2,"tags":[{"name":"a","value":"b"}]}}`
	status, got := h.body("PUT", at+"/hosts-1", put)
	if status != 200 || in(got, "name") != "hosts-1" || in(got, "type") != "Microsoft.OperationalInsights/savedSearches" || in(got, "properties", "functionParameters") != "name:string = 'pc1'" {
		t.Fatalf("%d %v", status, got)
	}
	if status, got = h.body("GET", strings.ToUpper(at)+"/HOSTS-1", ""); status != 200 || in(got, "properties", "displayName") != "Hosts" {
		t.Errorf("%d %v", status, got)
	}
	if status, got = h.body("PUT", at+"/other", put); status != 409 || !strings.Contains(in(got, "error", "message").(string), "hosts-1") {
		t.Errorf("an alias twice: %d %v", status, got)
	}
	for wrong, says := range map[string]string{
		strings.Replace(put, "== name", "== (", 1):                                  "line 1, column",
		strings.Replace(put, "name:string", "name", 1):                              "parameters",
		strings.Replace(put, `"functionAlias":"Hosts"`, `"functionAlias":"a-b"`, 1): "functionAlias",
		strings.Replace(put, `"version":2`, `"version":1`, 1):                       "version",
		strings.Replace(put, `"category":"Function",`, ``, 1):                       "category",
	} {
		if status, got = h.body("PUT", at+"/hosts-1", wrong); status != 400 || !strings.Contains(in(got, "error", "message").(string), says) {
			t.Errorf("%s: %d %v", wrong, status, got)
		}
	}
	if status, got = h.body("GET", at, ""); status != 200 || len(got["value"].([]any)) != 1 {
		t.Errorf("%d %v", status, got)
	}
	if status, _ = h.body("DELETE", at+"/hosts-1", ""); status != 200 {
		t.Error(status)
	}
	if status, _ = h.body("GET", at+"/hosts-1", ""); status != 404 {
		t.Error(status)
	}
}
