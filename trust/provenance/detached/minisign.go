package detached

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"aead.dev/minisign"
)

// parseMinisign reads a signature of minisign; that of OpenBSD's signify, which
// has no trusted comment, is none.
func parseMinisign(data []byte) (Signature, error) {
	// White space around the lines is what editors and servers add.
	s := Signature{format: Minisign, text: bytes.Clone(bytes.TrimSpace(data))}
	if err := s.minisign.UnmarshalText(s.text); err != nil {
		return Signature{}, wrong(ErrFormat, "a signature of minisign", err)
	}
	comment := strings.ReplaceAll(s.minisign.TrustedComment, "\t", " ")
	if len(comment) > maxText || !utf8.ValidString(comment) || strings.ContainsFunc(comment, isUnprintable) {
		return Signature{}, fmt.Errorf("%w: expected a printable trusted comment of at most %d bytes, found %s", ErrFormat, maxText, quote(comment))
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

func verifyMinisign(s Signature, content io.Reader, keys []Key, limit int64) (Signer, error) {
	var candidates []Key
	for _, key := range keys {
		if key.format == Minisign && key.minisign.ID() == s.minisign.KeyID {
			candidates = append(candidates, key)
		}
	}
	if len(candidates) == 0 {
		return Signer{}, fmt.Errorf("%w: expected the minisign key %016X, found %s", ErrKey, s.minisign.KeyID, others(keys))
	}
	// What the signature says of itself decides how the content is read: taken
	// for the other form, it would be over other bytes.
	verify, err := minisignVerifier(s.minisign.Algorithm, content, limit)
	if err != nil {
		return Signer{}, err
	}
	for _, key := range candidates {
		if verify(key.minisign, s.text) {
			return Signer{Format: Minisign, Key: key.id, Comment: s.minisign.TrustedComment}, nil
		}
	}
	return Signer{}, fmt.Errorf("%w: expected one by the minisign key %016X over this content and its trusted comment, found another", ErrSignature, s.minisign.KeyID)
}

// minisignVerifier reads the content, and returns how to check a signature over
// it. The limit is for the older form.
func minisignVerifier(algorithm uint16, content io.Reader, limit int64) (func(minisign.PublicKey, []byte) bool, error) {
	if algorithm == minisign.HashEdDSA {
		hashed := minisign.NewReader(content)
		_, err := io.Copy(io.Discard, hashed)
		return hashed.Verify, err
	}
	message, err := io.ReadAll(io.LimitReader(content, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(message)) > limit {
		return nil, fmt.Errorf("content %w: expected at most %d bytes for a minisign signature that does not hash it first, found more", ErrTooLarge, limit)
	}
	return func(public minisign.PublicKey, signature []byte) bool {
		return minisign.Verify(public, message, signature)
	}, nil
}
