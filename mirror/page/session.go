package page

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"
)

// The bounds of signing in.
const (
	sessionTime = 8 * time.Hour
	maxSessions = 64   // the oldest goes
	maxToken    = 1024 // bytes

	maxAttempts = 5 // at once; then one each
	attemptTime = 5 * time.Second
)

// cookieName is of the cookie that holds a session's id. Browsers send it to all ports
// of a host: to know it is to have the session, until it ends.
const cookieName = "assay-session"

// The ways in which signing in fails.
var (
	errToken    = errors.New("that token is not one that counts")
	errAttempts = errors.New("too many attempts; wait a few seconds")
)

// session is one browser that has shown a token.
type session struct {
	hash [sha256.Size]byte // of the token: the session ends with it
	form string            // the text that its forms carry
	ends time.Time
}

// asker is who makes a request, and the text that a form of theirs carries.
type asker struct {
	name     string
	form     string
	signedIn bool
}

// asks tells who makes a request; false: nobody who may.
func (p *Page) asks(r *http.Request) (asker, bool) {
	if p.config.Token == nil {
		return asker{name: p.config.Peer(r), form: p.form}, true
	}
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return asker{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// A look-up by the id itself: its 128 random bits can't be guessed from times.
	s := p.sessions[cookie.Value]
	if s == nil {
		return asker{}, false
	}
	name := p.config.Token(s.hash)
	if name == "" || !p.config.Now().Before(s.ends) {
		delete(p.sessions, cookie.Value)
		return asker{}, false
	}
	return asker{name: "token " + name, form: s.form, signedIn: true}, true
}

// wrote reports whether a form carries the text of whoever sends it.
func (a asker) wrote(text string) bool {
	return subtle.ConstantTimeCompare([]byte(a.form), []byte(text)) == 1
}

// signIn opens a session for a token, and gives its cookie.
func (p *Page) signIn(token string) (*http.Cookie, error) {
	now := p.config.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.attempts.take(now) {
		return nil, errAttempts
	}
	token = strings.TrimSpace(token)
	if token == "" || len(token) > maxToken {
		return nil, errToken
	}
	// All hashes are compared, each in the same time.
	hash := sha256.Sum256([]byte(token))
	if p.config.Token(hash) == "" {
		return nil, errToken
	}
	p.attempts = attempts{}
	p.forget(now)
	id := rand.Text()
	p.sessions[id] = &session{hash: hash, form: rand.Text(), ends: now.Add(sessionTime)}
	return cookie(id, int(sessionTime/time.Second)), nil
}

// forget drops sessions that have ended, and the oldest if there are too many.
// p.mu is held.
func (p *Page) forget(now time.Time) {
	oldest := ""
	for id, s := range p.sessions {
		if !now.Before(s.ends) {
			delete(p.sessions, id)
		} else if oldest == "" || s.ends.Before(p.sessions[oldest].ends) {
			oldest = id
		}
	}
	if len(p.sessions) >= maxSessions {
		delete(p.sessions, oldest)
	}
}

// signOut ends the session of a request, and gives the cookie that takes the other's
// place.
func (p *Page) signOut(r *http.Request) *http.Cookie {
	if old, err := r.Cookie(cookieName); err == nil {
		p.mu.Lock()
		delete(p.sessions, old.Value)
		p.mu.Unlock()
	}
	return cookie("", -1)
}

func cookie(id string, age int) *http.Cookie {
	// Not Secure: it is cleartext on loopback.
	return &http.Cookie{Name: cookieName, Value: id, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// attempts bounds how often tokens are tried, by anybody: all come from this machine.
type attempts struct {
	spent int
	since time.Time // when the last one was given back
}

func (a *attempts) take(now time.Time) bool {
	if back := int(now.Sub(a.since) / attemptTime); a.spent > 0 && back > 0 {
		a.spent, a.since = max(0, a.spent-back), now
	}
	if a.spent >= maxAttempts {
		return false
	}
	if a.spent == 0 {
		a.since = now
	}
	a.spent++
	return true
}
