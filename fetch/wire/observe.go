package wire

import (
	"context"
	"net/http"
	"time"
)

// Exchange is one request to a source, redirected ones too, as an observer is told
// of it.
type Exchange struct {
	Host   string // asked, with its port
	Began  time.Time
	Took   time.Duration // to the head of the answer, or to the failure
	Status int           // 0: no answer came
}

// Result says in a word what the source has answered: ok, not_modified, redirect,
// not_found, refused, error, or no_answer.
func (x Exchange) Result() string {
	status := x.Status
	switch {
	case status == 0:
		return "no_answer"
	case status == http.StatusNotModified:
		return "not_modified"
	case status < 300:
		return "ok"
	case status < 400:
		return "redirect"
	case status == http.StatusNotFound, status == http.StatusForbidden, status == http.StatusGone:
		return "not_found"
	case status < 500:
		return "refused"
	}
	return "error"
}

// observerKey is the key of an observer in a context.
type observerKey struct{}

// Observed has see told of each request that is made under the context. It is called
// by several goroutines, and must not wait.
func Observed(ctx context.Context, see func(context.Context, Exchange)) context.Context {
	return context.WithValue(ctx, observerKey{}, see)
}

// RoundTrip implements http.RoundTripper. It tells of the request who asked for it.
func (r *router) RoundTrip(request *http.Request) (*http.Response, error) {
	see, _ := request.Context().Value(observerKey{}).(func(context.Context, Exchange))
	if see == nil {
		return r.send(request)
	}
	seen := Exchange{Host: request.URL.Host, Began: time.Now()}
	response, err := r.send(request)
	seen.Took = time.Since(seen.Began)
	if err == nil {
		seen.Status = response.StatusCode
	}
	see(request.Context(), seen)
	return response, err
}
