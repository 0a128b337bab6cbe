package emit

// duckPhrases is what the emitter says beside functions. That a phrase is
// missing from another dialect means that the construct is refused there.
var duckPhrases = map[string]string{
	// values
	"null": "NULL::{0}", "number": "{0}::{1}", "nan": "'nan'::DOUBLE", "infinity": "'inf'::DOUBLE", "-infinity": "'-inf'::DOUBLE", "is nan": "isnan({0})", "greatest of reals": "greatest({*})",
	"fit": "TRY_CAST({0} AS {1})", "wrap": "((({0} % 18446744073709551616::HUGEINT) + 27670116110564327424::HUGEINT) % 18446744073709551616::HUGEINT - 9223372036854775808::HUGEINT)::BIGINT", "quotient": "{0} // {1}", "nanoseconds": "TRY(({0}) * 100)", "random": "random()",
	"native": "kql_{0}({1})",
	// texts
	"lower": "lower({0})", "contains": "contains({0}, {1})", "startswith": "starts_with({0}, {1})", "endswith": "ends_with({0}, {1})",
	"matches": "regexp_matches({0}, {1})", "matches written": "coalesce(TRY(regexp_matches({0}, {1})), false)", "matches computed": "coalesce(kql_countof({0}, {1}, 'regex'), 0) > 0",
	"group": "coalesce(regexp_extract({0}, {1}, {2}), '')", "far group": "coalesce(kql_extract({0}, {1}, {2}), '')",
	"has": "coalesce(kql_has({0}, {1}, {2}, {3}, {4}), false)", "has of a list": "kql_has_list({0}, {1}, {2})", "joined list": "coalesce(array_to_string(list_transform({0}, lambda e : chr(31) || e), ''), '')",
	"first":             "first({0})",
	"texts of an array": "list_transform(coalesce(TRY(json_extract({0}, '$[*]')::VARCHAR[]), []), lambda e : json_extract_string(e, '$'))",
	"in an array":       "list_contains(list_transform(coalesce(TRY(json_extract({0}, '$[*]')::VARCHAR[]), []), lambda e : json_extract_string(e, '$')), CAST({1} AS VARCHAR))",
	"in~ an array":      "list_contains(list_transform(coalesce(TRY(json_extract({0}, '$[*]')::VARCHAR[]), []), lambda e : lower(json_extract_string(e, '$'))), CAST({1} AS VARCHAR))",
	// dynamic values
	"get by position": "kql_get_index({0}, {1})", "get by key": "kql_get_key({0}, {1})", "get by name": "kql_get_name({0}, {1})", "dynamic of a text": "kql_parse_json({0})",
	"bag_pack": "kql_bag_pack({*})", "bag_pack_filled": "kql_bag_pack_filled({*})",
	// rows
	"field": "f{0} := {1}", "row": "struct_pack({*})", "field of a row": "{0}.f{1}", "any row": "any_value({0})", "list": "list({0})",
	"row of arg_max": "coalesce(arg_max({0}, {1}), any_value({0}))", "row of arg_min": "coalesce(arg_min({0}, {1}), any_value({0}))",
	"anti join": "ANTI JOIN", "semi join": "SEMI JOIN", "union by name": "BY NAME ",
	"lateral": "LATERAL ({0})", "rows that are computed": "LATERAL ({0})", "recursion": "0::BIGINT AS ",
	// lists that become rows
	"elements":          "coalesce(CASE WHEN starts_with({0}, '[') THEN TRY(json_extract({0}, '$[*]')::VARCHAR[]) WHEN {0} IS NOT NULL THEN TRY(json_extract(kql_elements({0}), '$[*]')::VARCHAR[]) END, [NULL::VARCHAR])",
	"elements by field": "coalesce(CASE WHEN starts_with({0}, '[') THEN TRY(from_json({0}, '[{1}]')) WHEN {0} IS NOT NULL THEN TRY(from_json(kql_elements({0}), '[{1}]')) END, [NULL])", "field by key": "struct_extract({0}, '{1}')",
	"elements as pairs": "coalesce(TRY(json_extract(CASE WHEN {0} IS NULL OR starts_with({0}, '[') THEN {0} ELSE kql_element_pairs({0}) END, '$[*]')::VARCHAR[]), [NULL::VARCHAR])",
	"first elements":    "list_slice({0}, 1, {1})", "length": "len({0})", "open a list": "unnest({0}) AS {1}", "open positions": "unnest(range({0})) AS {1}",
	"count up": "unnest(range(coalesce({0}, -1) + 1))", "steps of reals": "least(greatest(TRY_CAST(floor(({1} - {0}) / {2}) AS BIGINT), -1), 10000000)",
	"steps": "least(greatest(TRY(({1} - {0}) // {2}) + CASE WHEN ({1} >= {0}) = ({2} > 0) OR {0} = {1} THEN 0 ELSE -1000000000 END, -1), 10000000)",
	// rows around
	"row_number": "", "prev": "lag({0}, CAST({1} AS BIGINT))", "prev or": "lag({0}, CAST({1} AS BIGINT), {2})", "next": "lead({0}, CAST({1} AS BIGINT))", "next or": "lead({0}, CAST({1} AS BIGINT), {2})",
	"row_cumsum": "", "rank_within": "", "row_rank_dense": "", "row_rank": "", "row_rank_min": "",
	"row_window_session": "kql_session_start(array_to_string(list({0}) OVER (PARTITION BY {1} {2} ROWS UNBOUNDED PRECEDING), ','), {3})",
}
