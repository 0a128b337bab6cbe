package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
)

// mutant is one small change.
type mutant struct {
	at   token.Position
	what string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s", filepath.Base(m.at.Filename), m.at.Line, m.what)
}

// environment names the variable that tells a program which change to make.
const environment = "LOCKSTEP_MUTANT"

// helper is compiled into the package that is changed.
const helper = `package %s

import (
	mutantOS "os"
	mutantStrconv "strconv"
)

var mutantActive = func() int {
	n, err := mutantStrconv.Atoi(mutantOS.Getenv(%q))
	if err != nil {
		return -1
	}
	return n
}()

func mutantIs(n int) bool { return n == mutantActive }

func mutantZero[T any](n int, v T) T {
	if n == mutantActive {
		var zero T
		return zero
	}
	return v
}
`

// mutate writes the package with all changes in it into a folder, and gives
// the overlay that has the go command take it.
func mutate(pkg, folder string) (all []mutant, overlay string, err error) {
	dir, err := filepath.Abs(pkg)
	if err != nil {
		return nil, "", err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, "", err
	}
	replace := map[string]string{}
	name := ""
	set := token.NewFileSet()
	w := &writer{set: set}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, "", err
		}
		name = f.Name.Name
		w.change(f)
		f.Comments = nil // they would land in the midst of what was changed
		var text bytes.Buffer
		if err := printer.Fprint(&text, set, f); err != nil {
			return nil, "", err
		}
		to := filepath.Join(folder, filepath.Base(file))
		if err := os.WriteFile(to, text.Bytes(), 0o600); err != nil {
			return nil, "", err
		}
		replace[file] = to
	}
	extra := filepath.Join(folder, "mutant.go")
	if err := os.WriteFile(extra, fmt.Appendf(nil, helper, name, environment), 0o600); err != nil {
		return nil, "", err
	}
	replace[filepath.Join(dir, "mutant_chosen.go")] = extra
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(folder, "overlay.json")
	return w.all, overlay, os.WriteFile(overlay, data, 0o600)
}

// writer makes the changes.
type writer struct {
	set *token.FileSet
	all []mutant
}

// add makes a mutant and gives its number as an expression.
func (w *writer) add(n ast.Node, format string, args ...any) ast.Expr {
	at := n.Pos()
	if b, ok := n.(*ast.BinaryExpr); ok { // its parts may have been changed already
		at = b.OpPos
	}
	w.all = append(w.all, mutant{w.set.Position(at), fmt.Sprintf(format, args...)})
	return &ast.BasicLit{Kind: token.INT, Value: strconv.Itoa(len(w.all) - 1)}
}

func (w *writer) text(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, w.set, n); err != nil {
		return "?"
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func is(number ast.Expr) ast.Expr {
	return &ast.CallExpr{Fun: ast.NewIdent("mutantIs"), Args: []ast.Expr{number}}
}

// turned is an expression that is its opposite in a mutant.
func turned(e, number ast.Expr) ast.Expr {
	return &ast.ParenExpr{X: &ast.BinaryExpr{X: is(number), Op: token.NEQ, Y: &ast.ParenExpr{X: e}}}
}

// either is one expression in a mutant, and else the other.
func either(number, changed, e ast.Expr) ast.Expr {
	and := func(x, y ast.Expr) ast.Expr {
		return &ast.ParenExpr{X: &ast.BinaryExpr{X: x, Op: token.LAND, Y: &ast.ParenExpr{X: y}}}
	}
	return &ast.ParenExpr{X: &ast.BinaryExpr{X: and(is(number), changed), Op: token.LOR, Y: and(&ast.UnaryExpr{Op: token.NOT, X: is(number)}, e)}}
}

// edges are the comparisons that differ where both sides are equal.
var edges = map[token.Token]token.Token{token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR}

var comparisons = map[token.Token]bool{token.EQL: true, token.NEQ: true, token.LSS: true, token.LEQ: true, token.GTR: true, token.GEQ: true}

// change makes all changes of a file.
func (w *writer) change(f *ast.File) {
	texts := map[ast.Node]string{} // as they were
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.BinaryExpr, *ast.AssignStmt, *ast.Ident, *ast.CallExpr, *ast.UnaryExpr, *ast.IndexExpr, *ast.SelectorExpr:
			texts[n] = w.text(n)
		}
		return true
	})
	astutil.Apply(f, func(c *astutil.Cursor) bool {
		d, ok := c.Node().(*ast.GenDecl)
		return !ok || d.Tok == token.VAR
	}, func(c *astutil.Cursor) bool {
		switch n := c.Node().(type) {
		case *ast.BinaryExpr:
			w.compare(c, n, texts[n])
		case *ast.AssignStmt:
			w.assign(c, n, texts[n])
		case *ast.IfStmt:
			n.Cond = w.branch(n.Cond, texts)
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, clause := range n.Body.List {
					list := clause.(*ast.CaseClause).List
					for i := range list {
						list[i] = w.branch(list[i], texts)
					}
				}
			}
		}
		return true
	})
}

// compare changes a comparison or a conjunction.
func (w *writer) compare(c *astutil.Cursor, n *ast.BinaryExpr, text string) {
	switch {
	case comparisons[n.Op]:
		var e ast.Expr = n
		if edge, ok := edges[n.Op]; ok {
			e = either(w.add(n, "%s with %s", text, edge), &ast.BinaryExpr{X: n.X, Op: edge, Y: n.Y}, n)
		}
		c.Replace(turned(e, w.add(n, "the opposite of %s", text)))
	case n.Op == token.LAND || n.Op == token.LOR:
		op := token.LAND
		if n.Op == op {
			op = token.LOR
		}
		c.Replace(either(w.add(n, "%s with %s", text, op), &ast.BinaryExpr{X: n.X, Op: op, Y: n.Y}, n))
	}
}

// branch turns a condition that isn't a comparison by itself.
func (w *writer) branch(cond ast.Expr, texts map[ast.Node]string) ast.Expr {
	text, known := texts[cond]
	if !known {
		return cond // changed as a comparison
	}
	return turned(cond, w.add(cond, "the opposite of %s", text))
}

// assign leaves an assignment out, or has it give nothing where it declares.
func (w *writer) assign(c *astutil.Cursor, n *ast.AssignStmt, text string) {
	if n.Tok != token.DEFINE {
		if c.Index() >= 0 { // in a list of statements
			c.Replace(&ast.IfStmt{Cond: &ast.UnaryExpr{Op: token.NOT, X: is(w.add(n, "without %s", text))}, Body: &ast.BlockStmt{List: []ast.Stmt{n}}})
		}
		return
	}
	if len(n.Lhs) != len(n.Rhs) || c.Index() < 0 {
		return
	}
	for i, e := range n.Rhs {
		if name, ok := n.Lhs[i].(*ast.Ident); ok && !nothing(e) {
			n.Rhs[i] = &ast.CallExpr{Fun: ast.NewIdent("mutantZero"), Args: []ast.Expr{w.add(n, "nothing for %s in %s", name.Name, text), e}}
		}
	}
}

// nothing reports whether an expression is a zero value already.
func nothing(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	case *ast.BasicLit:
		return e.Value == "0" || e.Value == `""`
	case *ast.Ident:
		return e.Name == "false" || e.Name == "nil"
	}
	return false
}
