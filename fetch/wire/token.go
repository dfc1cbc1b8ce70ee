package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// maxToken bounds a token, and what a command writes, in bytes.
const maxToken = 16 << 10

// kept is read once, by whoever needs it first; the others wait.
type kept[T any] struct {
	turn  chan struct{} // of one place: held by who reads
	done  bool
	value T
	err   error
}

func newKept[T any]() kept[T] { return kept[T]{turn: make(chan struct{}, 1)} }

// get reads, or remembers what was read, or why it can't be. Whoever gives up
// while reading leaves that to the next.
func (k *kept[T]) get(ctx context.Context, read func(context.Context) (T, error)) (value T, err error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return value, context.Cause(ctx)
	}
	if k.done {
		return k.value, k.err
	}
	found, err := read(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return value, cause
	}
	k.value, k.err, k.done = found, err, true
	return k.value, k.err
}

func (h *host) hasCredentials() bool { return h.hasToken() || h.Netrc }

func (h *host) hasToken() bool { return h.TokenFile != "" || len(h.TokenCommand) > 0 }

// readToken gives the token, as a header.
func (h *host) readToken(ctx context.Context) (credentials, error) {
	if h.TokenFile != "" {
		data, err := h.options.readSecret(h.TokenFile, maxToken)
		return h.bearer("token_file", data, err)
	}
	data, err := runToken(ctx, h.TokenCommand, h.options.Token)
	return h.bearer("token_command", data, err)
}

// bearer is a header with a token (RFC 6750, 2.1).
func (h *host) bearer(from string, data []byte, err error) (credentials, error) {
	if err != nil {
		return credentials{}, h.wrong(from, "%v", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return credentials{}, h.wrong(from, "expected a token of one line, without blanks, found something else")
	}
	return credentials{"Bearer " + token, from}, nil
}

// runToken runs a command that writes a token. Of its words only the first gets
// into messages, as the others may be secret, and of what it writes only a line
// of its complaints.
func runToken(ctx context.Context, argv []string, limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("expected a token within %s, found none", limit))
	defer cancel()
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.WaitDelay = time.Second // for what it leaves behind, that holds its output open
	out, complaints := &bounded{room: maxToken}, &bounded{room: 4 << 10}
	command.Stdout, command.Stderr = out, complaints
	err := command.Run()
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case out.over:
		return nil, fmt.Errorf("%s: expected at most %d bytes, found more", argv[0], maxToken)
	}
	if err == nil {
		return out.kept.Bytes(), nil
	}
	var exit *exec.ExitError
	line, _, _ := strings.Cut(strings.TrimSpace(complaints.kept.String()), "\n")
	switch {
	case !errors.As(err, &exit):
		return nil, err
	case line != "":
		return nil, fmt.Errorf("%s: %w: %s", argv[0], err, Clip(line, 120))
	default:
		return nil, fmt.Errorf("%s: %w", argv[0], err)
	}
}

// bounded keeps what fits, and takes the rest without keeping it. It is no
// bytes.Buffer, whose ReadFrom would keep everything.
type bounded struct {
	kept bytes.Buffer
	room int
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	kept := min(len(p), b.room-b.kept.Len())
	b.over = kept < len(p) // and stays so, as there is no room for more
	b.kept.Write(p[:kept])
	return len(p), nil
}

// readSmall reads a file of the configuration.
func readSmall(path string, limit int64) ([]byte, error) {
	file, _, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: expected at most %d bytes, found more", path, limit)
	}
	return data, nil
}

// readSecret reads a file that is nobody else's business. As with curl and git
// it may be readable by others, but that is said.
func (o Options) readSecret(path string, limit int64) ([]byte, error) {
	file, _, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	file.Close()
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0 && o.Warn != nil {
		o.Warn(fmt.Sprintf("%s: other users of this machine can read it, and the credentials in it; `chmod 600` ends that", path))
	}
	return readSmall(path, limit)
}
