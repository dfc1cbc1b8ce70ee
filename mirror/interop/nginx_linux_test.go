package interop_test

import (
	"bytes"
	"fmt"
	"net"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// nginx serves a folder until the test ends.
func nginx(t testing.TB, dir string) (url string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("nginx is not installed")
		}
	}
	work, err := os.MkdirTemp("", "nginx") // its own user must come to the folder
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(work) })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := free.Addr().String()
	must(t, free.Close())
	config := fmt.Sprintf("worker_processes 1;\npid %[1]s/pid;\nerror_log %[1]s/error;\ndaemon off;\nevents { worker_connections 512; }\n"+
		"http { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\n"+
		"server { listen %[2]s; root %[3]q; } }\n", work, address, dir)
	if os.Getuid() == 0 {
		config = "user root;\n" + config
	}
	path := filepath.Join(work, "nginx.conf")
	must(t, os.WriteFile(path, []byte(config), 0o600))
	server := exec.Command(program, "-c", path, "-p", work)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	must(t, server.Start())
	t.Cleanup(func() { server.Process.Signal(syscall.SIGTERM); server.Wait() })
	for range 500 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return "http://" + address
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nginx does not answer")
	return ""
}

// copied is a repository as plain files behind nginx. A client asks for a%2Fb.json, and
// a server of files takes that for b.json in the folder a: so they lie there.
func copied(t testing.TB, repo *testrepo.Repo) (url string) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range repo.Files(0) {
		if !strings.HasPrefix(name, "targets/") {
			decoded, err := neturl.PathUnescape(name)
			must(t, err)
			name = decoded
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, data, 0o644))
	}
	return nginx(t, dir)
}

// Our client takes a plain copy of a repository from nginx: as the repository's own
// place, and as a mirror of it, which then sends the bytes.
func TestOurClientTakesAllFromNginx(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, repo *testrepo.Repo, _ *site, paths []string) {
		plain := copied(t, repo)
		all := func(m *machine, url string) {
			t.Helper()
			client := m.at(url)
			for _, path := range paths {
				if want, _ := repo.Target(path); !bytes.Equal(m.get(client, path), want) {
					t.Errorf("%s: expected the publisher's bytes", path)
				}
			}
		}
		all(newMachine(t, repo.RootBytes(1)), plain)
		own, err := testrepo.Serve(repo)
		must(t, err)
		t.Cleanup(func() { own.Close() })
		m := newMachine(t, repo.RootBytes(1))
		m.mirrors = []string{plain}
		all(m, own.URL)
		for _, request := range own.Requests() {
			if strings.HasPrefix(request, "/targets/") {
				t.Errorf("expected bytes from the mirror alone, found %s asked of the repository's own place", request)
			}
		}
	})
}

// A mirror takes nginx as its upstream, and go-tuf's client takes all from the mirror.
func TestNginxIsMirrored(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, repo *testrepo.Repo, _ *site, paths []string) {
		s := mirrored(t, published{url: copied(t, repo), root: repo.RootBytes(1)})
		same(t, repo, s)
		takes(t, goTUF(t, s.url, repo.RootBytes(1)), repo, paths)
	})
}
