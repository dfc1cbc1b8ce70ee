package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"assay/internal/strictjson"
	"assay/mirror"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 16 << 10

// faultDoc is an error as it is told.
type faultDoc struct {
	Error string `json:"error"`
	Kind  string `json:"kind"`
	Code  int    `json:"code"` // the exit code on the command line
}

// kinds are the errors that keep their identity on their way to a Client; anything
// else is "failed".
var kinds = []struct {
	err    error
	kind   string
	status int
}{
	{mirror.ErrNoRepository, "no-repository", http.StatusNotFound},
	{mirror.ErrNoFile, "no-file", http.StatusNotFound},
	{mirror.ErrNotCarried, "not-carried", http.StatusConflict},
	{mirror.ErrQuarantined, "quarantined", http.StatusConflict},
	{mirror.ErrNotReady, "not-ready", http.StatusServiceUnavailable},
	{mirror.ErrExpired, "expired", http.StatusServiceUnavailable},
	{mirror.ErrAbsent, "absent", http.StatusConflict},
	{ErrUnauthorized, "unauthorized", http.StatusUnauthorized},
	{ErrRequest, "request", http.StatusBadRequest},
	{context.Canceled, "cancelled", http.StatusServiceUnavailable},
	{context.DeadlineExceeded, "deadline", http.StatusServiceUnavailable},
}

// fault is an error as it is told.
func (s *Server) fault(err error) *faultDoc {
	doc := &faultDoc{Error: err.Error(), Kind: "failed", Code: s.config.Code(err)}
	for _, known := range kinds {
		if errors.Is(err, known.err) {
			doc.Kind = known.kind
			break
		}
	}
	return doc
}

// fail answers with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	for _, known := range kinds {
		if errors.Is(err, known.err) {
			status = known.status
			break
		}
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	s.log.WarnContext(r.Context(), "administrator's request failed", "method", r.Method, "route", r.Pattern, "by", by(r), "error", err.Error())
	s.write(w, status, s.fault(err))
}

func (s *Server) answer(w http.ResponseWriter, _ *http.Request, doc any) {
	s.write(w, http.StatusOK, doc)
}

func (s *Server) answerOr(w http.ResponseWriter, r *http.Request, doc any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, doc)
}

// write sends a document to a client that takes it in time.
func (s *Server) write(w http.ResponseWriter, status int, doc any) {
	text, err := json.Marshal(doc)
	if err != nil {
		s.log.Error("an answer can't be encoded", "error", err.Error())
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	// A writer without deadlines is one of a test.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// Whoever does not take it has gone, and is not missed.
	_, _ = w.Write(append(text, '\n'))
}

// readOrder reads the body of a request that changes something.
func readOrder(w http.ResponseWriter, r *http.Request) (order orderDoc, err error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime))
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return order, fmt.Errorf("%w: the body could not be read: %w", ErrRequest, err)
	}
	// The deadline would end the request, which may take hours.
	_ = control.SetReadDeadline(time.Time{})
	if len(data) == 0 {
		return order, nil
	}
	if err := strictjson.Screen(data, strictjson.Limits{Bytes: maxBody, Depth: 2}); err != nil {
		return order, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&order); err != nil {
		return order, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	for _, text := range []struct {
		name, value string
		most        int
	}{{"path", order.Path, maxPath}, {"reason", order.Reason, maxReason}, {"by", order.By, maxBy}} {
		if len(text.value) > text.most || strings.ContainsFunc(text.value, unicode.IsControl) {
			return order, fmt.Errorf("%w: %s: expected at most %d bytes without control characters, found %d", ErrRequest, text.name, text.most, len(text.value))
		}
	}
	return order, nil
}
