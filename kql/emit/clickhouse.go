package emit

import (
	"slices"
	"strconv"
	"strings"

	"lockstep/schema"
)

// ClickHouse is the dialect of ClickHouse 26.7, for a core of the language: the
// proof that an engine is its tables of words. It needs no function registered; what it
// has no words for is refused.
//
// Facts it leans on: whole numbers wrap; intDivOrNull and accurateCastOrNull give
// null where others raise; a type is nullable only if it says so; . in an
// expression matches a line's end unless told otherwise; a negative index of JSON counts from the end.
type ClickHouse struct{}

// Name is for refusals.
func (ClickHouse) Name() string { return "ClickHouse" }

// Physical names a type's column type: a text is never null, all else may be.
func (ClickHouse) Physical(t schema.Type) string {
	switch t {
	case schema.Bool:
		return "Nullable(Bool)"
	case schema.Int:
		return "Nullable(Int32)"
	case schema.Long, schema.DateTime, schema.TimeSpan:
		return "Nullable(Int64)"
	case schema.Real:
		return "Nullable(Float64)"
	case schema.String:
		return "String"
	}
	return "Nullable(String)"
}

// Parameter is named by its place: p0, p1….
func (ClickHouse) Parameter(n int) string { return "{p" + strconv.Itoa(n) + ":String}" }

// Function finds a template by "name:type", "name/arguments", then "name".
func (ClickHouse) Function(fn string, args []schema.Type, result schema.Type) (string, bool) {
	if slices.Contains(args, schema.Decimal) { // a decimal is text here: nothing is known of its value
		return "", false
	}
	if len(args) > 0 {
		if t, ok := clickFunctions[fn+":"+args[0].String()]; ok {
			return spellClick(t), true
		}
	}
	if t, ok := clickFunctions[fn+"/"+strconv.Itoa(len(args))]; ok {
		return spellClick(t), true
	}
	t, ok := clickFunctions[fn]
	return spellClick(t), ok
}

// Aggregate finds a template as DuckDB does.
func (ClickHouse) Aggregate(fn string, args []schema.Type, result schema.Type) (string, bool) {
	if slices.Contains(args, schema.Decimal) {
		return "", false
	}
	number := "/" + strconv.Itoa(len(args))
	if len(args) > 0 {
		typed := fn + ":" + args[0].String()
		for _, key := range []string{typed + number, typed, fn + number} {
			if t, ok := clickAggregates[key]; ok && (len(args) > 1 || !strings.HasSuffix(key, number)) {
				return t, true
			}
		}
	}
	if len(args) > 1 && fn != "dcount" {
		return "", false // the second argument would be ignored
	}
	t, ok := clickAggregates[fn]
	return t, ok
}

// Phrase looks in the table of phrases.
func (ClickHouse) Phrase(p string) (string, bool) {
	t, ok := clickPhrases[p]
	return t, ok
}

// Path names each step as an argument. A position counts from 1, and means
// the nth member where there is an object: that is asked for first.
func (ClickHouse) Path(steps []any, asText bool) (string, []string) {
	var texts []string
	list, arrays := "", "1"
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			texts = append(texts, s)
			list += ", {" + strconv.Itoa(len(texts)) + "}"
		case int64:
			arrays += " AND JSONType({0}" + list + ") = 'Array'"
			if s >= 0 {
				s++
			}
			list += ", " + strconv.FormatInt(s, 10)
		}
	}
	at := "({0}" + list + ")"
	raw := "JSONExtractRaw" + at
	number := "if(JSONType" + at + " = 'Double' AND NOT match(" + raw + ", '[.e]'), concat(" + raw + ", '.0'), " + raw + ")"
	if asText {
		return "coalesce(multiIf(NOT (" + arrays + "), '', JSONType" + at + " = 'String', JSONExtractString" + at + ", " + raw + " = 'null', '', " + number + "), '')", texts
	}
	return "nullif(nullif(if(" + arrays + ", " + number + ", ''), ''), 'null')", texts
}

// spellClick writes out the abbreviations of the tables.
func spellClick(t string) string { return clickAbbreviations.Replace(t) }

var clickAbbreviations = strings.NewReplacer("@DAY", "864000000000", "@HOUR", "36000000000", "@MINUTE", "600000000", "@SECOND", "10000000")

// clickPhrases is what the emitter says beside functions.
var clickPhrases = map[string]string{
	"settings": " SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1, enable_materialized_cte = 1, cast_keep_nullable = 1, allow_simdjson = 0, output_format_json_escape_forward_slashes = 0",
	// values
	"null": "defaultValueOfTypeName('{0}')", "number": "CAST({0} AS {1})", "nan": "nan", "infinity": "inf", "-infinity": "(-inf)", "is nan": "isNaN({0})",
	"quotient": "intDiv({0}, {1})", "nanoseconds": "accurateCastOrNull((toInt128({0})) * 100, 'Int64')", "random": "rand()",
	// texts
	"lower": "lowerUTF8({0})", "contains": "(position({0}, {1}) > 0)", "startswith": "startsWith({0}, {1})", "endswith": "endsWith({0}, {1})",
	"matches": "match({0}, concat('(?-s)', {1}))", "matches written": "match({0}, concat('(?-s)', {1}))", "group": "regexpExtract({0}, concat('(?-s)', {1}), {2})",
	"in an array":  "has(arrayMap(e -> " + clickPlain + ", JSONExtractArrayRaw(coalesce({0}, ''))), toString({1}))",
	"in~ an array": "has(arrayMap(e -> lowerUTF8(" + clickPlain + "), JSONExtractArrayRaw(coalesce({0}, ''))), toString({1}))",
	"far group":    "regexpExtract({2}, concat('(?-s)', {0}), {1})",
	"has":          "match({0}, " + clickTerm("if({2}, lowerUTF8({1}), {1})", "{3}", "{4}") + ")", "texts of an array": "arrayMap(e -> " + clickPlain + ", JSONExtractArrayRaw(coalesce({0}, '')))", "joined list": "{0}",
	"has of a list":     "if({2}, arrayAll(w -> match({0}, " + clickTerm("lowerUTF8(w)", "true", "true") + "), {1}), arrayExists(w -> match({0}, " + clickTerm("lowerUTF8(w)", "true", "true") + "), {1}))",
	"greatest of reals": "if(arrayExists(x -> coalesce(isNaN(x), 0), [{*}]), nan, greatest({*}))", "nan in order": "isNaN({0})",
	// dynamic values
	"get by position": "nullif(nullif(if(startsWith({0}, '['), JSONExtractRaw(coalesce({0}, ''), toInt64(coalesce({1}, 0)) + if({1} >= 0, 1, 0)), ''), ''), 'null')",
	"get by name":     "nullif(nullif(JSONExtractRaw(coalesce({0}, ''), {1}), ''), 'null')",
	"get by key":      "nullif(nullif(JSONExtractRaw(coalesce({0}, ''), {1}), ''), 'null')",
	"pair of a bag":   "concat(toJSONString({0}), ':', {1})", "bag_pack": "concat('{{', arrayStringConcat([{*}], ','), '}')",
	// rows
	"field": "{1}", "row": "tuple({*})", "field of a row": "tupleElement({0}, {2})", "any row": "any({0})", "list": "groupArray({0})",
	"row of arg_max": "coalesce(argMax({0}, {1}), any({0}))", "row of arg_min": "coalesce(argMin({0}, {1}), any({0}))",
	// NaN is the greatest here; infinity makes room for it
	"key of arg_max": "multiIf(isNaN({0}), inf, {0} = inf, 1.7976931348623157e308, {0})",
	"anti join":      "LEFT ANTI JOIN", "semi join": "LEFT SEMI JOIN",
	// lists that become rows
	"elements":          "CAST(multiIf(startsWith({0}, '['), JSONExtractArrayRaw(coalesce({0}, '')), startsWith({0}, '{{'), arrayMap(p -> concat('{{', toJSONString(p.1), ':', p.2, '}'), JSONExtractKeysAndValuesRaw(coalesce({0}, ''))), [coalesce({0}, 'null')]) AS Array(Nullable(String)))",
	"elements as pairs": "CAST(multiIf(startsWith({0}, '['), JSONExtractArrayRaw(coalesce({0}, '')), startsWith({0}, '{{'), arrayMap(p -> concat('[', toJSONString(p.1), ',', p.2, ']'), JSONExtractKeysAndValuesRaw(coalesce({0}, ''))), [coalesce({0}, 'null')]) AS Array(Nullable(String)))",
	"first elements":    "arraySlice({0}, 1, {1})", "length": "length({0})",
	"open a list": "{1}", "open a list behind": "arrayResize({0}, {2}, NULL) AS {1}", "open positions": "toInt64({1}) AS {1}", "open positions behind": "range({2}) AS {1}",
	"count up": "toInt64(arrayJoin(range(toUInt64(greatest(coalesce({0}, -1) + 1, 0)))))", "steps of reals": "least(greatest(accurateCastOrNull(floor(({1} - {0}) / {2}), 'Int64'), -1), 10000000)",
	"steps": "least(greatest(intDivOrNull({1} - {0}, {2}) + if(({1} >= {0}) = ({2} > 0) OR {0} = {1}, 0, -1000000000), -1), 10000000)",
	// rows around
	"row_number": "", "prev": "lag(toNullable({0}), CAST({1} AS BIGINT))", "prev or": "lag({0}, CAST({1} AS BIGINT), {2})", "next": "lead(toNullable({0}), CAST({1} AS BIGINT))", "next or": "lead({0}, CAST({1} AS BIGINT), {2})",
}

// clickPlain is the text of the JSON value e: a string bare, all else as written.
const clickPlain = "multiIf(startsWith(e, '\"'), JSONExtractString(e), e = 'null', '', e)"

// clickTerm is the expression for a term that is computed, as termPattern makes one of a written term.
func clickTerm(word, before, after string) string {
	return "concat('(?-s)', if(" + before + " AND match(" + word + `, '^[\\pL\\pN]'), '(?:^|[^\\pL\\pN])', ''), regexpQuoteMeta(` + word + "), if(" + after + " AND match(" + word + `, '[\\pL\\pN]$'), '(?:[^\\pL\\pN]|$)', ''))`
}
