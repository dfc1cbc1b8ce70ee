package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// plainServer is an nginx of its own, that serves a folder as plain files. It
// takes no part of this process, so it can be asked as fast as it sends.
type plainServer struct {
	http, https string // base URLs, without a slash at the end
	authority   string // the file of the one certificate that https is trusted by
	process     *os.Process
}

// serveFolder starts nginx on an address until the benchmark has ended. attr may
// put it into a network of its own, where the address need not exist yet; nil
// leaves it in this one. It skips where there is no nginx.
func serveFolder(b *testing.B, folder, address string, attr *syscall.SysProcAttr) *plainServer {
	b.Helper()
	program, err := findTool("nginx")
	if err != nil {
		b.Skipf("it takes nginx to serve: %v", err)
	}
	dir := b.TempDir()
	s := &plainServer{authority: filepath.Join(dir, "authority.pem")}
	if err := certify(dir, net.ParseIP(address)); err != nil {
		b.Fatal(err)
	}
	ports, listenOn := freePorts(b), address
	s.http, s.https = "http://"+net.JoinHostPort(address, ports[0]), "https://"+net.JoinHostPort(address, ports[1])
	config := filepath.Join(dir, "nginx.conf")
	if attr == nil {
		attr = &syscall.SysProcAttr{}
	} else {
		listenOn = "0.0.0.0"
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, folder, listenOn, ports[0], ports[1]), 0o600); err != nil {
		b.Fatal(err)
	}
	attr.Pdeathsig = syscall.SIGKILL // whatever becomes of the test, no server is left
	var output bytes.Buffer
	c := exec.Command(program, "-p", dir, "-e", filepath.Join(dir, "errors"), "-c", config)
	c.Stdout, c.Stderr, c.SysProcAttr = &output, &output, attr
	if err := c.Start(); err != nil {
		b.Fatalf("nginx: %v", err)
	}
	s.process = c.Process
	b.Cleanup(func() {
		c.Process.Kill()
		c.Wait() // that it was killed is no news
		if b.Failed() {
			b.Logf("nginx: %s", output.Bytes())
		}
	})
	return s
}

// nginxConfig takes its folder for scratch files, the folder to serve, and the
// address and ports of http and https. One process without a master is all that can be
// left, and one core is all it may take.
const nginxConfig = `
daemon off;
master_process off;
pid %[1]s/pid;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000;
	default_type application/octet-stream;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[3]s:%[4]s;
		root %[2]s;
	}
	server {
		listen %[3]s:%[5]s ssl;
		ssl_certificate %[1]s/server.pem;
		ssl_certificate_key %[1]s/server.key;
		root %[2]s;
	}
}
`

// await waits until the server answers.
func (s *plainServer) await(b *testing.B) {
	b.Helper()
	var err error
	for range 100 {
		var connection net.Conn
		if connection, err = net.DialTimeout("tcp", s.http[len("http://"):], time.Second); err == nil {
			connection.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatalf("nginx does not answer: %v", err)
}

// freePorts are two ports that nobody has.
func freePorts(b *testing.B) (ports [2]string) {
	b.Helper()
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer listener.Close() // at the end, so that the second is another one
		if _, ports[i], err = net.SplitHostPort(listener.Addr().String()); err != nil {
			b.Fatal(err)
		}
	}
	return ports
}

// findTool looks for a program where users have it, and where administrators do.
func findTool(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", err
}

// publishFolder writes a repository as plain files and returns where. It is a
// folder beside the temporary one of the tests, as memory-backed as that.
func publishFolder(b *testing.B, repo *testrepo.Repo) string {
	b.Helper()
	if err := repo.Publish(); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := repo.WriteTo(dir); err != nil {
		b.Fatal(err)
	}
	return dir
}
