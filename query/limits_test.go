package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"lockstep/fault"
	"lockstep/query"
	"lockstep/schema"
)

// TestTextLimits: what a text asks for with set lowers the limits, and never raises them.
func TestTextLimits(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL, MaxRows: 100, MaxBytes: 4000})
	const cut10 = "The result was cut at 10 rows."
	for _, test := range []struct {
		set   string
		asked int // rows by the request; 0 for none
		rows  int
		says  string // the warnings; "" for none
	}{
		{"set truncationmaxrecords = 10;", 0, 10, cut10},
		{"set TruncationMaxRecords=10;", 0, 10, cut10},
		{"set truncationmaxrecords = 5 + 5;", 0, 10, cut10},
		{"set query_take_max_records = 10;", 50, 10, cut10},
		{"set truncationmaxrecords = 20;", 10, 10, cut10},
		{"set truncationmaxrecords = 1000;", 10, 10, cut10 + " | The query sets a limit of 1000 rows, more than the 100 that this server gives to a query (its setting query_rows)."},
		{"set truncationmaxrecords = 10; set notruncation;", 0, 100, "The result was cut at 100 rows."},
		{"set notruncation; set truncationmaxrecords = 10;", 0, 10, cut10},
		{"set truncationmaxrecords = 10; set notruncation = false;", 0, 10, cut10},
		{"set notruncation;", 10, 10, cut10},
		{"set notruncation; set servertimeout = 1m; set norequesttimeout;", 0, 100, "The result was cut at 100 rows."},
		{"set truncationmaxsize = 1000000;", 0, 100, "The result was cut at 100 rows. | The query sets a limit of 1000000 bytes, more than the 4000 that this server gives to a query."},
		{"set servertimeout = 1h;", 10, 10, cut10 + " | The query sets a time of 1h0m0s, more than the 3m0s that this server gives to a query (its setting query_timeout)."},
		{"set servertimeout = time(2m);", 10, 10, cut10},
		{"set maxoutputcolumns = 5000;", 10, 10, "the option 'maxoutputcolumns' of set changes nothing here | " + cut10},
		{"set truncationmaxrecord = 5;", 10, 10, "the option 'truncationmaxrecord' of set changes nothing here; did you mean 'truncationmaxrecords'? | " + cut10},
		{"set queryconsistency = 'weakconsistency';", 10, 10, "the option 'queryconsistency' of set changes nothing here | " + cut10},
	} {
		r, err := s.Run(context.Background(), query.Query{Side: schema.XDR, MaxRows: test.asked, Text: test.set + " range n from 1 to 1000 step 1"})
		if err != nil {
			t.Errorf("%s %v", test.set, err)
			continue
		}
		if r.Rows.N != test.rows || !r.Truncated || strings.Join(r.Warnings, " | ") != test.says {
			t.Errorf("%s gave %d rows, want %d; warnings\n%s\nwant\n%s", test.set, r.Rows.N, test.rows, strings.Join(r.Warnings, " | "), test.says)
		}
	}
}

// TestTextSize: a text's size cuts the rows by the piece in which an engine reads them.
func TestTextSize(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	const rows = "range n from 1 to 9000 step 1"
	for set, most := range map[string]int{"set truncationmaxsize = 800;": 1000, "set truncationmaxsize = 800; set notruncation;": 9000, "": 9000} {
		r, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: set + rows})
		if err != nil {
			t.Errorf("%s %v", set, err)
			continue
		}
		cut := most < 9000
		if r.Truncated != cut || cut && r.Rows.N > most || !cut && r.Rows.N != most || strings.Contains(strings.Join(r.Warnings, " "), "larger than 800 bytes") != cut {
			t.Errorf("%q gave %d rows, %q", set, r.Rows.N, r.Warnings)
		}
	}
}

// TestTextLimitsOfSeveralTables: rows are limited table by table, and columns that rows tell keep the limit.
func TestTextLimitsOfSeveralTables(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	for _, text := range []string{
		"range n from 1 to 9 step 1; range m from 1 to 9 step 1",
		"range n from 1 to 9 step 1 | project b = bag_pack('k', n) | evaluate bag_unpack(b)",
	} {
		r, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "set truncationmaxrecords = 4; " + text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, table := range r.Tables() {
			if table.Rows.N != 4 || !table.Truncated {
				t.Errorf("%s: %s has %d rows", text, table.Name, table.Rows.N)
			}
		}
	}
}

// TestTextTime: a text's own time ends it, and is named; one beyond the server's doesn't help it.
func TestTextTime(t *testing.T) {
	const endless = "range n from 1 to 100000000 step 1 | extend m = hash_sha256(tostring(n)) | summarize dcount(m, 4), count() by substring(m, 0, 3) | count"
	s, _ := serve(t, query.Options{Compile: query.KQL})
	_, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "set servertimeout = 1ms; " + endless})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "longer than 1ms") {
		t.Errorf("beyond the text's time: %v", err)
	}
	_, err = s.Run(context.Background(), query.Query{Side: schema.XDR, Timeout: 2 * time.Millisecond, Text: "set servertimeout = 1h; " + endless})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "longer than 2ms") {
		t.Errorf("beyond the request's time: %v", err)
	}
}

// TestTextLimitsWithoutAValue: a limit that can't be read is refused, not passed over.
func TestTextLimitsWithoutAValue(t *testing.T) {
	s, _ := serve(t, query.Options{Compile: query.KQL})
	for _, set := range []string{
		"truncationmaxrecords", "truncationmaxrecords = 0", "truncationmaxrecords = -5", "truncationmaxrecords = 'ten'", "truncationmaxrecords = 1.5", "truncationmaxsize = 1h",
		"truncationmaxrecords = long(null)", "servertimeout = 30", "servertimeout = -1s", "servertimeout", "notruncation = 7",
	} {
		_, err := s.Run(context.Background(), query.Query{Side: schema.XDR, Text: "set " + set + "; print 1"})
		var wrong *query.SyntaxError
		if !errors.As(err, &wrong) || wrong.Diagnostics[0].Code != "KQL196" {
			t.Errorf("set %s: %v, want KQL196", set, err)
		}
	}
}
