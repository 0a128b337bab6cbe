package duckdb

import (
	"fmt"

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
		return fmt.Sprintf(sql, column)
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
const instant = "(strftime(make_timestamp((%[1]s - 621355968000000000) // 10), '%%Y-%%m-%%dT%%H:%%M:%%S.%%f') || (%[1]s %% 10)::VARCHAR || 'Z')"

// conversions are those that a cast doesn't do as the product does.
var conversions = map[pair]string{
	{schema.String, schema.Dynamic}: "CASE WHEN %[1]s = '' THEN NULL WHEN json_valid(%[1]s) THEN nullif(CAST(json(%[1]s) AS VARCHAR), 'null') ELSE CAST(to_json(%[1]s) AS VARCHAR) END",
	{schema.Dynamic, schema.String}: "coalesce(CASE WHEN %[1]s[1] = '\"' THEN json_extract_string(%[1]s, '$') ELSE %[1]s END, '')",

	{schema.Bool, schema.String}:     "CASE WHEN %[1]s IS NULL THEN '' WHEN %[1]s THEN 'true' ELSE 'false' END",
	{schema.DateTime, schema.String}: "coalesce(" + instant + ", '')",

	{schema.DateTime, schema.Dynamic}: "CAST(to_json(" + instant + ") AS VARCHAR)",
	{schema.String, schema.DateTime}:  "(epoch_us(TRY_CAST(%[1]s AS TIMESTAMP)) * 10 + 621355968000000000)",
	{schema.Dynamic, schema.DateTime}: "(epoch_us(TRY_CAST(json_extract_string(%[1]s, '$') AS TIMESTAMP)) * 10 + 621355968000000000)",

	{schema.DateTime, schema.Int}: "CAST(NULL AS INTEGER)", {schema.DateTime, schema.Bool}: "CAST(NULL AS BOOLEAN)", {schema.DateTime, schema.Real}: "CAST(NULL AS DOUBLE)",
	{schema.Real, schema.DateTime}: "CAST(NULL AS BIGINT)", {schema.Bool, schema.DateTime}: "CAST(NULL AS BIGINT)",
	{schema.TimeSpan, schema.String}: "coalesce(CAST(%[1]s AS VARCHAR), '')",

	{schema.String, schema.Guid}: "nullif(lower(%[1]s), '')",
}
