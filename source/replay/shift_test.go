package replay_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"lockstep/schema"
	"lockstep/source"
	"lockstep/source/replay"
)

func at(t testing.TB, text string) schema.Ticks {
	t.Helper()
	p, err := schema.ParseTicks(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTimesOfARecordMoveWithItsClock(t *testing.T) {
	o := source.Outline{First: at(t, "2024-06-20T00:00:00Z"), Last: at(t, "2024-06-26T12:00:00Z")}
	plan := replay.NewPlan(o, at(t, "2026-06-26T12:00:00.7Z"), replay.Longest) // 730 days later
	for _, c := range []struct{ name, in, want string }{
		{"RFC 3339", `{"time":"2024-06-26T10:31:05Z"}`, `{"time":"2026-06-26T10:31:05Z"}`},
		{"fraction kept", `{"time": "2024-06-26T10:31:05.0923642Z"}`, `{"time": "2026-06-26T10:31:05.0923642Z"}`},
		{"nine digits", `["2024-06-26T10:31:05.092364299Z"]`, `["2026-06-26T10:31:05.092364299Z"]`},
		{"zone kept", `{"t":"2024-06-26T00:21:21.3294301+02:00"}`, `{"t":"2026-06-26T00:21:21.3294301+02:00"}`},
		{"no zone", `{"t":"2024-06-26T10:31:05"}`, `{"t":"2026-06-26T10:31:05"}`},
		{"space", `{"t":"2024-06-26 10:31:05"}`, `{"t":"2026-06-26 10:31:05"}`},
		{"JSON in a string", `{"Entities":"[{\"CreationTimeUtc\":\"2024-06-26T10:31:04.8Z\"}]"}`, `{"Entities":"[{\"CreationTimeUtc\":\"2026-06-26T10:31:04.8Z\"}]"}`},
		{"JSON in JSON in a string", `{"a":"{\"b\":\"{\\\"c\\\":\\\"2024-06-26T10:31:04Z\\\"}\"}"}`, `{"a":"{\"b\":\"{\\\"c\\\":\\\"2026-06-26T10:31:04Z\\\"}\"}"}`},
		{"American", `{"LastUpdated":"6/26/2024 10:33:26 PM"}`, `{"LastUpdated":"6/26/2026 10:33:26 PM"}`},
		{"American, noon and midnight", `["6/26/2024 12:33:26 PM","6/26/2024 12:33:26 AM"]`, `["6/26/2026 12:33:26 PM","6/26/2026 12:33:26 AM"]`},
		{"American, 24 hours", `{"LastUpdated":"06/26/2024 10:34:11"}`, `{"LastUpdated":"06/26/2026 10:34:11"}`},
		{"a little before", `{"ProcessCreationTime":"2024-06-01T00:00:00Z"}`, `{"ProcessCreationTime":"2026-06-01T00:00:00Z"}`},
		{"years before stays", `{"CreatedTimeUtc":"2019-12-07T09:09:33.9902103Z"}`, `{"CreatedTimeUtc":"2019-12-07T09:09:33.9902103Z"}`},
		{"no time stays", `{"AnalysisDate":"0001-01-01T00:00:00.0000000Z"}`, `{"AnalysisDate":"0001-01-01T00:00:00.0000000Z"}`},
		{"a time in a text stays", `{"Query":"where t > datetime(2024-06-26T10:31:05Z)"}`, `{"Query":"where t > datetime(2024-06-26T10:31:05Z)"}`},
		{"a text after a time stays", `{"q":"2024-06-26T10:31:05Z or later"}`, `{"q":"2024-06-26T10:31:05Z or later"}`},
		{"dates and numbers stay", `{"d":"2024-06-26","n":20240626,"id":"20240626101112","ip":"10.1.2.3","v":"10.0.22621.3235"}`, `{"d":"2024-06-26","n":20240626,"id":"20240626101112","ip":"10.1.2.3","v":"10.0.22621.3235"}`},
		{"no such time stays", `{"d":"2024-13-45T99:99:99Z"}`, `{"d":"2024-13-45T99:99:99Z"}`},
		{"broken JSON", `{"time":"2024-06-26T10:31:05Z`, `{"time":"2024-06-26T10:31:05Z`},
	} {
		if got := string(plan.AppendShifted(nil, []byte(c.in))); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestLongPausesAreShortenedToFit(t *testing.T) {
	begin := at(t, "2024-03-01T00:00:00Z")
	day := schema.Day
	outline := func(length schema.Ticks, pauses ...[2]schema.Ticks) source.Outline {
		o := source.Outline{First: begin, Last: begin + length}
		for _, p := range pauses {
			o.Pauses = append(o.Pauses, source.Pause{From: begin + p[0], To: begin + p[1]})
		}
		return o
	}
	end := at(t, "2026-01-01T00:00:00Z")
	for _, c := range []struct {
		name string
		o    source.Outline
		want schema.Ticks // length afterwards
	}{
		{"fits", outline(13*day, [2]schema.Ticks{day, 5 * day}), 13 * day},
		{"one pause over", outline(60*day, [2]schema.Ticks{day, 50 * day}), 11*day + 12*schema.Hour},
		{"two pauses over", outline(60*day, [2]schema.Ticks{day, 25 * day}, [2]schema.Ticks{30 * day, 55 * day}), 12 * day},
		{"twelve hours each would be too much", outline(60*day, [2]schema.Ticks{13 * day, 59*day + 4*schema.Hour}), 14 * day},
		{"shorter pauses must go too", outline(20*day, [2]schema.Ticks{day, day + 20*schema.Hour}, [2]schema.Ticks{3 * day, 9 * day}, [2]schema.Ticks{10 * day, 10*day + 6*schema.Hour}), 14 * day},
		{"never fits", outline(30*day, [2]schema.Ticks{day, 2 * day}), 29*day + schema.Minute},
	} {
		first, last := replay.NewPlan(c.o, end, replay.Longest).Span()
		if last != end || last-first > c.want || last-first < c.want-schema.Minute {
			t.Errorf("%s: lasts %s to %s (%s), want %s", c.name, first, last, (last - first).Duration(), c.want.Duration())
		}
	}
}

// Whatever the pauses: order is kept, all fits if pauses can make it fit, and a
// recording that was moved once is left alone when it is moved again.
func TestMovingKeepsOrderAndIsDoneOnce(t *testing.T) {
	base := at(t, "2024-06-01T00:00:00Z")
	rapid.Check(t, func(rt *rapid.T) {
		var times []schema.Ticks
		now := base
		lengths := rapid.SampledFrom([]int{0, 3, 11, 200, 715, 900, 4000, 12_000}) // minutes, about the limits
		for _, minutes := range rapid.SliceOfN(lengths, 2, 30).Draw(rt, "pauses") {
			now += schema.Ticks(minutes)*schema.Minute + schema.Ticks(rapid.IntRange(0, 10_000_000).Draw(rt, "fraction"))
			times = append(times, now)
		}
		outline := func(times []schema.Ticks) source.Outline {
			o := source.Outline{First: times[0], Last: times[len(times)-1]}
			for i := 1; i < len(times); i++ {
				if times[i]-times[i-1] >= source.MinPause {
					o.Pauses = append(o.Pauses, source.Pause{From: times[i-1], To: times[i]})
				}
			}
			return o
		}
		end := at(t, "2026-02-02T08:00:00Z") + schema.Ticks(rapid.IntRange(0, 10_000_000).Draw(rt, "end"))
		o := outline(times)
		plan := replay.NewPlan(o, end, replay.Longest)
		shift := func(p replay.Plan, x schema.Ticks) schema.Ticks {
			body := p.AppendShifted(nil, []byte(`{"t":"`+x.String()+`"}`))
			var r struct{ T schema.Ticks }
			if err := json.Unmarshal(body, &r); err != nil {
				rt.Fatal(err)
			}
			if want, _ := p.At(x); want != r.T {
				rt.Fatalf("a record's clock goes to %s, its text to %s", want, r.T)
			}
			return r.T
		}
		moved := make([]schema.Ticks, len(times))
		for i, x := range times {
			moved[i] = shift(plan, x)
			if i > 0 && (times[i] > times[i-1]) != (moved[i] > moved[i-1]) {
				rt.Fatalf("order changed: %s, %s became %s, %s", times[i-1], times[i], moved[i-1], moved[i])
			}
		}
		if last := moved[len(moved)-1]; last > end || end-last >= schema.Second {
			rt.Fatalf("ends at %s, not %s", last, end)
		}
		// So do any points in and about a pause, or they fall together.
		for i := 1; i < len(times); i++ {
			var before schema.Ticks
			from, to := times[i-1]-schema.Hour, times[i]+schema.Hour
			for k := schema.Ticks(0); k <= 60; k++ {
				x := from + (to-from)*k/60
				here, _ := plan.At(x)
				if here < before {
					rt.Fatalf("%s became %s, but a point before it %s", x, here, before)
				}
				before = here
			}
		}
		again := replay.NewPlan(outline(moved), end, replay.Longest)
		for i, x := range moved {
			if got := shift(again, x); moved[len(moved)-1]-moved[0] <= replay.Longest && got != x {
				rt.Fatalf("moved again, record %d went from %s to %s", i, x, got)
			}
		}
	})
}

func FuzzShiftedRecordsStayWhatTheyAre(f *testing.F) {
	f.Add(`{"a":"2024-06-26T10:31:05.1234567Z","b":"6/1/2024 1:02:03 PM"}`)
	f.Add(`{"a":"2024-06-26T10:31:05+14:00\"","b":"6/1/2024 1:02:03 PM\\"}`)
	f.Add(`"2024-06-26T10:31:05.`)
	plan := replay.NewPlan(source.Outline{First: at(f, "2024-06-01T00:00:00Z"), Last: at(f, "2024-07-01T00:00:00Z"),
		Pauses: []source.Pause{{From: at(f, "2024-06-02T00:00:00Z"), To: at(f, "2024-06-25T00:00:00Z")}}}, at(f, "2026-01-01T00:00:00Z"), replay.Longest)
	f.Fuzz(func(t *testing.T, body string) {
		if got := plan.AppendShifted(nil, []byte(body)); json.Valid([]byte(body)) != json.Valid(got) {
			t.Errorf("%q became %q", body, got)
		}
	})
}
