package proof_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
)

// balky is a Store of which single calls fail, named like "put receipt/".
type balky struct {
	trust.Store
	fails string
	ended []error // how the functions of its transactions ended
}

func (s *balky) View(ctx context.Context, fn func(trust.Tx) error) error {
	return s.run(s.Store.View, "view", ctx, fn)
}

func (s *balky) Update(ctx context.Context, fn func(trust.Tx) error) error {
	return s.run(s.Store.Update, "update", ctx, fn)
}

func (s *balky) run(how func(context.Context, func(trust.Tx) error) error, name string, ctx context.Context, fn func(trust.Tx) error) error {
	if name == s.fails {
		return errMeans
	}
	return how(ctx, func(tx trust.Tx) error {
		err := fn(balkyTx{tx, s.fails})
		s.ended = append(s.ended, err)
		return err
	})
}

type balkyTx struct {
	trust.Tx
	fails string
}

func (tx balkyTx) err(call, key string) error {
	if name, prefix, ok := strings.Cut(tx.fails, " "); ok && name == call && strings.HasPrefix(key, prefix) {
		return errMeans
	}
	return nil
}

// Get gives bytes beside its error, as a careless Store may.
func (tx balkyTx) Get(key string) ([]byte, error) {
	if err := tx.err("get", key); err != nil {
		return []byte("garbage"), err
	}
	return tx.Tx.Get(key)
}

func (tx balkyTx) Put(key string, value []byte) error {
	if err := tx.err("put", key); err != nil {
		return err
	}
	return tx.Tx.Put(key, value)
}

func (tx balkyTx) Keys(prefix string) ([]string, error) {
	if err := tx.err("keys", prefix); err != nil {
		return nil, err
	}
	return tx.Tx.Keys(prefix)
}

// TestMemoryThatFails is an error of the means: nothing is proven or refused by
// it, and nothing half remembered.
func TestMemoryThatFails(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	store := &balky{Store: b.memory}
	b.config.Memory = store
	for _, fails := range []string{"view", "get receipt/"} {
		store.fails = fails
		b.wantMeans(b.item("hello", "1.4.2"))
	}
	store.fails = ""
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	for _, fails := range []string{"update", "put receipt/", "put ", "get "} {
		store.fails = fails
		if _, err := b.prover().Record(t.Context(), found); !errors.Is(err, errMeans) {
			t.Errorf("%s: expected %q, found %v", fails, errMeans, err)
		}
		if n := len(b.memory.Entries()); n != 0 {
			t.Errorf("%s: %d entries are left", fails, n)
		}
	}
	store.fails = "keys receipt/"
	if names, err := b.prover().ReceiptNames(t.Context()); !errors.Is(err, errMeans) || names != nil {
		t.Errorf("expected %q, found %v and %v", errMeans, names, err)
	}
}

// TestMemorySeesTheReason: a Store that looks at why a transaction ended finds
// the error that refuses.
func TestMemorySeesTheReason(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	b.proven(b.item("hello", "1.4.2"))
	b.swapBytes([]byte("other bytes"))
	store := &balky{Store: b.memory}
	b.config.Memory = store
	b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckUnchanged, policy.ErrChanged)
	if last := store.ended[len(store.ended)-1]; !errors.Is(last, policy.ErrChanged) {
		t.Errorf("expected ErrChanged, found %v", last)
	}
}

// TestDamagedMemory neither proves nor refuses.
func TestDamagedMemory(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	b.proven(b.item("hello", "1.4.2"))
	for key, value := range b.memory.Entries() {
		if strings.HasPrefix(key, "receipt/") {
			continue
		}
		must(t, b.memory.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, []byte("damaged")) }))
		_, err := b.prove(b.item("hello", "1.4.2"))
		var refusal *proof.Refusal
		if !errors.Is(err, policy.ErrMemory) || errors.As(err, &refusal) {
			t.Errorf("%s: expected ErrMemory, and no refusal, found %v", key, err)
		}
		must(t, b.memory.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, value) }))
	}
}

// TestRecordComparesAgain: two proofs of other bytes under one path, at once.
func TestRecordComparesAgain(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	first, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	b.swapBytes([]byte("other bytes"))
	second, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	_, err = b.prover().Record(t.Context(), first)
	must(t, err)
	before := len(b.memory.Entries())
	if _, err := b.prover().Record(t.Context(), second); !errors.Is(err, policy.ErrChanged) {
		t.Errorf("expected ErrChanged, found %v", err)
	}
	if after := len(b.memory.Entries()); after != before {
		t.Errorf("expected %d entries, found %d", before, after)
	}
}

// TestRefusalIsRemembered, and when the artifact was proven before it.
func TestRefusalIsRemembered(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", nil)
	item := b.item("hello", "1.4.2")
	refuse := func() *proof.Refusal {
		b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindProvenance}}}
		return b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)
	}
	remembered := func() *proof.Receipt {
		names, err := b.prover().ReceiptNames(t.Context())
		must(t, err)
		var last *proof.Receipt
		for r, err := range b.prover().Receipts(t.Context(), names) {
			must(t, err)
			last = r
		}
		return last
	}
	refusal := refuse()
	must(t, b.prover().RecordRefusal(t.Context(), refusal))
	r := remembered()
	if r.Outcome != proof.Refused || !r.Proven.IsZero() || !strings.Contains(r.Reason, policy.IDRequire) || r.Target != item.Target.Path() {
		t.Errorf("the receipt of a refusal lacks something: %+v", r)
	}
	if told := refusal.Receipt(); told.Reason != r.Reason || !told.At.Equal(r.At) {
		t.Errorf("expected the refusal's own receipt, found %+v", told)
	}
	b.rules = nil
	b.proven(item)
	b.now = b.now.Add(time.Hour)
	must(t, b.prover().RecordRefusal(t.Context(), refuse()))
	if r := remembered(); r.Outcome != proof.Refused || !r.Proven.Equal(start) || !r.At.Equal(start.Add(time.Hour)) {
		t.Errorf("expected a refusal after the proof at %s, found %+v", start, r)
	}
	store := &balky{Store: b.memory}
	b.config.Memory = store
	for _, fails := range []string{"update", "get receipt/", "put receipt/"} {
		store.fails = fails
		if err := b.prover().RecordRefusal(t.Context(), refusal); !errors.Is(err, errMeans) {
			t.Errorf("%s: expected %q, found %v", fails, errMeans, err)
		}
	}
}

// TestRefusalTakesNoVerdicts: what was refused is verified anew.
func TestRefusalTakesNoVerdicts(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	b.rules = []policy.Rule{{Require: []policy.Kind{policy.KindAgreement}}}
	must(t, b.prover().RecordRefusal(t.Context(), b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)))
	b.read = nil
	b.wantRefusal(b.item("hello", "1.4.2"), policy.IDRequire, policy.ErrRefused)
	if !strings.Contains(strings.Join(b.read, " "), ".sigstore.json") {
		t.Errorf("expected the bundle to be read again, found %q", b.read)
	}
}

// TestReceiptKeys that are none of ours are damage, and told.
func TestReceiptKeys(t *testing.T) {
	good := "sha256:" + strings.Repeat("ab", 32)
	for _, key := range []string{"receipt/x", "receipt/" + good + "/acme", "receipt/" + good + "/acme/a/b", "receipt/sha256:ab/acme/x", "receipt/" + good + "/%zz/x", "receipt/" + good + "/acme/%zz"} {
		b := newBench(t)
		must(t, b.memory.Update(t.Context(), func(tx trust.Tx) error { return tx.Put(key, nil) }))
		if names, err := b.prover().ReceiptNames(t.Context()); !errors.Is(err, proof.ErrReceipt) || names != nil {
			t.Errorf("%s: expected ErrReceipt, found %v and %v", key, names, err)
		}
	}
}

// TestReceiptsOneByOne: those gone by now are left out, a damaged one is told
// and does not hide the others, and whoever has seen enough stops.
func TestReceiptsOneByOne(t *testing.T) {
	b := newBench(t)
	for _, version := range []string{"1.4.0", "1.4.1", "1.4.2"} {
		b.release("hello", version, nil)
		b.proven(b.item("hello", version))
	}
	p := b.prover()
	names, err := p.ReceiptNames(t.Context())
	must(t, err)
	if len(names) != 3 {
		t.Fatalf("expected three receipts, found %+v", names)
	}
	keyOf := func(n proof.ReceiptName) string {
		return "receipt/" + n.Digest.String() + "/" + n.Repository + "/" + strings.ReplaceAll(n.Target, "/", "%2F")
	}
	must(t, b.memory.Update(t.Context(), func(tx trust.Tx) error {
		return errors.Join(tx.Delete(keyOf(names[0])), tx.Put(keyOf(names[1]), []byte("damaged")))
	}))
	var whole, damaged int
	for r, err := range p.Receipts(t.Context(), names) {
		switch {
		case errors.Is(err, proof.ErrReceipt) && r == nil:
			damaged++
		case err == nil && r != nil && r.Target == names[2].Target:
			whole++
		default:
			t.Errorf("found %+v and %v", r, err)
		}
	}
	if whole != 1 || damaged != 1 {
		t.Errorf("expected one receipt and one error, found %d and %d", whole, damaged)
	}
	seen := 0
	for range p.Receipts(t.Context(), names) {
		seen++
		break
	}
	if seen != 1 {
		t.Errorf("expected to stop after one, found %d", seen)
	}
}

// TestReceiptThatCannotBeWritten: a time that JSON does not have.
func TestReceiptThatCannotBeWritten(t *testing.T) {
	b := newBench(t)
	b.replace("tool", []byte("bytes"), "targets")
	found, err := b.prove(b.itemAt("tool"))
	must(t, err)
	b.now = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	var marshal *json.MarshalerError
	if _, err := b.prover().Record(t.Context(), found); !errors.As(err, &marshal) {
		t.Errorf("expected an error of JSON, found %v", err)
	}
	if n := len(b.memory.Entries()); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

// TestWhatIsReadAgain: a document that an earlier proof has read is not read
// again, unless it is another one, or somebody asks for what is in it.
func TestWhatIsReadAgain(t *testing.T) {
	const sums, bill = "hello/1.4.2/checksums.txt", "hello/1.4.2/hello_1.4.2_linux_amd64.spdx.json"
	wasRead := func(b *bench, path string) bool {
		defer func() { b.read = nil }()
		return strings.Contains(strings.Join(b.read, " "), path)
	}
	known := func(t *testing.T) *bench {
		b := newBench(t)
		b.release("hello", "1.4.2", nil)
		b.proven(b.item("hello", "1.4.2"))
		b.read = nil
		return b
	}
	for name, rule := range map[string]policy.Rule{
		"nobody asks": {Statuses: []string{"current"}},
		"components":  {Components: &policy.Components{Deny: []string{"left-pad"}}},
		"licences":    {Licenses: &policy.Licenses{Deny: []string{"GPL-3.0-only"}}},
		"advisories":  {Advisories: policy.Warn},
		"require":     {Require: []policy.Kind{policy.KindSBOM}},
	} {
		t.Run(name, func(t *testing.T) {
			b := known(t)
			b.rules = []policy.Rule{rule}
			found, err := b.prove(b.item("hello", "1.4.2"))
			must(t, err)
			wantResult(t, found.Evidence, trust.CheckSBOM, trust.Pass)
			wantResult(t, found.Evidence, trust.CheckChecksums, trust.Pass)
			if strings.Contains(strings.Join(b.read, " "), sums) {
				t.Error("the checksums file was read again")
			}
			if asked := name != "nobody asks"; wasRead(b, bill) != asked || !found.Subject.HasSBOM || found.Partial == asked {
				t.Errorf("expected the bill to be read: %t, found %+v", asked, found.Subject)
			}
		})
	}
	t.Run("advisories are configured", func(t *testing.T) {
		b := known(t)
		found, err := b.prove(advised(osv, func(b *bench) proof.Item { return b.item("hello", "1.4.2") })(b))
		must(t, err)
		if !wasRead(b, bill) || len(found.Affected()) != 1 {
			t.Errorf("expected the bill to be read, and one to be affected, found %q", found.Affected())
		}
	})
	t.Run("the caller asks", func(t *testing.T) {
		b := known(t)
		item := b.item("hello", "1.4.2")
		item.Parts = true
		found, err := b.prove(item)
		must(t, err)
		if !wasRead(b, bill) || found.Partial || len(found.Subject.Components) == 0 {
			t.Errorf("expected the bill to be read, found %+v", found.Subject)
		}
		for err, wanted := range map[error]bool{trust.ErrNotHeld: true, errMeans: false} {
			b.fails = map[string]error{"read " + bill: err}
			found, got := b.prove(item)
			switch {
			case wanted && (got != nil || !found.Partial || !found.Subject.HasSBOM):
				t.Errorf("offline: expected a proof without components, found %v", got)
			case !wanted && !errors.Is(got, err):
				t.Errorf("expected %v, found %v", err, got)
			}
		}
		b.rules = []policy.Rule{{Components: &policy.Components{Deny: []string{"left-pad"}}}}
		b.fails = map[string]error{"read " + bill: trust.ErrNotHeld}
		if _, err := b.prove(item); !errors.Is(err, trust.ErrNotHeld) {
			t.Errorf("where a rule asks: expected ErrNotHeld, found %v", err)
		}
	})
	t.Run("another bill", func(t *testing.T) {
		b := known(t)
		b.replace(bill, []byte("{}"), "hello")
		b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckSBOM, proof.ErrDocument)
	})
	t.Run("another checksums file", func(t *testing.T) {
		b := known(t)
		b.replace(sums, []byte(strings.Repeat("ab", 32)+"  hello_1.4.2_linux_amd64.tar.gz\n"), "hello")
		b.wantRefusal(b.item("hello", "1.4.2"), trust.CheckChecksums, proof.ErrDisagree)
	})
}

// TestSignedChecksumsAgain: what counts by a checksums file that was read before
// still counts.
func TestSignedChecksumsAgain(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{Artifacts: testrepo.AsNothing, Checksums: true})
	b.rules = []policy.Rule{{Signers: []provenance.Identity{acmeSigner(t, "hello")}}}
	for range 2 {
		wantResult(t, b.proven(b.item("hello", "1.4.2")).Evidence, policy.IDSigners, trust.Pass)
	}
}

// TestUncertainAdvisory: whether a version is affected can't be told.
func TestUncertainAdvisory(t *testing.T) {
	b := newBench(t)
	components := []testrepo.Component{{Name: "golang.org/x/text", Version: "devel", PURL: "pkg:golang/golang.org/x/text@devel"}}
	found, err := b.prove(advised(osv, func(b *bench) proof.Item {
		b.add(testrepo.Release{Product: "hello", Version: "1.4.2", Components: components})
		return b.item("hello", "1.4.2")
	})(b))
	must(t, err)
	if lines := found.Affected(); len(lines) != 1 || !strings.Contains(lines[0], "whether it is affected is not known") {
		t.Errorf("expected one line of doubt, found %q", lines)
	}
	wantResult(t, found.Evidence, trust.CheckAdvisories, trust.NotChecked)
}

// TestRevise: what was proven once is refused today without a hearing, and the
// receipt tells both.
func TestRevise(t *testing.T) {
	b := newBench(t)
	b.release("hello", "1.4.2", &testrepo.Signing{})
	found, err := b.prove(b.item("hello", "1.4.2"))
	must(t, err)
	before, err := b.prover().Record(t.Context(), found)
	must(t, err)
	b.now = b.now.Add(time.Hour)
	evidence := &trust.Evidence{Repository: "acme", Checks: []trust.Check{{ID: trust.CheckStatus, Result: trust.Fail}}}
	store := &balky{Store: b.memory}
	b.config.Memory = store
	for _, fails := range []string{"update", "put receipt/"} {
		store.fails = fails
		if err := b.prover().Revise(t.Context(), before, evidence, errMeans); !errors.Is(err, errMeans) {
			t.Errorf("%s: expected %q, found %v", fails, errMeans, err)
		}
	}
	store.fails = ""
	must(t, b.prover().Revise(t.Context(), before, evidence, errors.New("revoked")))
	names, err := b.prover().ReceiptNames(t.Context())
	must(t, err)
	for r, err := range b.prover().Receipts(t.Context(), names) {
		must(t, err)
		if failed, _ := r.Evidence.Failed(); r.Outcome != proof.Refused || r.Reason != "revoked" || !r.Proven.Equal(start) || !r.At.Equal(b.now) || len(r.Verdicts) == 0 || len(r.Manifest) == 0 || failed.ID != trust.CheckStatus {
			t.Errorf("the receipt lacks something: %+v", r)
		}
	}
	if len(names) != 1 || before.Outcome != proof.Proven {
		t.Errorf("expected one receipt, and the one given to stay as it is, found %+v and %+v", names, before)
	}
}
