package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch"
	"assay/trust"
	"assay/trust/proof"
)

// noteGet writes down that an artifact was handed out.
func (w *auditor) noteGet(ctx context.Context, held fetch.Held, detail string) error {
	receipt, err := digestOf(held.Receipt)
	if err != nil {
		return err
	}
	return w.note(ctx, audit.Entry{
		Action: audit.Get, Outcome: audit.Done, Detail: detail, Evidence: receipt,
		Subject: audit.Subject{
			Repository: held.Repository, Product: held.Product, Version: held.Version.String(), Platform: held.Platform.String(),
			Target: held.Target.Path(), Digest: held.Target.Digests().Primary(),
		},
	})
}

// asked is what a command was asked for, as far as it is known before anything
// is found.
type asked struct {
	repository, product, version, target string
}

// askedFor reads the arguments of get.
func (s *session) askedFor(args []string) asked {
	if len(args) == 2 {
		return asked{repository: args[0], target: args[1]}
	}
	ref, err := artifact.ParseRef(args[0])
	if err != nil {
		return asked{}
	}
	what := asked{repository: ref.Repo, product: ref.Product}
	if ref.Selector.Kind == artifact.ByVersion {
		what.version = ref.Selector.Version.String()
	}
	if names := s.client.Names(); what.repository == "" && len(names) == 1 {
		what.repository = names[0]
	}
	return what
}

// earlyRefusal is a refusal with its evidence, where it came before any artifact was
// judged: by the metadata, or by what the channels say.
type earlyRefusal struct {
	err      error
	evidence *trust.Evidence
	asked    asked
}

func (e *earlyRefusal) Error() string { return e.err.Error() }
func (e *earlyRefusal) Unwrap() error { return e.err }

// evidenceOf is why an error refuses; nil where it does not.
func evidenceOf(err error) *trust.Evidence {
	var judged *proof.Refusal
	if errors.As(err, &judged) {
		return judged.Evidence
	}
	var early *earlyRefusal
	if errors.As(err, &early) {
		return early.evidence
	}
	return nil
}

// noteRefusal writes a refusal into the audit log, and gives it back with its
// evidence. That it can't be written down is told, and hides nothing. An error
// that refuses nothing is only given back.
func (a *app) noteRefusal(ctx context.Context, s *session, what asked, err error) error {
	return a.refusedBy(ctx, s, nil, what, err)
}

// refusedBy is noteRefusal with a log that is open; nil: none is.
func (a *app) refusedBy(ctx context.Context, s *session, log *auditor, what asked, err error) error {
	id := failedCheck(err)
	if id == "" {
		return err
	}
	subject := audit.Subject{Repository: what.repository, Product: what.product, Version: what.version, Target: what.target}
	var judged *proof.Refusal
	if errors.As(err, &judged) {
		of := judged.Receipt()
		subject = audit.Subject{
			Repository: of.Repository, Product: of.Product, Version: of.Version, Platform: of.Platform.String(),
			Target: of.Target, Digest: of.Digests.Primary(),
		}
	} else {
		err = &earlyRefusal{err, a.earlyEvidence(ctx, s, what.repository, id, err), what}
	}
	if log == nil {
		var failed error
		if log, failed = a.auditor(ctx, s); failed != nil {
			a.out.warn("the refusal is not in the audit log: %v", failed)
			return err
		}
	}
	if failed := log.noteRefused(ctx, subject, err); failed != nil {
		a.out.warn("the refusal is not in the audit log: %v", failed)
	}
	return err
}

// earlyEvidence is what was checked of the metadata, if that came so far, and the
// check that refused.
func (a *app) earlyEvidence(ctx context.Context, s *session, repository, id string, err error) *trust.Evidence {
	evidence := &trust.Evidence{Repository: repository, Judged: a.now().UTC()}
	if repository != "" && id != trust.CheckRootChain && id != trust.CheckTimestamp && id != trust.CheckSnapshot && id != trust.CheckTargets {
		// It was asked before, and is not asked again.
		if view, failed := s.client.View(ctx, repository); failed == nil {
			evidence = view.Evidence()
		}
	}
	evidence.Checks = slices.DeleteFunc(evidence.Checks, func(c trust.Check) bool { return c.ID == id })
	evidence.Add(trust.Check{ID: id, Result: trust.Fail, Expected: expectedOf(id), Found: clean(err.Error())})
	return evidence
}

// expectedOf says what a check asks for, where its error tells only what it found.
func expectedOf(id string) string {
	switch id {
	case trust.CheckStatus:
		return "not revoked in any channel"
	case trust.CheckAgreement:
		return "the repositories that must agree promise the same"
	case trust.CheckFreshness, trust.CheckChannelAge:
		return "nothing has expired, or is too old"
	case trust.CheckDigest:
		return "the bytes that are promised"
	case trust.CheckManifest:
		return "a manifest that agrees with the role that lists it"
	}
	return "metadata that verifies"
}

// noteRefused writes down that something was refused.
func (w *auditor) noteRefused(ctx context.Context, subject audit.Subject, err error) error {
	evidence, failed := digestOf(evidenceOf(err))
	if failed != nil {
		return failed
	}
	return w.note(ctx, audit.Entry{Action: audit.Refuse, Outcome: audit.Failed, Detail: clean(err.Error()), Evidence: evidence, Subject: subject})
}

// digestOf is the SHA-256 of something as JSON; zero for nothing.
func digestOf(v any) (artifact.Digest, error) {
	data, err := json.Marshal(v)
	if err != nil || string(data) == "null" {
		return artifact.Digest{}, err
	}
	return artifact.DigestOf(artifact.SHA256, data), nil
}
