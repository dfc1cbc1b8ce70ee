package testrepo

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"assay/artifact"
)

// content is what a file holds. It may be opened many times at once.
type content interface {
	size() int64
	open() io.ReadSeeker
}

// memory is content that is held.
type memory []byte

func (m memory) size() int64         { return int64(len(m)) }
func (m memory) open() io.ReadSeeker { return bytes.NewReader(m) }

// stream is content that is computed while it is read: the AES-CTR key stream
// of a key made of the seed. It can be entered at any offset, does not
// compress, and costs less to make than to hash.
type stream struct {
	seed   uint64
	length int64
}

func (s stream) size() int64         { return s.length }
func (s stream) open() io.ReadSeeker { return &streamReader{of: s} }

// streamReader reads a stream; its key stream is made anew after each Seek.
type streamReader struct {
	of     stream
	at     int64
	cipher cipher.Stream
}

func (r *streamReader) Read(p []byte) (int, error) {
	left := r.of.length - r.at
	if left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), left)]
	if r.cipher == nil {
		if err := r.enter(); err != nil {
			return 0, err
		}
	}
	clear(p)
	r.cipher.XORKeyStream(p, p)
	r.at += int64(len(p))
	return len(p), nil
}

// enter starts the key stream at r.at.
func (r *streamReader) enter() error {
	seed := binary.BigEndian.AppendUint64([]byte("assay test stream "), r.of.seed)
	key := sha256.Sum256(seed)
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		return fmt.Errorf("testrepo: make a stream: %w", err)
	}
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(r.at/aes.BlockSize))
	r.cipher = cipher.NewCTR(block, counter[:])
	skip := make([]byte, r.at%aes.BlockSize)
	r.cipher.XORKeyStream(skip, skip)
	return nil
}

func (r *streamReader) Seek(offset int64, whence int) (int64, error) {
	at, err := seekTo(offset, whence, r.at, r.of.length)
	if err != nil {
		return 0, err
	}
	r.at, r.cipher = at, nil
	return at, nil
}

var errSeek = errors.New("testrepo: seek to an impossible offset")

// seekTo computes the absolute offset that the arguments of Seek mean.
func seekTo(offset int64, whence int, at, size int64) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += at
	case io.SeekEnd:
		offset += size
	default:
		return 0, errSeek
	}
	if offset < 0 {
		return 0, errSeek
	}
	return offset, nil
}

// digestsOf hashes content with every algorithm, in one pass.
func digestsOf(c content, algorithms []artifact.Algorithm) (artifact.Digests, error) {
	hashes := make([]io.Writer, len(algorithms))
	sums := make([]func() artifact.Digest, len(algorithms))
	for i, a := range algorithms {
		h := a.New()
		hashes[i], sums[i] = h, func() artifact.Digest { return artifact.SumOf(a, h) }
	}
	buffer := make([]byte, min(256<<10, c.size()+1)) // most content is small, and there is much of it
	if _, err := io.CopyBuffer(io.MultiWriter(hashes...), onlyReader{c.open()}, buffer); err != nil {
		return nil, fmt.Errorf("testrepo: hash content: %w", err)
	}
	var list []artifact.Digest
	for _, sum := range sums {
		list = append(list, sum())
	}
	return artifact.NewDigests(list...)
}

// onlyReader hides WriteTo, which would ignore the buffer.
type onlyReader struct{ io.Reader }
