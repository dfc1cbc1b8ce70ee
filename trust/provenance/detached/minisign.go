package detached

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"aead.dev/minisign"
)

// parseMinisign reads a signature of minisign, the one line of base64 of
// OpenBSD's signify excluded.
func parseMinisign(text []byte) (minisign.Signature, error) {
	var s minisign.Signature
	// White space around the lines is what editors and servers add.
	if err := s.UnmarshalText([]byte(strings.TrimSpace(string(text)))); err != nil {
		return s, wrong(ErrFormat, "a signature of minisign", err)
	}
	comment := strings.ReplaceAll(s.TrustedComment, "\t", " ")
	if len(comment) > maxText || !utf8.ValidString(comment) || strings.ContainsFunc(comment, isUnprintable) {
		return s, fmt.Errorf("%w: expected a printable trusted comment of at most %d bytes, found %s", ErrFormat, maxText, quote(comment))
	}
	return s, nil
}

// parseMinisignKey reads the line of base64 of a public key.
func parseMinisignKey(line string) (Key, error) {
	var public minisign.PublicKey
	if err := public.UnmarshalText([]byte(line)); err != nil {
		return Key{}, wrong(ErrKey, "a public key of minisign", err)
	}
	return Key{format: Minisign, id: public.String(), minisign: public}, nil
}

func verifyMinisign(s Signature, content io.Reader, keys []Key) (Signer, error) {
	parsed, err := parseMinisign(s.raw)
	if err != nil {
		return Signer{}, err
	}
	var candidates []Key
	for _, key := range keys {
		if key.format == Minisign && key.minisign.ID() == parsed.KeyID {
			candidates = append(candidates, key)
		}
	}
	if len(candidates) == 0 {
		return Signer{}, fmt.Errorf("%w: expected the minisign key %016X, found %s", ErrKey, parsed.KeyID, others(keys))
	}
	// What the signature says of itself decides how the content is read: taken
	// for the other form, it would be over other bytes.
	verify, err := minisignVerifier(parsed.Algorithm, content)
	if err != nil {
		return Signer{}, err
	}
	text, err := parsed.MarshalText()
	if err != nil {
		return Signer{}, wrong(ErrFormat, "a signature of minisign", err)
	}
	for _, key := range candidates {
		if verify(key.minisign, text) {
			return Signer{Format: Minisign, Key: key.id, Comment: parsed.TrustedComment}, nil
		}
	}
	return Signer{}, fmt.Errorf("%w: expected one by the minisign key %016X over this content and its trusted comment, found another", ErrSignature, parsed.KeyID)
}

// minisignVerifier reads the content, and returns how to check a signature over it.
func minisignVerifier(algorithm uint16, content io.Reader) (func(minisign.PublicKey, []byte) bool, error) {
	if algorithm == minisign.HashEdDSA {
		hashed := minisign.NewReader(content)
		_, err := io.Copy(io.Discard, hashed)
		return hashed.Verify, err
	}
	message, err := io.ReadAll(io.LimitReader(content, MaxLegacy+1))
	if err != nil {
		return nil, err
	}
	if len(message) > MaxLegacy {
		return nil, fmt.Errorf("content %w: expected at most %d bytes for a minisign signature that does not hash it first, found more", ErrTooLarge, MaxLegacy)
	}
	return func(public minisign.PublicKey, signature []byte) bool {
		return minisign.Verify(public, message, signature)
	}, nil
}
