package detached

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aead.dev/minisign"
	"github.com/hiddeco/sshsig"

	"assay/internal/shown"
)

// Bounds of what is read.
const (
	MaxSignatureBytes = 1 << 20
	MaxKeysBytes      = 4 << 20
	MaxKeys           = 1024
	// MaxLegacy is the most bytes of content that a minisign signature of the
	// older form may be over.
	MaxLegacy = 128 << 20

	maxLine       = 64 << 10 // bytes of a line with a key; one of RSA 16384 has 3 KiB
	maxSignatures = 32       // in one OpenPGP file; each has to hash the content
	maxText       = 1024     // bytes of a name or a comment
)

// What can be wrong; every error of this package wraps one of them.
var (
	ErrFormat    = errors.New("not a signature of a known form")
	ErrKey       = errors.New("no usable key")
	ErrSignature = errors.New("wrong signature")
	ErrTooLarge  = errors.New("too large")
)

// Format is a kind of signatures and keys.
type Format string

// The known formats.
const (
	Minisign Format = "minisign"
	OpenPGP  Format = "openpgp"
	SSH      Format = "ssh"
)

// Options are what a signature is judged by, beside the keys.
type Options struct {
	// Namespace is that of SSH signatures, which keeps signatures for one purpose
	// from being used for another. Empty means "file", as ssh-keygen has it.
	Namespace string
	// Now is the time at which keys and signatures must be valid. It must be set.
	Now time.Time
}

// Signer is who signed.
type Signer struct {
	Format Format `json:"format"`
	// Key identifies the key by value: for minisign the public key in base64, for
	// OpenPGP the fingerprint of the primary key in upper-case hex, for SSH the
	// fingerprint as SHA256:BASE64.
	Key string `json:"key"`
	// Name is what the key's owner or the file of keys calls it: an OpenPGP user
	// ID, the principals of allowed_signers or the comment of an SSH key. Empty for
	// minisign. Only the key is proven.
	Name string `json:"name,omitempty"`
	// Comment is minisign's trusted comment, which is signed together with the
	// content. It may have tabs.
	Comment string `json:"comment,omitempty"`
	// Signed is when, as the signer claims. Zero where the format has no time.
	Signed time.Time `json:"signed,omitzero"`
}

// Signature is a signature file that was read but not verified.
type Signature struct {
	format   Format
	minisign minisign.Signature
	text     []byte // of minisign
	packets  []byte // of OpenPGP
	issuers  []uint64
	ssh      *sshsig.Signature
}

// Format is the kind of the signature; empty for the zero Signature.
func (s Signature) Format() Format { return s.format }

// Verify reads content to its end and checks that one of the keys signed it. It
// stops when ctx is done.
func Verify(ctx context.Context, s Signature, content io.Reader, keys []Key, options Options) (Signer, error) {
	if options.Now.IsZero() {
		return Signer{}, fmt.Errorf("%w: expected a time to judge keys at, found none", ErrKey)
	}
	if options.Namespace == "" {
		options.Namespace = "file"
	}
	source := &reader{ctx: ctx, from: content}
	var signer Signer
	err := guarded(func() (err error) {
		switch s.format {
		case Minisign:
			signer, err = verifyMinisign(s, source, keys, MaxLegacy)
		case OpenPGP:
			signer, err = verifyOpenPGP(s, source, keys, options.Now)
		case SSH:
			signer, err = verifySSH(s, source, keys, options)
		default:
			err = fmt.Errorf("%w: expected one that was parsed, found none", ErrFormat)
		}
		return err
	}, ErrSignature)
	switch {
	case source.err != nil:
		return Signer{}, fmt.Errorf("read the signed content: %w", source.err)
	case err != nil:
		return Signer{}, err
	}
	return signer, nil
}

// reader remembers how the reading of the content ended, as libraries mix its
// errors with theirs.
type reader struct {
	ctx  context.Context
	from io.Reader
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err = r.ctx.Err(); r.err != nil {
		return 0, r.err
	}
	n, err := r.from.Read(p)
	if err != io.EOF {
		r.err = err
	}
	return n, err
}

// guarded makes an error of a panic in code that is not ours and works on bytes
// from outside.
func guarded(work func() error, kind error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: expected one that can be checked, found one that makes its library panic: %s", kind, quote(fmt.Sprint(r)))
		}
	}()
	return work()
}

// wrong is the error for what a library says about outside bytes.
func wrong(kind error, expected string, found error) error {
	return fmt.Errorf("%w: expected %s, found: %s", kind, expected, quote(found.Error()))
}

// quote makes text from outside fit for a message: escaped and short.
func quote(text string) string { return shown.Quote(text, 120) }

// isUnprintable holds control characters and, beyond them, the ones that turn
// the direction of text.
func isUnprintable(r rune) bool { return !unicode.IsPrint(r) }

// label makes a name that can be shown of text that is not proven: what can't be
// shown becomes "?".
func label(text string) string {
	shown := strings.Map(func(r rune) rune {
		if isUnprintable(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
	if len(shown) > maxText {
		shown = strings.ToValidUTF8(shown[:maxText], "") + "…"
	}
	return shown
}
