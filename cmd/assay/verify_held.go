package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/trust"
	"assay/trust/proof"
)

const flagHeld = "held"

// heldDoc is the result of verify --held.
type heldDoc struct {
	Judged  time.Time      `json:"judged"`
	Good    int            `json:"good"`
	Noted   int            `json:"noted"`    // still to be had, with something to be known
	Bad     int            `json:"bad"`      // refused today, or not to be judged
	NotHeld int            `json:"not_held"` // proven once, and no longer in the cache
	List    []heldStanding `json:"artifacts"`
	// Installed are the releases that are installed, or kept to go back to.
	Installed installedSum `json:"installed"`
}

// heldStanding is one artifact, judged today.
type heldStanding struct {
	State      fetch.State      `json:"state"`
	Detail     string           `json:"detail,omitempty"`
	Repository string           `json:"repository"`
	Target     string           `json:"target"`
	Product    string           `json:"product,omitempty"`
	Version    string           `json:"version,omitempty"`
	Digests    artifact.Digests `json:"digests"`
	Proven     time.Time        `json:"proven,omitzero"` // when it was before; not known where its receipt is damaged
	Evidence   *trust.Evidence  `json:"evidence,omitempty"`
}

// verifyHeld judges all that is held again.
func (a *app) verifyHeld(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	s, err := a.asking(c)
	if err != nil {
		return err
	}
	doc := heldDoc{Judged: a.now().UTC(), List: []heldStanding{}}
	failed := heldError{worst: fetch.Good}
	look, err := a.inspection(s, &failed)
	if err != nil {
		return err
	}
	err = eachProven(c.Context, s.prover, func(r *proof.Receipt, damaged error) error {
		standing, err := s.judgeHeld(c.Context, r, damaged)
		if errors.Is(err, cache.ErrMissing) {
			if standing, err = setAside(s.cache, r); err == nil && standing.State == fetch.Good {
				doc.NotHeld++
				return nil
			}
		}
		if err != nil {
			return err
		}
		doc.add(standing)
		failed.add(standing)
		look.held[[2]string{r.Repository, r.Target}] = standing
		return nil
	})
	if err == nil {
		err = look.verifyInstalled(c.Context)
	}
	if err != nil {
		return err
	}
	a.progress.close()
	doc.Installed = look.doc
	a.showHeld(&doc)
	a.showInstalled(&doc.Installed)
	if err := a.out.result("verify.held", doc); err != nil {
		return err
	}
	if failed.bad == 0 && doc.Installed.Bad == 0 {
		return nil
	}
	failed.all, failed.installed, failed.installedBad = len(doc.List), len(doc.Installed.List), doc.Installed.Bad
	if failed.worst == fetch.Unknown {
		return &failed
	}
	if text := doc.Installed.mend(failed.worst); text != "" {
		return withHint(&failed, text)
	}
	return withHint(&failed, failed.hint())
}

// judgeHeld judges an artifact again, unless nobody knows what it was found to be.
func (s *session) judgeHeld(ctx context.Context, r *proof.Receipt, damaged error) (fetch.Standing, error) {
	if damaged == nil {
		return s.client.JudgeHeld(ctx, r)
	}
	if _, err := s.cache.Get(r.Digests.Primary()); errors.Is(err, cache.ErrMissing) && !errors.Is(err, cache.ErrDamaged) {
		return fetch.Standing{Receipt: r}, err
	}
	return fetch.Standing{Receipt: r, State: fetch.Unknown, Err: damaged, Detail: damaged.Error()}, nil
}

// setAside tells of an artifact that the cache does not hold any more whether its
// bytes were found damaged since it was proven: that stays so until it is fetched
// again. State Good says that it only went.
func setAside(store *cache.Store, r *proof.Receipt) (fetch.Standing, error) {
	s := fetch.Standing{Receipt: r, State: fetch.Good}
	at, err := store.SetAside(r.Digests.Primary())
	if err != nil || !at.After(r.Proven) {
		return s, err
	}
	s.State = fetch.Changed
	s.Err = fmt.Errorf("%s: %w: set aside at %s, and not fetched again since", r.Target, cache.ErrDamaged, at.UTC().Format(time.RFC3339))
	s.Detail = s.Err.Error()
	return s, nil
}

// heldError is of the artifacts, and the installed releases, that are refused today.
// It unwraps to the refusals of the gravest state alone: theirs is the exit code.
type heldError struct {
	bad, all int
	// Of installed releases.
	installedBad, installed int

	worst    fetch.State
	errs     []error
	products []string // whose releases they are
}

func (e *heldError) add(s fetch.Standing) {
	if s.Err == nil {
		return
	}
	e.bad++
	e.note(s)
}

// note takes a refusal in, that is counted elsewhere.
func (e *heldError) note(s fetch.Standing) {
	of := asked{repository: s.Receipt.Repository, product: s.Receipt.Product}
	if name := of.ref(false); name != "" && !slices.Contains(e.products, name) {
		e.products = append(e.products, name)
	}
	if s.State.Graver(e.worst) {
		e.worst, e.errs = s.State, nil
	}
	if s.State == e.worst {
		e.errs = append(e.errs, s.Err)
	}
}

func (e *heldError) Error() string {
	verdict := "are not good any more"
	if e.worst == fetch.Unknown {
		verdict = "could not be judged"
	}
	var texts []string
	if e.bad > 0 {
		texts = append(texts, fmt.Sprintf("%d of %d held artifacts %s", e.bad, e.all, verdict))
	}
	if e.installedBad > 0 {
		texts = append(texts, fmt.Sprintf("%d of %d installed releases %s", e.installedBad, e.installed, verdict))
	}
	return strings.Join(texts, "; ")
}

// hint names the product, if all are of one.
func (e *heldError) hint() string {
	name := "PRODUCT"
	if len(e.products) == 1 {
		name = e.products[0]
	}
	return "use none of them; `assay versions " + name + "` tells what may be chosen instead"
}

func (e *heldError) Unwrap() []error { return e.errs }

// eachProven reads the receipts of all that was proven, by target path. Of one
// that is damaged it gives the error, and a receipt with nothing but repository,
// target and digest: whether that was ever proven is not known.
func eachProven(ctx context.Context, prover *proof.Prover, visit func(r *proof.Receipt, damaged error) error) error {
	names, err := prover.ReceiptNames(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(names, func(x, y proof.ReceiptName) int {
		return cmp.Or(cmp.Compare(x.Repository, y.Repository), cmp.Compare(x.Target, y.Target))
	})
	for r, err := range prover.Receipts(ctx, names) {
		var damage *proof.DamagedError
		switch {
		case errors.As(err, &damage):
			name := damage.Name
			err = visit(&proof.Receipt{Repository: name.Repository, Target: name.Target, Digests: artifact.Digests{name.Digest}}, damage)
		case err == nil && !r.Proven.IsZero(): // else it was refused, and never handed out
			err = visit(r, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *heldDoc) add(s fetch.Standing) {
	switch {
	case s.State == fetch.Good:
		d.Good++
	case s.Err == nil:
		d.Noted++
	default:
		d.Bad++
	}
	d.List = append(d.List, heldStanding{
		State: s.State, Detail: s.Detail, Repository: s.Receipt.Repository, Target: s.Receipt.Target, Product: s.Receipt.Product,
		Version: s.Receipt.Version, Digests: s.Receipt.Digests, Proven: s.Receipt.Proven, Evidence: s.Evidence,
	})
}

// showHeld lists what is not good, and counts the rest.
func (a *app) showHeld(doc *heldDoc) {
	for _, s := range doc.List {
		if s.State == fetch.Good {
			continue
		}
		what := s.Target
		if s.Product != "" {
			what = fmt.Sprintf("%s %s (%s)", s.Product, s.Version, path.Base(s.Target))
		}
		a.out.line("%s  %s of %s: %s", a.stateMark(s.State), what, s.Repository, s.Detail)
	}
	a.out.line("%d held: %d good, %d with a warning, %d not good", len(doc.List), doc.Good, doc.Noted, doc.Bad)
	if doc.NotHeld > 0 {
		a.out.line("%d proven before and not in the cache any more: not judged", doc.NotHeld)
	}
}

func (a *app) stateMark(s fetch.State) styled {
	text := fmt.Sprintf("%-10s", s)
	if slices.Contains([]fetch.State{fetch.Deprecated, fetch.Outlived, fetch.Affected, fetch.Unknown}, s) {
		return a.out.style(a.out.stdout, yellow, text)
	}
	return a.out.bad(text)
}
