package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestRootRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	for range 3 {
		must(t, b.repo.RotateRoot())
	}
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		must(t, b.repo.RotateKey(role))
	}
	b.publish()
	view := b.mustRefresh()
	if got, want := version(view, "root"), b.repo.Version("root"); got != want {
		t.Errorf("root: expected %d, found %d", want, got)
	}
}

func TestRetiredRootIsNotBroughtBackByWithholding(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.RotateKey("timestamp"))
	b.publish()
	b.mustRefresh()
	// The mirror withholds 2.root.json and serves what the retired key signed.
	b.remote.serve(1)
	b.refuses(trust.ErrSignature)
	// The stored root is damaged as well: its floor still stands.
	must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Put("root/2", []byte("{}")) }))
	err := b.refuses(trust.ErrRollback)
	var rollback *trust.RollbackError
	if !errors.As(err, &rollback) || rollback.Role != "root" || rollback.Held != 2 || rollback.Offered != 1 {
		t.Errorf("expected root 2 held, 1 offered, found %v", err)
	}
	// With the honest mirror back, the damage heals.
	b.remote.serve(0)
	if got := version(b.mustRefresh(), "root"); got != 2 {
		t.Errorf("expected root 2, found %d", got)
	}
}

func TestRootChainAttacks(t *testing.T) {
	t.Parallel()
	stranger, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	for name, test := range map[string]struct {
		forge testrepo.Forgery
		kind  error
	}{
		"signed by strangers":    {testrepo.Forgery{Keys: []*testrepo.Key{stranger}}, trust.ErrRootChain},
		"signed by too few":      {testrepo.Forgery{Keys: []*testrepo.Key{}}, trust.ErrRootChain},
		"version skipped":        {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Version = 9 }}, trust.ErrRootChain},
		"another specification":  {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).SpecVersion = "2.0.0" }}, trust.ErrMalformed},
		"a role is missing":      {testrepo.Forgery{Signed: func(s any) { delete(s.(*metadata.RootType).Roles, "snapshot") }}, trust.ErrMalformed},
		"a threshold of none":    {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Roles["targets"].Threshold = 0 }}, trust.ErrMalformed},
		"a null":                 {testrepo.Forgery{Bytes: replacing(`"signed": {`, `"signed": {"x":null,`)}, trust.ErrMalformed},
		"a duplicate key":        {testrepo.Forgery{Bytes: replacing(`"signed": {`, `"signed": {"version":1,`)}, trust.ErrMalformed},
		"not JSON":               {testrepo.Forgery{Bytes: func([]byte) []byte { return []byte("<html>") }}, trust.ErrMalformed},
		"too large":              {testrepo.Forgery{Bytes: func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 1<<20)...) }}, trust.ErrTooLarge},
		"an empty signature":     {testrepo.Forgery{Bytes: emptySignatures}, trust.ErrRootChain},
		"a timestamp for a root": {testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Type = "timestamp" }}, trust.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			must(t, b.repo.Forge("root", test.forge))
			must(t, b.repo.PublishRoot())
			b.refuses(test.kind)
			if got := version(mustOffline(t, b), "root"); got != 1 {
				t.Errorf("a refused root was stored: %d", got)
			}
		})
	}
}

func replacing(old, new string) func([]byte) []byte {
	return func(data []byte) []byte {
		if !bytes.Contains(data, []byte(old)) {
			panic("nothing to replace in " + string(data))
		}
		return bytes.Replace(data, []byte(old), []byte(new), 1)
	}
}

// emptySignatures makes every signature "", as real roots have some.
func emptySignatures(data []byte) []byte {
	text := string(data)
	var out strings.Builder
	for {
		head, rest, found := strings.Cut(text, `"sig": "`)
		out.WriteString(head)
		if !found {
			return []byte(out.String())
		}
		out.WriteString(`"sig": "`)
		_, text, _ = strings.Cut(rest, `"`)
		text = `"` + text
	}
}

func TestRootRotationLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.config.Limits.RootRotations = 5
	for range 5 {
		must(t, b.repo.RotateRoot())
	}
	if got := version(b.mustRefresh(), "root"); got != 6 {
		t.Fatalf("five rotations: expected root 6, found %d", got)
	}
	for range 6 {
		must(t, b.repo.RotateRoot())
	}
	b.refuses(trust.ErrRootChain)
	// What was accepted stays, and the next refresh goes on from there.
	if got := version(b.mustRefresh(), "root"); got != 12 {
		t.Fatalf("expected root 12, found %d", got)
	}
}

func TestNextRootAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want error
	}{
		"none":           {fmt.Errorf("404: %w", trust.ErrNoMetadata), nil},
		"no answer":      {fmt.Errorf("dial: %w", trust.ErrNoAnswer), trust.ErrNoAnswer},
		"a server error": {errServer, errServer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.remote.fail("2.root.json", nil, test.err)
			if _, err := b.refresh(); !errors.Is(err, test.want) {
				t.Errorf("expected %v, found %v", test.want, err)
			}
		})
	}
}
