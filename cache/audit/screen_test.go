package audit

import (
	"strings"
	"testing"
	"unicode"
)

func TestScreen(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                                 "plain",
		"a\tb\nc":                               "a b c",
		"\x1b[31mred\x07\u202e\u2028\u00a0\x7f": "\ufffd[31mred\ufffd\ufffd\ufffd\ufffd\ufffd",
		"bad \xff utf8":                         "bad \ufffd utf8",
		"https://user:secret@host/path":         "https://host/path",
		"https://token@host":                    "https://host",
		"at 'https://us@er:se@host/x@y' twice http://a:b@h":     "at 'https://host/x@y' twice http://h",
		"https://host/path?sig=secret&x=1#part":                 "https://host/path?…#part",
		`"https://h/p?k=secret": timeout`:                       `"https://h/p?…": timeout`,
		"what? mail@host":                                       "what? mail@host",
		"1.0?x=1":                                               "1.0?x=1",
		strings.Repeat("é", 40):                                 strings.Repeat("é", 30) + "…",
		strings.Repeat("a", 64):                                 strings.Repeat("a", 64),
		strings.Repeat("a", 1000):                               "…",
		strings.Repeat("a ", 250) + "https://u:secret@" + "h/x": strings.Repeat("a ", 30) + "a…",
	} {
		if got := screen(text, 64); got != want {
			t.Errorf("%q: expected %q, found %q", text, want, got)
		}
	}
}

// FuzzScreen: what comes out is bounded, prints, and has no secrets in URLs; and
// then an entry of it reads as it was written.
func FuzzScreen(f *testing.F) {
	f.Add("https://user:secret@host/x?y=z \x1b[0m")
	f.Add("\u2028\"\\<>&é\xff")
	f.Add(strings.Repeat("🙂", 2000))
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Entry{Action: Get, User: text, Detail: text, Subject: Subject{Target: text}}.screen()
		if err != nil {
			t.Fatal(err)
		}
		if len(e.User) > maxText || len(e.Detail) > maxDetail {
			t.Errorf("too long: %d, %d", len(e.User), len(e.Detail))
		}
		for _, r := range e.Detail {
			if !unicode.IsPrint(r) {
				t.Errorf("%q does not print", r)
			}
		}
		if userInfo.MatchString(e.Detail) {
			t.Errorf("a secret was kept: %q", e.Detail)
		}
		line, err := e.encode()
		if err != nil || len(line) > maxLine {
			t.Fatalf("%d bytes, %v", len(line), err)
		}
		if again, err := decode(line); err != nil || again != e {
			t.Errorf("expected %+v, found %+v, %v", e, again, err)
		}
	})
}
