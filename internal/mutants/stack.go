package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// parent is the node around the last one, parentheses aside.
func parent(stack []ast.Node) ast.Node {
	for i := len(stack) - 1; i >= 0; i-- {
		if _, ok := stack[i].(*ast.ParenExpr); !ok {
			return stack[i]
		}
	}
	return nil
}

// chain lists the operands of a chain of one operator, from left to right.
func chain(e ast.Expr, op token.Token) []ast.Expr {
	if binary, ok := ast.Unparen(e).(*ast.BinaryExpr); ok && binary.Op == op {
		return append(chain(binary.X, op), chain(binary.Y, op)...)
	}
	return []ast.Expr{e}
}

// isTagless reports whether the stack of a case clause ends in the body of a
// switch without a tag.
func isTagless(stack []ast.Node) bool {
	if len(stack) < 2 {
		return false
	}
	around, ok := stack[len(stack)-2].(*ast.SwitchStmt)
	return ok && around.Tag == nil
}

// isGuarded reports whether the return ends a body whose condition has a mutant
// of its own: that of an if, or of a case of a switch without a tag.
func isGuarded(stmt *ast.ReturnStmt, stack []ast.Node) bool {
	if len(stack) < 2 {
		return false
	}
	switch around := stack[len(stack)-1].(type) {
	case *ast.BlockStmt:
		guard, ok := stack[len(stack)-2].(*ast.IfStmt)
		return ok && guard.Body == around
	case *ast.CaseClause:
		return len(around.List) > 0 && isTagless(stack[:len(stack)-1])
	}
	return false
}

// results are those of the innermost function on the stack.
func (f *finder) results(stack []ast.Node) *types.Tuple {
	for i := len(stack) - 1; i >= 0; i-- {
		var typ types.Type
		switch n := stack[i].(type) {
		case *ast.FuncLit:
			typ = f.info.TypeOf(n)
		case *ast.FuncDecl:
			typ = f.info.TypeOf(n.Name)
		}
		if signature, ok := typ.(*types.Signature); ok {
			return signature.Results()
		}
	}
	return nil
}

// enclosing names the declaration on the stack: a function, TYPE.METHOD, or the
// first variable of a declaration outside all functions.
func enclosing(stack []ast.Node) string {
	for _, node := range stack {
		switch n := node.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil || len(n.Recv.List) == 0 {
				return n.Name.Name
			}
			return receiver(n.Recv.List[0].Type) + "." + n.Name.Name
		case *ast.ValueSpec:
			return n.Names[0].Name
		}
	}
	return ""
}

func receiver(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

// checkedError is E in the condition `E != nil`, where E is an error; else nil.
func (f *finder) checkedError(cond ast.Expr) ast.Expr {
	comparison, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || comparison.Op != token.NEQ || !f.isNil(comparison.Y) || !isError(f.info.TypeOf(comparison.X)) {
		return nil
	}
	return ast.Unparen(comparison.X)
}

// An origin is where a checked error comes from.
type origin struct {
	call *ast.CallExpr // nil: not known
	text string        // of the assignment before the check
}

// origin looks for the call that gave the error: the checked expression itself,
// the if's own statement, or the last assignment above in the same declaration.
func (f *finder) origin(checked ast.Expr, init ast.Stmt, cond ast.Expr, stack []ast.Node) origin {
	if call, ok := checked.(*ast.CallExpr); ok {
		return origin{call: call}
	}
	ident, ok := checked.(*ast.Ident)
	if !ok {
		return origin{}
	}
	if assignment, ok := init.(*ast.AssignStmt); ok {
		return origin{call: lastCall(assignment)}
	}
	object := f.info.ObjectOf(ident)
	var last *ast.AssignStmt
	for _, node := range stack {
		if _, ok := node.(ast.Decl); !ok {
			continue
		}
		ast.Inspect(node, func(n ast.Node) bool {
			assignment, ok := n.(*ast.AssignStmt)
			if ok && assignment.End() < cond.Pos() && f.assigns(assignment, object) {
				last = assignment
			}
			return true
		})
	}
	if last == nil {
		return origin{}
	}
	return origin{call: lastCall(last), text: f.text(last)}
}

func (f *finder) assigns(assignment *ast.AssignStmt, object types.Object) bool {
	for _, target := range assignment.Lhs {
		if ident, ok := target.(*ast.Ident); ok && f.info.ObjectOf(ident) == object {
			return true
		}
	}
	return false
}

func lastCall(assignment *ast.AssignStmt) *ast.CallExpr {
	call, _ := ast.Unparen(assignment.Rhs[len(assignment.Rhs)-1]).(*ast.CallExpr)
	return call
}
