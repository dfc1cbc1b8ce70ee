package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestMirrors(t *testing.T) {
	_, options := tree(t, map[string]string{
		"etc/config.toml": "region = 'us'\n[repositories.acme]\nmirrors = ['https://old.example']\nmirrors_only = true\n[repositories.other]\nmirrors = ['https://other.example/']\n",
		"home/assay/config.toml": `region = "eu-west"
[repositories.acme]
mirrors = [
  "https://a.example/r/",
  { url = "http://b.example:81", region = "eu", weight = 10, cidrs = ["10.20.0.0/16", "2001:db8::/32"] },
  { url = "file:///srv/acme" },
]
`,
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	m := c.MirrorsOf("acme")
	if m.Only || len(m.List) != 3 {
		t.Fatalf("expected the user's three, with the origin; found %+v", m)
	}
	b := m.List[1]
	if m.List[0].URL != "https://a.example/r" || b.URL != "http://b.example:81" || b.Region != "eu" || b.Weight != 10 || len(b.CIDRs) != 2 || b.CIDRs[0].String() != "10.20.0.0/16" {
		t.Errorf("found %+v", m.List)
	}
	if !strings.HasSuffix(b.Origin.String(), "home/assay/config.toml:5") || c.Region != "eu-west" || len(c.Repositories) != 0 {
		t.Errorf("found %s, %s, %v", b.Origin, c.Region, c.Repositories)
	}
	if other := c.MirrorsOf("other"); len(other.List) != 1 || other.List[0].URL != "https://other.example" {
		t.Errorf("other: found %+v", other)
	}
	if none := c.MirrorsOf("none"); none.List != nil || none.Only {
		t.Errorf("none: found %+v", none)
	}
	if v := value(t, c, "repositories.acme.mirrors.2"); v.Value != "http://b.example:81, region eu, weight 10, near 10.20.0.0/16, near 2001:db8::/32" || v.Origin.Line != 5 {
		t.Errorf("found %+v", v)
	}
	if v := value(t, c, "region"); v.Value != "eu-west" || v.Origin.Line != 1 {
		t.Errorf("found %+v", v)
	}
}

// As tables, too; beside a declaration; and with a variable for the region.
func TestMirrorsInTables(t *testing.T) {
	_, options := tree(t, map[string]string{
		"home/assay/config.toml": "[repositories.acme]\nurl = 'https://acme.example'\nroot_sha256 = '" + digest + "'\nmirrors_only = true\n" +
			"[[repositories.acme.mirrors]]\nurl = 'https://a.example'\n[[repositories.acme.mirrors]]\nurl = 'https://b.example'\n",
	})
	options.Env = []string{"ASSAY_REGION=eu"}
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if m := c.MirrorsOf("acme"); !m.Only || len(m.List) != 2 || m.List[1].Origin.Line != 8 {
		t.Errorf("found %+v", m)
	}
	if v := value(t, c, "repositories.acme.mirrors_only"); v.Value != "true" || v.Origin.Line != 4 {
		t.Errorf("found %+v", v)
	}
	if c.Region != "eu" || len(c.Repositories) != 1 {
		t.Errorf("found %q, %v", c.Region, c.Repositories)
	}
}

func TestMirrorsThatCanNotBe(t *testing.T) {
	const table = "[repositories.acme]\n"
	many := func(n int, form string) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(form, i))
		}
		return strings.Join(list, ", ")
	}
	for _, test := range []struct{ text, want string }{
		{table + "mirrors_only = true", ":2: repositories.acme.mirrors_only: expected mirrors beside it, found none"},
		{table + "mirrors_only = false", ":2: repositories.acme.mirrors_only: expected mirrors beside it"},
		{table + "mirrors = []", ":2: repositories.acme.mirrors: expected 1 to 64 mirrors, found 0"},
		{table + "mirrors = [" + many(65, "'https://%d.example'") + "]", "expected 1 to 64 mirrors, found 65"},
		{table + "mirrors = ['https://a.example', 'https://a.example/']", ":2: repositories.acme.mirrors.1: expected each mirror once"},
		{table + "mirrors = [\n'https://a.example',\n3]", "repositories.acme.mirrors.1: expected a URL, or a table with one, found \"3\""},
		{table + "mirrors = [{ url = 'https://a.example',\nwieght = 1 }]", "mirrors.0.wieght: unknown key \"wieght\"; did you mean \"weight\"?"},
		{table + "mirrors = [{ region = 'eu' }]", "mirrors.0.url: expected a URL, found none"},
		{table + "mirrors = [{ url = 3 }]", "mirrors.0.url: expected a URL, found none"},
		{table + "mirrors = ['ftp://a.example']", "expected a URL that begins with https://"},
		{table + "mirrors = ['https://%zz']", "expected a URL that begins with https://"},
		{table + "mirrors = ['https:a.example']", "expected a URL that begins with https://"},
		{table + "mirrors = ['https:///x']", "expected a URL with a host"},
		{table + "mirrors = ['https://ann:hunter2@a.example']", "expected a URL without user and password"},
		{table + "mirrors = ['https://a.example?x']", "expected a URL without query and fragment"},
		{table + "mirrors = ['https://a.example?']", "expected a URL without query and fragment"},
		{table + "mirrors = ['https://a.example#x']", "expected a URL without query and fragment"},
		{table + "mirrors = [{ url = 'https://a.example', region = 'EU West' }]", "mirrors.0.region: expected a region like \"eu\" or \"eu-west\", found \"EU West\""},
		{table + "mirrors = [{ url = 'https://a.example', region = 3 }]", "mirrors.0.region: expected a region"},
		{table + "mirrors = [{ url = 'https://a.example', weight = -1 }]", "mirrors.0.weight: expected a whole number from 0 to 1000000, found \"-1\""},
		{table + "mirrors = [{ url = 'https://a.example', weight = 1000001 }]", "mirrors.0.weight: expected"},
		{table + "mirrors = [{ url = 'https://a.example', weight = 1.5 }]", "mirrors.0.weight: expected"},
		{table + "mirrors = [{ url = 'https://a.example', cidrs = ['10.1.2.3/8'] }]", "mirrors.0.cidrs: expected a network like 10.20.0.0/16, found \"10.1.2.3/8\""},
		{table + "mirrors = [{ url = 'https://a.example', cidrs = ['ten'] }]", "mirrors.0.cidrs: expected a network"},
		{table + "mirrors = [{ url = 'https://a.example', cidrs = [3] }]", "mirrors.0.cidrs: expected a network"},
		{table + "mirrors = [{ url = 'https://a.example', cidrs = '10.0.0.0/8' }]", "mirrors.0.cidrs: expected a list of at most 64 networks"},
		{table + "mirrors = [{ url = 'https://a.example', cidrs = [" + many(65, "'10.%d.0.0/16'") + "] }]", "mirrors.0.cidrs: expected a list of at most 64 networks"},
		{"[repositories.'A B']\nmirrors = ['https://a.example']", "mirrors: "},
		{"region = ''", ":1: region: expected a region"},
		{"region = 'a--b'", ":1: region: expected a region"},
		{"region = '" + strings.Repeat("a", 65) + "'", ":1: region: expected a region"},
	} {
		_, options := tree(t, map[string]string{"home/assay/config.toml": test.text})
		_, err := Load(options)
		if !errors.Is(err, ErrConfig) || !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s\n\texpected %q, found %v", test.text, test.want, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a password is given away: %v", err)
		}
	}
}

func TestMirrorsThatAreLocked(t *testing.T) {
	for _, locked := range []string{"repositories", "repositories.acme"} {
		system := "locked = ['" + locked + "', 'region']\nregion = 'eu'\n[repositories.acme]\nmirrors = ['https://a.example']\nmirrors_only = true\n"
		for text, refused := range map[string]bool{
			"[repositories.acme]\nmirrors = ['https://evil.example']":                     true,
			"[repositories.acme]\nmirrors = ['https://a.example']":                        true, // and so not only it
			"[repositories.acme]\nmirrors = ['https://a.example']\nmirrors_only = true\n": false,
			"region = 'us'": true,
			"region = 'eu'": false,
		} {
			_, options := tree(t, map[string]string{"etc/config.toml": system, "home/assay/config.toml": text})
			if _, err := Load(options); errors.Is(err, ErrLocked) != refused || !refused && err != nil {
				t.Errorf("%s: %s\n\texpected it to be refused: %v, found %v", locked, text, refused, err)
			}
		}
	}
}

func TestMirrorsOfAProject(t *testing.T) {
	for _, text := range []string{
		"[repositories.acme]\nmirrors = ['https://evil.example']", "mirrors = ['https://evil.example']", "mirrors_only = true", "region = 'eu'",
	} {
		_, options := tree(t, map[string]string{"work/assay.toml": text})
		if _, err := Load(options); !errors.Is(err, ErrProject) {
			t.Errorf("%s: expected it to be refused, found %v", text, err)
		}
	}
}
