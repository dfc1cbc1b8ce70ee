package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A report gathers the verdicts and prints them: results to stdout, progress
// to stderr.
type report struct {
	options
	stdout, stderr io.Writer
	verdicts       []*verdict
	wrong          []string // entries of the list of allowed survivors
	told           int
}

// jsonSchema names the form of what -json prints.
const jsonSchema = "assay.mutants/v1"

// listed takes mutants that are only named.
func (r *report) listed(mutants []*mutant) {
	for _, m := range mutants {
		r.verdicts = append(r.verdicts, &verdict{mutant: m})
	}
}

// tell shows progress: each verdict, or the survivors alone.
func (r *report) tell(v *verdict) {
	r.told++
	if r.verbose || v.alive() {
		fmt.Fprintf(r.stderr, "%4d %-9s %-7s %6.2fs %s:%d: %s %s\n",
			r.told, v.Status, v.How, v.Elapsed.Seconds(), v.File, v.Line, v.Source, v.Test)
	}
}

func (r *report) judged(pkg *sourcePackage, done judged) {
	r.verdicts = append(r.verdicts, done.verdicts...)
	fmt.Fprintf(r.stderr, "%s: %d mutants in %s; its %d tests take %s without\n", pkg.path,
		len(done.verdicts), done.elapsed.Round(time.Second/10), done.tests, done.baseline.Round(time.Second/100))
}

// finish prints the result and reports whether it is bad.
func (r *report) finish() (bool, error) {
	counts := map[string]int{}
	bad := len(r.wrong) > 0
	for _, v := range r.verdicts {
		switch {
		case v.Allowed != "":
			counts["allowed"]++
		case v.alive():
			counts[v.Status]++
			bad = true
		case v.Status != "":
			counts[v.Status]++
		}
		if v.How != "" {
			counts["killed by "+v.How]++
		}
	}
	if r.asJSON {
		encoder := json.NewEncoder(r.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return bad, encoder.Encode(map[string]any{
			"schema": jsonSchema, "mutants": r.verdicts, "counts": counts, "allowed_errors": r.wrong,
		})
	}
	r.print(counts)
	return bad, nil
}

func (r *report) print(counts map[string]int) {
	for _, v := range r.verdicts {
		switch {
		case r.list:
			fmt.Fprintf(r.stdout, "%-11s line %-4d %s\n", v.Kind, v.Line, v.ID)
		case v.Status == statusInvalid:
			fmt.Fprintf(r.stdout, "%s:%d: %s\n\t%s\n", v.File, v.Line, v.Status, v.ID)
		case v.alive() && v.Allowed == "":
			// The second line is what an entry of the list begins with.
			fmt.Fprintf(r.stdout, "%s:%d: %s (%s)\n\t%s\n", v.File, v.Line, v.Status, v.Kind, v.ID)
		}
	}
	for _, problem := range r.wrong {
		fmt.Fprintf(r.stdout, "%s: %s\n", errAllowed, problem)
	}
	if r.list {
		fmt.Fprintf(r.stdout, "%d mutants\n", len(r.verdicts))
		return
	}
	fmt.Fprintf(r.stdout, "%d mutants: %d killed (%d by a panic, %d by time, %d by memory), %d survived, %d not reached, %d allowed, %d invalid\n",
		len(r.verdicts), counts[statusKilled], counts["killed by panic"], counts["killed by timeout"], counts["killed by memory"],
		counts[statusSurvived], counts[statusUnreached], counts["allowed"], counts[statusInvalid])
}
