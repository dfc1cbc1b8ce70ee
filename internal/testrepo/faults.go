package testrepo

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// fault is one kind of misbehaviour, for the paths that contain match. Exactly
// one of alter and answer is set.
type fault struct {
	match  string
	alter  func(size int64) alteration
	answer func(w http.ResponseWriter, q *http.Request, c content) // c is nil where there is no file
	stop   func()                                                  // ends what the fault holds up; may be nil
}

// is reports whether the fault is for a path: one that contains match, or ends
// with it where match ends with "$".
func (f *fault) is(path string) bool {
	if end, anchored := strings.CutSuffix(f.match, "$"); anchored {
		return strings.HasSuffix(path, end)
	}
	return strings.Contains(path, f.match)
}

// matching are the faults for a path, in the order set.
func matching(faults []*fault, path string) []*fault {
	var found []*fault
	for _, f := range faults {
		if f.is(path) {
			found = append(found, f)
		}
	}
	return found
}

func (s *Server) add(f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// Clear ends every fault and lets go what Hold holds. It does not Thaw.
func (s *Server) Clear() {
	s.mu.Lock()
	faults := s.faults
	s.faults = nil
	s.mu.Unlock()
	for _, f := range faults {
		if f.stop != nil {
			f.stop()
		}
	}
}

// In every fault below, pathPart selects the requests whose escaped path
// contains it, or ends with it where it ends with "$"; the empty string selects
// all. Faults that alter a file add up;
// of those that answer, the newest for a path wins. A file that does not exist
// stays 404 unless the fault says otherwise.

// FlipByte changes one bit of the byte in the middle of the file.
func (s *Server) FlipByte(pathPart string) {
	s.add(&fault{match: pathPart, alter: func(size int64) alteration {
		return alteration{size: size, flip: size / 2}
	}})
}

// Truncate serves the first half of the file as if that were all.
func (s *Server) Truncate(pathPart string) {
	s.add(&fault{match: pathPart, alter: func(size int64) alteration {
		return alteration{size: size / 2, flip: -1}
	}})
}

// Extend serves the file with 1024 bytes behind it, in a correct Content-Length.
func (s *Server) Extend(pathPart string) {
	s.add(&fault{match: pathPart, alter: func(size int64) alteration {
		return alteration{size: size + 1024, flip: -1}
	}})
}

// Replace serves these bytes instead of the file, or where there is none.
func (s *Server) Replace(pathPart string, data []byte) {
	data = bytes.Clone(data)
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		serveContent(w, q, memory(data))
	}})
}

// WrongLength declares one byte more in Content-Length than it sends, and ends
// the connection.
func (s *Server) WrongLength(pathPart string) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, c content) {
		if c == nil {
			honest(w, q, c)
			return
		}
		w.Header().Set("Content-Type", contentType(q.URL.Path))
		w.Header().Set("Content-Length", strconv.FormatInt(c.size()+1, 10))
		_, _ = io.Copy(w, c.open()) // the server sees the lack and closes
	}})
}

// HTML answers every request with 200 and a page, as captive portals do.
func (s *Server) HTML() {
	const page = "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head><body>Please sign in.</body></html>\n"
	s.add(&fault{answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}})
}

// Status answers with an HTTP status (400 to 599) and a short text.
func (s *Server) Status(pathPart string, code int) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		http.Error(w, http.StatusText(code), code)
	}})
}

// RequireToken answers 401 where a request does not have the token, as
// "Authorization: Bearer", and the file where it does.
func (s *Server) RequireToken(pathPart, token string) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, c content) {
		if q.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
			return
		}
		honest(w, q, c)
	}})
}

// Redirect sends the client to another URL, with 302.
func (s *Server) Redirect(pathPart, url string) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		http.Redirect(w, q, url, http.StatusFound)
	}})
}

// RedirectLoop sends the client back to the URL it asked for, for ever.
func (s *Server) RedirectLoop(pathPart string) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		http.Redirect(w, q, q.URL.EscapedPath(), http.StatusFound)
	}})
}

// Silent accepts every request and never answers, until the client goes or the
// server is closed.
func (s *Server) Silent() {
	s.add(&fault{answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		<-q.Context().Done()
		panic(http.ErrAbortHandler) // no answer at all, not an empty one
	}})
}

// Endless sends the file, if there is one, and goes on with zeros until the
// client goes. There is no Content-Length.
func (s *Server) Endless(pathPart string) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, c content) {
		w.Header().Set("Content-Type", contentType(q.URL.Path))
		if c != nil {
			if _, err := io.Copy(w, c.open()); err != nil {
				return
			}
		}
		zeros := make([]byte, 64<<10)
		for q.Method != http.MethodHead {
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
	}})
}

// Gzip answers with Content-Encoding gzip, whether or not the client takes it:
// about 1 MB that unpack to 1 GiB of zeros. Clients that decode silently see a
// bomb, the others the wrong bytes.
func (s *Server) Gzip(pathPart string) {
	s.add(&fault{match: pathPart, answer: func(w http.ResponseWriter, q *http.Request, _ content) {
		w.Header().Set("Content-Type", contentType(q.URL.Path))
		w.Header().Set("Content-Encoding", "gzip")
		member, err := zeroMember()
		for range 1024 {
			if err == nil {
				_, err = w.Write(member)
			}
		}
	}})
}

// zeroMember is a gzip member of 1 MiB of zeros. Members in a row are one valid
// gzip stream (RFC 1952, section 2.2), so that a bomb costs nothing to make.
func zeroMember() ([]byte, error) {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	if _, err := z.Write(make([]byte, 1<<20)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return member.Bytes(), nil
}

// Cut promises the whole file, and closes the connection after so many bytes
// of each answer's body.
func (s *Server) Cut(pathPart string, afterBytes int64) {
	s.add(&fault{match: pathPart, answer: through(func(w http.ResponseWriter, _ *http.Request, _ content) http.ResponseWriter {
		return &cuttingWriter{ResponseWriter: w, left: afterBytes}
	})})
}

// Drip serves the file, slowly: so many bytes a second, at least 1, and a
// little at a time.
func (s *Server) Drip(pathPart string, bytesPerSecond int) {
	s.add(&fault{match: pathPart, answer: through(func(w http.ResponseWriter, q *http.Request, _ content) http.ResponseWriter {
		return &drippingWriter{ResponseWriter: w, gone: q.Context().Done(), rate: max(1, bytesPerSecond)}
	})})
}

// Holding is what Hold returns.
type Holding struct {
	// Reached is closed when the first half of a file has been sent.
	Reached  <-chan struct{}
	reached  func()
	released chan struct{}
	release  func()
}

// Release lets the rest of the file, and of all that follow, pass. It may be
// called twice.
func (h *Holding) Release() { h.release() }

// Hold sends the first half of the file and holds the rest back until Release,
// Clear or Close, or until the client goes: time to interrupt it.
func (s *Server) Hold(pathPart string) *Holding {
	reached, released := make(chan struct{}), make(chan struct{})
	h := &Holding{
		Reached: reached, reached: sync.OnceFunc(func() { close(reached) }),
		released: released, release: sync.OnceFunc(func() { close(released) }),
	}
	s.add(&fault{match: pathPart, stop: h.release, answer: through(func(w http.ResponseWriter, q *http.Request, c content) http.ResponseWriter {
		return &holdingWriter{ResponseWriter: w, gone: q.Context().Done(), hold: h, left: c.size() / 2}
	})})
	return h
}

// through answers honestly, with the body of a file that exists passed through
// another writer.
func through(wrap func(http.ResponseWriter, *http.Request, content) http.ResponseWriter) func(http.ResponseWriter, *http.Request, content) {
	return func(w http.ResponseWriter, q *http.Request, c content) {
		if c != nil {
			w = wrap(w, q, c)
		}
		honest(w, q, c)
	}
}
