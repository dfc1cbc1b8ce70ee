package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml":    "[hosts.'a.example']\ntoken_file = 'a.token'\nca = '/etc/ca.pem'\n[hosts.'*.b.example']\nnetrc = true\n",
		"etc/conf.d/10.toml": "[hosts.'a.example']\nca = '/etc/ca.pem'\ntoken_file = '../a.token'\n",
		"home/assay/config.toml": "[hosts.'[::1]:81']\ntoken_command = ['bin/token', 'hunter2']\nconnections = 3\n" +
			"[hosts.'c.example:8443']\ncertificate = 'c.pem'\nkey = 'sub/c.key'\ntoken_command = ['vault']\nnetrc = false\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	want := []Host{
		{Name: "*.b.example", Netrc: true},
		{Name: "[::1]:81", TokenCommand: []string{filepath.Join(dir, "home/assay/bin/token"), "hunter2"}, Connections: 3},
		{Name: "a.example", TokenFile: filepath.Join(dir, "etc/a.token"), CA: "/etc/ca.pem"},
		{Name: "c.example:8443", TokenCommand: []string{"vault"}, Certificate: filepath.Join(dir, "home/assay/c.pem"), Key: filepath.Join(dir, "home/assay/sub/c.key")},
	}
	if !slices.EqualFunc(c.Hosts, want, func(a, b Host) bool { return a.Name == b.Name && a.same(b) }) {
		t.Errorf("expected %+v, found %+v", want, c.Hosts)
	}
	for key, want := range map[string]string{
		"hosts.a.example.token_file":         filepath.Join(dir, "etc/a.token") + ", etc/config.toml:2",
		"hosts.a.example.ca":                 "/etc/ca.pem, etc/config.toml:3",
		"hosts.*.b.example.netrc":            "true, etc/config.toml:5",
		"hosts.[::1]:81.token_command":       filepath.Join(dir, "home/assay/bin/token") + " …, home/assay/config.toml:2",
		"hosts.[::1]:81.connections":         "3, home/assay/config.toml:3",
		"hosts.c.example:8443.token_command": "vault, home/assay/config.toml:7",
		"hosts.c.example:8443.key":           filepath.Join(dir, "home/assay/sub/c.key") + ", home/assay/config.toml:6",
		"hosts.c.example:8443.netrc":         "false, home/assay/config.toml:8",
	} {
		v := value(t, c, key)
		if found := v.Value + ", " + strings.TrimPrefix(v.Origin.String(), dir+string(filepath.Separator)); found != want {
			t.Errorf("%s: expected %s, found %s", key, want, found)
		}
	}
	for _, v := range c.Values() {
		if strings.Contains(v.Value, "hunter2") {
			t.Errorf("%s gives an argument away: %s", v.Key, v.Value)
		}
	}
}

func TestHostsThatCannotBe(t *testing.T) {
	const head = "[hosts.'a.example']\n"
	for text, says := range map[string]string{
		head + "token_file = 'x'\nnetrc = true\n":                        "config.toml:3: hosts.a.example.netrc: expected one of token_file, token_command and netrc, found token_file and netrc",
		head + "token_file = 'x'\ntoken_command = ['x']\n":               "hosts.a.example.token_command: expected one of token_file, token_command and netrc",
		head + "token_file = ''\n":                                       "config.toml:2: hosts.a.example.token_file: expected the path of a file, found an empty text",
		head + "ca = ''\n":                                               "hosts.a.example.ca: expected the path of a file",
		head + "certificate = ''\nkey = ''\n":                            "hosts.a.example.certificate: expected the path of a file",
		head + "certificate = 'x'\n":                                     "hosts.a.example.certificate: expected a key with the certificate, found none",
		head + "key = 'x'\n":                                             "hosts.a.example.key: expected a certificate with the key, found none",
		head + "token_command = []\n":                                    "hosts.a.example.token_command: expected a program and its arguments, at most 64 words, found 0",
		head + "token_command = ['', 'hunter2']\n":                       "hosts.a.example.token_command: expected a program",
		head + "token_command = ['x'" + strings.Repeat(",'x'", 64) + "]": "found 65",
		head + "connections = 0\n":                                       "config.toml:2: hosts.a.example.connections: expected a whole number from 1 to 64, found 0",
		head + "connections = 65\n":                                      "found 65",
		"[hosts.'A.example']\nnetrc = true\n":                            `config.toml:2: hosts.A.example: expected a host in lower case, like "dl.example.com", "dl.example.com:8443", "*.example.com" or "[2001:db8::1]", found "A.example"`,
	} {
		refuses(t, "home/assay/config.toml", text, ErrValue, says)
	}
	refuses(t, "home/assay/config.toml", head+"token = 'hunter2'\n", ErrUnknown, `unknown key "hosts.a.example.token"`)
	refuses(t, "home/assay/config.toml", "[hosts.dl.example.com]\nnetrc = true\n", ErrUnknown, `unknown key "hosts.dl.example.com"`)
	refuses(t, "home/assay/config.toml", head+"token_command = 'vault'\n", nil, "config.toml:2")
	for _, text := range []string{head + "netrc = true\n", head, "[hosts]\n", "hosts = {'a.example' = {netrc = true}}\n", "[host]\nx = 1\n", "netrc = true\n", "token_file = 'x'\n", "credentials = 1\n"} {
		refuses(t, "work/assay.toml", text, ErrProject, "a project's file cannot add trust")
	}
}

func TestHostNames(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "dl.example.com": true, "dl.example.com:8443": true, "*.example.com": true, "*.example.com:1": true, "127.0.0.1": true, "127.0.0.1:65535": true,
		"[::1]": true, "[2001:db8::1]:443": true, "localhost": true, "a_b.example": true, "xn--bcher-kva.example": true,
		"": false, "*": false, "*.": false, "*example.com": false, "a.*.com": false, "a.example.": false, "A.example": false, "a.example:0": false, "a.example:": false,
		"a.example:65536": false, "a.example:x": false, "https://a.example": false, "a.example/x": false, "ann@a.example": false, "bücher.example": false, "::1": false,
		"[::1": false, "[]": false, "[::1]x": false, "[::1]x:80": false, "[::1]:": false, " a": false, ".example": false, "a b": false, strings.Repeat("a", 260): false,
	} {
		if err := checkHostName(name); (err == nil) != want {
			t.Errorf("%q: expected to be a host: %v, found %v", name, want, err)
		}
	}
}

func TestHostIsDeclaredOnce(t *testing.T) {
	const user = "home/assay/config.toml"
	for name, test := range map[string]struct{ system, user, says string }{
		"otherwise":        {"[hosts.a]\ntoken_file = '/x'\n", "[hosts.a]\ntoken_file = '/y'\n", "hosts.a: this host is declared otherwise in "},
		"other words":      {"[hosts.a]\ntoken_command = ['x', 'y']\n", "[hosts.a]\ntoken_command = ['x y']\n", "declared otherwise"},
		"in part":          {"[hosts.a]\ntoken_file = '/x'\nca = '/y'\n", "[hosts.a]\ntoken_file = '/x'\n", "declared otherwise"},
		"the same":         {"[hosts.a]\ntoken_file = '/x'\n", "[hosts.a]\ntoken_file = '/x'\n", ""},
		"another":          {"[hosts.a]\ntoken_file = '/x'\n", "[hosts.'a:80']\ntoken_file = '/y'\n", ""},
		"locked":           {"locked = ['hosts']\n[hosts.a]\ntoken_file = '/x'\n", "[hosts.b]\ntoken_file = '/x'\n", "hosts.b: this key is locked by "},
		"locked, the same": {"locked = ['hosts']\n[hosts.a]\ntoken_file = '/x'\n", "[hosts.a]\ntoken_file = '/x'\n", ""},
		"no such lock":     {"locked = ['hosts.a']\n", "", `unknown key "hosts.a"`},
	} {
		_, options := tree(t, map[string]string{"etc/config.toml": test.system, user: test.user})
		c, err := Load(options)
		if test.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if strings.HasPrefix(test.system, "locked") && !value(t, c, "hosts.a.token_file").Locked {
				t.Errorf("%s: it is not shown", name)
			}
			continue
		}
		if err == nil || c != nil || !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: expected %q, found %v", name, test.says, err)
		}
	}
	var many strings.Builder
	for i := range maxHosts + 1 {
		fmt.Fprintf(&many, "[hosts.h%d]\nnetrc = true\n", i)
	}
	refuses(t, user, many.String(), ErrValue, "expected at most 256 hosts, found more")
	_, options := tree(t, map[string]string{user: many.String()[:strings.LastIndex(many.String(), "[")]})
	if c, err := Load(options); err != nil || len(c.Hosts) != maxHosts {
		t.Errorf("expected %d hosts, found %v", maxHosts, err)
	}
}
