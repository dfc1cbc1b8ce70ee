package main

import (
	"errors"
	"fmt"
	"testing"

	"assay/cache"
	"assay/fetch"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

func TestFailedCheck(t *testing.T) {
	refusal := &proof.Refusal{Err: policy.ErrChanged, Evidence: &trust.Evidence{Checks: []trust.Check{
		{ID: trust.CheckName, Result: trust.Pass}, {ID: trust.CheckUnchanged, Result: trust.Fail},
	}}}
	for _, test := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("x: %w", refusal), trust.CheckUnchanged},
		{&trust.CheckError{ID: trust.CheckSnapshot, Err: trust.ErrRollback}, trust.CheckSnapshot},
		{&trust.CheckError{ID: trust.CheckSnapshot, Err: fetch.ErrSource}, ""}, // it could not be had
		{fmt.Errorf("x: %w", fetch.ErrRevoked), trust.CheckStatus},
		{fetch.ErrTooOld, trust.CheckChannelAge},
		{&trust.ExpiredError{Role: "timestamp"}, trust.CheckFreshness},
		{trust.ErrManifest, trust.CheckManifest},
		{cache.ErrMismatch, trust.CheckDigest},
		{&trust.AgreementError{}, ""},
		{errors.New("x"), ""},
		{fetch.ErrUnknown, ""},
	} {
		if got := failedCheck(test.err); got != test.want {
			t.Errorf("%T %v: expected %q, found %q", test.err, test.err, test.want, got)
		}
	}
}
