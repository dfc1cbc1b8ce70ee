package main

import (
	"context"
	"encoding/json"
	"errors"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch"
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

// noteRefusal writes down that an artifact was refused, and gives back the
// refusal. That it can't be written down is told, and hides nothing.
func (a *app) noteRefusal(ctx context.Context, s *session, err error) error {
	var refusal *proof.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	failed := func() error {
		w, err := a.auditor(ctx, s)
		if err != nil {
			return err
		}
		evidence, err := digestOf(refusal.Evidence)
		if err != nil {
			return err
		}
		of := refusal.Receipt()
		return w.note(ctx, audit.Entry{
			Action: audit.Refuse, Outcome: audit.Failed, Detail: clean(refusal.Err.Error()), Evidence: evidence,
			Subject: audit.Subject{
				Repository: of.Repository, Product: of.Product, Version: of.Version, Platform: of.Platform.String(),
				Target: of.Target, Digest: of.Digests.Primary(),
			},
		})
	}()
	if failed != nil {
		a.out.warn("the refusal is not in the audit log: %v", failed)
	}
	return err
}

// digestOf is the SHA-256 of something as JSON; zero for nothing.
func digestOf(v any) (artifact.Digest, error) {
	data, err := json.Marshal(v)
	if err != nil || string(data) == "null" {
		return artifact.Digest{}, err
	}
	return artifact.DigestOf(artifact.SHA256, data), nil
}
