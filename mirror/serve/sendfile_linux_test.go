package serve_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What is large goes out by sendfile, and without a read of all of it, whole and in
// a range.
func TestSendfile(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("it takes strace to see system calls")
	}
	const size = 4 << 20
	dir := t.TempDir()
	write(t, filepath.Join(dir, "large.bin"), string(noise(size)))
	trace := filepath.Join(t.TempDir(), "trace")
	c := exec.Command(strace, "-f", "-o", trace, "-e", "trace=sendfile", os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+dir)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var address string
	var pid int
	if _, err := fmt.Fscanln(out, &address, &pid); err != nil {
		c.Process.Kill()
		c.Wait()
		t.Skipf("strace can't trace here: %v", err)
	}
	stop := sync.OnceFunc(func() { syscall.Kill(pid, syscall.SIGTERM); c.Wait() }) // strace ends with the server
	defer stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	want := int64(0)
	for _, ask := range []string{"", "bytes=1000-3000999"} {
		r, err := http.NewRequest("GET", "http://"+address+"/r/acme/targets/large.bin", nil)
		if err != nil {
			t.Fatal(err)
		}
		if ask != "" {
			r.Header.Set("Range", ask)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil || n != answer.ContentLength {
			t.Fatalf("%q: found %d bytes, %v", ask, n, err)
		}
		want += n - 512 // which the HTTP library sends with the headers
	}
	stop()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	sent := int64(0)
	for line := range strings.Lines(string(text)) {
		if at := strings.LastIndex(line, " = "); at >= 0 && strings.Contains(line, "sendfile") {
			var n int64
			fmt.Sscan(line[at+3:], &n)
			sent += max(n, 0)
		}
	}
	if sent != want {
		t.Errorf("expected %d bytes by sendfile, found %d:\n%.2000s", want, sent, text)
	}
}
