package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"assay/mirror/page"
)

// The bounds of a file of tokens.
const (
	maxTokenFile = 64 << 10 // bytes
	maxToken     = 1024     // bytes of a token in a request
)

// token is one that counts.
type token struct {
	name string
	hash [sha256.Size]byte
}

var tokenForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._@-]{0,63})[ \t]+sha256:([0-9a-f]{64})$`)

// readTokens reads lines of NAME sha256:HEX; empty ones, and those that begin with
// #, say nothing. Errors tell of a line by its number, as it may hold a token that
// somebody forgot to hash.
func readTokens(path string) ([]token, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokens, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokens, err)
	}
	if len(data) > maxTokenFile {
		return nil, fmt.Errorf("%w: %s: expected at most %d bytes, found more", ErrTokens, path, maxTokenFile)
	}
	var list []token
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		m := tokenForm.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("%w: %s:%d: expected NAME sha256:HEX, found something else", ErrTokens, path, i+1)
		}
		one := token{name: m[1]}
		if _, err := hex.Decode(one.hash[:], []byte(m[2])); err != nil {
			return nil, fmt.Errorf("%w: %s:%d: %w", ErrTokens, path, i+1, err)
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s: expected a line of NAME sha256:HEX, found none", ErrTokens, path)
	}
	return list, nil
}

// whoAsks tells who makes a request: by the token where there are any, else by the
// socket that only its owner may open.
func (s *Server) whoAsks(r *http.Request) (string, error) {
	tokens := s.tokens.Load()
	if tokens == nil {
		peer, _ := r.Context().Value(peerKey{}).(string)
		return peer, nil
	}
	scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || shown == "" || len(shown) > maxToken {
		return "", ErrUnauthorized
	}
	name := s.nameOf(sha256.Sum256([]byte(strings.TrimSpace(shown))))
	if name == "" {
		return "", ErrUnauthorized
	}
	return "token " + name, nil
}

// nameOf is whose token has a hash; empty: nobody's.
func (s *Server) nameOf(hash [sha256.Size]byte) (name string) {
	// All are compared, each in the same time, so that the time tells nothing.
	for _, t := range *s.tokens.Load() {
		if subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1 {
			name = t.name
		}
	}
	return name
}

// checkHost refuses a request over a socket that is about another host: a browser
// comes here through ssh, and a page elsewhere whose name leads to this machine would
// be of the same origin. With tokens it could show none.
func (s *Server) checkHost(r *http.Request) error {
	if s.tokens.Load() != nil {
		return nil
	}
	if err := page.AllowedHost(r); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return nil
}

// checkOrigin refuses what a page of another site can have a browser ask: such a
// request has an Origin, or it is a form's.
func checkOrigin(r *http.Request) error {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return fmt.Errorf("%w: expected a request of this host's own pages, found one of another origin", ErrRequest)
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if found, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(found), "application/json") {
		return fmt.Errorf("%w: expected Content-Type: application/json, found %.80q", ErrRequest, found)
	}
	return nil
}

// peerKey is who is at the other end of a socket, in the context of a connection.
type peerKey struct{}

func withPeer(ctx context.Context, conn net.Conn) context.Context {
	if p, ok := conn.(*placed); ok {
		conn = p.Conn
	}
	return context.WithValue(ctx, peerKey{}, peerOf(conn))
}
