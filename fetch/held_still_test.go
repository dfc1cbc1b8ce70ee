package fetch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assay/fetch"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// clear takes hello 2.0.0 away: out of its channel, and with files its files, too.
func (b *signedBench) clear(files bool) {
	b.t.Helper()
	if files {
		must(b.t, b.repo.RemoveTarget(signedTarball, "hello"))
		must(b.t, b.repo.RemoveTarget("hello/2.0.0/release.json", "hello"))
	}
	b.edit("channel-stable/hello.json", func(d map[string]any) { d["releases"] = d["releases"].([]any)[1:] })
}

// TestRevokedStaysRevoked: what was found revoked once is so still when its publisher
// clears it away, however often it is looked at; a channel that lists it as good again
// takes it back.
func TestRevokedStaysRevoked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *signedBench){
		"all is gone":                func(b *signedBench) { b.clear(true) },
		"its files are promised yet": func(b *signedBench) { b.clear(false) },
		"other bytes are promised": func(b *signedBench) {
			must(t, b.repo.AddTarget(signedTarball, []byte("other bytes"), "hello"))
			b.clear(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSigned(t)
			b.mustGet("hello")
			judge := func(want fetch.State, reason error) {
				t.Helper()
				receipt := b.receipts()[signedTarball]
				s, err := b.client().JudgeHeld(t.Context(), receipt)
				must(t, err)
				if s.State != want || !errors.Is(s.Err, reason) || s.Evidence == nil {
					t.Errorf("held: expected %s, found %s: %s", want, s.State, s.Detail)
				}
				installed, err := b.client().JudgeInstalled(t.Context(), receipt.Repository, receipt.Target, receipt.Digests)
				must(t, err)
				if installed.State != want || !errors.Is(installed.Err, reason) {
					t.Errorf("installed: expected %s, found %s: %s", want, installed.State, installed.Detail)
				}
			}
			must(t, b.repo.SetStatus("hello", "stable", "2.0.0", "revoked", "a hole", ""))
			must(t, b.repo.Publish())
			judge(fetch.Revoked, fetch.ErrRevoked)
			first := b.receipts()[signedTarball]
			change(b)
			b.now = b.now.Add(time.Minute)
			if selection, err := b.client().SelectTarget(t.Context(), "acme", signedTarball); err == nil && selection.SameBytes(first.Digests) == nil {
				t.Error("by path: expected it to be refused, found it selected")
			}
			judge(fetch.Revoked, fetch.ErrRevoked)
			judge(fetch.Revoked, fetch.ErrRevoked)
			if r := b.receipts()[signedTarball]; r.Reason != first.Reason || !r.At.Equal(first.At) || !strings.Contains(r.Reason, "a hole") {
				t.Errorf("expected the receipt to stay, found %q of %s", r.Reason, r.At)
			}
		})
	}
	t.Run("taken back", func(t *testing.T) {
		t.Parallel()
		b := newSigned(t)
		b.mustGet("hello")
		for _, status := range []string{"revoked", "current"} {
			must(t, b.repo.SetStatus("hello", "stable", "2.0.0", status, "", ""))
			must(t, b.repo.Publish())
			s, err := b.client().JudgeHeld(t.Context(), b.receipts()[signedTarball])
			must(t, err)
			if want := map[string]fetch.State{"revoked": fetch.Revoked, "current": fetch.Good}[status]; s.State != want {
				t.Errorf("%s: expected %s, found %s: %s", status, want, s.State, s.Detail)
			}
		}
	})
}

// TestRefusedStaysRefused: what was refused for another reason is withdrawn then, and
// its receipt goes on telling why it was refused.
func TestRefusedStaysRefused(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.mustGet("hello")
	b.rules = []policy.Rule{signedBy(t, "ferry")}
	for _, want := range []fetch.State{fetch.Weakened, fetch.Withdrawn, fetch.Withdrawn} {
		s, err := b.client().JudgeHeld(t.Context(), b.receipts()[signedTarball])
		must(t, err)
		r := b.receipts()[signedTarball]
		failed, _ := r.Evidence.Failed()
		if s.State != want || r.Outcome != proof.Refused || failed.ID != trust.CheckIdentity {
			t.Errorf("expected %s, and the signer to be remembered, found %s and %s", want, s.State, failed.ID)
		}
		if want == fetch.Weakened {
			b.clear(true)
		}
	}
}
