package testrepo_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// noon is the present of tests that have a clock of their own.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sample(t *testing.T, opts testrepo.Options) *testrepo.Repo {
	t.Helper()
	r, err := testrepo.Sample(opts)
	must(t, err)
	return r
}

// small is quicker to make than the sample: hello 1.4.2 in stable, with one
// artifact, published once.
func small(t *testing.T, opts testrepo.Options) *testrepo.Repo {
	t.Helper()
	r, err := testrepo.New(opts)
	must(t, err)
	must(t, r.AddProduct("hello", "Prints a greeting", "stable"))
	must(t, r.AddRelease(testrepo.Release{
		Product: "hello", Version: "1.4.2", Channel: "stable", Artifacts: testrepo.DefaultArtifacts()[:1],
	}))
	must(t, r.Publish())
	return r
}

func serve(t *testing.T, opts testrepo.Options) (*testrepo.Repo, *testrepo.Server) {
	t.Helper()
	r, s, err := testrepo.ServeSample(opts)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return r, s
}

// client does one request at a time and keeps no connections.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
}

// answer is a response that was read to its end, or to the error that ended it.
type answer struct {
	status int
	length int64
	body   []byte
	header http.Header
	err    error
}

// bodyLimit is where get stops reading.
const bodyLimit = 4 << 20

func get(t *testing.T, url string) answer {
	t.Helper()
	response, err := client().Get(url)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	return answer{status: response.StatusCode, length: response.ContentLength, body: body, header: response.Header, err: err}
}

// verify walks a repository as a client does: the root chain from 1.root.json,
// timestamp, snapshot, targets and every delegated role. files answers nil for
// a file that does not exist.
func verify(files func(name string) []byte, now time.Time) (*trustedmetadata.TrustedMetadata, error) {
	tm, err := trustedmetadata.New(files("1.root.json"))
	if err != nil {
		return nil, fmt.Errorf("root 1: %w", err)
	}
	tm.RefTime = now
	for n := 2; files(fmt.Sprintf("%d.root.json", n)) != nil; n++ {
		if _, err := tm.UpdateRoot(files(fmt.Sprintf("%d.root.json", n))); err != nil {
			return nil, fmt.Errorf("root %d: %w", n, err)
		}
	}
	if _, err := tm.UpdateTimestamp(files("timestamp.json")); err != nil {
		return nil, fmt.Errorf("timestamp: %w", err)
	}
	name := func(role string, meta *metadata.MetaFiles) string {
		if tm.Root.Signed.ConsistentSnapshot {
			return fmt.Sprintf("%d.%s.json", meta.Version, url.PathEscape(role))
		}
		return url.PathEscape(role) + ".json"
	}
	if _, err := tm.UpdateSnapshot(files(name("snapshot", tm.Timestamp.Signed.Meta["snapshot.json"])), false); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return tm, verifyTargets(tm, files, name, "targets", "root")
}

func verifyTargets(tm *trustedmetadata.TrustedMetadata, files func(string) []byte, name func(string, *metadata.MetaFiles) string, role, parent string) error {
	meta, ok := tm.Snapshot.Signed.Meta[role+".json"]
	if !ok {
		return fmt.Errorf("role %q is not in the snapshot", role)
	}
	loaded, err := tm.UpdateDelegatedTargets(files(name(role, meta)), role, parent)
	if err != nil {
		return fmt.Errorf("role %q by %q: %w", role, parent, err)
	}
	if loaded.Signed.Delegations == nil {
		return nil
	}
	var children []string
	for _, child := range loaded.Signed.Delegations.Roles {
		children = append(children, child.Name)
	}
	if bins := loaded.Signed.Delegations.SuccinctRoles; bins != nil {
		children = bins.GetRoles()
	}
	for _, child := range children {
		if err := verifyTargets(tm, files, name, child, role); err != nil {
			return err
		}
	}
	return nil
}

// held reads the files of the newest generation.
func held(r *testrepo.Repo) func(string) []byte {
	files := r.Files(0)
	return func(name string) []byte { return files[name] }
}

// overHTTP reads files from a server, nil for a 404.
func overHTTP(t *testing.T, base string) func(string) []byte {
	return func(name string) []byte {
		t.Helper()
		a := get(t, base+"/"+name)
		must(t, a.err)
		if a.status == http.StatusNotFound {
			return nil
		}
		if a.status != http.StatusOK || a.length != int64(len(a.body)) {
			t.Fatalf("%s: status %d, Content-Length %d, %d bytes", name, a.status, a.length, len(a.body))
		}
		return a.body
	}
}

// targetNames are where a target lies, one name per hash or the plain one.
func targetNames(where string, file *metadata.TargetFiles, consistent bool) []string {
	escaped := (&url.URL{Path: where}).EscapedPath()
	if !consistent {
		return []string{"targets/" + escaped}
	}
	dir, base := path.Split(escaped)
	var names []string
	for _, digest := range file.Hashes {
		names = append(names, "targets/"+dir+hex.EncodeToString(digest)+"."+base)
	}
	return names
}

// fileOf is the name of a target's file by the newest generation.
func fileOf(t *testing.T, r *testrepo.Repo, target string) string {
	t.Helper()
	for name := range r.Files(0) {
		dir, base := path.Split(name)
		_, plain, _ := strings.Cut(base, ".")
		if dir+plain == "targets/"+target {
			return name
		}
	}
	t.Fatalf("no file for target %q", target)
	return ""
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

// isTimeout tells the client's own deadline from an answer.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}
