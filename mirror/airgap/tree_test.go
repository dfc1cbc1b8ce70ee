package airgap

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/fetch"
	"assay/internal/testrepo"
)

// TestTree publishes twice; a mirror that knows the folder alone gets all of it, by
// files and by nginx.
func TestTree(t *testing.T) {
	for name, options := range map[string]testrepo.Options{"consistent": {}, "plain": {PlainSnapshots: true}} {
		t.Run(name, func(t *testing.T) {
			g := newGap(t, options)
			near := g.near()
			_, err := near.run(t.Context())
			must(t, err)
			opts := TreeOptions{Folder: filepath.Join(g.dir, "www"), Now: near.now}
			first, err := Publish(t.Context(), near.reader(t), "acme", opts)
			must(t, err)
			g.sameAsTree(near, "file://"+opts.Folder)
			again, err := Publish(t.Context(), near.reader(t), "acme", opts)
			if err != nil || again.Written != 0 || again.Kept != first.Written || again.Changed {
				t.Errorf("expected nothing to do, found %+v, %v", again, err)
			}

			must(t, g.repo.SetStatus("hello", "stable", "1.5.0", "revoked", "test", ""))
			must(t, g.repo.Publish())
			_, err = near.run(t.Context())
			must(t, err)
			opts.Prune = true
			next, err := Publish(t.Context(), near.reader(t), "acme", opts)
			if err != nil || next.Written == 0 || next.Written > 8 || next.Removed != 0 {
				t.Errorf("expected what is new alone, and nothing gone that is followed, found %+v, %v", next, err)
			}
			g.sameAsTree(near, g.nginx(opts.Folder))
			// When the timestamp of before has expired, what it led to goes.
			opts.Now = func() time.Time { return g.now.Add(24 * 3650 * time.Hour) }
			old, err := Publish(t.Context(), near.reader(t), "acme", opts)
			if err != nil || old.Written != 0 || !options.PlainSnapshots && old.Removed == 0 {
				t.Errorf("expected files of before to go, found %+v, %v", old, err)
			}
			g.sameAsTree(near, "file://"+opts.Folder)
		})
	}
}

// sameAsTree has another mirror fetch all of a tree.
func (g *gap) sameAsTree(near *node, at string) {
	g.t.Helper()
	reader := &node{dir: g.t.TempDir(), root: near.root, now: near.now, source: fetch.SourceConfig{URL: at, Layout: fetch.LayoutBase}}
	_, err := reader.run(g.t.Context())
	must(g.t, err)
	g.holds(near, reader)
}

// readable has a mirror fetch what a tree has by now, which may be older than what is
// published.
func (g *gap) readable(near *node, at string) {
	g.t.Helper()
	reader := &node{dir: g.t.TempDir(), root: near.root, now: near.now, source: fetch.SourceConfig{URL: at, Layout: fetch.LayoutBase}}
	_, err := reader.run(g.t.Context())
	must(g.t, err)
}

// nginx serves a folder, where it is installed; else the file system does.
func (g *gap) nginx(folder string) string {
	g.t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		return "file://" + folder
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(g.t, err)
	address := listener.Addr().String()
	must(g.t, listener.Close())
	dir := g.t.TempDir()
	must(g.t, os.Chmod(filepath.Dir(folder), 0o755))
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	config := fmt.Sprintf(`%s daemon off; pid %s/pid; error_log %s/error.log; events {}
http { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
server { listen %s; root %s; location ~ /\. { return 404; } } }`, user, dir, dir, dir, dir, dir, dir, dir, address, folder)
	must(g.t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600))
	var log bytes.Buffer
	command := exec.Command(program, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	command.Stderr = &log
	must(g.t, command.Start())
	g.t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	})
	for range 500 {
		answer, err := http.Get("http://" + address + "/timestamp.json")
		if err == nil {
			answer.Body.Close()
			hidden, err := http.Get("http://" + address + "/" + treeNote)
			must(g.t, err)
			hidden.Body.Close()
			if answer.StatusCode != http.StatusOK || hidden.StatusCode != http.StatusNotFound {
				g.t.Fatalf("expected the timestamp and no hidden file, found %s and %s: %s", answer.Status, hidden.Status, log.String())
			}
			return "http://" + address
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.t.Fatalf("nginx does not answer: %s", log.String())
	return ""
}

// TestTreeRefused: folders that are none of ours, and metadata that is older.
func TestTreeRefused(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near := g.near()
	_, err := near.run(t.Context())
	must(t, err)
	opts := TreeOptions{Folder: filepath.Join(g.dir, "www"), Now: near.now}
	publish := func() error {
		_, err := Publish(t.Context(), near.reader(t), "acme", opts)
		return err
	}
	must(t, os.MkdirAll(opts.Folder, 0o755))
	stranger := filepath.Join(opts.Folder, "x")
	must(t, os.WriteFile(stranger, nil, 0o600))
	if err := publish(); !errors.Is(err, ErrUnfit) {
		t.Errorf("expected %v, found %v", ErrUnfit, err)
	}
	must(t, os.Remove(stranger))
	must(t, publish())
	note := filepath.Join(opts.Folder, treeNote)
	good := read(t, note)
	for text, want := range map[string]error{
		strings.Replace(string(good), `"acme"`, `"other"`, 1):             ErrForeign,
		strings.Replace(string(good), `"timestamp":`, `"timestamp":9`, 1): ErrUnfit,
		strings.Replace(string(good), `/v1"`, `/v2"`, 1):                  ErrNewer,
		"{": ErrVolume,
	} {
		must(t, os.WriteFile(note, []byte(text), 0o600))
		if err := publish(); !errors.Is(err, want) {
			t.Errorf("%s: expected %v, found %v", text, want, err)
		}
	}
	must(t, os.WriteFile(note, good, 0o600))
	lock, err := takeLock(filepath.Join(opts.Folder, treeLock))
	must(t, err)
	if err := publish(); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	must(t, lock.Close())
	// Nor is a volume written in the place of something else.
	file := filepath.Join(g.dir, "mirror.toml")
	must(t, os.WriteFile(file, []byte("[mirror]"), 0o600))
	pointer := filepath.Join(g.dir, "pointer")
	must(t, os.Symlink(file, pointer))
	must(t, os.WriteFile(filepath.Join(g.dir, "y.tar"+recordSuffix), []byte("notes"), 0o600))
	for _, to := range []string{file, pointer, g.dir, filepath.Join(g.dir, "y.tar")} {
		if _, err := Export(t.Context(), near.reader(t), "acme", ExportOptions{File: to}); !errors.Is(err, ErrUnfit) {
			t.Errorf("%s: expected %v, found %v", to, ErrUnfit, err)
		}
	}
	if string(read(t, file)) != "[mirror]" {
		t.Error("expected the other file as it was, found it replaced")
	}
	// A link in the place of a file is not written through.
	victim := filepath.Join(g.dir, "victim")
	must(t, os.WriteFile(victim, []byte("mine"), 0o600))
	timestamp := filepath.Join(opts.Folder, "timestamp.json")
	must(t, os.Remove(timestamp))
	must(t, os.Symlink(victim, timestamp))
	if err := publish(); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
	if string(read(t, victim)) != "mine" {
		t.Error("expected the other file as it was, found it written to")
	}
}
