package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"assay/artifact"
	"assay/internal/shown"
	"assay/mirror"
	"assay/mirror/counters"
)

// The bounds of what a request says, in bytes.
const (
	maxPath   = 4096
	maxReason = 1000
	maxBy     = 100
)

// The documents of the routes.
type (
	statusDoc struct {
		Repositories []mirror.Status       `json:"repositories"`
		NextExpiries []mirror.Expiry       `json:"next_expiries"`
		Distribution counters.Distribution `json:"distribution"`
	}
	storageDoc struct {
		Storage mirror.StorageStatus `json:"storage"`
	}
	planDoc struct {
		Plan mirror.Plan `json:"plan"`
	}
	// runDoc tells how a run ended, with the error that the run itself can't carry.
	runDoc struct {
		Run   mirror.Run `json:"run"`
		Fault *faultDoc  `json:"fault,omitempty"`
	}
	quarantineDoc struct {
		Quarantined []mirror.Quarantined `json:"quarantined"`
	}
	countersDoc struct {
		Counters []counterDoc `json:"counters"`
	}
	counterDoc struct {
		Name   string   `json:"name"`
		Labels []string `json:"labels"` // names and values in turn
		Value  int64    `json:"value"`
	}
	scrubDoc struct {
		Damaged int          `json:"damaged"` // objects, of this scrub
		Scrub   mirror.Scrub `json:"scrub"`
	}
	cancelDoc struct {
		Cancelled bool `json:"cancelled"` // false: there was no run
	}
	doneDoc struct {
		OK bool `json:"ok"`
	}
	// orderDoc is the body of a release or a hold; of other requests it is {} or empty.
	orderDoc struct {
		Path   string `json:"path"`
		Reason string `json:"reason"`
		By     string `json:"by"` // who asks, as the asker says
	}
)

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	all := orEmpty(s.config.Mirror.Statuses())
	s.answer(w, r, statusDoc{all, mirror.NextExpiries(all), s.config.Counters.Distribution()})
}

func (s *Server) storage(w http.ResponseWriter, r *http.Request) {
	status, err := s.config.Mirror.Storage(r.Context())
	s.answerOr(w, r, storageDoc{status}, err)
}

func (s *Server) plan(w http.ResponseWriter, r *http.Request) {
	name, err := repositoryOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	plan, err := s.config.Mirror.Plan(r.Context(), name)
	plan.Fetch = orEmpty(plan.Fetch)
	s.answerOr(w, r, planDoc{plan}, err)
}

func (s *Server) quarantine(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("repository")
	if name != "" {
		if err := artifact.ValidRepository(name); err != nil {
			s.fail(w, r, fmt.Errorf("%w: %w", ErrRequest, err))
			return
		}
	}
	list, err := s.config.Mirror.Quarantine(name)
	s.answerOr(w, r, quarantineDoc{orEmpty(list)}, err)
}

func (s *Server) counters(w http.ResponseWriter, r *http.Request) {
	doc := countersDoc{[]counterDoc{}}
	for _, sample := range s.config.Counters.Samples() {
		doc.Counters = append(doc.Counters, counterDoc{sample.Name, orEmpty(sample.Labels), sample.Value})
	}
	s.answer(w, r, doc)
}

// metrics answers a scrape, of a client that takes the answer in time.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	// A writer without deadlines is one of a test.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	s.config.Metrics.ServeHTTP(w, r)
}

func (s *Server) sync(w http.ResponseWriter, r *http.Request) {
	name, err := repositoryOf(r)
	if err == nil {
		_, err = readOrder(w, r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var run mirror.Run
	err = s.act(r.Context(), "mirror.sync", name+", asked by "+by(r), func(ctx context.Context) (err error) {
		run, err = s.config.Mirror.Sync(ctx, name)
		return err
	})
	if err != nil && run.Repository == "" {
		s.fail(w, r, err)
		return
	}
	doc := runDoc{Run: run}
	if err = errors.Join(err, run.Err); err != nil {
		doc.Fault = s.fault(err)
	}
	s.answer(w, r, doc)
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) {
	name, err := repositoryOf(r)
	if err == nil {
		_, err = readOrder(w, r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var doc cancelDoc
	err = s.act(r.Context(), "mirror.cancel", name+", asked by "+by(r), func(context.Context) (err error) {
		doc.Cancelled, err = s.config.Mirror.Cancel(name)
		return err
	})
	s.answerOr(w, r, doc, err)
}

func (s *Server) scrub(w http.ResponseWriter, r *http.Request) {
	if _, err := readOrder(w, r); err != nil {
		s.fail(w, r, err)
		return
	}
	var doc scrubDoc
	err := s.act(r.Context(), "mirror.scrub", "asked by "+by(r), func(ctx context.Context) (err error) {
		if doc.Damaged, err = s.config.Mirror.ScrubNow(ctx, 0); err != nil {
			return err
		}
		now, err := s.config.Mirror.Storage(ctx)
		doc.Scrub = now.Scrub
		return err
	})
	s.answerOr(w, r, doc, err)
}

func (s *Server) release(w http.ResponseWriter, r *http.Request) {
	s.order(w, r, "mirror.release", func(ctx context.Context, name string, order orderDoc) error {
		return s.config.Mirror.Release(ctx, name, order.Path)
	})
}

func (s *Server) hold(w http.ResponseWriter, r *http.Request) {
	s.order(w, r, "mirror.hold", func(ctx context.Context, name string, order orderDoc) error {
		if order.Reason == "" {
			return fmt.Errorf("%w: expected a reason, found none", ErrRequest)
		}
		return s.config.Mirror.Hold(ctx, name, order.Path, order.Reason)
	})
}

// order does what a request says about one path.
func (s *Server) order(w http.ResponseWriter, r *http.Request, action string, do func(context.Context, string, orderDoc) error) {
	name, err := repositoryOf(r)
	var order orderDoc
	if err == nil {
		order, err = readOrder(w, r)
	}
	if err == nil && order.Path == "" {
		err = fmt.Errorf("%w: expected a path, found none", ErrRequest)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	// What askers say of themselves stands beside what is known of them.
	if order.By != "" {
		order.By += ", "
	}
	order.By += by(r)
	detail := name + ": " + shown.Clip(order.Path, maxPath) + ", asked by " + order.By
	if order.Reason != "" {
		detail += ": " + order.Reason
	}
	err = s.act(r.Context(), action, detail, func(ctx context.Context) error { return do(ctx, name, order) })
	s.answerOr(w, r, doneDoc{true}, err)
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if _, err := readOrder(w, r); err != nil {
		s.fail(w, r, err)
		return
	}
	err := s.act(r.Context(), "mirror.reload", "asked by "+by(r), func(ctx context.Context) error {
		if s.config.Reload == nil {
			return fmt.Errorf("%w: this mirror can't be told to read its configuration anew", ErrRequest)
		}
		return s.config.Reload(ctx)
	})
	s.answerOr(w, r, doneDoc{true}, err)
}

// act notes an action, does it, and notes it again if it fails.
func (s *Server) act(ctx context.Context, action, detail string, do func(context.Context) error) error {
	// Crash behind this: an action is noted that was not done, never the other way.
	s.config.Note(ctx, action, detail)
	err := do(ctx)
	if err != nil {
		s.config.Note(context.WithoutCancel(ctx), action, detail+": failed: "+err.Error())
	}
	return err
}

// live says that requests are answered.
func (s *Server) live(w http.ResponseWriter, r *http.Request) { s.answer(w, r, doneDoc{true}) }

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	s.probe(w, r, s.config.Mirror.Ready)
}

func (s *Server) started(w http.ResponseWriter, r *http.Request) { s.probe(w, r, s.config.Started) }

// probe answers 200 or 503; why not is told to those who may know.
func (s *Server) probe(w http.ResponseWriter, r *http.Request, ask func() error) {
	var err error
	if ask != nil {
		err = ask()
	}
	if err == nil {
		s.answer(w, r, doneDoc{true})
		return
	}
	fault := s.fault(err)
	if by(r) == "" {
		*fault = faultDoc{Error: "not ready", Kind: fault.Kind, Code: fault.Code}
	}
	s.write(w, http.StatusServiceUnavailable, fault)
}

// repositoryOf is the repository that a path names.
func repositoryOf(r *http.Request) (string, error) {
	name := r.PathValue("repository")
	if err := artifact.ValidRepository(name); err != nil {
		return "", fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return name, nil
}

// orEmpty keeps null out of JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
