package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// effect says what a guarded body does: kindCheck if it refuses, kindSkip if it
// leaves early without an error, "" for anything else. results are those of the
// function that it returns from.
func (p *sourcePackage) effect(body []ast.Stmt, results *types.Tuple) kind {
	if len(body) == 0 {
		return ""
	}
	switch last := body[len(body)-1].(type) {
	case *ast.ReturnStmt:
		return p.returnEffect(last, results)
	case *ast.BranchStmt:
		if last.Tok != token.FALLTHROUGH {
			return kindSkip
		}
	case *ast.ExprStmt:
		if call, ok := last.X.(*ast.CallExpr); ok && p.isBuiltin(call.Fun, "panic") {
			return kindCheck
		}
	}
	if slices.ContainsFunc(body, p.recordsError) {
		return kindCheck
	}
	return ""
}

// returnEffect judges a return by its last result, which is where errors and
// "ok" stand.
func (p *sourcePackage) returnEffect(stmt *ast.ReturnStmt, results *types.Tuple) kind {
	if results.Len() == 0 {
		return kindSkip
	}
	typ := results.At(results.Len() - 1).Type()
	basic, _ := typ.Underlying().(*types.Basic)
	isBool := basic != nil && basic.Kind() == types.Bool
	if len(stmt.Results) != results.Len() {
		// Named results, or one call that gives all of them.
		if isError(typ) {
			return kindCheck
		}
		return kindSkip
	}
	last := stmt.Results[len(stmt.Results)-1]
	switch {
	case isError(typ):
		if p.isNil(last) {
			return kindSkip
		}
		return kindCheck
	case isBool:
		if value := p.info.Types[last].Value; value != nil && value.String() == "false" {
			return kindCheck
		}
		return kindSkip
	case p.isNil(last):
		return kindCheck
	}
	return ""
}

// recordsError reports whether the statement keeps an error for later: assigns
// one, appends one, or hands one to a function.
func (p *sourcePackage) recordsError(stmt ast.Stmt) bool {
	switch s := stmt.(type) {
	case *ast.AssignStmt:
		if s.Tok != token.ASSIGN || len(s.Lhs) != len(s.Rhs) {
			return false
		}
		for i, target := range s.Lhs {
			if isError(p.info.TypeOf(target)) && !p.isNil(s.Rhs[i]) {
				return true
			}
			if call, ok := s.Rhs[i].(*ast.CallExpr); ok && p.isBuiltin(call.Fun, "append") && slices.ContainsFunc(call.Args, p.isErrorValue) {
				return true
			}
		}
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && slices.ContainsFunc(call.Args, p.isErrorValue)
	}
	return false
}

func (p *sourcePackage) isErrorValue(e ast.Expr) bool {
	return !p.isNil(e) && isError(p.info.TypeOf(e))
}

var errorInterface = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

func isError(typ types.Type) bool { return typ != nil && types.Implements(typ, errorInterface) }

func (p *sourcePackage) isNil(e ast.Expr) bool { return p.info.Types[e].IsNil() }

func (p *sourcePackage) isBuiltin(fun ast.Expr, name string) bool {
	ident, ok := fun.(*ast.Ident)
	if !ok {
		return false
	}
	builtin, ok := p.info.Uses[ident].(*types.Builtin)
	return ok && builtin.Name() == name
}

// callee is the function that a call names; nil for a function value, a
// conversion and a built-in.
func (p *sourcePackage) callee(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch indexed := fun.(type) { // type arguments
	case *ast.IndexExpr:
		fun = indexed.X
	case *ast.IndexListExpr:
		fun = indexed.X
	}
	var ident *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		ident = f
	case *ast.SelectorExpr:
		ident = f.Sel
	default:
		return nil
	}
	found, _ := p.info.Uses[ident].(*types.Func)
	return found
}

// outsidePackages are those of the standard library whose errors are faults of
// the machine rather than findings about what was read.
var outsidePackages = []string{
	"bufio", "context", "crypto/rand", "io", "io/fs", "net", "net/http", "os", "os/exec", "os/signal", "os/user",
	"path/filepath", "syscall",
}

// propagated is the kind of a mutant that drops the error of the call; unknown
// calls (nil) count as the module's own.
func (p *sourcePackage) propagated(call *ast.CallExpr) kind {
	if call == nil {
		return kindPropagation
	}
	if f := p.callee(call); f != nil && f.Pkg() != nil && slices.Contains(outsidePackages, f.Pkg().Path()) {
		return kindOutside
	}
	return kindPropagation
}

// makesError reports whether the expression is a new error, or a sentinel, and
// not what another function found.
func (p *sourcePackage) makesError(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		f := p.callee(e)
		return f != nil && f.Pkg() != nil && (f.FullName() == "fmt.Errorf" || f.FullName() == "errors.New")
	case *ast.Ident:
		object := p.info.Uses[e]
		return object != nil && object.Pkg() != nil && object.Parent() == object.Pkg().Scope()
	case *ast.SelectorExpr:
		object, _ := p.info.Uses[e.Sel].(*types.Var)
		return object != nil && !object.IsField()
	case *ast.UnaryExpr, *ast.CompositeLit:
		return true
	}
	return false
}
