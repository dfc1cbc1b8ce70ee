package cache

import (
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestWhoHashes: a short blob is hashed by who writes it, from a buffer of its own;
// a longer one, and one that may become longer, beside the writing.
func TestWhoHashes(t *testing.T) {
	t.Parallel()
	data := random(90, inlineBytes+1)
	for _, test := range []struct {
		length int64
		inline bool
	}{{inlineBytes, true}, {inlineBytes + 1, false}, {-1, false}} {
		t.Run(fmt.Sprint(test.length), func(t *testing.T) {
			s := open(t, t.TempDir())
			content := data[:min(uint64(test.length), uint64(len(data)))]
			g, err := s.stage(t.Context(), digests(content), test.length)
			if err != nil {
				t.Fatal(err)
			}
			put(t, g, data, 0, 1000, 0)
			if alone := g.hashing.done == nil; alone != test.inline || alone && g.hashing.hashed != 1000 {
				t.Errorf("expected without a goroutine %v, found %v, and %d bytes hashed", test.inline, alone, g.hashing.hashed)
			}
			put(t, g, data, 1000, int64(len(content)), 0)
			commit(t, g)
			wantAllBuffers(t, s)
		})
	}
}

// TestShortBlobDoesNotWait: where all buffers are lent, what needs none goes on.
func TestShortBlobDoesNotWait(t *testing.T) {
	s := open(t, t.TempDir())
	long, err := s.StageAny(t.Context(), digests(bytesA))
	if err != nil {
		t.Fatal(err)
	}
	defer long.Abort()
	for range bufferCount {
		b, err := long.Buffer(t.Context())
		if err != nil || len(b.Data) != bufferBytes {
			t.Fatalf("expected a buffer of %d bytes, found %+v, %v", bufferBytes, b, err)
		}
		defer b.Release()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := long.Buffer(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	short := stageOf(t, s, []byte("short"))
	b, err := short.Buffer(ended)
	if err != nil || len(b.Data) != len("short")+1 {
		t.Fatalf("expected a buffer of its own, found %v", err)
	}
	if err := short.Put(b, copy(b.Data, "short"), 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := short.Commit(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestShortBlobOutOfTurn: what came before its turn is hashed by who asks for the end.
func TestShortBlobOutOfTurn(t *testing.T) {
	data := random(95, 3000)
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 2000, 3000, 0)
	put(t, g, data, 0, 2000, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := g.Prove(ctx); err != nil {
		t.Fatal(err)
	}
	commit(t, g)
}

// TestDiscardBeyondWhatIsHashed: hashing goes back for nothing that it has not seen.
func TestDiscardBeyondWhatIsHashed(t *testing.T) {
	t.Parallel()
	data := random(91, 5000)
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 0, 1000, 0)
	put(t, g, data, 2000, 5000, 0)
	g.Discard(2000, 5000)
	if g.hashing.hashed != 1000 {
		t.Errorf("expected 1000 bytes to stay hashed, found %d", g.hashing.hashed)
	}
	put(t, g, data, 1000, 5000, 0)
	commit(t, g)
}

// TestStateIsTakenAtItsWord: where what an earlier run has hashed ends in the right
// digest its bytes are not read once more.
func TestStateIsTakenAtItsWord(t *testing.T) {
	t.Parallel()
	if bootID() == "" {
		t.Skip("no state is taken up on this system")
	}
	data := random(92, 1<<20)
	s := open(t, t.TempDir())
	g := stageOf(t, s, data)
	put(t, g, data, 0, 512<<10, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
	g = stageOf(t, s, data)
	put(t, g, data, 512<<10, 1<<20, 0)
	if err := g.Prove(t.Context()); err != nil || !g.hashing.taken {
		t.Errorf("expected the state of before to be enough, found it given up: %v, %v", !g.hashing.taken, err)
	}
	commit(t, g)
}

// TestCutWhileItIsHashed: bytes that are gone when their turn comes are an error of
// the disk that says so, and no end of file, which a caller could take for one of
// its own.
func TestCutWhileItIsHashed(t *testing.T) {
	t.Parallel()
	data := random(93, 1<<20)
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 512<<10, 1<<20, 0) // out of turn: to be read from the file
	if err := os.Truncate(g.path, 0); err != nil {
		t.Fatal(err)
	}
	b, err := g.Buffer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	putErr := g.Put(b, copy(b.Data, data[:512<<10]), 0, 0) // may learn of it already
	_, err = g.Commit(t.Context())
	for _, err := range []error{putErr, err} {
		if err != nil && (!errors.Is(err, ErrDisk) || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "was cut while it was written")) {
			t.Errorf("expected %v, as the file was cut, found %v", ErrDisk, err)
		}
	}
	if err == nil {
		t.Error("expected no blob, found one")
	}
	wantNothing(t, g.store)
	wantAllBuffers(t, g.store)
}

// failing fails its stage, from within a Put, and waits until hashing has ended.
type failing struct {
	stage *Stage
	err   error
}

func (f failing) WriteAt(p []byte, _ int64) (int, error) {
	f.stage.mu.Lock()
	f.stage.fail(f.err)
	done := f.stage.hashing.done
	f.stage.mu.Unlock()
	<-done
	return len(p), nil
}

// TestFailedBesideAPut: a Put that ends after another has failed gives its buffer
// back, as nobody hashes it any more.
func TestFailedBesideAPut(t *testing.T) {
	t.Parallel()
	data := random(94, 1<<20)
	g := stageOf(t, open(t, t.TempDir()), data)
	put(t, g, data, 0, 1000, 0)
	boom := errors.New("boom")
	g.mu.Lock()
	err := g.settle(t.Context()) // so that the next part is in turn
	g.also = failing{g, boom}
	g.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	b, err := g.Buffer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Put(b, copy(b.Data, data[1000:2000]), 1000, 0); !errors.Is(err, boom) {
		t.Errorf("expected %v, found %v", boom, err)
	}
	wantAllBuffers(t, g.store)
	if err := g.Abort(); err != nil {
		t.Error(err)
	}
	wantNothing(t, g.store)
}

// stateless is a hash whose state is its own affair.
type stateless struct{ hash.Hash }

// TestHashWithoutAState is refused, where its state is wanted and where one is given.
func TestHashWithoutAState(t *testing.T) {
	t.Parallel()
	known := sha256.New()
	state, err := known.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	h := hashing{digests: []hash.Hash{stateless{known}}}
	if err := h.mark(); !errors.Is(err, ErrInvalid) || len(h.checkpoints) != 0 {
		t.Errorf("expected %v and no checkpoint, found %v and %d", ErrInvalid, err, len(h.checkpoints))
	}
	if err := h.restore(checkpoint{at: 5, states: [][]byte{state}}); !errors.Is(err, ErrInvalid) || h.hashed != 0 {
		t.Errorf("expected %v and nothing hashed, found %v and %d", ErrInvalid, err, h.hashed)
	}
}
