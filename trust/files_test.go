package trust_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
)

// What a mirror publishes is byte for byte what the repository published, under
// its names, and nothing is named before what it names.
func TestMetadataFilesOfAView(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]testrepo.Options{
		"consistent": {}, "plain": {PlainSnapshots: true, NoMetaHashes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options)
			must(t, b.repo.RotateRoot())
			b.delegate("targets", testrepo.DelegatedRole{Name: "a/b c", Paths: []string{"team/*"}})
			b.delegate("a/b c", testrepo.DelegatedRole{Name: "deep", Paths: []string{"team/*"}})
			b.publish()
			view := b.mustRefresh()
			served := b.repo.Files(0)
			var names []string
			for file, err := range view.Metadata(t.Context()) {
				must(t, err)
				names = append(names, file.Name)
				if !bytes.Equal(file.Bytes, served[file.Name]) || artifact.DigestOf(artifact.SHA256, file.Bytes) != file.SHA256 {
					t.Errorf("%s: not what the repository serves", file.Name)
				}
			}
			want := []string{"1.root.json", "2.root.json", "1.a%2Fb%20c.json", "1.deep.json", "2.targets.json", "2.snapshot.json", "timestamp.json"}
			if options.PlainSnapshots {
				want = []string{"1.root.json", "2.root.json", "a%2Fb%20c.json", "deep.json", "targets.json", "snapshot.json", "timestamp.json"}
			}
			if !slices.Equal(names, want) {
				t.Errorf("expected %v, found %v", want, names)
			}
		})
	}
}

func TestMetadataFilesOfAnExpiredView(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.now = b.now.Add(30 * 24 * time.Hour)
	view := mustOffline(t, b)
	count := 0
	for _, err := range view.Metadata(t.Context()) {
		count++
		if !errors.Is(err, trust.ErrExpired) {
			t.Errorf("expected ErrExpired, found %v", err)
		}
	}
	if count != 1 {
		t.Errorf("expected one error, found %d", count)
	}
}

// A gap in the chain of roots is an error: a client that begins with the first
// would end before it.
func TestMetadataFilesWithADamagedRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.RotateRoot())
	must(t, b.repo.RotateRoot())
	view := b.mustRefresh()
	b.put("root/2", bytes.Replace(b.store.Entries()["root/2"], []byte(" "), []byte("\t"), 1))
	var names []string
	var last error
	for file, err := range view.Metadata(t.Context()) {
		names, last = append(names, file.Name), err
	}
	if !errors.Is(last, trust.ErrNotHeld) || !strings.Contains(last.Error(), "root 2") || len(names) != 2 {
		t.Errorf("expected root 1 and then ErrNotHeld about root 2, found %v, %v", names, last)
	}
	for _, err := range b.mustRefresh().Metadata(t.Context()) {
		must(t, err) // the refresh brought it back
	}
}

func TestMetadataFilesEndWithTheFirstError(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.publish()
	view := b.mustRefresh()
	b.remote.fail("1.team.json", nil, trust.ErrNoAnswer)
	var last error
	for _, err := range view.Metadata(t.Context()) {
		if last != nil {
			t.Error("something came after the error")
		}
		last = err
	}
	if !errors.Is(last, trust.ErrNoAnswer) {
		t.Errorf("expected ErrNoAnswer, found %v", last)
	}
}

// Whoever stops because his context has ended gets no more, not even the error of
// what could not be stored then.
func TestListingStoppedWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/x", "team")
	b.publish()
	meddling := &meddler{Store: b.config.Store}
	b.config.Store = meddling
	view := b.mustRefresh()
	meddling.before = func(int) error { return errors.New("full") }
	for file, err := range view.Metadata(t.Context()) {
		must(t, err)
		if file.Role == "team" {
			break // the store refuses what was fetched for it
		}
	}
	meddling.before = nil
	b.remote.requests()
	_, err := view.Target(t.Context(), "team/x")
	must(t, err)
	if _, held := b.store.Entries()["role/team"]; !held {
		t.Error("expected the role to be stored by the next look-up")
	}
}
