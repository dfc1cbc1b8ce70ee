package proof

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"assay/artifact"
	"assay/trust/provenance"
)

// verifier is a profile made ready at its first use.
type verifier struct {
	once sync.Once
	*provenance.Verifier
	from string // where its root came from
	own  string // the repository that it came from; empty: none
	key  artifact.Digest
	err  error
}

// verifier readies a profile, once per Prover. A profile that can't be had is an
// error of the means: it may be that its repository can't be asked.
func (p *Prover) verifier(ctx context.Context, name string) (*verifier, error) {
	i := slices.IndexFunc(p.config.Profiles, func(c Profile) bool { return c.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%w: no trust profile is named %q", ErrConfig, name)
	}
	p.mu.Lock()
	v := p.verifiers[name]
	if v == nil {
		v = &verifier{}
		p.verifiers[name] = v
	}
	p.mu.Unlock()
	v.once.Do(func() { v.err = v.ready(ctx, p.config.Profiles[i]) })
	if v.err != nil && context.Cause(ctx) != nil {
		// That a caller gave up says nothing of the profile.
		p.mu.Lock()
		delete(p.verifiers, name)
		p.mu.Unlock()
	}
	return v, v.err
}

func (v *verifier) ready(ctx context.Context, c Profile) error {
	profile, from, err := c.Load(ctx)
	if err != nil {
		return fmt.Errorf("trust profile %s: %w", c.Name, err)
	}
	if v.Verifier, err = provenance.NewVerifier(profile); err != nil {
		return fmt.Errorf("trust profile %s: %s: %w", c.Name, from, err)
	}
	v.from, v.own = from, c.Repository
	v.key = artifact.DigestOf(artifact.SHA256, fmt.Appendf(nil, "%s\n%s\n%v\n%s", profile.Name, profile.Kind, profile.Least, v.Root()))
	return nil
}

// profiles names those that may judge the artifact's signatures: of the signers
// that the policy accepts, and of its repository. In order, each once.
func (h *hearing) profiles() []string {
	names := h.prover.config.Policy.Profiles(h.subject.Repository, h.item.Product, h.item.Asked)
	if of := h.prover.config.Default; of != nil {
		names = append(names, of(h.subject.Repository)...)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	slices.Sort(names)
	return slices.Compact(names)
}
