package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lockstep/api/control"
	"lockstep/connector"
	"lockstep/schema"
)

// newConnect is `lockstep connect`.
func newConnect(s *shell) *cobra.Command {
	var ws string
	var names []string
	var incidents, entities, keepRules bool
	cmd := &cobra.Command{
		Use:   "connect",
		Short: "Connect the workspace to the XDR: incidents, entities, events",
		Long: `Connect the workspace to the XDR. Three switches:

  --incidents   incidents with all of their alerts, in step from now on
  --entities    accounts and devices
  --tables      raw hunting tables, by name, or all of the 21 that can be streamed; those named replace
                those that streamed before

Rows of a table cross from the moment its switch goes on. Creation rules of the integrated products go off, so
that no incident comes twice; the connector's page lists them.`,
		Example: `  lockstep connect
  lockstep connect --tables DeviceProcessEvents,DeviceLogonEvents`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var chosen []string
			if cmd.Flags().Changed("tables") {
				var err error
				if chosen, err = tableNames(names); err != nil {
					return err
				}
			}
			return s.connected(cmd.Context(), func(c *client) error {
				request := control.ConnectRequest{Workspace: ws, Incidents: incidents, Entities: entities, Tables: chosen, TurnOffCreationRules: !keepRules}
				var got connector.Connection
				if err := c.call(cmd.Context(), "POST", "/control/v1/connect", request, &got); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.out, "connected; %s\n", streaming(len(got.Settings.Tables)))
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	cmd.Flags().BoolVar(&incidents, "incidents", true, "incidents and alerts")
	cmd.Flags().BoolVar(&entities, "entities", true, "accounts and devices")
	cmd.Flags().StringSliceVar(&names, "tables", nil, "hunting tables to stream: names, all or none (default: as before, all the first time)")
	cmd.Flags().BoolVar(&keepRules, "keep-creation-rules", false, "leave incident creation rules on")
	_ = cmd.RegisterFlagCompletionFunc("tables", completeTables)
	return cmd
}

func streaming(tables int) string {
	if tables == 1 {
		return "1 table streams"
	}
	return fmt.Sprintf("%d tables stream", tables)
}

// tableNames resolves the names of tables to stream.
func tableNames(names []string) ([]string, error) {
	catalog := schema.Default()
	out := []string{}
	for _, n := range names {
		switch strings.ToLower(n) {
		case "all":
			for _, st := range catalog.Streams() {
				out = append(out, st.Table)
			}
			continue
		case "none", "":
			continue
		}
		t, ok := catalog.Table(schema.XDR, n)
		if !ok {
			return nil, usageError{fmt.Errorf("there is no hunting table %q", n)}
		}
		if _, ok := catalog.Streamed(t.Name); !ok {
			return nil, usageError{fmt.Errorf("%s can't be streamed; `lockstep stream` lists those that can", t.Name)}
		}
		out = append(out, t.Name)
	}
	return out, nil
}

func completeTables(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, st := range schema.Default().Streams() {
		out = append(out, st.Table)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// newDisconnect is `lockstep disconnect`.
func newDisconnect(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "disconnect",
		Short: "Stop the synchronisation; all rows and incidents stay",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				if err := c.call(cmd.Context(), "POST", "/control/v1/disconnect", map[string]any{"workspace": ws}, nil); err != nil {
					return err
				}
				_, err := fmt.Fprintln(s.out, "disconnected; what came stays, creation rules stay off until somebody turns them on")
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

// newStream is `lockstep stream`.
func newStream(s *shell) *cobra.Command {
	var ws string
	cmd := &cobra.Command{
		Use:   "stream [TABLE on|off]",
		Short: "Switch the streaming of a hunting table on or off, or list them",
		Example: `  lockstep stream
  lockstep stream DeviceEvents on`,
		Args:              cobra.MatchAll(cobra.MaximumNArgs(2), func(_ *cobra.Command, args []string) error { return streamArgs(args) }),
		ValidArgsFunction: completeTables,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.connected(cmd.Context(), func(c *client) error {
				if len(args) == 2 {
					chosen, err := tableNames(args[:1])
					if err != nil {
						return err
					}
					for _, t := range chosen {
						if err := c.call(cmd.Context(), "POST", "/control/v1/stream", control.StreamRequest{Workspace: ws, Table: t, On: args[1] == "on"}, nil); err != nil {
							return err
						}
					}
				}
				status, err := s.syncStatus(cmd.Context(), c, ws)
				if err != nil {
					return err
				}
				return s.print(streams(status))
			})
		},
	}
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace by id or name (default: the primary one)")
	return cmd
}

func streamArgs(args []string) error {
	if len(args) == 0 || len(args) == 2 && (args[1] == "on" || args[1] == "off") {
		return nil
	}
	return usageError{fmt.Errorf("want no arguments, or TABLE and on or off")}
}
