package provenance

import (
	"fmt"
	"strings"

	"assay/artifact"
)

// Identity is a signer that is accepted. Issuer and Subject are patterns, see
// Pattern; Key is a key's digest as in Signer.Key. An Identity has a Key, or
// both of the others.
type Identity struct {
	Profile string  `toml:"profile" json:"profile,omitempty"` // only signatures verified by this profile; empty: any
	Issuer  Pattern `toml:"issuer" json:"issuer,omitzero"`
	Subject Pattern `toml:"identity" json:"identity,omitzero"`
	Key     string  `toml:"key" json:"key,omitempty"`
}

// Check reports whether the identity means somebody: a key, or an issuer and a
// subject neither of which matches everybody. A glob must write out the host of
// its URL ("https://github.com/*/…") or the domain of its address ("*@acme.example"),
// a glob for issuers is a URL; an expression must match neither nothing nor some
// strangers' names. The error wraps ErrIdentity or ErrPattern.
func (id Identity) Check() error {
	if id.Key != "" {
		return id.checkKey()
	}
	switch {
	case id.Issuer.IsZero() && id.Subject.IsZero():
		return fmt.Errorf("%w: expected an issuer and an identity, or a key, found nothing", ErrIdentity)
	case id.Issuer.IsZero():
		return fmt.Errorf("%w: expected an issuer beside the identity %s, found none: another issuer may give the same name to others",
			ErrIdentity, quote(id.Subject.text))
	case id.Subject.IsZero():
		return fmt.Errorf("%w: expected an identity beside the issuer %s, found none: that would be everybody there",
			ErrIdentity, quote(id.Issuer.text))
	}
	if err := id.Issuer.checkIssuer(); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if err := id.Subject.checkSubject(); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	return nil
}

func (id Identity) checkKey() error {
	if !id.Issuer.IsZero() || !id.Subject.IsZero() {
		return fmt.Errorf("%w: expected a key, or an issuer and an identity, found both", ErrIdentity)
	}
	d, err := artifact.ParseDigest(id.Key)
	if err != nil {
		return fmt.Errorf("%w: key: %w", ErrIdentity, err)
	}
	if d.Algorithm() != artifact.SHA256 {
		return fmt.Errorf("%w: key: expected sha256:HEX of the key, found a digest by %s", ErrIdentity, d.Algorithm())
	}
	return nil
}

// Matches reports whether s was signed by this identity. An identity that Check
// refuses matches nothing.
func (id Identity) Matches(s *Signed) bool {
	switch {
	case s == nil || id.Profile != "" && id.Profile != s.Profile:
		return false
	case id.Key != "":
		return strings.EqualFold(id.Key, s.Signer.Key) && id.Check() == nil
	}
	return s.Signer.Key == "" && id.Issuer.MatchString(s.Signer.Issuer) && id.Subject.MatchString(s.Signer.Identity) && id.Check() == nil
}

// String names the identity for people.
func (id Identity) String() string {
	name := "key " + id.Key
	if id.Key == "" {
		name = fmt.Sprintf("%s by %s", id.Subject, id.Issuer)
	}
	if id.Profile != "" {
		name += " (profile " + id.Profile + ")"
	}
	return name
}
