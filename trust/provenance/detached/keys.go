package detached

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"aead.dev/minisign"
	"golang.org/x/crypto/ssh"
)

// Key is a public key of any format.
type Key struct {
	format Format
	id     string // as Signer.Key
	name   string // as Signer.Name

	minisign    minisign.PublicKey
	certificate []byte   // of OpenPGP; read anew for each use, as the library keeps results in it
	pgpIDs      []uint64 // of the certificate's primary key and subkeys
	ssh         ssh.PublicKey
	limits      sshLimits
}

// sshLimits are the options of a line of allowed_signers.
type sshLimits struct {
	namespaces    string // a pattern list; empty: any
	after, before time.Time
}

// Format is the kind of the key.
func (k Key) Format() Format { return k.format }

// ID identifies the key by value, as Signer.Key does.
func (k Key) ID() string { return k.id }

// Name is what its owner or its file calls the key; empty if nothing.
func (k Key) Name() string { return k.name }

// ParseKeys reads a file of public keys. It is either OpenPGP certificates in
// binary, or text with any number of
//
//   - OpenPGP certificates in armor,
//   - minisign public keys: a line of base64, as `minisign -P` takes it, with or
//     without its comment line before it,
//   - SSH public keys as in authorized_keys, without options,
//   - lines of allowed_signers (ssh-keygen(1)) with the options namespaces,
//     valid-after and valid-before; a time without Z is UTC, too, as this package
//     knows no time zone. Principals are a name here, and restrict nothing.
//
// Empty lines and lines that begin with "#" are passed over. Every key must be
// fit to be read: with one that is not, the error names its line. There must be at
// least one.
func ParseKeys(data []byte) ([]Key, error) {
	if len(data) > MaxKeysBytes {
		return nil, fmt.Errorf("keys %w: expected at most %d bytes, found %d", ErrTooLarge, MaxKeysBytes, len(data))
	}
	var keys []Key
	err := guarded(func() (err error) {
		if len(data) > 0 && data[0]&0x80 != 0 {
			keys, err = parseCertificates(data)
		} else {
			keys, err = parseKeyText(data)
		}
		return err
	}, ErrKey)
	switch {
	case err != nil:
		return nil, err
	case len(keys) == 0:
		return nil, fmt.Errorf("%w: expected at least one key, found none", ErrKey)
	}
	return keys, nil
}

// parseKeyText reads keys line by line, and armor as a whole.
func parseKeyText(data []byte) ([]Key, error) {
	var keys []Key
	for number := 1; len(data) > 0; {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		var found []Key
		var err error
		if bytes.HasPrefix(line, begin(pgpPublicKey)) {
			var block []byte
			block, rest, err = cutBlock(data)
			if err == nil {
				found, err = parseArmored(block)
			}
		} else {
			found, err = parseKeyLine(string(bytes.TrimSpace(line)))
		}
		if err != nil {
			return nil, fmt.Errorf("keys, line %d: %w", number, err)
		}
		if keys = append(keys, found...); len(keys) > MaxKeys {
			return nil, tooManyKeys()
		}
		number += bytes.Count(data[:len(data)-len(rest)], []byte("\n"))
		data = rest
	}
	return keys, nil
}

func tooManyKeys() error {
	return fmt.Errorf("keys %w: expected at most %d keys, found more", ErrTooLarge, MaxKeys)
}

// cutBlock splits data, which begins with an armored key, after its end.
func cutBlock(data []byte) (block, rest []byte, err error) {
	at := bytes.Index(data, end(pgpPublicKey))
	if at < 0 {
		return nil, nil, fmt.Errorf("%w: expected the end of the block, found the end of the file", ErrKey)
	}
	at += len(end(pgpPublicKey))
	_, rest, _ = bytes.Cut(data[at:], []byte("\n"))
	return data[:at], rest, nil
}

func parseArmored(block []byte) ([]Key, error) {
	raw, err := unarmor(block, pgpPublicKey, ErrKey)
	if err != nil {
		return nil, err
	}
	return parseCertificates(raw)
}

// parseKeyLine reads a key that is one line, or none.
func parseKeyLine(line string) ([]Key, error) {
	switch {
	case line == "" || line[0] == '#' || strings.HasPrefix(line, minisignStart):
		return nil, nil
	case len(line) > maxLine:
		return nil, fmt.Errorf("%w: expected a line of at most %d bytes, found %d", ErrKey, maxLine, len(line))
	case strings.Contains(line, "PRIVATE KEY"):
		return nil, fmt.Errorf("%w: expected public keys, found a private one", ErrKey)
	}
	var key Key
	var err error
	if strings.ContainsAny(line, " \t") {
		key, err = parseSSHKey(line)
	} else {
		key, err = parseMinisignKey(line)
	}
	if err != nil {
		return nil, err
	}
	return []Key{key}, nil
}

// others describes the keys that were given instead of the right one.
func others(keys []Key) string {
	if len(keys) == 1 {
		return fmt.Sprintf("only the %s key %s", keys[0].format, keys[0].id)
	}
	return fmt.Sprintf("%d other keys", len(keys))
}
