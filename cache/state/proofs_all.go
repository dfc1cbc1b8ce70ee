package state

import (
	"context"
	"errors"
	"iter"
)

// The bounds of what All reads in one transaction.
const (
	batchEntries = 64
	batchBytes   = 1 << 20
)

// Proof is one entry of the memory of proofs.
type Proof struct {
	Key   string
	Value []byte
}

// All gives the entries whose keys begin with prefix, in the order of the keys,
// a few at a time in memory. They need not be of one moment: no lock is held
// between them, so that the loop may take as long as it likes and may use the
// store. What is deleted meanwhile is passed over, what is added may be missing.
//
// An entry whose value does not fit its checksum comes without the value and
// with an ErrEntry, and the next follows; any other error is the last.
func (p *ProofStore) All(ctx context.Context, prefix string) iter.Seq2[Proof, error] {
	return func(yield func(Proof, error) bool) {
		var keys []string
		err := p.View(ctx, func(tx Tx) (err error) { keys, err = tx.Keys(prefix); return err })
		for err == nil && len(keys) > 0 {
			var read []outcome
			read, err = p.batch(ctx, keys)
			if err != nil {
				break
			}
			keys = keys[len(read):]
			for _, each := range read {
				gone := each.Value == nil && each.err == nil
				if !gone && !yield(each.Proof, each.err) {
					return
				}
			}
		}
		if err != nil {
			yield(Proof{}, err)
		}
	}
}

// outcome is what reading one key gave; without value and error the key is gone.
type outcome struct {
	Proof
	err error
}

// batch reads the first keys, in one transaction; at least one.
func (p *ProofStore) batch(ctx context.Context, keys []string) (read []outcome, err error) {
	err = p.View(ctx, func(tx Tx) error {
		size := 0
		read = nil
		for _, key := range keys[:min(len(keys), batchEntries)] {
			value, err := tx.Get(key)
			if err != nil && !errors.Is(err, ErrEntry) {
				return err
			}
			read = append(read, outcome{Proof{key, value}, err})
			if size += len(value); size >= batchBytes {
				break
			}
		}
		return nil
	})
	return read, err
}
