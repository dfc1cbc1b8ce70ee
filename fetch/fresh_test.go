package fetch_test

import (
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// What is fresh is so until the first of metadata and channel ends, and says by
// which.
func TestFreshUntil(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	fresh := func() (time.Time, string) {
		t.Helper()
		selection, err := b.client().Resolve(t.Context(), request(t, "hello"))
		must(t, err)
		return selection.Evidence.FreshUntil, selection.Evidence.FreshBy
	}
	if until, by := fresh(); by != "the timestamp of acme" || until.Sub(b.now).Round(time.Hour) != 24*time.Hour {
		t.Errorf("expected a day, by the timestamp; found %s by %s", until, by)
	}
	edit := func(key string, value any) {
		t.Helper()
		must(t, b.repo.EditDocument("channel-stable/hello.json", func(index map[string]any) { index[key] = value }))
		must(t, b.repo.Publish())
	}
	edit("max_age", "2h")
	if until, by := fresh(); by != "the channel stable of hello" || until.Sub(b.now).Round(time.Hour) != 2*time.Hour {
		t.Errorf("expected two hours, by the channel; found %s by %s", until, by)
	}
	edit("end_of_life", b.now.Add(time.Hour).UTC().Format(time.RFC3339))
	if until, by := fresh(); !strings.HasPrefix(by, "the end of life of the channel") && !strings.Contains(by, "end of life of channel stable of hello") || until.Sub(b.now).Round(time.Hour) != time.Hour {
		t.Errorf("expected an hour, by the end of life; found %s by %s", until, by)
	}
}
