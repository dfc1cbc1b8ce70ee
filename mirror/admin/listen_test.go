package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"assay/mirror"
)

func TestSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	path := socket(t)
	_, stop := start(t, Config{Mirror: &fake{}}, unixPrefix+path)
	for file, want := range map[string]os.FileMode{path: 0o600 | os.ModeSocket, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Stat(file); err != nil || info.Mode() != want {
			t.Errorf("%s: expected %v, found %v, %v", file, want, info.Mode(), err)
		}
	}
	if _, err := Listen(unixPrefix + path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: expected %v, found %v", ErrInUse, err)
	}
	if err := client(t, unixPrefix+path, "").Ready(t.Context()); err != nil {
		t.Errorf("the first one is gone: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket was left behind: %v", err)
	}
	if _, err := client(t, unixPrefix+path, "").Statuses(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("expected %v, found %v", ErrNotRunning, err)
	}
}

// A process that was killed leaves a socket that nobody answers.
func TestSocketOfTheDead(t *testing.T) {
	path := socket(t)
	dead, err := Listen(unixPrefix + path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, unixPrefix+path, "").Statuses(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("expected %v, found %v", ErrNotRunning, err)
	}
	start(t, Config{Mirror: &fake{}}, unixPrefix+path)
	if err := client(t, unixPrefix+path, "").Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSocketRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are those of Unix")
	}
	path := socket(t)
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(unixPrefix + path); !errors.Is(err, ErrSocket) || !strings.Contains(err.Error(), "found mode 0755") {
		t.Errorf("a folder that others may enter: expected %v, found %v", ErrSocket, err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(unixPrefix + path); !errors.Is(err, ErrSocket) || !strings.Contains(err.Error(), "expected nothing or a socket") {
		t.Errorf("a file: expected %v, found %v", ErrSocket, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file was touched: %q, %v", text, err)
	}
}

func TestAddressRefused(t *testing.T) {
	for _, address := range []string{":9090", "0.0.0.0:9090", "192.0.2.1:9090", "localhost:9090", "127.0.0.1", ""} {
		if _, err := Listen(address); !errors.Is(err, ErrTokens) {
			t.Errorf("%q: expected %v, found %v", address, ErrTokens, err)
		}
	}
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(listener.Addr().String()); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: expected %v, found %v", ErrInUse, err)
	}
	server, err := New(Config{Mirror: &fake{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(t.Context(), listener); !errors.Is(err, ErrTokens) {
		t.Errorf("without tokens: expected %v, found %v", ErrTokens, err)
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		conn.Close()
		t.Error("it listens all the same")
	}
}

func TestTokens(t *testing.T) {
	dir := t.TempDir()
	hashes, mine, wrong := filepath.Join(dir, "hashes"), filepath.Join(dir, "mine"), filepath.Join(dir, "wrong")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(hashes, fmt.Sprintf("# who\n\nother sha256:%064x\nalice\tsha256:%x\n", 1, sha256.Sum256([]byte("s3cret"))))
	write(mine, "s3cret\n")
	write(wrong, "guess")
	f := &fake{ready: fmt.Errorf("acme: %w", mirror.ErrNotReady)}
	config := Config{Mirror: f, Note: f.note, TokenFile: hashes}
	address, _ := start(t, config, "127.0.0.1:0")
	if _, err := client(t, address, mine).Sync(t.Context(), "acme"); err != nil || f.notes[0] != "mirror.sync: acme, asked by token alice" {
		t.Errorf("found %v, %q", err, f.notes)
	}
	for _, token := range []string{"", wrong, hashes + "x"} {
		c, err := NewClient(address, token)
		if err != nil {
			if !errors.Is(err, ErrTokens) || token != hashes+"x" {
				t.Errorf("%s: %v", token, err)
			}
			continue
		}
		if _, err := c.Statuses(t.Context()); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: expected %v, found %v", token, ErrUnauthorized, err)
		}
		if _, err := c.Sync(t.Context(), "acme"); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: expected %v, found %v", token, ErrUnauthorized, err)
		}
		// A probe shows no token, and is told no names.
		if err := c.Ready(t.Context()); !errors.Is(err, mirror.ErrNotReady) || strings.Contains(err.Error(), "acme") {
			t.Errorf("%s: expected %v without a name, found %v", token, mirror.ErrNotReady, err)
		}
	}
	if len(f.calls) != 1 {
		t.Errorf("expected one call, found %q", f.calls)
	}
	if err := client(t, address, mine).Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "acme") {
		t.Errorf("with a token: expected the reason, found %v", err)
	}
}

func TestTokenFilesRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	good := fmt.Sprintf("alice sha256:%064x\n", 1)
	for text, says := range map[string]string{
		"":                        "expected a line of NAME sha256:HEX, found none",
		"alice hunter2\n":         "tokens:1: expected NAME sha256:HEX, found something else",
		good + "sha256:00\n":      "tokens:2: expected NAME",
		good + "a b " + good:      "tokens:2: expected NAME",
		strings.Repeat("#", 1e5):  "expected at most 65536 bytes, found more",
		strings.ToUpper(good[:9]): "tokens:1: expected NAME",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(Config{Mirror: &fake{}, TokenFile: path})
		if !errors.Is(err, ErrTokens) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.40q: expected %q, found %v", text, says, err)
		}
	}
	// A bad file does not lock out who was let in.
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := New(Config{Mirror: &fake{}, TokenFile: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := server.ReloadTokens(); !errors.Is(err, ErrTokens) || len(*server.tokens.Load()) != 1 {
		t.Errorf("expected %v and the old token, found %v", ErrTokens, err)
	}
}

// Those who connect and say nothing cost a place each, which they give back.
func TestConnectionsThatHang(t *testing.T) {
	path := socket(t)
	server, err := New(Config{Mirror: &fake{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := Listen(unixPrefix + path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, newLimited(listener, 2)) }()
	var hung []net.Conn
	for range 2 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		hung = append(hung, conn)
	}
	answered := make(chan error, 1)
	go func() { answered <- client(t, unixPrefix+path, "").Ready(t.Context()) }()
	select {
	case err := <-answered:
		t.Fatalf("expected no place to be free, found an answer: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	hung[0].Close() // gives its place back
	if err := <-answered; err != nil {
		t.Error(err)
	}
	hung[1].Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
