package emit

import (
	"maps"
	"strconv"
	"strings"
)

// clickFunctions are the templates of functions: the plain ones below, those
// of text conversions and those of the calendar.
var clickFunctions = func() map[string]string {
	all := maps.Clone(clickPlainFunctions)
	maps.Copy(all, clickConversions())
	maps.Copy(all, clickCalendar())
	return all
}()

var clickPlainFunctions = map[string]string{
	// arithmetic
	"add:datetime": "accurateCastOrNull(toInt128({0}) + {1}, 'Int64')", "sub:datetime": "accurateCastOrNull(toInt128({0}) - {1}, 'Int64')", "mul:datetime": "accurateCastOrNull(toInt128({0}) * {1}, 'Int64')", "neg:datetime": "accurateCastOrNull(-toInt128({0}), 'Int64')",
	"add:timespan": "accurateCastOrNull(toInt128({0}) + {1}, 'Int64')", "sub:timespan": "accurateCastOrNull(toInt128({0}) - {1}, 'Int64')", "mul:timespan": "accurateCastOrNull(toInt128({0}) * {1}, 'Int64')", "neg:timespan": "accurateCastOrNull(-toInt128({0}), 'Int64')",
	"neg:long": "accurateCastOrNull(-toInt128({0}), 'Int64')", "mod:real": "({0} - abs({1}) * floor({0} / abs({1})))",
	"add:long": "!({0} + {1})", "sub:long": "!({0} - {1})", "mul:long": "!({0} * {1})",
	"add:int": "accurateCastOrNull({0} + {1}, 'Int32')", "sub:int": "accurateCastOrNull({0} - {1}, 'Int32')", "mul:int": "accurateCastOrNull({0} * {1}, 'Int32')", "neg:int": "accurateCastOrNull(-{0}, 'Int32')",
	"add:real": "!({0} + {1})", "sub:real": "!({0} - {1})", "mul:real": "!({0} * {1})", "neg:real": "!(-({0}))", "div:real": "!({0} / {1})",
	"div:long": "intDivOrNull({0}, {1})", "div:timespan": "intDivOrNull({0}, {1})", "mod:long": "toInt64(positiveModuloOrNull({0}, toInt64(abs({1}))))", "mod:timespan": "toInt64(positiveModuloOrNull({0}, toInt64(abs({1}))))", "div:int": "toInt32(intDivOrNull({0}, {1}))", "mod:int": "toInt32(positiveModuloOrNull({0}, toInt64(abs({1}))))",
	"ticks": "!toFloat64({0})", "scale": "accurateCastOrNull(" + away("(toFloat64({0}) * {1})") + ", 'Int64')", "shrink": "accurateCastOrNull(" + away("(toFloat64({0}) / {1})") + ", 'Int64')",
	// comparison and logic
	"lt": "!({0} < {1})", "le": "!({0} <= {1})", "gt": "!({0} > {1})", "ge": "!({0} >= {1})", "not": "!(NOT {0})",
	"same": "({0} IS NOT DISTINCT FROM {1})", "isnull": "({0} IS NULL)", "isnotnull": "({0} IS NOT NULL)", "isnull:string": "(false)", "isnotnull:string": "(true)",
	// texts
	"strlen": "!toInt64(lengthUTF8({0}))", "string_size": "!toInt64(length({0}))", "tolower": "!lowerUTF8({0})", "toupper": "!upperUTF8({0})", "reverse": "!reverseUTF8({0})",
	"substring/2":    "toInt64(lengthUTF8({0}))\nsubstringUTF8({0}, 1 + greatest(toInt64(0), least({2}, if({1} < 0, {2} + {1}, {1}))))",
	"substring/3":    "toInt64(lengthUTF8({0}))\nsubstringUTF8({0}, 1 + greatest(toInt64(0), least({3}, if({1} < 0, {3} + {1}, {1}))), greatest(toInt64(0), least({2}, {3})))",
	"replace_string": "!replaceAll({0}, {1}, {2})",
	"strcat_delim":   "concatWithSeparator({*})",
	"array_length":   "if(startsWith({0}, '['), toInt64(JSONLength({0})), NULL)",
	// numbers
	"abs:long": "!toInt64(abs({0}))", "abs:int": "!toInt32(abs({0}))", "abs:real": "!abs({0})", "abs:timespan": "!toInt64(abs({0}))", "ceiling:real": "!ceil({0})", "ceiling": "!{0}", "floor": "!floor({0})",
	"round/1": away("{0}"), "round/2": "pow(10, toFloat64({1}))\n" + away("({0} * {2})") + " / {2}",
	"bin": "if({1} > 0, accurateCastOrNull(toInt128({0}) - positiveModuloOrNull({0}, {1}), 'Int64'), NULL)", "bin:datetime": "(intDivOrNull({0}, {1}) * {1})", "bin:real": "if({1} <> 0, floor({0} / {1}) * {1}, NULL)",
	// dynamic values
	"gettype:long": "'long'", "gettype:int": "'int'", "gettype:real": "'real'", "gettype:string": "'string'", "gettype:bool": "'bool'", "gettype:datetime": "'datetime'", "gettype:timespan": "'timespan'", "gettype:guid": "'guid'",
	"series_place": "JSONExtractArrayRaw(coalesce({0}, ''))\nCAST((arrayMap(p -> JSONExtractInt(p, 1), {3}), arrayMap(p -> JSONExtractRaw(p, 2), {3})), 'Map(Int64, String)')\n" +
		"concat('[', arrayStringConcat(arrayMap(i -> if(mapContains({4}, toInt64(i)), {4}[toInt64(i)], coalesce({2}, 'null')), range(toUInt64(coalesce(greatest(toInt64(0), least({1}, toInt64(1000000))), 0)))), ','), ']')",
	"range_long": clickRange("toString(v)"),
	// addresses
	"ipv4_is_private": "trimBoth({0})\nextractGroups({1}, '^((?:0|[1-9][0-9]{{0,2})(?:\\\\.(?:0|[1-9][0-9]{{0,2})){{3})(?:/([0-9]{{1,2}))?$')\nIPv4StringToNumOrNull({2}[1])\nif({2}[2] = '', 32, toInt64OrZero({2}[2]))\n" +
		"if({4} > 32 OR {3} IS NULL, NULL, {4} >= 8 AND intDiv({3}, 16777216) = 10 OR {4} >= 12 AND intDiv({3}, 1048576) = 2753 OR {4} >= 16 AND intDiv({3}, 65536) = 49320)",
}

// away rounds half away from zero; the engine's own rounds half to even.
func away(x string) string {
	return "if(abs(" + x + ") < 4503599627370496, trunc(" + x + " + if(" + x + " < 0, -0.5, 0.5)), " + x + ")"
}

// clickRange counts from {0} to {1} by {2} and writes each value v.
func clickRange(shown string) string {
	return "toUInt64(coalesce(if({2} = 0 OR ({1} < {0}) = ({2} > 0) AND {0} <> {1}, 0, least(intDivOrNull({1} - {0}, {2}) + 1, 1048576)), 0))\n" +
		"concat('[', arrayStringConcat(arrayMap(v -> " + shown + ", arrayMap(i -> coalesce({0} + toInt64(i) * {2}, 0), range({3}))), ','), ']')"
}

// clickConversions are the conversions from and to text.
func clickConversions() map[string]string {
	text := "if(startsWith({0}, '\"'), JSONExtractString(coalesce({0}, '')), {0})"
	out := map[string]string{
		"tostring:long": "toString({0})", "tostring:int": "toString({0})", "tostring:bool": "CASE WHEN {0} THEN 'True' WHEN NOT {0} THEN 'False' END", "tostring:guid": "{0}", "tostring:string": "!{0}",
		"tostring:real": clickReal(""), "tostring:dynamic": text,
		"tolong:long": "{0}", "tolong:int": "!toInt64({0})", "tolong:bool": "!toInt64({0})", "tolong:real": "accurateCastOrNull(trunc({0}), 'Int64')", "tolong:datetime": "!{0}", "tolong:timespan": "!{0}",
		"toint:long": "accurateCastOrNull({0}, 'Int32')", "toint:int": "!{0}", "toint:bool": "!toInt32({0})", "toint:real": "accurateCastOrNull(trunc({0}), 'Int32')",
		"toreal:long": "!toFloat64({0})", "toreal:int": "!toFloat64({0})", "toreal:bool": "!toFloat64({0})", "toreal:real": "!{0}", "toreal:timespan": "!toFloat64({0})", "toreal:datetime": "!toFloat64({0})",
		"tobool:long": "!({0} <> 0)", "tobool:int": "!({0} <> 0)", "tobool:real": "!({0} <> 0)", "tobool:bool": "!{0}",
		"todatetime:long": "if({0} BETWEEN 0 AND 3155378975999999999, {0}, NULL)", "todatetime:datetime": "!{0}",
		"totimespan:long": "!{0}", "totimespan:int": "!toInt64({0})", "totimespan:timespan": "!{0}", "toguid:guid": "{0}",
		"todynamic:string": "!toJSONString({0})", "todynamic:guid": "toJSONString(toString({0}))", "todynamic:long": "toString({0})", "todynamic:int": "toString({0})", "todynamic:bool": "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END",
		"todynamic:real": clickReal("\""), "todynamic:dynamic": "{0}",
		"parse_json": clickParseJSON("{0}"), "parse_inner": "if(startsWith({0}, '\"'), JSONExtractString(coalesce({0}, '')), '')\nif(startsWith({0}, '\"'), " + clickParseJSON("{1}") + ", {0})",
	}
	for name, f := range map[string]func(x string) string{"tolong": clickLong, "toreal": clickToReal} {
		out[name+":string"] = "replaceRegexpAll({0}, '^\\\\s+|\\\\s+$', '')\n" + f("{1}")
		out[name+":dynamic"] = "replaceRegexpAll(" + text + ", '^\\\\s+|\\\\s+$', '')\n" + f("{1}")
	}
	out["tobool:string"], out["tobool:dynamic"] = clickBool("{0}"), text+"\n"+clickBool("{1}")
	number := "toFloat64OrNull({1})"
	out["toint:string"] = "replaceRegexpAll({0}, '^\\\\s+|\\\\s+$', '')\naccurateCastOrNull(" + clickLong("{1}") + ", 'Int32')"
	// a whole number that is too large wraps, a real is cut to the ends
	out["tolong:dynamic"] = out["tolong:dynamic"][:strings.Index(out["tolong:dynamic"], "\n")+1] + "coalesce(" + clickLong("{1}") + ", multiIf(startsWith({0}, '\"'), NULL, " + number + " > 9e18, toInt64(9223372036854775807), " + number + " < -9e18, toInt64(-9223372036854775808), NULL))"
	out["toint:dynamic"] = "replaceRegexpAll(" + text + ", '^\\\\s+|\\\\s+$', '')\n" + clickLong("{1}") + "\ncoalesce(accurateCastOrNull({2}, 'Int32'), multiIf(startsWith({0}, '\"'), NULL, match({0}, '^-?[0-9]+$') AND {2} IS NOT NULL, toInt32({2}), " + number + " > 2e9, toInt32(2147483647), " + number + " < -2e9, toInt32(-2147483648), NULL))"
	return out
}

// clickLong reads a whole number from a trimmed text x, as package native does.
func clickLong(x string) string {
	return "multiIf(match(" + x + ", '^[+-]?[0-9]+$') AND toInt64OrNull(" + x + ") IS NOT NULL, toInt64OrNull(" + x + "), match(" + x + ", '^0[xX][0-9a-fA-F]{{1,16}$'), reinterpretAsInt64(reverse(unhex(leftPad(substring(coalesce(" + x + ", ''), 3), 16, '0'))))," +
		" lower(" + x + ") = 'true', 1, lower(" + x + ") = 'false', 0, match(" + x + ", '" + clickNumber + "') AND abs(toFloat64OrNull(" + x + ")) < 9.2e18, accurateCastOrNull(trunc(toFloat64OrNull(" + x + ")), 'Int64'), NULL)"
}

const clickNumber = `^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$`

func clickToReal(x string) string {
	return "multiIf(match(" + x + ", '" + clickNumber + "'), toFloat64OrNull(" + x + "), NOT match(" + x + ", '^[+-]*INF$') AND match(" + x + ", '^(?i)[+]?inf(inity)?$'), inf, NOT match(" + x + ", '^[+-]*INF$') AND match(" + x + ", '^(?i)-inf(inity)?$'), -inf, match(" + x + ", '^(?i)nan$'), nan, lower(" + x + ") = 'true', 1, lower(" + x + ") = 'false', 0, NULL)"
}

func clickBool(x string) string {
	return "multiIf(lower(" + x + ") = 'true', true, lower(" + x + ") = 'false', false, match(" + x + ", '^[+-]?[0-9]+$'), toInt64OrNull(" + x + ") <> 0, NULL)"
}

// clickParseJSON minifies JSON; what is none becomes a JSON text of itself.
func clickParseJSON(x string) string {
	return "multiIf(" + x + " = '', NULL, isValidJSON(" + x + "), nullif(if(JSONType(" + x + ") = 'Double' AND NOT match(JSONExtractRaw(" + x + "), '[.e]'), concat(JSONExtractRaw(" + x + "), '.0'), JSONExtractRaw(" + x + ")), 'null'), toJSONString(" + x + "))"
}

// clickReal prints a real: digits with a point, or with an exponent where it is large or small.
func clickReal(quote string) string {
	word := func(w string) string { return "'" + quote + w + quote + "'" }
	return "toString(abs({0}))\n" + // {1}
		"multiIf(position({1}, 'e') > 0, replaceRegexpOne({1}, 'e.*', ''), startsWith({1}, '0.'), replaceRegexpOne({1}, '^0[.]0*', ''), {1})\n" + // {2}: digits
		"multiIf(position({1}, 'e') > 0, toInt64OrZero(replaceRegexpOne({1}, '^.*e[+]?', '')), startsWith({1}, '0.'), length({2}) - length({1}) + 1, toInt64(length({1})) - 1)\n" + // {3}: exponent
		"if(position({2}, '.') > 0, {2}, replaceRegexpOne(concat(substring({2}, 1, 1), '.', substring({2}, 2)), '[.]?0*$', ''))\n" + // {4}: mantissa
		"multiIf({0} IS NULL, NULL, isNaN({0}), " + word("NaN") + ", isInfinite({0}), if({0} > 0, " + word("Infinity") + ", " + word("-Infinity") + "), concat(if({0} < 0, '-', ''), " +
		"if(abs({0}) = 0 OR abs({0}) >= 1e-5 AND abs({0}) < 1e16, concat({1}, if(position({1}, '.') > 0, '', '.0')), concat({4}, 'e', if({3} < 0, '-', '+'), leftPad(toString(abs({3})), greatest(2, length(toString(abs({3})))), '0')))))"
}

// The calendar, over the whole range of years: the engine's own dates begin in 1900.
// Days are counted in eras of 400 years that begin in March.
// Source: the proleptic Gregorian calendar's own rules.
const (
	// civil computes from the ticks {0}: day {1} since March of year 0, {2} of its era, {3} year of the era, {4} day of that year, {5} month since March.
	civil = "intDiv({0}, @DAY) + 306\n{1} % 146097\nintDiv({2} - intDiv({2}, 1460) + intDiv({2}, 36524) - intDiv({2}, 146096), 365)\n{2} - (365 * {3} + intDiv({3}, 4) - intDiv({3}, 100))\nintDiv(5 * {4} + 2, 153)\n"
	year  = "({3} + 400 * intDiv({1}, 146097) + ({5} >= 10))"
	month = "({5} + if({5} < 10, 3, -9))"
	day   = "({4} - intDiv(153 * {5} + 2, 5) + 1)"
	leap  = "(" + year + " % 4 = 0 AND " + year + " % 100 <> 0 OR " + year + " % 400 = 0)"
)

func padded(x string, n int) string {
	return "leftPad(toString(" + x + "), " + strconv.Itoa(n) + ", '0')"
}

func clickCalendar() map[string]string {
	clock := padded("intDiv({0}, @HOUR) % 24", 2) + ", ':', " + padded("intDiv({0}, @MINUTE) % 60", 2) + ", ':', " + padded("intDiv({0}, @SECOND) % 60", 2)
	datetime := "concat(" + padded(year, 4) + ", '-', " + padded(month, 2) + ", '-', " + padded(day, 2) + ", 'T', " + clock + ", '.', " + padded("{0} % @SECOND", 7) + ", 'Z')"
	span := func(quote string) string {
		u := func(s string) string { return strings.ReplaceAll(s, "{0}", "{1}") }
		return "abs({0})\nif({0} IS NULL, NULL, concat('" + quote + "', if({0} < 0, '-', ''), if({1} >= @DAY, concat(toString(intDiv({1}, @DAY)), '.'), ''), " + u(clock) + ", if({1} % @SECOND > 0, concat('.', " + u(padded("{0} % @SECOND", 7)) + "), ''), '" + quote + "'))"
	}
	// the same steps over a whole list of times
	dates := "toUInt64(coalesce(if({2} = 0 OR ({1} < {0}) = ({2} > 0) AND {0} <> {1}, 0, least(intDivOrNull({1} - {0}, {2}) + 1, 1048576)), 0))\n" + // {3}: how many
		"arrayMap(i -> coalesce({0} + toInt64(i) * {2}, 0), range({3}))\n" + // {4}: ticks
		"arrayMap(t -> intDiv(t, @DAY) + 306, {4})\narrayMap(z -> z % 146097, {5})\narrayMap(e -> intDiv(e - intDiv(e, 1460) + intDiv(e, 36524) - intDiv(e, 146096), 365), {6})\n" + // {5} {6} {7}
		"arrayMap((e, y) -> e - (365 * y + intDiv(y, 4) - intDiv(y, 100)), {6}, {7})\narrayMap(d -> intDiv(5 * d + 2, 153), {8})\n" + // {8} {9}
		"concat('[', arrayStringConcat(arrayMap((v0, v1, v3, v4, v5) -> concat('\"', " + strings.NewReplacer("{0}", "v0", "{1}", "v1", "{3}", "v3", "{4}", "v4", "{5}", "v5").Replace(datetime) + ", '\"'), {4}, {5}, {7}, {8}, {9}), ','), ']')"
	out := map[string]string{
		"now": "!{0}", "ago": "!{0}",
		"tostring:datetime": civil + datetime, "todynamic:datetime": civil + "concat('\"', " + datetime + ", '\"')", "tostring:timespan": span(""), "todynamic:timespan": span("\""), "range_time": dates,
		"getyear": civil + "toInt32(" + year + ")", "getmonth": civil + "toInt32(" + month + ")", "dayofmonth": civil + "toInt32(" + day + ")", "quarterofyear": civil + "toInt32(intDiv(" + month + " + 2, 3))", "month_index": civil + "(" + year + " * 12 + " + month + " - 1)",
		"dayofyear": civil + "toInt32(if({5} >= 10, {4} - 305, {4} + 60 + " + leap + "))",
		"hourofday": "!toInt32(intDiv({0}, @HOUR) % 24)", "minuteofhour": "!toInt32(intDiv({0}, @MINUTE) % 60)", "secondofminute": "!toInt32(intDiv({0}, @SECOND) % 60)",
		"dayofweek":    "!((intDiv({0}, @DAY) + 1) % 7 * @DAY)",
		"startofday/1": "({0} - {0} % @DAY)", "endofday/1": "({0} - {0} % @DAY + (@DAY - 1))", "startofmonth/1": civil + "({0} - {0} % @DAY - (" + day + " - 1) * @DAY)",
		"startofweek/1": "(intDiv({0}, @DAY) - (intDiv({0}, @DAY) + 1) % 7) * @DAY\nif({1} < 0, NULL, {1})", "startofyear/1": civil + "({0} - {0} % @DAY - if({5} >= 10, {4} - 306, {4} + 59 + " + leap + ") * @DAY)",
		"todatetime:string": clickDateTime("{0}"), "todatetime:dynamic": clickDateTime("if(startsWith({0}, '\"'), JSONExtractString(coalesce({0}, '')), {0})"),
	}
	return out
}

// clickDateTime reads ISO 8601. KQL reads other forms too: a text that has a
// digit and is none of ours ends the statement with words, so that none is read wrong.
func clickDateTime(text string) string {
	n := func(i int) string { return "toInt64OrZero({2}[" + strconv.Itoa(i) + "])" }
	const y, m, d = "{3}", "{4}", "{5}"
	length := "[31, 28 + (" + y + " % 4 = 0 AND " + y + " % 100 <> 0 OR " + y + " % 400 = 0), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][" + m + "]"
	early := "(" + y + " - (" + m + " <= 2))"
	days := "(intDiv(" + early + ", 400) * 146097 + " + early + " % 400 * 365 + intDiv(" + early + " % 400, 4) - intDiv(" + early + " % 400, 100) + intDiv(153 * (" + m + " + if(" + m + " > 2, -3, 9)) + 2, 5) + " + d + " - 1 - 306)"
	zone := "if({2}[8] IN ('', 'Z'), toInt64(0), if(startsWith({2}[8], '-'), -1, 1) * (toInt64OrZero(substring({2}[8], 2, 2)) * @HOUR + toInt64OrZero(substring({2}[8], 5, 2)) * @MINUTE))"
	ticks := "(" + days + " * @DAY + " + n(4) + " * @HOUR + " + n(5) + " * @MINUTE + " + n(6) + " * @SECOND + toInt64OrZero(rightPad({2}[7], 7, '0')) - " + zone + ")"
	return "trimBoth(coalesce(" + text + ", ''))\n" + // {1}
		"extractGroups({1}, '^([0-9]{{4})-([0-9]{{2})-([0-9]{{2})(?:[T ]([0-9]{{2}):([0-9]{{2}):([0-9]{{2})(?:[.]([0-9]{{1,7}))?(Z|[+-][0-9]{{2}:[0-9]{{2})?)?$')\n" + // {2}
		n(1) + "\n" + n(2) + "\n" + n(3) + "\n" + ticks + "\n" + // {3} {4} {5} {6}
		"multiIf(throwIf(empty({2}) AND match({1}, '[0-9]'), 'todatetime reads ISO 8601 alone on ClickHouse') = 1, NULL, empty({2}), NULL, " +
		y + " >= 1 AND " + m + " BETWEEN 1 AND 12 AND " + d + " BETWEEN 1 AND " + length + " AND " + n(4) + " < 24 AND " + n(5) + " < 60 AND " + n(6) + " < 60 AND {6} BETWEEN 0 AND 3155378975999999999, {6}, NULL)"
}

var clickAggregates = map[string]string{
	"count": "toInt64(count(*){if})", "sum:real": "coalesce(sum({0}){if}, 0)", "sum:long": "coalesce(toInt64(sum({0}){if}), 0)", "sum:int": "coalesce(toInt64(sum({0}){if}), 0)", "sum:timespan": "coalesce(accurateCastOrNull(sum(toInt128({0})){if}, 'Int64'), 0)",
	"avg:real": "coalesce(sum({0}){if} / nullif(count({0}){if}, 0), nan)", "avg:long": "coalesce(toFloat64(sum({0}){if}) / nullif(count({0}){if}, 0), nan)", "avg:int": "coalesce(toFloat64(sum({0}){if}) / nullif(count({0}){if}, 0), nan)",
	"avg:datetime": "accurateCastOrNull(trunc(toFloat64(sum(toInt128({0})){if}) / nullif(count({0}){if}, 0)), 'Int64')", "avg:timespan": "accurateCastOrNull(trunc(toFloat64(sum(toInt128({0})){if}) / nullif(count({0}){if}, 0)), 'Int64')",
	"min": "min(toNullable({0})){if}", "max": "max(toNullable({0})){if}",
	"min:real": "if(max(toNullable(isNaN({0}))){if} = 1, nan, min(toNullable({0})){if})", "max:real": "if(max(toNullable(isNaN({0}))){if} = 1, nan, max(toNullable({0})){if})",
	"dcount": "toInt64(uniqExact({0}){if})", "count_distinct": "toInt64(uniqExact({0}){if})", "take_any": "any(toNullable({0})){if}",
	"make_pairs":          "concat('[', arrayStringConcat(groupArray(assumeNotNull({0})), ','), ']')",
	"make_set":            "concat('[', arrayStringConcat(arraySlice(groupUniqArray(assumeNotNull({0})) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), 1, 1048576), ','), ']')",
	"make_set/2":          "concat('[', arrayStringConcat(arraySlice(groupUniqArray(assumeNotNull({0})) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}), 1, any({1})), ','), ']')",
	"make_set:dynamic":    "concat('[', arrayStringConcat(arraySlice(arrayDistinct(arrayFilter(x -> x <> 'null', " + clickFlat + ")), 1, 1048576), ','), ']')",
	"make_set:dynamic/2":  "concat('[', arrayStringConcat(arraySlice(arrayDistinct(arrayFilter(x -> x <> 'null', " + clickFlat + ")), 1, any({1})), ','), ']')",
	"make_list":           "concat('[', arrayStringConcat(arraySlice(" + clickOrdered + ", 1, 1048576), ','), ']')",
	"make_list/2":         "concat('[', arrayStringConcat(arraySlice(" + clickOrdered + ", 1, any({1})), ','), ']')",
	"make_list:dynamic":   "concat('[', arrayStringConcat(arrayFlatten(arraySlice(" + clickOpened + ", 1, 1048576)), ','), ']')",
	"make_list:dynamic/2": "concat('[', arrayStringConcat(arrayFlatten(arraySlice(" + clickOpened + ", 1, any({1}))), ','), ']')",
	"make_bag":            "concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), arraySlice(arrayFilter((p, n) -> n = 1, " + clickPairs + ", arrayEnumerateUniq(arrayMap(p -> p.1, " + clickPairs + "))), 1, 1048576)), ','), '}')",
}

// Lists that an aggregate gathers, in the order of the rows.
const (
	clickOrdered = "arrayMap(t -> t.2, arraySort(t -> t.1, groupArray(tuple({place}, assumeNotNull({0}))) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and})))"
	clickOpened  = "arrayMap(t -> t.2, arraySort(t -> t.1, groupArray(tuple({place}, if(startsWith(coalesce({0}, ''), '['), JSONExtractArrayRaw(coalesce({0}, '')), [coalesce({0}, 'null')]))){if}))"
	clickFlat    = "arrayFlatten(groupArray(if(startsWith(assumeNotNull({0}), '['), JSONExtractArrayRaw(assumeNotNull({0})), [assumeNotNull({0})])) FILTER (WHERE {0} IS NOT NULL AND {0} <> 'null' AND {and}))"
	clickPairs   = "arrayFlatten(arrayMap(t -> t.2, arraySort(t -> t.1, groupArray(tuple({place}, JSONExtractKeysAndValuesRaw(assumeNotNull({0})))) FILTER (WHERE {0} IS NOT NULL AND {and}))))"
)
