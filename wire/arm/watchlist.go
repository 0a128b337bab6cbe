package arm

import (
	"encoding/json"

	"lockstep/fault"
	"lockstep/security"
)

// User is who made or changed a watchlist (UserInfo).
type User struct {
	ObjectID *string `json:"objectId,omitempty"`
	Email    *string `json:"email,omitempty"`
	Name     *string `json:"name,omitempty"`
}

// EncodeUser lays an actor out.
func EncodeUser(a security.Actor) *User {
	u := &User{ObjectID: nullable(a.ID), Name: nullable(a.Name)}
	if client := EncodeClient(a); a.Kind == security.Person && client.Email != nil {
		u.Email = client.Email
	}
	return u
}

// Watchlist is a watchlist resource. RawContent comes with a PUT alone.
type Watchlist = Resource[WatchlistProperties]

// WatchlistProperties are a watchlist's. Source: facts 10.2.
type WatchlistProperties struct {
	ID              string  `json:"watchlistId,omitempty"`
	DisplayName     string  `json:"displayName"`
	Provider        string  `json:"provider"`
	Source          string  `json:"source,omitempty"`
	SourceType      string  `json:"sourceType,omitempty"`
	Created         *Time   `json:"created,omitempty"`
	Updated         *Time   `json:"updated,omitempty"`
	CreatedBy       *User   `json:"createdBy,omitempty"`
	UpdatedBy       *User   `json:"updatedBy,omitempty"`
	Description     string  `json:"description,omitempty"`
	Type            string  `json:"watchlistType,omitempty"`
	Alias           string  `json:"watchlistAlias,omitempty"`
	Deleted         bool    `json:"isDeleted"`
	Labels          Texts   `json:"labels"`
	DefaultDuration string  `json:"defaultDuration,omitempty"`
	TenantID        string  `json:"tenantId,omitempty"`
	SkippedLines    int     `json:"numberOfLinesToSkip,omitempty"`
	RawContent      *string `json:"rawContent,omitempty"`
	SearchKey       string  `json:"itemsSearchKey"`
	ContentType     string  `json:"contentType,omitempty"`
	UploadStatus    string  `json:"uploadStatus,omitempty"`
	State           string  `json:"provisioningState,omitempty"`
}

// DecodeWatchlist reads the body of PUT …/watchlists/{alias}.
func DecodeWatchlist(body []byte) (Watchlist, error) {
	var in Watchlist
	err := decode(body, &in)
	return in, err
}

// WatchlistItem is an item resource.
type WatchlistItem = Resource[WatchlistItemProperties]

// WatchlistItemProperties are an item's.
type WatchlistItemProperties struct {
	ID        string                     `json:"watchlistItemId,omitempty"`
	Type      string                     `json:"watchlistItemType,omitempty"`
	TenantID  string                     `json:"tenantId,omitempty"`
	Deleted   bool                       `json:"isDeleted"`
	Created   *Time                      `json:"created,omitempty"`
	Updated   *Time                      `json:"updated,omitempty"`
	CreatedBy *User                      `json:"createdBy,omitempty"`
	UpdatedBy *User                      `json:"updatedBy,omitempty"`
	Values    map[string]json.RawMessage `json:"itemsKeyValue"`
	Mapping   json.RawMessage            `json:"entityMapping,omitempty"`
}

// DecodeWatchlistItem reads the body of PUT …/watchlistItems/{id}: the values
// as texts, what isn't text as its JSON.
func DecodeWatchlistItem(body []byte) (in WatchlistItem, values map[string]string, err error) {
	if err := decode(body, &in); err != nil {
		return in, nil, err
	}
	values = make(map[string]string, len(in.Properties.Values))
	for name, raw := range in.Properties.Values {
		var s string
		switch {
		case name == "":
			return in, nil, fault.At("properties.itemsKeyValue", "a value has no name")
		case string(raw) == "null":
		case json.Unmarshal(raw, &s) == nil:
		default:
			s = string(raw)
		}
		values[name] = s
	}
	return in, values, nil
}

// ItemValues lays values out as an item's.
func ItemValues(values map[string]string) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(values))
	for name, v := range values {
		out[name], _ = json.Marshal(v) // texts always encode
	}
	return out
}
