package proof

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"assay/artifact"
	"assay/trust"
)

// FuzzReceipt: whatever is stored is a receipt with evidence, or ErrReceipt; and
// what is a receipt is read back the same.
func FuzzReceipt(f *testing.F) {
	for _, seed := range []string{`{"schema":"assay.receipt/v1","evidence":{"checks":[]}}`, `{}`, `{"schema":"assay.receipt/v1"}`, `[`, ``} {
		data, err := packed([]byte(seed))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var store trust.MemStore
		const key = receiptPrefix + "x"
		err := store.Update(t.Context(), func(tx trust.Tx) error {
			if err := tx.Put(key, data); err != nil {
				return err
			}
			r, err := (&Prover{}).readReceipt(tx, key)
			if len(data) == 0 || err != nil {
				return err
			}
			if r == nil || r.Evidence == nil || r.Schema != receiptSchema {
				t.Errorf("read without an error: %+v", r)
			}
			if err := put(tx, key, r); err != nil {
				return err
			}
			_, err = (&Prover{}).readReceipt(tx, key)
			return err
		})
		if err != nil && !errors.Is(err, ErrReceipt) {
			t.Errorf("expected ErrReceipt, found %v", err)
		}
	})
}

// FuzzReceiptKey: a key names exactly what it was made of.
func FuzzReceiptKey(f *testing.F) {
	f.Add("acme", "hello/1.0.0/a b%2F.tgz")
	f.Add("", "")
	f.Add("a/b", "receipt/x/y")
	f.Fuzz(func(t *testing.T, repository, path string) {
		digest := artifact.DigestOf(artifact.SHA256, []byte(path))
		name, err := parseReceiptKey(keyOf(artifact.Digests{digest}, repository, path))
		if err != nil || name.Digest != digest || name.Repository != repository || name.Target != path {
			t.Errorf("%q %q: found %+v, %v", repository, path, name, err)
		}
		wild := receiptPrefix + repository + "/" + path
		if name, err := parseReceiptKey(wild); err == nil && !strings.EqualFold(keyOf(artifact.Digests{name.Digest}, name.Repository, name.Target), wild) {
			unescaped, _ := url.PathUnescape(wild)
			if again, _ := url.PathUnescape(keyOf(artifact.Digests{name.Digest}, name.Repository, name.Target)); again != unescaped {
				t.Errorf("%q is read as %+v", wild, name)
			}
		}
	})
}
