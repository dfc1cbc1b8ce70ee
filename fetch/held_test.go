package fetch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// blobOf is the file in the cache that has a target's bytes.
func (b *signedBench) blobOf(path string) string {
	hex := b.hexOf(path)
	return filepath.Join(b.dir, "blobs", "sha256", hex[:2], hex)
}

// edit changes a document and publishes it.
func (b *signedBench) edit(path string, change func(map[string]any)) {
	b.t.Helper()
	must(b.t, b.repo.EditDocument(path, change))
	must(b.t, b.repo.Publish())
}

// TestJudgeHeld is each state that a held artifact may come to.
func TestJudgeHeld(t *testing.T) {
	t.Parallel()
	const channel = "channel-stable/hello.json"
	day := policy.Span(24 * time.Hour)
	for _, test := range []struct {
		state  fetch.State
		name   string
		change func(t *testing.T, b *signedBench)
		reason error  // nil: Standing has none
		detail string // a part of it
		fails  string // the id of the check that failed; empty: none
	}{
		{fetch.Good, "nothing happened", func(*testing.T, *signedBench) {}, nil, "", ""},
		{fetch.Deprecated, "deprecated", func(t *testing.T, b *signedBench) {
			must(t, b.repo.SetStatus("hello", "stable", "2.0.0", "deprecated", "use 3", ""))
			must(t, b.repo.Publish())
		}, nil, "use 3", ""},
		{fetch.Outlived, "end of life", func(_ *testing.T, b *signedBench) {
			b.edit(channel, func(d map[string]any) { d["end_of_life"] = b.now.Add(-time.Hour).UTC().Format(time.RFC3339) })
		}, nil, "has reached its end of life", ""},
		{fetch.Outlived, "channel is too old", func(_ *testing.T, b *signedBench) {
			b.edit(channel, func(d map[string]any) {
				d["max_age"], d["updated"] = "24h", b.now.Add(-48*time.Hour).UTC().Format(time.RFC3339)
			})
		}, nil, "too old", ""},
		{fetch.Outlived, "older than a rule wants", func(t *testing.T, b *signedBench) {
			b.rules = []policy.Rule{{MaxAge: &day}}
			b.now = b.now.Add(48 * time.Hour)
			must(t, b.repo.Renew())
			must(t, b.repo.Publish())
		}, policy.ErrRefused, policy.IDAge, policy.IDAge},
		{fetch.Affected, "an advisory", func(t *testing.T, b *signedBench) { b.advise(t, "0.31.0") }, nil, "GO-2026-1", ""},
		{fetch.Unknown, "no source answers", func(_ *testing.T, b *signedBench) { b.server.Close() }, fetch.ErrSource, "", ""},
		{fetch.Unknown, "no document is held offline", func(t *testing.T, b *signedBench) {
			b.offline, b.memory = true, &trust.MemStore{}
			must(t, os.Remove(b.blobOf(signedTarball+".sigstore.json")))
		}, trust.ErrNotHeld, "", ""},
		{fetch.Unknown, "the memory fails", func(_ *testing.T, b *signedBench) { b.judge.Memory = forgetful{b.memory} }, errForgetful, "", ""},
		{fetch.Withdrawn, "no longer promised", func(t *testing.T, b *signedBench) {
			must(t, b.repo.RemoveTarget(signedTarball, "hello"))
			must(t, b.repo.Publish())
		}, trust.ErrNoTarget, "", ""},
		{fetch.Weakened, "another signer is asked for", func(t *testing.T, b *signedBench) {
			b.rules = []policy.Rule{signedBy(t, "ferry")}
		}, proof.ErrIdentity, "", trust.CheckIdentity},
		{fetch.Weakened, "a document beside it is gone", func(t *testing.T, b *signedBench) {
			must(t, b.repo.RemoveTarget(signedTarball+".sigstore.json", "hello"))
			must(t, b.repo.Publish())
		}, proof.ErrDisagree, "", trust.CheckSignature},
		{fetch.Weakened, "too old, and of another signer", func(t *testing.T, b *signedBench) {
			three := policy.Rule{MaxAge: &day, Require: []policy.Kind{policy.KindAgreement}}
			b.rules = []policy.Rule{three}
			b.now = b.now.Add(48 * time.Hour)
			must(t, b.repo.Renew())
			must(t, b.repo.Publish())
		}, policy.ErrRefused, policy.IDAge, policy.IDRequire},
		{fetch.Weakened, "not approved", func(_ *testing.T, b *signedBench) {
			b.approves("approvals", "hello/1.5.0/")
			b.mustAgree(2, "acme", "approvals")
		}, trust.ErrNotApproved, "approvals", ""},
		{fetch.Replaced, "other bytes are promised", func(t *testing.T, b *signedBench) {
			must(t, b.repo.AddTarget(signedTarball, []byte("other bytes"), "hello"))
			data := []byte("other bytes")
			b.edit("hello/2.0.0/release.json", func(m map[string]any) {
				entry := m["artifacts"].([]any)[0].(map[string]any)
				entry["length"], entry["digests"] = len(data), map[string]any{"sha256": artifact.DigestOf(artifact.SHA256, data).Hex()}
			})
		}, policy.ErrChanged, "", ""},
		{fetch.Revoked, "revoked", func(t *testing.T, b *signedBench) {
			must(t, b.repo.SetStatus("hello", "stable", "2.0.0", "revoked", "a hole", ""))
			must(t, b.repo.Publish())
		}, fetch.ErrRevoked, "a hole", ""},
		{fetch.Revoked, "revoked, and no longer promised", func(t *testing.T, b *signedBench) {
			must(t, b.repo.SetStatus("hello", "stable", "2.0.0", "revoked", "a hole", ""))
			must(t, b.repo.RemoveTarget(signedTarball, "hello"))
			must(t, b.repo.RemoveTarget("hello/2.0.0/release.json", "hello"))
			must(t, b.repo.Publish())
		}, fetch.ErrRevoked, "a hole", ""},
		{fetch.Withdrawn, "the whole release is gone", func(t *testing.T, b *signedBench) {
			must(t, b.repo.RemoveTarget(signedTarball, "hello"))
			must(t, b.repo.RemoveTarget("hello/2.0.0/release.json", "hello"))
			b.edit(channel, func(d map[string]any) { d["releases"] = d["releases"].([]any)[1:] })
		}, trust.ErrNoTarget, "", ""},
		{fetch.Changed, "other bytes on disk", func(t *testing.T, b *signedBench) {
			data, err := os.ReadFile(b.blobOf(signedTarball))
			must(t, err)
			data[len(data)/2] ^= 1
			must(t, os.Chmod(b.blobOf(signedTarball), 0o600))
			must(t, os.WriteFile(b.blobOf(signedTarball), data, 0o600))
		}, cache.ErrDamaged, "", ""},
		{fetch.Changed, "cut short on disk", func(t *testing.T, b *signedBench) {
			must(t, os.Chmod(b.blobOf(signedTarball), 0o600))
			must(t, os.Truncate(b.blobOf(signedTarball), 10))
		}, cache.ErrDamaged, "", ""},
	} {
		t.Run(string(test.state)+": "+test.name, func(t *testing.T) {
			t.Parallel()
			b := newSigned(t)
			receipt := b.mustGet("hello").Receipt
			before := len(b.receipts())
			test.change(t, b)
			installed, err := b.client().JudgeInstalled(t.Context(), receipt.Repository, receipt.Target, receipt.Digests)
			must(t, err)
			want, reason := test.state, test.reason
			if want == fetch.Changed || errors.Is(reason, errForgetful) {
				want, reason = fetch.Good, nil // it looks at no bytes, and writes nothing
			}
			if installed.State != want || !errors.Is(installed.Err, reason) || !strings.Contains(installed.Detail, test.detail) {
				t.Errorf("installed: expected %s because of %q, found %s: %s", want, test.detail, installed.State, installed.Detail)
			}
			s, err := b.client().JudgeHeld(t.Context(), receipt)
			must(t, err)
			if s.State != test.state || s.Receipt != receipt || !strings.Contains(s.Detail, test.detail) || (s.Detail == "") != (s.State == fetch.Good) {
				t.Errorf("expected %s because of %q, found %s: %s", test.state, test.detail, s.State, s.Detail)
			}
			if (test.reason == nil) != (s.Err == nil) || !errors.Is(s.Err, test.reason) {
				t.Errorf("expected %v, found %v", test.reason, s.Err)
			}
			b.wantToday(s, test.fails, before)
		})
	}
}

// wantToday asserts what is remembered of today's judgement: a refusal by a
// check, or a proof; of what could not be judged, or has changed on this disk only,
// nothing.
func (b *signedBench) wantToday(s fetch.Standing, fails string, before int) {
	b.t.Helper()
	b.judge.Memory = nil
	revised := map[fetch.State]string{fetch.Revoked: trust.CheckStatus, fetch.Withdrawn: trust.CheckPromise, fetch.Replaced: trust.CheckUnchanged}
	r := b.receipts()[signedTarball]
	switch {
	case fails != "":
		if failed, _ := s.Evidence.Failed(); failed.ID != fails {
			b.t.Errorf("expected the check %s to fail, found %+v", fails, failed)
		}
		if r == nil || r.Outcome != proof.Refused || !r.Proven.Equal(s.Receipt.At) {
			b.t.Errorf("expected a refusal in memory that names the proof before, found %+v", r)
		}
	case s.Err == nil:
		if r == nil || r.Outcome != proof.Proven || !r.At.Equal(b.now.UTC()) || resultOf(s.Evidence, trust.CheckDigest) != trust.Pass {
			b.t.Errorf("expected a proof of today in memory, found %+v", r)
		}
	case revised[s.State] != "":
		if failed, _ := s.Evidence.Failed(); failed.ID != revised[s.State] || r == nil || r.Outcome != proof.Refused || !r.Proven.Equal(s.Receipt.At) {
			b.t.Errorf("expected a refusal in memory that names the proof before, found %+v", r)
		}
	case r != nil && (r.Outcome != proof.Proven || !r.At.Equal(s.Receipt.At)) || r != nil && len(b.receipts()) != before:
		b.t.Errorf("expected the receipt of before, found %+v", r)
	}
}

// TestJudgeHeldElsewhere: what lies outside the repository is found again by its
// manifest.
func TestJudgeHeldElsewhere(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddRelease(testrepo.Release{
		Product: "ferry", Version: "1.0.0", Channel: "stable", Signing: &testrepo.Signing{Sigstore: b.box},
		Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz", Elsewhere: true}},
	}))
	must(t, b.repo.Publish())
	held := b.mustGet("ferry")
	s, err := b.client().JudgeHeld(t.Context(), held.Receipt)
	must(t, err)
	if s.State != fetch.Good {
		t.Errorf("expected good, found %s: %s", s.State, s.Detail)
	}
	must(t, b.repo.SetStatus("ferry", "stable", "1.0.0", "revoked", "a hole", ""))
	must(t, b.repo.Publish())
	s, err = b.client().JudgeHeld(t.Context(), held.Receipt)
	must(t, err)
	if s.State != fetch.Revoked || !errors.Is(s.Err, fetch.ErrRevoked) {
		t.Errorf("expected revoked, found %s: %s", s.State, s.Detail)
	}
}

// TestJudgeHeldUnheld: what the cache does not hold is not judged.
func TestJudgeHeldUnheld(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	receipt := b.mustGet("hello").Receipt
	must(t, os.Remove(b.blobOf(signedTarball)))
	if s, err := b.client().JudgeHeld(t.Context(), receipt); !errors.Is(err, cache.ErrMissing) {
		t.Errorf("expected ErrMissing, found %+v and %v", s, err)
	}
}

// TestJudgeHeldGivenUp is no judgement, wherever the caller gives up.
func TestJudgeHeldGivenUp(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	receipt := b.mustGet("hello").Receipt
	cause := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(cause)
	if s, err := b.client().JudgeHeld(ctx, receipt); !errors.Is(err, cause) {
		t.Errorf("expected the cause, found %+v and %v", s, err)
	}
	if s, err := b.client().JudgeInstalled(ctx, receipt.Repository, receipt.Target, receipt.Digests); !errors.Is(err, cause) {
		t.Errorf("expected the cause, found %+v and %v", s, err)
	}
	ctx, stop = context.WithCancelCause(t.Context())
	b.memory = &trust.MemStore{}
	load := b.judge.Profiles[0].Load
	b.judge.Profiles[0].Load = func(ctx context.Context) (provenance.Profile, string, error) {
		stop(cause)
		return load(ctx)
	}
	if s, err := b.client().JudgeHeld(ctx, receipt); !errors.Is(err, cause) || s.State == fetch.Unknown {
		t.Errorf("expected the cause, found %+v and %v", s, err)
	}
	if n := len(b.memory.Entries()); n != 0 {
		t.Errorf("expected nothing to be remembered, found %d entries", n)
	}
}

// TestStatesAreOrdered: each is graver than those before it.
func TestStatesAreOrdered(t *testing.T) {
	order := []fetch.State{
		fetch.Good, fetch.Deprecated, fetch.Outlived, fetch.Affected, fetch.Unknown, fetch.Withdrawn, fetch.Weakened, fetch.Replaced, fetch.Revoked, fetch.Changed,
	}
	for i, a := range order {
		for k, b := range order {
			if a.Graver(b) != (i > k) {
				t.Errorf("%s graver than %s: expected %t", a, b, i > k)
			}
		}
	}
}
