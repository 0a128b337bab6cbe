package schema

import "fmt"

// Type is a column type of the Kusto query language.
type Type uint8

// The types. Their order is also the order in which pages list them.
const (
	Invalid Type = iota
	Bool
	Int  // 32 bits
	Long // 64 bits
	Real
	Decimal // 34 significant digits, carried as text
	String  // never null: a missing string is ""
	DateTime
	TimeSpan
	Guid    // lower-case text with hyphens
	Dynamic // minified valid JSON text; null for JSON null
)

// typeNames are the names that KQL prints (getschema, type declarations).
var typeNames = [...]string{"", "bool", "int", "long", "real", "decimal", "string", "datetime", "timespan", "guid", "dynamic"}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// aliases are the other names that KQL accepts for a type.
// Source: Kusto scalar data types, and the Log Analytics schema's own spellings.
var aliases = map[string]Type{
	"boolean": Bool, "int32": Int, "int64": Long, "double": Real, "float": Real,
	"date": DateTime, "time": TimeSpan, "uuid": Guid, "uniqueid": Guid, "object": Dynamic, "dateTime": DateTime,
}

// ParseType reads a type's name or one of its aliases.
func ParseType(name string) (Type, bool) {
	for t, n := range typeNames {
		if n == name && n != "" {
			return Type(t), true
		}
	}
	t, ok := aliases[name]
	return t, ok
}

// MarshalText writes the type's KQL name.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a type's name or alias.
func (t *Type) UnmarshalText(text []byte) error {
	got, ok := ParseType(string(text))
	if !ok {
		return fmt.Errorf("unknown column type %q", text)
	}
	*t = got
	return nil
}

// clrNames are the .NET names that getschema prints in its DataType column.
// Source: Kusto getschema operator.
var clrNames = [...]string{"", "System.SByte", "System.Int32", "System.Int64", "System.Double", "System.Data.SqlTypes.SqlDecimal",
	"System.String", "System.DateTime", "System.TimeSpan", "System.Guid", "System.Object"}

// CLR gives the type's .NET name, as getschema prints it.
func (t Type) CLR() string { return clrNames[t] }
