package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
)

// asClient has the test's own binary be the client, so that the client runs as a
// process of its own, under the race detector where the test does.
const asClient = "ASSAY_TEST_AS_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(asClient) != "" {
		main()
	}
	os.Exit(m.Run())
}

// start is the time at which every test begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is one repository, its server, and the folders of one client.
type bench struct {
	t        *testing.T
	now      time.Time
	repo     *testrepo.Repo
	server   *testrepo.Server
	metadata string // the client's folder
	targets  string // the client's folder
	given    string // the root file that init gets
	programs string // the folder of the false date
}

// newBench publishes a repository once, with a.txt, and starts to trust it.
func newBench(t *testing.T, options testrepo.Options) *bench {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the false date is a shell script")
	}
	dir := t.TempDir()
	b := &bench{
		t: t, now: start, given: filepath.Join(dir, "given.json"), programs: filepath.Join(dir, "bin"),
		metadata: filepath.Join(dir, "metadata"), targets: filepath.Join(dir, "targets"),
	}
	for _, folder := range []string{b.metadata, b.targets, b.programs} {
		must(t, os.Mkdir(folder, 0o755))
	}
	options.Now = func() time.Time { return b.now }
	var err error
	b.repo, err = testrepo.New(options)
	must(t, err)
	must(t, b.repo.AddTarget("a.txt", []byte("alpha")))
	b.publish()
	b.server, err = testrepo.Serve(b.repo)
	must(t, err)
	t.Cleanup(func() { must(t, b.server.Close()) })
	must(t, os.WriteFile(b.given, b.repo.Root(), 0o644))
	// In this process, as many tests begin so; those of init start one.
	must(t, initialise(b.metadata, b.given))
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) publish() {
	b.t.Helper()
	must(b.t, b.repo.Publish())
}

// date writes the program date that the client finds.
func (b *bench) date(script string) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.programs, "date"), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// run starts the client at the time of the bench.
func (b *bench) run(args ...string) (code int, stderr string) {
	b.t.Helper()
	b.date(fmt.Sprintf(`[ "$*" = +%%s ] && echo %d`, b.now.Unix()))
	return b.runAsIs(args...)
}

// runAsIs starts the client with whatever date there is.
func (b *bench) runAsIs(args ...string) (code int, stderr string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	self, err := os.Executable()
	must(b.t, err)
	client := exec.CommandContext(ctx, self, args...)
	client.Env = append(os.Environ(), asClient+"=1", "PATH="+b.programs+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GORACE=atexit_sleep_ms=0") // else the race detector lets each process wait for a second
	var stdout, errors bytes.Buffer
	client.Stdout, client.Stderr = &stdout, &errors
	if err := client.Run(); client.ProcessState == nil {
		b.t.Fatal(err)
	}
	if stdout.Len() > 0 {
		b.t.Errorf("nothing is for stdout, found %q", stdout.String())
	}
	return client.ProcessState.ExitCode(), errors.String()
}

// works expects exit code 0 and silence.
func (b *bench) works(args ...string) {
	b.t.Helper()
	if code, stderr := b.run(args...); code != 0 || stderr != "" {
		b.t.Fatalf("%q: expected success, found exit code %d: %s", args, code, stderr)
	}
}

// fails expects exit code 1, and each of the words on stderr.
func (b *bench) fails(words []string, args ...string) {
	b.t.Helper()
	code, stderr := b.run(args...)
	b.refused(code, stderr, words)
}

func (b *bench) refused(code int, stderr string, words []string) {
	b.t.Helper()
	if code != 1 {
		b.t.Fatalf("expected exit code 1, found %d: %s", code, stderr)
	}
	for _, word := range words {
		if !strings.Contains(stderr, word) {
			b.t.Errorf("expected an error with %q, found %s", word, stderr)
		}
	}
}

func (b *bench) refreshArgs() []string {
	return []string{"--metadata-url", b.server.URL + "/", "--metadata-dir", b.metadata, "refresh"}
}

func (b *bench) downloadArgs(paths ...string) []string {
	args := []string{"--metadata-url", b.server.URL, "--metadata-dir", b.metadata}
	for _, path := range paths {
		args = append(args, "--target-name", path)
	}
	return append(args, "--target-dir", b.targets, "--target-base-url", b.server.URL+"/targets/", "download")
}

func (b *bench) refresh() {
	b.t.Helper()
	b.works(b.refreshArgs()...)
}

func (b *bench) refreshFails(words ...string) {
	b.t.Helper()
	b.fails(words, b.refreshArgs()...)
}

// asked returns and forgets the paths that the server was asked for, without
// the slash in front.
func (b *bench) asked() []string {
	paths := b.server.Requests()
	b.server.ResetCounters()
	for i := range paths {
		paths[i] = strings.TrimPrefix(paths[i], "/")
	}
	return paths
}

func (b *bench) expectAsked(want ...string) {
	b.t.Helper()
	if got := b.asked(); !slices.Equal(got, want) {
		b.t.Errorf("expected the requests %q, found %q", want, got)
	}
}

// versions maps an accepted role to its version: name=version, by file. Each
// file must be what the server has, or had, to the byte.
func (b *bench) versions() map[string]int64 {
	b.t.Helper()
	served := map[string]bool{}
	for generation := range b.repo.Generation() {
		for _, data := range b.repo.Files(generation + 1) {
			served[string(data)] = true
		}
	}
	versions := map[string]int64{}
	entries, err := os.ReadDir(b.metadata)
	must(b.t, err)
	for _, entry := range entries {
		role, isRole := strings.CutSuffix(entry.Name(), ".json")
		if !isRole {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(b.metadata, entry.Name()))
		must(b.t, err)
		var doc struct{ Signed struct{ Version int64 } }
		must(b.t, json.Unmarshal(raw, &doc))
		versions[role] = doc.Signed.Version
		if !served[string(raw)] {
			b.t.Errorf("%s is not what the server had", entry.Name())
		}
	}
	return versions
}

// expectVersions takes "root 1 timestamp 2", in any order.
func (b *bench) expectVersions(text string) {
	b.t.Helper()
	want := map[string]int64{}
	fields := strings.Fields(text)
	for i := 0; i < len(fields); i += 2 {
		version, err := strconv.ParseInt(fields[i+1], 10, 64)
		must(b.t, err)
		want[fields[i]] = version
	}
	if got := b.versions(); !maps.Equal(got, want) {
		b.t.Errorf("expected the accepted roles %v, found %v", want, got)
	}
}

// downloaded maps the files of the target folder to their content.
func (b *bench) downloaded() map[string]string {
	b.t.Helper()
	files := map[string]string{}
	must(b.t, fs.WalkDir(os.DirFS(b.targets), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(filepath.Join(b.targets, path))
		files[path] = string(raw)
		return err
	}))
	return files
}

func (b *bench) expectDownloaded(want map[string]string) {
	b.t.Helper()
	if got := b.downloaded(); !maps.Equal(got, want) {
		b.t.Errorf("expected the files %q, found %q", want, got)
	}
}

// setVersion forges the version of any role.
func setVersion(version int64) testrepo.Forgery {
	return testrepo.Forgery{Signed: func(signed any) {
		switch s := signed.(type) {
		case *metadata.RootType:
			s.Version = version
		case *metadata.TimestampType:
			s.Version = version
		case *metadata.SnapshotType:
			s.Version = version
		case *metadata.TargetsType:
			s.Version = version
		}
	}}
}
