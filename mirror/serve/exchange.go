package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"assay/mirror"
	"assay/mirror/tracing"
)

// exchange is a request and its response. It is the http.ResponseWriter of all that
// writes one, and keeps ReadFrom, without which no bytes go by sendfile.
type exchange struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	began  time.Time
	id     [1]string // as http.Header has it
	route  route
	client netip.Addr
	file   mirror.File
	size   int64 // of the response's body, or more
	status int   // 0: nothing was sent
	bytes  int64 // of the body
	who    string
	tally  *tally
	group  *tally        // of the product and channel; nil: it is of none
	first  time.Duration // from the request to the head of the answer
	err    error         // why it failed; it is logged, never sent
	span   *tracing.Span
}

// handle answers one request.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r, began: s.now(), client: clientOf(r.RemoteAddr), tally: s.count.other}
	x.id[0] = s.ids.next()
	h := w.Header()
	h["X-Request-Id"] = x.id[:]
	h["X-Content-Type-Options"] = valueNoSniff
	defer x.end()
	x.route = parse(r.URL.EscapedPath())
	if s.tracer != nil {
		x.trace()
	}
	if x.admit() {
		x.answer()
	}
}

// trace has the tracer told of the request.
func (x *exchange) trace() {
	ctx, span := x.s.tracer.Start(x.r.Context(), "request")
	span.Text("http.request.method", methodOf(x.r))
	span.Text("http.route", string(x.route.kind))
	span.Text("request.id", x.id[0])
	x.r, x.span = x.r.WithContext(ctx), span
}

// ended tells the tracer what became of the request.
func (x *exchange) ended(cut bool) {
	x.span.Number("http.response.status_code", int64(x.status))
	x.span.Number("http.response.body.size", x.bytes)
	if x.tally != x.s.count.other {
		x.span.Text("repository", x.tally.repository)
	}
	if err := x.err; err != nil {
		x.span.End(err)
	} else if cut {
		x.span.End(errCut)
	} else {
		x.span.End(nil)
	}
}

// errCut: the answer did not come to its end.
var errCut = errors.New("cut")

// admit refuses what needs no look at the library.
func (x *exchange) admit() bool {
	if x.r.ContentLength != 0 {
		// No request has a body. What stands there is not read: it might be the next
		// request of somebody else, whom a proxy counts otherwise (request smuggling).
		x.w.Header()["Connection"] = valueClose
		// The library would read on politely, for as long as it drips.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Unix(1, 0)) // where there is none, nothing drips
	}
	if !x.route.kind.probe() {
		if wait, ok := x.s.clients.take(x.client, x.began); !ok {
			x.retry(http.StatusTooManyRequests, wait, "too many requests from this address")
			return false
		}
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		x.w.Header()["Allow"] = valueAllow
		x.say(http.StatusMethodNotAllowed, "only GET and HEAD")
		return false
	}
	switch {
	case x.r.ContentLength != 0:
		x.say(http.StatusBadRequest, "expected a request without a body")
		return false
	case x.route.kind == kindMalformed:
		x.say(http.StatusBadRequest, "malformed path")
		return false
	case x.route.kind == kindLong:
		x.say(http.StatusRequestURITooLong, "the path is too long")
		return false
	}
	if tokens := x.s.tokens.Load(); tokens != nil && !x.route.kind.probe() {
		name, ok := tokens.Holder(x.r.Header.Get("Authorization"))
		if !ok {
			x.w.Header()["Www-Authenticate"] = valueBearer
			x.say(http.StatusUnauthorized, "a bearer token is needed")
			return false
		}
		x.who = name
	}
	return true
}

// answer answers by the route.
func (x *exchange) answer() {
	switch x.route.kind {
	case kindFile:
		x.answerFile()
	case kindBlob:
		x.answerBlob()
	case kindStatus:
		x.answerStatus()
	case kindAttestations:
		x.answerAttestations()
	case kindLive:
		x.say(http.StatusOK, "alive")
	case kindReady:
		if x.err = x.s.library.Ready(); x.err != nil {
			x.say(http.StatusServiceUnavailable, "not ready")
			return
		}
		x.say(http.StatusOK, "ready")
	case kindStarted:
		if !x.s.started() {
			x.say(http.StatusServiceUnavailable, "starting")
			return
		}
		x.say(http.StatusOK, "started")
	case kindIndex:
		x.say(http.StatusOK, "A mirror of TUF repositories.\n\n/r/REPOSITORY/\n/r/REPOSITORY/status.json\n/blobs/sha256/HEX\n/attestations/sha256/HEX")
	default:
		x.say(http.StatusNotFound, "no such page")
	}
}

// Header, WriteHeader, Write and ReadFrom make it a response writer.

func (x *exchange) Header() http.Header { return x.w.Header() }

// WriteHeader gives the response its one deadline: whoever reads slower than the
// lowest rate is cut, however regularly it reads.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status, x.first = status, x.s.now().Sub(x.began)
		if d, ok := x.w.(interface{ SetWriteDeadline(time.Time) error }); ok {
			_ = d.SetWriteDeadline(x.s.limits.deadline(time.Now(), x.size)) // a connection that is gone has none
		}
	}
	if status >= 400 {
		x.w.Header()["Cache-Control"] = valueNoStore
	}
	x.w.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	n, err := x.w.Write(p)
	x.bytes += int64(n)
	return n, err
}

// ReadFrom is what makes sendfile possible in cleartext. TLS has to see the bytes.
func (x *exchange) ReadFrom(src io.Reader) (n int64, err error) {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if to, ok := x.w.(io.ReaderFrom); ok && x.r.TLS == nil {
		n, err = to.ReadFrom(src)
	} else {
		buffer := x.s.buffers.get()
		n, err = io.CopyBuffer(struct{ io.Writer }{x.w}, src, *buffer)
		x.s.buffers.put(buffer)
	}
	x.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// say sends a short text.
func (x *exchange) say(status int, text string) {
	h := x.w.Header()
	for _, name := range []string{"Etag", "Repr-Digest", "Link", "Accept-Ranges"} {
		delete(h, name)
	}
	h["Content-Type"] = valueText
	h["Cache-Control"] = valueNoStore
	h["Content-Length"] = []string{strconv.Itoa(len(text) + 1)}
	x.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		io.WriteString(x, text+"\n") // a client that is gone hears nothing
	}
}

// retry sends a short text, and when to come again.
func (x *exchange) retry(status int, wait time.Duration, text string) {
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	x.w.Header()["Retry-After"] = []string{strconv.FormatInt(seconds, 10)}
	x.say(status, text)
}

// end closes the account of a request. A panic is one request's end, not the
// process's.
func (x *exchange) end() {
	failed := recover()
	if failed != nil {
		x.s.log.Error("a request panicked", "id", x.id[0], "route", string(x.route.kind), "panic", failed, "stack", string(debug.Stack()))
		if x.status == 0 {
			x.say(http.StatusInternalServerError, "internal error")
			failed = nil
		}
	}
	cut := failed != nil || x.status == 0 || x.err != nil && x.status < 400
	x.tally.add(x.status, cut, x.bytes, x.first)
	x.group.add(x.status, cut, x.bytes, x.first)
	x.logged(cut)
	x.ended(cut)
	if cut {
		panic(http.ErrAbortHandler) // the connection ends, so that nobody takes the part for the whole
	}
}

// logged writes the request's line.
func (x *exchange) logged(cut bool) {
	level := slog.LevelDebug
	if x.status >= 500 || x.err != nil && !gone(x.r.Context(), x.err) {
		level = slog.LevelWarn
	}
	if !x.s.log.Enabled(x.r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", x.id[0]), slog.String("method", methodOf(x.r)), slog.String("route", string(x.route.kind)), slog.Int("status", x.status),
		slog.Int64("bytes", x.bytes), slog.Duration("took", x.s.now().Sub(x.began)), slog.String("client", x.client.String()),
	}
	if x.tally != x.s.count.other {
		attrs = append(attrs, slog.String("repository", x.tally.repository))
	}
	if x.who != "" {
		attrs = append(attrs, slog.String("token", x.who))
	}
	if cut {
		attrs = append(attrs, slog.Bool("cut", true))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	x.s.log.LogAttrs(x.r.Context(), level, "request", attrs...)
}

// methodOf is a method that is one of ours, as others are any text.
func methodOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.Method
	}
	return "other"
}

// gone reports whether an error is the client's: it left, or read too slowly.
func gone(ctx context.Context, err error) bool {
	var network *net.OpError
	return ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &network)
}
