package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/internal/testrepo"
	"assay/trust"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]testrepo.Options{
		"sha256": {},
		"sha512": {Algorithms: []artifact.Algorithm{artifact.SHA512}},
		"both":   {Algorithms: []artifact.Algorithm{artifact.SHA256, artifact.SHA512}},
		"plain":  {PlainSnapshots: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options)
			must(t, b.repo.AddTarget("dir/b.txt", []byte("beta")))
			b.publish()
			b.works(b.downloadArgs("dir/b.txt", "a.txt", "dir/b.txt")...)
			want := map[string]string{"a.txt": "alpha", "dir%2Fb.txt": "beta"}
			b.expectDownloaded(want)
			b.expectVersions("root 1 timestamp 2 snapshot 2 targets 2")
			if asked := b.asked(); len(asked) != 6 || !strings.HasSuffix(asked[4], "b.txt") || !strings.HasSuffix(asked[5], "a.txt") {
				t.Errorf("expected each target asked for once, in order, found %q", asked)
			}
			// What is there is neither fetched nor written again.
			old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			must(t, os.Chtimes(filepath.Join(b.targets, "a.txt"), old, old))
			b.works(b.downloadArgs("a.txt")...)
			b.expectAsked("2.root.json", "timestamp.json")
			if info, err := os.Stat(filepath.Join(b.targets, "a.txt")); err != nil || !info.ModTime().Equal(old) {
				t.Errorf("expected the file of before, found %v, %v", info, err)
			}
			// What was promised anew takes the same name.
			must(t, b.repo.AddTarget("a.txt", []byte("other")))
			b.publish()
			b.works(b.downloadArgs("a.txt")...)
			want["a.txt"] = "other"
			b.expectDownloaded(want)
		})
	}
}

func TestDownloadEndsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(*testrepo.Server)
		path  string
		words []string
	}{
		"not promised":  {nil, "missing.txt", []string{trust.ErrNoTarget.Error()}},
		"not a path":    {nil, "../b.txt", []string{trust.ErrNoTarget.Error()}},
		"other bytes":   {func(s *testrepo.Server) { s.FlipByte("b.txt") }, "b.txt", []string{cache.ErrMismatch.Error()}},
		"more bytes":    {func(s *testrepo.Server) { s.Extend("b.txt") }, "b.txt", []string{cache.ErrMismatch.Error()}},
		"fewer bytes":   {func(s *testrepo.Server) { s.Truncate("b.txt") }, "b.txt", []string{cache.ErrMismatch.Error()}},
		"not there":     {func(s *testrepo.Server) { s.Status("b.txt", 404) }, "b.txt", []string{"no source has it"}},
		"a server down": {func(s *testrepo.Server) { s.Status("b.txt", 500) }, "b.txt", []string{"500"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			must(t, b.repo.AddTarget("b.txt", []byte("beta")))
			must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
			b.publish()
			if test.fault != nil {
				test.fault(b.server)
			}
			b.fails(test.words, b.downloadArgs("a.txt", test.path, "c.txt")...)
			b.expectDownloaded(map[string]string{"a.txt": "alpha"})
			b.expectVersions("root 1 timestamp 2 snapshot 2 targets 2")
			for _, path := range b.asked() {
				if strings.HasSuffix(path, "c.txt") {
					t.Error("it went on behind the failure")
				}
			}
		})
	}
}

// A refresh that fails is the end of a download, whatever is cached.
func TestDownloadNeedsARefresh(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.works(b.downloadArgs("a.txt")...)
	must(t, os.Remove(filepath.Join(b.targets, "a.txt")))
	must(t, b.repo.SetExpiry("timestamp", -time.Hour))
	b.publish()
	b.fails([]string{trust.ErrExpired.Error()}, b.downloadArgs("a.txt")...)
	b.expectDownloaded(map[string]string{})
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 100)
	b := newBench(t, testrepo.Options{})
	want, roles := map[string]string{}, []string{"?", "#", "/slash", "../up", "..", "a%2Fb", "x.root", "2.x", "state.db", long}
	var paths []string
	for i, role := range roles {
		dir := fmt.Sprintf("d%d", i)
		must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: role, Paths: []string{dir + "/*"}}))
		path := dir + "/" + strings.ReplaceAll(role, "/", "|")
		if role == ".." {
			path = dir + "/..."
		}
		must(t, b.repo.AddTarget(path, []byte(role), role))
		want[fileName(path)] = role
		paths = append(paths, path)
	}
	b.publish()
	b.works(b.downloadArgs(paths...)...)
	b.expectDownloaded(want)
	accepted := b.versions()
	for _, role := range append(roles, "root", "timestamp", "snapshot", "targets") {
		if accepted[fileName(role)] == 0 {
			t.Errorf("no file for the role %q among %v", role, accepted)
		}
		delete(accepted, fileName(role))
	}
	if len(accepted) > 0 {
		t.Errorf("files that no role explains: %v", accepted)
	}
	// Nothing went beside the folders.
	beside, err := os.ReadDir(filepath.Dir(b.metadata))
	must(t, err)
	if len(beside) != 4 {
		t.Errorf("expected metadata, targets, bin and given.json, found %v", beside)
	}
}
