// Command lockstep is the whole product in one program: the XDR, the
// workspace, the connector between them, and the verbs to work with them.
// Each file holds one verb; serve.go alone knows how everything is wired.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"lockstep/fault"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes, as the help lists them.
const (
	exitOK       = 0
	exitFailed   = 1 // the deed failed
	exitUsage    = 2 // the command line or the input is wrong
	exitNotFound = 3
	exitDenied   = 4
	exitConflict = 5
)

// exits maps the kinds of error to exit codes; the rest is exitFailed.
var exits = map[fault.Kind]int{
	fault.Invalid: exitUsage, fault.NotFound: exitNotFound, fault.Denied: exitDenied, fault.Conflict: exitConflict,
}

// usageError is a wrong command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// execute runs one command line and gives the exit code.
func execute(ctx context.Context, args []string, out, errOut *os.File) int {
	root := newRoot(out, errOut)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return exitOK
	}
	fmt.Fprintln(errOut, "lockstep:", err)
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") { // cobra's own, which has no type
		fmt.Fprintln(errOut, "Try `lockstep --help`, or --help after the verb.")
		return exitUsage
	}
	if code, ok := exits[fault.KindOf(err)]; ok {
		return code
	}
	return exitFailed
}

// newRoot builds the command tree.
func newRoot(out, errOut *os.File) *cobra.Command {
	s := &shell{out: out, err: errOut}
	root := &cobra.Command{
		Use:   "lockstep",
		Short: "An XDR, a SIEM workspace, and the connector that keeps the two in step",
		Long: `Lockstep is an XDR, a SIEM workspace, and the connector that keeps the two in step.

  lockstep serve --sample     start everything with a made-up company's fortnight replaying into it
  lockstep query 'DeviceProcessEvents | summarize count() by DeviceName | top 5 by count_'
  lockstep sync status        what crosses between the two sides, how fast, what failed

All other verbs speak to the server that owns the data folder (--data), or open
the folder themselves when no server runs.

Settings come from a file (--config, or lockstep.yaml in the data folder), then
from LOCKSTEP_… variables, then from flags; ` + "`lockstep config`" + ` shows what holds.

With -o json an answer of one table is an array of objects, one for each row; of several tables, an array of objects
with "name" and "rows"; of anything else, one object. Times are text in UTC, and what isn't there is null or left out.

Exit codes: 0 done, 1 failed, 2 wrong input, 3 not found, 4 not allowed, 5 conflict.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return s.load(cmd)
		},
	}
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	addSettingFlags(root.PersistentFlags())
	root.PersistentFlags().StringVarP(&s.format, "output", "o", "table", "how to print answers: table, json or csv")
	root.AddCommand(
		newServe(s), newReplay(s), newConnect(s), newDisconnect(s), newQuery(s), newCheck(s), newIncident(s), newSync(s), newHealth(s),
		newStream(s), newWatchlist(s), newFunction(s), newQuarantine(s), newToken(s), newCA(s), newConfig(s), newVersion(s),
	)
	teach(root)
	return root
}

// teach makes wrong arguments usage errors throughout the tree, and a verb
// that only groups others say so.
func teach(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	if cmd.HasParent() && cmd.RunE == nil && cmd.Run == nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%s has no verb %q", cmd.CommandPath(), args[0])}
			}
			return cmd.Help()
		}
	}
	for _, sub := range cmd.Commands() {
		teach(sub)
	}
}
