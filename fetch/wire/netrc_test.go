package wire

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseNetrc(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want []login
	}{
		"nothing":            {"", nil},
		"blanks":             {" \n\t\r\n", nil},
		"one":                {"machine a.example login ann password p\n", []login{{"a.example", "ann", "p"}}},
		"over lines":         {"machine a.example\r\n\tlogin ann\r\n\tpassword p\r\n", []login{{"a.example", "ann", "p"}}},
		"no end":             {"machine a login ann password p", []login{{"a", "ann", "p"}}},
		"letters":            {"machine A.Example login Ann", []login{{"a.example", "Ann", ""}}},
		"two":                {"machine a password p login ann machine b login bob account x password q", []login{{"a", "ann", "p"}, {"b", "bob", "q"}}},
		"default":            {"machine a login ann password p default login any password q", []login{{"a", "ann", "p"}, {"", "any", "q"}}},
		"comments":           {"# machine x\nmachine a # login no\nlogin ann password p#1\n#", []login{{"a", "ann", "p#1"}}},
		"quotes":             {`machine a login "ann b" password "p \"q\" \\ #1"`, []login{{"a", "ann b", `p "q" \ #1`}}},
		"empty quote":        {`machine a login "" password ""`, []login{{"a", "", ""}}},
		"a macro":            {"machine a login ann\nmacdef init\nmachine b login bob password q\n\npassword p\n", []login{{"a", "ann", "p"}}},
		"a macro to the end": {"machine a login ann password p\nmacdef init\ncd /\nmachine b login bob", []login{{"a", "ann", "p"}}},
		"not known":          {"machine a port 21 login ann password p", []login{{"a", "ann", "p"}}},
		"keywords as values": {"machine machine login password password login", []login{{"machine", "password", "login"}}},
	} {
		if found, err := parseNetrc(test.text); err != nil || !slices.Equal(found, test.want) {
			t.Errorf("%s: expected %q, found %q, %v", name, test.want, found, err)
		}
	}
	for text, says := range map[string]string{
		"\n\nmachine":                      "line 3: expected a word behind machine, found none",
		"machine a\nlogin":                 "line 2: expected a word behind login, found none",
		"machine a login ann password":     "line 1: expected a word behind password",
		"login ann password hunter2":       "line 1: expected machine or default before login, found neither",
		"\npassword hunter2":               "line 2: expected machine or default before password, found neither",
		"machine a\npassword \"hunter2":    "line 2: expected a quote that ends, found none",
		"machine a password \"hunter2\n\"": "line 1: expected a quote that ends",
		"machine a\n\"hunter2":             "line 2: expected a quote that ends",
		`machine a password "hunter2\`:     "line 1: expected a quote that ends",
	} {
		found, err := parseNetrc(text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") || found != nil {
			t.Errorf("%q: expected %q, found %q, %v", text, says, found, err)
		}
	}
}

func TestNetrcOfTheUser(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("NETRC", "")
	ask := func(host string) (credentials, error) { return New(Options{}).fromNetrc(t.Context(), host) }
	if c, err := ask("a.example"); c.header != "" || err != nil {
		t.Errorf("without a file: found %+v, %v", c, err)
	}
	elsewhere := write(t, "netrc", "machine a.example login ann password p\nmachine a.example login later password q\nmachine b.example login bob password q\n")
	t.Setenv("NETRC", elsewhere)
	for host, want := range map[string]string{"a.example": basic("ann", "p"), "A.EXAMPLE": basic("ann", "p"), "b.example": basic("bob", "q"), "c.example": "", "x.a.example": "", "example": ""} {
		if c, err := ask(host); err != nil || c.header != want {
			t.Errorf("%s: expected %q, found %q, %v", host, want, c.header, err)
		}
	}
	t.Setenv("NETRC", write(t, "netrc", "machine a.example login ann password p default login any password q"))
	for host, want := range map[string]string{"a.example": basic("ann", "p"), "c.example": basic("any", "q")} {
		if c, err := ask(host); err != nil || c.header != want {
			t.Errorf("%s: expected %q, found %q, %v", host, want, c.header, err)
		}
	}
	for says, path := range map[string]string{
		"line 1: expected machine":       write(t, "netrc", "password "+password),
		"expected at most 1048576 bytes": write(t, "netrc", strings.Repeat("#"+password+"\n", maxNetrc/8)),
		"expected a regular file":        t.TempDir(),
	} {
		t.Setenv("NETRC", path)
		if c, err := ask("a.example"); !errors.Is(err, ErrHost) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), password) || c.header != "" {
			t.Errorf("expected %q, found %+v, %v", says, c, err)
		}
	}
	t.Setenv("NETRC", filepath.Join(home, "none"))
	if c, err := ask("a.example"); c.header != "" || err != nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the named file: found %+v, %v", c, err)
	}
	t.Setenv("NETRC", "")
	if got, want := netrcPath(), filepath.Join(home, ".netrc"); got != want && filepath.Base(got) != "_netrc" {
		t.Errorf("expected %s, found %s", want, got)
	}
	t.Setenv("HOME", "")
	t.Setenv("USERPROFILE", "")
	if got := netrcPath(); got != "" {
		t.Errorf("without a home: found %s", got)
	}
	if c, err := ask("a.example"); c.header != "" || err != nil {
		t.Errorf("without a home: found %+v, %v", c, err)
	}
}

// What is written comes back, and no error tells what was in the file.
func FuzzParseNetrc(f *testing.F) {
	for _, seed := range []string{"machine a login b password c", "default login x", "macdef init\n\nmachine a", `machine "a b" login "\""`, "machine", "password x", "# x\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseNetrc(text)
		if err != nil {
			if len(err.Error()) > 120 || found != nil {
				t.Errorf("%q: found %q, %v", text, found, err)
			}
			return
		}
		quote := func(word string) string {
			return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
		}
		var again strings.Builder
		for _, l := range found {
			again.WriteString("machine " + quote(l.machine) + "\nlogin " + quote(l.user) + " password " + quote(l.password) + "\n")
		}
		if same, err := parseNetrc(again.String()); err != nil || !slices.Equal(same, found) {
			t.Errorf("%q: expected %q, found %q, %v", text, found, same, err)
		}
	})
}
