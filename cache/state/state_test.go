package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func open(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, Options{
		Now:  func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Rand: bytes.NewReader([]byte("0123456789abcdef")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func put(t *testing.T, db *DB, repository, key, value string) {
	t.Helper()
	err := db.Trust(repository).Update(t.Context(), func(tx Tx) error { return tx.Put(key, []byte(value)) })
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, db *DB, repository, key string) string {
	t.Helper()
	var value []byte
	err := db.Trust(repository).View(t.Context(), func(tx Tx) (err error) { value, err = tx.Get(key); return err })
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func TestReadingCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	db := open(t, dir)
	if list, err := db.Repositories(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("expected no repositories, found %v, %v", list, err)
	}
	if _, found, err := db.Repository(t.Context(), "a"); err != nil || found {
		t.Errorf("expected no repository, found %v, %v", found, err)
	}
	err := db.Trust("a").View(t.Context(), func(tx Tx) error {
		value, err := tx.Get("k")
		keys, keysErr := tx.Keys("")
		if value != nil || keys != nil {
			t.Errorf("expected nothing, found %q, %q", value, keys)
		}
		if err := tx.Put("k", nil); !errors.Is(err, ErrReadOnly) {
			t.Errorf("expected %v, found %v", ErrReadOnly, err)
		}
		return errors.Join(err, keysErr)
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected no folder, found %v", err)
	}
}

func TestTrustIsKeptApartByRepository(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	put(t, open(t, dir), "a", "role/x", "ax")
	put(t, open(t, dir), "a", "role/y", "")
	put(t, open(t, dir), "a", "floor", "3")
	put(t, open(t, dir), "b", "role/x", "bx")
	db := open(t, dir)
	if a, b := get(t, db, "a", "role/x"), get(t, db, "b", "role/x"); a != "ax" || b != "bx" {
		t.Errorf("expected ax and bx, found %q and %q", a, b)
	}
	err := db.Trust("a").View(t.Context(), func(tx Tx) error {
		keys, err := tx.Keys("role/")
		if want := []string{"role/x", "role/y"}; !reflect.DeepEqual(keys, want) {
			t.Errorf("expected %q, found %q", want, keys)
		}
		if value, err := tx.Get("role/y"); value == nil || len(value) != 0 || err != nil {
			t.Errorf("expected an empty value, found %v, %v", value, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, db.Path(): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: expected mode %v, found %v, %v", path, want, info.Mode(), err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("expected state.db alone, found %v", files)
	}
}

func TestFailedUpdateRollsBack(t *testing.T) {
	boom := errors.New("boom")
	cancelled, cancel := context.WithCancel(t.Context())
	for _, test := range []struct {
		name string
		ctx  context.Context
		fail func() error
		want error
	}{
		{"fn fails", t.Context(), func() error { return boom }, boom},
		{"context ends", cancelled, func() error { cancel(); return nil }, context.Canceled},
		{"fn panics", t.Context(), func() error { panic(boom) }, boom},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := open(t, t.TempDir())
			put(t, db, "a", "k", "old")
			update := func() (err error) {
				defer func() {
					if value := recover(); value != nil {
						err = value.(error)
					}
				}()
				return db.Trust("a").Update(test.ctx, func(tx Tx) error {
					if err := errors.Join(tx.Put("k", []byte("new")), tx.Put("l", nil), tx.Delete("k")); err != nil {
						return err
					}
					return test.fail()
				})
			}
			if err := update(); !errors.Is(err, test.want) {
				t.Errorf("expected %v, found %v", test.want, err)
			}
			if value := get(t, db, "a", "k"); value != "old" {
				t.Errorf("expected the old value, found %q", value)
			}
			put(t, db, "a", "k", "newer")
		})
	}
}

func TestInvalidKeys(t *testing.T) {
	db := open(t, t.TempDir())
	for _, key := range []string{"", "\x00seal", "\x00", strings.Repeat("k", maxKey+1)} {
		err := db.Trust("a").Update(t.Context(), func(tx Tx) error { return tx.Put(key, nil) })
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%.10q: expected %v, found %v", key, ErrInvalid, err)
		}
		err = db.Trust(key).Update(t.Context(), func(tx Tx) error { return nil })
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("repository %.10q: expected %v, found %v", key, ErrInvalid, err)
		}
	}
}

func TestAddRepository(t *testing.T) {
	db := open(t, t.TempDir())
	first := Repository{Name: "a", URL: "https://a", RootSHA256: "00", RootVersion: 1, Layout: "base"}
	trust := map[string][]byte{"root/1": []byte("root"), "floor": []byte("1")}
	if changed, err := db.AddRepository(t.Context(), first, trust); err != nil || !changed {
		t.Fatalf("expected a change, found %v, %v", changed, err)
	}
	put(t, db, "a", "floor", "2")
	if changed, err := db.AddRepository(t.Context(), first, trust); err != nil || changed {
		t.Errorf("expected no change, found %v, %v", changed, err)
	}
	if floor := get(t, db, "a", "floor"); floor != "2" {
		t.Errorf("adding again set the floor back: expected 2, found %q", floor)
	}
	for _, change := range []func(*Repository){
		func(r *Repository) { r.URL = "https://b" },
		func(r *Repository) { r.MetadataURL = "https://b" },
		func(r *Repository) { r.TargetsURL = "https://b" },
		func(r *Repository) { r.RootSHA256 = "01" },
	} {
		other := first
		change(&other)
		_, err := db.AddRepository(t.Context(), other, trust)
		var conflict *ConflictError
		if !errors.Is(err, ErrConflict) || !errors.As(err, &conflict) {
			t.Fatalf("expected %v, found %v", ErrConflict, err)
		}
		if conflict.Have.RootSHA256 != "00" || conflict.Want != withAdded(other, conflict.Want.Added) {
			t.Errorf("expected both sides, found %+v", conflict)
		}
	}
	want := withAdded(first, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if list, err := db.Repositories(t.Context()); err != nil || !reflect.DeepEqual(list, []Repository{want}) {
		t.Errorf("expected %+v, found %+v, %v", want, list, err)
	}
}

func withAdded(r Repository, added time.Time) Repository { r.Added = added; return r }

func TestAddRepositoryKeepsStateOfADeclaredOne(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "root/1", "theirs")
	r := Repository{Name: "a", URL: "https://a", RootSHA256: "00"}
	changed, err := db.AddRepository(t.Context(), r, map[string][]byte{"root/1": []byte("mine")})
	if changed || !errors.Is(err, ErrConflict) {
		t.Errorf("expected %v, found %v, %v", ErrConflict, changed, err)
	}
	if _, found, err := db.Repository(t.Context(), "a"); found || err != nil {
		t.Errorf("expected no registration, found %v, %v", found, err)
	}
	if changed, err := db.AddRepository(t.Context(), r, map[string][]byte{"root/1": []byte("theirs")}); !changed || err != nil {
		t.Errorf("expected a change, found %v, %v", changed, err)
	}
}

func TestLayoutAndRemove(t *testing.T) {
	db := open(t, t.TempDir())
	if err := db.SetLayout(t.Context(), "a", "metadata"); err != nil {
		t.Fatal(err)
	}
	put(t, db, "a", "k", "v")
	put(t, db, "b", "k", "v")
	add(t, db, Repository{Name: "a"})
	// What was found out under the name before was of another repository.
	if r, found, err := db.Repository(t.Context(), "a"); err != nil || !found || r.Layout != "" {
		t.Errorf("expected no layout, found %+v, %v, %v", r, found, err)
	}
	if err := db.SetLayout(t.Context(), "a", "base"); err != nil {
		t.Fatal(err)
	}
	if r, found, err := db.Repository(t.Context(), "a"); err != nil || !found || r.Layout != "base" {
		t.Errorf("expected the layout, found %+v, %v, %v", r, found, err)
	}
	for _, want := range []bool{true, false} {
		if removed, err := db.RemoveRepository(t.Context(), "a"); err != nil || removed != want {
			t.Errorf("expected %v, found %v, %v", want, removed, err)
		}
	}
	layout, err := db.Layout(t.Context(), "a")
	if layout != "" || err != nil || get(t, db, "a", "k") != "" || get(t, db, "b", "k") != "v" {
		t.Errorf("expected a forgotten and b kept, found layout %q, %v", layout, err)
	}
	// A layout alone is a remembered guess, and no repository.
	if err := db.SetLayout(t.Context(), "c", "base"); err != nil {
		t.Fatal(err)
	}
	if removed, err := db.RemoveRepository(t.Context(), "c"); err != nil || removed {
		t.Errorf("expected nothing to be removed, found %v, %v", removed, err)
	}
	if layout, err := db.Layout(t.Context(), "c"); layout != "" || err != nil {
		t.Errorf("expected no layout, found %q, %v", layout, err)
	}
}

func TestMachineIDIsKept(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		id, err := open(t, dir).MachineID(t.Context())
		if err != nil || string(id[:]) != "0123456789abcdef" {
			t.Errorf("expected the first number, found %q, %v", id, err)
		}
	}
	db := open(t, t.TempDir())
	db.rand = strings.NewReader("short")
	if _, err := db.MachineID(t.Context()); err == nil || !strings.Contains(err.Error(), "make a machine id") {
		t.Errorf("expected an error about randomness, found %v", err)
	}
}

func TestHeldLockIsBusy(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "k", "v")
	holder, err := bbolt.Open(db.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.lockWait = 50 * time.Millisecond
	start := time.Now()
	err = db.Trust("a").Update(t.Context(), func(Tx) error { return nil })
	if !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	if _, err := db.Repositories(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("expected to wait about 0.1 s, found %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	db.lockWait = time.Minute
	if _, err := db.Repositories(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if value := get(t, db, "a", "k"); value != "v" {
		t.Errorf("expected v, found %q", value)
	}
}

// TestCauseIsTold: who waits for the lock and is interrupted says by what.
func TestCauseIsTold(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "k", "v")
	holder, err := bbolt.Open(db.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	db.lockWait = time.Minute
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	if _, err := db.Repositories(ctx); !errors.Is(err, why) {
		t.Errorf("expected %v, found %v", why, err)
	}
}

func TestNewerFormat(t *testing.T) {
	db := open(t, t.TempDir())
	err := db.update(t.Context(), func(s *session) error {
		meta, err := s.top(tableMeta)
		if err != nil {
			return err
		}
		return meta.put(keyFormat, strconv.AppendInt(nil, formatLast+1, 10))
	})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(db.Path())
	if _, err := db.MachineID(t.Context()); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	if err := db.SetLayout(t.Context(), "a", "b"); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	if after, _ := os.ReadFile(db.Path()); !bytes.Equal(before, after) {
		t.Error("the newer database was written to")
	}
}

func TestDiskErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, file)
	if err := db.SetLayout(t.Context(), "a", "b"); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("expected %v with its cause, found %v", ErrDisk, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "state.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).SetLayout(t.Context(), "a", "b"); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
}

// fill gives a database with branches, nested tables and a large value, and
// returns its bytes.
func fill(t *testing.T, db *DB) []byte {
	t.Helper()
	add(t, db, Repository{Name: "a", URL: "https://a"})
	err := db.Trust("a").Update(t.Context(), func(tx Tx) error {
		errs := []error{tx.Put("large", bytes.Repeat([]byte("v"), 20000))}
		for i := range 200 {
			errs = append(errs, tx.Put(fmt.Sprintf("key-%d", i), bytes.Repeat([]byte("v"), 60)))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.MachineID(t.Context()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	return data
}
