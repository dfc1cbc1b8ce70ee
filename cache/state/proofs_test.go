package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

func putProof(t *testing.T, db *DB, key, value string) {
	t.Helper()
	err := db.Proofs().Update(t.Context(), func(tx Tx) error { return tx.Put(key, []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
}

// proof reads one value; an absent one is "-".
func proof(t *testing.T, db *DB, key string) (text string, err error) {
	t.Helper()
	err = db.Proofs().View(t.Context(), func(tx Tx) error {
		value, err := tx.Get(key)
		if text = string(value); value == nil {
			text = "-"
		}
		return err
	})
	return text, err
}

func proofKeys(t *testing.T, db *DB, prefix string) (keys []string) {
	t.Helper()
	err := db.Proofs().View(t.Context(), func(tx Tx) (err error) { keys, err = tx.Keys(prefix); return err })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestProofs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if got, err := proof(t, open(t, dir), "receipt/1"); got != "-" || err != nil || proofKeys(t, open(t, dir), "") != nil {
		t.Errorf("expected nothing, found %q, %v", got, err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made the folder: %v", err)
	}
	large := strings.Repeat("L", largeValue+1)
	values := map[string]string{"receipt/1": "one", "receipt/2": "", "receipts/x": "other", "seen": "plain", "seen/a/b": large}
	for key, value := range values {
		putProof(t, open(t, dir), key, value)
	}
	for key, want := range values {
		if got, err := proof(t, open(t, dir), key); got != want || err != nil {
			t.Errorf("%s: expected %.20q, found %.20q, %v", key, want, got, err)
		}
	}
	for prefix, want := range map[string]string{
		"": "receipt/1 receipt/2 receipts/x seen seen/a/b", "receipt": "receipt/1 receipt/2 receipts/x",
		"receipt/": "receipt/1 receipt/2", "receipt/2": "receipt/2", "seen": "seen seen/a/b", "seen/a": "seen/a/b", "x": "", "x/": "",
	} {
		if got := strings.Join(proofKeys(t, open(t, dir), prefix), " "); got != want {
			t.Errorf("keys %q: expected %q, found %q", prefix, want, got)
		}
	}
	err := open(t, dir).Proofs().Update(t.Context(), func(tx Tx) error {
		return errors.Join(tx.Delete("seen/a/b"), tx.Delete("receipt/none"), tx.Delete("none"))
	})
	if got, getErr := proof(t, open(t, dir), "seen/a/b"); err != nil || got != "-" || getErr != nil {
		t.Errorf("expected it deleted, found %.20q, %v, %v", got, err, getErr)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || files[0].Name() != "proofs.db" {
		t.Errorf("expected proofs.db alone, found %v", files)
	}
}

func TestProofsRefuse(t *testing.T) {
	db := open(t, t.TempDir())
	long := strings.Repeat("f", maxFamily+1)
	for _, key := range []string{"", "\x00a", long, long + "/x", "a/" + strings.Repeat("k", maxKey)} {
		for name, step := range map[string]func(Tx) error{
			"put":    func(tx Tx) error { return tx.Put(key, nil) },
			"delete": func(tx Tx) error { return tx.Delete(key) },
		} {
			if err := db.Proofs().Update(t.Context(), step); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s %.20q: expected %v, found %v", name, key, ErrInvalid, err)
			}
		}
		if got, err := proof(t, db, key); got != "-" || err != nil {
			t.Errorf("get %.20q: expected nothing, found %q, %v", key, got, err)
		}
	}
	err := db.Proofs().View(t.Context(), func(tx Tx) error {
		if err := tx.Delete("a"); !errors.Is(err, ErrReadOnly) {
			t.Errorf("expected %v, found %v", ErrReadOnly, err)
		}
		return tx.Put("a", nil)
	})
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("expected %v, found %v", ErrReadOnly, err)
	}
	boom := errors.New("boom")
	err = db.Proofs().Update(t.Context(), func(tx Tx) error { return errors.Join(tx.Put("a", nil), boom) })
	if got, _ := proof(t, db, "a"); !errors.Is(err, boom) || got != "-" {
		t.Errorf("expected %v and nothing kept, found %q, %v", boom, got, err)
	}
}

// TestStateOfBefore: a state directory of a time without proofs is used as it
// is, and state.db is not touched by proofs.
func TestStateOfBefore(t *testing.T) {
	db := open(t, t.TempDir())
	fill(t, db)
	want, err := contents(t, db)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	putProof(t, db, "receipt/1", "one")
	after, err := os.ReadFile(db.Path())
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("state.db was changed, %v", err)
	}
	damagedOr(t, db, "with proofs beside it", after, true, want)
}

// TestDamagedProofs: each kind of damage is noticed, said with what it means,
// and does not stop the use of the trust state.
func TestDamagedProofs(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, db *DB){
		"emptied": func(t *testing.T, db *DB) {
			if err := os.Truncate(db.Proofs().Path(), 0); err != nil {
				t.Fatal(err)
			}
		},
		"lost entry": inProofs(func(b *bbolt.Bucket) error { return b.Bucket([]byte(shardOf("a/k"))).Delete([]byte("a/k")) }),
		"lost shard": inProofs(func(b *bbolt.Bucket) error { return b.DeleteBucket([]byte(shardOf("a/k"))) }),
		"no shard": inProofs(func(b *bbolt.Bucket) error {
			return errors.Join(b.DeleteBucket([]byte(shardOf("a/k"))), b.Put([]byte(shardOf("a/k")), nil))
		}),
		"lost table": inProofs(func(b *bbolt.Bucket) error { return b.Tx().DeleteBucket([]byte(tableProofs)) }),
	} {
		db := open(t, t.TempDir())
		put(t, db, "a", "floor", "7")
		putProof(t, db, "a/k", "v")
		damage(t, db)
		err := again(t, db).Proofs().View(t.Context(), func(tx Tx) error { _, err := tx.Keys("a/"); return err })
		if !errors.Is(err, ErrDamaged) || errors.Is(err, ErrEntry) || !strings.Contains(err.Error(), "proofs.db") || strings.Contains(err.Error(), "trust add") {
			t.Errorf("%s: reading: expected %v of proofs.db, found %v", name, ErrDamaged, err)
		}
		err = again(t, db).Proofs().Update(t.Context(), func(tx Tx) error { return tx.Put("a/k", nil) })
		if !errors.Is(err, ErrDamaged) && name != "no shard" || err == nil {
			t.Errorf("%s: writing: expected %v, found %v", name, ErrDamaged, err)
		}
		if got := get(t, again(t, db), "a", "floor"); got != "7" {
			t.Errorf("%s: expected the trust state as it was, found %q", name, got)
		}
	}
}

func inProofs(step func(*bbolt.Bucket) error) func(*testing.T, *DB) {
	return func(t *testing.T, db *DB) {
		t.Helper()
		err := db.proofs.update(t.Context(), func(s *session) error { return step(s.tx.Bucket([]byte(tableProofs))) })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeysOfAGroup: what lies in other shards is not looked at, and so does not get
// in the way where it is damaged.
func TestKeysOfAGroup(t *testing.T) {
	db := open(t, t.TempDir())
	for _, key := range []string{"r/a/1", "r/a/2", "r/b/1", "r/ab/1", "s/a/1"} {
		putProof(t, db, key, "v")
	}
	if shardOf("r/a/1") == shardOf("r/b/1") {
		t.Fatal("the test's keys lie in one shard")
	}
	inProofs(func(b *bbolt.Bucket) error { return b.Bucket([]byte(shardOf("r/b/1"))).Delete([]byte("r/b/1")) })(t, db)
	db = again(t, db)
	for prefix, want := range map[string]string{"r/a/": "r/a/1 r/a/2", "r/a/2": "r/a/2", "s/": "s/a/1", "r/c/": ""} {
		if got := strings.Join(proofKeys(t, db, prefix), " "); got != want {
			t.Errorf("keys %q: expected %q, found %q", prefix, want, got)
		}
	}
	if got, err := proof(t, db, "r/a/1"); got != "v" || err != nil {
		t.Errorf("expected v, found %q, %v", got, err)
	}
	for _, prefix := range []string{"", "r", "r/", "r/b", "r/b/"} {
		err := db.Proofs().View(t.Context(), func(tx Tx) error { _, err := tx.Keys(prefix); return err })
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("keys %q: expected %v, found %v", prefix, ErrDamaged, err)
		}
	}
}

// spoil flips a byte of a value of a proof in the file.
func spoil(t *testing.T, db *DB, value string) {
	t.Helper()
	data, err := os.ReadFile(db.Proofs().Path())
	if err != nil || !bytes.Contains(data, []byte(value)) {
		t.Fatalf("%.20q is not in the file: %v", value, err)
	}
	other := strings.Replace(value, value[:1], "!", 1)
	data = bytes.ReplaceAll(data, []byte(value), []byte(other))
	if err := os.WriteFile(db.Proofs().Path(), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedProofEntry: one spoilt value is told apart from a damaged file, and
// healed by being put again.
func TestDamagedProofEntry(t *testing.T) {
	db := open(t, t.TempDir())
	putProof(t, db, "a/1", "first value")
	putProof(t, db, "a/2", "second value")
	putProof(t, db, "a/3", "third value")
	spoil(t, db, "second value")
	db = again(t, db)
	if _, err := proof(t, db, "a/2"); !errors.Is(err, ErrEntry) || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"a/2"`) {
		t.Errorf("expected %v, found %v", ErrEntry, err)
	}
	var found []string
	for p, err := range db.Proofs().All(t.Context(), "a/") {
		found = append(found, fmt.Sprintf("%s %s %v", p.Key, p.Value, errors.Is(err, ErrEntry)))
	}
	if want := []string{"a/1 first value false", "a/2  true", "a/3 third value false"}; !slices.Equal(found, want) {
		t.Errorf("expected %q, found %q", want, found)
	}
	putProof(t, db, "a/2", "healed")
	if got, err := proof(t, again(t, db), "a/2"); got != "healed" || err != nil {
		t.Errorf("expected it healed, found %q, %v", got, err)
	}
}

func TestAllProofs(t *testing.T) {
	db := open(t, t.TempDir())
	const n = 3*batchEntries + 1
	err := db.Proofs().Update(t.Context(), func(tx Tx) error {
		for i := range n {
			size := 1 + i
			if i < 3 {
				size = batchBytes
			}
			if err := tx.Put(fmt.Sprintf("r/%04d", i), bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				return err
			}
		}
		return tx.Put("s/0", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for p, err := range db.Proofs().All(t.Context(), "r/") {
		if err != nil || p.Key != fmt.Sprintf("r/%04d", count) || len(p.Value) == 0 || p.Value[0] != byte(count) {
			t.Fatalf("entry %d: found %q, %d bytes, %v", count, p.Key, len(p.Value), err)
		}
		if count == 0 {
			// The loop may use the store; what goes in time is passed over.
			err := db.Proofs().Update(t.Context(), func(tx Tx) error { return tx.Delete(fmt.Sprintf("r/%04d", n-1)) })
			if err != nil {
				t.Fatal(err)
			}
		}
		count++
	}
	if count != n-1 {
		t.Errorf("expected %d entries, found %d", n-1, count)
	}
	for range db.Proofs().All(t.Context(), "r/") {
		break // and nothing goes on
	}
	for p, err := range open(t, t.TempDir()).Proofs().All(t.Context(), "") {
		t.Errorf("expected nothing, found %v, %v", p, err)
	}
	if err := os.WriteFile(db.Proofs().Path(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for p, err := range db.Proofs().All(t.Context(), "") {
		if !errors.Is(err, ErrDamaged) || p.Key != "" {
			t.Errorf("expected %v, found %q, %v", ErrDamaged, p.Key, err)
		}
	}
}

// TestManyProofWriters lets writers that know nothing of each other begin without
// a database.
func TestManyProofWriters(t *testing.T) {
	dir := t.TempDir()
	const writers = 12
	failures := make(chan error, writers)
	for i := range writers {
		go func() {
			db, err := Open(dir, Options{LockWait: 60e9})
			if err == nil {
				err = db.Proofs().Update(t.Context(), func(tx Tx) error { return tx.Put(fmt.Sprintf("r/%d", i), []byte("v")) })
			}
			failures <- err
		}()
	}
	for range writers {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if keys := proofKeys(t, open(t, dir), "r/"); len(keys) != writers {
		t.Errorf("expected %d entries, found %d", writers, len(keys))
	}
}
