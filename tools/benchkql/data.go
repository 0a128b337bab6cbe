package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the engine, to write rows past the store

	"lockstep/rows"
	"lockstep/schema"
	"lockstep/tables"
	"lockstep/tables/duckdb"
)

// now is the time at which all queries run; rows are of the fourteen days before.
var now = schema.At(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))

const span = 14 * schema.Day

// amounts says which tables have rows, as a part of the amount asked for: a
// union of the last five reads it once.
var amounts = []struct {
	table string
	part  int
}{
	{"DeviceProcessEvents", 1}, {"CloudAppEvents", 1},
	{"DeviceEvents", 5}, {"DeviceFileEvents", 5}, {"DeviceLogonEvents", 5}, {"DeviceNetworkEvents", 5}, {"DeviceRegistryEvents", 5},
}

func clock() schema.Ticks { return now }

// fill makes a folder of tables with so many rows of each kind, if it isn't one yet.
//
// The store itself makes the tables, as its first row comes; the rows are then
// computed where they lie, because ten million are to be made in minutes. Beside
// each table stands a view under its name, for SQL that people write.
func fill(ctx context.Context, folder string, amount int) error {
	store, err := duckdb.Open(folder, duckdb.Options{Clock: clock})
	if err != nil {
		return err
	}
	for _, a := range amounts {
		if err == nil {
			err = first(ctx, store, a.table)
		}
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	db, err := sql.Open("duckdb", filepath.Join(folder, "tables.duckdb")+"?storage_compatibility_version=latest")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, a := range amounts {
		if err := compute(ctx, db, a.table, amount/a.part); err != nil {
			return fmt.Errorf("fill %s: %w", a.table, err)
		}
	}
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return err
}

// first has the store make a table.
func first(ctx context.Context, store *duckdb.Store, table string) error {
	t, ok := schema.Default().Table(schema.XDR, table)
	if !ok {
		return fmt.Errorf("there is no table %s", table)
	}
	b := rows.New(rows.Stored(t), 1)
	for i := range b.Columns {
		b.Columns[i].AppendNull()
	}
	b.N = 1
	_, err := store.Append(ctx, tables.Append{Home: tables.XDRHome, Batches: []*rows.Batch{b}})
	return err
}

// compute writes a table's rows anew, unless they are there.
func compute(ctx context.Context, db *sql.DB, table string, amount int) error {
	var id, have int
	if err := db.QueryRowContext(ctx, "SELECT id FROM relations WHERE name = ?", table).Scan(&id); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM r%d WHERE _size > 0", id)).Scan(&have); err != nil {
		return err
	}
	if have == amount { // but for the row that has just made the table
		_, err := db.ExecContext(ctx, fmt.Sprintf("DELETE FROM r%d WHERE _size = 0", id))
		return err
	}
	found, err := db.QueryContext(ctx, "SELECT ordinal, name, type FROM fields WHERE relation = ? ORDER BY ordinal", id)
	if err != nil {
		return err
	}
	defer found.Close()
	at := fmt.Sprintf("%d + i * %d", now-span, span/schema.Ticks(amount))
	when := at + " + " + one("jitter", 300) + " * 10000000"                             // a little out of order, as rows come in
	values := []string{"1099511627776 + i", when, when + " + 20000000", "1500::BIGINT"} // _arrival, _event, _received, _size
	shown := []string{"rowid AS _row"}
	for found.Next() {
		var ordinal int
		var name, typ string
		if err := found.Scan(&ordinal, &name, &typ); err != nil {
			return err
		}
		t, _ := schema.ParseType(typ)
		values = append(values, value(table, name, t, when))
		shown = append(shown, fmt.Sprintf("c%d AS %q", ordinal, name))
	}
	if err := found.Err(); err != nil {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf("DELETE FROM r%d", id),
		fmt.Sprintf("INSERT INTO r%d SELECT %s FROM range(%d) AS t(i)", id, strings.Join(values, ", "), amount),
		fmt.Sprintf("CREATE OR REPLACE VIEW %s AS SELECT %s FROM r%d", table, strings.Join(shown, ", "), id),
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// one gives a number below n that depends on the row i and on what it is for.
func one(what string, n int) string {
	h := fnv.New32a()
	h.Write([]byte(what))
	return fmt.Sprintf("(hash(i, %d) %% %d)::BIGINT", h.Sum32(), n)
}

// of takes one of some texts.
func of(what string, list ...string) string {
	return "(['" + strings.Join(list, "', '") + "'])[" + one(what, len(list)) + " + 1]"
}

var programs = []string{"svchost.exe", "powershell.exe", "cmd.exe", "chrome.exe", "msedge.exe", "Teams.exe", "outlook.exe", "rundll32.exe", "wmiprvse.exe", "python.exe", "git.exe", "MsMpEng.exe"}

// value is the SQL of a column's values: as many different ones as such a column has.
func value(table, name string, t schema.Type, when string) string {
	switch {
	case name == "Timestamp":
		return when
	case t == schema.DateTime:
		return fmt.Sprintf("%s - %s * 1000", when, one(name, 1000))
	case t == schema.Bool:
		return one(name, 20) + " = 0"
	case t == schema.Int, t == schema.Long:
		return one(name, 50000)
	case t == schema.Real:
		return one(name, 50000) + " / 8.0"
	case t == schema.Dynamic:
		return document(name)
	}
	for _, v := range texts {
		if strings.HasSuffix(name, v.suffix) {
			return v.value(table, name)
		}
	}
	return "''"
}

// texts are the values of text columns by the end of their name.
var texts = []struct {
	suffix string
	value  func(table, name string) string
}{
	{"CommandLine", func(_, name string) string {
		rare := "CASE " + one(name+"rare", 1000) + " WHEN 0 THEN ' Invoke-Mimikatz -DumpCreds' WHEN 1 THEN ' \\tools\\mimikatz.exe sekurlsa::logonpasswords' WHEN 2 THEN ' xmimikatzx' ELSE '' END"
		return `'"C:\Windows\System32\' || ` + of(name, programs...) + ` || '" -k netsvcs -p -s Schedule' || ` + one(name+"number", 500) + " || ' --token ' || lower(hex(hash(i, 7))) || " + rare
	}},
	{"FileName", func(_, name string) string { return of(name, programs...) }},
	{"FolderPath", func(_, name string) string {
		return `'C:\Program Files\Vendor ' || ` + one(name, 40) + ` || '\bin\tool' || ` + one(name+"2", 200) + " || '.exe'"
	}},
	{"SHA256", func(_, name string) string { return "sha256('f' || " + one(name, 30000) + ")" }},
	{"SHA1", func(_, name string) string { return "substr(sha256('f' || " + one(name, 3000) + "), 1, 40)" }},
	{"MD5", func(_, name string) string { return "md5('f' || " + one(name, 3000) + ")" }},
	{"RemoteSessionDeviceName", func(_, _ string) string { return "''" }},
	{"RemoteDeviceName", func(_, _ string) string { return "''" }},
	{"DeviceName", func(_, _ string) string {
		return "'pc' || lpad((" + one("device", 2000) + ")::VARCHAR, 4, '0') || '.contoso.example'"
	}},
	{"DeviceId", func(_, _ string) string { return "substr(sha256('d' || " + one("device", 2000) + "), 1, 40)" }},
	{"ActionType", func(table, name string) string {
		if table == "DeviceLogonEvents" {
			return of(name, "LogonSuccess", "LogonFailed", "LogonAttempted")
		}
		return of(name, "ProcessCreated", "OpenProcess", table+"A", table+"B", table+"C")
	}},
	{"LogonType", func(_, name string) string {
		return of(name, "Interactive", "Network", "RemoteInteractive", "Batch", "Service")
	}},
	{"AccountName", func(_, name string) string { return "'user' || " + one(name, 5000) }},
	{"AccountDomain", func(_, _ string) string { return "'contoso'" }},
	{"Sid", func(_, name string) string {
		return "'S-1-5-21-1004336348-1177238915-682003330-' || " + one(name, 5000)
	}},
	{"RemoteIP", func(_, name string) string {
		return "'10.0.' || " + one(name, 200) + " || '.' || " + one(name+"2", 250)
	}},
	{"ReportId", func(_, _ string) string { return "i::VARCHAR" }},
	{"AdditionalFields", func(_, name string) string {
		return "CASE WHEN " + one(name, 10) + " < 6 THEN '{\"Kind\":\"k' || " + one(name+"k", 40) + " || '\",\"Score\":' || " + one(name+"s", 100) + " || '}' ELSE '' END"
	}},
}

// document is the SQL of JSON: most columns have none.
func document(name string) string {
	switch name {
	case "RawEventData":
		return `'{"CreationTime":"2026-11-10T08:00:00","Operation":"' || ` + of(name+"o", "FileAccessed", "MailItemsAccessed", "UserLoggedIn", "New-InboxRule") + ` || '","Workload":"' || ` + of(name+"w", "Exchange", "SharePoint", "AzureActiveDirectory", "OneDrive") +
			` || '","UserId":"user' || ` + one(name+"u", 5000) + ` || '@contoso.example","Session":{"Kind":"kind' || ` + one(name+"k", 20) + ` || '","Level":' || ` + one(name+"l", 9) + ` || '},"ResultStatus":"Succeeded"}'`
	case "ActivityObjects":
		object := func(n string) string {
			return `'{"Type":"' || ` + of(name+n, "User", "File", "Folder", "Structured object") + ` || '","Role":"Target object","Id":"' || ` + one(name+n+"id", 90000) + ` || '"}'`
		}
		return "CASE " + one(name, 4) + " WHEN 0 THEN NULL WHEN 1 THEN '[' || " + object("1") + " || ']' WHEN 2 THEN '[' || " + object("1") + " || ',' || " + object("2") + " || ']' ELSE '[' || " + object("1") + " || ',' || " + object("2") + " || ',' || " + object("3") + " || ']' END"
	}
	return "NULL::VARCHAR"
}
