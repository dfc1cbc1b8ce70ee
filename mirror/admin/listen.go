package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// unixPrefix begins an address that is the path of a socket.
const unixPrefix = "unix:"

// dialTime is how long a socket may take to answer that it is alive.
const dialTime = 2 * time.Second

// Listen opens an address: "unix:/PATH", or "ADDRESS:PORT" of loopback. A socket is
// made with the mode 0600, in a folder that only its owner may enter, which is made
// if there is none. One that a dead process has left is replaced; of a live one the
// error is ErrInUse. The caller holds the lock of the mirror's storage, so that no
// two come here at once.
func Listen(address string) (net.Listener, error) {
	path, socket := strings.CutPrefix(address, unixPrefix)
	if socket {
		return listenSocket(path)
	}
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%w: expected a loopback address like 127.0.0.1:9090, as tokens would pass the network in clear text, found %.80q", ErrTokens, address)
	}
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, err)
	}
	return listener, err
}

func listenSocket(path string) (net.Listener, error) {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSocket, err)
	}
	if err := clearStale(path); err != nil {
		return nil, err
	}
	// Crash here: no socket, as if the mirror did not run.
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSocket, err)
	}
	// Until now the umask decided; but nobody else can enter the folder.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrSocket, err), listener.Close())
	}
	// Crash from here on: a socket that nobody answers, which clearStale removes.
	return listener, nil
}

// makeFolder makes the folder of a socket, or checks the one that is there.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf("%s: expected a folder that only its owner may enter (mode 0700), found mode %04o", dir, mode)
	}
	return nil
}

// clearStale removes a socket that nobody answers. Anything else there stays.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrSocket, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%w: %s: expected nothing or a socket, found something else", ErrSocket, path)
	}
	conn, err := net.DialTimeout("unix", path, dialTime)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%w: it answers at %s", ErrInUse, path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: %s: there is a socket, and whether a mirror answers there can't be found out: %w", ErrInUse, path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("%w: %w", ErrSocket, err)
	}
	return nil
}

// limited is a listener that has at most so many connections at once; more wait.
type limited struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newLimited(inner net.Listener, most int) *limited {
	return &limited{Listener: inner, places: make(chan struct{}, most), closed: make(chan struct{})}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	leave func()
}

func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
