package main

import (
	"bytes"
	"context"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/cache/state"
)

// spoilCommand is `spoil receipt TARGET`: one bit of the stored receipt turns
// over, as on a disk that fails.
func spoilCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[0] != "receipt" {
		ts.Fatalf("usage: spoil receipt TARGET")
	}
	db, err := state.Open(ts.Getenv("STATE"), state.Options{})
	ts.Check(err)
	var receipt []byte
	ts.Check(db.Proofs().View(context.Background(), func(tx state.Tx) error {
		keys, err := tx.Keys("receipt/")
		for _, key := range keys {
			if strings.HasSuffix(key, "/"+strings.ReplaceAll(args[1], "/", "%2F")) {
				receipt, err = tx.Get(key)
			}
		}
		return err
	}))
	data, err := os.ReadFile(db.Proofs().Path())
	ts.Check(err)
	spoilt := 0
	for from := 0; len(receipt) > 0; spoilt++ { // a page may have an older copy
		at := bytes.Index(data[from:], receipt)
		if at < 0 {
			break
		}
		from += at + len(receipt)
		data[from-len(receipt)/2] ^= 1
	}
	if spoilt == 0 {
		ts.Fatalf("expected a receipt of %s, found none", args[1])
	}
	ts.Check(os.WriteFile(db.Proofs().Path(), data, 0o600))
}
