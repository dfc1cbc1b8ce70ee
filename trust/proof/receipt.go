package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"strings"
	"time"

	"assay/artifact"
	"assay/trust"
	"assay/trust/policy"
	"assay/trust/provenance"
)

// Outcome is how a hearing ended.
type Outcome string

// The outcomes of a Receipt.
const (
	Proven  Outcome = "proven"
	Refused Outcome = "refused"
)

// Receipt is what is remembered of a judgement. It explains; it never counts as
// proof: what it takes over from an earlier one is only the cryptography of
// bundles whose digests, trust root and policy are the same.
type Receipt struct {
	Schema     string            `json:"schema"` // assay.receipt/v1
	Outcome    Outcome           `json:"outcome"`
	Reason     string            `json:"reason,omitempty"` // of a refusal
	At         time.Time         `json:"at"`
	Proven     time.Time         `json:"proven,omitzero"` // when it was proven last; zero: never
	Repository string            `json:"repository"`
	Target     string            `json:"target"`
	Product    string            `json:"product,omitempty"`
	Version    string            `json:"version,omitempty"`
	Channel    string            `json:"channel,omitempty"`
	Status     string            `json:"status,omitempty"`
	Platform   artifact.Platform `json:"platform,omitzero"`
	Length     int64             `json:"length"` // in bytes
	Digests    artifact.Digests  `json:"digests"`
	Evidence   *trust.Evidence   `json:"evidence"`
	// Manifest has the digests of the manifest that listed it when it was last judged
	// by one; none: it never was.
	Manifest artifact.Digests `json:"manifest,omitempty"`

	Checksums artifact.Digest `json:"checksums,omitzero"` // of the checksums file that lists it
	SBOM      artifact.Digest `json:"sbom,omitzero"`      // of the bill of materials that was read
	// Verdicts are the verified signatures, by all that they depend on.
	Verdicts map[string]provenance.Signed `json:"verdicts,omitempty"`
}

const receiptSchema = "assay.receipt/v1"

// The keys of receipts begin with receiptPrefix, and go on with the digest, the
// repository and the target path, so that those of a file are found by its
// digest, and the others without reading their values.
const receiptPrefix = "receipt/"

func receiptKey(t trust.Target) string { return keyOf(t.Digests(), t.Repository(), t.Path()) }

func keyOf(digests artifact.Digests, repository, path string) string {
	return receiptPrefix + digests.Primary().String() + "/" + url.PathEscape(repository) + "/" + url.PathEscape(path)
}

// ReceiptName is what the key of a receipt says.
type ReceiptName struct {
	Digest     artifact.Digest
	Repository string
	Target     string

	key string
}

func parseReceiptKey(key string) (ReceiptName, error) {
	parts := strings.Split(strings.TrimPrefix(key, receiptPrefix), "/")
	if len(parts) != 3 {
		return ReceiptName{}, fmt.Errorf("%w: expected DIGEST/REPOSITORY/TARGET, found the key %q", ErrReceipt, clip(key))
	}
	digest, err := artifact.ParseDigest(parts[0])
	repository, err2 := url.PathUnescape(parts[1])
	target, err3 := url.PathUnescape(parts[2])
	if err := errors.Join(err, err2, err3); err != nil {
		return ReceiptName{}, fmt.Errorf("%w: the key %q: %w", ErrReceipt, clip(key), err)
	}
	return ReceiptName{Digest: digest, Repository: repository, Target: target, key: key}, nil
}

// receipt is that of an earlier judgement of a target's bytes; nil without one.
func (p *Prover) receipt(ctx context.Context, target trust.Target) (r *Receipt, err error) {
	err = p.config.Memory.View(ctx, func(tx trust.Tx) error {
		r, err = p.readReceipt(tx, receiptKey(target))
		return err
	})
	return r, err
}

// readReceipt gives nil where there is none, and ErrReceipt for one that is
// damaged.
func (p *Prover) readReceipt(tx trust.Tx, key string) (*Receipt, error) {
	data, err := tx.Get(key)
	if err != nil && p.config.Damaged != nil && p.config.Damaged(err) {
		// Its own words may speak of all that is stored, of which this is one entry.
		return nil, fmt.Errorf("%w: %s: expected what was written, found something else", ErrReceipt, clip(key))
	}
	if err != nil || data == nil {
		return nil, err
	}
	var r Receipt
	text, err := unpacked(data, maxReceipt)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrReceipt, clip(key), err)
	}
	if r.Schema != receiptSchema || r.Evidence == nil {
		return nil, fmt.Errorf("%w: %s: expected the schema %s with evidence, found %q", ErrReceipt, clip(key), receiptSchema, clip(r.Schema))
	}
	return &r, nil
}

// Record remembers a proof once the artifact's bytes were found right: its
// receipt, the digest seen under the path, and the kinds of proof seen for the
// product, in one transaction. A crash before it leaves the artifact proven and
// not remembered: the next proof starts from nothing, and records then.
func (p *Prover) Record(ctx context.Context, proof *Proof) (*Receipt, error) {
	r := newReceipt(proof.item, proof.Evidence, p.config.Now())
	r.Outcome, r.Proven, r.Verdicts = Proven, r.At, proof.verdicts
	r.Checksums, r.SBOM = proof.checksums, proof.sbom
	return r, p.config.Memory.Update(ctx, func(tx trust.Tx) error {
		before, err := p.readReceipt(tx, receiptKey(proof.item.Target))
		if err != nil && !errors.Is(err, ErrReceipt) {
			return err
		}
		r.keep(before)
		if proof.item.Release != nil {
			if err := policy.Record(tx, proof.remember, p.config.Now()); err != nil {
				return err
			}
		}
		return writeReceipt(tx, proof.item.Target, r)
	})
}

// keep takes over from an earlier receipt of the same bytes what its manifest told,
// where no manifest lists them any more: a policy can be asked about them still, see
// JudgeAgain. before may be nil.
func (r *Receipt) keep(before *Receipt) {
	if before == nil || len(r.Manifest) > 0 || len(before.Manifest) == 0 {
		return
	}
	r.Manifest, r.Checksums, r.SBOM = before.Manifest, before.Checksums, before.SBOM
	verdicts := maps.Clone(before.Verdicts)
	if verdicts == nil {
		verdicts = map[string]provenance.Signed{}
	}
	maps.Copy(verdicts, r.Verdicts)
	r.Verdicts = verdicts
}

// RecordRefusal remembers why an artifact was refused, and of the judgement
// before only when it was proven last, and by which manifest; not even that where its
// receipt is damaged.
func (p *Prover) RecordRefusal(ctx context.Context, refusal *Refusal) error {
	return p.config.Memory.Update(ctx, func(tx trust.Tx) error {
		r := refusal.receipt
		before, err := p.readReceipt(tx, receiptKey(refusal.target))
		if err != nil && !errors.Is(err, ErrReceipt) {
			return err
		}
		if before != nil {
			r.Proven = before.Proven
			r.keep(before)
		}
		return writeReceipt(tx, refusal.target, &r)
	})
}

// Revise remembers that something which was proven before is refused today for a
// reason that no hearing comes to: its publisher has revoked it, say, or promises
// it no longer. Evidence has the check that failed. What JudgeAgain needs stays.
func (p *Prover) Revise(ctx context.Context, before *Receipt, evidence *trust.Evidence, reason error) error {
	r := *before
	r.Outcome, r.Reason, r.At, r.Evidence = Refused, reason.Error(), p.config.Now().UTC(), evidence
	return p.config.Memory.Update(ctx, func(tx trust.Tx) error {
		return put(tx, keyOf(r.Digests, r.Repository, r.Target), &r)
	})
}

func newReceipt(item Item, evidence *trust.Evidence, now time.Time) *Receipt {
	return &Receipt{
		Schema: receiptSchema, At: now.UTC(), Repository: item.Target.Repository(), Target: item.Target.Path(),
		Product: item.Product, Version: item.Version.String(), Channel: item.Channel, Status: string(item.Status),
		Platform: item.Platform, Length: item.Target.Length(), Digests: item.Target.Digests(), Evidence: evidence,
		Manifest: item.Manifest,
	}
}

func writeReceipt(tx trust.Tx, target trust.Target, r *Receipt) error {
	return put(tx, receiptKey(target), r)
}

func put(tx trust.Tx, key string, r *Receipt) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // it would make six bytes of some
	if err := encoder.Encode(r); err != nil {
		return err
	}
	if text.Len() > maxReceipt {
		// Nothing that it explains may keep the next proof from being read.
		return fmt.Errorf("%w: expected at most %d bytes, found %d", ErrReceipt, maxReceipt, text.Len())
	}
	data, err := packed(text.Bytes())
	if err != nil {
		return err
	}
	return tx.Put(key, data)
}

// ReceiptNames lists what there are receipts of, by digest.
func (p *Prover) ReceiptNames(ctx context.Context) (names []ReceiptName, err error) {
	return p.receiptNames(ctx, receiptPrefix)
}

// ReceiptsOf lists the receipts of some bytes; none where they were never judged
// here.
func (p *Prover) ReceiptsOf(ctx context.Context, digest artifact.Digest) ([]ReceiptName, error) {
	return p.receiptNames(ctx, receiptPrefix+digest.String()+"/")
}

func (p *Prover) receiptNames(ctx context.Context, prefix string) (names []ReceiptName, err error) {
	err = p.config.Memory.View(ctx, func(tx trust.Tx) error {
		keys, err := tx.Keys(prefix)
		if err != nil {
			return err
		}
		names = nil
		for _, key := range keys {
			name, err := parseReceiptKey(key)
			if err != nil {
				return err
			}
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// Receipts reads receipts one after the other, in the order of the names, each in
// a transaction of its own. One that is gone by then is left out. One that is
// damaged is an ErrReceipt (DamagedError), and the next follows.
func (p *Prover) Receipts(ctx context.Context, names []ReceiptName) iter.Seq2[*Receipt, error] {
	return func(yield func(*Receipt, error) bool) {
		for _, name := range names {
			var r *Receipt
			err := p.config.Memory.View(ctx, func(tx trust.Tx) (err error) {
				r, err = p.readReceipt(tx, name.key)
				return err
			})
			if err == nil && r == nil {
				continue
			}
			if errors.Is(err, ErrReceipt) {
				err = &DamagedError{Name: name, Err: err}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}
