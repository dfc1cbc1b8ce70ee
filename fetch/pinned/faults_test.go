package pinned_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// faultSite answers each path with one of the ways in which go-getter can be led
// astray.
func faultSite(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	serve := func(path string, answer http.HandlerFunc) { mux.HandleFunc(path, answer) }
	serve("/good", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "good") })
	serve("/long", func(w http.ResponseWriter, _ *http.Request) { // chunked
		for range 100 {
			fmt.Fprint(w, "0123456789")
			w.(http.Flusher).Flush()
		}
	})
	serve("/range", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", "bytes 7-10/11")
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, "good")
	})
	serve("/terraform", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Terraform-Get", "/good")
		if r.URL.Query().Get("terraform-get") != "" {
			fmt.Fprint(w, "good")
			return
		}
		fmt.Fprint(w, `<html><meta name="terraform-get" content="/good"></html>`)
	})
	serve("/tool.tar", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tarFile()) })
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	return server
}

// tarFile holds a link, a pipe and a file.
func tarFile() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, head := range []*tar.Header{
		{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd", Mode: 0o777},
		{Name: "pipe", Typeflag: tar.TypeFifo, Mode: 0o777},
		{Name: "file", Typeflag: tar.TypeReg, Mode: 0o777},
	} {
		_ = w.WriteHeader(head)
	}
	_ = w.Close()
	return b.Bytes()
}

// tlsRig trusts the site's certificate.
func tlsRig(t *testing.T, server *httptest.Server, change func(*pinned.Config)) *rig {
	t.Helper()
	r := newRig(t, change)
	r.mover.engine = wire.New(wire.Options{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	return r
}

// TestFaultsOfGoGetter shows, for each fault that was found in go-getter, that it is
// not here. What a fault would hand out as "good" must be refused.
func TestFaultsOfGoGetter(t *testing.T) {
	site := faultSite(t)
	good := of("good")
	for _, test := range []struct {
		fault, url string
		want       artifact.Digests
		max        int64
		kind       error // nil: it is got
	}{
		{"MaxBytes on a chunked body truncates and returns nil", "/long", of("0123"), 4, transfer.ErrTooLarge},
		{"MaxBytes is switched off by a progress listener", "/long", of(strings.Repeat("0123456789", 100)), 999, transfer.ErrTooLarge},
		{"gzip's limit truncates and returns nil", "/long", of("0123456789"), 10, transfer.ErrTooLarge},
		{"a 206 is taken for a 200", "/range", good, 0, wire.ErrSource},
		{"X-Terraform-Get is followed", "/terraform", good, 0, cache.ErrMismatch},
		{"checksum= in the URL counts", "/other?checksum=" + good[0].String(), good, 0, pinned.ErrURL},
		{"checksum=file: is fetched", "/good?checksum=file:http://127.0.0.1:1/sums", good, 0, pinned.ErrURL},
		{"archive= unpacks", "/good?archive=tar", good, 0, nil},
		{"filename= names", "/good?filename=../../evil", good, 0, nil},
		{"//SUB takes a part", "/tool.tar//file", of(""), 0, pinned.ErrURL},
		{"a name like tool.tar unpacks, links and all", "/tool.tar", of(string(tarFile())), 0, nil},
	} {
		t.Run(test.fault, func(t *testing.T) {
			r := tlsRig(t, site, func(c *pinned.Config) { c.MaxSize = test.max })
			source, err := pinned.Parse(site.URL+test.url, "/")
			var got pinned.Result
			if err == nil {
				got, err = r.Get(t.Context(), source, test.want)
			}
			if test.kind == nil {
				if err != nil || got.Blob.Digest() != test.want[0] {
					t.Fatalf("got %v, %v", got, err)
				}
				return
			}
			wantError(t, err, test.kind)
			r.nothingLeft(t)
		})
	}
}

// On a checksum mismatch go-getter keeps the bad file, and never fetches it again;
// it writes over a longer file and keeps the old tail.
func TestFaultMismatchStays(t *testing.T) {
	s := newSite(t, map[string]string{"/tool": "a longer tool that is wrong"})
	r := newRig(t, nil)
	_, err := r.Get(t.Context(), parse(t, s.URL+"/tool"), of("good"))
	wantError(t, err, cache.ErrMismatch)
	r.nothingLeft(t)
	s.mu.Lock()
	s.files["/tool"] = "good"
	s.mu.Unlock()
	if got, err := r.Get(t.Context(), parse(t, s.URL+"/tool"), of("good")); err != nil || content(t, got.Blob) != "good" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// go-getter's file getter makes a link unless it is told to copy: what the source
// becomes later would be what was got.
func TestFaultFileIsLinked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(path, []byte("good"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	got, err := r.Get(t.Context(), parse(t, path), of("good"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("evil"), 0o600); err != nil {
		t.Fatal(err)
	}
	if content(t, got.Blob) != "good" {
		t.Error("what was got has changed with its source")
	}
}

// Links that stand under go-getter's destination are followed. There is none here:
// a planted one is not written through.
func TestFaultPlantedLink(t *testing.T) {
	s := newSite(t, map[string]string{"/tool": "good"})
	r := newRig(t, nil)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	digest := of("good")[0].Hex()
	blob := filepath.Join(r.root, "blobs", "sha256", digest[:2], digest)
	if err := os.MkdirAll(filepath.Dir(blob), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, blob); err != nil {
		t.Skip("no links:", err)
	}
	got, err := r.Get(t.Context(), parse(t, s.URL+"/tool"), of("good"))
	if err != nil || content(t, got.Blob) != "good" {
		t.Errorf("got %+v, %v", got, err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "mine" {
		t.Errorf("the link was written through: %s, %v", data, err)
	}
}

// https → http redirects are followed by go-getter, with its headers.
func TestFaultRedirectLeavesTLS(t *testing.T) {
	plain := newSite(t, map[string]string{"/tool": "good"})
	tls := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/tool", http.StatusFound))
	defer tls.Close()
	r := tlsRig(t, tls, nil)
	_, err := r.Get(t.Context(), parse(t, tls.URL+"/tool"), of("good"))
	wantError(t, err, wire.ErrSource, "keeps https")
	if len(plain.asked) != 0 {
		t.Errorf("asked for %v", plain.asked)
	}
}

// A netrc would send passwords to hosts that nobody configured here.
func TestFaultNetrc(t *testing.T) {
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		fmt.Fprint(w, "good")
	}))
	defer server.Close()
	netrc := filepath.Join(t.TempDir(), ".netrc")
	if err := os.WriteFile(netrc, []byte("machine 127.0.0.1 login me password hidden\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NETRC", netrc)
	t.Setenv("HOME", filepath.Dir(netrc))
	if _, err := newRig(t, nil).Get(t.Context(), parse(t, server.URL+"/tool"), of("good")); err != nil || sent != "" {
		t.Errorf("sent %q, %v", sent, err)
	}
	// git's own library reads a netrc in HOME, too.
	repo := newGitRepo(t)
	behind := gitServer(t, repo, "me", "hidden")
	r := newRig(t, nil)
	_, err := r.Get(t.Context(), parse(t, "git::"+behind.URL+"/repo.git/.git//bin/tool"), of("two"))
	wantError(t, err, wire.ErrSource)
}

// go-getter's default getters share state and race; run with -race.
func TestFaultGettersRace(t *testing.T) {
	s := newSite(t, map[string]string{"/a": "good", "/b": "good"})
	r := newRig(t, nil)
	r.mover = nil // its notes are not for several goroutines
	store, err := cache.Open(r.root, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := pinned.New(pinned.Config{Cache: store, Mover: lonely{wire.New(wire.Options{}), store}, Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			source, err := pinned.Parse(s.URL+[]string{"/a", "/b"}[i%2], "/")
			if err == nil {
				_, err = shared.Get(context.Background(), source, of("good"))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// lonely is a mover of one's own for each call.
type lonely struct {
	engine *wire.Engine
	cache  *cache.Store
}

func (l lonely) Move(ctx context.Context, places []transfer.Place, want artifact.Digests, limit int64, name string) (cache.Blob, int64, string, error) {
	return (&mover{engine: l.engine, cache: l.cache}).Move(ctx, places, want, limit, name)
}

// git, as go-getter runs it, has the whole environment, and takes what it is given
// for options. Here a program in its place writes down what it gets.
func TestFaultGitEnvironment(t *testing.T) {
	seen := t.TempDir()
	git := fakeGit(t, `env >"`+seen+`/env-$1"; pwd -P >"`+seen+`/dir"; for word; do echo "$word"; done >"`+seen+`/args-$1"`)
	r := newRig(t, func(c *pinned.Config) {
		c.GitPath = git
		c.Env = append(os.Environ(), "GIT_SSH_COMMAND=evil", "GIT_EXEC_PATH=/evil", "GIT_PROXY_COMMAND=evil", "GIT_CONFIG_PARAMETERS='core.fsmonitor=evil'",
			"GIT_SSL_NO_VERIFY=1", "GIT_TRACE=/evil", "LD_PRELOAD=/evil", "SECRET=evil", "https_proxy=http://proxy.example", "SSL_CERT_FILE=/certs.pem",
			"SSL_CERT_DIR=/certs", "SSH_AUTH_SOCK=/agent")
	})
	_, err := r.Get(t.Context(), parse(t, "git::https://me:hidden@h.example/r.git//f?ref=v1"), of("x"))
	wantError(t, err, wire.ErrSource, "!hidden")
	text := func(name string) string {
		data, err := os.ReadFile(filepath.Join(seen, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	dir := strings.TrimSpace(text("dir"))
	env := strings.Split(text("env-fetch"), "\n")
	if strings.Contains(text("env-fetch"), "evil") {
		t.Errorf("it has %v", env)
	}
	for _, want := range []string{
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=",
		"GIT_ALLOW_PROTOCOL=https", "GIT_PROTOCOL_FROM_USER=0", "GIT_LITERAL_PATHSPECS=1", "GIT_SSH=ssh", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=never",
		"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "TMPDIR=" + dir, "GIT_DIR=" + dir + "/repository", "https_proxy=http://proxy.example",
		"GIT_SSL_CAINFO=/certs.pem", "GIT_SSL_CAPATH=/certs", "SSH_AUTH_SOCK=/agent",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is not in %v", want, env)
		}
	}
	for key, value := range map[string]string{
		"core.hooksPath": os.DevNull, "core.fsmonitor": "false", "credential.helper": "", "core.askPass": "", "http.followRedirects": "false",
		"fetch.recurseSubmodules": "false", "transfer.bundleURI": "false", "remote.origin.url": "https://h.example/r.git",
		"http.extraHeader": "Authorization: Basic bWU6aGlkZGVu", "gc.auto": "0", "http.lowSpeedTime": "30",
	} {
		if !hasSetting(env, key, value) {
			t.Errorf("%s=%s is not in %v", key, value, env)
		}
	}
	if args := text("args-fetch"); strings.Contains(args, "hidden") || strings.Contains(args, "h.example") || !strings.HasSuffix(args, "\norigin\n--\nv1:refs/wanted\n") ||
		!strings.Contains(args, "\n--depth=1\n") || !strings.Contains(args, "\n--no-recurse-submodules\n") {
		t.Errorf("its arguments are %s", args)
	}
	if _, err := os.Stat(filepath.Join(seen, "args-checkout")); err == nil {
		t.Error("a tree was checked out")
	}
	r.nothingLeft(t)
}

// hasSetting looks a key of GIT_CONFIG_KEY_n up.
func hasSetting(env []string, key, value string) bool {
	for _, entry := range env {
		name, found, _ := strings.Cut(entry, "=")
		number, is := strings.CutPrefix(name, "GIT_CONFIG_KEY_")
		if is && found == key {
			return slices.Contains(env, "GIT_CONFIG_VALUE_"+number+"="+value)
		}
	}
	return false
}

// The configuration of the system and the user, the hooks of their templates and a
// repository's attributes are for other work.
func TestFaultGitConfiguration(t *testing.T) {
	repo := newGitRepo(t)
	home := t.TempDir()
	mark := filepath.Join(home, "ran")
	hooks := filepath.Join(home, "hooks")
	if err := os.Mkdir(hooks, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"reference-transaction", "post-checkout", "post-merge", "fsmonitor"} {
		if err := os.WriteFile(filepath.Join(hooks, hook), []byte("#!/bin/sh\ntouch "+mark+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf("[core]\n\thooksPath = %s\n\tfsmonitor = %s/fsmonitor\n[init]\n\ttemplateDir = %s\n[url \"file:///nosuch\"]\n\tinsteadOf = file://\n[protocol]\n\tallow = never\n[filter \"evil\"]\n\tsmudge = touch %s\n",
		hooks, hooks, home, mark)
	for _, name := range []string{".gitconfig", "config"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "config"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
	t.Setenv("GIT_CONFIG_VALUE_0", hooks)
	t.Setenv("GIT_DIR", filepath.Join(home, "elsewhere"))
	source, err := pinned.Parse("git::file://"+filepath.ToSlash(repo.dir)+"/.git//bin/tool", "/")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	if got, err := r.Get(t.Context(), source, of("two")); err != nil || content(t, got.Blob) != "two" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a program of the configuration ran")
	}
}
