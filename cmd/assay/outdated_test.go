package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/fetch"
)

// On a narrow terminal the notes stand below the table, whole; elsewhere in it.
func TestOutdatedNotes(t *testing.T) {
	rollout := fetch.Passed{Kind: fetch.PassedRollout, Percent: 50, Reaches: time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)}
	var err error
	if rollout.Version, err = artifact.ParseVersion("1.6.0"); err != nil {
		t.Fatal(err)
	}
	const note = "held; 1.6.0 waiting for rollout (50% reached; this machine 2026-11-25)"
	item := outdatedItem{Product: "hello", Version: "1.4.2", Newest: "1.5.0", Behind: 1, Days: 50, Status: "superseded", Held: true, Passed: []fetch.Passed{rollout}}
	for _, columns := range []int{0, 80, 200} {
		var stdout strings.Builder
		a := &app{out: newPrinter(&stdout, io.Discard, printSettings{})}
		a.out.columns = func(io.Writer) int { return columns }
		a.tellOutdated(outdatedDoc{Items: []outdatedItem{item}})
		below := strings.Contains(stdout.String(), "\n  hello: "+note+"\n")
		beside := strings.Contains(stdout.String(), "superseded  -     "+note+"\n")
		if below != (columns == 80) || beside == below {
			t.Errorf("%d columns: %s", columns, stdout.String())
		}
	}
}
