package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"assay/artifact"
	"assay/internal/shown"
)

// The bounds of a file of tokens.
const (
	maxTokensFile = 1 << 20 // bytes
	maxTokens     = 4096
)

// Tokens are those that open the mirror, by their hashes: who reads the file can't
// use it. They are long random texts, so that a plain hash hides them.
type Tokens struct {
	names  []string
	hashes [][sha256.Size]byte
}

// ParseTokens reads lines "NAME sha256:HEX": a name for the log, of lower-case
// letters, digits, '.', '_' and '-', and the SHA-256 of the token. Empty lines and
// those that begin with # count for nothing. A file without tokens is refused, as
// nobody would get in.
func ParseTokens(text string) (*Tokens, error) {
	t := &Tokens{}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 2 {
			// What stands there may be a token.
			return nil, fmt.Errorf("line %d: expected NAME sha256:HEX, found %d fields", number, len(fields))
		}
		if err := artifact.ValidRepository(fields[0]); err != nil {
			return nil, fmt.Errorf("line %d: expected a name of lower-case letters, digits, '.', '_' and '-' first", number)
		}
		digits, ok := strings.CutPrefix(fields[1], "sha256:")
		sum, err := hex.DecodeString(digits)
		if !ok || err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("line %d: expected sha256: and %d hex digits behind the name %s", number, 2*sha256.Size, shown.Quote(fields[0], 64))
		}
		if len(t.names) == maxTokens {
			return nil, fmt.Errorf("expected at most %d tokens, found more", maxTokens)
		}
		t.names, t.hashes = append(t.names, fields[0]), append(t.hashes, [sha256.Size]byte(sum))
	}
	if len(t.names) == 0 {
		return nil, errors.New("expected tokens, found none")
	}
	return t, nil
}

func readTokens(file string) (*Tokens, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTokensFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxTokensFile {
		return nil, fmt.Errorf("expected at most %d bytes, found more", maxTokensFile)
	}
	return ParseTokens(string(data))
}

// Holder tells whose token an Authorization header has. All are compared, in
// constant time, so that how long it takes tells nothing.
func (t *Tokens) Holder(authorization string) (name string, ok bool) {
	scheme, token, found := strings.Cut(authorization, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	at := -1
	for i := range t.hashes {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], t.hashes[i][:]), i, at)
	}
	if at < 0 {
		return "", false
	}
	return t.names[at], true
}
