package main

import (
	"errors"

	"assay/artifact/release"
	"assay/cache"
	"assay/fetch"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// failedCheck is the id of the check that an error is about, empty where none
// failed: where something could not be had, say.
func failedCheck(err error) string {
	var refusal *proof.Refusal
	if errors.As(err, &refusal) {
		failed, _ := refusal.Evidence.Failed()
		return failed.ID
	}
	var early *earlyRefusal
	if errors.As(err, &early) {
		if failed, is := early.evidence.Failed(); is {
			return failed.ID
		}
	}
	var at *trust.CheckError
	switch code := codeOf(err); {
	case errors.As(err, &at) && code >= 10 && code < 20:
		return at.ID
	case code < 10 || code >= 20:
		return ""
	}
	var disagreement *trust.AgreementError
	switch {
	case errors.As(err, &disagreement):
		return trust.CheckAgreement
	case errors.Is(err, fetch.ErrRevoked):
		return trust.CheckStatus
	case errors.Is(err, policy.ErrChanged):
		return trust.CheckUnchanged
	case errors.Is(err, fetch.ErrTooOld):
		return trust.CheckChannelAge
	case errors.Is(err, trust.ErrExpired), errors.Is(err, trust.ErrClock):
		return trust.CheckFreshness
	case errors.Is(err, trust.ErrManifest), errors.Is(err, release.ErrMalformed), errors.Is(err, release.ErrBinding),
		errors.Is(err, release.ErrSchema), errors.Is(err, release.ErrSchemaVersion):
		return trust.CheckManifest
	case errors.Is(err, trust.ErrMismatch), errors.Is(err, cache.ErrMismatch), errors.Is(err, cache.ErrDamaged):
		return trust.CheckDigest
	}
	return ""
}
