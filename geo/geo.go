// Package geo finds the place of an address in a database file that whoever
// runs the server supplies, in the MaxMind DB format: GeoLite2 City and its
// like. It leaves where the file comes from to them.
package geo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"lockstep/fault"
)

// Places is an open database. It is safe for concurrent use.
type Places struct {
	path string
	db   atomic.Pointer[maxminddb.Reader]

	mu       sync.Mutex // over reloading
	modified time.Time
}

// Open opens a database file.
func Open(path string) (*Places, error) {
	p := &Places{path: path}
	if _, err := p.Reload(); err != nil {
		return nil, err
	}
	return p, nil
}

// Reload opens the file again if it was changed since, and tells whether it
// was. When that fails the places stay as they were. The file is read into memory, so
// that it may be replaced in any way.
func (p *Places) Reload() (changed bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.path)
	if err != nil {
		return false, fault.New(fault.Invalid, "open the database of places: %w", err)
	}
	if info.ModTime().Equal(p.modified) {
		return false, nil
	}
	data, err := os.ReadFile(p.path)
	if err != nil {
		return false, fmt.Errorf("open the database of places: %w", err)
	}
	db, err := maxminddb.OpenBytes(data)
	if err == nil && !strings.Contains(db.Metadata.DatabaseType, "City") && !strings.Contains(db.Metadata.DatabaseType, "Country") && !strings.Contains(db.Metadata.DatabaseType, "Enterprise") {
		err = errors.New("its type is " + db.Metadata.DatabaseType + ": one of cities or countries is wanted")
	}
	if err != nil {
		return false, fault.New(fault.Invalid, "%s is no database of places: %w", p.path, err)
	}
	p.db.Store(db) // readers of the old one end with it
	p.modified = info.ModTime()
	return true, nil
}

// record is what is read of an entry.
type record struct {
	Country struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
}

type names struct {
	English string `maxminddb:"en"`
}

// place is what KQL's geo_info_from_ip_address gives. Source: its reference page.
type place struct {
	Country   string   `json:"country,omitempty"`
	State     string   `json:"state,omitempty"`
	City      string   `json:"city,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

// Lookup gives the place of an address, IPv4 or IPv6, as a JSON object; "" for
// one that is no address or isn't in the database.
func (p *Places) Lookup(address string) string {
	ip, err := netip.ParseAddr(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	found := p.db.Load().Lookup(ip.Unmap().WithZone(""))
	var r record
	if !found.Found() || found.Decode(&r) != nil {
		return ""
	}
	out := place{Country: r.Country.Names.English, City: r.City.Names.English, Latitude: r.Location.Latitude, Longitude: r.Location.Longitude}
	if len(r.Subdivisions) > 0 {
		out.State = r.Subdivisions[0].Names.English
	}
	text, err := json.Marshal(out)
	if err != nil || out == (place{}) {
		return ""
	}
	return string(text)
}
