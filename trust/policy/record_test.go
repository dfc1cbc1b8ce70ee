package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"assay/artifact"
	"assay/trust"
)

// A record with a right checksum may still say what no record does.
func TestRecordsThatCannotBe(t *testing.T) {
	t.Parallel()
	version, err := artifact.ParseVersion("2.0.0")
	if err != nil {
		t.Fatal(err)
	}
	older, err := artifact.ParseVersion("1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	digests := artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte("x"))}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := Subject{Repository: "acme", Product: "hello", Version: version, Target: "hello/x", Digests: digests}
	waiver := Waiver{Digest: digests[0], Reason: "why", By: "ana", At: at, Until: at.Add(time.Hour)}
	bad := func(change func(*Waiver)) Waiver { w := waiver; change(&w); return w }
	seen, kinds, waived := keyOfSeen("acme", "hello/x"), keyOfKinds("acme", "hello"), keyOfWaiver(digests[0])
	for name, test := range map[string]struct {
		key   string
		value any
		says  string
	}{
		"no digests":          {seen, map[string]any{"at": at}, "digests"},
		"no time":             {seen, map[string]any{"digests": digests}, "when they were seen"},
		"a stranger's digest": {seen, map[string]any{"at": at, "digests": map[string]string{"md5": "00"}}, "digest"},
		"an unknown member":   {seen, map[string]any{"at": at, "digests": digests, "more": 1}, "more"},
		"null for kinds":      {kinds, nil, "kinds of proof, found none"},
		"an unknown kind":     {kinds, map[string]any{"signatur": heldBy{older, version}}, `found "signatur"`},
		"no versions":         {kinds, map[string]any{"sbom": map[string]any{}}, "versions in order"},
		"no last version":     {kinds, map[string]any{"sbom": map[string]any{"since": "1.0.0"}}, "versions in order"},
		"no first version":    {kinds, map[string]any{"sbom": map[string]any{"last": "1.0.0"}}, "versions in order"},
		"of 0.0.0 on":         {kinds, map[string]any{"sbom": map[string]any{"since": "0.0.0"}}, "versions in order"},
		"no version":          {kinds, map[string]any{"sbom": map[string]any{"since": "x", "last": "1.0.0"}}, "not a version"},
		"versions turned":     {kinds, kindsRecord{KindSBOM: {version, older}}, "versions in order"},
		"of another digest":   {waived, bad(func(w *Waiver) { w.Digest = artifact.DigestOf(artifact.SHA256, []byte("y")) }), "a waiver for that digest"},
		"of no digest":        {waived, bad(func(w *Waiver) { w.Digest = artifact.Digest{} }), "a digest, found none"},
		"no reason":           {waived, bad(func(w *Waiver) { w.Reason = "" }), "a reason"},
		"nobody":              {waived, bad(func(w *Waiver) { w.By = "" }), "who waives"},
		"for too long":        {waived, bad(func(w *Waiver) { w.Until = at.Add(MaxWaiver + time.Second) }), "an end after"},
	} {
		store := &trust.MemStore{}
		err := store.Update(context.Background(), func(tx trust.Tx) error {
			if err := put(tx, kinds, kindsRecord{KindSBOM: {older, older}}); err != nil {
				return err
			}
			return put(tx, test.key, test.value)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewMemory(store).Check(context.Background(), s, at); !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: expected %v and %q, found %v", name, ErrMemory, test.says, err)
		}
	}
}

// FuzzRecords asserts that what stands in the memory with a right checksum is
// damage, or makes a check; and that what was read can be written and read again.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"sbom":{"since":"1.0.0","last":"1.4.0"}}`), []byte(`{"digests":{"sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},"at":"2026-03-01T00:00:00Z"}`))
	f.Add([]byte(`{"rebuild":{"since":"2.0.0","last":"1.0.0"}}`), []byte(`{"digests":{},"at":null}`))
	f.Add([]byte(`null`), []byte(`[]`))
	version, err := artifact.ParseVersion("2.0.0")
	if err != nil {
		f.Fatal(err)
	}
	s := Subject{
		Repository: "acme", Product: "hello", Version: version, Target: "hello/x", HasSBOM: true,
		Digests: artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte("x"))},
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, kinds, seen []byte) {
		store := &trust.MemStore{}
		m := NewMemory(store)
		err := store.Update(context.Background(), func(tx trust.Tx) error {
			for key, body := range map[string][]byte{keyOfKinds("acme", "hello"): kinds, keyOfSeen("acme", "hello/x"): seen} {
				if err := tx.Put(key, append(fmt.Appendf(nil, "%08x ", sum(key, body)), body...)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		checks, err := m.Check(context.Background(), s, at)
		switch {
		case errors.Is(err, ErrMemory):
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("expected a plain message, found %q", err)
			}
			return
		case errors.Is(err, ErrChanged):
			return
		case err != nil && !errors.Is(err, ErrWeaker) || len(checks) != 2:
			t.Fatalf("expected two checks, found %v, %v", checks, err)
		}
		if err := m.Record(context.Background(), s, at); err != nil {
			t.Fatal(err)
		}
		if _, again := m.Check(context.Background(), s, at); errors.Is(again, ErrWeaker) != errors.Is(err, ErrWeaker) || errors.Is(again, ErrMemory) {
			t.Errorf("expected %v again, found %v", err, again)
		}
	})
}

// What has no JSON form would have the digest of everything that has none.
func TestCanonicalOfWhatIsNotPlain(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("expected a panic")
		}
	}()
	canonical(func() {})
}
