// Command mutants switches off every check of a package, one at a time, and sees
// whether a test of that package fails. A check that can be switched off
// unnoticed is a survivor: nobody would learn that it was lost.
//
// # What is a check
//
// The non-test files are parsed and type-checked, and one mutant is made of
//
//   - each if, and each case of a switch without a tag, whose body refuses: it
//     ends with an error, false, nil or a panic, or it records an error. The
//     condition counts as false. It is computed all the same, so that what it
//     does besides stays done.
//   - each operand of && and || in such a condition, in a returned, assigned or
//     passed value: the operand is left out. (A || has no mutant as a whole;
//     its operands say more.)
//   - each error that is returned from a place that no such condition guards,
//     as the last line of a function or the default of a switch: it counts as
//     nil.
//
// The kinds tell them apart:
//
//	check        refusals, as above
//	propagation  `if err != nil` and `return f()`: an error that another
//	             function found is not handed on. That a verification's result
//	             is used is a check, too, so these are on.
//	skip         an if that leaves early without an error: continue, break,
//	             return nil, return true, return
//	outside      propagation of errors of the standard library's input and
//	             output (os, io, net …). Off: such faults are rare and hard to
//	             make in tests; packages that handle them have tests of their own.
//	boundary     < for <=, > for >= and the reverse. Off: a second question.
//
// # How
//
// All mutants of a package are compiled into one test binary by `go test -c
// -overlay`, each behind a switch that is read when the process starts; the
// working tree is never written, and may change while the mutants run. The
// tests run first with no mutant, all together and each alone, which shows
// which tests reach which check. Then each mutant runs with the tests that
// reach it. A test that fails, panics, takes too long or too much memory kills
// the mutant. A mutant that does not compile is invalid and is counted apart.
//
// # What it does not say
//
// A killed mutant shows that a test depends on the check, not that the test
// asserts the right error; and a test that fails now and then kills mutants by
// chance. Only the tests of the mutant's own package count, files that other
// platforms build are left out, and so are generated ones. A condition that
// chooses between values, and refuses nothing, is no check.
package main
