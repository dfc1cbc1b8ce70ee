package fetch

import (
	"fmt"
	"hash"

	"assay/artifact"
	"assay/trust"
)

// prover hashes what is written to it by every algorithm that a target
// promises, but for one that somebody else checks already.
type prover struct {
	target trust.Target
	length int64
	hashes map[artifact.Algorithm]hash.Hash
}

func newProver(target trust.Target, except artifact.Algorithm) *prover {
	p := &prover{target: target, hashes: map[artifact.Algorithm]hash.Hash{}}
	for _, digest := range target.Digests() {
		if algorithm := digest.Algorithm(); algorithm != except {
			p.hashes[algorithm] = algorithm.New()
		}
	}
	return p
}

func (p *prover) Write(b []byte) (int, error) {
	for _, h := range p.hashes {
		h.Write(b)
	}
	p.length += int64(len(b))
	return len(b), nil
}

// check compares what was written with the promise.
func (p *prover) check() error {
	if p.length != p.target.Length() {
		return &trust.MismatchError{What: p.target.Path(), Expected: fmt.Sprintf("%d bytes", p.target.Length()), Found: fmt.Sprintf("%d", p.length)}
	}
	for algorithm, h := range p.hashes {
		want, _ := p.target.Digests().Of(algorithm)
		if got := artifact.SumOf(algorithm, h); got != want {
			return &trust.MismatchError{What: p.target.Path(), Expected: want.String(), Found: got.String()}
		}
	}
	return nil
}

// digester hashes what is written to it by every algorithm that is known.
type digester struct {
	length int64
	sha256 hash.Hash
	sha512 hash.Hash
}

func newDigester() *digester {
	return &digester{sha256: artifact.SHA256.New(), sha512: artifact.SHA512.New()}
}

func (d *digester) Write(b []byte) (int, error) {
	d.sha256.Write(b)
	d.sha512.Write(b)
	d.length += int64(len(b))
	return len(b), nil
}

func (d *digester) digests() artifact.Digests {
	return artifact.Digests{artifact.SumOf(artifact.SHA256, d.sha256), artifact.SumOf(artifact.SHA512, d.sha512)}
}
