package cache

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
)

// staged is a stage that has all bytes of a blob.
func staged(t *testing.T, s *Store, data []byte) *Stage {
	t.Helper()
	g, err := s.Stage(t.Context(), artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bytes.NewReader(data).WriteTo(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestCommitNames: a blob that comes has the names of what it is for, in the order in
// which Note would put them, and no others.
func TestCommitNames(t *testing.T) {
	s := open(t, t.TempDir())
	first, second := Name{Product: "first"}, Name{Product: "second"}
	if _, err := staged(t, s, bytesA).Commit(t.Context(), first, second); err != nil {
		t.Fatal(err)
	}
	if _, err := staged(t, s, []byte("b")).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("expected two blobs, found %v, %v", list, err)
	}
	for _, entry := range list {
		want := []Name{second, first}
		if entry.Length == 1 {
			want = nil
		}
		if !slices.Equal(entry.Names, want) || entry.Noted.IsZero() != (want == nil) {
			t.Errorf("expected the names %v, found %v, noted %v", want, entry.Names, entry.Noted)
		}
	}
	g := staged(t, s, []byte("c"))
	if _, err := g.Commit(t.Context(), Name{File: strings.Repeat("x", maxNameLength+1)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v for a long name, found %v", ErrInvalid, err)
	}
	if s.Holds(g.Want().Primary()) || !s.Holds(artifact.DigestOf(artifact.SHA256, []byte("b"))) || s.Holds(artifact.Digest{}) {
		t.Error("expected nothing kept of the refused one, and the others held")
	}
}

// TestDescribeAnew takes the place of other facts, too: whoever calls it may be wrong.
func TestDescribeAnew(t *testing.T) {
	s := open(t, t.TempDir())
	held := store(t, s, bytesA).Digest()
	for _, builder := range []string{"one", "two", "two"} {
		if err := s.DescribeAnew(t.Context(), Facts{Digest: held, Builder: builder}); err != nil {
			t.Fatal(err)
		}
		if facts, found, err := s.Facts(t.Context(), held); err != nil || !found || facts.Builder != builder {
			t.Errorf("expected the builder %s, found %q, %v, %v", builder, facts.Builder, found, err)
		}
	}
	if err := s.DescribeAnew(t.Context(), Facts{Digest: artifact.DigestOf(artifact.SHA256, []byte("none"))}); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
}

// endsAt is a context that ends when it is asked for the n-th time.
type endsAt struct {
	context.Context
	n int
}

func (c *endsAt) Err() error {
	if c.n--; c.n < 0 {
		return context.Canceled
	}
	return nil
}

// TestCommitGivenUp: whoever gives a commit up at any moment has the blob, or an error
// and nothing of it, and no notice; the blob that is there is entered by who asks next.
func TestCommitGivenUp(t *testing.T) {
	for n, committed := 0, 0; committed < 3; n++ {
		var notices []string
		s, err := Open(t.TempDir(), Options{Notice: func(text string) { notices = append(notices, text) }})
		if err != nil {
			t.Fatal(err)
		}
		blob, err := staged(t, s, bytesA).Commit(&endsAt{t.Context(), n})
		switch held := s.Holds(artifact.DigestOf(artifact.SHA256, bytesA)); {
		case err == nil && held:
			committed++
			if _, err := s.Get(blob.Digest()); err != nil {
				t.Error(err)
			}
		case !errors.Is(err, context.Canceled) || held:
			t.Errorf("%d: expected %v and nothing held, found %v, held %v", n, context.Canceled, err, held)
		default:
			wantNothing(t, s)
		}
		if len(notices) > 0 {
			t.Errorf("%d: expected no notices, found %q", n, notices)
		}
		if n > 100 {
			t.Fatal("it is never committed")
		}
	}
}
