package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// errBaseline is wrapped where tests fail with no mutant on: nothing could be
// learned from them.
var errBaseline = errors.New("the tests fail without any mutant")

// A baseline is what the tests do when every check is on.
type baseline struct {
	tests   []*timedTest
	whole   time.Duration    // all tests in one run
	reaches map[int][]string // by mutant: the tests that reach it
}

type timedTest struct {
	name    string
	elapsed time.Duration // alone, with the start of the process
}

// measure runs the tests all together and then each alone. The second shows who
// reaches what; a check that is reached only in company counts as reached by all.
func measure(ctx context.Context, slots []*slot, timeout time.Duration) (*baseline, error) {
	names, err := listTests(ctx, slots[0])
	if err != nil {
		return nil, err
	}
	base := &baseline{reaches: map[int][]string{}}
	if len(names) == 0 {
		return base, nil
	}
	all, err := slots[0].do(ctx, run{record: true, timeout: timeout})
	if err != nil {
		return nil, err
	}
	if !all.passed {
		return nil, fmt.Errorf("%w (%s)\n%s", errBaseline, all.how, all.output)
	}
	base.whole = all.elapsed
	base.tests = make([]*timedTest, len(names))
	reached := make([][]int, len(names))
	err = spread(len(slots), len(names), func(i, worker int) error {
		alone, err := slots[worker].do(ctx, run{tests: names[i : i+1], record: true, timeout: timeout})
		if err == nil && !alone.passed {
			err = fmt.Errorf("%s alone: %w (%s)\n%s", names[i], errBaseline, alone.how, alone.output)
		}
		base.tests[i] = &timedTest{name: names[i], elapsed: alone.elapsed}
		reached[i] = alone.reached
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, numbers := range reached {
		for _, number := range unique(numbers) {
			base.reaches[number] = append(base.reaches[number], names[i])
		}
	}
	for _, number := range unique(all.reached) {
		if base.reaches[number] == nil {
			base.reaches[number] = names
		}
	}
	return base, nil
}

// unique drops repetitions: a test that starts processes hears from each.
func unique(numbers []int) []int {
	return slices.Compact(slices.Sorted(slices.Values(numbers)))
}

// quick is how long the first batch of a mutant may take; a test in it often
// fails, and the slow ones need not run.
const quick = 300 * time.Millisecond

// batches splits the tests that reach a mutant: the quickest, then the rest.
func (b *baseline) batches(number int) [][]string {
	var reaching []*timedTest
	for _, test := range b.tests {
		if slices.Contains(b.reaches[number], test.name) {
			reaching = append(reaching, test)
		}
	}
	slices.SortStableFunc(reaching, func(x, y *timedTest) int { return cmp.Compare(x.elapsed, y.elapsed) })
	var first, rest []string
	var total time.Duration
	for _, test := range reaching {
		if total += test.elapsed; total <= quick || len(first) == 0 {
			first = append(first, test.name)
		} else {
			rest = append(rest, test.name)
		}
	}
	switch {
	case len(first) == 0:
		return nil
	case len(rest) == 0:
		return [][]string{first}
	}
	return [][]string{first, rest}
}

var testName = regexp.MustCompile(`^(Test|Fuzz|Example)[\pL\pN_]*$`)

// listTests asks the binary for its tests, the seeds of fuzz targets and the
// examples. Benchmarks assert nothing.
func listTests(ctx context.Context, s *slot) ([]string, error) {
	command := exec.CommandContext(ctx, s.binary, "-test.list=.")
	command.Dir = s.pkgDir
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tests: %w", err)
	}
	var names []string
	for scanner := bufio.NewScanner(strings.NewReader(string(output))); scanner.Scan(); {
		if testName.MatchString(scanner.Text()) {
			names = append(names, scanner.Text())
		}
	}
	return names, nil
}
