package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// readRange compares the part that a 206 announces with the one asked for. A
// source may give less at the end, not other bytes.
func (a *Answer) readRange(r Request, response *http.Response) error {
	text := strings.Join(response.Header.Values("Content-Range"), ", ") // two are none
	first, last, total, ok := parseRange(text)
	wrong := !ok || strings.HasPrefix(strings.ToLower(a.ContentType), "multipart/byteranges") || first != r.From || last < first || r.To > 0 && last >= r.To || total >= 0 && last >= total
	if length := response.ContentLength; length >= 0 && length != last-first+1 {
		wrong = true
	}
	if wrong {
		until := "the end"
		if r.To > 0 {
			until = strconv.FormatInt(r.To-1, 10)
		}
		return a.refuse(fmt.Sprintf("expected the bytes from %d to %s, found Content-Range %.80q and %d bytes", r.From, until, text, response.ContentLength), ErrRange)
	}
	a.From, a.To, a.Total = first, last+1, total
	if response.ContentLength < 0 { // else Go's client holds it to its length
		a.Body = &exactBody{ReadCloser: a.Body, left: a.To - a.From}
	}
	return nil
}

// exactBody is as long as was announced, or ends with an error.
type exactBody struct {
	io.ReadCloser
	left int64
}

func (b *exactBody) Read(p []byte) (int, error) {
	if b.left > 0 {
		p = p[:min(int64(len(p)), b.left)]
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case b.left == 0 && n > 0:
		return 0, fmt.Errorf("%w: expected its end, found more bytes", ErrRange)
	case errors.Is(err, io.EOF) && int64(n) < b.left:
		err = io.ErrUnexpectedEOF
	}
	b.left -= int64(n)
	return n, err
}

// isStrong reports whether text is a strong ETag (RFC 9110, 8.8.3) of plain
// letters, that can be sent back; a longer one than maxValidator is as none.
func isStrong(text string) bool {
	inner, ok := strings.CutPrefix(text, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	return ok && closed && len(text) <= maxValidator &&
		!strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' })
}

// maxValidator is the longest ETag that is kept, in bytes.
const maxValidator = 256

// parseRange reads "bytes FIRST-LAST/TOTAL" (RFC 9110, 14.4); total is -1 for "*".
func parseRange(text string) (first, last, total int64, ok bool) {
	rest, ok := strings.CutPrefix(text, "bytes ")
	span, size, _ := strings.Cut(rest, "/") // what is lacking is no number
	from, to, _ := strings.Cut(span, "-")
	if !ok {
		return 0, 0, 0, false
	}
	numbers := []string{from, to, size}
	var values [3]int64
	for i, text := range numbers {
		if i == 2 && text == "*" {
			values[i] = -1
			continue
		}
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return 0, 0, 0, false
		}
		values[i] = int64(n)
	}
	return values[0], values[1], values[2], true
}

// retryAfter reads a Retry-After: seconds, or a date. What does not read as
// either, or lies in the past, is 0; no more than a day is believed.
func retryAfter(text string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	switch seconds, err := strconv.ParseUint(text, 10, 31); {
	case err == nil:
		return min(time.Duration(seconds)*time.Second, most)
	case errors.Is(err, strconv.ErrRange):
		return most
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(now), 0), most)
	}
	return 0
}
