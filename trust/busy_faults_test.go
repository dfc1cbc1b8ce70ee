package trust_test

import (
	"errors"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// A process that loses every race gives up, and what the others have stored
// stays.
func TestOvertakenAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	other := b.open()
	if _, err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := b.config
	config.Remote = &remote{repo: b.repo, answer: map[string]func() ([]byte, error){"timestamp.json": func() ([]byte, error) {
		must(t, b.repo.PublishTimestamp())
		return b.repo.Files(0)["timestamp.json"], nil
	}}}
	config.Store = &meddler{Store: b.config.Store, before: func(int) error {
		must(t, b.repo.PublishTimestamp())
		_, err := other.Refresh(t.Context())
		return err
	}}
	late, err := trust.Open(config)
	must(t, err)
	if _, err := late.Refresh(t.Context()); !errors.Is(err, trust.ErrBusy) {
		t.Errorf("expected ErrBusy, found %v", err)
	}
	if got, want := version(mustOffline(t, b), "timestamp"), b.repo.Version("timestamp"); got != want {
		t.Errorf("expected timestamp %d, found %d", want, got)
	}
}

// A process that never finds the bytes that the records just named gives up, and
// does not take what is swept away for damage.
func TestSweptAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	other := b.open()
	slow := b.with(&meddler{Store: b.config.Store, view: func(int) {
		must(t, b.repo.PublishTimestamp())
		_, err := other.Refresh(t.Context())
		must(t, err)
	}})
	if _, err := slow.Offline(t.Context()); !errors.Is(err, trust.ErrBusy) {
		t.Errorf("offline: expected ErrBusy, found %v", err)
	}
	if _, err := slow.Refresh(t.Context()); !errors.Is(err, trust.ErrBusy) {
		t.Errorf("refresh: expected ErrBusy, found %v", err)
	}
	mustOffline(t, b)
}

// A refresh with nothing new writes once: that it was checked.
func TestNothingNewIsWrittenOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	counter := &meddler{Store: b.config.Store}
	if _, err := b.with(counter).Refresh(t.Context()); err != nil || counter.updates != 1 {
		t.Errorf("expected one transaction that writes, found %d, %v", counter.updates, err)
	}
}
