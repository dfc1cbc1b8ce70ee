package fetch_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/trust"
)

// The public-good Sigstore repository as it was published on three days, with
// the clock of each. See the README beside the data.
var sigstoreDays = []struct {
	day                       string
	clock                     string
	root, timestamp, snapshot int64
	targets                   int64
}{
	{"2022-10-24", "2022-10-26T00:00:00Z", 5, 53, 53, 5},
	{"2023-01-15", "2023-01-16T00:00:00Z", 5, 65, 65, 5},
	{"2023-04-01", "2023-04-02T00:00:00Z", 6, 78, 78, 6},
}

// sigstoreMachine is one client state that meets the repository at several days.
type sigstoreMachine struct {
	t     *testing.T
	data  string
	store *trust.MemStore
	cache string
}

func newSigstoreMachine(t *testing.T) *sigstoreMachine {
	t.Helper()
	data := filepath.Join("..", "..", "shared", "data", "sigstore")
	if _, err := os.Stat(data); err != nil {
		t.Skipf("the real data is not here: %v", err)
	}
	return &sigstoreMachine{t: t, data: data, store: &trust.MemStore{}, cache: t.TempDir()}
}

// at serves a folder on loopback and opens the repository with a fixed clock.
func (m *sigstoreMachine) at(folder, clock string) (*fetch.Client, *trust.Repository) {
	m.t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(m.data, folder))))
	m.t.Cleanup(server.Close)
	root, err := os.ReadFile(filepath.Join(m.data, "root-chain", "5.root.json"))
	must(m.t, err)
	now, err := time.Parse(time.RFC3339, clock)
	must(m.t, err)
	engine := wire.New(wire.Options{})
	source, err := fetch.NewSource(engine, fetch.SourceConfig{URL: server.URL})
	must(m.t, err)
	repository, err := trust.Open(trust.Config{
		Name: "sigstore", Root: root, Store: m.store, Remote: source, Now: func() time.Time { return now },
	})
	must(m.t, err)
	blobs, err := cache.Open(m.cache, cache.Options{})
	must(m.t, err)
	client, err := fetch.NewClient(fetch.Config{
		Repositories: []*fetch.Repository{{Trust: repository, Source: source}},
		Cache:        blobs, Engine: engine, Now: func() time.Time { return now },
	})
	must(m.t, err)
	return client, repository
}

func TestRealSigstoreForwards(t *testing.T) {
	t.Parallel()
	m := newSigstoreMachine(t)
	for _, day := range sigstoreDays {
		client, _ := m.at(day.day, day.clock)
		view, err := client.View(t.Context(), "sigstore")
		if err != nil {
			t.Fatalf("%s: %v", day.day, err)
		}
		want := map[string]int64{"root": day.root, "timestamp": day.timestamp, "snapshot": day.snapshot, "targets": day.targets}
		for _, role := range view.Roles() {
			if role.Version != want[role.Role] {
				t.Errorf("%s: %s: expected %d, found %d", day.day, role.Role, want[role.Role], role.Version)
			}
		}
		for _, path := range []string{"rekor.pub", "fulcio.crt.pem"} {
			selection, err := client.SelectTarget(t.Context(), "sigstore", path)
			must(t, err)
			held, err := client.GetSelected(t.Context(), selection)
			must(t, err)
			var got bytes.Buffer
			must(t, client.WriteTo(t.Context(), held, &got))
			stored, err := filepath.Glob(filepath.Join(m.data, day.day, "targets", "*."+path))
			must(t, err)
			want, err := os.ReadFile(stored[0])
			must(t, err)
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s: %s: other bytes than published", day.day, path)
			}
			if _, has := held.Target.Digests().Of(artifact.SHA512); !has {
				t.Errorf("%s: %s: expected sha256 and sha512 to be promised", day.day, path)
			}
		}
	}
}

func TestRealSigstoreBackwardsIsARollback(t *testing.T) {
	t.Parallel()
	m := newSigstoreMachine(t)
	last := sigstoreDays[2]
	client, _ := m.at(last.day, last.clock)
	_, err := client.View(t.Context(), "sigstore")
	must(t, err)
	for _, day := range []int{1, 0} {
		client, _ := m.at(sigstoreDays[day].day, last.clock)
		if _, err := client.View(t.Context(), "sigstore"); !errors.Is(err, trust.ErrRollback) {
			t.Errorf("%s after %s: expected ErrRollback, found %v", sigstoreDays[day].day, last.day, err)
		}
	}
}

func TestRealSigstoreRootChainAlone(t *testing.T) {
	t.Parallel()
	m := newSigstoreMachine(t)
	_, repository := m.at("root-chain", "2026-11-19T00:00:00Z")
	_, err := repository.Refresh(t.Context())
	if !errors.Is(err, trust.ErrNoMetadata) || !errors.Is(err, fetch.ErrSource) {
		t.Fatalf("expected the missing timestamp to stop it, found %v", err)
	}
	if entries := m.store.Entries(); entries["root/15"] == nil || entries["root/16"] != nil {
		t.Error("expected root 15 to be reached")
	}
	// A day later root 15 itself has expired.
	_, repository = m.at("root-chain", "2026-11-21T00:00:00Z")
	_, err = repository.Refresh(t.Context())
	var expired *trust.ExpiredError
	if !errors.As(err, &expired) || expired.Role != "root" || expired.Version != 15 {
		t.Errorf("expected root 15 to have expired, found %v", err)
	}
}
