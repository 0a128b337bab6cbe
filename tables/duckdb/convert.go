package duckdb

import (
	"fmt"
	"strings"

	"lockstep/schema"
)

// missing is the value of a column that no row has.
func missing(t schema.Type) string {
	if t == schema.String {
		return "''"
	}
	return "CAST(NULL AS " + physical(t) + ")"
}

// convert gives the SQL that turns a column of one type into another. It is
// total: no value makes it fail; one that has no counterpart becomes null.
func convert(column string, from, to schema.Type) string {
	if from == to {
		return column
	}
	if sql, ok := conversions[pair{from, to}]; ok {
		return strings.ReplaceAll(sql, "{}", column)
	}
	switch {
	case to == schema.String:
		return fmt.Sprintf("coalesce(CAST(%s AS VARCHAR), '')", column)
	case to == schema.Dynamic && from == schema.Guid:
		return fmt.Sprintf("CAST(to_json(%s) AS VARCHAR)", column)
	case to == schema.Dynamic:
		return fmt.Sprintf("CAST(%s AS VARCHAR)", column)
	}
	return fmt.Sprintf("TRY_CAST(%s AS %s)", column, physical(to))
}

type pair struct{ from, to schema.Type }

// instant prints ticks as the wire does, with seven fractional digits.
const instant = "TRY(strftime(make_timestamp(({} - 621355968000000000) // 10), '%Y-%m-%dT%H:%M:%S.%f') || ({} % 10)::VARCHAR || 'Z')"

// ticks reads them; null when a text is no time.
const (
	ticks  = "TRY(epoch_us(CAST({} AS TIMESTAMP)) * 10 + 621355968000000000)"
	inJSON = "json_extract_string({}, '$')" // a JSON string's text
)

// validJSON is stricter than DuckDB, which lets NaN and Infinity pass: they
// may stand within strings only.
const validJSON = `(json_valid({}) AND (NOT regexp_matches({}, '(?i)nan|inf') OR NOT regexp_matches(regexp_replace({}, '"(?:[^"\\]|\\.)*"', '', 'g'), '(?i)nan|inf')))`

// conversions are those that a cast doesn't do as the product does.
var conversions = map[pair]string{
	{schema.String, schema.Dynamic}: "CASE WHEN {} = '' THEN NULL WHEN " + validJSON + " THEN nullif(CAST(json({}) AS VARCHAR), 'null') ELSE CAST(to_json({}) AS VARCHAR) END",
	{schema.Dynamic, schema.String}: "coalesce(CASE WHEN {}[1] = '\"' THEN json_extract_string({}, '$') ELSE {} END, '')",

	{schema.Bool, schema.String}:     "CASE WHEN {} IS NULL THEN '' WHEN {} THEN 'true' ELSE 'false' END",
	{schema.DateTime, schema.String}: "coalesce(" + instant + ", '')",

	{schema.DateTime, schema.Dynamic}: "CAST(to_json(" + instant + ") AS VARCHAR)",
	{schema.String, schema.DateTime}:  ticks,
	{schema.Dynamic, schema.DateTime}: strings.ReplaceAll(ticks, "{}", inJSON),
	{schema.Real, schema.Dynamic}:     "CASE WHEN isfinite({}) THEN CAST({} AS VARCHAR) END",

	{schema.DateTime, schema.Int}: "CAST(NULL AS INTEGER)", {schema.DateTime, schema.Bool}: "CAST(NULL AS BOOLEAN)", {schema.DateTime, schema.Real}: "CAST(NULL AS DOUBLE)",
	{schema.Real, schema.DateTime}: "CAST(NULL AS BIGINT)", {schema.Bool, schema.DateTime}: "CAST(NULL AS BIGINT)",
	{schema.TimeSpan, schema.String}: "coalesce(CAST({} AS VARCHAR), '')",

	{schema.String, schema.Guid}:     "CAST(TRY_CAST({} AS UUID) AS VARCHAR)",
	{schema.Dynamic, schema.Guid}:    "CAST(TRY_CAST(json_extract_string({}, '$') AS UUID) AS VARCHAR)",
	{schema.String, schema.Decimal}:  "CASE WHEN isfinite(TRY_CAST({} AS DOUBLE)) THEN trim({}) END",
	{schema.Dynamic, schema.Decimal}: "CASE WHEN isfinite(TRY_CAST({} AS DOUBLE)) THEN {} END",
	{schema.Guid, schema.Decimal}:    "CAST(NULL AS VARCHAR)",
	{schema.Decimal, schema.Guid}:    "CAST(NULL AS VARCHAR)",
}
