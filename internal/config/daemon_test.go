package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"assay/artifact"
)

const declaredAcme = "[repositories.acme]\nurl = 'https://dl.example'\nroot_sha256 = '" + digest + "'\n"

func TestDaemon(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml": declaredAcme,
		"mirror.toml": `[mirror]
dir = "/var/lib/m/"
listen = ["127.0.0.1:8080", "[::1]:0", ":8443"]
admin = "127.0.0.1:9090"
admin_token_file = "admin.tokens"
tls_certificate = "m.pem"
tls_key = "/etc/m.key"
client_ca = "ca.pem"
tokens_file = "tokens"
rate = 50
connections = 9
max_connections = 100
min_rate = "1 KiB"
stop_grace = "1m"
quota = "200GB"
scrub_rate = 0
scrub_every = "7d"
[mirror.upstreams.acme]
mode = "filtered"
every = "5s"
products = ["hello"]
channels = ["stable"]
platforms = ["linux/amd64", "any"]
versions = "^1.4"
keep = 5
max_age = "365d"
serve_expired = true
sources = ["https://dl.example/x"]
`,
	})
	options.ConfigFlag = filepath.Join(dir, "mirror.toml")
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	versions, err := artifact.ParseRange("^1.4")
	if err != nil {
		t.Fatal(err)
	}
	d := *c.Daemon
	d.place, d.Origin, d.Upstreams[0].place, d.Upstreams[0].Origin = place{}, Origin{}, place{}, Origin{}
	want := Daemon{
		Dir: "/var/lib/m", Listen: []string{"127.0.0.1:8080", "[::1]:0", ":8443"}, Admin: "127.0.0.1:9090",
		AdminTokens: filepath.Join(dir, "admin.tokens"), Certificate: filepath.Join(dir, "m.pem"), Key: "/etc/m.key",
		ClientCA: filepath.Join(dir, "ca.pem"), Tokens: filepath.Join(dir, "tokens"),
		Rate: 50, Burst: 100, Connections: 9, MaxConnections: 100, MinRate: 1 << 10, StopGrace: time.Minute, Quota: 200e9, ScrubEvery: 7 * 24 * time.Hour,
		Upstreams: []Upstream{{
			Name: "acme", Mode: ModeFiltered, Every: 5 * time.Second, Products: []string{"hello"}, Channels: []string{"stable"},
			Platforms: []artifact.Platform{{OS: "linux", Arch: "amd64"}, {OS: "any", Arch: "any"}}, Versions: &versions, Keep: 5, MaxAge: 365 * 24 * time.Hour,
			ServeExpired: true, Sources: []string{"https://dl.example/x"},
		}},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("expected %+v, found %+v", want, d)
	}
	for key, want := range map[string]string{
		"mirror.dir":                          "/var/lib/m, mirror.toml:2",
		"mirror.listen":                       "127.0.0.1:8080, [::1]:0, :8443, mirror.toml:3",
		"mirror.tls_key":                      "/etc/m.key, mirror.toml:7",
		"mirror.burst":                        "100, default",
		"mirror.connections":                  "9, mirror.toml:11",
		"mirror.quota":                        "200 GB, mirror.toml:15",
		"mirror.scrub_rate":                   "none, mirror.toml:16",
		"mirror.upstreams.acme.platforms":     "linux/amd64, any, mirror.toml:23",
		"mirror.upstreams.acme.versions":      "^1.4, mirror.toml:24",
		"mirror.upstreams.acme.max_age":       "8760h, mirror.toml:26",
		"mirror.upstreams.acme.sources":       "https://dl.example/x, mirror.toml:28",
		"mirror.upstreams.acme.serve_expired": "true, mirror.toml:27",
	} {
		v := value(t, c, key)
		if found := v.Value + ", " + strings.TrimPrefix(v.Origin.String(), dir+string(filepath.Separator)); found != want {
			t.Errorf("%s: expected %s, found %s", key, want, found)
		}
	}
}

// What is silent is built in, and shown so.
func TestDaemonDefaults(t *testing.T) {
	_, options := tree(t, map[string]string{"home/assay/config.toml": declaredAcme + "[mirror]\ndir = '/m'\n[mirror.upstreams.acme]\n"})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultDaemon()
	want.Dir, want.AdminSocket = "/m", "/m/admin.sock"
	want.Upstreams = []Upstream{{Name: "acme", Mode: ModeFull, Every: 15 * time.Minute}}
	d := *c.Daemon
	d.place, d.Origin, d.Upstreams[0].place, d.Upstreams[0].Origin = place{}, Origin{}, place{}, Origin{}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("expected %+v, found %+v", want, d)
	}
	for key, want := range map[string]string{
		"mirror.listen": "127.0.0.1:8080", "mirror.admin": "unix:/m/admin.sock", "mirror.rate": "none", "mirror.quota": "none",
		"mirror.scrub_rate": "20 MB", "mirror.upstreams.acme.mode": "full", "mirror.upstreams.acme.every": "15m",
	} {
		if v := value(t, c, key); v.Value != want || v.Origin.String() != "default" {
			t.Errorf("%s: expected %s, default, found %s, %s", key, want, v.Value, v.Origin)
		}
	}
	if c, err = Load(LoadOptions{}); err != nil || c.Daemon != nil {
		t.Errorf("without the table: expected no daemon, found %+v, %v", c.Daemon, err)
	}
}

func TestDaemonRefused(t *testing.T) {
	const head = "[mirror]\ndir = '/m'\n"
	for text, says := range map[string]string{
		"[mirror]\nlisten = [':1']\n":                               `mirror.dir: expected an absolute path, found ""`,
		"[mirror]\ndir = 'm'\n":                                     `config.toml:2: mirror.dir: expected an absolute path, found "m"`,
		head + "otlp_endpoint = 'http://u:hunter2@x'\n":             `config.toml:3: mirror.otlp_endpoint: expected a URL like "http://127.0.0.1:4318", without user, query and fragment, found something else`,
		head + "otlp_endpoint = ''\n":                               "mirror.otlp_endpoint: expected a URL",
		head + "listen = []\n":                                      "mirror.listen: expected 1 to 16 addresses, found 0",
		head + "listen = ['x:80']\n":                                `config.toml:3: mirror.listen: expected ADDRESS:PORT like "127.0.0.1:8080" or "[::1]:8080", or ":8080", found "x:80"`,
		head + "listen = [':80000']\n":                              `found ":80000"`,
		head + "listen = ['unix:/x']\n":                             `found "unix:/x"`,
		head + "listen = [" + strings.Repeat("':1',", 17) + "]\n":   "found 17",
		head + "admin = 'unix:x'\n":                                 `mirror.admin: expected the absolute path of a socket behind "unix:", found "x"`,
		head + "admin = 'unix:/" + strings.Repeat("x", 100) + "'\n": "expected a socket with a path of at most 100 bytes, as systems take no longer one, found 101",
		head + "admin = ''\n":                                       `mirror.admin: expected "unix:/PATH", or ADDRESS:PORT like "127.0.0.1:9090", found ""`,
		head + "admin = ':9090'\n":                                  "mirror.admin: expected admin_token_file beside an address",
		head + "admin_token_file = 'x'\n":                           "mirror.admin_token_file: expected no tokens with a socket",
		head + "tls_certificate = 'x'\n":                            "mirror.tls_certificate: expected a tls_key with the certificate, found none",
		head + "tls_key = 'x'\n":                                    "mirror.tls_key: expected a tls_certificate with the key, found none",
		head + "tls_key = ''\n":                                     "mirror.tls_key: expected the path of a file, found an empty text",
		head + "client_ca = 'x'\n":                                  "mirror.client_ca: expected tls_certificate and tls_key with it",
		head + "burst = 5\n":                                        "mirror.burst: expected a rate beside it, found none",
		head + "connections = 9\nmax_connections = 8\n":             "config.toml:3: mirror.connections: expected at most max_connections, 8, found 9",
		head + "[mirror.upstreams.other]\n":                         "mirror.upstreams.other: expected a repository that is declared in [repositories.other], with its root, found none",
		head + "[mirror.upstreams.acmee]\nmode = 'lazy'\n":          `found none; did you mean "acme"?`,
		head + "[mirror.upstreams.Acme]\nmode = 'lazy'\n":           "mirror.upstreams.Acme: ",
	} {
		refuses(t, "home/assay/config.toml", text+declaredAcme, ErrValue, says)
	}
	for text, says := range map[string]string{
		"mode = 'half'":                                          `mode: expected full, filtered or lazy, found "half"`,
		"mode = 'filtered'":                                      `mode: expected a filter in the mode "filtered", one of products, channels, platforms, versions, keep, max_age, found none`,
		"keep = 5":                                               `config.toml:4: mirror.upstreams.acme.keep: expected no filter in the mode "full", found one`,
		"mode = 'lazy'\nproducts = []":                           "config.toml:5: mirror.upstreams.acme.products: expected 1 to 4096 words, found 0; without the key all are carried",
		"mode = 'lazy'\nproducts = ['X']":                        "products: ",
		"mode = 'lazy'\nchannels = ['1']":                        "channels: ",
		"mode = 'lazy'\nplatforms = ['x']":                       "platforms: ",
		"mode = 'lazy'\nversions = 'x y'":                        "versions: ",
		"mode = 'lazy'\nversions = ''":                           "versions: ",
		"sources = ['http://a.example']":                         "sources: expected URLs that begin with https://, found another",
		"sources = ['https://u:pw@a.exam']":                      "sources: expected a URL without user and password, found one",
		"sources = [" + strings.Repeat("'https://a',", 17) + "]": "sources: expected at most 16 URLs, found 17",
	} {
		refuses(t, "home/assay/config.toml", head+"[mirror.upstreams.acme]\n"+text+"\n"+declaredAcme, ErrValue, says)
	}
	refuses(t, "home/assay/config.toml", head+"quotas = 5\n", ErrUnknown, `config.toml:3:1: unknown key "mirror.quotas"; did you mean "mirror.quota"?`)
	refuses(t, "home/assay/config.toml", head+"[mirror.upstreams.acme]\nproduct = ['x']\n", ErrUnknown, `unknown key "mirror.upstreams.acme.product"`)
	refuses(t, "work/assay.toml", head, ErrProject, "assay.toml:2: mirror: a project's file cannot add trust")
	refuses(t, "work/assay.toml", "[mirror]\n", ErrProject, "assay.toml:1: mirror: ")
}

// Each number has its bounds, at which it is taken as it is shown.
func TestDaemonBounds(t *testing.T) {
	const upstream = "[mirror.upstreams.acme]\nmode = 'filtered'\nproducts = ['hello']\n"
	type bounded struct {
		key, head string
		form      amount
		of        func(*Daemon) int64
	}
	list := []bounded{
		{"mirror.upstreams.acme.every", upstream, everyAmount, func(d *Daemon) int64 { return int64(d.Upstreams[0].Every) }},
		{"mirror.upstreams.acme.keep", upstream, keepAmount, func(d *Daemon) int64 { return d.Upstreams[0].Keep }},
		{"mirror.upstreams.acme.max_age", upstream, ageAmount, func(d *Daemon) int64 { return int64(d.Upstreams[0].MaxAge) }},
	}
	for _, a := range daemonAmounts {
		head := ""
		if a.key == "burst" {
			head = "rate = 1\n"
		}
		list = append(list, bounded{"mirror." + a.key, head, a.amount, func(d *Daemon) int64 { return *a.field(d) }})
	}
	for _, b := range list {
		head := declaredAcme + "[mirror]\ndir = '/m'\n" + b.head
		set := b.key[strings.LastIndexByte(b.key, '.')+1:] + " = "
		taken := []int64{b.form.least, b.form.highest}
		if b.form.none {
			taken = append(taken, 0)
		}
		for _, n := range taken {
			shown := "'" + b.form.text(n) + "'"
			if b.form.unit == count && n > 0 {
				shown = b.form.text(n)
			}
			_, options := tree(t, map[string]string{"home/assay/config.toml": head + set + shown})
			c, err := Load(options)
			if err != nil {
				t.Fatal(err)
			}
			if found := b.of(c.Daemon); found != n {
				t.Errorf("%s = %s: expected %d, found %d", b.key, shown, n, found)
			}
			if v := value(t, c, b.key); "'"+v.Value+"'" != shown && v.Value != shown {
				t.Errorf("%s = %s: shown as %s", b.key, shown, v.Value)
			}
		}
		below, above := fmt.Sprint(b.form.least-1), fmt.Sprint(b.form.highest+1)
		if b.form.unit == span {
			below, above = "'"+fmt.Sprint(b.form.least/int64(time.Second)-1)+"s'", "'999999d'"
		}
		for _, bad := range []string{below, above, "true", "1.5", "-1", "'x'", "''"} {
			if b.form.none && bad == "0" {
				continue
			}
			refuses(t, "home/assay/config.toml", head+set+bad, ErrValue, b.key+": expected "+b.form.expected()+", found ")
		}
		if !b.form.none {
			refuses(t, "home/assay/config.toml", head+set+"'none'", ErrValue, `found "none"`)
		}
	}
}

func TestDaemonIsDeclaredOnce(t *testing.T) {
	const table = "[mirror]\ndir = '/m'\n"
	for _, test := range []struct {
		system string
		kind   error
		says   string
	}{
		{table, ErrValue, "config.toml:2: mirror: expected the mirror daemon in one file, found it in "},
		{"locked = ['mirror']\n", ErrLocked, "config.toml:2: mirror: this key is locked by "},
	} {
		_, options := tree(t, map[string]string{"etc/config.toml": test.system, "home/assay/config.toml": table})
		if c, err := Load(options); c != nil || !errors.Is(err, test.kind) || !strings.Contains(filepath.ToSlash(err.Error()), test.says) {
			t.Errorf("%q: expected %q, found %v, %v", test.system, test.says, c, err)
		}
	}
}
