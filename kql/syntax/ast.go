// Package syntax knows how KQL is written: its tokens, its grammar and the
// tree that a text is. It reads any text, however wrong, and says what is
// wrong where; it leaves what the names mean to package bind.
package syntax

import "lockstep/schema"

// Span is a stretch of the text in byte offsets, End exclusive.
type Span struct{ Start, End int }

// At gives the span itself: every node embeds one.
func (s Span) At() Span { return s }

// Expr is a scalar or tabular expression: KQL tells them apart only by what
// the names in them mean.
type Expr interface{ At() Span }

// Statement is one of the parts of a text between semicolons.
type Statement interface{ At() Span }

// Operator is a tabular operator after a pipe.
type Operator interface {
	At() Span
	// Keyword is the operator as written, in canonical spelling.
	Keyword() string
}

// Query is a whole text.
type Query struct {
	Statements []Statement
}

// Statements.
type (
	// Let is let Name = X.
	Let struct {
		Span
		Name Name
		X    Expr // a *Lambda for a function
	}
	// Set is set Option = Value.
	Set struct {
		Span
		Option string
		Value  Expr // nil for none
	}
	// Declare is declare query_parameters(…).
	Declare struct {
		Span
		Params []Parameter
	}
	// Expression is the query itself.
	Expression struct {
		Span
		X Expr
	}
)

// Name is an identifier, plain or bracketed.
type Name struct {
	Span
	Text   string
	Quoted bool // ['…'] or ["…"]: never a keyword
}

// Parameter of a function or of the query: scalar (Type) or tabular.
type Parameter struct {
	Name    Name
	Type    schema.Type
	Tabular bool
	Columns []ColumnDecl // of a tabular one; nil for (*)
	Default Expr
}

// ColumnDecl is name:type.
type ColumnDecl struct {
	Name Name
	Type schema.Type
}

// Expressions.
type (
	// Ident is a name used as a value.
	Ident struct{ Name }
	// Wildcard is a name with * in it (Device*), or * alone.
	Wildcard struct {
		Span
		Pattern string
	}
	// Literal is a constant. Value: nil (typed null), bool, int64 (int, long,
	// timespan and datetime in ticks), float64, string (string, guid, decimal), Value (dynamic).
	Literal struct {
		Span
		Type  schema.Type
		Value any
	}
	// TypeOf is typeof(T) or a row schema typeof(a:string, …).
	TypeOf struct {
		Span
		Type    schema.Type
		Columns []ColumnDecl
		Rest    bool // a leading *: the rows' own columns too
	}
	// Call is a function call.
	Call struct {
		Span
		Func Name
		Args []Expr
	}
	// Path is X.Name.
	Path struct {
		Span
		X    Expr
		Name Name
	}
	// Index is X[I].
	Index struct {
		Span
		X, I Expr
	}
	// Unary is + or - before X.
	Unary struct {
		Span
		Op string
		X  Expr
	}
	// Binary is X Op Y; Op is canonical (==, !has_cs, and, matches regex, :).
	Binary struct {
		Span
		Op   string
		X, Y Expr
	}
	// In is X Op (List): in, in~, !in, !in~, has_any, has_all.
	In struct {
		Span
		Op   string
		X    Expr
		List []Expr
	}
	// Between is X between (Low .. High).
	Between struct {
		Span
		Not          bool
		X, Low, High Expr
	}
	// Named is Name = X; several names for a tuple.
	Named struct {
		Span
		Names []Name
		X     Expr
	}
	// Ordered is a sort key.
	Ordered struct {
		Span
		X          Expr
		Asc, Desc  bool // neither: the default
		NullsFirst *bool
	}
	// Paren is (X): kept so that printing gives the same tree.
	Paren struct {
		Span
		X Expr
	}
	// Lambda is a let function: (params) { body }.
	Lambda struct {
		Span
		View   bool
		Params []Parameter
		Body   *Query
	}
	// Pipe is Source | Ops…; a bare source is itself, without a Pipe.
	Pipe struct {
		Span
		Source Expr
		Ops    []Operator
	}
	// OperatorSource is an operator that starts a pipeline: print, range, union, search, find.
	OperatorSource struct {
		Span
		Op Operator
	}
	// DataTable is datatable(columns)[values].
	DataTable struct {
		Span
		Columns []ColumnDecl
		Values  []Expr
	}
	// External is externaldata(columns)[uris] with(options).
	External struct {
		Span
		Columns []ColumnDecl
		URIs    []Expr
		Options []Option
	}
	// Bad stands where nothing sensible was found.
	Bad struct{ Span }
)

// Option is Name = Value before or after an operator's arguments.
type Option struct {
	Name  Name
	Value Expr
}

// Value is a dynamic literal: nil, bool, int64, float64, string, []Value, Bag or Ticks.
type Value any

// Bag is an object of a dynamic literal in the order written.
type Bag []Member

// Member is one key of a Bag.
type Member struct {
	Key   string
	Value Value
}

// Moment and Length are datetime and timespan values inside dynamic literals, in ticks.
type (
	Moment int64
	Length int64
)

// keyword gives an operator its name by embedding.
type keyword struct {
	Span
	Word string
}

func (k keyword) Keyword() string { return k.Word }

// Operators, each with the keyword it was written with.
type (
	// Where is where, filter.
	Where struct {
		keyword
		X Expr
	}
	// Extend is extend, project and the list operators that take named expressions.
	Extend struct {
		keyword
		Items []Expr
	}
	// Project is project and distinct… by Keyword: project, project-away, project-keep,
	// project-rename, project-reorder, distinct, serialize, print.
	Project struct {
		keyword
		Items []Expr
	}
	// Summarize is summarize Aggregates by Keys.
	Summarize struct {
		keyword
		Options    []Option
		Aggregates []Expr
		By         []Expr
	}
	// Sort is sort by, order by.
	Sort struct {
		keyword
		Keys []Expr
	}
	// Top is top N by Key.
	Top struct {
		keyword
		N      Expr
		Keys   []Expr
		Others Expr
	}
	// TopNested is a chain of levels.
	TopNested struct {
		keyword
		Levels []NestedLevel
	}
	// TopHitters is top-hitters N of X by Y.
	TopHitters struct {
		keyword
		N, X, By Expr
	}
	// Take is take, limit, sample.
	Take struct {
		keyword
		N Expr
	}
	// SampleDistinct is sample-distinct N of X.
	SampleDistinct struct {
		keyword
		N, X Expr
	}
	// Count is count [as Name].
	Count struct {
		keyword
		Name Name
	}
	// Join is join and lookup.
	Join struct {
		keyword
		Options []Option
		Right   Expr
		On      []Expr
	}
	// Union is union of tables; with a left side when after a pipe.
	Union struct {
		keyword
		Options []Option
		Tables  []Expr
	}
	// Expand is mv-expand (mvexpand) and the first part of mv-apply.
	Expand struct {
		keyword
		Options []Option
		Items   []ExpandItem
		Limit   Expr
		On      Expr // mv-apply's sub-query, with an empty source
	}
	// Parse is parse, parse-where.
	Parse struct {
		keyword
		Kind, Flags string
		X           Expr
		Pattern     []PatternPart
	}
	// ParseKV is parse-kv X as (columns) with (options).
	ParseKV struct {
		keyword
		X       Expr
		Columns []ColumnDecl
		Options []Option
	}
	// Evaluate is evaluate plugin(args).
	Evaluate struct {
		keyword
		Options []Option
		Call    *Call
		Schema  *TypeOf
	}
	// MakeSeries is make-series.
	MakeSeries struct {
		keyword
		Options        []Option
		Aggregates     []SeriesItem
		On             Expr
		From, To, Step Expr
		By             []Expr
	}
	// Range is range Name from … to … step ….
	Range struct {
		keyword
		Name           Name
		From, To, Step Expr
	}
	// Search is search [kind=…] [in (tables)] predicate.
	Search struct {
		keyword
		Options []Option
		Tables  []Expr
		X       Expr
	}
	// Find is find [in (tables)] where predicate [project …].
	Find struct {
		keyword
		Options []Option
		Tables  []Expr
		X       Expr
		Items   []Expr
	}
	// Render is render kind with (properties).
	Render struct {
		keyword
		Kind    string
		Options []Option
	}
	// Invoke is invoke f(args).
	Invoke struct {
		keyword
		Call *Call
	}
	// As is as Name.
	As struct {
		keyword
		Name Name
	}
	// GetSchema is getschema.
	GetSchema struct{ keyword }
	// Consume is consume.
	Consume struct{ keyword }
	// Partition is partition by X ( sub-query ).
	Partition struct {
		keyword
		Options []Option
		By      Expr
		Sub     Expr
	}
	// Fork is fork [Name =] (sub-query)…
	Fork struct {
		keyword
		Branches []Branch
	}
	// Facet is facet by columns with (sub-query).
	Facet struct {
		keyword
		By   []Expr
		With Expr // nil for none
	}
	// Reduce is reduce by X with (options).
	Reduce struct {
		keyword
		X       Expr
		Options []Option
	}
	// Scan is scan [order by …] with (steps): kept as text, bound later.
	Scan struct {
		keyword
		Declare []ScanColumn
		Steps   []ScanStep
		MatchID Name
	}
	// ProjectByNames keeps the columns that texts and arrays of texts name.
	ProjectByNames struct {
		keyword
		Items []Expr
	}
	// Opaque is an operator that is known and kept as text.
	Opaque struct {
		keyword
		Text string
	}
)

// Branch is one sub-query of fork; its name's text may be "".
type Branch struct {
	Name Name
	Sub  Expr
}

// NestedLevel is one level of top-nested.
type NestedLevel struct {
	N, X, Others, By Expr
}

// ExpandItem is one column that mv-expand opens.
type ExpandItem struct {
	X    Expr // may be Named
	Type schema.Type
}

// PatternPart is one part of a parse pattern: a text to find, a column, or *.
type PatternPart struct {
	Span
	Star   bool
	Text   Expr // string literal
	Column *ColumnDecl
}

// SeriesItem is an aggregate of make-series and its default.
type SeriesItem struct {
	X, Default Expr
}

// ScanColumn is a declared column of scan.
type ScanColumn struct {
	ColumnDecl
	Default Expr
}

// ScanStep is one step of scan.
type ScanStep struct {
	Span
	Name     Name
	Optional bool
	Output   string
	X        Expr
	Assign   []Expr
}
