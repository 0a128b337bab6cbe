package geo_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"lockstep/fault"
	"lockstep/geo"
)

// write makes a database with one network in it.
func write(t *testing.T, path, kind, network, city string) {
	t.Helper()
	w, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	_, n, _ := net.ParseCIDR(network)
	name := func(s string) mmdbtype.Map {
		return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(s), "de": mmdbtype.String("x")}}
	}
	if err := w.Insert(n, mmdbtype.Map{"country": name("Norway"), "subdivisions": mmdbtype.Slice{name("Troms"), name("y")}, "city": name(city),
		"location": mmdbtype.Map{"latitude": mmdbtype.Float64(69.65), "longitude": mmdbtype.Float64(18.96)}}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "city.mmdb")
	write(t, path, "GeoLite2-City", "81.2.69.0/24", `Troms"ø`)
	p, err := geo.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"country":"Norway","state":"Troms","city":"Troms\"ø","latitude":69.65,"longitude":18.96}`
	for address, want := range map[string]string{"81.2.69.7": want, " 81.2.69.7 ": want, "::ffff:81.2.69.7": want, "81.2.70.1": "", "10.0.0.1": "", "fe80::1%eth0": "", "": "", "81.2.69": "", "nonsense": ""} {
		if got := p.Lookup(address); got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
	if changed, err := p.Reload(); changed || err != nil {
		t.Errorf("the same file: %v, %v", changed, err)
	}
	write(t, path, "GeoLite2-City", "10.0.0.0/8", "Bodø")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	if changed, err := p.Reload(); !changed || err != nil || p.Lookup("81.2.69.7") != "" || p.Lookup("10.0.0.1") == "" {
		t.Errorf("a new file: %v, %v, %q", changed, err, p.Lookup("10.0.0.1"))
	}
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Reload(); !fault.Is(err, fault.Invalid) || p.Lookup("10.0.0.1") == "" {
		t.Errorf("a broken file: %v; the old places are there: %q", err, p.Lookup("10.0.0.1"))
	}
	if _, err := geo.Open(filepath.Join(t.TempDir(), "absent")); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	write(t, path, "GeoLite2-ASN", "10.0.0.0/8", "x")
	if _, err := geo.Open(path); !fault.Is(err, fault.Invalid) {
		t.Errorf("a database of something else: %v", err)
	}
}
