package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/wire"
	"assay/trust"
)

// TestFlakyNetwork moves a few objects over and over, several at a time, from
// servers each of whose answers may be any of a dozen faults. What comes is proven,
// and does come wherever one of the places does not lie; else the error is one of
// those that are documented. Nothing unproven is left under a name.
func TestFlakyNetwork(t *testing.T) {
	rounds := 10
	switch os.Getenv(faultsVariable) {
	case "soak":
		rounds = 200
	case "none":
		t.Skip("left out by " + faultsVariable)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f := newFlaky(t, seed)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			source := rand.New(rand.NewPCG(seed, uint64(20+worker)))
			for range rounds {
				if err := f.get(t.Context(), source); err != nil {
					t.Errorf("worker %d: %v", worker, err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d came, %d were refused, %d given up; answers: %v", f.ends["came"], f.ends["refused"], f.ends["given up"], f.answers)
	if f.ends["came"] == 0 || f.ends["refused"] == 0 {
		t.Errorf("expected some to come, and some to be refused, found %v", f.ends)
	}
	f.look(t)
}

// flaky is a server with many faces, and what comes of it.
type flaky struct {
	server *httptest.Server
	store  *cache.Store
	dir    string
	data   [][]byte

	mu      sync.Mutex
	random  *rand.Rand
	answers map[string]int
	ends    map[string]int
}

func newFlaky(t *testing.T, seed uint64) *flaky {
	t.Helper()
	f := &flaky{dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 6)), answers: map[string]int{}, ends: map[string]int{}}
	store, err := cache.Open(f.dir, cache.Options{LockWait: time.Minute, Notice: func(text string) { t.Error(text) }})
	if err != nil {
		t.Fatal(err)
	}
	f.store = store
	for i, length := range []int{1, 5000, 64<<10 + 1, 300 << 10, 1 << 20, 2<<20 + 7} {
		f.data = append(f.data, random(uint64(200+i), length))
	}
	f.server = httptest.NewServer(http.HandlerFunc(f.answer))
	t.Cleanup(f.server.Close)
	return f
}

// The faults of places: at /true none of those that send other bytes.
var (
	honestFaults = []string{"none", "none", "none", "cut", "cut", "503", "reset", "whole", "stall", "retag"}
	lyingFaults  = append([]string{"lie", "lie", "shifted", "longer", "shorter", "404", "wrong range"}, honestFaults...)
)

// answer is that of a place, with one of its faults.
func (f *flaky) answer(w http.ResponseWriter, q *http.Request) {
	place, rest, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	index, err := strconv.Atoi(rest)
	if err != nil || index < 0 || index >= len(f.data) {
		http.NotFound(w, q)
		return
	}
	data := f.data[index]
	f.mu.Lock()
	faults := honestFaults
	if place != "true" {
		faults = lyingFaults
	}
	fault, at := faults[f.random.IntN(len(faults))], f.random.IntN(len(data))
	f.answers[fault]++
	f.mu.Unlock()
	tag := `"v1"`
	switch fault {
	case "503":
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	case "404":
		http.NotFound(w, q)
		return
	case "reset":
		panic(http.ErrAbortHandler)
	case "cut":
		w = &cutter{ResponseWriter: w, left: at}
	case "stall":
		w = &holder{ResponseWriter: w, left: at, reached: make(chan struct{}), gone: q.Context().Done()}
	case "whole":
		q.Header.Del("Range")
	case "retag":
		tag = fmt.Sprintf(`"v%d"`, at)
	case "lie":
		data = bytes.Clone(data)
		data[at] ^= 1
	case "shifted":
		data = append(bytes.Clone(data[1:]), 0)
	case "longer":
		data = append(bytes.Clone(data), 0)
	case "shorter":
		data = data[:len(data)-1]
	case "wrong range":
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[at:])
		return
	}
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(data))
}

// get brings one of the objects, or finds it, and at times has it go again.
func (f *flaky) get(ctx context.Context, source *rand.Rand) error {
	index := source.IntN(len(f.data))
	data := f.data[index]
	kinds := []string{"a", "b", "true"}[source.IntN(3):]
	source.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	mustCome := true
	if source.IntN(3) == 0 {
		kinds, mustCome = []string{"a", "b"}, false
	}
	var object Object
	if source.IntN(2) == 0 {
		object.Pieces = pieces(data, 100<<10)
	}
	object.Name = "file"
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	if source.IntN(8) == 0 {
		limited, cancel = context.WithTimeout(ctx, time.Duration(source.IntN(100))*time.Millisecond)
		mustCome = false
	}
	defer cancel()
	err := f.bring(limited, object, index, kinds)
	switch {
	case err == nil:
		f.count("came")
		if source.IntN(2) == 0 {
			err = os.Remove(f.path(index)) // so that it is fetched again
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // another was faster
		}
		return err
	case limited.Err() != nil && errors.Is(err, limited.Err()) && !mustCome:
		f.count("given up")
		return nil
	case mustCome:
		return fmt.Errorf("expected object %d to come from %q (pieces: %v), found %w", index, kinds, object.Pieces.Length > 0, err)
	}
	f.count("refused")
	if _, isPlaces := errors.AsType[*PlacesError](err); !isPlaces {
		return fmt.Errorf("expected each place's error, found %w", err)
	}
	for _, kind := range []error{wire.ErrSource, trust.ErrNoAnswer, cache.ErrMismatch, fs.ErrNotExist} {
		if errors.Is(err, kind) {
			return nil
		}
	}
	return fmt.Errorf("expected an error of a place, found %w", err)
}

// bring is one get; two of the same object take turns, as processes do.
func (f *flaky) bring(ctx context.Context, object Object, index int, kinds []string) error {
	data := f.data[index]
	var places []Place
	for _, kind := range kinds {
		places = append(places, childPlace(f.server.URL, kind, index))
	}
	stage, err := f.store.Stage(ctx, digests(data), int64(len(data)))
	if err != nil {
		return err
	}
	defer stage.Keep()
	if _, held := stage.Held(ctx); held {
		return nil
	}
	mover := New(wire.New(wire.Options{Idle: 2 * time.Second}), Options{Retries: 30, Pause: time.Millisecond, MaxPause: 5 * time.Millisecond, Stall: 200 * time.Millisecond, Window: 500 * time.Millisecond})
	if _, err := mover.Move(ctx, object, places, stage, &meter{}); err != nil {
		return err
	}
	blob, err := stage.Commit(ctx)
	if err != nil {
		return err
	}
	if err := blob.Check(ctx); err != nil && !gone(err) {
		return err
	}
	return nil
}

// gone reports whether a blob was removed since, and not damaged.
func gone(err error) bool {
	return errors.Is(err, cache.ErrMissing) && !errors.Is(err, cache.ErrDamaged)
}

func (f *flaky) path(index int) string {
	hex := digests(f.data[index])[0].Hex()
	return filepath.Join(f.dir, "blobs", "sha256", hex[:2], hex)
}

func (f *flaky) count(end string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends[end]++
}

// look demands that what is held is what it should be, and that nothing but parts
// that were kept is left.
func (f *flaky) look(t *testing.T) {
	t.Helper()
	held, err := filepath.Glob(filepath.Join(f.dir, "blobs", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range held {
		data, err := os.ReadFile(path)
		if err != nil || artifact.DigestOf(artifact.SHA256, data).Hex() != filepath.Base(path) {
			t.Errorf("expected the bytes that the name says, found others: %s, %v", path, err)
		}
	}
	for i := range f.data {
		if err := f.bring(t.Context(), Object{Name: "file"}, i, []string{"true"}); err != nil {
			t.Errorf("object %d: %v", i, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(f.dir, "staging", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
