package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/durable"
)

const (
	// saveBytes and saveEvery are how often the record is written: what a crash
	// costs at most.
	saveBytes = 64 << 20
	saveEvery = time.Second
	// resumeFormat is the version of the record.
	resumeFormat = 1
	// The bounds of a record; one beyond them is as none.
	maxResumeBytes   = 1 << 20
	maxResumeSpans   = 4096
	maxResumeOrigins = 256
)

// Earlier begins the names of origins whose bytes an earlier stage has written: what
// became of the file since is another question than who sent them.
const Earlier = "earlier: "

// resumeRecord says what is in a partial file. It is a note of this machine's, no
// proof: what it says decides which bytes are fetched, and the digest decides
// whether they were right. A state of the hashes is used in the boot that it was
// written in, as the file has then what was written to it; after another the
// bytes are hashed again. Who can write to the cache's folder can plant both a
// partial file and a state that does not belong to it; so could they plant a blob.
type resumeRecord struct {
	Format  int              `json:"format"`
	Boot    string           `json:"boot,omitempty"` // empty: not known
	Length  int64            `json:"length"`
	Want    artifact.Digests `json:"want"`
	Spans   [][3]int64       `json:"spans"` // from, to, origin
	Origins []string         `json:"origins"`
	Hashed  int64            `json:"hashed"`
	States  [][]byte         `json:"states"` // in the order of Want
}

func (g *Stage) resumePath() string { return g.path[:len(g.path)-len(partSuffix)] + resumeSuffix }

// save writes the record, beside the one before, and renames it over that; mu is
// held, or nobody else is there. It is not synced: a record that the disk lost, or
// kept only half of, is as none, and one that is newer than the bytes is of
// another boot. That it can't be written costs no more than a crash would: the one
// before still tells the truth, as overwrite removes it before what it tells of is
// written to.
func (g *Stage) save() {
	h := &g.hashing
	h.saved, h.savedSize, h.savedAt = h.hashed, g.written.size(), time.Now()
	if h.back >= 0 || len(g.written) > maxResumeSpans || len(g.origins) > maxResumeOrigins {
		return
	}
	r := resumeRecord{Format: resumeFormat, Boot: bootID(), Length: g.length, Want: g.want, Origins: g.origins, Hashed: h.hashed}
	for _, s := range g.written {
		r.Spans = append(r.Spans, [3]int64{s.From, s.To, int64(s.Origin)})
	}
	here := hashing{digests: h.digests, hashed: h.hashed}
	if here.mark() != nil {
		return
	}
	r.States = here.checkpoints[0].states
	text, err := json.Marshal(r)
	if err != nil {
		return
	}
	fresh := g.resumePath() + newSuffix
	g.recorded = true
	if err := os.WriteFile(fresh, text, 0o600); err == nil {
		err = os.Rename(fresh, g.resumePath())
		if err == nil {
			return
		}
	}
	os.Remove(fresh)
}

// overwrite makes a part missing that is about to be written anew; mu is held. The
// record goes first: it says what is there, and has the state of the hashes, so
// that a crash behind it would have the next stage believe in bytes that are no
// longer there.
func (g *Stage) overwrite(from, to int64) {
	for _, path := range []string{g.resumePath(), g.resumePath() + newSuffix} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.fail(disk(path, err))
			return
		}
	}
	// Crash here: a partial file without a record. The next stage begins anew.
	g.written = g.written.remove(from, to)
	g.rewind(from)
}

// resume takes up what an earlier stage left, if it can be relied on.
func (g *Stage) resume() bool {
	text, err := readRecord(g.resumePath())
	g.recorded = !errors.Is(err, fs.ErrNotExist)
	if err != nil {
		return false
	}
	r, err := decodeResume(text, g.want, g.length)
	if err != nil || len(r.Spans) == 0 {
		return false
	}
	file, err := openPart(g.path, r.Spans[len(r.Spans)-1][1])
	if err != nil {
		return false
	}
	// A length that nobody has promised was a source's word: another may know better.
	g.file = file
	for _, name := range r.Origins {
		g.origins = append(g.origins, Earlier+strings.TrimPrefix(name, Earlier))
	}
	for _, s := range r.Spans {
		g.written = g.written.add(Span{s[0], s[1], int(s[2])})
	}
	h := &g.hashing
	if boot := bootID(); boot == "" || r.Boot != boot || r.Hashed == 0 {
		return true
	}
	state := checkpoint{at: r.Hashed, states: r.States}
	if h.restore(state) != nil { // to begin with, then: that state is this process's own
		return h.restore(h.checkpoints[0]) == nil
	}
	h.checkpoints, h.taken = append(h.checkpoints, state), true
	h.saved = h.hashed
	return true
}

func readRecord(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("expected a regular file"))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxResumeBytes+1))
	if err == nil && len(text) > maxResumeBytes {
		err = fmt.Errorf("expected at most %d bytes, found more", maxResumeBytes)
	}
	return text, err
}

// decodeResume reads a record, and refuses one that is not of this blob, or that
// can't be.
func decodeResume(text []byte, want artifact.Digests, length int64) (resumeRecord, error) {
	var r resumeRecord
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return r, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("expected one record, found more")
	}
	switch {
	case r.Format != resumeFormat:
		return r, fmt.Errorf("expected format %d, found %d", resumeFormat, r.Format)
	case !sameDigests(r.Want, want):
		return r, errors.New("expected the record of another blob")
	case r.Length < -1 || length >= 0 && r.Length >= 0 && r.Length != length:
		return r, fmt.Errorf("expected a length of %d, found %d", length, r.Length)
	case len(r.Spans) > maxResumeSpans || len(r.Origins) > maxResumeOrigins:
		return r, errors.New("expected fewer spans")
	case len(r.States) != len(want):
		return r, fmt.Errorf("expected %d states, found %d", len(want), len(r.States))
	}
	if r.Length < 0 {
		r.Length = length
	}
	return r, r.checkSpans()
}

func (r *resumeRecord) checkSpans() error {
	at, reach := int64(0), int64(0)
	for _, s := range r.Spans {
		from, to, origin := s[0], s[1], s[2]
		if from < at || to <= from || r.Length >= 0 && to > r.Length || origin < 0 || origin >= max(int64(len(r.Origins)), 1) {
			return fmt.Errorf("expected spans in order, found %v after %d", s, at)
		}
		if from == reach {
			reach = to
		}
		at = to
	}
	if r.Hashed < 0 || r.Hashed > reach {
		return fmt.Errorf("expected at most %d hashed bytes, found %d", reach, r.Hashed)
	}
	return nil
}

func sameDigests(a, b artifact.Digests) bool {
	if len(a) != len(b) {
		return false
	}
	for _, d := range a {
		if other, ok := b.Of(d.Algorithm()); !ok || other != d {
			return false
		}
	}
	return true
}

// openPart opens a partial file that has at least so many bytes.
func openPart(path string, length int64) (*os.File, error) {
	before, err := os.Lstat(path)
	if err != nil || !before.Mode().IsRegular() || before.Size() < length {
		return nil, errors.Join(err, fmt.Errorf("expected a regular file of %d bytes", length))
	}
	file, err := os.OpenFile(path, os.O_RDWR|durable.NotPolled, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(before, info) {
		err = errors.New("the file was replaced while it was opened")
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
