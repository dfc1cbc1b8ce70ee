package detached

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// How signature files begin.
const (
	minisignStart  = "untrusted comment:"
	pgpSignature   = "PGP SIGNATURE"
	pgpPublicKey   = "PGP PUBLIC KEY BLOCK"
	sshSignature   = "SSH SIGNATURE"
	maxArmoredLine = 1024 // the library is slow with longer ones
)

// Detect tells the format of a signature file by how it begins, and refuses one
// that is too large.
func Detect(signature []byte) (Format, error) {
	if len(signature) > MaxSignatureBytes {
		return "", fmt.Errorf("signature %w: expected at most %d bytes, found %d", ErrTooLarge, MaxSignatureBytes, len(signature))
	}
	text := bytes.TrimLeft(signature, " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte(minisignStart)):
		return Minisign, nil
	case bytes.HasPrefix(text, begin(pgpSignature)), isSignaturePacket(signature):
		return OpenPGP, nil
	case bytes.HasPrefix(text, begin(sshSignature)):
		return SSH, nil
	}
	start, _, _ := bytes.Cut(text[:min(len(text), 80)], []byte("\n"))
	return "", fmt.Errorf("%w: expected minisign, OpenPGP or SSH, found a file that begins with %s", ErrFormat, quote(string(start)))
}

// ParseSignature reads a signature file of any known format.
func ParseSignature(data []byte) (Signature, error) {
	format, err := Detect(data)
	if err != nil {
		return Signature{}, err
	}
	var s Signature
	err = guarded(func() (err error) {
		switch format {
		case Minisign:
			s, err = parseMinisign(data)
		case OpenPGP:
			s, err = parseOpenPGP(data)
		case SSH:
			s, err = parseSSH(data)
		}
		return err
	}, ErrFormat)
	if err != nil {
		return Signature{}, err
	}
	return s, nil
}

func begin(kind string) []byte { return []byte("-----BEGIN " + kind + "-----") }
func end(kind string) []byte   { return []byte("-----END " + kind + "-----") }

// isSignaturePacket reports whether data begins with the header of an OpenPGP
// signature packet, tag 2, in the new or the old form (RFC 9580, section 4.2).
func isSignaturePacket(data []byte) bool {
	return len(data) > 0 && (data[0] == 0xC0|2 || data[0]&^3 == 0x80|2<<2)
}

// unarmor takes the OpenPGP armor from a text that is one block of that kind and
// nothing else.
func unarmor(text []byte, kind string, wrongForm error) ([]byte, error) {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, begin(kind)) || !bytes.HasSuffix(text, end(kind)) || bytes.Count(text, []byte("-----BEGIN ")) != 1 {
		return nil, fmt.Errorf("%w: expected one block of %s, found something before, between or after", wrongForm, kind)
	}
	for line := range bytes.Lines(text) {
		if len(line) > maxArmoredLine {
			return nil, fmt.Errorf("%w: expected lines of at most %d bytes, found one of %d", wrongForm, maxArmoredLine, len(line))
		}
	}
	block, err := armor.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, wrong(wrongForm, "a block of "+kind, err)
	}
	raw, err := io.ReadAll(block.Body)
	if err != nil {
		return nil, wrong(wrongForm, "base64 within a block of "+kind, err)
	}
	return raw, nil
}

// unarmorSSH is unarmor for SSH signatures, whose armor is PEM.
func unarmorSSH(text []byte) ([]byte, error) {
	block, rest := pem.Decode(bytes.TrimSpace(text))
	if block == nil || block.Type != sshSignature || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: expected one block of %s and nothing else", ErrFormat, sshSignature)
	}
	return block.Bytes, nil
}
