package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// A finder collects the mutants of one file.
type finder struct {
	*sourcePackage
	file  *sourceFile
	found []*mutant
}

// find lists the mutants of a package in all kinds, in the order of the files
// and of the places in them.
func find(pkg *sourcePackage) []*mutant {
	var all []*mutant
	for _, file := range pkg.files {
		if ast.IsGenerated(file.syntax) {
			continue
		}
		f := &finder{sourcePackage: pkg, file: file}
		ast.PreorderStack(file.syntax, nil, func(node ast.Node, stack []ast.Node) bool {
			f.visit(node, stack)
			return true
		})
		slices.SortStableFunc(f.found, func(a, b *mutant) int { return cmp.Compare(a.pos, b.pos) })
		all = append(all, f.found...)
	}
	name(all)
	return all
}

func (f *finder) visit(node ast.Node, stack []ast.Node) {
	switch n := node.(type) {
	case *ast.IfStmt:
		if effect := f.effect(n.Body.List, f.results(stack)); effect != "" {
			f.condition(n.Cond, n.Init, effect, stack)
		}
	case *ast.CaseClause:
		if effect := f.effect(n.Body, f.results(stack)); effect != "" && isTagless(stack) {
			for _, cond := range n.List {
				f.condition(cond, nil, effect, stack)
			}
		}
	case *ast.ReturnStmt:
		f.unguarded(n, stack)
	case *ast.BinaryExpr:
		switch n.Op {
		case token.LAND, token.LOR:
			f.operands(n, stack)
		case token.LSS, token.LEQ, token.GTR, token.GEQ:
			f.boundary(n, stack)
		}
	}
}

// condition makes the mutant whose condition never holds. The operands of a
// condition with && or || come by themselves.
func (f *finder) condition(cond ast.Expr, init ast.Stmt, effect kind, stack []ast.Node) {
	if logical, ok := ast.Unparen(cond).(*ast.BinaryExpr); ok && logical.Op == token.LOR {
		return
	}
	source := f.text(cond)
	if init != nil {
		source = f.text(init) + "; " + source
	}
	if checked := f.checkedError(cond); checked != nil && effect == kindCheck {
		origin := f.origin(checked, init, cond, stack)
		effect = f.propagated(origin.call)
		if init == nil && origin.text != "" {
			source = origin.text + "; " + source
		}
	}
	f.add(effect, cond, source, f.wrap(cond, "mutantOff"), stack)
}

// operands makes one mutant for each operand of a chain of && or of ||, where
// the whole is a check or a value.
func (f *finder) operands(whole *ast.BinaryExpr, stack []ast.Node) {
	if within, ok := parent(stack).(*ast.BinaryExpr); ok && within.Op == whole.Op {
		return // a part of a longer chain
	}
	effect := f.use(stack)
	if effect == "" {
		return
	}
	call := "mutantOff"
	if whole.Op == token.LAND {
		call = "mutantOn"
	}
	for _, operand := range chain(whole, whole.Op) {
		f.add(effect, operand, "drop "+f.text(operand)+" from "+f.text(whole), f.wrap(operand, call), stack)
	}
}

// boundary makes the mutant that judges equal values the other way.
func (f *finder) boundary(comparison *ast.BinaryExpr, stack []ast.Node) {
	left, right := f.info.Types[comparison.X], f.info.Types[comparison.Y]
	if f.use(stack) == "" || left.Value != nil && right.Value != nil {
		return
	}
	other := map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}[comparison.Op]
	name := map[token.Token]string{token.LSS: "Less", token.LEQ: "LessEqual", token.GTR: "Greater", token.GEQ: "GreaterEqual"}[comparison.Op]
	where := f.wrap(comparison, "mutant"+name)
	where.operator, where.length = f.offset(comparison.OpPos), len(comparison.Op.String())
	f.add(kindBoundary, comparison, f.text(comparison)+" as "+other, where, stack)
}

// unguarded makes the mutant of an error that is returned where no mutant of a
// condition stands before it: the error counts as nil.
func (f *finder) unguarded(stmt *ast.ReturnStmt, stack []ast.Node) {
	results := f.results(stack)
	if results.Len() == 0 || len(stmt.Results) != results.Len() || isGuarded(stmt, stack) {
		return
	}
	typ := results.At(results.Len() - 1).Type()
	value := stmt.Results[len(stmt.Results)-1]
	if !isError(typ) || f.isNil(value) {
		return
	}
	effect := kindCheck
	if !f.makesError(value) {
		call, _ := ast.Unparen(value).(*ast.CallExpr)
		effect = f.propagated(call)
	}
	call := "mutantNil"
	if types.Identical(typ, types.Universe.Lookup("error").Type()) {
		// A nil pointer would not be a nil error.
		call += "[error]"
	}
	f.add(effect, value, f.text(stmt), f.wrap(value, call), stack)
}

// use says what a logical value is for: the effect of the if or case that it
// decides, kindCheck for a value that is returned, assigned or handed on, and
// "" for a loop or a choice.
func (f *finder) use(stack []ast.Node) kind {
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.IfStmt:
			return f.effect(n.Body.List, f.results(stack[:i]))
		case *ast.CaseClause:
			if isTagless(stack[:i]) {
				return f.effect(n.Body, f.results(stack[:i]))
			}
			return ""
		case *ast.ReturnStmt, *ast.AssignStmt, *ast.ExprStmt, *ast.ValueSpec:
			return kindCheck
		case ast.Stmt:
			return ""
		}
	}
	return ""
}

func (f *finder) add(k kind, at ast.Expr, source string, where span, stack []ast.Node) {
	f.found = append(f.found, &mutant{
		Kind: k, File: f.file.inside,
		Line: f.fset.PositionFor(at.Pos(), false).Line, last: f.fset.PositionFor(at.End(), false).Line,
		Func: enclosing(stack), Source: oneLine(source), pos: at.Pos(), span: where,
	})
}

func (f *finder) wrap(e ast.Expr, call string) span {
	return span{start: f.offset(e.Pos()), end: f.offset(e.End()), call: call}
}

// offset counts bytes of the file as it is, whatever //line comments say.
func (f *finder) offset(pos token.Pos) int { return f.fset.PositionFor(pos, false).Offset }

func (f *finder) text(node ast.Node) string {
	return string(f.file.text[f.offset(node.Pos()):f.offset(node.End())])
}
