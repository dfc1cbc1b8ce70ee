package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// around is what the snippets of TestFind stand in.
const around = `package p

type fault struct{ text string }

func (f *fault) Error() string { return f.text }

var errBad error = &fault{}

func check(a int) error {
	_ = a
	return nil
}

func note(error) {}

`

// TestFind gives a function and the mutants that it must have, by kind.
func TestFind(t *testing.T) {
	for _, test := range []struct {
		name, code string
		want       []string
	}{
		{"error", `func f(a int) error { if a > 1 { return errBad }; return nil }`, []string{"check f: a > 1"}},
		{"typed error", `func f(a int) *fault { if a > 1 { return &fault{} }; return nil }`, []string{"check f: a > 1"}},
		{"false", `func f(a int) bool { if a > 1 { return false }; return true }`, []string{"check f: a > 1"}},
		{"nothing found", `func f(a int) *int { if a > 1 { return nil }; return &a }`, []string{"check f: a > 1"}},
		{"panic", `func f(a int) { if a > 1 { panic("no") } }`, []string{"check f: a > 1"}},
		{"named results", `func f(a int) (err error) { if a > 1 { err = errBad; return }; return }`, []string{"check f: a > 1"}},
		{"or", `func f(a int) error { if a > 1 || a < 0 || (a == 7) { return errBad }; return nil }`, []string{
			"check f: drop a > 1 from a > 1 || a < 0 || (a == 7)",
			"check f: drop a < 0 from a > 1 || a < 0 || (a == 7)",
			"check f: drop (a == 7) from a > 1 || a < 0 || (a == 7)",
		}},
		{"and", `func f(a int) error { if a > 1 && a < 9 { return errBad }; return nil }`, []string{
			"check f: a > 1 && a < 9",
			"check f: drop a > 1 from a > 1 && a < 9",
			"check f: drop a < 9 from a > 1 && a < 9",
		}},
		{"and within or", `func f(a int) error { if a > 1 || (a < 0 && a > -9) { return errBad }; return nil }`, []string{
			"check f: drop a > 1 from a > 1 || (a < 0 && a > -9)",
			"check f: drop (a < 0 && a > -9) from a > 1 || (a < 0 && a > -9)",
			"check f: drop a < 0 from a < 0 && a > -9",
			"check f: drop a > -9 from a < 0 && a > -9",
		}},
		{"propagated", `func f(a int) error { if err := check(a); err != nil { return err }; return nil }`,
			[]string{"propagation f: err := check(a); err != nil"}},
		{"propagated from above", `func f(a int) error { err := check(a); a++; if err != nil { return err }; return nil }`,
			[]string{"propagation f: err := check(a); err != nil"}},
		{"propagated from above, past others", `func f(a int) error { err := check(a); var other error; other, a = errBad, 3; _ = other; if err != nil { return err }; return nil }`,
			[]string{"propagation f: err := check(a); err != nil"}},
		{"no error there", `func f(a int) error { err := check(a); if err == nil { return errBad }; return nil }`, []string{"check f: err == nil"}},
		{"another pointer", `func f(a *int) error { if a != nil { return errBad }; return nil }`, []string{"check f: a != nil"}},
		{"another error", `func f(a error) error { if a != errBad { return errBad }; return nil }`, []string{"check f: a != errBad"}},
		{"propagated by return", `func f(a int) error { return check(a) }`, []string{"propagation f: return check(a)"}},
		{"an error at the end", `func f(a int) (int, error) { return 0, errBad }`, []string{"check f: return 0, errBad"}},
		{"no error at the end", `func f(a int) (int, error) { return 0, nil }`, nil},
		{"cases", `func f(a int) error { switch { case a > 1, a < 0: return errBad; default: return check(a) } }`,
			[]string{"check f: a > 1", "check f: a < 0", "propagation f: return check(a)"}},
		{"cases of types", `func f(a any) error { switch a.(type) { case int: return errBad }; return nil }`, []string{"check f: return errBad"}},
		{"cases of a tag", `func f(a int) error { switch a { case 1: return errBad }; return nil }`, []string{"check f: return errBad"}},
		{"else", `func f(a int) error { if a > 1 { a++ } else { return errBad }; return nil }`, []string{"check f: return errBad"}},
		{"kept for later", `func f(a int) (err error) { if a > 1 { err = errBad; a++ }; return err }`,
			[]string{"check f: a > 1", "propagation f: return err"}},
		{"reported", `func f(a int) { if a > 1 { note(errBad) } }`, []string{"check f: a > 1"}},
		{"no error reported", `func f(a int) { if a > 1 { println(a) }; if a > 2 { note(nil) } }`, nil},
		{"no error kept", `func f(a int) (err error) { var b []int; if a > 1 { b = append(b, a); err = nil }; _ = b; return nil }`, nil},
		{"not that panic", `func f(a int) { panic := func(int) {}; if a > 1 { panic(a) }; if a > 2 { println(a) } }`, nil},
		{"collected", `func f(a int) { var all []error; if a > 1 { all = append(all, errBad) }; _ = all }`, []string{"check f: a > 1"}},
		{"a sum of checks", `func f(a int) bool { bad := a > 1; bad = bad || a < 0; return bad }`,
			[]string{"check f: drop bad from bad || a < 0", "check f: drop a < 0 from bad || a < 0"}},
		{"passed over", `func f(a []int) { for _, n := range a { if n > 1 { continue }; if n < 0 { break }; a[0]++ } }`,
			[]string{"skip f: n > 1", "skip f: n < 0"}},
		{"early success", `func f(a int) error { if a > 1 { return nil }; return nil }`, []string{"skip f: a > 1"}},
		{"early true", `func f(a int) bool { if a > 1 { return true }; return false }`, []string{"skip f: a > 1"}},
		{"early end", `func f(a int) { if a > 1 { return }; a++ }`, []string{"skip f: a > 1"}},
		{"a choice", `func f(a int) int { if a > 1 && a < 9 { return 3 }; if a < 0 || a > 5 { a++ }; return a }`, nil},
		{"a loop", `func f(a int) { for a > 1 && a < 9 { a++ } }`, nil},
		{"twice the same", `func f(a int) error { if a > 1 { return errBad }; if a > 1 { return errBad }; return nil }`,
			[]string{"check f: a > 1", "check f: a > 1 #2"}},
		{"in a function's function", `func f(a int) error { g := func() bool { if a > 1 { return false }; return true }; _ = g; return nil }`,
			[]string{"check f: a > 1"}},
		{"method", `func (f *fault) g(a int) error { if a > 1 { return f }; return nil }`, []string{"check fault.g: a > 1"}},
		{"variable", `var f = func(a int) error { if a > 1 { return errBad }; return nil }`, []string{"check f: a > 1"}},
		{"generated", "// Code generated by hand. DO NOT EDIT.\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var found []string
			for _, m := range find(snippet(t, test.code)) {
				if m.Kind != kindBoundary && m.File == "p.go" {
					found = append(found, string(m.Kind)+" "+strings.TrimPrefix(m.ID, "p.go:"))
				}
			}
			if !slices.Equal(found, test.want) {
				t.Errorf("expected\n%s\nfound\n%s", strings.Join(test.want, "\n"), strings.Join(found, "\n"))
			}
		})
	}
}

// TestBoundaries are the mutants of comparisons, wherever something is refused.
func TestBoundaries(t *testing.T) {
	pkg := snippet(t, `func f(a int) error { if a > 1 || a <= -1 { return errBad }; if a < 3 { a++ }; return nil }`)
	var found []string
	for _, m := range find(pkg) {
		if m.Kind == kindBoundary {
			found = append(found, m.Source)
		}
	}
	if want := []string{"a > 1 as >=", "a <= -1 as <"}; !slices.Equal(found, want) {
		t.Errorf("expected %q, found %q", want, found)
	}
}

// snippet is a package of two files: one that the code shares, and p.go.
func snippet(t *testing.T, code string) *sourcePackage {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "around.go"), around)
	if !strings.HasPrefix(code, "//") {
		code = "package p\n\n" + code + "\n"
	} else {
		code += "\npackage p\n\nfunc f(a int) error { if a > 1 { return errBad }; return nil }\n"
	}
	write(t, filepath.Join(dir, "p.go"), code)
	one := listed{Dir: dir, ImportPath: "p", Name: "p", GoFiles: []string{"around.go", "p.go"}}
	one.Module = &struct{ Dir string }{dir}
	pkg, err := check(one, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func TestInstrument(t *testing.T) {
	pkg := snippet(t, "func f(a, b int) bool {\n\treturn a > 1 &&\n\t\t(b <\n\t\t\t2 || a == b)\n}")
	mutants := slices.DeleteFunc(find(pkg), func(m *mutant) bool { return m.File != "p.go" })
	for i, m := range mutants {
		m.number = i + 1
	}
	got := string(instrument(pkg.files[1].text, mutants))
	want := "package p\n\nfunc f(a, b int) bool {\n\treturn mutantOn(1, mutantGreater(2, a , 1)) &&\n" +
		"\t\tmutantOn(3, (mutantOff(4, mutantLess(5, b ,\n\t\t\t2)) || mutantOff(6, a == b)))\n}\n"
	if got != want {
		t.Errorf("expected\n%s\nfound\n%s", want, got)
	}
}
