package testrepo

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// errGone ends an answer whose client has gone away.
var errGone = errors.New("testrepo: the client is gone")

// alteration is what a fault does to a file's content.
type alteration struct {
	size int64 // length after the change; what is added is full stops
	flip int64 // offset of the byte that is changed, negative for none
}

// altered is content after a fault.
type altered struct {
	of content
	alteration
}

func (a altered) size() int64 { return a.alteration.size }
func (a altered) open() io.ReadSeeker {
	return &alteredReader{of: a, base: a.of.open()}
}

type alteredReader struct {
	of   altered
	base io.ReadSeeker
	at   int64
}

func (r *alteredReader) Read(p []byte) (int, error) {
	left := r.of.size() - r.at
	if left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), left)]
	if kept := r.of.of.size() - r.at; kept > 0 {
		n, err := r.base.Read(p[:min(int64(len(p)), kept)])
		if err != nil {
			return n, err
		}
		p = p[:n]
	} else {
		for i := range p {
			p[i] = '.'
		}
	}
	if i := r.of.flip - r.at; i >= 0 && i < int64(len(p)) {
		p[i] ^= 1
	}
	r.at += int64(len(p))
	return len(p), nil
}

func (r *alteredReader) Seek(offset int64, whence int) (int64, error) {
	at, err := seekTo(offset, whence, r.at, r.of.size())
	if err != nil {
		return 0, err
	}
	if _, err := r.base.Seek(min(at, r.of.of.size()), io.SeekStart); err != nil {
		return 0, err
	}
	r.at = at
	return at, nil
}

// flush sends what is buffered. An error needs no care: the next write meets it.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// cuttingWriter closes the connection once left bytes are sent.
type cuttingWriter struct {
	http.ResponseWriter
	left int64
}

func (w *cuttingWriter) Write(p []byte) (int, error) {
	if int64(len(p)) <= w.left {
		w.left -= int64(len(p))
		return w.ResponseWriter.Write(p)
	}
	if _, err := w.ResponseWriter.Write(p[:w.left]); err != nil {
		return 0, err
	}
	flush(w.ResponseWriter)
	panic(http.ErrAbortHandler) // net/http's own way to end a connection
}

// drippingWriter writes rate bytes a second.
type drippingWriter struct {
	http.ResponseWriter
	gone <-chan struct{}
	rate int
}

func (w *drippingWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+max(1, w.rate/20))]
		n, err := w.ResponseWriter.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		flush(w.ResponseWriter)
		// A slow network is slow in real time, whatever clock the repository has.
		pause := time.NewTimer(time.Duration(n) * time.Second / time.Duration(w.rate))
		select {
		case <-pause.C:
		case <-w.gone:
			pause.Stop()
			return written, errGone
		}
	}
	return written, nil
}

// holdingWriter sends left bytes and waits for the release before the next.
type holdingWriter struct {
	http.ResponseWriter
	gone <-chan struct{}
	hold *Holding
	left int64
	past bool // the wait is over
}

func (w *holdingWriter) Write(p []byte) (int, error) {
	if w.past || int64(len(p)) <= w.left {
		w.left -= int64(len(p))
		return w.ResponseWriter.Write(p)
	}
	n, err := w.ResponseWriter.Write(p[:w.left])
	if err != nil {
		return n, err
	}
	flush(w.ResponseWriter)
	w.hold.reached()
	select {
	case <-w.hold.released:
	case <-w.gone:
		return n, errGone
	}
	w.past = true
	rest, err := w.ResponseWriter.Write(p[n:])
	return n + rest, err
}
