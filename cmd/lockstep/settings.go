package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"lockstep/fault"
)

// Settings are what an operator sets of a process: folders, addresses, limits.
// Everything that an API can change is state, not a setting.
type Settings struct {
	Data          string        `yaml:"data" help:"the data folder; one process owns it"`
	Listen        string        `yaml:"listen" help:"address of the APIs and the portal over TLS"`
	PortalListen  string        `yaml:"portal_listen" help:"address of the portal without TLS, loopback only; empty for none"`
	PublicURL     string        `yaml:"public_url" help:"how clients reach --listen; deep links begin with it"`
	Names         []string      `yaml:"names" help:"further host names and addresses for the server's certificate"`
	Roles         []string      `yaml:"roles" help:"what this server is: xdr, workspace or both"`
	Workspace     string        `yaml:"workspace" help:"name of the workspace made at first start"`
	ResourceGroup string        `yaml:"resource_group" help:"its resource group"`
	Subscription  string        `yaml:"subscription" help:"its subscription id; empty: made at first start"`
	Tenant        string        `yaml:"tenant" help:"the tenant's id; empty: made at first start"`
	TenantName    string        `yaml:"tenant_name" help:"what the pages call the organisation"`
	XDRDays       int           `yaml:"xdr_days" help:"days that the XDR side keeps hunting rows"`
	WorkspaceDays int           `yaml:"workspace_days" help:"days that the workspace keeps rows, where a table says nothing else"`
	Memory        string        `yaml:"memory" help:"most memory for the columnar engine"`
	Spill         string        `yaml:"spill" help:"most that queries may write to disk for what does not fit in memory, such as 10GB; it lies in the data folder"`
	QueryTimeout  time.Duration `yaml:"query_timeout" help:"most time for one query"`
	QueryRows     int           `yaml:"query_rows" help:"most rows of one answer"`
	QueryAtOnce   int           `yaml:"query_at_once" help:"queries that run at once; others wait, and a free place goes to whoever has the fewest running"`
	QueryInside   int           `yaml:"query_inside" help:"queries of one principal that run or wait; a further one is refused"`
	QueryRate     int           `yaml:"query_rate" help:"queries that one principal may begin within a minute of the clock"`
	QueryBudget   time.Duration `yaml:"query_budget" help:"how long the queries of one principal may run, taken together, within a quarter of an hour of the clock"`
	QueryHosts    []string      `yaml:"query_hosts" help:"hosts that externaldata and http_request may reach, such as feeds.example.org or *.example.org; empty: none"`
	QueryRanges   []string      `yaml:"query_ranges" help:"ranges of addresses that they may reach although they are not public, such as 10.1.2.0/24"`
	Places        string        `yaml:"places" help:"database of places for addresses (a city or country file in the MaxMind DB format); empty: geo_info_from_ip_address gives null"`
	LogFormat     string        `yaml:"log_format" help:"text or json"`
	LogLevel      string        `yaml:"log_level" help:"debug, info, warn or error"`
	ClockAhead    time.Duration `yaml:"clock_ahead" help:"run the server's clock ahead by this much, to rehearse retention"`
	RemoteXDR     string        `yaml:"remote_xdr" help:"address of another server's XDR that this server's workspace is joined to: https://xdr.example:8443, or https://graph.microsoft.com; roles is workspace then"`
	RemoteSpace   string        `yaml:"remote_workspace" help:"address of another server's workspace that this server's XDR is joined to, with its resource id: https://soc.example:8443/subscriptions/…/workspaces/NAME; roles is xdr then"`
	RemoteLogin   string        `yaml:"remote_authority" help:"where the other server's tokens come from; empty: the other server, for Microsoft's https://login.microsoftonline.com"`
	RemoteTenant  string        `yaml:"remote_tenant" help:"the other server's tenant id"`
	RemoteClient  string        `yaml:"remote_client_id" help:"id of the application that the other server knows this one by"`
	RemoteSecret  string        `yaml:"remote_client_secret" secret:"true" help:"its secret; better in a file"`
	RemoteFile    string        `yaml:"remote_client_secret_file" help:"file with its secret, which its owner alone may read (chmod 600)"`
	RemoteCA      string        `yaml:"remote_ca" help:"file with the other server's certificate authority (PEM), as lockstep ca writes it; empty: the system's alone"`
	RemoteRanges  []string      `yaml:"remote_ranges" help:"ranges of addresses in which the other server may stand although they are not public, such as 10.1.2.0/24"`
	RemotePoll    time.Duration `yaml:"remote_poll" help:"how often the other server is asked for changes; 0: 250ms, for Microsoft's 15s"`
	RemoteRate    int           `yaml:"remote_rate" help:"most questions to the other server a minute; 0: any number, for Microsoft's 100"`
	Password      string        `yaml:"password" secret:"true" help:"first password of the first user; empty: made at first start"`
}

// defaults are the settings of a newcomer.
func defaults() Settings {
	return Settings{
		Data: "data", Listen: "127.0.0.1:8443", PortalListen: "127.0.0.1:8080", PublicURL: "https://localhost:8443",
		Roles: []string{"xdr", "workspace"}, Workspace: "lockstep", ResourceGroup: "soc", TenantName: "My organisation",
		XDRDays: 30, WorkspaceDays: 90, Memory: "4GB", Spill: "20GB", QueryTimeout: 3 * time.Minute, QueryRows: 100_000,
		QueryAtOnce: 4, QueryInside: 15, QueryRate: 400, QueryBudget: 30 * time.Minute,
		LogFormat: "text", LogLevel: "info",
	}
}

// setting is one field of Settings with the names it goes by.
type setting struct {
	key, flag, env, help string
	secret               bool
	index                int
}

// settings lists the fields; flag and variable names follow from the key.
func settings() []setting {
	t := reflect.TypeFor[Settings]()
	var out []setting
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		out = append(out, setting{
			key: key, flag: strings.ReplaceAll(key, "_", "-"), env: "LOCKSTEP_" + strings.ToUpper(key),
			help: f.Tag.Get("help"), secret: f.Tag.Get("secret") == "true", index: i,
		})
	}
	return out
}

// addSettingFlags makes a flag of each setting.
func addSettingFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "settings file (default lockstep.yaml in the data folder, if there is one)")
	v := reflect.ValueOf(defaults())
	for _, s := range settings() {
		if s.secret {
			continue // a secret on a command line shows in every process list: file or variable
		}
		switch d := v.Field(s.index).Interface().(type) {
		case string:
			flags.String(s.flag, d, s.help)
		case int:
			flags.Int(s.flag, d, s.help)
		case time.Duration:
			flags.Duration(s.flag, d, s.help)
		case []string:
			flags.StringSlice(s.flag, d, s.help)
		}
	}
}

// loadSettings reads file, variables and flags, in rising order of force, and
// says where each value came from.
func loadSettings(flags *pflag.FlagSet, environ func(string) (string, bool)) (Settings, map[string]string, error) {
	set, from := defaults(), map[string]string{}
	v := reflect.ValueOf(&set).Elem()
	assign := func(s setting, text, origin string) error {
		if err := setField(v.Field(s.index), text); err != nil {
			return fault.At(origin, "%s: %w", s.key, err)
		}
		from[s.key] = origin
		return nil
	}
	path, err := settingsPath(flags, environ)
	if err != nil {
		return set, nil, err
	}
	if path != "" {
		if err := readSettings(path, &set, from); err != nil {
			return set, nil, err
		}
	}
	for _, s := range settings() {
		if text, ok := environ(s.env); ok {
			if err := assign(s, text, s.env); err != nil {
				return set, nil, err
			}
		}
		if f := flags.Lookup(s.flag); f != nil && f.Changed {
			text := f.Value.String()
			if sv, ok := f.Value.(pflag.SliceValue); ok {
				text = strings.Join(sv.GetSlice(), ",")
			}
			if err := assign(s, text, "--"+s.flag); err != nil {
				return set, nil, err
			}
		}
	}
	return set, from, set.validate()
}

// settingsPath gives the settings file to read, "" for none.
func settingsPath(flags *pflag.FlagSet, environ func(string) (string, bool)) (string, error) {
	if path, _ := flags.GetString("config"); path != "" {
		return path, nil
	}
	if path, ok := environ("LOCKSTEP_CONFIG"); ok && path != "" {
		return path, nil
	}
	data := defaults().Data
	if text, ok := environ("LOCKSTEP_DATA"); ok {
		data = text
	}
	if f := flags.Lookup("data"); f != nil && f.Changed {
		data = f.Value.String()
	}
	path := filepath.Join(data, "lockstep.yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("look for a settings file: %w", err)
	}
	return path, nil
}

func readSettings(path string, set *Settings, from map[string]string) error {
	file, err := os.Open(path)
	if err != nil {
		return fault.New(fault.Invalid, "read settings: %w", err)
	}
	defer file.Close()
	d := yaml.NewDecoder(file)
	d.KnownFields(true)
	if err := d.Decode(set); err != nil {
		return fault.At(path, "%w", err)
	}
	var seen map[string]any
	data, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(data, &seen)
	}
	for key := range seen {
		from[key] = path
	}
	return err
}

func setField(f reflect.Value, text string) error {
	switch f.Interface().(type) {
	case string:
		f.SetString(text)
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		f.SetInt(int64(n))
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration (want for example 90s, 3m, 24h)", text)
		}
		f.SetInt(int64(d))
	case []string:
		var parts []string
		for _, p := range strings.Split(text, ",") {
			if p = strings.TrimSpace(p); p != "" {
				parts = append(parts, p)
			}
		}
		f.Set(reflect.ValueOf(parts))
	}
	return nil
}

// size is how the columnar engine takes an amount of memory or disk.
var size = regexp.MustCompile(`^[0-9]+(\.[0-9]+)? ?([KMGT]i?)?B$`)

// validate checks what can be checked without starting.
func (s Settings) validate() error {
	known := map[string]bool{"xdr": true, "workspace": true}
	if len(s.Roles) == 0 {
		return fault.At("roles", "name xdr, workspace or both")
	}
	for _, r := range s.Roles {
		if !known[r] {
			return fault.At("roles", "%q is none; there are xdr and workspace", r)
		}
	}
	if s.XDRDays < 1 || s.WorkspaceDays < 4 || s.WorkspaceDays > 4383 {
		return fault.At("workspace_days", "days must be 4 to 4383, and xdr_days at least 1")
	}
	if s.QueryRows < 1 || s.QueryTimeout <= 0 {
		return fault.At("query_rows", "query_rows and query_timeout must be positive")
	}
	for key, n := range map[string]int{"query_at_once": s.QueryAtOnce, "query_inside": s.QueryInside, "query_rate": s.QueryRate, "query_budget": int(s.QueryBudget)} {
		if n < 1 {
			return fault.At(key, "it must be positive: with less nobody could ask anything")
		}
	}
	for key, text := range map[string]string{"memory": s.Memory, "spill": s.Spill} {
		if text != "" && !size.MatchString(text) {
			return fault.At(key, "%q is no size: write it as 512MB or 4GB", text)
		}
	}
	if _, err := s.ranges(); err != nil {
		return err
	}
	if err := s.checkRemote(); err != nil {
		return err
	}
	if !strings.HasPrefix(s.PublicURL, "https://") {
		return fault.At("public_url", "%q must begin with https://: the vendors' clients refuse anything else", s.PublicURL)
	}
	return nil
}

// has reports whether the server plays a role.
func (s Settings) has(role string) bool {
	for _, r := range s.Roles {
		if r == role {
			return true
		}
	}
	return false
}
