package arm

// InsightsProvider is the resource provider of workspaces and what is theirs.
const InsightsProvider = "Microsoft.OperationalInsights"

// SavedSearch is a saved search resource.
type SavedSearch = Resource[SavedSearchProperties]

// SavedSearchProperties are a saved search's. Source: the published
// description of Microsoft.OperationalInsights, 2025-07-01.
type SavedSearchProperties struct {
	Category           string           `json:"category"`
	DisplayName        string           `json:"displayName"`
	Query              string           `json:"query"`
	FunctionAlias      string           `json:"functionAlias,omitempty"`
	FunctionParameters string           `json:"functionParameters,omitempty"`
	Version            int64            `json:"version,omitempty"`
	Tags               []SavedSearchTag `json:"tags,omitempty"`
}

// SavedSearchTag is a name and a value on a saved search.
type SavedSearchTag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// NewSavedSearch puts properties into the envelope of a search of the
// workspace at a path.
func NewSavedSearch(workspace, name string, p SavedSearchProperties) SavedSearch {
	return SavedSearch{ID: workspace + "/savedSearches/" + name, Name: name, Type: InsightsProvider + "/savedSearches", Properties: p}
}

// DecodeSavedSearch reads the body of PUT …/savedSearches/{id}.
func DecodeSavedSearch(body []byte) (SavedSearch, error) {
	var in SavedSearch
	err := decode(body, &in)
	return in, err
}
