package provenance

// Identity is a signer that is accepted. Issuer and Subject are patterns, see
// Pattern; Key is a key's digest as in Signer.Key. An Identity has a Key, or
// both of the others.
type Identity struct {
	Profile string  `toml:"profile" json:"profile,omitempty"` // only signatures verified by this profile; empty: any
	Issuer  Pattern `toml:"issuer" json:"issuer,omitzero"`
	Subject Pattern `toml:"identity" json:"identity,omitzero"`
	Key     string  `toml:"key" json:"key,omitempty"`
}
