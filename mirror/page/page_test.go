package page

import (
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/mirror"
	"assay/mirror/counters"
)

// answer is what a page answered.
type answer struct {
	code int
	head http.Header
	text string
}

// ask asks a page as a browser on this machine does.
func ask(t *testing.T, p *Page, method, path, form string, change ...func(*http.Request)) answer {
	t.Helper()
	path, _, _ = strings.Cut(path, "#")
	r := httptest.NewRequest(method, path, strings.NewReader(form))
	r.Host = "localhost:9090"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://localhost:9090")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, do := range change {
		do(r)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return answer{w.Code, w.Result().Header, w.Body.String()}
}

// formText is the text that the forms of a page carry.
func formText(t *testing.T, text string) string {
	t.Helper()
	m := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("expected a form, found none in %.300s", text)
	}
	return m[1]
}

func TestShows(t *testing.T) {
	f := mirrorOf(30)
	p := f.page(nil)
	f.live(p)
	found := get(t, p, "/")
	if found.code != http.StatusOK {
		t.Fatalf("found %d: %s", found.code, found.text)
	}
	text := lines(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(found.text[strings.Index(found.text, "<body"):], " ")))
	for _, want := range []string{
		"26 fresh 1 expires soon 1 partial 1 empty 1 expired",
		"191 GB of 200 GB", "95 % used, 4 311 objects, room for 9.0 GB Nearly full.", "5 h ago 4 311 objects checked; 2 damaged, 1 of them fetched again. Not all came back.",
		"Not ready: frozen: ", "Next to expire frozen timestamp 3 h ago 2026-11-22 09:00 UTC expired slow timestamp in 1 h 2026-11-22 13:00 UTC expires soon",
		"timestamp 1841 1841 in 23 h 20 min 2026-11-23 11:20 UTC", "timestamp 9 10 newer expires soon in 1 h",
		"Last failed 2 min ago 2026-11-22 11:58 UTC", "timestamp.json expired 2026-11-22 09:00:00Z: the upstream serves an old state",
		"Difference 12 fetched, 73 MB; generation 1841, in 3.2 s", "Good since 19 d ago", "Upstream answered in 182 ms",
		"Promised 4 310 Carried 4 310 Held 4 310, 81 GB Missing 0 Hit ratio 99.5 % of 20 411",
		"hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz in quarantine", "kite/2.0.1/kite_2.0.1_darwin_arm64.tar.gz tried again",
		"by hand looks odd, asked the publisher", "over 3 hours.", "Sync now repository-07", "Release kite/1.9.0/kite_1.9.0_linux_amd64.tar.gz",
		"repository-25 hello stable 23 403", "3 not found", "Asked by user 1000 .",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "\u202f", " "), want) {
			t.Errorf("expected %q, found %s", want, text)
		}
	}
	// The worst come first.
	if order := regexp.MustCompile(`<details class="repository" id="r-([a-z0-9-]+)"`).FindAllStringSubmatch(found.text, 5); len(order) < 5 ||
		order[0][1] != "frozen" || order[1][1] != "unborn" || order[2][1] != "tools" || order[3][1] != "slow" || order[4][1] != "repository-00" {
		t.Errorf("expected the worst first, found %q", order)
	}
}

func TestHeadersLetNothingIn(t *testing.T) {
	p := mirrorOf(1).page(map[string]string{token: "alice"})
	for _, path := range []string{"/", "/page/sign-in", "/page/none"} {
		h := get(t, p, path).head
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Content-Security-Policy": policy,
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s: expected %q, found %q", path, name, want, h.Get(name))
			}
		}
	}
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"} {
		if !strings.Contains(policy, want) {
			t.Errorf("expected %q in the policy, found %q", want, policy)
		}
	}
	// The digest is of what stands between the tags, byte for byte.
	text := get(t, mirrorOf(1).page(nil), "/").text
	if _, rest, _ := strings.Cut(text, "<style>"); !strings.HasPrefix(rest, style+"</style>") {
		t.Error("expected the style as it is")
	}
	if strings.Contains(text, "<script") || strings.Contains(text, "style=") || strings.Contains(text, "http://") || strings.Contains(text, "https://") {
		t.Error("expected no script, no style of an element, and nothing from elsewhere")
	}
}

func TestHostileTextIsInert(t *testing.T) {
	f := mirrorOf(1)
	st := &f.statuses[0]
	st.Repository, st.Mode = nasty, nasty
	st.Roles[1].Role = nasty
	st.LastRun.Outcome, st.LastRun.Reason, st.LastRun.Faults = mirror.Partial, nasty, []mirror.Fault{{Path: nasty, Reason: nasty + strings.Repeat("x", 10_000)}}
	f.aside = []mirror.Quarantined{{Repository: nasty, Path: nasty, Digest: digestOf("x"), Reason: nasty, Since: today}}
	f.ready = errors.New(nasty)
	f.set.Counter(counters.ReleaseRequests, counters.LabelRepository, nasty, counters.LabelProduct, nasty, counters.LabelChannel, nasty, counters.LabelResult, "ok").Add(1)
	f.set.Counter(counters.Requests, counters.LabelRepository, nasty, counters.LabelResult, "ok").Add(1)
	p := f.page(nil)
	found := get(t, p, "/")
	shown := found.text[strings.Index(found.text, "<body"):]
	for _, bad := range []string{"<script", "<img", "\x1b", "\u202e", "\u2066", "\x00", "\xff", "ZgotmplZ"} {
		if i := strings.Index(shown, bad); i >= 0 {
			t.Errorf("found %q: …%q", bad, shown[max(0, i-60):min(len(shown), i+60)])
		}
	}
	if !strings.Contains(shown, `&lt;script&gt;alert(1)&lt;/script&gt;`) || !strings.Contains(shown, `\x1b[31m\u202egnp.exe\u2066\x00`) {
		t.Error("expected the text with escapes")
	}
	if strings.Contains(shown, strings.Repeat("x", maxReason+1)) {
		t.Error("expected a long reason to be cut")
	}
	// It is released all the same, by its hash.
	form := url.Values{"form": {formText(t, found.text)}, "item": {itemOf(f.aside[0])}}
	if found := ask(t, p, "POST", "/page/release", form.Encode()); found.code != http.StatusSeeOther {
		t.Errorf("found %d: %s", found.code, found.text)
	} else if text := get(t, p, found.head.Get("Location")).text; strings.Contains(text, "<script") || strings.Contains(text, "\u202e") {
		t.Error("the notice is not inert")
	}
	if want := []string{"release " + nasty + " " + nasty + " by user 1000"}; !slices.Equal(f.called(), want) {
		t.Errorf("expected %q, found %q", want, f.called())
	}
	for _, path := range []string{"/page/%3Cscript%3E%1b", "/?told=%3Cscript%3E"} {
		if found := get(t, p, path); strings.Contains(found.text, "<script") || strings.Contains(found.text, "\x1b") {
			t.Errorf("%s: found %s", path, found.text)
		}
	}
}

func TestForms(t *testing.T) {
	f := mirrorOf(30)
	p := f.page(nil)
	text := formText(t, get(t, p, "/").text)
	sync := func(form string) string {
		return url.Values{"form": {form}, "repository": {"tools"}}.Encode()
	}
	found := ask(t, p, "POST", "/page/sync", sync(text))
	if found.code != http.StatusSeeOther || !strings.HasPrefix(found.head.Get("Location"), "/?told=") || !strings.HasSuffix(found.head.Get("Location"), "#r-tools") {
		t.Fatalf("found %d, %q", found.code, found.head.Get("Location"))
	}
	if text := get(t, p, found.head.Get("Location")).text; !strings.Contains(text, "tools: the run has ended.") {
		t.Error("expected to be told")
	}
	f.failed = errors.New("no answer from the upstream")
	found = ask(t, p, "POST", "/page/sync", sync(text))
	if text := get(t, p, found.head.Get("Location")).text; !strings.Contains(text, "no answer from the upstream") || !strings.Contains(text, "<strong>Failed:") {
		t.Error("expected to be told of the failure")
	}
	f.failed = nil
	// What is not in quarantine any more is not released.
	gone := url.Values{"form": {text}, "item": {"00"}}.Encode()
	found = ask(t, p, "POST", "/page/release", gone)
	if text := get(t, p, found.head.Get("Location")).text; !strings.Contains(text, "it is not in quarantine any more") {
		t.Error("expected to be told that it is gone")
	}
	if want := []string{"sync tools by user 1000", "sync tools by user 1000"}; !slices.Equal(f.called(), want) {
		t.Errorf("expected %q, found %q", want, f.called())
	}
	// A run that takes long is left running.
	f.hang = true
	found = ask(t, p, "POST", "/page/sync", sync(text))
	if text := get(t, p, found.head.Get("Location")).text; !strings.Contains(text, "tools: the run goes on") {
		t.Error("expected to be told that it goes on")
	}
	// As many notices are kept, and no more.
	f.hang = false
	for range maxNotices + 5 {
		ask(t, p, "POST", "/page/sync", sync(text))
	}
	if len(p.notices) != maxNotices {
		t.Errorf("expected %d notices, found %d", maxNotices, len(p.notices))
	}
}

// What a page of another site, or another program, can send.
func TestFormsRefused(t *testing.T) {
	for _, tokens := range []map[string]string{nil, {token: "alice"}} {
		f := mirrorOf(30)
		p := f.page(tokens)
		var cookie *http.Cookie
		if tokens != nil {
			cookie = signIn(t, p)
		}
		with := func(r *http.Request) {
			if cookie != nil {
				r.AddCookie(cookie)
			}
		}
		good := formText(t, get(t, p, "/", with).text)
		header := func(name, value string) func(*http.Request) {
			return func(r *http.Request) {
				if r.Header.Set(name, value); value == "" {
					r.Header.Del(name)
				}
			}
		}
		nothing := func(*http.Request) {}
		for _, test := range []struct {
			what   string
			method string
			path   string
			form   string
			change func(*http.Request)
			code   int
			says   string
		}{
			{"no text", "POST", "/page/sync", "", nothing, 403, "no request of a form of this page"},
			{"another text", "POST", "/page/sync", "guessed", nothing, 403, "no request of a form of this page"},
			{"of another site", "POST", "/page/sync", good, header("Sec-Fetch-Site", "cross-site"), 403, "no request of a form of this page"},
			{"of a sister site", "POST", "/page/sync", good, header("Sec-Fetch-Site", "same-site"), 403, "no request of a form of this page"},
			{"an old browser, another origin", "POST", "/page/sync", good, func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "http://evil.example")
			}, 403, "no request of a form of this page"},
			{"an old browser, a frame without origin", "POST", "/page/sync", good, func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "null")
			}, 403, "no request of a form of this page"},
			{"another port", "POST", "/page/sync", good, func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "http://localhost:1")
			}, 403, "no request of a form of this page"},
			{"JSON", "POST", "/page/sync", good, header("Content-Type", "application/json"), 403, "of another type"},
			{"plain text", "POST", "/page/sync", good, header("Content-Type", "text/plain"), 403, "of another type"},
			{"a file form", "POST", "/page/sync", good, header("Content-Type", "multipart/form-data; boundary=x"), 403, "of another type"},
			{"a long form", "POST", "/page/sync", good + "&x=" + strings.Repeat("y", maxForm), nothing, 403, "longer than"},
			{"a broken form", "POST", "/page/sync", good + "&%zz", nothing, 403, "not a form"},
			{"a name that leads here", "POST", "/page/sync", good, func(r *http.Request) { r.Host = "rebound.example:9090" }, 421, "expected the host localhost"},
			{"a name that leads here, read", "GET", "/", "", func(r *http.Request) { r.Host = "rebound.example" }, 421, "expected the host localhost"},
			{"an address elsewhere", "GET", "/", "", func(r *http.Request) { r.Host = "10.0.0.1:9090" }, 421, "expected the host localhost"},
			{"no host", "GET", "/", "", func(r *http.Request) { r.Host = "" }, 421, "expected the host localhost"},
			{"by a link", "GET", "/page/sync", good, nothing, 405, "expected POST"},
			{"by a link", "GET", "/page/release", good, nothing, 405, "expected POST"},
			{"another method", "PUT", "/page/sync", good, nothing, 405, "expected POST"},
			{"another method", "DELETE", "/", good, nothing, 405, "expected GET"},
			{"signing out from elsewhere", "POST", "/page/sign-out", good, header("Sec-Fetch-Site", "cross-site"), 403, "no request of a form of this page"},
			{"signing out without a text", "POST", "/page/sign-out", "", nothing, 403, "no request of a form of this page"},
		} {
			found := ask(t, p, test.method, test.path, "repository=tools&form="+test.form, with, test.change)
			if found.code != test.code || !strings.Contains(found.text, test.says) {
				t.Errorf("%s: expected %d, %q, found %d, %s", test.what, test.code, test.says, found.code, found.text[strings.Index(found.text, "<body"):])
			}
			if len(f.called()) > 0 {
				t.Fatalf("%s: was done all the same: %q", test.what, f.called())
			}
		}
		for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1:9090", "127.3.2.1", "[::1]:9090", "mirror"} {
			if found := get(t, p, "/", with, func(r *http.Request) { r.Host = host }); found.code != http.StatusOK {
				t.Errorf("%s: expected to be let in, found %d", host, found.code)
			}
		}
	}
}

// signIn shows the token, and gives the cookie of the session.
func signIn(t *testing.T, p *Page) *http.Cookie {
	t.Helper()
	found := ask(t, p, "POST", "/page/sign-in", url.Values{"token": {token + "\n"}}.Encode())
	cookies := (&http.Response{Header: found.head}).Cookies()
	if found.code != http.StatusSeeOther || found.head.Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("expected a session, found %d, %s", found.code, found.text)
	}
	return cookies[0]
}

func TestSessions(t *testing.T) {
	f, tokens := mirrorOf(1), map[string]string{token: "alice"}
	p := f.page(tokens)
	if found := get(t, p, "/"); found.code != http.StatusSeeOther || found.head.Get("Location") != "/page/sign-in" || strings.Contains(found.text, "acme") {
		t.Errorf("without a session: found %d, %s", found.code, found.text)
	}
	if found := ask(t, p, "POST", "/page/sync", "repository=acme"); found.code != http.StatusForbidden || len(f.called()) > 0 {
		t.Errorf("without a session: found %d, %q", found.code, f.called())
	}
	cookie := signIn(t, p)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 8*60*60 || len(cookie.Value) < 26 || strings.Contains(cookie.Value, token) {
		t.Errorf("found the cookie %+v", cookie)
	}
	with := func(c *http.Cookie) func(*http.Request) { return func(r *http.Request) { r.AddCookie(c) } }
	text := get(t, p, "/", with(cookie)).text
	if !strings.Contains(text, "Asked by <bdi>token alice</bdi>") || strings.Contains(text, token) {
		t.Error("expected the page for alice")
	}
	// The text of another session's forms does not count.
	other := signIn(t, p)
	if other.Value == cookie.Value {
		t.Fatal("two sessions have the same id")
	}
	form := "repository=acme&form=" + formText(t, get(t, p, "/", with(other)).text)
	if found := ask(t, p, "POST", "/page/sync", form, with(cookie)); found.code != http.StatusForbidden || len(f.called()) > 0 {
		t.Errorf("another session's form: found %d, %q", found.code, f.called())
	}
	if found := ask(t, p, "POST", "/page/sync", form, with(other)); found.code != http.StatusSeeOther || !slices.Equal(f.called(), []string{"sync acme by token alice"}) {
		t.Errorf("found %d, %q", found.code, f.called())
	}
	// Whoever signs out is out, and nobody else.
	out := ask(t, p, "POST", "/page/sign-out", form, with(other))
	if gone := (&http.Response{Header: out.head}).Cookies(); out.code != http.StatusSeeOther || len(gone) != 1 || gone[0].MaxAge != -1 {
		t.Errorf("signing out: found %d, %+v", out.code, gone)
	}
	in := func(c *http.Cookie) bool { return get(t, p, "/", with(c)).code == http.StatusOK }
	if in(other) || !in(cookie) {
		t.Error("expected one to be out, and the other in")
	}
	if in(&http.Cookie{Name: cookieName, Value: "made-up"}) || in(&http.Cookie{Name: cookieName, Value: token}) {
		t.Error("a cookie that was made up lets in")
	}
	// A session ends with its time, and with its token.
	f.now = today.Add(sessionTime)
	if in(cookie) || len(p.sessions) != 0 {
		t.Error("expected the session to end")
	}
	cookie = signIn(t, p)
	delete(tokens, token)
	if in(cookie) {
		t.Error("expected the session to end with its token")
	}
	tokens[token] = "alice"
	if in(cookie) {
		t.Error("expected the session not to come back")
	}
	for range maxSessions + 3 {
		cookie = signIn(t, p)
	}
	if len(p.sessions) != maxSessions || !in(cookie) {
		t.Errorf("expected %d sessions, the last of them good, found %d", maxSessions, len(p.sessions))
	}
}

func TestAttempts(t *testing.T) {
	f := mirrorOf(1)
	p := f.page(map[string]string{token: "alice"})
	try := func(text string) answer {
		return ask(t, p, "POST", "/page/sign-in", url.Values{"token": {text}}.Encode())
	}
	if found := ask(t, p, "POST", "/page/sign-in", "token="+token, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); found.code != http.StatusForbidden {
		t.Errorf("from another site: found %d", found.code)
	}
	for i, wrong := range []string{"", "wrong", strings.Repeat("x", maxToken+1), token + "x", token[1:]} {
		if found := try(wrong); found.code != http.StatusForbidden || !strings.Contains(found.text, "not one that counts") || len(found.head["Set-Cookie"]) > 0 || wrong != "" && strings.Contains(found.text, wrong) {
			t.Errorf("attempt %d: found %d, %s", i, found.code, found.text)
		}
	}
	// Even the right one waits now.
	if found := try(token); found.code != http.StatusTooManyRequests || found.head.Get("Retry-After") != "5" || len(found.head["Set-Cookie"]) > 0 {
		t.Errorf("found %d, %v", found.code, found.head)
	}
	f.now = f.now.Add(attemptTime)
	if found := try("wrong"); found.code != http.StatusForbidden {
		t.Errorf("found %d", found.code)
	}
	if found := try(token); found.code != http.StatusTooManyRequests {
		t.Errorf("found %d", found.code)
	}
	f.now = f.now.Add(attemptTime)
	signIn(t, p)
}

// TestReleaseIsOfWhatWasShown shows that a page that is old releases nothing that came
// after it.
func TestReleaseIsOfWhatWasShown(t *testing.T) {
	f := mirrorOf(30)
	p := f.page(nil)
	form := url.Values{"form": {formText(t, get(t, p, "/").text)}, "item": {itemOf(f.aside[0])}}
	shown := f.aside[0]
	for what, change := range map[string]func(q *mirror.Quarantined){
		"other bytes":    func(q *mirror.Quarantined) { q.Digest = digestOf("other") },
		"held by hand":   func(q *mirror.Quarantined) { q.ByHand, q.Reason = true, "compromised" },
		"another target": func(q *mirror.Quarantined) { q.Path += "x" },
	} {
		f.aside[0] = shown
		change(&f.aside[0])
		found := ask(t, p, "POST", "/page/release", form.Encode())
		if text := get(t, p, found.head.Get("Location")).text; !strings.Contains(text, "not as the page has shown it") || len(f.called()) != 0 {
			t.Errorf("%s: expected nothing to be released, found %q", what, f.called())
		}
	}
	f.aside[0] = shown
	f.aside[0].Reason = "said in other words by the next run"
	ask(t, p, "POST", "/page/release", form.Encode())
	if len(f.called()) != 1 {
		t.Errorf("expected what was shown to be released, found %q", f.called())
	}
}

// TestSilentUpstream shows that no answer is not said to be one.
func TestSilentUpstream(t *testing.T) {
	f := mirrorOf(1)
	name := f.statuses[0].Repository
	p := f.page(nil)
	up := f.set.Counter("assay_mirror_upstream_up", "repository", name)
	for value, want := range map[int64]string{0: "no answer in 182 ms", 1: "answered in 182 ms"} {
		up.Store(value)
		if text := get(t, p, "/").text; !strings.Contains(text, want) {
			t.Errorf("expected %q, found none", want)
		}
	}
}

func TestStates(t *testing.T) {
	at := func(soon, expires time.Duration) mirror.Status {
		role := mirror.RoleVersion{Role: "timestamp", Expires: today.Add(expires), Soon: today.Add(soon)}
		return mirror.Status{State: mirror.Fresh, Expires: role.Expires, Roles: []mirror.RoleVersion{role}}
	}
	for _, test := range []struct {
		what string
		st   mirror.Status
		want state
	}{
		{"not soon yet", at(1, 6*time.Hour), isFresh},
		{"soon from now on", at(0, 6*time.Hour), isSoon},
		{"just now", at(-time.Hour, 0), isExpired},
		{"nothing", mirror.Status{State: mirror.Empty}, isEmpty},
		{"something missing", mirror.Status{State: mirror.Fresh, Expires: today.Add(time.Hour), Targets: mirror.Tally{Missing: 1}}, isPartial},
	} {
		if found := stateOfAll(test.st, today); found != test.want {
			t.Errorf("%s: expected %v, found %v", test.what, test.want, found)
		}
	}
}

func TestSamples(t *testing.T) {
	f := mirrorOf(1)
	p := f.page(nil)
	served := f.set.Counter(counters.ResponseBytes, counters.LabelRepository, "acme")
	for i := range maxSamples + 10 {
		served.Add(int64(i))
		p.Sample()
	}
	flows := p.history.of("acme")
	if len(flows) != maxSamples || flows[0].served != 10 || flows[maxSamples-1].served != maxSamples+9 {
		t.Errorf("expected a day of them, found %d, %v … %v", len(flows), flows[0], flows[len(flows)-1])
	}
	// Counters of what is mirrored no more are forgotten, those of strangers never kept.
	f.set.Counter(counters.ResponseBytes, counters.LabelRepository, "stranger").Add(5)
	f.statuses = nil
	p.Sample()
	if len(p.history.rings) != 0 {
		t.Errorf("expected nothing to be kept, found %d", len(p.history.rings))
	}
	var r ring
	r.add(flow{10, 0})
	r.add(flow{3, 0}) // the counter began anew
	if found := r.all(); found[1].served != 3 {
		t.Errorf("expected 3, found %v", found)
	}
}

func TestWords(t *testing.T) {
	for want, found := range map[string]string{
		"0 B": bytesText(-1), "999 B": bytesText(999), "1.0 kB": bytesText(1000), "10 kB": bytesText(9960), "1.0 MB": bytesText(999_600), "9.2 EB": bytesText(1<<63 - 1),
		"59 s": durationText(59 * time.Second), "1 h 5 min": durationText(65 * time.Minute), "2 d": durationText(48 * time.Hour), "365 d": durationText(365 * 24 * time.Hour),
		"0.8 ms": shortText(800 * time.Microsecond), "2.5 s": shortText(2500 * time.Millisecond), "12\u202f345": numberText(12345), "-123": numberText(-123), "–": percentText(1, 0),
		"never": momentOf(time.Time{}, today).Text, "in 0 s": momentOf(today, today).Text,
	} {
		if found != want {
			t.Errorf("expected %q, found %q", want, found)
		}
	}
}
