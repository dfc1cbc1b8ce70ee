package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"assay/trust"
)

// Request asks for a file, or for a part of it.
type Request struct {
	URL   *url.URL
	Reach Reach
	// From and To are the first byte wanted and the one behind the last; To 0:
	// to the end of the file.
	From, To int64
	// Validator is a strong ETag of the file that a part must belong to (RFC
	// 9110, 13.1.5): where the file has changed, the answer is the whole of it.
	Validator string
	// Authorization is sent as the header of that name, to the host of URL alone.
	Authorization string
	// Small chooses the transport for many small files.
	Small bool
}

// part reports whether less than the whole file is asked for.
func (r Request) part() bool { return r.From > 0 || r.To > 0 }

// Answer is an opened file at a source.
type Answer struct {
	Body        io.ReadCloser
	From        int64  // the byte of the file that Body begins with: that asked for, or 0
	To          int64  // the byte behind the last of Body; 0: not announced
	Total       int64  // bytes of the whole file; -1: not announced
	Validator   string // a strong ETag; empty: there is none
	ContentType string
	URL         string // without credentials and query
	Proxy       string
}

// Source names the source, and the proxy in between: it may be the proxy that
// sent something else.
func (a *Answer) Source() string {
	if a.Proxy == "" {
		return a.URL
	}
	return fmt.Sprintf("%s (through the proxy %s)", a.URL, a.Proxy)
}

// Open begins to read. Closing the body frees what it holds. An answer "there is
// none" (404, 403, 410, no such file) is fs.ErrNotExist, a part of the file other
// than that asked for ErrRange.
func (e *Engine) Open(ctx context.Context, r Request) (*Answer, error) {
	switch r.URL.Scheme {
	case "http", "https":
		return e.openHTTP(context.WithValue(ctx, routeKey{}, route{r.Reach, r.Small}), r)
	case "file":
		if !r.Reach.Local {
			return nil, &SourceError{URL: Shown(r.URL), Detail: "cannot ask", Err: errLocal}
		}
		return openFile(r)
	default:
		return nil, &SourceError{URL: Shown(r.URL), Detail: fmt.Sprintf("expected http, https or file, found %.40q", r.URL.Scheme)}
	}
}

func (e *Engine) openHTTP(ctx context.Context, r Request) (*Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := e.newRequest(ctx, r)
	if err != nil {
		cancel(nil)
		return nil, &SourceError{URL: Shown(r.URL), Detail: "expected a URL that can be asked for"}
	}
	a := &Answer{URL: Shown(r.URL)}
	proxy, err := e.options.Proxy(request)
	if err != nil { // its text holds the proxy's URL, password and all
		cancel(nil)
		return nil, &SourceError{URL: a.URL, Detail: "cannot ask: the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) is not a URL"}
	}
	if proxy != nil {
		a.Proxy = proxy.Scheme + "://" + proxy.Host
	}
	response, err := e.client.Do(request)
	if err != nil {
		err = a.failed(ctx, err)
		cancel(nil)
		return nil, err
	}
	a.Body = newIdleBody(ctx, cancel, response.Body, e.options.Idle)
	if err := a.readHead(r, response); err != nil {
		a.Body.Close()
		return nil, err
	}
	return a, nil
}

func (e *Engine) newRequest(ctx context.Context, r Request) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", e.options.UserAgent)
	// Not even "deflate, if you must": what is not announced is not unpacked.
	request.Header.Set("Accept-Encoding", "identity")
	if !r.part() {
		return request, nil
	}
	last := ""
	if r.To > 0 {
		last = strconv.FormatInt(r.To-1, 10)
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-%s", r.From, last))
	if r.Validator != "" {
		request.Header.Set("If-Range", r.Validator)
	}
	return request, nil
}

// failed explains why there was no answer. Where it was the caller who gave up,
// that is the error; where nothing answered, it is trust.ErrNoAnswer, too.
func (a *Answer) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errIdle) {
		return cause
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // its URL may hold a password
	}
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return &SourceError{URL: a.URL, Proxy: a.Proxy, Detail: "expected a certificate of an authority that this machine trusts", Err: err}
	case errors.Is(err, errLocal): // before what it is wrapped in: the dialler's error
		return &SourceError{URL: a.URL, Proxy: a.Proxy, Detail: "cannot ask", Err: errLocal}
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &SourceError{URL: a.URL, Proxy: a.Proxy, Err: fmt.Errorf("%w: %w", trust.ErrNoAnswer, err)}
	}
	return &SourceError{URL: a.URL, Proxy: a.Proxy, Detail: "no usable answer", Err: err}
}

// readHead reads status and headers, and refuses what is not an answer to r.
func (a *Answer) readHead(r Request, response *http.Response) error {
	a.ContentType = response.Header.Get("Content-Type")
	if tag := response.Header.Get("ETag"); strings.HasPrefix(tag, `"`) && len(tag) <= maxValidator {
		a.Validator = tag
	}
	status := statusText(response.StatusCode)
	switch code := response.StatusCode; {
	case code == http.StatusNotFound, code == http.StatusForbidden, code == http.StatusGone:
		return a.refuse("the source answers "+status, fs.ErrNotExist)
	case code == http.StatusRequestedRangeNotSatisfiable && r.part():
		return a.refuse("the source answers "+status, ErrRange)
	case code == http.StatusPartialContent && r.part():
		if err := a.readRange(r, response); err != nil {
			return err
		}
	case code == http.StatusOK:
		a.Total = response.ContentLength
		a.To = max(a.Total, 0)
	default:
		return a.refuse("expected 200 OK, found "+status, &StatusError{Code: code, After: retryAfter(response.Header.Get("Retry-After"), time.Now())})
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return a.refuse(fmt.Sprintf("expected the bytes as they are, found Content-Encoding %.40q", encoding), nil)
	}
	return nil
}

// maxValidator is the longest ETag that is kept, in bytes; a longer one is as none.
const maxValidator = 256

func (a *Answer) refuse(detail string, err error) error {
	return &SourceError{URL: a.URL, Proxy: a.Proxy, Detail: detail, Err: err}
}

// readRange compares the part that a 206 announces with the one asked for. A
// source may give less at the end, not other bytes.
func (a *Answer) readRange(r Request, response *http.Response) error {
	text := response.Header.Get("Content-Range")
	first, last, total, ok := parseRange(text)
	wrong := !ok || first != r.From || last < first || r.To > 0 && last >= r.To || total >= 0 && last >= total
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
	return nil
}

// parseRange reads "bytes FIRST-LAST/TOTAL" (RFC 9110, 14.4); total is -1 for "*".
func parseRange(text string) (first, last, total int64, ok bool) {
	rest, ok := strings.CutPrefix(text, "bytes ")
	span, size, slash := strings.Cut(rest, "/")
	from, to, dash := strings.Cut(span, "-")
	if !ok || !slash || !dash {
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
// either, or lies in the past, is 0.
func retryAfter(text string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, most)
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(now), 0), most)
	}
	return 0
}
