//go:build unix

package page

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Seen in a browser: with scripts off, wide and narrow, light and dark.
func TestInChromium(t *testing.T) {
	b := startBrowser(t)
	hostile := mirrorOf(1)
	hostile.statuses[0].LastRun.Outcome, hostile.statuses[0].LastRun.Reason = "failed", nasty+strings.Repeat("W", 2000)
	hostile.aside = append(hostile.aside, sickAside("acme", nasty)...)
	for _, one := range []struct {
		what string
		f    *fake
	}{{"none", mirrorOf(0)}, {"one", mirrorOf(1)}, {"thirty", mirrorOf(30)}, {"hostile", hostile}} {
		p := one.f.page(nil)
		one.f.live(p)
		server := httptest.NewServer(p)
		defer server.Close()
		for _, width := range []int{1280, 400} {
			for _, scheme := range []string{"light", "dark"} {
				name := nameOfShot(one.what, width, scheme)
				b.looks(width, scheme)
				b.open(server.URL)
				b.checkLayout(name, width)
				b.shoot(name)
				b.unfold()
				b.checkLayout(name+", unfolded", width)
				b.checkContrast(name)
				if one.what == "thirty" {
					b.shoot(name + "-unfolded")
				}
			}
		}
		if found := b.complaints(); len(found) > 0 {
			t.Errorf("%s: the browser complains: %q", one.what, found)
		}
	}
}

// checkLayout sees that nothing makes the page wider than the window, and that the
// style counts.
func (b *browser) checkLayout(name string, width int) {
	b.t.Helper()
	var found struct {
		Width   int
		Wide    []string
		Styled  bool
		Scripts int
	}
	b.eval(`({
		Width: document.documentElement.scrollWidth,
		Wide: [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll table, .hidden, .skip, thead, svg') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120)),
		Styled: getComputedStyle(document.querySelector('.tile')).borderTopLeftRadius === '8px',
		Scripts: document.scripts.length,
	})`, &found)
	if found.Width > width || len(found.Wide) > 0 || !found.Styled || found.Scripts > 0 {
		b.t.Errorf("%s: expected a page of %d pixels with its style, found %+v", name, width, found)
	}
}

func (b *browser) unfold() {
	b.t.Helper()
	var n int
	b.eval(`[...document.querySelectorAll('details')].map(d => d.open = true).length`, &n)
}

// checkContrast sees that each text has the contrast that WCAG 2.2 asks for at level
// AA, 4.5 to 1.
func (b *browser) checkContrast(name string) {
	b.t.Helper()
	var poor []string
	b.eval(`(() => {
		const parts = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m };
		const light = c => { const [r, g, b] = parts(c).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
		const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (parts(c)[3] > 0) return c } return 'rgb(255,255,255)' };
		const poor = new Set();
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walk.nextNode()) {
			const e = walk.currentNode.parentElement;
			if (!walk.currentNode.data.trim() || !e.getClientRects().length) continue;
			const color = getComputedStyle(e).color, [x, y] = [light(color), light(behind(e))].sort((a, b) => b - a);
			const ratio = (x + .05) / (y + .05);
			if (ratio < 4.5) poor.add(e.tagName + '.' + e.className + ' ' + color + ' on ' + behind(e) + ': ' + ratio.toFixed(2));
		}
		return [...poor];
	})()`, &poor)
	if len(poor) > 0 {
		b.t.Errorf("%s: expected a contrast of 4.5, found %q", name, poor)
	}
}

// By keyboard alone: every control is reached, in the order of the page, and seen to
// have the focus; and what it is for can be done with it.
func TestKeyboardInChromium(t *testing.T) {
	b := startBrowser(t)
	f := mirrorOf(30)
	p := f.page(map[string]string{token: "alice"})
	f.live(p)
	server := httptest.NewServer(p)
	defer server.Close()
	b.looks(1280, "light")
	b.open(server.URL)
	b.shoot("sign-in")
	b.do("Input.insertText", map[string]any{"text": "wrong"}, nil) // the field has the focus
	b.loads(func() { b.press("Enter") })
	var text string
	if b.eval(`document.body.innerText`, &text); !strings.Contains(text, "not one that counts") {
		t.Fatalf("expected to be refused, found %q", text)
	}
	b.do("Input.insertText", map[string]any{"text": token}, nil)
	b.loads(func() { b.press("Enter") })
	if b.eval(`document.body.innerText`, &text); !strings.Contains(text, "Asked by token alice") {
		t.Fatalf("expected the page, found %.300q", text)
	}
	for _, open := range []bool{false, true} {
		b.open(server.URL) // a new page: the next Tab begins at its top
		if open {
			b.unfold()
		}
		b.checkTabs(open)
	}
	// Somewhere in there are the buttons: the first release is that of what failed.
	b.tabTo(`Release hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz`)
	b.loads(func() { b.press("Enter") })
	if want := "release tools hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz by token alice"; !slices.Equal(f.called(), []string{want}) {
		t.Errorf("expected %q, found %q", want, f.called())
	}
	b.shoot("released")
	if b.eval(`document.body.innerText`, &text); !strings.Contains(text, "is released; the next run proves it anew") {
		t.Error("expected to be told")
	}
	b.unfold()
	b.tabTo("Sync now tools")
	b.loads(func() { b.press(" ") })
	if found := f.called(); len(found) != 2 || found[1] != "sync tools by token alice" {
		t.Errorf("expected a run, found %q", found)
	}
	b.tabTo("Sign out")
	b.loads(func() { b.press("Enter") })
	if b.eval(`document.body.innerText`, &text); !strings.Contains(text, "Token of the administrator") {
		t.Errorf("expected to be out, found %.300q", text)
	}
}

const controls = `a[href], button, summary, input:not([type=hidden]), [tabindex="0"]`

// focused tells of what has the focus.
type focused struct {
	At      int // among the controls; -1: it is none of them
	Text    string
	Visible bool // a ring around it, and within the page
}

func (b *browser) focus() (found focused) {
	b.t.Helper()
	b.eval(`(() => {
		const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
		return {
			At: [...document.querySelectorAll('`+strings.ReplaceAll(controls, `'`, `\'`)+`')].filter(e => e.checkVisibility()).indexOf(e),
			Text: e.textContent, Visible: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && box.width > 0 && box.right > 0,
		};
	})()`, &found)
	return found
}

// checkTabs goes through the whole page by Tab.
func (b *browser) checkTabs(open bool) {
	b.t.Helper()
	var all int
	b.eval(`[...document.querySelectorAll('`+controls+`')].filter(e => e.checkVisibility()).length`, &all)
	b.do("Page.bringToFront", nil, nil)
	next := 0
	for range all + 3 {
		b.press("Tab")
		found := b.focus()
		if found.At < 0 {
			continue // the browser's own
		}
		if found.At == 0 && next > 0 {
			break
		}
		if found.At != next || !found.Visible {
			text, err := json.Marshal(found)
			b.t.Fatalf("unfolded %v: expected the focus on control %d of %d, and a ring, found %s, %v", open, next, all, text, err)
		}
		next++
	}
	if next != all {
		b.t.Errorf("unfolded %v: expected %d controls, reached %d", open, all, next)
	}
}

// tabTo goes on by Tab to the control of that text.
func (b *browser) tabTo(text string) {
	b.t.Helper()
	for range 1000 {
		b.press("Tab")
		if b.focus().Text == text {
			return
		}
	}
	b.t.Fatalf("no control %q was reached", text)
}

// The cookie is not for pages of other sites, and these can have nothing done: a page
// of another origin posts a form of its own here.
func TestOtherSiteInChromium(t *testing.T) {
	b := startBrowser(t)
	f := mirrorOf(1)
	p := f.page(nil) // as it is over a socket: nobody signs in
	server := httptest.NewServer(p)
	defer server.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<form method="post" action="` + server.URL + `/page/sync"><input name="repository" value="acme"><input name="form" value="` + p.form + `"><button autofocus>win</button></form>
<iframe src="` + server.URL + `"></iframe>`))
	}))
	defer other.Close()
	b.looks(1280, "light")
	b.open(other.URL)
	b.do("Page.bringToFront", nil, nil)
	b.loads(func() { b.press("Enter") })
	var text string
	if b.eval(`document.body.innerText`, &text); !strings.Contains(text, "no request of a form of this page") || len(f.called()) > 0 {
		t.Errorf("expected it to be refused, found %q, %q", text, f.called())
	}
	if found := strings.Join(b.complaints(), "\n"); !strings.Contains(found, "frame-ancestors") && !strings.Contains(found, "X-Frame-Options") {
		t.Errorf("expected the frame to be refused, found %q", found)
	}
}
