package interop_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"assay/mirror"
)

// sigstoreDays are the public-good Sigstore repository as it was published on three
// days, each with a clock of its time and the versions that count; see the README
// beside the data.
var sigstoreDays = []struct {
	folder, clock           string
	root, snapshot, targets int
}{
	{"2022-10-24", "2022-10-26T00:00:00Z", 5, 53, 5},
	{"2023-01-15", "2023-01-16T00:00:00Z", 5, 65, 5},
	{"2023-04-01", "2023-04-02T00:00:00Z", 6, 78, 6},
}

// The real data, mirrored day by day by one mirror, is served as it was published;
// one client follows it from the mirror through all three days.
func TestRealSigstoreIsMirrored(t *testing.T) {
	t.Parallel()
	data := filepath.Join("..", "..", "..", "shared", "data", "sigstore")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("the real data is not here: %v", err)
	}
	root, err := os.ReadFile(filepath.Join(data, "root-chain", "5.root.json"))
	must(t, err)
	var day atomic.Int32
	now := func() time.Time {
		clock, err := time.Parse(time.RFC3339, sigstoreDays[day.Load()].clock)
		must(t, err)
		return clock
	}
	folder := func() string { return filepath.Join(data, sigstoreDays[day.Load()].folder) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.FileServer(http.Dir(folder())).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s := mirrored(t, published{url: server.URL, root: root, now: now})
	m := newMachine(t, root)
	m.now = now
	for i, about := range sigstoreDays {
		day.Store(int32(i))
		run, err := s.core.Sync(t.Context(), "acme")
		must(t, err)
		if run.Outcome != mirror.Done {
			t.Fatalf("%s: expected the sync to be complete, found %s: %v %+v", about.folder, run.Outcome, run.Err, run.Faults)
		}
		same := 0
		for _, name := range namesBelow(t, folder()) {
			want, err := os.ReadFile(filepath.Join(folder(), name))
			must(t, err)
			if version, role, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "."); outdated(version, role, about.root, about.snapshot, about.targets) {
				continue // a mirror need not carry what no metadata leads to any more
			}
			code, got := s.ask(name)
			if code != http.StatusOK || got != string(want) {
				t.Errorf("%s: %s: expected the %d bytes that were published, found status %d and %d bytes", about.folder, name, len(want), code, len(got))
				continue
			}
			same++
		}
		t.Logf("%s: %d files are as they were published", about.folder, same)
		client := m.at(s.url)
		view, err := client.View(t.Context(), "acme")
		must(t, err)
		for _, role := range view.Roles() {
			if role.Role == "timestamp" && role.Version != int64(about.snapshot) {
				t.Errorf("%s: expected the timestamp %d, found %d", about.folder, about.snapshot, role.Version)
			}
		}
		for _, path := range []string{"rekor.pub", "fulcio.crt.pem", "ctfe.pub", "artifact.pub"} {
			if stored, _ := filepath.Glob(filepath.Join(folder(), "targets", "*."+path)); len(stored) != 2 {
				t.Fatalf("%s: expected it under two digests, found %q", path, stored)
			} else if want, err := os.ReadFile(stored[0]); err != nil || string(m.get(client, path)) != string(want) {
				t.Errorf("%s: %s: expected the bytes that were published, %v", about.folder, path, err)
			}
		}
	}
}

// outdated reports whether a file of metadata is one that trust, which begins with
// root 5, has no use for: an earlier root, another snapshot, other targets.
func outdated(version, role string, root, snapshot, targets int) bool {
	n, err := strconv.Atoi(version)
	if err != nil {
		return false
	}
	switch role {
	case "root":
		return n < 5 || n > root
	case "snapshot":
		return n != snapshot
	case "targets":
		return n != targets
	}
	return false
}

// namesBelow are the files of a folder.
func namesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	}))
	return names
}
