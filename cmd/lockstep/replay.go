package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"lockstep/api/control"
	"lockstep/fault"
	"lockstep/sample"
	"lockstep/schema"
	"lockstep/source"
	"lockstep/source/file"
	"lockstep/source/replay"
)

// newReplay is `lockstep replay`.
func newReplay(s *shell) *cobra.Command {
	var with sampleOptions
	var asRecorded, restart bool
	var ws, end string
	cmd := &cobra.Command{
		Use:   "replay [FOLDER]",
		Short: "Send a recording, or the sample tenant, through the real intake",
		Long: `Send recorded alerts, events and rows through the real intake.

FOLDER holds a recording: defender/ (Event Hub records), sentinel/ (workspace rows; SecurityAlert rows of the
XDR's products are alerts), alerts/ (Graph alerts and others). Without a folder the sample tenant is sent.

By default the recording ends now and pauses over 12 hours are shortened so that it fits 14 days; the order
stays. A replay that was broken off goes on where it was.`,
		Example: `  lockstep replay ./recording
  lockstep replay --rows 200000 --seed 7
  lockstep replay --speed 3600 ./recording --restart`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := replaySource(args, with)
			if err != nil {
				return err
			}
			return s.connected(cmd.Context(), func(c *client) error {
				if from, err = s.fitting(cmd.Context(), c, from); err != nil {
					return err
				}
				if ws == "" {
					if ws, err = s.primaryWorkspace(cmd.Context(), c); err != nil {
						return err
					}
				}
				o := replay.Options{
					Source: from, Sink: &replay.Server{Base: local, Client: c.http}, Workspace: ws, Speed: with.speed, AsRecorded: asRecorded,
					State: filepath.Join(s.settings.Data, "replay-"+safeName(from.Name())+".json"),
				}
				if end != "" {
					at, err := schema.ParseTicks(end)
					if err != nil {
						return usageError{fmt.Errorf("--end: %w", err)}
					}
					o.End = at.Time()
				}
				return s.playOnce(cmd.Context(), o, restart)
			})
		},
	}
	cmd.Flags().Float64Var(&with.speed, "speed", 0, "recorded seconds a second (default: as fast as it goes)")
	cmd.Flags().BoolVar(&asRecorded, "as-recorded", false, "keep the times as they were recorded")
	cmd.Flags().StringVar(&end, "end", "", "when the recording ends, instead of now")
	cmd.Flags().BoolVar(&restart, "restart", false, "begin anew, also if it was broken off or sent whole before")
	cmd.Flags().Int64Var(&with.rows, "rows", 0, "rows of the sample (default: 30,000)")
	cmd.Flags().Uint64Var(&with.seed, "seed", 1, "seed of the sample")
	cmd.Flags().StringVarP(&ws, "workspace-id", "w", "", "workspace that takes workspace rows (default: the primary one)")
	return cmd
}

// sampleOptions say which sample is played, and how fast.
type sampleOptions struct {
	on    bool
	rows  int64
	seed  uint64
	speed float64
}

func (o sampleOptions) tenant() (*sample.Tenant, error) {
	rows := o.rows
	if rows == 0 {
		rows = sample.DemoRows
	}
	return sample.New(sample.Options{Seed: o.seed, Rows: rows})
}

// replaySource opens the recording that the arguments name, or makes the sample.
func replaySource(args []string, with sampleOptions) (source.Source, error) {
	if len(args) == 0 {
		return with.tenant()
	}
	if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
		return nil, fault.New(fault.NotFound, "there is no folder %q with a recording", args[0])
	}
	return file.Open(args[0])
}

// fitting leaves out what the server has no side for, and says so.
func (s *shell) fitting(ctx context.Context, c *client, from source.Source) (source.Source, error) {
	var sides control.Server
	if err := c.call(ctx, "GET", "/control/v1/server", nil, &sides); err != nil {
		return nil, err
	}
	switch {
	case sides.XDR && sides.Workspace:
		return from, nil
	case sides.XDR:
		fmt.Fprintln(s.err, "the server has no workspace: workspace rows are left out")
		return part{from, "xdr", func(k source.Kind) bool { return k != source.Row }}, nil
	default:
		fmt.Fprintln(s.err, "the server isn't the XDR: alerts and events are left out")
		return part{from, "workspace", func(k source.Kind) bool { return k == source.Row }}, nil
	}
}

// part is a recording without the records that one side has no place for.
// Its positions count what is left.
type part struct {
	source.Source
	name string
	has  func(source.Kind) bool
}

func (p part) Name() string { return p.Source.Name() + "-" + p.name }

func (p part) Outline(ctx context.Context) (source.Outline, error) {
	o, err := p.Source.Outline(ctx)
	if !p.has(source.Row) {
		o.Records, o.Rows = o.Records-o.Rows, 0
	}
	if !p.has(source.Event) {
		o.Records, o.Alerts, o.Events = o.Rows, 0, 0
	}
	return o, err
}

func (p part) Read(ctx context.Context, from int64, yield func(source.Record) error) error {
	var at int64
	return p.Source.Read(ctx, 0, func(r source.Record) error {
		if !p.has(r.Kind) {
			return nil
		}
		if at++; at <= from {
			return nil
		}
		return yield(r)
	})
}

func safeName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, name)
}

func (s *shell) primaryWorkspace(ctx context.Context, c *client) (string, error) {
	var list []control.Workspace
	if err := c.call(ctx, "GET", "/control/v1/workspaces", nil, &list); err != nil {
		return "", err
	}
	for _, w := range list {
		if w.Primary {
			return w.ID, nil
		}
	}
	return "", nil
}

// playSample replays the sample into the server that runs in this process, by
// the same way as any sender: over its socket. A sample that was played whole
// isn't played again.
func (s *shell) playSample(ctx context.Context, server *server, with sampleOptions) error {
	tenant, err := with.tenant()
	if err != nil {
		return err
	}
	if err := server.streamAll(ctx); err != nil {
		return fmt.Errorf("switch the tables on: %w", err)
	}
	c := newClient(server.folder.Path(socketName))
	ws, err := s.primaryWorkspace(ctx, c)
	if err != nil {
		return err
	}
	from, err := s.fitting(ctx, c, tenant)
	if err != nil {
		return err
	}
	return s.playOnce(ctx, replay.Options{
		Source: from, Sink: &replay.Server{Base: local, Client: c.http}, Workspace: ws, Speed: with.speed,
		State: server.folder.Path("replay-" + safeName(tenant.Name()) + ".json"),
	}, false)
}

// playOnce plays a recording unless it was played whole into this folder
// before: played twice, its events would be there twice.
func (s *shell) playOnce(ctx context.Context, o replay.Options, restart bool) error {
	done := strings.TrimSuffix(o.State, ".json") + ".done"
	if restart {
		for _, path := range []string{o.State, done} {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	if _, err := os.Stat(done); err == nil {
		fmt.Fprintf(s.err, "%s was replayed into this folder before; `lockstep replay --restart` sends it again, and its events will be there twice\n", o.Source.Name())
		return nil
	}
	if err := s.play(ctx, o); err != nil {
		return err
	}
	return os.WriteFile(done, nil, 0o600)
}

// play sends a recording and shows how far it is.
func (s *shell) play(ctx context.Context, o replay.Options) error {
	fmt.Fprintf(s.err, "replaying %s\n", o.Source.Name())
	report, finish := s.progress(ctx)
	o.Report = report
	refused := newTable("record", "table", "field", "reason")
	o.Refused = func(x replay.Refused) {
		if len(refused.rows) < 20 {
			refused.add(fmt.Sprintf("%s:%d", x.File, x.Number), x.Table, x.Field, x.Reason)
		}
	}
	began := time.Now()
	got, err := replay.Run(ctx, o)
	finish(err == nil)
	if s.format == "json" {
		return errors.Join(err, s.printJSON(got))
	}
	fmt.Fprintf(s.out, "sent %d records in %s: %d accepted, %d recognised as repeats, %d refused (%d alerts, %d events, %d rows)\n",
		got.Sent, time.Since(began).Round(10*time.Millisecond), got.Accepted, got.Repeats, got.Refused, got.Alerts, got.Events, got.Rows)
	if len(refused.rows) > 0 {
		fmt.Fprintln(s.out, "refused, and kept aside by the server:")
		err = errors.Join(err, s.print(refused))
	}
	return err
}

// progress shows how far a replay is: a bar on a terminal, else a line now and
// then. finish leaves the last state standing.
func (s *shell) progress(ctx context.Context) (report func(replay.Progress), finish func(whole bool)) {
	if !terminal(s.err) {
		var said time.Time
		return func(p replay.Progress) {
			if time.Since(said) >= linesEvery {
				said = time.Now()
				fmt.Fprintf(s.err, "%d of %d records, %.0f/s%s\n", p.Done, p.Total, p.Rate, rest(p))
			}
		}, func(bool) {}
	}
	all := mpb.NewWithContext(ctx, mpb.WithOutput(s.err), mpb.WithAutoRefresh(), mpb.WithRefreshRate(200*time.Millisecond))
	var at atomic.Pointer[replay.Progress]
	at.Store(&replay.Progress{})
	bar := all.AddBar(0,
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
			if t := at.Load().Time; t != 0 {
				return t.Time().Format("2006-01-02 15:04 ")
			}
			return ""
		}), decor.CountersNoUnit("%d / %d records")),
		mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string {
			p := at.Load()
			return fmt.Sprintf("  %.0f/s%s", p.Rate, rest(*p))
		})))
	return func(p replay.Progress) {
			at.Store(&p)
			bar.SetTotal(max(p.Total, p.Done+1), false)
			bar.SetCurrent(p.Done)
		}, func(whole bool) {
			if whole {
				bar.SetTotal(-1, true)
			} else {
				bar.Abort(false)
			}
			all.Wait()
		}
}

// linesEvery is how often progress is told where there is no terminal.
const linesEvery = 5 * time.Second

func rest(p replay.Progress) string {
	text := ""
	if p.Left > 0 {
		text = ", " + p.Left.Round(time.Second).String() + " left"
	}
	if p.Away != "" {
		text += ", waiting for the server"
	}
	return text
}

// terminal reports whether a file is one that a person looks at.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
