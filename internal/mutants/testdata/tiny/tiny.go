// Package tiny has a check with a test, checks without one, and what else the
// test of mutants looks for.
package tiny

import (
	"errors"
	"os"
)

var errNegative, errTooLarge, errEmpty = errors.New("negative"), errors.New("too large"), errors.New("empty")

// Check has a test for its first refusal alone.
func Check(n int) error {
	if n < 0 {
		return errNegative
	}
	if n > 1000 {
		return errTooLarge
	}
	return nil
}

// CheckAll is tested with a negative number: that the error of Check is used,
// but not that an empty list is refused, nor that zeros are passed over.
func CheckAll(list []int) error {
	if list == nil || len(list) == 0 {
		return errEmpty
	}
	for _, n := range list {
		if n == 0 {
			continue
		}
		if err := Check(n); err != nil {
			return err
		}
	}
	return nil
}

// Never is called by no test.
func Never(n int) bool {
	if n == 7 {
		return false
	}
	return true
}

// Read is tested with a file that is not there.
func Read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Steps would go on for ever without its check.
func Steps(next map[int]int) int {
	seen := map[int]bool{}
	for at := 0; ; at = next[at] {
		if seen[at] {
			break
		}
		seen[at] = true
	}
	return len(seen)
}

// InChild is tested in a process that the test starts with no environment.
func InChild(word string) error {
	switch {
	case word == "bad":
		return errNegative
	}
	return nil
}

type flag bool

// Named has operands that the switch can't stand in for: their type is not bool.
func Named(n int) flag { return n > 1 && n < 9 }
