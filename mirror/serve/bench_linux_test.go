package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"assay/mirror"
	"assay/mirror/serve"
)

// childFolder makes the test binary the server of a folder, in a process whose time
// can be told from the clients'.
const childFolder = "ASSAY_SERVE_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := serveFolder(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveFolder serves the files of a folder as targets, and prints the address and its process id.
func serveFolder(dir string) error {
	library := &shelf{dir: dir, quiet: true, files: map[string]mirror.File{}}
	if err := library.load(); err != nil {
		return err
	}
	server, err := serve.New(serve.Config{Library: library, Limits: serve.Limits{ConnectionsPerClient: 5000}})
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	l, err := serve.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	if out := os.Getenv("ASSAY_SERVE_PROFILE"); out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println(l.Addr(), os.Getpid())
	return server.Serve(ctx, l)
}

// BenchmarkServe compares the processor time that a request costs the server with
// what it costs nginx, on the same files and connections.
func BenchmarkServe(b *testing.B) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if nginx = "/usr/sbin/nginx"; !exists(nginx) {
			b.Skip("it takes nginx to compare with")
		}
	}
	dir := b.TempDir()
	os.Chmod(dir, 0o755)
	for _, size := range []int64{1 << 10, 64 << 10, 16 << 20, 256 << 20} {
		b.Run(sizeName(size), func(b *testing.B) {
			name := fillFile(b, dir, size)
			defer os.Remove(filepath.Join(dir, name))
			ours, theirs := startOurs(b, dir), startNginx(b, nginx, dir)
			requests, connections := max(8, min(20_000, int((2<<30)/size))), 4
			if size > 1<<20 {
				connections = 2
			}
			var best [2]float64
			for b.Loop() {
				for range 5 {
					for i, at := range []served{{ours, "/r/acme/targets/" + name}, {theirs, "/" + name}} {
						spent := at.server.load(b, at.path, size, requests, connections)
						if best[i] == 0 || spent < best[i] {
							best[i] = spent
						}
					}
				}
			}
			b.ReportMetric(best[0]/best[1], "nginxes")
			b.ReportMetric(best[0]*1e6, "cpu-us/request")
			b.ReportMetric(best[1]*1e6, "nginx:cpu-us/request")
			b.ReportMetric(0, "ns/op")
		})
	}
}

type served struct {
	server *process
	path   string
}

func sizeName(size int64) string {
	if size >= 1<<20 {
		return fmt.Sprintf("%dMiB", size>>20)
	}
	return fmt.Sprintf("%dKiB", size>>10)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fillFile writes bytes that nobody can guess.
func fillFile(b *testing.B, dir string, size int64) string {
	b.Helper()
	name := sizeName(size) + ".bin"
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{byte(size >> 10)}), size); err != nil {
		b.Fatal(err)
	}
	return name
}

// process is a server in a process of its own.
type process struct {
	address string
	pid     int
}

func startOurs(b *testing.B, dir string) *process {
	b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+dir)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Signal(syscall.SIGTERM); c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the server does not start: %v", err)
	}
	return &process{strings.Fields(line)[0], c.Process.Pid}
}

// nginxConfig takes a folder for scratch files, a port and the folder to serve.
const nginxConfig = `
daemon off;
master_process off;
pid %[1]s/pid;
events { worker_connections 4096; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 100000000;
	default_type application/octet-stream;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server { listen 127.0.0.1:%[2]s; root %[3]s; }
}
`

func startNginx(b *testing.B, program, dir string) *process {
	b.Helper()
	scratch := b.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	config := filepath.Join(scratch, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, scratch, port, dir), 0o600); err != nil {
		b.Fatal(err)
	}
	var output bytes.Buffer
	c := exec.Command(program, "-p", scratch, "-e", filepath.Join(scratch, "errors"), "-c", config)
	c.Stdout, c.Stderr = &output, &output
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for range 200 {
		if probe, err := net.Dial("tcp", address); err == nil {
			probe.Close()
			return &process{address, c.Process.Pid}
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Fatalf("nginx does not answer: %s", output.Bytes())
	return nil
}

// cpu is what the process has used, in seconds: the time of its threads, which are
// all alive as long as it is.
func (p *process) cpu(b *testing.B) float64 {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.pid))
	if err != nil || len(threads) == 0 {
		b.Fatalf("no threads are told of: %v", err)
	}
	sum := 0.0
	for _, thread := range threads {
		data, err := os.ReadFile(thread)
		if err != nil {
			b.Fatal(err)
		}
		nanoseconds, err := strconv.ParseFloat(strings.Fields(string(data))[0], 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += nanoseconds / 1e9
	}
	return sum
}

// load asks for a path so many times over some connections that stay open, and
// returns the server's seconds per request.
func (p *process) load(b *testing.B, path string, size int64, requests, connections int) float64 {
	b.Helper()
	before := p.cpu(b)
	var left atomic.Int64
	left.Store(int64(requests))
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			if err := ask(p.address, path, size, &left); err != nil {
				b.Error(err)
			}
		})
	}
	wait.Wait()
	return (p.cpu(b) - before) / float64(requests)
}

// ask sends one request after the other and throws the bodies away.
func ask(address, path string, size int64, left *atomic.Int64) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: mirror.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	buffer := make([]byte, 256<<10)
	for left.Add(-1) >= 0 {
		if _, err := c.Write(request); err != nil {
			return err
		}
		have, body := 0, -1
		for body < 0 {
			n, err := c.Read(buffer[have:])
			if err != nil {
				return err
			}
			have += n
			if at := bytes.Index(buffer[:have], []byte("\r\n\r\n")); at >= 0 {
				body = have - at - 4
			}
		}
		if !bytes.HasPrefix(buffer, []byte("HTTP/1.1 200 OK\r\n")) {
			return fmt.Errorf("%s: %.100q", path, buffer[:have])
		}
		for got := int64(body); got < size; {
			n, err := c.Read(buffer)
			if err != nil {
				return err
			}
			got += int64(n)
		}
	}
	return nil
}
