package proof_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
)

// zipped is how receipts are stored.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	must(t, errors.Join(err, w.Close()))
	return b.String()
}

// TestDamagedReceipt is never a proof: the artifact is judged anew, with a
// warning, and the new receipt takes its place. Whoever asks for the damaged one
// is told.
func TestDamagedReceipt(t *testing.T) {
	whole := zipped(t, `{"schema":"assay.receipt/v1","evidence":{}}`)
	for name, value := range map[string]string{
		"not packed": `{"schema":"assay.receipt/v1","evidence":{}}`, "cut": whole[:len(whole)-1], "no JSON": zipped(t, `{"schema":`),
		"empty": zipped(t, `{}`), "a wrong type": zipped(t, `{"schema":"assay.receipt/v1","evidence":{},"length":"x"}`), "another schema": zipped(t, `{"schema":"x","evidence":{}}`), "no evidence": zipped(t, `{"schema":"assay.receipt/v1"}`),
	} {
		b := newBench(t)
		b.release("hello", "1.4.2", &testrepo.Signing{})
		b.proven(b.item("hello", "1.4.2"))
		b.damage([]byte(value))
		b.wantHealed(name)
	}
}

// TestReceiptThatItsStoreFindsDamaged is like any that is damaged, if the
// configuration can tell such an error from one of the means.
func TestReceiptThatItsStoreFindsDamaged(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	b.proven(b.item("hello", "1.4.2"))
	b.config.Memory = &balky{Store: b.memory, fails: "get receipt/"}
	b.wantMeans(b.item("hello", "1.4.2"))
	b.config.Damaged = func(err error) bool { return errors.Is(err, errMeans) }
	b.wantHealed("by its store")
	b.config.Damaged = func(error) bool { return false }
	b.wantMeans(b.item("hello", "1.4.2"))
	b.config.Memory, b.config.Damaged = b.memory, func(error) bool { return true }
	if found := b.proven(b.item("hello", "1.4.2")); len(found.Warnings) != 0 {
		t.Errorf("expected what can be read to be no damage, found %q", found.Warnings)
	}
}

// damage puts something else in the place of the one receipt.
func (b *bench) damage(value []byte) {
	b.t.Helper()
	must(b.t, b.memory.Update(b.t.Context(), func(tx trust.Tx) error {
		keys, err := tx.Keys("receipt/")
		must(b.t, err)
		return tx.Put(keys[0], value)
	}))
}

// wantHealed wants the damaged receipt of hello 1.4.2 to be told, to prove
// nothing, and to be replaced by that of a refusal and of a proof.
func (b *bench) wantHealed(name string) {
	b.t.Helper()
	told := func() error {
		names, err := b.prover().ReceiptNames(b.t.Context())
		must(b.t, err)
		for _, err := range b.prover().Receipts(b.t.Context(), names) {
			return err
		}
		return nil
	}
	var damaged *proof.DamagedError
	if err := told(); !errors.Is(err, proof.ErrReceipt) || !errors.As(err, &damaged) || damaged.Name.Target != "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz" || damaged.Name.Repository != "acme" {
		b.t.Errorf("%s: expected ErrReceipt, found %v", name, err)
	}
	b.read = nil
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(b.t, err)
	if len(found.Warnings) != 1 || !strings.Contains(found.Warnings[0], "stored receipt is damaged") {
		b.t.Errorf("%s: expected a warning, found %q", name, found.Warnings)
	}
	if !strings.Contains(strings.Join(b.read, " "), ".sigstore.json") {
		b.t.Errorf("%s: expected the bundle to be verified anew, read %q", name, b.read)
	}
	rules := b.rules
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindAgreement}}}
	refusal := b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)
	before := b.memory.Entries()
	must(b.t, b.prover().RecordRefusal(b.t.Context(), refusal))
	b.rules = rules
	store := b.config.Memory
	b.config.Memory = b.memory
	if err := told(); err != nil {
		b.t.Errorf("%s: expected a receipt after a refusal, found %v", name, err)
	}
	b.config.Memory = store
	for key, value := range before {
		must(b.t, b.memory.Update(b.t.Context(), func(tx trust.Tx) error { return tx.Put(key, value) }))
	}
	_, err = b.prover().Record(b.t.Context(), found)
	must(b.t, err)
	b.config.Memory = b.memory
	if err := told(); err != nil {
		b.t.Errorf("%s: expected a receipt after a proof, found %v", name, err)
	}
	if again := b.proven(b.item("hello", "1.4.2")); len(again.Warnings) != 0 {
		b.t.Errorf("%s: expected no warning again, found %q", name, again.Warnings)
	}
	b.config.Memory = store
}
