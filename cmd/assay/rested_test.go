package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/artifact"
	"assay/cache"
)

// restedCommand is `rested DAYS`: all that is held came, and was last used, so many
// days ago.
func restedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rested DAYS")
	}
	days, err := strconv.Atoi(args[0])
	ts.Check(err)
	then := time.Now().AddDate(0, 0, -days)
	s, err := cache.Open(ts.Getenv("CACHE"), cache.Options{Now: func() time.Time { return then }})
	ts.Check(err)
	ctx := context.Background()
	entries, err := s.List(ctx)
	ts.Check(err)
	for _, e := range entries {
		data, err := os.ReadFile(e.Path)
		ts.Check(err)
		ts.Check(os.Remove(e.Path))
		stage, err := s.Stage(ctx, artifact.Digests{e.Digest}, e.Length)
		ts.Check(err)
		_, err = stage.Write(data)
		ts.Check(err)
		_, err = stage.Commit(ctx)
		ts.Check(err)
		ts.Check(s.Note(ctx, e.Digest))
		ts.Check(os.Chtimes(e.Path, then, then))
	}
}
