package main

import (
	"errors"
	"strings"

	"assay/fetch/install"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// named puts what an error is about into its hint, so that the command in it can
// be typed as it stands. What the error does not know stays a word in capitals,
// as in the help.
func named(hint string, err error) string {
	var weaker *policy.WeakerError
	if errors.As(err, &weaker) && len(weaker.Digests) > 0 {
		hint = strings.ReplaceAll(hint, "sha256:HEX", weaker.Digests.Primary().String())
	}
	of := askedOf(err)
	repository := repositoryOf(err)
	if repository == "" {
		repository = of.repository
	}
	var words []string
	for _, pair := range [][2]string{{"NAME", repository}, {"PRODUCT", of.ref(false)}, {"WHAT", of.receipt()}} {
		if pair[1] != "" {
			words = append(words, pair[0], clean(pair[1]))
		}
	}
	return strings.NewReplacer(words...).Replace(hint) // at once: a name may have such a word in it
}

// repositoryOf is the repository that an error of its metadata is about, or those
// that do not agree; empty: it does not say.
func repositoryOf(err error) string {
	var expired *trust.ExpiredError
	var rollback *trust.RollbackError
	var clock *trust.ClockError
	var refusal *trust.AgreementError
	switch {
	case errors.As(err, &rollback):
		return rollback.Repository
	case errors.As(err, &expired):
		return expired.Repository
	case errors.As(err, &clock):
		return clock.Repository
	case errors.As(err, &refusal):
		return strings.Join(refusal.Lacking(), ", ")
	}
	return ""
}

// concernedError is an error with the product that it is about.
type concernedError struct {
	err   error
	asked asked
}

func (e *concernedError) Error() string { return e.err.Error() }
func (e *concernedError) Unwrap() error { return e.err }

// about says which product an error is about, for its hint; nil stays nil.
func about(name install.Name, err error) error {
	if err == nil {
		return nil
	}
	return &concernedError{err, asked{repository: name.Repository, product: name.Product}}
}

// about is that of the product that was wished for, and found.
func (w *wish) about(err error) error {
	return about(install.Name{Repository: w.held.Repository, Product: w.held.Product}, err)
}

// askedOf is what was refused, as far as the error knows.
func askedOf(err error) asked {
	var judged *proof.Refusal
	var early *earlyRefusal
	var known *concernedError
	switch {
	case errors.As(err, &judged):
		r := judged.Receipt()
		return asked{repository: r.Repository, product: r.Product, version: r.Version, target: r.Target}
	case errors.As(err, &early):
		return early.asked
	case errors.As(err, &known):
		return known.asked
	}
	return asked{}
}

// ref names the product, or a version of it, as it is typed; empty: it is not
// known.
func (w asked) ref(versioned bool) string {
	text := w.product
	if text == "" {
		return ""
	}
	if w.repository != "" {
		text = w.repository + ":" + text
	}
	if versioned {
		text += "@" + w.version
	}
	return text
}

// receipt is what to type for the receipt of what was refused; empty: it is not
// known.
func (w asked) receipt() string {
	switch {
	case w.product != "" && w.version != "":
		return w.ref(true)
	case w.repository != "" && w.target != "":
		return quoted(w.repository) + " " + quoted(w.target)
	}
	return ""
}
