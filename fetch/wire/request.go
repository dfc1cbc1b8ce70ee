package wire

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request asks for a file, or for a part of it.
type Request struct {
	URL   *url.URL
	Reach Reach
	// From and To are the first byte wanted and the one behind the last; To 0:
	// to the end of the file.
	From, To int64
	// Validator is a strong ETag of the file that a part must belong to (RFC
	// 9110, 13.1.5): where the file has changed, or where this is no strong ETag,
	// the answer is the whole of it.
	Validator string
	// Authorization is the header of that name. It goes to the very origin of
	// URL alone, over TLS or to this machine; empty: what URL itself has, or what
	// is configured for its host.
	Authorization string
	// Small chooses the transport for many small files.
	Small bool

	pauses *pauses // counts our own; nil: nobody asks
	unless string  // a strong ETag: where the file still has it, it does not come; empty: it always does
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

	unchanged bool   // the file still has the ETag of Request.unless; Body is empty
	sent      string // where the credentials came from that were sent; empty: none were
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
	if r.From < 0 || r.To < 0 || r.To > 0 && r.To <= r.From {
		return nil, &SourceError{URL: Shown(r.URL), Detail: fmt.Sprintf("expected to be asked for a part, found one from %d to %d", r.From, r.To)}
	}
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
	a := &Answer{URL: Shown(r.URL)}
	response, err := e.ask(ctx, r, a)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	a.Body = newIdleBody(ctx, cancel, response.Body, e.options.Idle)
	if e.limiter != nil {
		a.Body = &limitedBody{a.Body, ctx, e.limiter, r.pauses}
	}
	if err := a.readHead(r, response); err != nil {
		a.Body.Close()
		return nil, err
	}
	return a, nil
}

// ask sends the request, and says in a what is known of it before the answer.
func (e *Engine) ask(ctx context.Context, r Request, a *Answer) (*http.Response, error) {
	request, err := e.newRequest(ctx, r)
	if err != nil {
		return nil, a.refuse("expected a URL that can be asked for", nil)
	}
	proxy, err := e.options.Proxy(request)
	if err != nil {
		return nil, a.refuse("cannot ask", errProxy)
	}
	if proxy != nil {
		a.Proxy = proxy.Scheme + "://" + proxy.Host
	}
	known, err := e.credentials(ctx, r, proxy)
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), a.refuse("cannot ask", err))
	}
	if a.sent = known.from; known.header != "" {
		request.Header.Set("Authorization", known.header)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return nil, a.failed(ctx, err)
	}
	return response, nil
}

func (e *Engine) newRequest(ctx context.Context, r Request) (*http.Request, error) {
	if r.pauses != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GetConn: func(string) { r.pauses.begin() },
			GotConn: func(httptrace.GotConnInfo) { r.pauses.end() },
		})
	}
	bare := *r.URL
	bare.User = nil // sent as what it is, and shown to no redirect
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, bare.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", e.options.UserAgent)
	// Not even "deflate, if you must": what is not announced is not unpacked.
	request.Header.Set("Accept-Encoding", "identity")
	if r.unless != "" {
		request.Header.Set("If-None-Match", r.unless)
	}
	if !r.part() || r.Validator != "" && !isStrong(r.Validator) {
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

// readHead reads status and headers, and refuses what is not an answer to r.
func (a *Answer) readHead(r Request, response *http.Response) error {
	a.ContentType = response.Header.Get("Content-Type")
	if tag := response.Header.Get("ETag"); isStrong(tag) {
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
	case code == http.StatusNotModified && r.unless != "":
		a.unchanged = true
	case code == http.StatusOK:
		a.Total = response.ContentLength
		a.To = max(a.Total, 0)
	case code == http.StatusUnauthorized:
		return a.refuse("expected 200 OK, found "+status+", "+a.told(), &StatusError{Code: code})
	default:
		return a.refuse("expected 200 OK, found "+status, &StatusError{Code: code, After: retryAfter(response.Header.Get("Retry-After"), time.Now())})
	}
	for _, encoding := range response.Header.Values("Content-Encoding") {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return a.refuse(fmt.Sprintf("expected the bytes as they are, found Content-Encoding %.40q", encoding), nil)
		}
	}
	return nil
}

// told says which credentials a source has refused.
func (a *Answer) told() string {
	if a.sent == "" {
		return "as no credentials are configured for it"
	}
	return "with the credentials of " + a.sent
}

func (a *Answer) refuse(detail string, err error) error {
	return &SourceError{URL: a.URL, Proxy: a.Proxy, Detail: detail, Err: err}
}
