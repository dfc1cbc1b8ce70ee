package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"assay/artifact"
)

// random makes bytes that are the same for the same seed.
func random(seed uint64, n int) []byte {
	source := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		word := source.Uint64()
		for j := range 8 {
			data[i+j] = byte(word >> (8 * j))
		}
	}
	return data
}

// put writes a part of data as it is, by one origin.
func put(t *testing.T, g *Stage, data []byte, from, to int64, origin int) {
	t.Helper()
	for from < to {
		b, err := g.Buffer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := copy(b.Data, data[from:to])
		if err := g.Put(b, n, from, origin); err != nil {
			t.Fatal(err)
		}
		from += int64(n)
	}
}

func stageOf(t *testing.T, s *Store, data []byte) *Stage {
	t.Helper()
	g, err := s.Stage(t.Context(), digests(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func commit(t *testing.T, g *Stage) {
	t.Helper()
	blob, err := g.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := blob.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := files(t, g.store.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
}

// TestPartsInAnyOrder: what comes out of turn, and from several goroutines, is
// one blob in the end.
func TestPartsInAnyOrder(t *testing.T) {
	t.Parallel()
	data := random(1, 5<<20+123)
	for round := range 8 {
		s := open(t, t.TempDir())
		g := stageOf(t, s, data)
		var parts [][2]int64
		for at := int64(0); at < int64(len(data)); {
			end := min(at+1+int64(rand.IntN(900<<10)), int64(len(data)))
			parts = append(parts, [2]int64{at, end})
			at = end
		}
		if round > 0 {
			rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		}
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for i := worker; i < len(parts); i += 4 {
					put(t, g, data, parts[i][0], parts[i][1], 0)
				}
			})
		}
		all.Wait()
		if missing := g.Missing(); len(missing) != 0 {
			t.Fatalf("expected nothing missing, found %v", missing)
		}
		commit(t, g)
	}
}

// TestTakenUpAgain: a second stage goes on where the first ended, with its hash
// state and with its knowledge of who sent what.
func TestTakenUpAgain(t *testing.T) {
	t.Parallel()
	data := random(2, 3<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	a, b := g.Origin("a"), g.Origin("b")
	put(t, g, data, 0, 1<<20, a)
	put(t, g, data, 2<<20, 2<<20+1000, b)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	if left := files(t, s.stagingDir()); len(left) != 2 {
		t.Errorf("expected the partial file and its record, found %q", left)
	}
	if left := files(t, s.blobsDir()); len(left) != 0 {
		t.Errorf("expected no blob, found %q", left)
	}
	g = stageOf(t, open(t, s.dir), data)
	if want := []Span{{0, 1 << 20, a}, {2 << 20, 2<<20 + 1000, b}}; !slices.Equal(g.Spans(), want) || !slices.Equal(g.Origins(), []string{Earlier + "a", Earlier + "b"}) {
		t.Errorf("expected %v, found %v of %q", want, g.Spans(), g.Origins())
	}
	if want := []Span{{From: 1 << 20, To: 2 << 20}, {From: 2<<20 + 1000, To: 3 << 20}}; !slices.Equal(g.Missing(), want) {
		t.Errorf("expected %v to be missing, found %v", want, g.Missing())
	}
	if bootID() != "" && (!g.hashing.taken || g.hashing.hashed != 1<<20) {
		t.Errorf("expected the state after 1 MiB, found it after %d", g.hashing.hashed)
	}
	for _, gap := range g.Missing() {
		put(t, g, data, gap.From, gap.To, a)
	}
	commit(t, g)
}

// TestStateThatDoesNotBelong: a record's state that is wrong costs a second look
// at the bytes, and nothing else.
func TestStateThatDoesNotBelong(t *testing.T) {
	t.Parallel()
	data := random(3, 2<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 0, 1<<20, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	edit(t, g.resumePath(), func(r *resumeRecord) {
		h, err := newHashing(g.want)
		if err != nil {
			t.Fatal(err)
		}
		h.digests[0].Write([]byte("something else"))
		if err := h.mark(); err != nil {
			t.Fatal(err)
		}
		r.States = h.checkpoints[1].states
	})
	g = stageOf(t, s, data)
	put(t, g, data, 1<<20, 2<<20, 0)
	commit(t, g)
}

// TestPartialFileThatWasChanged is no blob, whatever its record says, and is one
// again when what is wrong was written anew.
func TestPartialFileThatWasChanged(t *testing.T) {
	t.Parallel()
	data := random(4, 2<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 0, 1<<20, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	edit(t, g.resumePath(), func(r *resumeRecord) { r.Boot = "another" })
	file, err := os.OpenFile(g.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteAt([]byte("changed"), 1000)
	file.Close()
	g = stageOf(t, s, data)
	put(t, g, data, 1<<20, 2<<20, 0)
	if err := g.Prove(t.Context()); !errors.Is(err, ErrMismatch) {
		t.Fatalf("expected %v, found %v", ErrMismatch, err)
	}
	g.Discard(0, 1<<20)
	if want := []Span{{From: 0, To: 1 << 20}}; !slices.Equal(g.Missing(), want) {
		t.Fatalf("expected %v, found %v", want, g.Missing())
	}
	put(t, g, data, 0, 1<<20, 0)
	commit(t, g)
}

// TestRecordsThatAreNone begin anew, with nothing of what was there.
func TestRecordsThatAreNone(t *testing.T) {
	t.Parallel()
	data := random(5, 1<<20)
	for name, spoil := range map[string]func(*testing.T, *Stage){
		"none":              func(t *testing.T, g *Stage) { os.Remove(g.resumePath()) },
		"torn":              func(t *testing.T, g *Stage) { os.Truncate(g.resumePath(), 40) },
		"no partial file":   func(t *testing.T, g *Stage) { os.Remove(g.path) },
		"partial file cut":  func(t *testing.T, g *Stage) { os.Truncate(g.path, 1000) },
		"of another blob":   changed(func(r *resumeRecord) { r.Want = digests([]byte("x")) }),
		"of another length": changed(func(r *resumeRecord) { r.Length++ }),
		"newer":             changed(func(r *resumeRecord) { r.Format++ }),
		"spans overlap":     changed(func(r *resumeRecord) { r.Spans = append(r.Spans, [3]int64{5, 10, 0}) }),
		"span beyond":       changed(func(r *resumeRecord) { r.Spans = [][3]int64{{0, 1<<20 + 1, 0}} }),
		"span is empty":     changed(func(r *resumeRecord) { r.Spans = [][3]int64{{5, 5, 0}} }),
		"unknown origin":    changed(func(r *resumeRecord) { r.Spans[0][2] = 9 }),
		"hashed too far":    changed(func(r *resumeRecord) { r.Hashed = 900 << 10 }),
		"states missing":    changed(func(r *resumeRecord) { r.States = nil }),
		"a link": func(t *testing.T, g *Stage) {
			os.Remove(g.path)
			if err := os.Symlink("/etc/passwd", g.path); err != nil {
				t.Skip(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, t.TempDir())
			g := stageOf(t, s, data)
			put(t, g, data, 0, 512<<10, 0)
			if err := g.Keep(); err != nil {
				t.Fatal(err)
			}
			spoil(t, g)
			g = stageOf(t, s, data)
			if spans := g.Spans(); len(spans) != 0 {
				t.Fatalf("expected to begin anew, found %v", spans)
			}
			put(t, g, data, 0, 1<<20, 0)
			commit(t, g)
		})
	}
}

func changed(change func(*resumeRecord)) func(*testing.T, *Stage) {
	return func(t *testing.T, g *Stage) { edit(t, g.resumePath(), change) }
}

func edit(t *testing.T, path string, change func(*resumeRecord)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r resumeRecord
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	change(&r)
	if text, err = json.Marshal(r); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiscardWhileWriting: parts that are dropped and written again, while others
// go on, end as the right blob; checkpoints are gone back to.
func TestDiscardWhileWriting(t *testing.T) {
	t.Parallel()
	data := random(6, 4<<20)
	bad := slices.Clone(data)
	for i := range 4 {
		bad[i<<20+100] ^= 1
	}
	g := stageOf(t, open(t, t.TempDir()), data)
	var all sync.WaitGroup
	for i := range int64(4) {
		all.Go(func() {
			put(t, g, bad, i<<20, (i+1)<<20, 0)
			g.Discard(i<<20, (i+1)<<20)
			put(t, g, data, i<<20, (i+1)<<20, 1)
		})
	}
	all.Wait()
	commit(t, g)
}

// TestTooLittleIsNotKept: what is fetched again sooner than it is looked at.
func TestTooLittleIsNotKept(t *testing.T) {
	t.Parallel()
	data := random(7, 1<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 0, KeepBytes-1, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing, found %q", left)
	}
}

// TestUnknownLength: the digest alone decides.
func TestUnknownLength(t *testing.T) {
	t.Parallel()
	data := random(8, 1<<20)
	s := open(t, t.TempDir())
	for _, told := range []bool{false, true} {
		g, err := s.StageAny(t.Context(), digests(data))
		if err != nil {
			t.Fatal(err)
		}
		if told {
			if err := g.SetLength(int64(len(data))); err != nil {
				t.Fatal(err)
			}
			if err := g.SetLength(5); !errors.Is(err, ErrInvalid) {
				t.Errorf("expected %v, found %v", ErrInvalid, err)
			}
		}
		put(t, g, data, 0, int64(len(data)), 0)
		commit(t, g)
	}
	g, err := s.StageAny(t.Context(), digests(data))
	if err != nil {
		t.Fatal(err)
	}
	put(t, g, data, 0, 600<<10, 0)
	if _, err := g.Commit(t.Context()); !errors.Is(err, ErrMismatch) {
		t.Errorf("expected %v, found %v", ErrMismatch, err)
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing, found %q", left)
	}
}

// TestUnknownLengthOfAnEarlierRun: what one source has said of the length does not
// bind the next.
func TestUnknownLengthOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	data := random(11, 1<<20)
	for _, said := range []int64{3 << 20, 700 << 10} {
		s := open(t, t.TempDir())
		g, err := s.StageAny(t.Context(), digests(data))
		if err == nil {
			err = g.SetLength(said)
		}
		if err != nil {
			t.Fatal(err)
		}
		put(t, g, append(slices.Clone(data), random(12, 2<<20)...), 0, min(said, 2<<20), 0)
		if err := g.Keep(); err != nil {
			t.Fatal(err)
		}
		if g, err = s.StageAny(t.Context(), digests(data)); err != nil {
			t.Fatal(err)
		}
		if g.Length() != -1 || g.Written() == 0 {
			t.Errorf("expected what came, and no length, found %d bytes of %d", g.Written(), g.Length())
		}
		if err := g.SetLength(int64(len(data))); err != nil {
			t.Fatal(err)
		}
		for _, gap := range g.Missing() {
			put(t, g, data, gap.From, gap.To, 0)
		}
		commit(t, g)
	}
}

// TestAlso: a second file gets the same bytes, those of an earlier run too.
func TestAlso(t *testing.T) {
	t.Parallel()
	data := random(9, 2<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 1<<20, 2<<20, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	g = stageOf(t, s, data)
	out, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := g.Also(out); err != nil {
		t.Fatal(err)
	}
	put(t, g, data, 0, 1<<20, 0)
	commit(t, g)
	if got, err := os.ReadFile(out.Name()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("expected the same bytes, found %d, %v", len(got), err)
	}
}

type refusing struct{ error }

func (r refusing) WriteAt([]byte, int64) (int, error) { return 0, r.error }

// TestOutputThatFails fails the stage with the output's own error, and what came
// is kept.
func TestOutputThatFails(t *testing.T) {
	t.Parallel()
	data := random(10, 1<<20)
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 0, 512<<10, 0)
	boom := errors.New("boom")
	if err := g.Also(refusing{boom}); !errors.Is(err, boom) {
		t.Errorf("expected %v, found %v", boom, err)
	}
	g.also = refusing{boom}
	b, err := g.Buffer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Put(b, 100, 512<<10, 0); !errors.Is(err, boom) || errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", boom, err)
	}
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	g = stageOf(t, g.store, data)
	if g.Written() != 512<<10 {
		t.Errorf("expected 512 KiB to be kept, found %d", g.Written())
	}
	put(t, g, data, 512<<10, 1<<20, 0)
	commit(t, g)
}

// TestSpans compares the set with a plain array.
func TestSpans(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		source := rand.New(rand.NewPCG(seed, 2))
		var s spans
		plain := [64]int{}
		for range 30 {
			from := source.Int64N(60)
			to := from + source.Int64N(64-from) + 1
			origin := source.IntN(3) + 1
			if source.IntN(3) == 0 {
				s, origin = s.remove(from, to), 0
			} else {
				s = s.add(Span{from, to, origin})
			}
			for i := from; i < to; i++ {
				plain[i] = origin
			}
			found := [64]int{}
			for i, x := range s {
				if x.Len() <= 0 || i > 0 && (s[i-1].To > x.From || s[i-1].To == x.From && s[i-1].Origin == x.Origin) {
					t.Fatalf("seed %d: out of order or not joined: %v", seed, s)
				}
				for j := x.From; j < x.To; j++ {
					found[j] = x.Origin
				}
			}
			if found != plain {
				t.Fatalf("seed %d: expected %v, found %v", seed, plain, found)
			}
			reach := int64(slices.Index(append(plain[:], 0)[from:], 0)) + from
			if got := s.reach(from); got != reach {
				t.Fatalf("seed %d: expected to reach %d from %d, found %d in %v", seed, reach, from, got, s)
			}
			missing := int64(0)
			for _, gap := range s.gaps(64) {
				missing += gap.Len()
			}
			if missing+s.size() != 64 {
				t.Fatalf("seed %d: %d missing and %d there", seed, missing, s.size())
			}
		}
	}
}

// FuzzResume: a record that is taken is one that can be.
func FuzzResume(f *testing.F) {
	data := []byte("hello")
	want := digests(data)
	f.Add([]byte(fmt.Sprintf(`{"format":1,"length":5,"want":[%q],"spans":[[0,2,0],[3,5,0]],"origins":["a"],"hashed":2,"states":["c2hhAw=="]}`, want[0])), int64(5))
	f.Add([]byte(`{"format":1}`), int64(-1))
	f.Fuzz(func(t *testing.T, text []byte, length int64) {
		r, err := decodeResume(text, want, max(length, -1))
		if err != nil {
			return
		}
		at := int64(0)
		for _, s := range r.Spans {
			if s[0] < at || s[1] <= s[0] || s[2] < 0 {
				t.Fatalf("out of order: %v", r.Spans)
			}
			at = s[1]
		}
		if length >= 0 && at > length || r.Hashed > at || !slices.Equal(r.Want, artifact.Digests(want)) {
			t.Fatalf("not of this blob: %+v", r)
		}
		h, err := newHashing(want)
		if err != nil {
			t.Fatal(err)
		}
		_ = h.restore(checkpoint{at: r.Hashed, states: r.States}) // an error, or a state, and no panic
	})
}

// twin is a store in the state that a crash of another would leave it in now.
func twin(t *testing.T, of *Store) *Store {
	t.Helper()
	s := open(t, t.TempDir())
	if err := os.MkdirAll(s.stagingDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, of.stagingDir()) {
		data, err := os.ReadFile(filepath.Join(of.stagingDir(), name))
		if err == nil {
			err = os.WriteFile(filepath.Join(s.stagingDir(), name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestOverwrittenBytesAreNotBelieved: what is written anew, after a record told of
// what was there, is not taken for it by the next run: not after a crash, not where
// the record can't be written any more, and not where nobody said Discard.
func TestOverwrittenBytesAreNotBelieved(t *testing.T) {
	t.Parallel()
	data := random(20, 4<<20)
	evil := bytes.Repeat([]byte("evil"), 1<<20)
	for name, discard := range map[string]bool{"discarded": true, "overwritten": false} {
		s := open(t, t.TempDir())
		g := stageOf(t, s, data)
		put(t, g, data, 0, 3<<20, g.Origin("a"))
		if err := g.Keep(); err != nil { // its record has the state of right bytes
			t.Fatal(err)
		}
		g = stageOf(t, s, data)
		for i := range maxResumeOrigins { // so many that no further record is written
			g.Origin(fmt.Sprint(i))
		}
		if discard {
			g.Discard(0, 2<<20)
		}
		put(t, g, evil, 0, 2<<20, 1)
		crashed := twin(t, s)
		if err := g.Keep(); err != nil {
			t.Fatal(err)
		}
		for way, s := range map[string]*Store{"crash": crashed, "keep": s} {
			g := stageOf(t, s, data)
			for _, gap := range g.Missing() {
				put(t, g, data, gap.From, gap.To, 0)
			}
			blob, err := g.Commit(t.Context())
			if err == nil {
				err = blob.Check(t.Context())
			}
			if err != nil && !errors.Is(err, ErrMismatch) {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			if found, err := os.ReadFile(s.path(digests(data)[0])); err == nil && !bytes.Equal(found, data) {
				t.Errorf("%s, %s: wrong bytes have the name", name, way)
			}
		}
	}
}

// TestRoomIsForPromises: no room is taken for a length that nobody has promised, and
// what is kept holds none beyond its bytes.
func TestRoomIsForPromises(t *testing.T) {
	t.Parallel()
	data := random(21, 1<<20)
	s := open(t, t.TempDir())
	for _, promised := range []bool{true, false} {
		g, err := s.StageAny(t.Context(), digests(data))
		if promised {
			g.Abort()
			g, err = s.Stage(t.Context(), digests(data), 64<<20)
		} else if err == nil {
			err = g.SetLength(64 << 20)
		}
		if err != nil {
			t.Fatal(err)
		}
		put(t, g, data, 0, 1<<20, 0)
		if err := g.Keep(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(g.path)
		if err != nil || info.Size() != 1<<20 || blocks(info) > 4<<20 {
			t.Errorf("promised %v: expected about 1 MiB, found %d bytes in %d of blocks, %v", promised, info.Size(), blocks(info), err)
		}
		if err := g.forget(); err != nil {
			t.Fatal(err)
		}
	}
}
