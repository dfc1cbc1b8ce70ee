package detached

import (
	"crypto/rsa"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// minRSABits is the shortest RSA key that is taken, in any format.
const minRSABits = 2048

// sshKeyTypes are the types of keys that are taken.
var sshKeyTypes = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
}

// parseSSH reads a signature of SSH in armor (PROTOCOL.sshsig of OpenSSH).
func parseSSH(data []byte) (Signature, error) {
	raw, err := unarmorSSH(data)
	if err != nil {
		return Signature{}, err
	}
	signature, err := sshsig.ParseSignature(raw)
	if err != nil {
		return Signature{}, wrong(ErrFormat, "a signature of SSH", err)
	}
	return Signature{format: SSH, ssh: signature}, nil
}

func verifySSH(s Signature, content io.Reader, keys []Key, options Options) (Signer, error) {
	signature := s.ssh
	if signature.Namespace != options.Namespace {
		return Signer{}, fmt.Errorf("%w: expected one for the namespace %s, found one for %s", ErrSignature, quote(options.Namespace), quote(signature.Namespace))
	}
	key, err := sshSigner(signature.PublicKey, keys, options)
	if err != nil {
		return Signer{}, err
	}
	err = sshsig.Verify(content, signature, key.ssh, signature.HashAlgorithm, options.Namespace)
	if err != nil {
		return Signer{}, wrong(ErrSignature, "one by the SSH key "+key.id+" over this content", err)
	}
	return Signer{Format: SSH, Key: key.id, Name: key.name}, nil
}

// sshSigner is the first of the given keys that is the signature's and may be
// used now; the same key may be given on several lines.
func sshSigner(public ssh.PublicKey, keys []Key, options Options) (Key, error) {
	id := ssh.FingerprintSHA256(public)
	err := fmt.Errorf("%w: expected the SSH key %s, found %s", ErrKey, id, others(keys))
	for _, key := range keys {
		if key.id != id {
			continue
		}
		if err = key.limits.check(id, options); err == nil {
			return key, nil
		}
	}
	return Key{}, err
}

func (l sshLimits) check(id string, options Options) error {
	switch {
	case options.Now.Before(l.after):
		return fmt.Errorf("%w: expected an SSH key that is valid now, found %s, valid after %s", ErrKey, id, l.after.Format(time.RFC3339))
	case !l.before.IsZero() && !options.Now.Before(l.before):
		return fmt.Errorf("%w: expected an SSH key that is valid now, found %s, valid before %s", ErrKey, id, l.before.Format(time.RFC3339))
	case l.namespaces != "" && !matchList(l.namespaces, options.Namespace):
		return fmt.Errorf("%w: expected an SSH key for the namespace %s, found %s, for %s", ErrKey, quote(options.Namespace), id, quote(l.namespaces))
	}
	return nil
}

// parseSSHKey reads a line of authorized_keys (TYPE BASE64 COMMENT) or of
// allowed_signers (PRINCIPALS OPTIONS TYPE BASE64 COMMENT).
func parseSSHKey(line string) (Key, error) {
	first, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	text, principals := line, ""
	if !slices.Contains(sshKeyTypes, first) {
		// sshd's options stand where principals do; to overlook one, such as
		// expiry-time, would make more of the key than its owner said.
		if strings.ContainsAny(first, `="`) || slices.Contains(strings.Split(first, ","), "cert-authority") {
			return Key{}, fmt.Errorf("%w: expected the principals of allowed_signers or a type of SSH keys, found %s", ErrKey, quote(first))
		}
		text, principals = strings.TrimSpace(rest), first
	}
	public, comment, given, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return Key{}, wrong(ErrKey, "an SSH key", err)
	}
	if err := checkSSHKey(public); err != nil {
		return Key{}, err
	}
	key := Key{format: SSH, id: ssh.FingerprintSHA256(public), name: label(comment), ssh: public}
	if principals != "" {
		key.name = label(principals)
	}
	key.limits, err = parseSSHLimits(given)
	return key, err
}

func checkSSHKey(public ssh.PublicKey) error {
	if !slices.Contains(sshKeyTypes, public.Type()) {
		return fmt.Errorf("%w: expected an SSH key of one of the types %s, found %s", ErrKey, strings.Join(sshKeyTypes, ", "), quote(public.Type()))
	}
	if holder, ok := public.(ssh.CryptoPublicKey); ok {
		if key, ok := holder.CryptoPublicKey().(*rsa.PublicKey); ok && key.N.BitLen() < minRSABits {
			return fmt.Errorf("%w: expected RSA of at least %d bits, found %d", ErrKey, minRSABits, key.N.BitLen())
		}
	}
	return nil
}

// parseSSHLimits reads the options of a line of allowed_signers.
func parseSSHLimits(given []string) (limits sshLimits, err error) {
	for _, option := range given {
		name, value, _ := strings.Cut(option, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "namespaces":
			limits.namespaces = value
			if value == "" {
				err = fmt.Errorf("%w: expected namespaces, found none", ErrKey)
			}
		case "valid-after":
			limits.after, err = parseSSHTime(value)
		case "valid-before":
			limits.before, err = parseSSHTime(value)
		default:
			err = fmt.Errorf("%w: expected the options namespaces, valid-after and valid-before, found %s", ErrKey, quote(option))
		}
		if err != nil {
			return sshLimits{}, err
		}
	}
	return limits, nil
}

// parseSSHTime reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with or without Z.
func parseSSHTime(text string) (time.Time, error) {
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if t, err := time.Parse(layout, strings.TrimSuffix(text, "Z")); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: expected a time like 20060102150405Z, found %s", ErrKey, quote(text))
}

// matchList reports whether text matches a pattern list of OpenSSH
// (ssh_config(5)): one of the patterns, and none of those with a "!".
func matchList(list, text string) bool {
	matched := false
	for pattern := range strings.SplitSeq(list, ",") {
		negated, isNegated := strings.CutPrefix(pattern, "!")
		if matchPattern(negated, text) {
			if isNegated {
				return false
			}
			matched = true
		}
	}
	return matched
}

// matchPattern matches "*" for any text and "?" for one byte, in time that grows
// with the product of both lengths at worst.
func matchPattern(pattern, text string) bool {
	star, resume, p, t := -1, 0, 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
