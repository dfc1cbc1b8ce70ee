package stricttoml

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

type document struct {
	CacheDir string              `toml:"cache_dir"`
	Offline  bool                `toml:"offline"`
	Ports    []int               `toml:"ports"`
	Hosts    map[string]host     `toml:"hosts"`
	Mirrors  []host              `toml:"mirror"`
	Nested   struct{ Deep host } `toml:"nested"`
	Free     map[string]string   `toml:"free"`
	Pointer  *host               `toml:"pointer"`
}

type host struct {
	URL    string `toml:"url"`
	Region string `toml:"region"`
}

func TestDecode(t *testing.T) {
	var got document
	err := Decode("a.toml", []byte("offline = true\ncache_dir = 'x'\n[[mirror]]\nurl = 'm'\n[hosts.b]\nregion='eu'\n[free]\nany='thing'\n"), &got)
	if err != nil {
		t.Fatal(err)
	}
	want := document{CacheDir: "x", Offline: true, Mirrors: []host{{URL: "m"}}, Hosts: map[string]host{"b": {Region: "eu"}}, Free: map[string]string{"any": "thing"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, found %+v", want, got)
	}
}

func TestUnknownKeys(t *testing.T) {
	for _, test := range []struct {
		text         string
		line, column int
		key, near    string
	}{
		{"ofline = true\n", 1, 1, "ofline", "offline"},
		{"# a\n\n  cahce_dir = 'x'\n", 3, 3, "cahce_dir", "cache_dir"},
		{"offline = true\n[hosts.b]\nurl = 'x'\nregoin = 'x'\n", 4, 1, "hosts.b.regoin", "hosts.b.region"},
		{"[[mirror]]\nurl = 'x'\n[[mirror]]\nulr = 'x'\n", 4, 1, "mirror.ulr", "mirror.url"},
		{"[nested.deep]\nur = 'x'\n", 2, 1, "nested.deep.ur", "nested.deep.url"},
		{"[pointer]\nurll = 'x'\n", 2, 1, "pointer.urll", "pointer.url"},
		{"pointer = { urll = 'x' }\n", 1, 13, "pointer.urll", "pointer.url"},
		{"mirror = [ { url = 'x' },\n { region = 'y', ulr = 'x' } ]\n", 2, 18, "mirror.ulr", "mirror.url"},
		{"[hosts]\nb.regoin = 'x'\n", 2, 1, "hosts.b.regoin", "hosts.b.region"},
		{"[mirrors]\nurl = 'x'\n", 1, 2, "mirrors", "mirror"},
		{"something_else = 1\n", 1, 1, "something_else", ""},
		{"a = 1\nofline = 1\n", 1, 1, "a", ""},
	} {
		var into document
		err := Decode("dir/a.toml", []byte(test.text), &into)
		var fault *Error
		if !errors.Is(err, ErrUnknownKey) || !errors.As(err, &fault) {
			t.Errorf("%q: expected %v, found %v", test.text, ErrUnknownKey, err)
			continue
		}
		if fault.Line != test.line || fault.Column != test.column || fault.Key != test.key || fault.Near != test.near {
			t.Errorf("%q: expected %d:%d %q near %q, found %d:%d %q near %q", test.text,
				test.line, test.column, test.key, test.near, fault.Line, fault.Column, fault.Key, fault.Near)
		}
		if text := err.Error(); !strings.HasPrefix(text, "dir/a.toml:") || !strings.Contains(text, test.key) || strings.ContainsAny(text, "\n") {
			t.Errorf("%q: expected one line with file and key, found %q", test.text, text)
		}
	}
}

func TestMessages(t *testing.T) {
	for text, want := range map[string]string{
		"ofline = true":      `a.toml:1:1: unknown key "ofline"; did you mean "offline"?`,
		"[pointer]\nzzz = 1": `a.toml:2:1: unknown key "pointer.zzz"; known here: region, url`,
	} {
		var into document
		if err := Decode("a.toml", []byte(text), &into); err == nil || err.Error() != want {
			t.Errorf("expected %s, found %v", want, err)
		}
	}
}

func TestSyntax(t *testing.T) {
	for _, test := range []struct {
		name, text string
		line       int
	}{
		{"type", "cache_dir = 'x'\noffline = 'yes'\n", 2},
		{"number for text", "\ncache_dir = 1\n", 2},
		{"no value", "offline =\n", 1},
		{"twice", "offline = true\noffline = true\n", 2},
		{"open string", "offline = true\n\ncache_dir = 'x\n", 3},
		{"not UTF-8", "cache_dir = '\xff'\n", 1},
		{"HTML", "<html>\n", 1},
		{"too large", strings.Repeat("#", MaxSize+1), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var into document
			err := Decode("a.toml", []byte(test.text), &into)
			var fault *Error
			if !errors.Is(err, ErrSyntax) || !errors.As(err, &fault) {
				t.Fatalf("expected %v, found %v", ErrSyntax, err)
			}
			if fault.Line != test.line || fault.File != "a.toml" || fault.Reason == "" {
				t.Errorf("expected line %d and a reason, found %+v", test.line, fault)
			}
		})
	}
}

func TestDefined(t *testing.T) {
	text := "offline = false\n  a.b = 1\n[hosts.\"x.y\"]\nurl = ''\n[[mirror]]\nurl = 'm'\n[[mirror]]\n# comment\nurl = 'n'\n[mirror.sub]\nk = 1\n[pointer]\ntable = { url = 'x', in = { d = 1 } }\nlist = [ { e = 1 }, { e = 2 } ]\nports = [ 1, 2 ]\n"
	keys, err := Defined("a.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Key{
		{"offline", []string{"offline"}, 1, 1},
		{"a.b", []string{"a", "b"}, 2, 3},
		{"hosts.x.y.url", []string{"hosts", "x.y", "url"}, 4, 1},
		{"mirror.0.url", []string{"mirror", "0", "url"}, 6, 1},
		{"mirror.1.url", []string{"mirror", "1", "url"}, 9, 1},
		{"mirror.1.sub.k", []string{"mirror", "1", "sub", "k"}, 11, 1},
		{"pointer.table.url", []string{"pointer", "table", "url"}, 13, 11},
		{"pointer.table.in.d", []string{"pointer", "table", "in", "d"}, 13, 29},
		{"pointer.list.0.e", []string{"pointer", "list", "0", "e"}, 14, 12},
		{"pointer.list.1.e", []string{"pointer", "list", "1", "e"}, 14, 23},
		{"pointer.ports", []string{"pointer", "ports"}, 15, 1},
	}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("expected\n%v, found\n%v", want, keys)
	}
}

func TestDefinedRefuses(t *testing.T) {
	for text, line := range map[string]int{
		"a = 1\nb = \n":                    2,
		strings.Repeat("#", MaxSize+1):     0,
		strings.Repeat("a=1\n", maxKeys+1): 0,
	} {
		keys, err := Defined("a.toml", []byte(text))
		var fault *Error
		if !errors.Is(err, ErrSyntax) || !errors.As(err, &fault) || fault.Line != line || keys != nil {
			t.Errorf("%.10q: expected %v in line %d, found %v", text, ErrSyntax, line, err)
		}
	}
}

// TestDefinedDeep is about documents of 1 MiB that are one deep key: without the
// bound each takes minutes, or hours.
func TestDefinedDeep(t *testing.T) {
	many := func(text string, length int) string { return strings.Repeat(text, length/len(text)) }
	for name, text := range map[string]string{
		"table":     "[" + many("a.", MaxSize-16) + "a]\n",
		"array":     "[[" + many("a.", MaxSize-16) + "a]]\n",
		"dotted":    many("a.", MaxSize-16) + "a = 1\n",
		"in tables": many("x = "+strings.Repeat("{ a = ", 9_000)+"1"+strings.Repeat("}", 9_000)+"\n", MaxSize-16),
		"in lists":  many("x = "+strings.Repeat("[", 9_000)+"1"+strings.Repeat("]", 9_000)+"\n", MaxSize-16),
	} {
		keys, err := Defined("a.toml", []byte(text))
		if !errors.Is(err, ErrSyntax) || !strings.Contains(fmt.Sprint(err), "at most 64 parts") || keys != nil {
			t.Errorf("%s: expected %v, at most 64 parts, found %v", name, ErrSyntax, err)
		}
	}
	deepest := strings.Repeat("a.", maxParts-1) + "a = 1\n"
	if keys, err := Defined("a.toml", []byte(deepest)); err != nil || len(keys) != 1 {
		t.Errorf("expected one key of %d parts, found %v, %v", maxParts, keys, err)
	}
}

// FuzzDecode asserts that every refusal is an *Error on one line, and that what
// Decode takes Defined takes, too.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("offline = true\n[[mirror]]\nurl = 'x'\n"))
	f.Add([]byte("a = { b = [ 1, { c = 2 } ] }\n[x]\ny.\"z\" = 1979-05-27\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var into document
		err := Decode("a.toml", bytes.Clone(data), &into)
		var fault *Error
		if err != nil && (!errors.As(err, &fault) || strings.ContainsAny(err.Error(), "\n\r")) {
			t.Errorf("expected an *Error on one line, found %q", err)
		}
		if _, definedErr := Defined("a.toml", data); err == nil && definedErr != nil {
			t.Errorf("Decode took it, Defined did not: %v", definedErr)
		}
	})
}
