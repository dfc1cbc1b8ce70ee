package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The exit codes.
const (
	exitOK        = 0
	exitSurvivors = 1 // or an entry of the list of allowed ones that no longer holds
	exitFailed    = 2 // wrong usage, source that does not build, tests that fail without any mutant
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := program(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options is what the command line asks for.
type options struct {
	dir, allowed string
	patterns     []string
	kinds        []kind
	match        *regexp.Regexp
	files        []string
	jobs         int
	timeout      time.Duration
	list         bool
	asJSON       bool
	verbose      bool
}

// defaultAllowed is the list of allowed survivors, from the module's root.
const defaultAllowed = "internal/mutants/allowed.txt"

// judging are the packages that decide what is believed.
var judging = []string{
	"./trust", "./trust/provenance", "./trust/provenance/slsa", "./trust/provenance/detached", "./trust/sbom",
	"./trust/advisory", "./trust/policy", "./trust/proof", "./artifact/checksums", "./fetch/pinned",
}

const usage = `usage: mutants [flags] [packages]

Switches off every check of the packages, one at a time, and sees whether a test
of the package fails. Without packages: those that decide what is
believed. Exit code 1: a check survived.

`

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var kinds, match, files string
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.dir, "C", ".", "work in this `folder`")
	flags.StringVar(&o.allowed, "allowed", "", "`file` of allowed survivors (default "+defaultAllowed+", if it is there)")
	flags.StringVar(&kinds, "kind", joinKinds(defaultKinds), "`kinds` of mutants, of "+joinKinds(allKinds))
	flags.StringVar(&match, "run", "", "only mutants whose id matches this regular `expression`")
	flags.StringVar(&files, "files", "", "only mutants in these `files`, like root.go,refresh.go")
	flags.IntVar(&o.jobs, "jobs", 2, "run this `number` of mutants at a time")
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "the longest that a run of tests may take")
	flags.BoolVar(&o.list, "list", false, "only list the mutants")
	flags.BoolVar(&o.asJSON, "json", false, "print the result as JSON")
	flags.BoolVar(&o.verbose, "v", false, "print the verdict on every mutant as it falls")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	var err error
	if o.kinds, err = parseKinds(kinds); err != nil {
		return options{}, err
	}
	if o.match, err = regexp.Compile(match); err != nil {
		return options{}, fmt.Errorf("-run: %w", err)
	}
	if files != "" {
		o.files = strings.Split(files, ",")
	}
	if o.jobs < 1 || o.timeout <= 0 {
		return options{}, errors.New("-jobs, -timeout: expected more than 0")
	}
	if o.patterns = flags.Args(); len(o.patterns) == 0 {
		o.patterns = slices.Clone(judging)
	}
	return o, nil
}

// chooses reports whether this run asks for the mutant.
func (o options) chooses(m *mutant) bool {
	inFiles := o.files == nil || slices.ContainsFunc(o.files, func(file string) bool {
		return m.File == file || m.base() == file
	})
	return inFiles && slices.Contains(o.kinds, m.Kind) && o.match.MatchString(m.ID)
}

// program is main without the process: it returns the exit code.
func program(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	failed := err != nil
	if !failed {
		failed, err = perform(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return exitFailed
	}
	if failed {
		return exitSurvivors
	}
	return exitOK
}

// perform reports whether a check survived that may not.
func perform(ctx context.Context, o options, stdout, stderr io.Writer) (bool, error) {
	packages, err := load(ctx, o.dir, o.patterns)
	if err != nil {
		return false, err
	}
	root := packages[0].root
	list, err := readAllowed(cmp.Or(o.allowed, filepath.Join(root, filepath.FromSlash(defaultAllowed))), o.allowed != "")
	if err != nil {
		return false, err
	}
	r := &report{stdout: stdout, stderr: stderr, options: o}
	var known []*mutant
	for _, pkg := range packages {
		all := find(pkg)
		known = append(known, all...)
		chosen := slices.DeleteFunc(slices.Clone(all), func(m *mutant) bool { return !o.chooses(m) })
		if o.list {
			r.listed(chosen)
			continue
		}
		if len(chosen) == 0 {
			continue
		}
		done, err := judge(ctx, pkg, chosen, o, r.tell)
		if err != nil {
			return false, fmt.Errorf("%s: %w", pkg.path, err)
		}
		r.judged(pkg, done)
	}
	if !o.list {
		r.wrong = allow(list, root, known, r.verdicts)
	}
	return r.finish()
}
