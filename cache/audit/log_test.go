package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
	"assay/internal/boltfile"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.FixedZone("", 3600))

// open gives a log whose clock goes on by an hour with each entry.
func open(t testing.TB, dir string) *Log {
	t.Helper()
	now := start
	l, err := Open(dir, Options{Now: func() time.Time { defer func() { now = now.Add(time.Hour) }(); return now }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func add(t testing.TB, l *Log, e Entry) Entry {
	t.Helper()
	kept, err := l.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// sample fills a log with n entries, in one transaction.
func sample(t testing.TB, dir string, n int) (*Log, []Entry) {
	t.Helper()
	l := open(t, dir)
	var all []Entry
	err := l.update(t.Context(), func(tx *bbolt.Tx) error {
		for i := range n {
			e, err := l.enter(tx, Entry{
				Action: []string{Get, TrustAdd, TrustRemove}[i%3], Outcome: Done, User: fmt.Sprintf("u%d", i%2),
				Subject: Subject{Repository: "acme", Product: fmt.Sprintf("p%d", i), Digest: artifact.DigestOf(artifact.SHA256, []byte{byte(i)})},
				Detail:  "<ok> \"é\" \\",
			})
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, all
}

// list gives the numbers of what List gives.
func list(t *testing.T, l *Log, f Filter) (found []uint64) {
	t.Helper()
	for e, err := range l.List(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, e.Seq)
	}
	return found
}

func TestAppend(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	digest := artifact.DigestOf(artifact.SHA256, []byte("x"))
	want := Entry{
		Action: Waive, Outcome: Failed, User: "me", Host: "here", Detail: "why", Evidence: digest,
		Subject: Subject{Digest: digest, Platform: "linux/amd64", Product: "p", Repository: "r", Target: "t", Version: "1.0"},
	}
	first := add(t, open(t, dir), want)
	second := add(t, open(t, dir), want)
	if first.Seq != 1 || first.Prev != (Sum{}) || second.Seq != 2 || second.Prev != first.Hash || second.Hash == first.Hash || first.Hash == (Sum{}) {
		t.Errorf("expected a chain, found %+v and %+v", first, second)
	}
	if !first.Time.Equal(start.Truncate(time.Millisecond)) || first.Time.Location() != time.UTC {
		t.Errorf("expected %v in UTC, found %v", start, first.Time)
	}
	want.Seq, want.Time, want.Hash = 1, first.Time, first.Hash
	var got []Entry
	for e, err := range open(t, dir).List(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if !reflect.DeepEqual(got, []Entry{second, want}) {
		t.Errorf("expected\n%+v, found\n%+v", []Entry{second, want}, got)
	}
	if h, err := open(t, dir).Head(t.Context()); err != nil || h != (Head{2, second.Hash}) {
		t.Errorf("expected the head %v, found %v, %v", second.Seq, h, err)
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, open(t, dir).Path(): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: expected mode %v, found %v, %v", path, want, info.Mode(), err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("expected audit.db alone, found %v", files)
	}
}

func TestReadingCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	l := open(t, dir)
	if h, err := l.Head(t.Context()); h != (Head{}) || err != nil {
		t.Errorf("expected no head, found %v, %v", h, err)
	}
	if found := list(t, l, Filter{}); found != nil {
		t.Errorf("expected no entries, found %v", found)
	}
	if r, err := l.Verify(t.Context(), Head{}); r != (Report{}) || err != nil {
		t.Errorf("expected nothing, found %+v, %v", r, err)
	}
	var out strings.Builder
	if h, err := l.Export(t.Context(), &out); h != (Head{}) || err != nil || out.Len() != 0 {
		t.Errorf("expected nothing, found %v, %q, %v", h, out.String(), err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("expected no folder, found %v", err)
	}
	if _, err := Open("", Options{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
}

func TestList(t *testing.T) {
	l, all := sample(t, t.TempDir(), 2*batch+10)
	n := uint64(len(all))
	if found := list(t, l, Filter{}); uint64(len(found)) != n || found[0] != n || found[n-1] != 1 || !slices.IsSortedFunc(found, func(a, b uint64) int { return int(b) - int(a) }) {
		t.Errorf("expected all %d, the newest first, found %d", n, len(found))
	}
	for name, test := range map[string]struct {
		filter Filter
		want   []uint64
	}{
		"limit":      {Filter{Limit: 2}, []uint64{n, n - 1}},
		"action":     {Filter{Action: TrustAdd, Until: all[5].Time}, []uint64{5, 2}},
		"family":     {Filter{Action: "trust", Until: all[5].Time}, []uint64{5, 3, 2}},
		"no family":  {Filter{Action: "trus"}, nil},
		"times":      {Filter{Since: all[3].Time, Until: all[6].Time}, []uint64{6, 5, 4}},
		"product":    {Filter{Product: "p7"}, []uint64{8}},
		"repository": {Filter{Repository: "other"}, nil},
		"user":       {Filter{User: "u1", Limit: 1, Until: all[3].Time}, []uint64{2}},
	} {
		if found := list(t, l, test.filter); !slices.Equal(found, test.want) {
			t.Errorf("%s: expected %v, found %v", name, test.want, found)
		}
	}
	// The loop may use the log; what it adds is not for it.
	count := 0
	for _, err := range l.List(t.Context(), Filter{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		add(t, l, Entry{Action: Get})
		count++
	}
	if count != 3 {
		t.Errorf("expected 3, found %d", count)
	}
}

func TestHeads(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	if h, err := ParseHead("12:" + sum); err != nil || h.Seq != 12 || h.String() != "12:"+sum {
		t.Errorf("found %v, %v", h, err)
	}
	for _, text := range []string{"", "12", "12:", ":" + sum, "0:" + sum, "012:" + sum, "-1:" + sum, "12:" + sum[1:], "12:" + sum + "0", "12:" + strings.ToUpper(sum), "12:" + sum[2:] + "zz", "99999999999999999999:" + sum} {
		if h, err := ParseHead(text); !errors.Is(err, ErrInvalid) || h != (Head{}) {
			t.Errorf("%q: expected %v, found %v, %v", text, ErrInvalid, h, err)
		}
	}
}

func TestNotAppended(t *testing.T) {
	l := open(t, t.TempDir())
	cancelled, cancel := context.WithCancelCause(t.Context())
	why := errors.New("given up")
	cancel(why)
	for name, test := range map[string]struct {
		ctx   context.Context
		entry Entry
		want  error
	}{
		"no action":    {t.Context(), Entry{}, ErrInvalid},
		"bad action":   {t.Context(), Entry{Action: "Get\n"}, ErrInvalid},
		"long action":  {t.Context(), Entry{Action: strings.Repeat("a", maxWord+1)}, ErrInvalid},
		"bad outcome":  {t.Context(), Entry{Action: Get, Outcome: "oh no"}, ErrInvalid},
		"cancelled":    {cancelled, Entry{Action: Get}, context.Canceled},
		"fine, at end": {t.Context(), Entry{Action: Get}, nil},
	} {
		if _, err := l.Append(test.ctx, test.entry); !errors.Is(err, test.want) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
	}
	if found := list(t, l, Filter{}); len(found) != 1 {
		t.Errorf("expected one entry, found %v", found)
	}
}

func TestBusy(t *testing.T) {
	l, _ := sample(t, t.TempDir(), 1)
	held, err := boltfile.Begin(t.Context(), l.Path(), true, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	l.lockWait = time.Millisecond
	if _, err := l.Append(t.Context(), Entry{Action: Get}); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	l.lockWait = time.Minute
	if _, err := l.Append(ctx, Entry{Action: Get}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
	}
}

// TestDamagedFile: what is no log is left as it is, and the end of it is no place
// to go on from.
func TestDamagedFile(t *testing.T) {
	bucket := func(step func(tx *bbolt.Tx) error) func(*testing.T, *Log) {
		return func(t *testing.T, l *Log) { change(t, l, step) }
	}
	for name, test := range map[string]struct {
		damage func(*testing.T, *Log)
		want   error
	}{
		"emptied":    {func(t *testing.T, l *Log) { write(t, l, nil) }, ErrDamaged},
		"garbage":    {func(t *testing.T, l *Log) { write(t, l, []byte("garbage\n")) }, ErrDamaged},
		"no entries": {bucket(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketEntries) }), ErrDamaged},
		"no meta":    {bucket(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketMeta) }), ErrDamaged},
		"no format":  {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyFormat, []byte("x")) }), ErrDamaged},
		"newer":      {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyFormat, []byte("2")) }), ErrNewer},
		"bad head":   {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyHead, []byte("\x1b")) }), ErrBroken},
		"other head": {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyHead) }), ErrBroken},
		"no lines":   {bucket(emptied), ErrBroken},
		"no last":    {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketEntries).Delete(keyOf(3)) }), ErrBroken},
		"bad last":   {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketEntries).Put(keyOf(3), []byte("{}")) }), ErrBroken},
		"bad key":    {bucket(func(tx *bbolt.Tx) error { return tx.Bucket(bucketEntries).Put([]byte("zz"), []byte("{}")) }), ErrBroken},
	} {
		l, _ := sample(t, t.TempDir(), 3)
		test.damage(t, l)
		before, err := os.ReadFile(l.Path())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, filepath.Dir(l.Path())).Append(t.Context(), Entry{Action: Get}); !errors.Is(err, test.want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
		if _, err := l.Head(t.Context()); !errors.Is(err, test.want) {
			t.Errorf("%s: head: expected %v, found %v", name, test.want, err)
		}
		if after, _ := os.ReadFile(l.Path()); !slices.Equal(before, after) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// emptied takes all entries out, and leaves the head.
func emptied(tx *bbolt.Tx) error {
	if err := tx.DeleteBucket(bucketEntries); err != nil {
		return err
	}
	_, err := tx.CreateBucket(bucketEntries)
	return err
}

// TestMissingTable: that is said, and not only that something failed.
func TestMissingTable(t *testing.T) {
	for _, name := range [][]byte{bucketMeta, bucketEntries} {
		l, _ := sample(t, t.TempDir(), 1)
		change(t, l, func(tx *bbolt.Tx) error { return tx.DeleteBucket(name) })
		if _, err := l.Head(t.Context()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "a table is missing") {
			t.Errorf("%s: expected %v for a missing table, found %v", name, ErrDamaged, err)
		}
	}
}

func write(t *testing.T, l *Log, data []byte) {
	t.Helper()
	if err := os.WriteFile(l.Path(), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// change writes to the file behind the log's back.
func change(t *testing.T, l *Log, step func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(l.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(step), db.Close()); err != nil {
		t.Fatal(err)
	}
}
