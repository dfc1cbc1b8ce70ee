package testrepo_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestLargeTargets(t *testing.T) {
	const size = 3<<20 + 7
	r, s, _, _ := faulty(t)
	must(t, r.AddLarge("big", size, 1))
	must(t, r.AddLarge("same", size, 1))
	must(t, r.AddLarge("other", size, 2))
	must(t, r.AddLarge("empty", 0, 2))
	must(t, r.Publish())
	tm, err := verify(overHTTP(t, s.URL), time.Now())
	must(t, err)
	bodies := map[string][]byte{}
	for _, name := range []string{"big", "same", "other", "empty"} {
		file := tm.Targets["targets"].Signed.Targets[name]
		bodies[name] = overHTTP(t, s.URL)(targetNames(name, file, true)[0])
		must(t, file.VerifyLengthHashes(bodies[name]))
	}
	if !bytes.Equal(bodies["big"], bodies["same"]) || bytes.Equal(bodies["big"], bodies["other"]) {
		t.Error("content does not follow the seed")
	}
	where := targetNames("big", tm.Targets["targets"].Signed.Targets["big"], true)[0]
	_, target := r.Target("big")
	if _, file := r.Files(0)[where]; target || file {
		t.Error("a large target is handed out as bytes")
	}
	url := s.URL + "/" + where
	for _, from := range []int{0, 1, 15, 16, 17, 65537, size - 1} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		must(t, err)
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		response, err := client().Do(request)
		must(t, err)
		part, err := io.ReadAll(response.Body)
		must(t, errors.Join(err, response.Body.Close()))
		if response.StatusCode != 206 || !bytes.Equal(part, bodies["big"][from:]) {
			t.Errorf("range from %d: status %d, wrong bytes", from, response.StatusCode)
		}
	}
}

func TestLargeReleases(t *testing.T) {
	r := sample(t, testrepo.Options{})
	must(t, r.AddRelease(testrepo.Release{Product: "ferry", Version: "1.0.0", Channel: "stable", Artifacts: []testrepo.Artifact{
		{OS: "linux", Arch: "amd64", Format: "raw", Size: 1 << 20, Seed: 3},
		{OS: "linux", Arch: "arm64", Format: "raw", File: "ferry-arm64", Data: []byte("bytes")},
	}}))
	must(t, r.Publish())
	artifacts := manifestOf(t, r, "ferry/1.0.0/release.json").Artifacts
	if a := artifacts[0]; a.Length != 1<<20 || a.Target != "ferry/1.0.0/ferry_1.0.0_linux_amd64.raw" {
		t.Errorf("large: %+v", a)
	}
	if a := artifacts[1]; a.Length != 5 || a.Target != "ferry/1.0.0/ferry-arm64" || a.Digests["sha256"] != sum([]byte("bytes")) {
		t.Errorf("given: %+v", a)
	}
}

func TestWriteTo(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprint("plain ", plain), func(t *testing.T) {
			r := sample(t, testrepo.Options{PlainSnapshots: plain})
			must(t, r.Delegate("targets", testrepo.DelegatedRole{Name: "a/b", Paths: []string{"x"}}))
			must(t, r.AddLarge("large", 100_000, 4))
			must(t, r.Publish())
			dir := filepath.Join(t.TempDir(), "made", "here")
			must(t, r.WriteTo(dir))
			must(t, os.WriteFile(filepath.Join(dir, "timestamp.json"), bytes.Repeat([]byte("old"), 9999), 0o600))
			must(t, r.WriteTo(dir))
			read := func(name string) []byte {
				data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
				if errors.Is(err, os.ErrNotExist) {
					return nil
				}
				must(t, err)
				return data
			}
			tm, err := verify(read, time.Now())
			must(t, err)
			file := tm.Targets["targets"].Signed.Targets["large"]
			must(t, file.VerifyLengthHashes(read(targetNames("large", file, !plain)[0])))
			for name, data := range r.Files(0) {
				if !bytes.Equal(read(name), data) {
					t.Errorf("%s differs", name)
				}
			}
		})
	}
}

func TestWriteToStaysInItsFolder(t *testing.T) {
	r := small(t, testrepo.Options{PlainSnapshots: true})
	must(t, r.AddTarget("../../../outside", []byte("x")))
	must(t, r.Publish())
	dir := filepath.Join(t.TempDir(), "a", "b")
	err := r.WriteTo(dir)
	if err == nil || !strings.Contains(err.Error(), "escapes") || !strings.Contains(err.Error(), "outside") {
		t.Fatalf("expected the target to be refused as it escapes, found %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "..", "..", "outside")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written outside: %v", err)
	}
	// It is still served, as a hostile repository would.
	if r.Files(0)["targets/../../../outside"] == nil {
		t.Error("the hostile target is not published")
	}
}

func TestKeysSign(t *testing.T) {
	key, err := testrepo.NewKey(testrepo.ECDSA)
	must(t, err)
	id, err := key.Public().ID()
	must(t, err)
	signature, err := key.Sign([]byte("message"))
	must(t, err)
	if id != key.ID() || len(signature) == 0 || key.Public().Scheme != metadata.KeySchemeECDSA_SHA2_P256 {
		t.Errorf("identifier %s of %s, %d bytes, scheme %s", key.ID(), id, len(signature), key.Public().Scheme)
	}
}
