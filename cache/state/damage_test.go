package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// contents reads all that a database holds.
func contents(t *testing.T, db *DB) (map[string]string, error) {
	t.Helper()
	all := map[string]string{}
	list, err := db.Repositories(t.Context())
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		all["repository "+r.Name] = r.URL
	}
	id, err := db.MachineID(t.Context())
	if err != nil {
		return nil, err
	}
	all["machine"] = string(id[:])
	err = db.Trust("a").View(t.Context(), func(tx Tx) error {
		keys, err := tx.Keys("")
		if err != nil {
			return err
		}
		for _, key := range keys {
			// What a value holds is for its keeper to check.
			if _, err := tx.Get(key); err != nil {
				return err
			}
			all[key] = "there"
		}
		return nil
	})
	return all, err
}

// again is what another process has: it knows nothing of the file.
func again(t *testing.T, db *DB) *DB {
	t.Helper()
	return open(t, filepath.Dir(db.Path()))
}

// damagedOr writes data as the database and demands that reading it is either
// refused as damaged or, if may, gives exactly want.
func damagedOr(t *testing.T, db *DB, what string, data []byte, may bool, want map[string]string) {
	t.Helper()
	if err := os.WriteFile(db.Path(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := contents(t, again(t, db))
	switch {
	case errors.Is(err, ErrDamaged):
		if !strings.Contains(err.Error(), db.Path()) || !strings.Contains(err.Error(), "assay trust add") {
			t.Errorf("%s: expected the path and what to do, found %v", what, err)
		}
	case err != nil:
		t.Errorf("%s: expected %v, found %v", what, ErrDamaged, err)
	case !may:
		t.Errorf("%s: expected %v, found none", what, ErrDamaged)
	case !maps.Equal(got, want):
		t.Errorf("%s: read something else than was written, without an error", what)
	}
}

func TestDamage(t *testing.T) {
	db := open(t, t.TempDir())
	data := fill(t, db)
	want, err := contents(t, db)
	if err != nil || len(want) < 200 {
		t.Fatal(len(want), err)
	}
	size := os.Getpagesize()
	for _, length := range []int{1, 16, 80, 512, size, size + 100, 2 * size, 3 * size, 4 * size, 5*size + 1} {
		damagedOr(t, db, fmt.Sprintf("truncated to %d", length), data[:length], false, nil)
	}
	damagedOr(t, db, "zeros", make([]byte, len(data)), false, nil)
	damagedOr(t, db, "garbage", bytes.Repeat([]byte("garbage"), 10000), false, nil)
	damagedOr(t, db, "text", []byte("{}\n"), false, nil)
	for at := 0; at < len(data); at += size {
		for i := range 16 {
			flipped := slices.Clone(data)
			flipped[at+i] ^= 0x11
			// A page that is free holds nothing, so its header may be anything.
			free := at/size > 1
			damagedOr(t, db, fmt.Sprintf("page %d, byte %d", at/size, i), flipped, free, want)
		}
	}
	// Any byte, in steps that meet elements, keys and values.
	for at := 0; at < len(data); at += 131 {
		flipped := slices.Clone(data)
		flipped[at] ^= 0x40
		damagedOr(t, db, fmt.Sprintf("byte %d", at), flipped, true, want)
	}
	damagedOr(t, db, "whole", data, true, want)
}

// TestDamagedTrustValueIsHandedOut: who keeps trust state tells damage by
// itself, and replaces what can be fetched again.
func TestDamagedTrustValueIsHandedOut(t *testing.T) {
	db := open(t, t.TempDir())
	data := fill(t, db)
	at := bytes.Index(data, bytes.Repeat([]byte("v"), 10000))
	data[at+5000] = 'x'
	if err := os.WriteFile(db.Path(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := get(t, db, "a", "large"); len(got) != 20000 || strings.Count(got, "x") != 1 {
		t.Errorf("expected the 20000 bytes as they are, found %d", len(got))
	}
	put(t, db, "a", "large", "new")
	if got := get(t, db, "a", "large"); got != "new" {
		t.Errorf("expected it to be replaced, found %.20q", got)
	}
	// What this package keeps itself is checked here.
	data = bytes.ReplaceAll(data, []byte("https://a"), []byte("https://b"))
	if err := os.WriteFile(db.Path(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Repositories(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, found %v", ErrDamaged, err)
	}
}

// TestDamageIsNotWrittenOver: an update on a damaged database leaves it.
func TestDamageIsNotWrittenOver(t *testing.T) {
	db := open(t, t.TempDir())
	data := fill(t, db)
	short := data[:3*os.Getpagesize()]
	if err := os.WriteFile(db.Path(), short, 0o600); err != nil {
		t.Fatal(err)
	}
	err := db.Trust("a").Update(t.Context(), func(tx Tx) error { return tx.Put("k", nil) })
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, found %v", ErrDamaged, err)
	}
	if after, _ := os.ReadFile(db.Path()); !bytes.Equal(short, after) {
		t.Error("the damaged file was changed")
	}
}

// TestCutWhileMapped is the memory fault: the file loses its pages under a
// running transaction.
func TestCutWhileMapped(t *testing.T) {
	db := open(t, t.TempDir())
	fill(t, db)
	err := db.Trust("a").View(t.Context(), func(tx Tx) error {
		if err := os.Truncate(db.Path(), 0); err != nil {
			return err
		}
		_, err := tx.Get("large")
		return err
	})
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, found %v", ErrDamaged, err)
	}
	// The lock went with it.
	if err := os.Remove(db.Path()); err != nil {
		t.Fatal(err)
	}
	put(t, db, "a", "k", "v")
}

// TestMisleadingBranch changes a key in a branch page: all entries are there,
// but one would not be found where it is looked for.
func TestMisleadingBranch(t *testing.T) {
	db := open(t, t.TempDir())
	data := fill(t, db)
	branches := 0
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		if binary.NativeEndian.Uint16(data[at+8:]) != 1 {
			continue
		}
		branches++
		entry := at + 16 + 16 // the second one: position, length of the key
		key := entry + int(binary.NativeEndian.Uint32(data[entry:]))
		data[key+int(binary.NativeEndian.Uint32(data[entry+4:]))-1]++
	}
	if branches == 0 {
		t.Fatal("the test's database has no branch page")
	}
	damagedOr(t, db, "branch", data, false, nil)
}

// TestDatabaseWithoutTablesIsDamaged: our own create never leaves one.
func TestDatabaseWithoutTablesIsDamaged(t *testing.T) {
	db := open(t, t.TempDir())
	plain, err := bbolt.Open(db.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	wantDamaged(t, db)
}

// TestForeignDatabase: a bbolt file of some other program.
func TestForeignDatabase(t *testing.T) {
	db := open(t, t.TempDir())
	foreign, err := bbolt.Open(db.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = foreign.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	if err := errors.Join(err, foreign.Close()); err != nil {
		t.Fatal(err)
	}
	if err := db.SetLayout(t.Context(), "a", "b"); !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, found %v", ErrDamaged, err)
	}
}

// TestEmptiedFileIsDamaged: were it taken for new, all version floors would be
// lost without a word.
func TestEmptiedFileIsDamaged(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "k", "v")
	if err := os.Truncate(db.Path(), 0); err != nil {
		t.Fatal(err)
	}
	wantDamaged(t, db)
	if info, err := os.Stat(db.Path()); err != nil || info.Size() != 0 {
		t.Errorf("the emptied file was written to: %v, %v", info, err)
	}
}

// wantDamaged wants reading and writing to be refused.
func wantDamaged(t *testing.T, db *DB) {
	t.Helper()
	if _, err := db.Repositories(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("reading: expected %v, found %v", ErrDamaged, err)
	}
	if err := db.SetLayout(t.Context(), "a", "b"); !errors.Is(err, ErrDamaged) {
		t.Errorf("writing: expected %v, found %v", ErrDamaged, err)
	}
}

// TestLostEntryIsNoticed takes a floor out behind the table's back.
func TestLostEntryIsNoticed(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "floor", "7")
	put(t, db, "a", "other", "7")
	err := db.update(t.Context(), func(s *session) error {
		return s.tx.Bucket([]byte(tableTrust)).Bucket([]byte("a")).Delete([]byte("floor"))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = again(t, db).Trust("a").View(t.Context(), func(Tx) error { return nil })
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, found %v", ErrDamaged, err)
	}
	err = db.update(t.Context(), func(s *session) error { return s.tx.DeleteBucket([]byte(tableLayouts)) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Layout(t.Context(), "a"); !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, found %v", ErrDamaged, err)
	}
}
