package page

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"assay/internal/shown"
	"assay/mirror"
)

const (
	answerTime = 30 * time.Second // to take an answer
	syncTime   = 2 * time.Second  // that the page waits for a run
	maxNotices = 64
)

// notice tells what became of a form. It is kept here: in the address anybody could
// write it.
type notice struct {
	id   string
	Good bool
	Text string
}

// ServeHTTP answers the page's paths.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head(w)
	if err := AllowedHost(r); err != nil {
		p.refuse(w, r, http.StatusMisdirectedRequest, err)
		return
	}
	switch r.URL.Path {
	case "/":
		p.only(w, r, http.MethodGet, p.show)
	case "/page/sync":
		p.only(w, r, http.MethodPost, p.sync)
	case "/page/release":
		p.only(w, r, http.MethodPost, p.release)
	case "/page/sign-out":
		p.only(w, r, http.MethodPost, p.leave)
	case "/page/sign-in":
		if r.Method == http.MethodPost {
			p.enter(w, r)
			return
		}
		p.only(w, r, http.MethodGet, func(w http.ResponseWriter, r *http.Request) { p.askToken(w, http.StatusOK, "") })
	default:
		p.refuse(w, r, http.StatusNotFound, errors.New("there is no such page"))
	}
}

// only lets one method through; GET means HEAD, too.
func (p *Page) only(w http.ResponseWriter, r *http.Request, method string, do http.HandlerFunc) {
	if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
		w.Header().Set("Allow", method)
		p.refuse(w, r, http.StatusMethodNotAllowed, fmt.Errorf("expected %s, found %.20q", method, r.Method))
		return
	}
	do(w, r)
}

func (p *Page) show(w http.ResponseWriter, r *http.Request) {
	who, ok := p.asks(r)
	if !ok {
		http.Redirect(w, r, "/page/sign-in", http.StatusSeeOther)
		return
	}
	v := p.view(r.Context(), who)
	v.Notice = p.told(r.URL.Query().Get("told"))
	p.write(w, http.StatusOK, "page.html", v)
}

// sync begins a run, and waits for it a moment.
func (p *Page) sync(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(ctx context.Context, who string, form url.Values) (string, string, error) {
		name := form.Get("repository")
		ctx, cancel := context.WithTimeout(ctx, syncTime)
		defer cancel()
		err := p.config.Sync(ctx, who, name)
		if err == nil && ctx.Err() != nil {
			return name, name + ": the run goes on; load the page again to see what it came to.", nil
		}
		return name, name + ": the run has ended.", err
	})
}

// release takes a target out of quarantine, which the form names by a hash: a path
// may hold what a form can't carry.
func (p *Page) release(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(ctx context.Context, who string, form url.Values) (string, string, error) {
		list, err := p.config.Mirror.Quarantine("")
		if err != nil {
			return "", "", err
		}
		for _, q := range list {
			if itemOf(q) == form.Get("item") {
				return q.Repository, fmt.Sprintf("%s: %s is released; the next run proves it anew.", q.Repository, q.Path), p.config.Release(ctx, who, q.Repository, q.Path)
			}
		}
		return "", "", fmt.Errorf("%w: it is not in quarantine any more, or not as the page has shown it", mirror.ErrNoFile)
	})
}

// itemOf names what is in quarantine to a form, as the page has shown it: other bytes
// under that path, or what somebody has held meanwhile, are not what it was sent for.
func itemOf(q mirror.Quarantined) string {
	text := q.Repository + "\x00" + q.Path + "\x00" + q.Digest.String()
	if q.ByHand {
		text += "\x00" + q.Reason
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// act does what a form says that whoever may has sent, and leads back to the page.
func (p *Page) act(w http.ResponseWriter, r *http.Request, do func(context.Context, string, url.Values) (repository, text string, err error)) {
	who, ok := p.asks(r)
	if !ok {
		p.refuse(w, r, http.StatusForbidden, errors.New("nobody is signed in; load the page anew"))
		return
	}
	form, err := p.readForm(w, r)
	if err == nil && !who.wrote(form.Get("form")) {
		err = errForm
	}
	if err != nil {
		p.refuse(w, r, http.StatusForbidden, err)
		return
	}
	repository, text, err := do(r.Context(), who.name, form)
	if err != nil {
		p.config.Log.Warn("a form of the status page failed", "path", r.URL.Path, "by", who.name, "error", err.Error())
		text = err.Error()
	}
	// #r-NAME is only where it is a repository's; a browser passes over others.
	http.Redirect(w, r, (&url.URL{Path: "/", RawQuery: "told=" + p.tell(err == nil, text), Fragment: "r-" + shown.Clip(repository, maxName)}).String(), http.StatusSeeOther)
}

// tell keeps a notice for the page that comes next, and gives its id.
func (p *Page) tell(good bool, text string) string {
	one := notice{rand.Text(), good, shown.Inert(text, maxReason)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.notices) == maxNotices {
		p.notices = append(p.notices[:0], p.notices[1:]...)
	}
	p.notices = append(p.notices, one)
	return one.id
}

func (p *Page) told(id string) *notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.notices {
		if id == one.id {
			return &one
		}
	}
	return nil
}

// enter takes a token.
func (p *Page) enter(w http.ResponseWriter, r *http.Request) {
	if p.config.Token == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	form, err := p.readForm(w, r)
	if err != nil {
		p.refuse(w, r, http.StatusForbidden, err)
		return
	}
	cookie, err := p.signIn(form.Get("token"))
	if err != nil {
		p.config.Log.Warn("nobody was let in to the status page", "error", err.Error())
		status := http.StatusForbidden
		if errors.Is(err, errAttempts) {
			w.Header().Set("Retry-After", strconv.Itoa(int(attemptTime/time.Second)))
			status = http.StatusTooManyRequests
		}
		p.askToken(w, status, err.Error())
		return
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// leave ends a session.
func (p *Page) leave(w http.ResponseWriter, r *http.Request) {
	who, ok := p.asks(r)
	form, err := p.readForm(w, r)
	if err == nil && ok && !who.wrote(form.Get("form")) {
		err = errForm
	}
	if err != nil {
		p.refuse(w, r, http.StatusForbidden, err)
		return
	}
	http.SetCookie(w, p.signOut(r))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// plainView is of a page that says one thing.
type plainView struct {
	Heading string
	Fault   string
	SignIn  bool
}

func (p *Page) askToken(w http.ResponseWriter, status int, fault string) {
	p.write(w, status, "plain.html", plainView{Heading: "Sign in", Fault: fault, SignIn: true})
}

// refuse says why not. What the request held is in quotes, or not told.
func (p *Page) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	p.config.Log.Warn("a request for the status page was refused", "method", r.Method, "error", err.Error())
	p.write(w, status, "plain.html", plainView{Heading: http.StatusText(status), Fault: shown.Inert(err.Error(), maxReason)})
}

// write sends a page whole, to a client that takes it in time.
func (p *Page) write(w http.ResponseWriter, status int, name string, data any) {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name, data); err != nil {
		p.config.Log.Error("the status page can't be made", "error", err.Error())
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(status)
	// Whoever does not take it has gone.
	_, _ = w.Write(text.Bytes())
}
