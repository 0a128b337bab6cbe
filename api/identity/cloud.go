package identity

import (
	"net/http"

	"lockstep/fault"
)

// The shapes of the cloud's description, by the api-version that asks for it.
// Command lines and infrastructure tools read it to find every other address
// from the server's alone (Source: clients 0.2).

// cloudFlat is api-version 2015-01-01.
type cloudFlat struct {
	GraphEndpoint   string `json:"graphEndpoint"`
	GalleryEndpoint string `json:"galleryEndpoint"`
	PortalEndpoint  string `json:"portalEndpoint"`
	Authentication  struct {
		LoginEndpoint string   `json:"loginEndpoint"`
		Audiences     []string `json:"audiences"`
	} `json:"authentication"`
}

// cloudFull is one cloud of the later versions: 2019-05-01 gives a list of
// them, 2022-09-01 one alone.
type cloudFull struct {
	Name            string              `json:"name"`
	Portal          string              `json:"portal"`
	Authentication  cloudAuthentication `json:"authentication"`
	ResourceManager string              `json:"resourceManager"`
	Graph           string              `json:"graph"`
	GraphAudience   string              `json:"graphAudience"`
	MicrosoftGraph  string              `json:"microsoftGraphResourceId"`
	LogAnalytics    string              `json:"logAnalyticsResourceId"`
	Gallery         string              `json:"gallery"`
	Suffixes        map[string]string   `json:"suffixes"`
}

type cloudAuthentication struct {
	LoginEndpoint    string   `json:"loginEndpoint"`
	Audiences        []string `json:"audiences"`
	Tenant           string   `json:"tenant"`
	IdentityProvider string   `json:"identityProvider"`
}

func (f *Face) endpoints(w http.ResponseWriter, r *http.Request) {
	base := f.base(r)
	audiences := []string{"https://management.core.windows.net/", "https://management.azure.com/", base + "/"}
	full := cloudFull{
		Name: "Lockstep", Portal: base, ResourceManager: base, Gallery: base + "/", Suffixes: map[string]string{},
		// Ours, not the published names: tools take them for addresses too, and would carry our tokens there.
		Graph: base + "/", GraphAudience: base + "/", MicrosoftGraph: base + "/", LogAnalytics: base,
		Authentication: cloudAuthentication{LoginEndpoint: base, Audiences: audiences, Tenant: f.Access.Tenant(), IdentityProvider: "AAD"},
	}
	switch version := r.URL.Query().Get("api-version"); {
	case version == "2015-01-01":
		flat := cloudFlat{GraphEndpoint: base + "/", GalleryEndpoint: base + "/", PortalEndpoint: base}
		flat.Authentication.LoginEndpoint, flat.Authentication.Audiences = base, audiences
		answer(w, http.StatusOK, flat)
	case version >= "2022-09-01":
		answer(w, http.StatusOK, full)
	case version != "":
		answer(w, http.StatusOK, []cloudFull{full})
	default:
		f.refuse(w, r, fault.At("api-version", "this parameter is needed, such as 2022-09-01"))
	}
}
