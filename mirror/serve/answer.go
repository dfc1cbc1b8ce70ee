package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"assay/mirror"
	"assay/mirror/storage"
)

func (x *exchange) answerFile() {
	f, err := x.lookup()
	if !errors.Is(err, mirror.ErrNoRepository) {
		x.tally = x.s.count.of(x.route.repository)
	}
	x.answerFound(f, err)
}

// lookup finds the file that is asked for.
func (x *exchange) lookup() (mirror.File, error) {
	_, span := x.s.tracer.Start(x.r.Context(), "lookup")
	f, err := x.s.library.Find(x.route.repository, x.route.name)
	if x.route.other != "" && errors.Is(err, mirror.ErrNoFile) {
		if other, err2 := x.s.library.Find(x.route.repository, x.route.other); err2 == nil {
			f, err = other, nil
		}
	}
	if err == nil {
		span.Text("file", f.Name)
	}
	span.End(err)
	return f, err
}

// open opens the file that was found, which may have to be fetched.
func (x *exchange) open() (storage.Object, error) {
	ctx, span := x.s.tracer.Start(x.r.Context(), "open")
	o, err := x.s.library.Open(ctx, x.file)
	span.End(err)
	return o, err
}

func (x *exchange) answerBlob() {
	f, err := x.s.library.Blob(x.route.digest)
	if err == nil {
		f.Immutable = true // by this name, whatever others it has
		x.tally = x.s.count.of(f.Repository)
	}
	x.answerFound(f, err)
}

// answerFound sends a file, or what became of it.
func (x *exchange) answerFound(f mirror.File, err error) {
	x.group = x.s.count.ofRelease(&f)
	if err != nil {
		x.refuse(err)
		return
	}
	x.file, x.size = f, f.Length
	if x.r.Method == http.MethodHead {
		// A range is for GET alone (RFC 9110, section 14.2). Nothing is opened, so that
		// asking about a file fetches none.
		x.r.Header.Del("Range")
		x.sendHead(fixedOf(&x.file))
		return
	}
	if f.Length <= maxSmall {
		x.sendSmall()
		return
	}
	x.sendLarge()
}

// sendHead answers HEAD, and as GET would as to conditions.
func (x *exchange) sendHead(known *fixed) {
	if x.unchanged(known) {
		return
	}
	h := x.w.Header()
	setFile(h, &x.file, known)
	if len(x.r.Header["If-Match"]) > 0 {
		http.ServeContent(x, x.r, "", time.Time{}, &sized{x.file.Length})
		return
	}
	h["Content-Length"] = known.length
	x.WriteHeader(http.StatusOK)
}

// sized is content of which nothing but the size is ever asked.
type sized struct{ length int64 }

func (s *sized) Read([]byte) (int, error) { return 0, io.EOF }

func (s *sized) Seek(_ int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		return s.length, nil
	}
	return 0, nil
}

// sendSmall sends an object from memory, with its headers in one piece where it
// fits.
func (x *exchange) sendSmall() {
	item := x.s.memory.get(x.file.Digests.Primary())
	if item != nil {
		x.tally.hits.Add(1)
	} else {
		if item = x.remember(); item == nil {
			return
		}
	}
	if x.unchanged(item.headers) {
		return
	}
	h := x.w.Header()
	setFile(h, &x.file, item.headers)
	if x.special() {
		x.serveSpecial(bytes.NewReader(item.body))
		return
	}
	h["Content-Length"] = item.headers.length
	x.WriteHeader(http.StatusOK)
	_, x.err = x.Write(item.body)
}

// remember brings a small object to memory; nil: it was refused.
func (x *exchange) remember() *small {
	o, err := x.open()
	if err != nil {
		x.refuse(err)
		return nil
	}
	defer o.Close()
	item, err := readSmall(o, &x.file)
	if err != nil {
		x.refuse(err)
		return nil
	}
	return x.s.memory.put(x.file.Digests.Primary(), item)
}

// sendLarge sends an object from where it lies.
func (x *exchange) sendLarge() {
	known := fixedOf(&x.file)
	if x.unchanged(known) {
		return
	}
	o, err := x.open()
	if err != nil {
		x.refuse(err)
		return
	}
	defer o.Close()
	if err := x.measure(o); err != nil {
		x.refuse(err)
		return
	}
	h := x.w.Header()
	setFile(h, &x.file, known)
	if x.special() {
		x.serveSpecial(o)
		return
	}
	h["Content-Length"] = known.length
	x.WriteHeader(http.StatusOK)
	n, err := x.ReadFrom(io.LimitReader(o, x.file.Length))
	if err == nil && n < x.file.Length {
		err = fmt.Errorf("%w: expected %d bytes, found %d", errDamaged, x.file.Length, n)
	}
	x.err = err
}

// measure compares the object's length with the promised one, before anything is
// sent that would have to be cut.
func (x *exchange) measure(o io.Seeker) error {
	size, err := o.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = o.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", storage.ErrDisk, err)
	}
	if size != x.file.Length {
		return fmt.Errorf("%w: expected %d bytes, found %d", errDamaged, x.file.Length, size)
	}
	return nil
}

// special reports whether more is asked than the whole file.
func (x *exchange) special() bool {
	return len(x.r.Header["Range"]) > 0 || len(x.r.Header["If-Match"]) > 0
}

// serveSpecial answers what has ranges or conditions, by the HTTP library, once
// the ranges are known to be few.
func (x *exchange) serveSpecial(content io.ReadSeeker) {
	if !fewRanges(x.r.Header["Range"], x.file.Length, x.s.limits.MaxRanges) {
		x.size = 0
		x.w.Header()["Content-Range"] = []string{"bytes */" + strconv.FormatInt(x.file.Length, 10)} // RFC 9110, section 15.5.17
		x.say(http.StatusRequestedRangeNotSatisfiable, "too many ranges, or ranges that overlap")
		return
	}
	http.ServeContent(x, x.r, "", time.Time{}, content)
}

// unchanged answers a client that has the file already.
func (x *exchange) unchanged(known *fixed) bool {
	if len(x.r.Header["If-None-Match"]) == 0 || len(x.r.Header["If-Match"]) > 0 {
		return false // If-Match comes first (RFC 9110, section 13.2.2)
	}
	for _, line := range x.r.Header["If-None-Match"] {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == known.etag[0] {
				setFile(x.w.Header(), &x.file, known)
				x.w.Header().Del("Content-Type")
				x.size = 0
				x.WriteHeader(http.StatusNotModified)
				return true
			}
		}
	}
	// What is left of it must not be judged twice.
	x.r.Header.Del("If-None-Match")
	return false
}

// refuse tells why a file is not served, as far as it is anybody's business.
func (x *exchange) refuse(err error) {
	x.size = 0
	switch {
	case errors.Is(err, mirror.ErrNoRepository):
		x.say(http.StatusNotFound, "no such repository")
	case errors.Is(err, mirror.ErrNoFile):
		x.say(http.StatusNotFound, "no such file")
	case errors.Is(err, mirror.ErrNotCarried):
		x.say(http.StatusNotFound, "promised upstream, not carried by this mirror")
	case errors.Is(err, mirror.ErrQuarantined):
		x.say(http.StatusNotFound, "in quarantine on this mirror")
	case errors.Is(err, mirror.ErrNotReady):
		x.retry(http.StatusServiceUnavailable, 10*time.Second, "nothing was proven of this repository yet")
	case errors.Is(err, mirror.ErrExpired):
		x.retry(http.StatusServiceUnavailable, time.Minute, "the metadata has expired")
	case errors.Is(err, mirror.ErrAbsent), errors.Is(err, storage.ErrMissing), errors.Is(err, errDamaged):
		x.err = err
		x.retry(http.StatusServiceUnavailable, 10*time.Second, "not held at the moment")
	case x.r.Context().Err() != nil && errors.Is(err, context.Canceled):
		x.err = err // nobody is left to hear
	default:
		x.err = err
		x.say(http.StatusInternalServerError, "internal error")
	}
}
