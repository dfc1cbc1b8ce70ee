package interop_test

import (
	"net/http"
	"path/filepath"
	"testing"

	tufconfig "github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"assay/internal/testrepo"
)

// goTUF is go-tuf's own client of a repository.
func goTUF(t testing.TB, base string, root []byte) *updater.Updater {
	t.Helper()
	c, err := tufconfig.New(base, root)
	must(t, err)
	dir := t.TempDir()
	c.LocalMetadataDir, c.LocalTargetsDir = filepath.Join(dir, "metadata"), filepath.Join(dir, "targets")
	u, err := updater.New(c)
	must(t, err)
	must(t, u.Refresh())
	return u
}

// takes expects go-tuf's client to get every target from a mirror, byte for byte.
func takes(t testing.TB, u *updater.Updater, repo *testrepo.Repo, paths []string) {
	t.Helper()
	for _, path := range paths {
		want, ok := repo.Target(path)
		if !ok {
			t.Fatalf("no target %s", path)
		}
		info, err := u.GetTargetInfo(path)
		if err != nil {
			t.Errorf("%s: expected it to be promised, found %v", path, err)
			continue
		}
		_, got, err := u.DownloadTarget(info, filepath.Join(t.TempDir(), "got"), "")
		if err != nil {
			t.Errorf("%s: expected its bytes, found %v", path, err)
		} else if string(got) != string(want) {
			t.Errorf("%s: expected %q, found %q", path, want, got)
		}
	}
}

// same expects every file of the publisher to be served byte for byte, and returns
// how many there are.
func same(t *testing.T, repo *testrepo.Repo, s *site) int {
	t.Helper()
	files := repo.Files(0)
	for name, want := range files {
		if code, got := s.ask(name); code != http.StatusOK || got != string(want) {
			t.Errorf("%s: expected the publisher's %d bytes, found status %d and %d bytes", name, len(want), code, len(got))
		}
	}
	return len(files)
}

func TestGoTUFTakesAllFromTheMirror(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, repo *testrepo.Repo, s *site, paths []string) {
		takes(t, goTUF(t, s.url, repo.RootBytes(1)), repo, paths)
		t.Logf("%d files are the publisher's, byte for byte", same(t, repo, s))
	})
}

// go-tuf follows the mirror through a change of keys, of root as well.
func TestGoTUFFollowsARotation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, repo *testrepo.Repo, s *site, paths []string) {
		must(t, repo.RotateKey("root"))
		must(t, repo.RotateKey("timestamp"))
		must(t, repo.Renew())
		must(t, repo.Publish())
		run, err := s.core.Sync(t.Context(), "acme")
		must(t, err)
		must(t, run.Err)
		for _, name := range []string{"1.root.json", "2.root.json", "timestamp.json"} {
			if code, got := s.ask(name); code != http.StatusOK || got != string(repo.Files(0)[name]) {
				t.Errorf("%s: expected the publisher's, found status %d and %d bytes", name, code, len(got))
			}
		}
		takes(t, goTUF(t, s.url, repo.RootBytes(1)), repo, paths)
	})
}
