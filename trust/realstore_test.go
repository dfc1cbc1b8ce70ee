package trust_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay/cache/state"
	"assay/internal/testrepo"
	"assay/trust"
)

// The damage tests again over the store that the product uses: a flipped byte
// on disk in what can be fetched again heals, one in a floor does not.
func TestDamageInTheRealStore(t *testing.T) {
	dir := t.TempDir()
	db, err := state.Open(dir, state.Options{})
	must(t, err)
	b := newBench(t, testrepo.Options{})
	b.config.Store = db.Trust("acme")
	b.mustRefresh()
	must(t, b.repo.RotateRoot())
	b.publish()
	b.mustRefresh()
	path := filepath.Join(dir, "state.db")
	whole, err := os.ReadFile(path)
	must(t, err)
	for text, want := range map[string]error{
		`"_type": "timestamp"`: nil,
		`"_type": "snapshot"`:  nil,
		`"_type": "targets"`:   nil,
		`"checked":"`:          nil,            // the record of the complete set
		`"roles":{`:            trust.ErrState, // the floor of the snapshot
		`"latest":"`:           trust.ErrState, // the clock
	} {
		damaged := bytes.ReplaceAll(whole, []byte(text), append([]byte(text[:2]+"#"), text[3:]...))
		if bytes.Equal(damaged, whole) {
			t.Fatalf("the database does not hold %s", text)
		}
		must(t, os.WriteFile(path, damaged, 0o600))
		if _, err := b.refresh(); !errors.Is(err, want) {
			t.Errorf("damaged %s: expected %v, found %v", text, want, err)
		}
		if want == nil {
			mustOffline(t, b)
		}
	}
}
