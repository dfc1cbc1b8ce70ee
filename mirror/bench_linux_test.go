package mirror_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/mirror"
)

// published is a repository of many small targets in a folder, served by nginx.
type published struct {
	repo *testrepo.Repo
	dir  string
	url  string
}

const (
	manyTargets = 10_000
	smallBytes  = 4 << 10
)

// publishMany writes the repository, and has nginx serve it with its listing, which
// the peer needs.
func publishMany(b *testing.B) *published {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if nginx, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			b.Skip("nginx is not installed")
		}
	}
	repo, err := testrepo.New(testrepo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range manyTargets {
		data := make([]byte, smallBytes)
		copy(data, fmt.Sprintf("target %d", i))
		if err := repo.AddTarget(fmt.Sprintf("files/%02d/%05d.bin", i%100, i), data); err != nil {
			b.Fatal(err)
		}
	}
	if err := repo.Publish(); err != nil {
		b.Fatal(err)
	}
	p := &published{repo: repo, dir: filepath.Join(b.TempDir(), "repository")}
	p.write(b)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	work := b.TempDir()
	config := fmt.Sprintf("user root;\nworker_processes 1;\npid %[1]s/pid;\nerror_log %[1]s/error;\ndaemon off;\nevents { worker_connections 512; }\n"+
		"http { access_log off; sendfile on; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\n"+
		"keepalive_requests 100000; server { listen %[2]s; root %[3]s; autoindex on; } }\n", work, address, p.dir)
	if os.Getuid() != 0 {
		config = config[len("user root;\n"):]
	}
	path := filepath.Join(work, "nginx.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	server := exec.Command(nginx, "-c", path, "-p", work)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Process.Signal(syscall.SIGTERM); server.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			p.url = "http://" + address
			return p
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatal("nginx does not answer")
	return nil
}

func (p *published) write(b *testing.B) {
	if err := p.repo.WriteTo(p.dir); err != nil {
		b.Fatal(err)
	}
}

// mirrorOf is an empty mirror of it.
func (p *published) mirrorOf(b *testing.B) *region {
	r := &region{t: b, now: time.Now(), dir: b.TempDir(), repo: p.repo, upstreamURL: p.url}
	r.settings = mirror.Settings{Name: "acme", Mode: mirror.Full, Every: time.Hour}
	r.open()
	return r
}

// BenchmarkFirstSync takes 10,000 targets of 4 KiB for the first time, proves each
// and publishes them; the peer is rclone, which copies the same tree over HTTP and
// proves nothing.
func BenchmarkFirstSync(b *testing.B) {
	rclone, err := exec.LookPath("rclone")
	if err != nil {
		b.Skip("rclone is not installed")
	}
	p := publishMany(b)
	for range b.N {
		began := time.Now()
		peer := exec.Command(rclone, "copy", "--config", "/dev/null", "--transfers", "16", "--checkers", "16", "--http-url", p.url, ":http:", filepath.Join(b.TempDir(), "copy"))
		if out, err := peer.CombinedOutput(); err != nil {
			b.Fatalf("rclone: %v: %s", err, out)
		}
		copied := time.Since(began)
		r := p.mirrorOf(b)
		began = time.Now()
		run := r.sync(mirror.Done)
		took := time.Since(began)
		if run.Targets.Held != manyTargets {
			b.Fatalf("expected %d targets, found %+v", manyTargets, run.Targets)
		}
		r.close()
		b.ReportMetric(took.Seconds(), "s/sync")
		b.ReportMetric(copied.Seconds(), "s/rclone")
		b.ReportMetric(took.Seconds()/copied.Seconds(), "rclones")
	}
}

// TestSecondSyncOfManyAsksAtMost14Times counts the requests for ten targets that
// changed.
func TestSecondSyncAsksAtMost14Times(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	for i := range 10 {
		must(t, r.repo.AddTarget(fmt.Sprintf("more/%d", i), []byte(artifact.DigestOf(artifact.SHA256, []byte{byte(i)}).Hex())))
	}
	must(t, r.repo.Publish())
	r.server.ResetCounters()
	run := r.sync(mirror.Done)
	if n := len(r.server.Requests()); n > 14 || run.Fetched != 10 {
		t.Errorf("10 changed: expected 10 targets in at most 14 requests, found %d in %d: %q", run.Fetched, n, r.server.Requests())
	}
}
