package state

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// ProofStore is the memory of proofs: what was published, how it was proven, and
// what was decided. It is one for all repositories. Its keys begin with a
// family, the text before the first slash, as in "receipt/…", of at most 255
// bytes.
//
// The entries of a family are spread over shards, each with a seal of its own;
// those whose keys are equal up to the second slash, as in "receipt/DIGEST/…", lie
// in one. So a process that asks for one of ten thousand receipts, or for all of
// one digest, compares the seals of a few hundred entries, not of all.
type ProofStore struct{ file *file }

// Proofs returns the memory of proofs.
func (db *DB) Proofs() *ProofStore { return &ProofStore{db.proofs} }

// Path is where the database is, or will be.
func (p *ProofStore) Path() string { return p.file.path }

// View runs fn on a consistent picture of the memory. Where nothing is stored fn
// sees an empty one, and nothing is created. Unlike that of a TrustStore, Get
// looks at the checksum of the value: a wrong one is ErrEntry. fn must be short,
// as writers wait, and must not call this store. It is for the rules of TrustStore, too.
func (p *ProofStore) View(ctx context.Context, fn func(Tx) error) error {
	stored, err := p.file.viewStored(ctx, func(s *session) error {
		top, err := s.top(tableProofs)
		if err != nil {
			return err
		}
		return fn(proofReader{top})
	})
	if err != nil || stored {
		return err
	}
	return fn(proofReader{})
}

// Update runs fn and keeps all that it wrote, durably, when fn returns nil and
// ctx has not ended; otherwise nothing. Updates of all processes take turns:
// what fn reads is what the one before left. It is for View's rules, too.
func (p *ProofStore) Update(ctx context.Context, fn func(Tx) error) error {
	return p.file.update(ctx, func(s *session) error {
		top, err := s.top(tableProofs)
		if err != nil {
			return err
		}
		return fn(proofWriter{proofReader{top}})
	})
}

const (
	shards    = 64
	maxFamily = 255
)

// shardOf names the nested table that has, or would have, the key.
func shardOf(key string) string {
	family, rest, _ := strings.Cut(key, "/")
	group, _, _ := strings.Cut(rest, "/")
	hash := fnv.New32a()
	hash.Write([]byte(group))
	return fmt.Sprintf("%s/%02x", family, hash.Sum32()%shards)
}

// shardsOf begins the names of the tables that may have keys with the prefix.
func shardsOf(prefix string) string {
	switch parts := strings.SplitN(prefix, "/", 3); len(parts) {
	case 1:
		return prefix // it may be that of several families
	case 2:
		return parts[0] + "/"
	default:
		return shardOf(prefix)
	}
}

func checkProofKey(key string) error {
	if family, _, _ := strings.Cut(key, "/"); len(family) > maxFamily {
		return fmt.Errorf("%w: expected a key with at most %d bytes before its first slash, found %q", ErrInvalid, maxFamily, clip(key))
	}
	return checkKey(key)
}

// proofReader is the Tx of a View; its table is nil where nothing is stored.
type proofReader struct{ top *table }

func (r proofReader) Get(key string) ([]byte, error) {
	if r.top == nil || checkProofKey(key) != nil {
		return nil, nil
	}
	shard, err := r.top.child(shardOf(key))
	if shard == nil || err != nil {
		return nil, err
	}
	return shard.get(key)
}

func (r proofReader) Keys(prefix string) ([]string, error) {
	if r.top == nil {
		return nil, nil
	}
	names, err := r.top.keys(shardsOf(prefix))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range names {
		shard, err := r.top.child(name)
		if err != nil {
			return nil, err
		}
		if shard == nil {
			return nil, r.top.s.damaged("expected %q to be a table, found a value", clip(name))
		}
		keys, err := shard.keys(prefix)
		if err != nil {
			return nil, err
		}
		all = append(all, keys...)
	}
	slices.Sort(all)
	return all, nil
}

func (r proofReader) Put(string, []byte) error { return ErrReadOnly }
func (r proofReader) Delete(string) error      { return ErrReadOnly }

// proofWriter is the Tx of an Update.
type proofWriter struct{ proofReader }

func (w proofWriter) Put(key string, value []byte) error {
	if err := checkProofKey(key); err != nil {
		return err
	}
	shard, err := w.top.makeChild(shardOf(key))
	if err != nil {
		return err
	}
	return shard.put(key, value)
}

func (w proofWriter) Delete(key string) error {
	if err := checkProofKey(key); err != nil {
		return err
	}
	shard, err := w.top.child(shardOf(key))
	if shard == nil || err != nil {
		return err
	}
	return shard.delete(key)
}
