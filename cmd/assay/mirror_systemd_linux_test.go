package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mirrorConfigOf writes a configuration of a mirror of nothing; it gives the file.
func mirrorConfigOf(t *testing.T, lines string) string {
	t.Helper()
	// Paths of sockets are short.
	dir, err := os.MkdirTemp("", "m")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "mirror.toml")
	text := fmt.Sprintf("[mirror]\ndir = %q\n%s", filepath.Join(dir, "m"), lines)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// startUnit starts the daemon as a service manager does, with sockets. It gives the
// command, and what it says where it listens.
func startUnit(t *testing.T, file string, env []string, sockets ...*os.File) (c *exec.Cmd, says *bufio.Reader, log *watched) {
	t.Helper()
	// The variable with the process's number can be set by itself alone.
	c = exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=$$ exec assay mirror serve --config "$0"`, file)
	log = newWatched()
	c.Env = append(append(os.Environ(), "HOME="+filepath.Dir(file), "XDG_CONFIG_HOME="), env...)
	c.ExtraFiles, c.Stderr = sockets, log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
	return c, bufio.NewReader(out), log
}

// TestServiceManagerIsTold shows what a service manager hears of the daemon.
func TestServiceManagerIsTold(t *testing.T) {
	file := mirrorConfigOf(t, "listen = [\"127.0.0.1:0\"]\n")
	path := filepath.Join(filepath.Dir(file), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	c, _, log := startUnit(t, file, []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=200000"})
	hears := func(want string) {
		t.Helper()
		if err := manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		for {
			var message [4096]byte
			n, err := manager.Read(message[:])
			if err != nil {
				t.Fatalf("expected to hear %q, found %v; the log:\n%s", want, err, log)
			}
			for line := range strings.SplitSeq(string(message[:n]), "\n") {
				if strings.HasPrefix(line, want) {
					return
				}
			}
		}
	}
	hears("READY=1")
	hears("STATUS=serving 0 of 0 repositories")
	hears("WATCHDOG=1")
	hears("WATCHDOG=1")
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hears("RELOADING=1")
	hears("READY=1")
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1")
}

// publicSocket is a socket as a service manager opens it, and its address.
func publicSocket(t *testing.T) (*os.File, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, listener.Addr().String()
}

// TestSocketsAreTakenOver shows that the sockets of a service manager stand in place of
// those of the configuration, and are like them.
func TestSocketsAreTakenOver(t *testing.T) {
	socket, address := publicSocket(t)
	file := mirrorConfigOf(t, "listen = [\"127.0.0.1:1\"]\n") // which nobody but root may open
	_, says, log := startUnit(t, file, []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=public"}, socket)
	line, err := says.ReadString('\n')
	if want := "listening on http://" + address + "/r/REPO/\n"; err != nil || line != want {
		t.Fatalf("expected %q, found %q, %v\n%s", want, line, err, log)
	}
	answer, err := http.Get("http://" + address + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("expected it to be alive, found %s", answer.Status)
	}
	// The socket is one, in that process and here.
	if n, err := unix.GetsockoptInt(int(socket.Fd()), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT); err != nil || n != 128<<10 {
		t.Errorf("what is kept for slow clients: expected %d bytes, found %d, %v", 128<<10, n, err)
	}
}

// TestOtherSocketsAreRefused shows that what is not meant for the public side is not
// served there.
func TestOtherSocketsAreRefused(t *testing.T) {
	tcp, _ := publicSocket(t)
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	local, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	socket, err := local.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for name, test := range map[string]struct {
		file  *os.File
		named string
		says  string
	}{
		"another name": {tcp, "admin", `expected them to be named \"public\", found \"admin\"`},
		"no socket":    {plain, "public", "expected a listening socket"},
		"not of TCP":   {socket, "public", "expected a TCP socket, found one of unix"},
	} {
		c, says, log := startUnit(t, mirrorConfigOf(t, ""), []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=" + test.named}, test.file)
		if line, err := says.ReadString('\n'); err == nil {
			t.Errorf("%s: expected nothing, found %q", name, line)
		}
		_ = c.Wait()
		said := strings.ReplaceAll(log.String(), `"`, `\"`)
		if code := c.ProcessState.ExitCode(); code != codeOf(errListen) || !strings.Contains(said, test.says) && !strings.Contains(log.String(), test.says) {
			t.Errorf("%s: expected the code %d and %q, found %d and\n%s", name, codeOf(errListen), test.says, code, log)
		}
	}
}

// TestUnit shows that the unit of the mirror is one, and how much it is confined.
func TestUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed (Debian package systemd)")
	}
	dir := t.TempDir()
	for _, name := range []string{"assay-mirror.service", "assay-mirror.socket"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "packaging", "systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		// The program need not be installed here.
		text = []byte(strings.Replace(string(text), "/usr/bin/assay ", "/bin/true ", 1))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	service := filepath.Join(dir, "assay-mirror.service")
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", service, filepath.Join(dir, "assay-mirror.socket")).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("verify: expected nothing, found %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", service).CombinedOutput()
	if err != nil {
		t.Fatalf("security: %v\n%s", err, out)
	}
	found := regexp.MustCompile(`Overall exposure level for assay-mirror.service: ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("security: expected a level, found\n%s", out)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level >= 2 {
		t.Errorf("security: expected an exposure below 2.0, found %s", found[1])
	}
}
