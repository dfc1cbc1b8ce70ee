package fetch_test

import (
	"errors"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
)

// Offline, what is held tells how a release stands, even once it has expired: but
// then nothing is chosen by it.
func TestOutlookOffline(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.SetStatus("hello", "stable", "1.4.2", "revoked", "stolen key", ""))
	must(t, b.repo.Publish())
	installed, err := artifact.ParseVersion("1.4.2")
	must(t, err)
	look := func() (status release.Status, reason, newest string, fresh bool, chosen error) {
		t.Helper()
		o, err := b.client().Outlook(t.Context(), request(t, "acme:hello"), fetch.Installed{Version: installed})
		must(t, err)
		return o.Status, o.Reason, o.Newest.String(), o.Fresh, o.Err
	}
	if status, reason, newest, fresh, err := look(); status != release.StatusRevoked || reason != "stolen key" || newest != "1.5.0" || !fresh || err != nil {
		t.Errorf("online: %s, %s, %s, fresh %v, %v", status, reason, newest, fresh, err)
	}
	b.offline = true
	if status, _, newest, fresh, err := look(); status != release.StatusRevoked || newest != "1.5.0" || fresh || err != nil {
		t.Errorf("offline: %s, %s, fresh %v, %v", status, newest, fresh, err)
	}
	b.now = b.now.Add(48 * time.Hour)
	if status, _, newest, fresh, err := look(); status != release.StatusRevoked || newest != "" || fresh || !errors.Is(err, trust.ErrExpired) {
		t.Errorf("offline, expired: %s, %s, fresh %v, %v", status, newest, fresh, err)
	}
	b.offline = false
	b.server.Freeze()
	if _, err := b.client().Outlook(t.Context(), request(t, "acme:hello"), fetch.Installed{Version: installed}); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("frozen: expected %v, found %v", trust.ErrExpired, err)
	}
}
