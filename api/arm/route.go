package arm

import (
	"net/http"
	"regexp"
	"strings"

	"lockstep/workspace"
)

// route is one operation under a workspace's Microsoft.SecurityInsights.
// Literal segments match ignoring case, as the service's do.
type route struct {
	method  string
	pattern string // segments; {name} takes one
	action  string // what access is asked about
	serve   func(f *face, c *call) error
}

// call is one request on its way through the face.
type call struct {
	*http.Request
	w         http.ResponseWriter
	workspace workspace.Workspace
	params    map[string]string
}

// prefix parts an ARM path into subscription, resource group, workspace and
// the rest, whatever the case of its literals. Clients send both spellings of
// resourceGroups (Source: clients.md 0.3).
var prefix = regexp.MustCompile(`(?i)^/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.operationalinsights/workspaces/([^/]+)/providers/microsoft\.securityinsights/(.*)$`)

// ownPrefix does so for resources of the workspace itself.
var ownPrefix = regexp.MustCompile(`(?i)^/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/microsoft\.operationalinsights/workspaces/([^/]+)/(.*)$`)

// version is the form of an api-version. Facts 10.2: any is accepted, one is required.
var version = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)

// match fits a path to a pattern and gives the parameters.
func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.Trim(path, "/"), "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, w := range want {
		if name, ok := strings.CutPrefix(w, "{"); ok {
			if got[i] == "" {
				return nil, false
			}
			params[strings.TrimSuffix(name, "}")] = got[i]
			continue
		}
		if !strings.EqualFold(w, got[i]) {
			return nil, false
		}
	}
	return params, true
}
