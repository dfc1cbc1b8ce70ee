package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// What became of a mutant.
const (
	statusKilled    = "killed"
	statusSurvived  = "survived"  // the tests that reach it pass
	statusUnreached = "unreached" // no test reaches it
	statusInvalid   = "invalid"   // it does not compile
)

// A verdict is a mutant and what became of it.
type verdict struct {
	*mutant
	Status string `json:"status"`
	// How a killed mutant was noticed: fail, panic, timeout or memory; and the
	// test that failed, where one is named.
	How  string `json:"how,omitempty"`
	Test string `json:"test,omitempty"`
	// Allowed is the reason that the list of allowed survivors gives.
	Allowed string        `json:"allowed,omitempty"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

func (v *verdict) alive() bool { return v.Status == statusSurvived || v.Status == statusUnreached }

// A judged package is what the mutants of one package came to.
type judged struct {
	verdicts []*verdict
	tests    int
	baseline time.Duration // all tests, without a mutant
	elapsed  time.Duration
}

// judge compiles the chosen mutants of a package and runs its tests against
// each. tell hears of every verdict as it falls, from one goroutine at a time.
func judge(ctx context.Context, pkg *sourcePackage, mutants []*mutant, o options, tell func(*verdict)) (done judged, err error) {
	start := time.Now()
	work, err := os.MkdirTemp("", "assay-mutants-")
	if err != nil {
		return judged{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	slots, invalid, err := build(ctx, pkg, mutants, work, o.jobs)
	if err != nil {
		return judged{}, err
	}
	base := &baseline{}
	if len(slots) > 0 {
		if base, err = measure(ctx, slots, o.timeout); err != nil {
			return judged{}, err
		}
	}
	done = judged{verdicts: make([]*verdict, len(mutants)), tests: len(base.tests), baseline: base.whole}
	broken := map[*mutant]bool{}
	for _, m := range invalid {
		broken[m] = true
	}
	var telling sync.Mutex
	err = spread(max(o.jobs, 1), len(mutants), func(i, worker int) error {
		v := &verdict{mutant: mutants[i], Status: statusUnreached}
		if broken[v.mutant] {
			v.Status = statusInvalid
		} else if len(slots) > 0 {
			if err := base.try(ctx, slots[worker], v, o.timeout); err != nil {
				return err
			}
		}
		telling.Lock()
		defer telling.Unlock()
		done.verdicts[i] = v
		tell(v)
		return nil
	})
	done.elapsed = time.Since(start)
	return done, err
}

// try runs the tests that reach the mutant, the quick ones first, until one
// fails.
func (b *baseline) try(ctx context.Context, s *slot, v *verdict, limit time.Duration) error {
	for _, tests := range b.batches(v.number) {
		v.Status = statusSurvived
		result, err := s.do(ctx, run{mutant: v.number, tests: tests, timeout: min(limit, b.patience(tests))})
		if err != nil {
			return err
		}
		v.Elapsed += result.elapsed
		if !result.passed {
			v.Status, v.How, v.Test = statusKilled, result.how, result.test
			return nil
		}
	}
	return nil
}

// patience is how long the tests may take with a mutant on: many times what
// they took without, as the machine may have become busy.
func (b *baseline) patience(names []string) time.Duration {
	total := 10 * time.Second
	for _, test := range b.tests {
		for _, name := range names {
			if test.name == name {
				total += 10 * test.elapsed
			}
		}
	}
	return total
}

// spread does n jobs in order, by some workers at once, and stops at the first
// error.
func spread(workers, n int, do func(job, worker int) error) error {
	var (
		group sync.WaitGroup
		lock  sync.Mutex
		next  int
		first error
	)
	take := func(err error) (int, bool) {
		lock.Lock()
		defer lock.Unlock()
		if first == nil {
			first = err
		}
		next++
		return next - 1, first == nil && next <= n
	}
	for worker := range workers {
		group.Go(func() {
			for job, more := take(nil); more; {
				job, more = take(do(job, worker))
			}
		})
	}
	group.Wait()
	return first
}
