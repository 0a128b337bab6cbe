package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"lockstep/access"
	"lockstep/api/chaos"
	"lockstep/connector"
	"lockstep/fault"
	"lockstep/schema"
)

// newServe is `lockstep serve`.
func newServe(s *shell) *cobra.Command {
	var with sampleOptions
	var bad chaosOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the XDR, the workspace and the connector between them",
		Long: `Run the XDR, the workspace and the connector between them, until interrupted.

A first start makes the data folder, a certificate authority, a user, an application and a workspace, and
connects the two sides. With --sample a made-up company's fortnight is replayed into it.

With --chaos it misbehaves on purpose, on this machine alone, for others to test their clients against. What came and
what was spoilt is counted at /chaos. The profiles:

` + chaos.Help() + `
A server with one role can be joined to another one that plays the other: see the settings remote_….`,
		Example: `  lockstep serve --sample
  lockstep serve --data /var/lib/lockstep --listen 0.0.0.0:8443 --public-url https://soc.example:8443 --names soc.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := bad.check(cmd.Flags()); err != nil {
				return err
			}
			return s.serve(cmd.Context(), with, bad)
		},
	}
	cmd.Flags().BoolVar(&with.on, "sample", false, "replay the sample tenant, with every table streaming")
	cmd.Flags().Int64Var(&with.rows, "sample-rows", 0, "rows of the sample (default: 30,000)")
	cmd.Flags().Uint64Var(&with.seed, "sample-seed", 1, "seed of the sample")
	bad.flags(cmd.Flags())
	cmd.Flags().Float64Var(&with.speed, "sample-speed", 0, "recorded seconds a second (default: as fast as it goes)")
	return cmd
}

// logger makes the program's log as the settings say, on standard error.
func logger(set Settings, to *os.File) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(set.LogLevel)); err != nil {
		return nil, fault.At("log_level", "%q is none of debug, info, warn, error", set.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch set.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(to, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(to, options)), nil
	}
	return nil, fault.At("log_format", "%q is neither text nor json", set.LogFormat)
}

// serve opens everything, listens, tells where, and serves until ctx ends.
func (s *shell) serve(ctx context.Context, with sampleOptions, bad chaosOptions) (err error) {
	log, err := logger(s.settings, s.err)
	if err != nil {
		return err
	}
	if with.on { // what is wrong with it is said before anything is opened
		if _, err := with.tenant(); err != nil {
			return err
		}
	}
	listening, err := listen(&s.settings, s.origins)
	if err != nil {
		return err
	}
	door, loud, err := bad.door(s.settings)
	if err != nil {
		return errors.Join(err, listening.Close())
	}
	server, err := open(ctx, s.settings, log)
	if err != nil {
		return errors.Join(err, listening.Close())
	}
	defer func() { err = errors.Join(err, server.close()) }()
	if server.door = door; door != nil {
		fmt.Fprintln(s.err, loud)
	}
	plain, err := server.listenPlain()
	if err != nil {
		return errors.Join(err, listening.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	socket, err := server.serveSocket(ctx)
	if err != nil {
		return errors.Join(err, listening.Close())
	}
	stopped := []chan struct{}{socket, serveOn(ctx, httpServer(server.handler(), log), server.secure(listening), log)}
	if plain != nil {
		stopped = append(stopped, serveOn(ctx, httpServer(server.plainHandler(), log), plain, log))
	}
	server.driver.run(ctx)
	s.welcome(server)
	if with.on {
		switch err := s.playSample(ctx, server, with); {
		case ctx.Err() != nil:
			fmt.Fprintln(s.out, "the sample's replay was broken off; the next start with --sample goes on with it")
		case err != nil:
			log.Error("the sample's replay ended early", "error", err)
		}
	}
	<-ctx.Done()
	fmt.Fprintln(s.out, "stopping …")
	for _, done := range stopped {
		<-done
	}
	server.driver.stop()
	return nil
}

// listen listens for TLS before anything is opened, so that an address in use
// costs nothing, and so that port 0 becomes part of the public URL.
func listen(set *Settings, origins map[string]string) (net.Listener, error) {
	l, err := net.Listen("tcp", set.Listen)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "listen on %s: %w (another server? --listen names another address)", set.Listen, err)
	}
	set.Listen = l.Addr().String()
	if _, stated := origins["public_url"]; !stated {
		set.PublicURL = "https://localhost:" + set.Listen[strings.LastIndex(set.Listen, ":")+1:]
	}
	return l, nil
}

// welcome prints where everything is, how to sign in, and three commands to try.
func (s *shell) welcome(server *server) {
	set := server.settings
	fmt.Fprintf(s.out, "\nLockstep %s serves %s from %s\n\n", version, strings.Join(set.Roles, " and "), server.folder.Path())
	fmt.Fprintf(s.out, "  portal       %s\n", set.PublicURL)
	if set.PortalListen != "" {
		fmt.Fprintf(s.out, "               http://%s (this machine alone)\n", set.PortalListen)
	}
	for _, line := range served(set, server.place.Subscription) {
		fmt.Fprintf(s.out, "  %s\n", line)
	}
	if first, err := access.ReadFirst(server.folder.Path(credentialsName)); err == nil {
		fmt.Fprintf(s.out, "\n  sign in as   %s\n", first.User)
		if server.first || terminal(s.out) { // later starts may be a service's, whose output others read
			fmt.Fprintf(s.out, "  password     %s\n", first.Password)
		}
		fmt.Fprintf(s.out, "  (with its password, and an application's id and secret, in %s)\n", server.folder.Path(credentialsName))
	}
	switch _, there, _ := set.remoteURL(); { // it was checked when the settings were read
	case there != nil:
		fmt.Fprintf(s.out, "\n  joined to    %s (what it can't do: %s sync status)\n", there, os.Args[0])
	case len(set.Roles) == 1:
		fmt.Fprintf(s.out, "\n  This server is the %s side alone. The settings remote_… join it to another server.\n", set.Roles[0])
	}
	data := ""
	if set.Data != defaults().Data {
		data = " --data " + set.Data
	}
	fmt.Fprintf(s.out, "\nTry:\n")
	for _, verb := range worthTrying(set, server.connector != nil) {
		fmt.Fprintf(s.out, "  %s "+verb+"\n", os.Args[0], data)
	}
	fmt.Fprintln(s.out)
}

// served are the APIs of a server's roles, a line each.
func served(set Settings, subscription string) (lines []string) {
	if set.has("xdr") {
		lines = append(lines,
			"Graph        "+set.PublicURL+"/v1.0/security/incidents",
			"hunting      "+set.PublicURL+"/v1.0/security/runHuntingQuery")
	}
	if set.has("workspace") {
		lines = append(lines,
			"ARM          "+set.PublicURL+"/subscriptions/"+subscription+"/…/Microsoft.SecurityInsights/incidents",
			"queries      "+set.PublicURL+"/v1/workspaces/…/query")
	}
	return lines
}

// worthTrying are verbs that a server of these roles answers; %s is for the data folder.
func worthTrying(set Settings, connected bool) (verbs []string) {
	if set.has("xdr") {
		verbs = append(verbs, "query%s 'AlertInfo | summarize count() by ServiceSource'")
	}
	if set.has("workspace") {
		verbs = append(verbs, "query%s --side workspace 'SecurityIncident | summarize arg_max(LastModifiedTime, *) by IncidentNumber | project IncidentNumber, Title, Status'")
	}
	if connected {
		verbs = append(verbs, "sync status%s")
	}
	return append(verbs, "health%s")
}

// streamAll switches every table's streaming on in the primary workspace.
func (s *server) streamAll(ctx context.Context) error {
	if s.connector == nil {
		return nil
	}
	list, err := s.workspaces.Workspaces(ctx)
	if err != nil {
		return err
	}
	for _, w := range list {
		if !w.Primary {
			continue
		}
		k, err := s.connector.Connection(ctx, w.ID)
		if err != nil {
			return err
		}
		settings := k.Settings
		if !k.Connected {
			settings = connector.Settings{Incidents: true, Alerts: true, Entities: true, TurnOffCreationRules: true}
		}
		settings.Tables = nil
		for _, st := range schema.Default().Streams() {
			settings.Tables = append(settings.Tables, st.Table)
		}
		if _, err := s.connector.Connect(ctx, w.ID, settings, s.operator().Actor()); err != nil {
			return err
		}
	}
	return nil
}
