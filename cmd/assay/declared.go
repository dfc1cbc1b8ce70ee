package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"assay/artifact"
	"assay/internal/config"
	"assay/trust"
)

// takeRoot tells of the declared root: its digest as it is declared, or that of
// its file. What is wrong with the file is told where the root is used.
func (r *repository) takeRoot(d config.Repository, limits trust.Limits) {
	if !d.RootSHA256.IsZero() {
		r.rootSHA256 = d.RootSHA256.Hex()
	}
	if d.Root == "" {
		return
	}
	raw, err := readRoot(d.Root, d.RootSHA256, limits.Root)
	if err != nil {
		return
	}
	if info, err := trust.CheckRoot(raw, limits); err == nil {
		r.rootVersion, r.rootSHA256 = info.Version, info.SHA256.Hex()
	}
}

// declaredRoot is the root of a declared repository: from its file, or by its
// digest from its source, or nil where trust in it has begun already, or where
// it would take the network, which is forbidden. A declaration that was changed
// since to another root is an error.
func (s *session) declaredRoot(ctx context.Context, r *repository) ([]byte, error) {
	held, begun, err := s.begun(ctx, r.name)
	if err != nil {
		return nil, err
	}
	want := r.declared.RootSHA256
	if begun && !want.IsZero() && held != want {
		return nil, fmt.Errorf("%s: %w: trust in it began with the root sha256 %s, found %s in %s", r.name, trust.ErrRootConflict, held.Hex(), want.Hex(), r.origin)
	}
	var raw []byte
	switch {
	case r.declared.Root != "":
		raw, err = readRoot(r.declared.Root, want, limitsOf(s.config).Root)
	case begun || s.config.Offline:
		return nil, nil
	default:
		raw, err = r.source.ReadRoot(ctx, r.declared.RootVersion, want)
		if errors.Is(err, trust.ErrMismatch) {
			err = mark(trust.ErrRootChain, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the root that %s declares: %w", r.name, r.origin, err)
	}
	if begun {
		return raw, nil
	}
	if _, err := trust.CheckRoot(raw, limitsOf(s.config)); err != nil {
		return nil, fmt.Errorf("%s: the root that %s declares: %w", r.name, r.origin, err)
	}
	return raw, nil
}

// begun is the digest of the root that trust in a repository began with, and
// whether it has begun.
func (s *session) begun(ctx context.Context, name string) (root artifact.Digest, begun bool, err error) {
	r, err := trust.Open(trust.Config{Name: name, Store: s.state.Trust(name), Limits: limitsOf(s.config)})
	if err != nil {
		return artifact.Digest{}, false, err
	}
	_, root, err = r.GivenRoot(ctx)
	if errors.Is(err, trust.ErrNoRoot) {
		return artifact.Digest{}, false, nil
	}
	return root, err == nil, err
}

// readRoot reads a root file of at most limit bytes, and compares it with its
// digest unless that is zero. The file may come from anywhere, a pipe too; one
// that nobody writes to is empty rather than waited for.
func readRoot(path string, want artifact.Digest, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, mark(errUsage, fmt.Errorf("cannot read the root: %w", err))
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, mark(errUsage, fmt.Errorf("cannot read the root: %w", err))
	}
	if int64(len(raw)) > limit {
		return nil, &trust.LimitError{Limit: "root", Err: fmt.Errorf("%s: %w: expected at most %d bytes, found more", path, trust.ErrTooLarge, limit)}
	}
	if found := artifact.DigestOf(artifact.SHA256, raw); !want.IsZero() && found != want {
		return nil, mark(trust.ErrRootChain, &trust.MismatchError{What: path, Expected: want.String(), Found: found.String()})
	}
	return bytes.Clone(raw), nil
}

// brokenStore answers everything with the error because of which a repository
// can't be used.
type brokenStore struct{ err error }

func (b brokenStore) View(context.Context, func(trust.Tx) error) error   { return b.err }
func (b brokenStore) Update(context.Context, func(trust.Tx) error) error { return b.err }
