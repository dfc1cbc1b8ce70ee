package provenance

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
	// how many timestamps and log entries more is configured.
	Private Kind = "private"
	// Keys is plain keys, without certificates.
	Keys Kind = "key"
)

// Profile names where trust in signatures comes from, and how much of it is
// asked for. It is configuration: nothing of it ever comes from a bundle.
type Profile struct {
	Name string
	Kind Kind
	// Root is the trusted_root.json of an instance of Sigstore. Not for Keys.
	Root []byte
	// Keys are the public keys of a profile of kind Keys: PEM
	// (SubjectPublicKeyInfo), each its own element.
	Keys [][]byte
	// Least is what Private asks for beyond a certificate; the other kinds have
	// thresholds of their own, that it can only raise.
	Least Thresholds
}

// Thresholds are how many of each a signature must have.
type Thresholds struct {
	SCTs             int `toml:"scts"`              // signed certificate timestamps
	LogEntries       int `toml:"log_entries"`       // entries in transparency logs, with proof of inclusion
	Times            int `toml:"times"`             // observed times, by a log or by an authority
	SignedTimestamps int `toml:"signed_timestamps"` // RFC 3161 timestamps of an authority
}
