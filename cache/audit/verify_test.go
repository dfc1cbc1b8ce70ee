package audit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// lines is the export of a log, taken apart.
func lines(t testing.TB, l *Log) [][]byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := l.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
}

func join(lines [][]byte) string { return string(bytes.Join(lines, []byte("\n"))) + "\n" }

func TestVerify(t *testing.T) {
	l, all := sample(t, t.TempDir(), 2*batch)
	last := all[len(all)-1]
	want := Report{Entries: last.Seq, Head: Head{last.Seq, last.Hash}}
	for _, known := range []Head{{}, {1, all[0].Hash}, {batch, all[batch-1].Hash}, want.Head} {
		if r, err := l.Verify(t.Context(), known); err != nil || r != want {
			t.Errorf("known %v: expected %+v, found %+v, %v", known, want, r, err)
		}
		if r, err := VerifyExport(strings.NewReader(join(lines(t, l))), known); err != nil || r != want {
			t.Errorf("known %v: the export: expected %+v, found %+v, %v", known, want, r, err)
		}
	}
}

// forge gives line i with other text, and a hash that fits it.
func forge(t testing.TB, line []byte) []byte {
	t.Helper()
	e, err := decode(line)
	if err != nil {
		t.Fatal(err)
	}
	e.User = "mallory"
	if e.Hash, err = e.sum(); err != nil {
		t.Fatal(err)
	}
	forged, err := e.encode()
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

// TestTampering does to the lines of a log, each a number and an entry, what
// somebody may do who can write the file.
func TestTampering(t *testing.T) {
	replace := func(old, new string) func(*testing.T, [][]byte) [][]byte {
		return func(t *testing.T, all [][]byte) [][]byte {
			if !bytes.Contains(all[3], []byte(old)) {
				t.Fatalf("%q is not in %s", old, all[3])
			}
			all[3] = bytes.Replace(all[3], []byte(old), []byte(new), 1)
			return all
		}
	}
	for name, test := range map[string]struct {
		tamper func(*testing.T, [][]byte) [][]byte
		broken uint64
		says   string
	}{
		"edited":               {replace(`"u1"`, `"u0"`), 4, "hash"},
		"edited, hash fits":    {func(t *testing.T, all [][]byte) [][]byte { all[3] = forge(t, all[3]); return all }, 5, "follow"},
		"edited digest":        {replace(`sha256:`, `sha512:`), 4, "canonical"},
		"edited time":          {replace(`.123Z`, `.124Z`), 4, "hash"},
		"same time, otherwise": {replace(`.123Z`, `.1230Z`), 4, "canonical"},
		"another member":       {replace(`"action"`, `"aa":1,"action"`), 4, "canonical"},
		"doubled member":       {replace(`"action"`, `"action":"get","action"`), 4, "canonical"},
		"space":                {replace(`"action"`, ` "action"`), 4, "canonical"},
		"escaped":              {replace(`é`, `\u00e9`), 4, "canonical"},
		"prev":                 {replace(`"prev":"`, `"prev":"0`), 4, "canonical"},
		"renumbered":           {replace(`"seq":4`, `"seq":5`), 4, "found entry 5"},
		"no entry":             {func(_ *testing.T, all [][]byte) [][]byte { all[3] = []byte("null"); return all }, 4, "canonical"},
		"empty":                {func(_ *testing.T, all [][]byte) [][]byte { all[3] = nil; return all }, 4, "canonical"},
		"gap":                  {func(_ *testing.T, all [][]byte) [][]byte { return slices.Delete(all, 3, 4) }, 4, "found entry 5"},
		"no first":             {func(_ *testing.T, all [][]byte) [][]byte { return all[1:] }, 1, "found entry 2"},
		"swapped":              {func(_ *testing.T, all [][]byte) [][]byte { all[3], all[4] = all[4], all[3]; return all }, 4, "found entry 5"},
		"doubled":              {func(_ *testing.T, all [][]byte) [][]byte { return slices.Insert(all, 4, all[3]) }, 5, "found entry 4"},
		"doubled last":         {func(_ *testing.T, all [][]byte) [][]byte { return append(all, all[7]) }, 9, "found entry 8"},
		"huge line": {func(_ *testing.T, all [][]byte) [][]byte {
			all[3] = bytes.Repeat([]byte(" "), 10*maxLine)
			return all
		}, 4, "bytes"},
	} {
		l, all := sample(t, t.TempDir(), 8)
		tampered := test.tamper(t, lines(t, l))
		change(t, l, func(tx *bbolt.Tx) error {
			entries := tx.Bucket(bucketEntries)
			for i := range uint64(8) {
				if err := entries.Delete(keyOf(i + 1)); err != nil {
					return err
				}
			}
			for i, line := range tampered {
				if err := entries.Put(keyOf(uint64(i)+1), line); err != nil {
					return err
				}
			}
			return nil
		})
		if test.broken > 1 && test.broken < 8 {
			want := Head{test.broken - 1, all[test.broken-2].Hash}
			if name == "edited, hash fits" {
				want.Hash = mustSum(t, tampered[3])
			}
			if r, _ := l.Verify(t.Context(), Head{}); r.Head != want || r.Entries != want.Seq {
				t.Errorf("%s: expected that %v holds, found %+v", name, want, r)
			}
		}
		inFile, err := l.Verify(t.Context(), Head{})
		wantBroken(t, name+", in the file", inFile, err, test.broken, test.says)
		exported, err := VerifyExport(strings.NewReader(join(tampered)), Head{})
		wantBroken(t, name+", exported", exported, err, test.broken, test.says)
		var out bytes.Buffer
		if _, err := l.Export(t.Context(), &out); !errors.Is(err, ErrBroken) || bytes.Count(out.Bytes(), []byte("\n")) != int(test.broken)-1 {
			t.Errorf("%s: expected an export of %d lines and %v, found %d, %v", name, test.broken-1, ErrBroken, bytes.Count(out.Bytes(), []byte("\n")), err)
		}
	}
}

func mustSum(t *testing.T, line []byte) Sum {
	t.Helper()
	e, err := decode(line)
	if err != nil {
		t.Fatal(err)
	}
	return e.Hash
}

func wantBroken(t *testing.T, what string, r Report, err error, at uint64, says string) {
	t.Helper()
	if err != nil || r.FirstBroken == nil || r.FirstBroken.Seq != at || !strings.Contains(r.FirstBroken.Reason, says) {
		t.Errorf("%s: expected a break at entry %d that says %q, found %+v, %v, %v", what, at, says, r, r.FirstBroken, err)
	}
}

// TestKeys: entries that hold, in places that are not theirs.
func TestKeys(t *testing.T) {
	l, _ := sample(t, t.TempDir(), 4)
	all := lines(t, l)
	change(t, l, func(tx *bbolt.Tx) error {
		entries := tx.Bucket(bucketEntries)
		return errors.Join(entries.Delete(keyOf(3)), entries.Put(append(keyOf(3), 0), all[2]))
	})
	r, err := l.Verify(t.Context(), Head{})
	wantBroken(t, "long key", r, err, 3, "found entry 0")
	for _, err := range l.List(t.Context(), Filter{}) {
		var broken *BreakError
		if errors.As(err, &broken) {
			return
		}
	}
	t.Errorf("List: expected %v, found none", ErrBroken)
}

// TestCutTail takes the last entries away. The file's own head tells, and where
// it was set back, one that was written down.
func TestCutTail(t *testing.T) {
	l, all := sample(t, t.TempDir(), 8)
	known := Head{8, all[7].Hash}
	exported := join(lines(t, l)[:6])
	cut := func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(bucketEntries).Delete(keyOf(8)), tx.Bucket(bucketEntries).Delete(keyOf(7)))
	}
	change(t, l, cut)
	r, err := l.Verify(t.Context(), Head{})
	wantBroken(t, "cut", r, err, 7, "end with 8:")
	change(t, l, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyHead, []byte(Head{6, all[5].Hash}.String()))
	})
	if r, err := l.Verify(t.Context(), Head{}); err != nil || r.FirstBroken != nil {
		t.Errorf("nobody can tell without a known head, but found %+v, %v", r, err)
	}
	r, err = l.Verify(t.Context(), known)
	wantBroken(t, "cut, with a known head", r, err, 7, "cut off")
	r, err = VerifyExport(strings.NewReader(exported), known)
	wantBroken(t, "exported", r, err, 7, "cut off")
	r, err = VerifyExport(strings.NewReader(strings.TrimSuffix(exported, "}\n")), Head{})
	wantBroken(t, "exported, in the middle of a line", r, err, 6, "canonical")
	// It goes on from there, and still is not the log that it was.
	add(t, l, Entry{Action: Get})
	add(t, l, Entry{Action: Get})
	r, err = l.Verify(t.Context(), known)
	wantBroken(t, "gone on", r, err, 8, "made anew")
}

// TestStoredHead: one that does not read as one is told as that, with all entries
// that hold.
func TestStoredHead(t *testing.T) {
	l, all := sample(t, t.TempDir(), 3)
	change(t, l, func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyHead, []byte("3:x")) })
	r, err := l.Verify(t.Context(), Head{})
	wantBroken(t, "bad head", r, err, 1, "the stored head")
	if want := (Head{3, all[2].Hash}); r.Head != want || r.Entries != 3 {
		t.Errorf("expected %v, found %+v", want, r)
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error)  { return 0, b.err }
func (b brokenReader) Write([]byte) (int, error) { return 0, b.err }

func TestFailingStreams(t *testing.T) {
	l, _ := sample(t, t.TempDir(), 1)
	broken := brokenReader{errors.New("no cable")}
	if r, err := VerifyExport(broken, Head{}); !errors.Is(err, broken.err) || r.FirstBroken != nil {
		t.Errorf("expected %v, found %+v, %v", broken.err, r, err)
	}
	if _, err := l.Export(t.Context(), broken); !errors.Is(err, broken.err) {
		t.Errorf("expected %v, found %v", broken.err, err)
	}
}

// FuzzVerifyExport: what holds is, byte for byte, what its entries encode to, in
// a chain; and with one byte changed it does not hold.
func FuzzVerifyExport(f *testing.F) {
	l, _ := sample(f, f.TempDir(), 3)
	whole := join(lines(f, l))
	f.Add(whole, 40)
	f.Add(whole+"{}\n", 1)
	f.Add(strings.ReplaceAll(whole, "\n", "\r\n"), 0)
	f.Add(`{"action":"get","prev":"`+Sum{}.String()+`","seq":1,"time":"2026-01-01T00:00:00Z"}`, 3)
	f.Fuzz(func(t *testing.T, text string, at int) {
		r, err := VerifyExport(strings.NewReader(text), Head{})
		if err != nil {
			t.Fatal(err)
		}
		if r.FirstBroken != nil {
			if r.FirstBroken.Seq != r.Entries+1 || strings.ContainsAny(r.FirstBroken.Error(), "\x1b\n") {
				t.Errorf("expected the break behind entry %d, in printable words, found %v", r.Entries, r.FirstBroken)
			}
			return
		}
		var prev Sum
		count := uint64(0)
		for line := range strings.Lines(text) {
			e, err := decode([]byte(strings.TrimRight(line, "\r\n")))
			if count++; err != nil || e.Seq != count || e.Prev != prev {
				t.Errorf("line %d was taken: %q", count, line)
			}
			prev = e.Hash
		}
		if count != r.Entries || prev != r.Head.Hash {
			t.Errorf("expected %d entries, found %+v", count, r)
		}
		if at < 0 || at >= len(text) || strings.ContainsAny(text[at:at+1], "\r\n") {
			return
		}
		edited := []byte(text)
		edited[at] ^= 1
		if r, err := VerifyExport(bytes.NewReader(edited), Head{}); err != nil || r.FirstBroken == nil {
			t.Errorf("a change at %d was not found: %+v, %v", at, r, err)
		}
	})
}
