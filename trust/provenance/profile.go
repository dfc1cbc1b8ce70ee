package provenance

import (
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/root"

	"assay/internal/strictjson"
)

// MaxRootBytes is the most bytes of a trusted root.
const MaxRootBytes = 4 << 20

// maxThreshold is the most of anything that a profile may ask for: as much as
// the library takes from one bundle.
const maxThreshold = 32

// Kind is the way in which a Profile judges signatures.
type Kind string

// The kinds of trust profiles, and what each asks of a signature.
const (
	// PublicGood is the public-good instance of Sigstore: a certificate with a
	// signed certificate timestamp, an entry in a transparency log, and a time
	// that the log or a timestamp authority observed.
	PublicGood Kind = "public-good"
	// GitHub is GitHub's own instance: a certificate, and a signed timestamp of
	// its timestamp authority. It has no log.
	GitHub Kind = "github"
	// Private is an instance of one's own: a certificate and an observed time;
	// how many timestamps and log entries more is configured. A time that a log
	// observed counts where the entry verifies.
	Private Kind = "private"
	// Keys is plain keys, without certificates. No time is asked for, unless
	// Least does.
	Keys Kind = "key"
)

// Profile names where trust in signatures comes from, and how much of it is
// asked for. It is configuration: nothing of it ever comes from a bundle.
type Profile struct {
	Name string
	Kind Kind
	// Root is the trusted_root.json of an instance of Sigstore, of at most
	// MaxRootBytes. For Keys it is needed only if Least asks for log entries or
	// times; where it is given, entries of its logs must verify.
	Root []byte
	// Keys are the public keys of a profile of kind Keys, at most 64: PEM
	// (SubjectPublicKeyInfo), each its own element; see KeyDigest.
	Keys [][]byte
	// Least is what Private asks for beyond a certificate; the other kinds have
	// thresholds of their own, that it can only raise.
	Least Thresholds
}

// Thresholds are how many of each a signature must have, 0 to 32. What counts is
// how many logs, or authorities, there are, each once.
type Thresholds struct {
	SCTs             int `toml:"scts"`              // signed certificate timestamps
	LogEntries       int `toml:"log_entries"`       // entries in transparency logs, with proof of inclusion
	Times            int `toml:"times"`             // observed times, by a log or by an authority
	SignedTimestamps int `toml:"signed_timestamps"` // RFC 3161 timestamps of an authority
}

// thresholds is what the kind asks for by itself, raised by Least.
func (p Profile) thresholds() (Thresholds, error) {
	var own Thresholds
	switch p.Kind {
	case PublicGood:
		own = Thresholds{SCTs: 1, LogEntries: 1, Times: 1}
	case GitHub:
		own = Thresholds{SignedTimestamps: 1}
	case Private:
		own = Thresholds{Times: 1}
	case Keys:
		if p.Least.SCTs > 0 {
			return own, errors.New("expected no certificate timestamps asked of keys, found some")
		}
	default:
		return own, fmt.Errorf("expected the kind %s, %s, %s or %s, found %s", PublicGood, GitHub, Private, Keys, quote(string(p.Kind)))
	}
	for _, n := range []int{p.Least.SCTs, p.Least.LogEntries, p.Least.Times, p.Least.SignedTimestamps} {
		if n < 0 || n > maxThreshold {
			return own, fmt.Errorf("expected thresholds of 0 to %d, found %d", maxThreshold, n)
		}
	}
	return Thresholds{
		SCTs:             max(own.SCTs, p.Least.SCTs),
		LogEntries:       max(own.LogEntries, p.Least.LogEntries),
		Times:            max(own.Times, p.Least.Times),
		SignedTimestamps: max(own.SignedTimestamps, p.Least.SignedTimestamps),
	}, nil
}

// parseRoot reads a trusted root; none is one that trusts nobody.
func parseRoot(data []byte) (root.TrustedMaterial, error) {
	if len(data) == 0 {
		return &root.BaseTrustedMaterial{}, nil
	}
	if err := strictjson.Screen(data, strictjson.Limits{Bytes: MaxRootBytes, Depth: maxDepth, AllowNull: true}); err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	var parsed *root.TrustedRoot
	err := guarded(func() (err error) {
		parsed, err = root.NewTrustedRootFromJSON(data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("trusted root: %s", clip(err.Error()))
	}
	return parsed, nil
}

// canMeet reports whether a root has enough of everything that is asked for, so
// that a profile that could never accept anything is found when it is made;
// issuers is how many certificate authorities that takes.
func canMeet(material root.TrustedMaterial, ask Thresholds, issuers int) error {
	logs, authorities := len(material.RekorLogs()), len(material.TimestampingAuthorities())
	for _, need := range []struct {
		what       string
		asked, has int
	}{
		{"certificate authorities", issuers, len(material.FulcioCertificateAuthorities())},
		{"certificate logs", ask.SCTs, len(material.CTLogs())},
		{"transparency logs", ask.LogEntries, logs},
		{"timestamp authorities", ask.SignedTimestamps, authorities},
		{"transparency logs and timestamp authorities", ask.Times, logs + authorities},
	} {
		if need.has < need.asked {
			return fmt.Errorf("trusted root: expected at least %d %s, found %d", need.asked, need.what, need.has)
		}
	}
	return nil
}
