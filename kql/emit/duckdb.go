package emit

import (
	"regexp"
	"strconv"
	"strings"

	"lockstep/schema"
)

// DuckDB is the dialect of DuckDB 1.5 with the functions of package native
// registered under their names.
//
// Facts it leans on: TRY(x) gives null where x raises; // and % by zero give
// null; sum of BIGINT is HUGEINT; regular expressions are RE2.
type DuckDB struct{}

// Name is empty: the product's own engine.
func (DuckDB) Name() string { return "" }

// Parameter: every value from outside is text.
func (DuckDB) Parameter(int) string { return "?::VARCHAR" }

// Phrase looks in the table of phrases.
func (DuckDB) Phrase(p string) (string, bool) {
	t, ok := duckPhrases[p]
	return t, ok
}

// Path says a JSON path.
func (DuckDB) Path(steps []any, asText bool) (string, []string) {
	var b strings.Builder
	b.WriteByte('$')
	plain := true
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			plain = plain && plainKey.MatchString(s)
			b.WriteString(`."` + s + `"`)
		case int64:
			b.WriteByte('[')
			if s < 0 {
				b.WriteByte('#')
			}
			b.WriteString(strconv.FormatInt(s, 10) + "]")
		}
	}
	at, texts := "{1}", []string{b.String()}
	if plain { // the engine reads a path in its text once, one that comes as a parameter for every row; and a quoted key slower
		at, texts = "'"+strings.ReplaceAll(b.String(), `"`, "")+"'", nil
	}
	if asText {
		return "coalesce(TRY(json_extract_string({0}, " + at + ")), '')", texts
	}
	return "nullif(TRY(json_extract({0}, " + at + "))::VARCHAR, 'null')", texts
}

// plainKey is a key that can't be anything but a key in a text.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Physical names a type's column type.
func (DuckDB) Physical(t schema.Type) string {
	switch t {
	case schema.Bool:
		return "BOOLEAN"
	case schema.Int:
		return "INTEGER"
	case schema.Long, schema.DateTime, schema.TimeSpan:
		return "BIGINT"
	case schema.Real:
		return "DOUBLE"
	}
	return "VARCHAR"
}

// Function finds a template by "name:type", then "name".
func (DuckDB) Function(fn string, args []schema.Type, result schema.Type) (string, bool) {
	if len(args) > 0 {
		if t, ok := duckFunctions[fn+":"+args[0].String()]; ok {
			return spell(t), true
		}
	}
	if t, ok := duckFunctions[fn]; ok {
		return spell(t), true
	}
	return "", false
}

// Aggregate finds a template by "name:type", then "name".
func (DuckDB) Aggregate(fn string, args []schema.Type, result schema.Type) (string, bool) {
	if len(args) > 1 {
		if t, ok := duckAggregates[fn+":"+args[0].String()+"/"+strconv.Itoa(len(args))]; ok {
			return spell(t), true
		}
	}
	if len(args) > 0 {
		if t, ok := duckAggregates[fn+":"+args[0].String()]; ok {
			return spell(t), true
		}
	}
	if len(args) > 1 {
		if t, ok := duckAggregates[fn+"/"+strconv.Itoa(len(args))]; ok {
			return spell(t), true
		}
	}
	t, ok := duckAggregates[fn]
	return spell(t), ok
}

// spell writes out the abbreviations of the tables below.
func spell(t string) string { return abbreviations.Replace(t) }

// abbreviations: ticks per unit, and a time as the engine's own type and back.
var abbreviations = strings.NewReplacer(
	"@DAY", "864000000000", "@HOUR", "36000000000", "@MINUTE", "600000000", "@SECOND", "10000000",
	// the low bits of a whole number, as the engine lets integers wrap
	"@LOW(", "(((", "@LOWEND", " % 4294967296) + 6442450944) % 4294967296 - 2147483648)::INTEGER",
	"@WRAP(", "(((", "@WRAPEND", " % 18446744073709551616::HUGEINT) + 27670116110564327424::HUGEINT) % 18446744073709551616::HUGEINT - 9223372036854775808::HUGEINT)::BIGINT",
	"@TS(", "make_timestamp(", "@END", " // 10 - 62135596800000000)",
)

var duckFunctions = map[string]string{
	// arithmetic
	"add": "TRY({0} + {1})", "sub": "TRY({0} - {1})", "mul": "TRY({0} * {1})", "neg": "TRY(-({0}))",
	"add:long": "coalesce(TRY({0} + {1}), kql_wrap('+', {0}, {1}))", "sub:long": "coalesce(TRY({0} - {1}), kql_wrap('-', {0}, {1}))", "mul:long": "coalesce(TRY({0} * {1}), kql_wrap('*', {0}, {1}))",
	"add:real": "!({0} + {1})", "sub:real": "!({0} - {1})", "mul:real": "!({0} * {1})", "neg:real": "!(-({0}))",
	"div": "TRY({0} // {1})", "mod": "TRY({0} % {1} + CASE WHEN {0} % {1} < 0 THEN abs({1}) ELSE 0 END)",
	"div:real": "!({0} / {1})", "mod:real": "TRY((({0} % {1}) + abs({1})) % abs({1}))",
	"add:decimal": "kql_decimal('+', {0}, {1})", "sub:decimal": "kql_decimal('-', {0}, {1})", "mul:decimal": "kql_decimal('*', {0}, {1})", "div:decimal": "kql_decimal('/', {0}, {1})", "mod:decimal": "kql_decimal('%', {0}, {1})",
	"neg:decimal": "kql_decimal('-', '0', {0})",
	"ticks":       "!({0})::DOUBLE", "scale": "TRY_CAST(round(({0})::DOUBLE * {1}) AS BIGINT)", "shrink": "TRY_CAST(round(({0})::DOUBLE / {1}) AS BIGINT)",
	// comparison and logic
	"lt": "!({0} < {1})", "le": "!({0} <= {1})", "gt": "!({0} > {1})", "ge": "!({0} >= {1})", "not": "!(NOT {0})",
	"lt:decimal": "(kql_decimal_compare({0}, {1}) < 0)", "le:decimal": "(kql_decimal_compare({0}, {1}) <= 0)", "gt:decimal": "(kql_decimal_compare({0}, {1}) > 0)", "ge:decimal": "(kql_decimal_compare({0}, {1}) >= 0)",
	"bin:decimal": "kql_decimal('bin', {0}, {1})", "bin_at:decimal": "kql_decimal('+', {2}, kql_decimal('bin', kql_decimal('-', {0}, {2}), {1}))", "abs:decimal": "kql_decimal_abs({0})", "sign:decimal": "kql_decimal_sign({0})", "ceiling:decimal": "kql_decimal_ceiling({0})", "round:decimal": "kql_decimal_round({*})",
	"same": "({0} IS NOT DISTINCT FROM {1})", "isnull": "({0} IS NULL)", "isnotnull": "({0} IS NOT NULL)", "isnull:string": "(false)", "isnotnull:string": "(true)",
	// conversion
	"tostring:long": "{0}::VARCHAR", "tostring:int": "{0}::VARCHAR", "tostring:bool": "CASE WHEN {0} THEN 'True' WHEN NOT {0} THEN 'False' END", "tostring:guid": "{0}", "tostring:string": "!{0}", "tostring:decimal": "{0}",
	"tostring:real": "kql_real_text({0})", "tostring:datetime": "kql_datetime_text({0})", "tostring:timespan": "kql_timespan_text({0})", "tostring:dynamic": "TRY(json_extract_string({0}, '$'))",
	"tolong:long": "{0}", "tolong:int": "!{0}::BIGINT", "tolong:bool": "!{0}::BIGINT", "tolong:real": "TRY_CAST(trunc({0}) AS BIGINT)", "tolong:datetime": "!{0}", "tolong:timespan": "!{0}",
	"tolong:string": "kql_long({0})", "tolong:dynamic": "coalesce(kql_long(TRY(json_extract_string({0}, '$'))), CASE WHEN TRY_CAST({0} AS DOUBLE) > 9e18 THEN 9223372036854775807 WHEN TRY_CAST({0} AS DOUBLE) < -9e18 THEN -9223372036854775808 END)", "tolong:decimal": "kql_decimal_long({0})",
	"toint:long": "TRY_CAST({0} AS INTEGER)", "toint:bool": "!{0}::INTEGER", "toint:real": "TRY_CAST(trunc({0}) AS INTEGER)", "toint:string": "TRY_CAST(kql_long({0}) AS INTEGER)", "toint:dynamic": "coalesce(TRY_CAST(kql_long(TRY(json_extract_string({0}, '$'))) AS INTEGER), @LOW(kql_long(CASE WHEN contains({0}, '.') OR contains({0}, '\"') THEN NULL ELSE {0} END)@LOWEND, CASE WHEN TRY_CAST({0} AS DOUBLE) > 2e9 THEN 2147483647 WHEN TRY_CAST({0} AS DOUBLE) < -2e9 THEN -2147483648 END)", "toint:datetime": "NULL::INTEGER", "toint:timespan": "!@LOW({0}@LOWEND", "toint:int": "!{0}", "toint:decimal": "TRY_CAST(kql_decimal_long({0}) AS INTEGER)",
	"toreal:long": "!{0}::DOUBLE", "toreal:int": "!{0}::DOUBLE", "toreal:bool": "!{0}::DOUBLE", "toreal:string": "kql_real({0})", "toreal:dynamic": "kql_real(TRY(json_extract_string({0}, '$')))", "toreal:decimal": "TRY_CAST({0} AS DOUBLE)",
	"toreal:timespan": "!{0}::DOUBLE", "toreal:datetime": "!{0}::DOUBLE", "toreal:real": "!{0}",
	"tobool:long": "!({0} <> 0)", "tobool:int": "!({0} <> 0)", "tobool:real": "!({0} <> 0)", "tobool:string": "kql_bool({0})", "tobool:dynamic": "kql_bool(TRY(json_extract_string({0}, '$')))", "tobool:bool": "!{0}",
	"todatetime:string": "kql_datetime({0})", "todatetime:dynamic": "kql_datetime(TRY(json_extract_string({0}, '$')))", "todatetime:long": "CASE WHEN {0} BETWEEN 0 AND 3155378975999999999 THEN {0} END", "todatetime:int": "{0}::BIGINT",
	"todatetime:datetime": "!{0}", "todatetime:real": "TRY_CAST(trunc({0}) AS BIGINT)", "todatetime:timespan": "{0}",
	"totimespan:string": "kql_timespan({0})", "totimespan:dynamic": "kql_timespan(TRY(json_extract_string({0}, '$')))", "totimespan:long": "!{0}", "totimespan:int": "!{0}::BIGINT", "totimespan:timespan": "!{0}", "totimespan:real": "TRY_CAST({0} AS BIGINT)", "totimespan:datetime": "{0}",
	"toguid:string": "kql_guid({0})", "toguid:dynamic": "kql_guid(TRY(json_extract_string({0}, '$')))", "toguid:guid": "{0}",
	"todecimal:string": "kql_decimal_of({0})", "todecimal:dynamic": "kql_decimal_of(TRY(json_extract_string({0}, '$')))", "todecimal:long": "{0}::VARCHAR", "todecimal:int": "{0}::VARCHAR", "todecimal:real": "kql_decimal_of({0}::VARCHAR)", "todecimal:bool": "({0}::INTEGER)::VARCHAR",
	"todynamic:string": "!to_json({0})::VARCHAR", "todynamic:guid": "to_json({0})::VARCHAR", "todynamic:long": "{0}::VARCHAR", "todynamic:int": "{0}::VARCHAR", "todynamic:bool": "{0}::VARCHAR", "todynamic:real": "kql_real_json({0})", "todynamic:decimal": "to_json({0})::VARCHAR",
	"todynamic:datetime": "to_json(kql_datetime_text({0}))::VARCHAR", "todynamic:timespan": "to_json(kql_timespan_text({0}))::VARCHAR", "todynamic:dynamic": "{0}",
	"parse_json": "kql_parse_json({0})", "parse_inner": "CASE WHEN starts_with({0}, '\"') THEN kql_parse_json(TRY(json_extract_string({0}, '$'))) ELSE {0} END",
	// text
	"strlen": "!length({0})", "string_size": "!strlen({0})", "tolower": "!lower({0})", "toupper": "!CASE WHEN contains({0}, 'ß') THEN kql_upper({0}) ELSE upper({0}) END", "reverse": "!reverse({0})",
	"substring": "kql_substring({*})", "replace_string": "!CASE WHEN {1} = '' THEN {0} ELSE replace({0}, {1}, {2}) END", "replace_regex": "kql_replace_regex({0}, {1}, {2})",
	"strcat_delim": "concat_ws({*})", "strcmp": "!(CASE WHEN {0} < {1} THEN -1 WHEN {0} > {1} THEN 1 ELSE 0 END)::BIGINT",
	"base64_encode_tostring": "!base64(encode({0}))", "hash_md5": "md5({0}::VARCHAR)", "hash_sha256": "sha256({0}::VARCHAR)", "hash_sha1": "sha1({0}::VARCHAR)", "hash:long": "kql_hash_long({*})", "hash:int": "kql_hash_long({*})", "hash:datetime": "kql_hash_long({*})", "hash:timespan": "kql_hash_long({*})", "hash:bool": "kql_hash_long({*})", "hash:real": "kql_hash_real({*})",
	"hash_combine": "kql_hash_combine({*})",
	"extract":      "kql_extract({0}, {1}, {2})", "split": "kql_split({*})", "countof": "kql_countof({*})",
	// time
	"now": "!{0}", "ago": "!{0}",
	"bin": "CASE WHEN {1} > 0 THEN TRY({0} - ((({0} % {1}) + {1}) % {1})) END", "bin:datetime": "(({0} // CASE WHEN {1} > 0 THEN {1} END) * {1})", "bin:real": "CASE WHEN {1} <> 0 THEN floor({0} / {1}) * {1} END",
	"bin_at":      "TRY({2} + ({0} - {2}) - (((({0} - {2}) % {1}) + {1}) % {1}))",
	"bin_at:real": "({2} + floor(({0} - {2}) / {1}) * {1})",
	"startofday":  "kql_start('day', {*})", "startofweek": "kql_start('week', {*})", "startofmonth": "kql_start('month', {*})", "startofyear": "kql_start('year', {*})",
	"endofday": "kql_end('day', {*})", "endofweek": "kql_end('week', {*})", "endofmonth": "kql_end('month', {*})", "endofyear": "kql_end('year', {*})",
	"dayofweek": "!((({0} // @DAY + 1) % 7) * @DAY)", "hourofday": "!(({0} // @HOUR) % 24)::INTEGER", "minuteofhour": "!(({0} // @MINUTE) % 60)::INTEGER", "secondofminute": "!(({0} // @SECOND) % 60)::INTEGER",
	"millisecondofsecond": "!(({0} // 10000) % 1000)::INTEGER", "microsecondofsecond": "!(({0} // 10) % 1000000)::INTEGER", "nanosecondofsecond": "!(({0} % @SECOND) * 100)::INTEGER",
	"dayofmonth": "day(@TS({0}@END)::INTEGER", "dayofyear": "dayofyear(@TS({0}@END)::INTEGER", "getyear": "year(@TS({0}@END)::INTEGER", "getmonth": "month(@TS({0}@END)::INTEGER", "quarterofyear": "quarter(@TS({0}@END)::INTEGER",
	"week_of_year": "week(@TS({0}@END)::INTEGER", "month_index": "(year(@TS({0}@END) * 12 + month(@TS({0}@END) - 1)",
	"unixtime_seconds_todatetime": "kql_unixtime({0}, 10000000)", "unixtime_milliseconds_todatetime": "kql_unixtime({0}, 10000)", "unixtime_microseconds_todatetime": "kql_unixtime({0}, 10)", "unixtime_nanoseconds_todatetime": "kql_unixtime({0}, 0.01)",
	// numbers
	"abs": "TRY(abs({0}))", "ceiling:real": "!ceil({0})", "ceiling": "!{0}", "floor": "!floor({0})", "sign": "!sign({0})::DOUBLE", "pow": "TRY(pow({0}::DOUBLE, {1}::DOUBLE))", "sqrt": "CASE WHEN {0} < 0 THEN 'nan'::DOUBLE ELSE sqrt({0}::DOUBLE) END",
	"log": "CASE WHEN {0} = 0 THEN '-inf'::DOUBLE ELSE TRY(ln({0}::DOUBLE)) END", "log2": "CASE WHEN {0} = 0 THEN '-inf'::DOUBLE ELSE TRY(log2({0}::DOUBLE)) END", "log10": "CASE WHEN {0} = 0 THEN '-inf'::DOUBLE ELSE TRY(log10({0}::DOUBLE)) END", "exp": "TRY(exp({0}::DOUBLE))", "exp2": "TRY(pow(2, {0}::DOUBLE))", "exp10": "TRY(pow(10, {0}::DOUBLE))", "pi": "pi()",
	"sin": "TRY(sin({0}::DOUBLE))", "cos": "TRY(cos({0}::DOUBLE))", "tan": "TRY(tan({0}::DOUBLE))", "asin": "TRY(asin({0}::DOUBLE))", "acos": "TRY(acos({0}::DOUBLE))", "atan": "TRY(atan({0}::DOUBLE))", "atan2": "TRY(atan2({0}::DOUBLE, {1}::DOUBLE))", "cot": "TRY(cot({0}::DOUBLE))",
	"degrees": "degrees({0}::DOUBLE)", "radians": "radians({0}::DOUBLE)", "isnan": "isnan({0})", "isinf": "isinf({0})", "isfinite": "isfinite({0})", "rand": "kql_rand({*})",
	"gamma": "TRY(gamma({0}::DOUBLE))", "loggamma": "TRY(lgamma({0}::DOUBLE))",
	"binary_and": "({0} & {1})", "binary_or": "({0} | {1})", "binary_xor": "xor({0}, {1})", "binary_not": "(~{0})", "binary_shift_left": "CASE WHEN {1} >= 0 THEN kql_shift({0}, ({1}) % 64) END", "binary_shift_right": "CASE WHEN {1} >= 0 THEN kql_shift({0}, -(({1}) % 64)) END", "bitset_count_ones": "bit_count({0})::BIGINT",
	"round": "kql_round({*})",
	// dynamic
	"array_length": "CASE WHEN starts_with({0}, '[') THEN TRY(json_array_length({0}))::BIGINT END",
	"new_guid":     "uuid()::VARCHAR", "gettype": "kql_gettype({0})", "gettype:long": "'long'", "gettype:int": "'int'", "gettype:real": "'real'", "gettype:string": "'string'", "gettype:bool": "'bool'", "gettype:datetime": "'datetime'", "gettype:timespan": "'timespan'", "gettype:guid": "'guid'", "gettype:decimal": "'decimal'",
	"current_principal": "''", "current_database": "''", "current_cluster_endpoint": "''", "extent_id": "'00000000-0000-0000-0000-000000000000'", "extent_tags": "NULL::VARCHAR",
	"ipv4_is_private":          "kql_ipv4_is_private({0})",
	"geo_info_from_ip_address": "kql_geo_info({0})",
	"assert":                   "({0})",
}

var duckAggregates = map[string]string{
	"count": "count(*){if}", "sum": "coalesce(sum({0}){if}, 0)", "sum:long": "coalesce(@WRAP(sum({0}){if}@WRAPEND, 0)", "sum:int": "coalesce(sum({0}){if}::BIGINT, 0)", "sum:timespan": "coalesce(TRY_CAST(sum({0}){if} AS BIGINT), 0)",
	"sum:decimal": "kql_decimal_sum(coalesce(array_to_string(list({0}){if}, ','), ''))", "avg:decimal": "kql_decimal_avg(coalesce(array_to_string(list({0}){if}, ','), ''))",
	"avg": "coalesce(sum({0}::DOUBLE){if} / nullif(count({0}){if}, 0), 'nan'::DOUBLE)", "avg:datetime": "TRY_CAST(trunc(avg({0}){if}) AS BIGINT)", "avg:timespan": "TRY_CAST(trunc(avg({0}){if}) AS BIGINT)",
	"avg:long": "coalesce(@WRAP(sum({0}){if}@WRAPEND::DOUBLE / nullif(count({0}){if}, 0), 'nan'::DOUBLE)", "avg:int": "coalesce(sum({0}){if}::DOUBLE / nullif(count({0}){if}, 0), 'nan'::DOUBLE)",
	"min:real": "CASE WHEN isnan(max({0}){if}) THEN 'nan'::DOUBLE ELSE min({0}){if} END",
	"min":      "min({0}){if}", "max": "max({0}){if}", "dcount": "count(DISTINCT {0}){if}", "count_distinct": "count(DISTINCT {0}){if}",
	"min:decimal": "kql_decimal_value(min(kql_decimal_key({0})){if})", "max:decimal": "kql_decimal_value(max(kql_decimal_key({0})){if})", "percentile:decimal": "kql_decimal_value(quantile_disc(kql_decimal_key({0}), {1} / 100){if})", "percentile:decimal/2": "kql_decimal_value(quantile_disc(kql_decimal_key({0}), {1} / 100){if})",
	"stdev": "CASE WHEN bool_or(NOT isfinite({0})){if} THEN 'nan'::DOUBLE ELSE coalesce(stddev_samp(CASE WHEN isfinite({0}) AND abs({0}) < 1e150 THEN {0} END){if}, 0) END", "stdevp": "CASE WHEN bool_or(NOT isfinite({0})){if} THEN 'nan'::DOUBLE ELSE coalesce(stddev_pop(CASE WHEN isfinite({0}) AND abs({0}) < 1e150 THEN {0} END){if}, 0) END", "variance": "CASE WHEN bool_or(NOT isfinite({0})){if} THEN 'nan'::DOUBLE ELSE coalesce(var_samp(CASE WHEN isfinite({0}) AND abs({0}) < 1e150 THEN {0} END){if}, 0) END", "variancep": "CASE WHEN bool_or(NOT isfinite({0})){if} THEN 'nan'::DOUBLE ELSE coalesce(var_pop(CASE WHEN isfinite({0}) AND abs({0}) < 1e150 THEN {0} END){if}, 0) END",
	// the id {1} of the row that has the greatest or least {0}, of any row where all are null
	"id_of_max": "coalesce(arg_max({1}, {0}), any_value({1}))", "id_of_max:datetime": "arg_max({1}, coalesce({0}, -1))", "id_of_max:int": "arg_max({1}, coalesce({0}::BIGINT, -9223372036854775808))", "id_of_max:string": "arg_max({1}, {0})",
	"id_of_min": "coalesce(arg_min({1}, {0}), any_value({1}))", "id_of_min:datetime": "arg_min({1}, coalesce({0}, 9223372036854775807))", "id_of_min:int": "arg_min({1}, coalesce({0}::BIGINT, 9223372036854775807))", "id_of_min:string": "arg_min({1}, {0})",
	"id_of_min:real": "coalesce(arg_min({1}, CASE WHEN isnan({0}) THEN '-inf'::DOUBLE ELSE {0} END), any_value({1}))",
	"id_of_any":      "any_value({0})",
	"covariance":     "covar_samp({0}, {1}){if}", "covariancep": "covar_pop({0}, {1}){if}",
	"take_any": "any_value({0}){if}", "percentile": "quantile_disc({0}, {1} / 100){if}", "percentilew": "TRY_CAST(kql_percentile_weighted(array_to_string(list({0} || ' ' || {1}){if}, ','), {2}) AS BIGINT)", "percentilew:real/3": "TRY_CAST(kql_percentile_weighted(array_to_string(list({0} || ' ' || {1}){if}, ','), {2}) AS DOUBLE)",
	"hll": "kql_hll_of(coalesce(array_to_string(list(DISTINCT kql_hash({0}::VARCHAR)){if}, ','), ''))", "hll_merge": "kql_hll_merge_list('[' || coalesce(array_to_string(list({0}){if}, ','), '') || ']')",
	"tdigest": "kql_tdigest_of(coalesce(array_to_string(list({0}::DOUBLE || ' 1'){if}, ','), ''))", "tdigest/2": "kql_tdigest_of(coalesce(array_to_string(list({0}::DOUBLE || ' ' || {1}){if}, ','), ''))",
	"tdigest_merge": "kql_tdigest_merge_list('[' || coalesce(array_to_string(list({0}){if}, ','), '') || ']')", "buildschema": "kql_buildschema('[' || coalesce(array_to_string(list({0}{order}){if}, ','), '') || ']')",
	"binary_all_or": "bit_or({0}){if}", "binary_all_and": "bit_and({0}){if}", "binary_all_xor": "bit_xor({0}){if}",
	"make_set:dynamic":     "kql_array_distinct('[' || coalesce(array_to_string(list(DISTINCT CASE WHEN {0} = '[]' THEN NULL WHEN starts_with({0}, '[') THEN substr({0}, 2, length({0}) - 2) ELSE {0} END) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), ','), '') || ']')",
	"make_set:dynamic/2":   "kql_array_distinct('[' || coalesce(array_to_string(list(DISTINCT CASE WHEN {0} = '[]' THEN NULL WHEN starts_with({0}, '[') THEN substr({0}, 2, length({0}) - 2) ELSE {0} END) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), ','), '') || ']', any_value({1}))",
	"make_pairs":           "('[' || coalesce(array_to_string(list({0}), ','), '') || ']')",
	"make_list:dynamic":    "('[' || coalesce(array_to_string(list_slice(list(CASE WHEN {0} = '[]' THEN NULL WHEN starts_with({0}, '[') THEN substr({0}, 2, length({0}) - 2) ELSE coalesce({0}, 'null') END{order}){if}, 1, 1048576), ','), '') || ']')",
	"make_list:dynamic/2":  "('[' || coalesce(array_to_string(list_slice(list(CASE WHEN {0} = '[]' THEN NULL WHEN starts_with({0}, '[') THEN substr({0}, 2, length({0}) - 2) ELSE coalesce({0}, 'null') END{order}){if}, 1, any_value({1})), ','), '') || ']')",
	"make_list":            "('[' || coalesce(array_to_string(list_slice(list({0}{order}) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), 1, 1048576), ','), '') || ']')",
	"make_list/2":          "('[' || coalesce(array_to_string(list_slice(list({0}{order}) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), 1, any_value({1})), ','), '') || ']')",
	"make_list_with_nulls": "('[' || coalesce(array_to_string(list(coalesce({0}, 'null'){order}), ','), '') || ']')",
	"make_set":             "('[' || coalesce(array_to_string(list_slice(list(DISTINCT {0}) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), 1, 1048576), ','), '') || ']')",
	"make_set/2":           "('[' || coalesce(array_to_string(list_slice(list(DISTINCT {0}) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), 1, any_value({1})), ','), '') || ']')",
	"make_bag":             "kql_make_bag('[' || coalesce(array_to_string(list({0}{order}) FILTER (WHERE {0} IS NOT NULL AND {and}), ','), '') || ']')",
	"make_bag/2":           "kql_make_bag('[' || coalesce(array_to_string(list({0}{order}) FILTER (WHERE {0} IS NOT NULL AND {and}), ','), '') || ']', any_value({1}))",
}
