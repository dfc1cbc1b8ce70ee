package cache

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"assay/artifact"
)

// inlineBytes is the longest blob that is hashed by whoever writes it: a goroutine
// would cost more than it saves.
const inlineBytes = 64 << 10

// checkpointBytes is how far apart the states are that hashing can go back to.
const checkpointBytes = 64 << 20

// hashing is the part of a Stage that hashes in order what was written in any
// order: from the buffers as they come, or, where parts came out of turn, from
// the file. Its fields are guarded by the stage's mu, but for digests and
// scratch, which belong to the goroutine while it runs.
type hashing struct {
	digests []hash.Hash // one per digest of the stage's want
	scratch []byte      // of the goroutine, to read the file

	hashed      int64 // bytes that the digests have seen
	queue       []piece
	queued      int64 // bytes in queue, and of the one that is being hashed
	back        int64 // go back to here first; -1: go on
	checkpoints []checkpoint
	taken       bool // the state was taken from a record, and not computed by this process
	done        chan struct{}
	stop        bool
	saved       int64 // hashed when the record was written last
	savedSize   int64 // bytes that were there then
	savedAt     time.Time
}

// piece is a filled buffer that follows what was hashed.
type piece struct {
	buffer *Buffer
	n      int
}

// checkpoint is the state of the digests after so many bytes.
type checkpoint struct {
	at     int64
	states [][]byte
}

func newHashing(want artifact.Digests) (hashing, error) {
	h := hashing{back: -1}
	for _, d := range want {
		h.digests = append(h.digests, d.Algorithm().New())
	}
	return h, h.mark()
}

// mark adds a checkpoint.
func (h *hashing) mark() error {
	c := checkpoint{at: h.hashed}
	for _, digest := range h.digests {
		marshaler, ok := digest.(encoding.BinaryMarshaler)
		if !ok {
			return fmt.Errorf("%w: a hash whose state can't be kept", ErrInvalid)
		}
		state, err := marshaler.MarshalBinary()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		c.states = append(c.states, state)
	}
	h.checkpoints = append(h.checkpoints, c)
	return nil
}

// restore goes back to a checkpoint.
func (h *hashing) restore(c checkpoint) error {
	for i, digest := range h.digests {
		unmarshaler, ok := digest.(encoding.BinaryUnmarshaler)
		if !ok {
			return fmt.Errorf("%w: a hash whose state can't be taken up", ErrInvalid)
		}
		if err := unmarshaler.UnmarshalBinary(c.states[i]); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	h.hashed = c.at
	return nil
}

// inline reports whether the stage hashes without a goroutine.
func (g *Stage) inline() bool { return g.length >= 0 && g.length <= inlineBytes }

// feed hands over what was just written; mu is held. What follows the hashed
// bytes waits in the queue, and lets the writer wait while that is full; the rest
// is read from the file when its turn comes.
func (g *Stage) feed(b *Buffer, n int, offset int64) {
	h := &g.hashing
	if h.done == nil && !g.inline() {
		h.done, h.savedAt = make(chan struct{}), time.Now()
		go g.hash(h.done)
	}
	for h.done != nil && h.back < 0 && g.failed == nil && offset == h.hashed+h.queued && h.queued > 0 && h.queued+int64(n) > queueBytes {
		g.changed.Wait()
	}
	if h.back >= 0 || g.failed != nil || offset != h.hashed+h.queued {
		b.Release()
		g.changed.Broadcast()
		return
	}
	if h.done == nil {
		g.digest(b.Data[:n])
		h.hashed += int64(n)
		b.Release()
		return
	}
	h.queue, h.queued = append(h.queue, piece{b, n}), h.queued+int64(n)
	g.changed.Broadcast()
}

// digest hashes bytes by every algorithm.
func (g *Stage) digest(data []byte) {
	for _, digest := range g.hashing.digests {
		digest.Write(data)
	}
}

// hash is the goroutine: it goes on until it is told to stop, or fails.
func (g *Stage) hash(done chan struct{}) {
	defer close(done)
	h := &g.hashing
	g.mu.Lock()
	defer g.mu.Unlock()
	for !h.stop && g.failed == nil {
		switch reach := g.written.reach(h.hashed); {
		case h.back >= 0:
			g.goBack()
		case len(h.queue) > 0:
			next := h.queue[0]
			h.queue = h.queue[1:]
			g.mu.Unlock()
			g.digest(next.buffer.Data[:next.n])
			next.buffer.Release()
			g.mu.Lock()
			h.queued -= int64(next.n)
			g.advance(int64(next.n))
		case reach > h.hashed:
			g.hashFile(reach)
		case time.Since(h.savedAt) >= saveEvery && g.written.size() != h.savedSize:
			g.save() // parts came out of turn
		default:
			g.changed.Wait()
		}
	}
	g.drain()
}

// hashFile hashes the next bytes from the file; mu is held, and let go meanwhile.
func (g *Stage) hashFile(reach int64) {
	h := &g.hashing
	if h.scratch == nil {
		h.scratch = make([]byte, bufferBytes)
	}
	data, at := h.scratch[:min(bufferBytes, reach-h.hashed)], h.hashed
	// What is put meanwhile must not be taken for what follows at.
	h.queued += int64(len(data))
	g.mu.Unlock()
	_, err := g.file.ReadAt(data, at)
	if err == nil {
		g.digest(data)
	}
	g.mu.Lock()
	h.queued -= int64(len(data))
	if errors.Is(err, io.EOF) {
		err = errors.New("the file was cut while it was written")
	}
	if err != nil {
		g.fail(disk(g.path, err))
		return
	}
	g.advance(int64(len(data)))
}

// advance counts what was hashed, unless hashing has to go back anyway.
func (g *Stage) advance(n int64) {
	h := &g.hashing
	h.hashed += n
	if h.back < 0 && h.hashed-h.checkpoints[len(h.checkpoints)-1].at >= checkpointBytes {
		if err := h.mark(); err != nil {
			g.fail(err)
		}
	}
	if h.hashed-h.saved >= saveBytes || time.Since(h.savedAt) >= saveEvery {
		g.save()
	}
	g.changed.Broadcast()
}

// goBack takes up the last state that is not beyond h.back.
func (g *Stage) goBack() {
	h := &g.hashing
	g.drain()
	last := len(h.checkpoints) - 1
	for last > 0 && h.checkpoints[last].at > h.back {
		last--
	}
	h.checkpoints, h.back = h.checkpoints[:last+1], -1
	if err := h.restore(h.checkpoints[last]); err != nil {
		g.fail(err)
	}
	g.changed.Broadcast()
}

// drain gives back the buffers that wait.
func (g *Stage) drain() {
	h := &g.hashing
	for _, p := range h.queue {
		p.buffer.Release()
		h.queued -= int64(p.n)
	}
	h.queue = nil
	g.changed.Broadcast()
}

// Discard forgets a part that was written, as it is not what was wanted: it is
// missing again.
func (g *Stage) Discard(from, to int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.overwrite(from, to)
}

// rewind has hashing go back to an offset, if it is beyond it; mu is held.
func (g *Stage) rewind(to int64) {
	h := &g.hashing
	if to >= h.hashed+h.queued {
		return
	}
	if h.back < 0 || to < h.back {
		h.back = to
	}
	if h.done == nil {
		g.goBack()
	}
	g.changed.Broadcast()
}

// settle waits until all that was written is hashed, or ctx ends; mu is held.
func (g *Stage) settle(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.changed.Broadcast()
	})()
	h := &g.hashing
	for g.failed == nil && (h.back >= 0 || h.hashed < g.written.reach(0)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if h.done == nil { // hashed by who writes, but after a Discard
			g.hashFile(g.written.reach(h.hashed))
			continue
		}
		g.changed.Wait()
	}
	return g.failed
}

// halt ends the goroutine.
func (g *Stage) halt() {
	g.mu.Lock()
	done := g.hashing.done
	g.hashing.stop, g.hashing.done = true, nil
	g.changed.Broadcast()
	g.mu.Unlock()
	if done != nil {
		<-done
	}
}
