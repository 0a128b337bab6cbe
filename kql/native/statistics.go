package native

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// statistics are distributions and the conversion of units.
func statistics() []Function {
	return []Function{
		{Name: "erf", Params: types(tReal), Least: 1, Result: tReal, Eval: func(a []any) any { return math.Erf(real(a[0])) }},
		{Name: "erfc", Params: types(tReal), Least: 1, Result: tReal, Eval: func(a []any) any { return math.Erfc(real(a[0])) }},
		{Name: "beta_cdf", Params: types(tReal, tReal, tReal), Least: 3, Result: tReal, Eval: func(a []any) any { return betaCDF(real(a[0]), real(a[1]), real(a[2])) }},
		{Name: "beta_pdf", Params: types(tReal, tReal, tReal), Least: 3, Result: tReal, Eval: func(a []any) any {
			x, alpha, beta := real(a[0]), real(a[1]), real(a[2])
			if !(x >= 0 && x <= 1 && alpha > 0 && beta > 0) {
				return math.NaN()
			}
			return math.Exp((alpha-1)*math.Log(x) + (beta-1)*math.Log(1-x) - logBeta(alpha, beta))
		}},
		{Name: "beta_inv", Params: types(tReal, tReal, tReal), Least: 3, Result: tReal, Eval: func(a []any) any {
			p, alpha, beta := real(a[0]), real(a[1]), real(a[2])
			if !(p >= 0 && p <= 1 && alpha > 0 && beta > 0) {
				return math.NaN()
			}
			lo, hi := 0.0, 1.0
			for range 200 {
				mid := (lo + hi) / 2
				if betaCDF(mid, alpha, beta) < p {
					lo = mid
				} else {
					hi = mid
				}
			}
			return (lo + hi) / 2
		}},
		{Name: "percentile_weighted", Params: types(tText, tReal), Least: 2, Result: tText, Eval: weightedPercentile},
		{Name: "welch_test", Params: types(tReal, tReal, tReal, tReal, tReal, tReal), Least: 6, Result: tReal, Eval: welch},
		{Name: "convert_angle", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(angles)},
		{Name: "convert_energy", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(energies)},
		{Name: "convert_force", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(forces)},
		{Name: "convert_length", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(lengths)},
		{Name: "convert_mass", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(masses)},
		{Name: "convert_speed", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(speeds)},
		{Name: "convert_temperature", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: convertTemperature},
		{Name: "convert_volume", Params: types(tReal, tText, tText), Least: 3, Result: tReal, Eval: converter(volumes)},
	}
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

// betaCDF is the regularised incomplete beta function, by its continued
// fraction. Source: Numerical recipes, section 6.4.
func betaCDF(x, a, b float64) float64 {
	if !(x >= 0 && x <= 1 && a > 0 && b > 0) {
		return math.NaN()
	}
	if x == 0 || x == 1 {
		return x
	}
	front := math.Exp(a*math.Log(x) + b*math.Log(1-x) - logBeta(a, b))
	if x > (a+1)/(a+b+2) {
		return 1 - front*betaFraction(1-x, b, a)/b
	}
	return front * betaFraction(x, a, b) / a
}

func betaFraction(x, a, b float64) float64 {
	const tiny = 1e-300
	away := func(f float64) float64 {
		if math.Abs(f) < tiny {
			return tiny
		}
		return f
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	h := d
	for i := 1; i <= 500; i++ {
		m := float64(i)
		n := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+n*d), away(1+n/c)
		h *= d * c
		n = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+n*d), away(1+n/c)
		h *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return h
}

// welch is the two-sided probability that two means are equal.
func welch(a []any) any {
	m1, v1, n1, m2, v2, n2 := real(a[0]), real(a[1]), real(a[2]), real(a[3]), real(a[4]), real(a[5])
	if n1 < 2 || n2 < 2 || v1 < 0 || v2 < 0 || v1+v2 == 0 {
		return nil
	}
	s1, s2 := v1/n1, v2/n2
	t := (m1 - m2) / math.Sqrt(s1+s2)
	df := (s1 + s2) * (s1 + s2) / (s1*s1/(n1-1) + s2*s2/(n2-1))
	return betaCDF(df/(df+t*t), df/2, 0.5)
}

// converter converts by factors to one base unit; an unknown unit gives null.
func converter(units map[string]float64) func([]any) any {
	return func(a []any) any {
		from, ok1 := units[str(a[1])]
		to, ok2 := units[str(a[2])]
		if !ok1 || !ok2 {
			return nil
		}
		return real(a[0]) * from / to
	}
}

// temperatures are the size of a degree and where zero is, in kelvin.
var temperatures = map[string][2]float64{
	"Kelvin": {1, 0}, "DegreeCelsius": {1, 273.15}, "DegreeFahrenheit": {5.0 / 9, 459.67 * 5 / 9}, "DegreeRankine": {5.0 / 9, 0},
	"DegreeDelisle": {-2.0 / 3, 373.15}, "DegreeNewton": {100.0 / 33, 273.15}, "DegreeReaumur": {1.25, 273.15}, "DegreeRoemer": {40.0 / 21, 273.15 - 7.5*40/21},
	"MillidegreeCelsius": {1e-3, 273.15}, "SolarTemperature": {5778, 0},
}

func convertTemperature(a []any) any {
	from, ok1 := temperatures[str(a[1])]
	to, ok2 := temperatures[str(a[2])]
	if !ok1 || !ok2 {
		return nil
	}
	return (real(a[0])*from[0] + from[1] - to[1]) / to[0]
}

// The units that the convert functions take, in radians, joules, newtons,
// metres, kilograms, metres a second and cubic metres.
// Source: the reference pages of convert_angle and its like; the units' definitions.
var (
	angles = map[string]float64{
		"Radian": 1, "Milliradian": 1e-3, "Microradian": 1e-6, "Nanoradian": 1e-9, "Deciradian": 0.1, "Centiradian": 0.01,
		"Degree": math.Pi / 180, "Millidegree": math.Pi / 180e3, "Microdegree": math.Pi / 180e6, "Nanodegree": math.Pi / 180e9,
		"Arcminute": math.Pi / 10800, "Arcsecond": math.Pi / 648000, "Gradian": math.Pi / 200, "Revolution": 2 * math.Pi, "Tilt": math.Pi / 2, "NatoMil": 2 * math.Pi / 6400,
	}
	energies = map[string]float64{
		"Joule": 1, "Kilojoule": 1e3, "Megajoule": 1e6, "Gigajoule": 1e9, "Terajoule": 1e12, "Petajoule": 1e15, "Millijoule": 1e-3, "Microjoule": 1e-6, "Nanojoule": 1e-9,
		"WattHour": 3600, "KilowattHour": 3.6e6, "MegawattHour": 3.6e9, "GigawattHour": 3.6e12, "TerawattHour": 3.6e15, "WattDay": 86400, "KilowattDay": 8.64e7, "MegawattDay": 8.64e10, "GigawattDay": 8.64e13, "TerawattDay": 8.64e16,
		"Calorie": 4.184, "Kilocalorie": 4184, "Megacalorie": 4.184e6, "BritishThermalUnit": 1055.05585262, "KilobritishThermalUnit": 1055055.85262, "MegabritishThermalUnit": 1055055852.62,
		"ElectronVolt": 1.602176634e-19, "KiloelectronVolt": 1.602176634e-16, "MegaelectronVolt": 1.602176634e-13, "GigaelectronVolt": 1.602176634e-10, "TeraelectronVolt": 1.602176634e-7,
		"Erg": 1e-7, "FootPound": 1.3558179483314004, "HorsepowerHour": 2684519.5376961729,
	}
	forces = map[string]float64{
		"Newton": 1, "Decanewton": 10, "Kilonewton": 1e3, "Meganewton": 1e6, "Millinewton": 1e-3, "Micronewton": 1e-6, "Dyn": 1e-5,
		"KilogramForce": 9.80665, "KiloPond": 9.80665, "TonneForce": 9806.65, "OunceForce": 0.27801385095378125, "PoundForce": 4.4482216152605, "Poundal": 0.138254954376, "KilopoundForce": 4448.2216152605, "ShortTonForce": 8896.443230521,
	}
	lengths = map[string]float64{
		"Meter": 1, "Decimeter": 0.1, "Centimeter": 0.01, "Millimeter": 1e-3, "Micrometer": 1e-6, "Nanometer": 1e-9, "Angstrom": 1e-10, "Decameter": 10, "Hectometer": 100, "Kilometer": 1e3, "Megameter": 1e6,
		"Inch": 0.0254, "Microinch": 2.54e-8, "Mil": 2.54e-5, "Foot": 0.3048, "UsSurveyFoot": 1200.0 / 3937, "Yard": 0.9144, "Mile": 1609.344, "NauticalMile": 1852, "Fathom": 1.8288, "Chain": 20.1168, "Hand": 0.1016, "Shackle": 27.432,
		"AstronomicalUnit": 149597870700, "LightYear": 9460730472580800, "Parsec": 3.085677581491367e16, "Kiloparsec": 3.085677581491367e19, "Megaparsec": 3.085677581491367e22,
		"KilolightYear": 9460730472580800e3, "MegalightYear": 9460730472580800e6,
	}
	masses = map[string]float64{
		"Kilogram": 1, "Gram": 1e-3, "Decigram": 1e-4, "Centigram": 1e-5, "Milligram": 1e-6, "Microgram": 1e-9, "Nanogram": 1e-12, "Decagram": 0.01, "Hectogram": 0.1, "Tonne": 1e3, "Kilotonne": 1e6, "Megatonne": 1e9,
		"Pound": 0.45359237, "Kilopound": 453.59237, "Megapound": 453592.37, "Ounce": 0.028349523125, "Grain": 6.479891e-5, "Stone": 6.35029318, "LongTon": 1016.0469088, "ShortTon": 907.18474, "LongHundredweight": 50.80234544, "ShortHundredweight": 45.359237,
	}
	speeds = map[string]float64{
		"MeterPerSecond": 1, "MeterPerMinute": 1.0 / 60, "MeterPerHour": 1.0 / 3600, "CentimeterPerSecond": 0.01, "DecimeterPerSecond": 0.1, "MillimeterPerSecond": 1e-3, "MicrometerPerSecond": 1e-6, "NanometerPerSecond": 1e-9,
		"KilometerPerSecond": 1e3, "KilometerPerMinute": 1000.0 / 60, "KilometerPerHour": 1 / 3.6, "FootPerSecond": 0.3048, "FootPerMinute": 0.00508, "FootPerHour": 0.3048 / 3600, "InchPerSecond": 0.0254, "YardPerSecond": 0.9144, "MilePerHour": 0.44704, "Knot": 1852.0 / 3600,
	}
	volumes = map[string]float64{
		"CubicMeter": 1, "CubicDecimeter": 1e-3, "CubicCentimeter": 1e-6, "CubicMillimeter": 1e-9, "CubicKilometer": 1e9, "CubicHectometer": 1e6, "Liter": 1e-3, "Deciliter": 1e-4, "Centiliter": 1e-5, "Milliliter": 1e-6, "Microliter": 1e-9, "Hectoliter": 0.1, "Kiloliter": 1, "Megaliter": 1e3,
		"CubicInch": 1.6387064e-5, "CubicFoot": 0.028316846592, "CubicYard": 0.764554857984, "CubicMile": 4168181825.440579584, "UsGallon": 0.003785411784, "ImperialGallon": 0.00454609, "UsOunce": 2.95735295625e-5, "ImperialOunce": 2.84130625e-5, "OilBarrel": 0.158987294928,
		"UsTablespoon": 1.478676478125e-5, "UsTeaspoon": 4.92892159375e-6, "UsPint": 0.000473176473, "UsQuart": 0.000946352946, "ImperialPint": 0.00056826125,
	}
)

// weightedPercentile gives the least of some values that so many of a hundred
// are not above, where each counts as often as its weight: pairs "value weight", commas between.
func weightedPercentile(a []any) any {
	type entry struct {
		text   string
		value  *big.Float
		weight int64
	}
	var list []entry
	sum := 0.0
	for _, one := range strings.Split(str(a[0]), ",") {
		v, w, _ := strings.Cut(one, " ")
		value, _, err1 := big.ParseFloat(v, 10, 128, big.ToNearestEven)
		weight, err2 := strconv.ParseInt(w, 10, 64)
		if err1 == nil && err2 == nil && weight > 0 {
			list = append(list, entry{v, value, weight})
			sum += float64(weight)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(x, y entry) int { return x.value.Cmp(y.value) })
	least, at := sum*min(max(real(a[1]), 0), 100)/100, 0.0
	for _, e := range list {
		if at += float64(e.weight); at >= least {
			return e.text
		}
	}
	return list[len(list)-1].text
}
