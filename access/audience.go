package access

import (
	"strings"
)

// Audience is the API that a token is for.
type Audience string

// The audiences.
const (
	ForManagement Audience = "management" // ARM
	ForLogs       Audience = "logs"       // queries
	ForIngestion  Audience = "ingestion"
	ForGraph      Audience = "graph"
	ForSecurity   Audience = "security" // the older API of the XDR side
	ForLockstep   Audience = "lockstep" // all of this server; also what its own base URL means
)

// audiences maps the resources that clients ask for, without a slash at the
// end, to what they mean (Source: facts 10.0, clients 0.7; the GUID is the
// application id of Graph).
var audiences = map[string]Audience{
	"https://management.azure.com":         ForManagement,
	"https://management.core.windows.net":  ForManagement,
	"https://api.loganalytics.io":          ForLogs,
	"https://api.loganalytics.azure.com":   ForLogs,
	"https://monitor.azure.com":            ForIngestion,
	"https://graph.microsoft.com":          ForGraph,
	"00000003-0000-0000-c000-000000000000": ForGraph,
	"https://api.security.microsoft.com":   ForSecurity,
	"lockstep":                             ForLockstep,
}

// means says what a resource, or the aud of a token, stands for: one of the
// published ones, or a base URL of this server.
func (s *Service) means(resource string) (Audience, bool) {
	resource = bare(resource)
	if a, ok := audiences[resource]; ok {
		return a, true
	}
	for _, base := range append([]string{s.o.Issuer}, s.o.Bases...) {
		if base != "" && resource == bare(base) {
			return ForLockstep, true
		}
	}
	return "", false
}

func bare(url string) string { return strings.ToLower(strings.TrimRight(url, "/")) }
