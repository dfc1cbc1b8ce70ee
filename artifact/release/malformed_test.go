package release

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"assay/internal/strictjson"
)

// badDocument is an edit of an example that must be refused with exactly this
// field and this sentinel.
type badDocument struct {
	name  string
	pairs []string // as edit takes them
	field string
	err   error
}

func TestBadCatalog(t *testing.T) {
	runBad(t, "catalog.json", func(data []byte) (any, error) { return nilOr(DecodeCatalog(data)) }, []badDocument{
		{"not JSON", []string{`{
  "schema"`, `<!doctype html>`}, "", ErrMalformed},
		{"cut short", []string{"  ]\n}", ""}, "products[1]", strictjson.ErrSyntax},
		{"trailing data", []string{"  ]\n}", "  ]\n} {}"}, "", strictjson.ErrSyntax},
		{"too large", []string{"  ]\n}", "  ]\n}" + strings.Repeat(" ", MaxCatalogBytes)}, "", strictjson.ErrTooLarge},
		{"too deep", []string{`"products"`, `"x": ` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `, "products"`},
			"x" + strings.Repeat("[0]", 15), strictjson.ErrTooDeep},
		{"repeated key", []string{`"products"`, `"schema": "assay.catalog/v1", "products"`}, "schema", strictjson.ErrDuplicate},
		{"null", []string{`"Moves files"`, `null`}, "products[1].summary", strictjson.ErrNull},
		{"no schema", []string{`"schema"`, `"scheme"`}, "schema", ErrMalformed},
		{"schema not text", []string{`"assay.catalog/v1"`, `1`}, "schema", ErrMalformed},
		{"another kind", []string{`assay.catalog/v1`, `assay.release/v1`}, "schema", ErrSchema},
		{"foreign schema", []string{`assay.catalog/v1`, `https://json-schema.org`}, "schema", ErrSchema},
		{"later version", []string{`assay.catalog/v1`, `assay.catalog/v2`}, "schema", ErrSchemaVersion},
		{"no products", []string{`"products"`, `"product"`}, "products", ErrMalformed},
		{"case folding", []string{`"products"`, `"Products"`}, "Products", ErrMalformed},
		{"case folding with the long s", []string{`"summary": "Moves`, `"ſummary": "x", "summary": "Moves`}, `products[1]["ſummary"]`, ErrMalformed},
		{"products not a list", []string{`"products": [`, `"products": {"x": [`, "  ]\n}", "  ]}\n}"}, "products", ErrMalformed},
		{"product not an object", []string{`"products": [`, `"products": [7,`}, "products[0]", ErrMalformed},
		{"product name", []string{`"hello"`, `"Hello"`}, "products[0].product", ErrMalformed},
		{"product name with a slash", []string{`"hello"`, `"../hello"`}, "products[0].product", ErrMalformed},
		{"product like a channel", []string{`"hello"`, `"channel-x"`}, "products[0].product", ErrMalformed},
		{"product twice", []string{`"ferry"`, `"hello"`}, "products[1].product", ErrMalformed},
		{"channel name", []string{`"hotfix"`, `"1.4"`}, "products[0].channels[1]", ErrMalformed},
		{"channel twice", []string{`"hotfix"`, `"stable"`}, "products[0].channels[1]", ErrMalformed},
		{"no channels", []string{`["stable"]`, `[]`}, "products[1].channels", ErrMalformed},
		{"terminal escape", []string{`Prints a`, `Prints\u001b[2J a`}, "products[0].summary", ErrMalformed},
		{"C1 control", []string{`Prints a`, `Prints\u009b2J a`}, "products[0].summary", ErrMalformed},
		{"direction override", []string{`Prints a`, `Prints\u202e a`}, "products[0].summary", ErrMalformed},
		{"line feed", []string{`Prints a`, `Prints\na`}, "products[0].summary", ErrMalformed},
		{"long summary", []string{`Prints a`, strings.Repeat("x", 1100)}, "products[0].summary", ErrMalformed},
	})
}

func TestBadChannel(t *testing.T) {
	decode := func(data []byte) (any, error) { return nilOr(DecodeChannel(data, "hello", "stable")) }
	runBad(t, "channel-stable/hello.json", decode, []badDocument{
		{"too large", []string{`"updated"`, strings.Repeat(" ", MaxChannelBytes) + `"updated"`}, "", strictjson.ErrTooLarge},
		{"later version", []string{`channel/v1`, `channel/v2`}, "schema", ErrSchemaVersion},
		{"another kind", []string{`channel/v1`, `catalog/v1`}, "schema", ErrSchema},
		{"another product", []string{`"product": "hello"`, `"product": "ferry"`}, "product", ErrBinding},
		{"another channel", []string{`"channel": "stable"`, `"channel": "hotfix"`}, "channel", ErrBinding},
		{"no date", []string{`"updated"`, `"update"`}, "updated", ErrMalformed},
		{"bad date", []string{`2026-11-02T09:00:00Z`, `2026-02-30T09:00:00Z`}, "updated", ErrMalformed},
		{"leap second", []string{`2026-11-02T09:00:00Z`, `2026-12-31T23:59:60Z`}, "updated", ErrMalformed},
		{"lower-case date", []string{`2026-11-02T09:00:00Z`, `2026-11-02t09:00:00z`}, "updated", ErrMalformed},
		{"date without zone", []string{`2026-11-02T09:00:00Z`, `2026-11-02T09:00:00`}, "updated", ErrMalformed},
		{"max_age without unit", []string{`"90d"`, `"90"`}, "max_age", ErrMalformed},
		{"max_age of a number", []string{`"90d"`, `90`}, "max_age", ErrMalformed},
		{"max_age too long", []string{`"90d"`, `"101000d"`}, "max_age", ErrMalformed},
		{"bad version", []string{`"version": "1.5.0"`, `"version": "1.5"`}, "releases[0].version", ErrMalformed},
		{"leading v", []string{`"version": "1.5.0"`, `"version": "v1.5.0"`}, "releases[0].version", ErrMalformed},
		{"version beyond 64 bits", []string{`"version": "1.5.0"`, `"version": "99999999999999999999.5.0"`}, "releases[0].version", ErrMalformed},
		{"version twice", []string{`"version": "1.4.2", "manifest": "hello/1.4.2`, `"version": "1.5.0", "manifest": "hello/1.5.0`},
			"releases[1].version", ErrMalformed},
		{"version twice but for its build", []string{`"version": "1.4.2", "manifest": "hello/1.4.2`, `"version": "1.5.0+b", "manifest": "hello/1.5.0+b`},
			"releases[1].version", ErrMalformed},
		{"manifest of another version", []string{`hello/1.5.0/release.json`, `hello/1.4.2/release.json`}, "releases[0].manifest", ErrBinding},
		{"manifest of another product", []string{`hello/1.5.0/release.json`, `ferry/1.5.0/release.json`}, "releases[0].manifest", ErrBinding},
		{"manifest by another spelling", []string{`hello/1.5.0/release.json`, `hello/./1.5.0/release.json`}, "releases[0].manifest", ErrBinding},
		{"status", []string{`"revoked"`, `"withdrawn"`}, "releases[3].status", ErrMalformed},
		{"status in capitals", []string{`"revoked"`, `"Revoked"`}, "releases[3].status", ErrMalformed},
		{"key in capitals", []string{`"status": "revoked"`, `"Status": "current", "status": "revoked"`}, "releases[3].Status", ErrMalformed},
		{"no status", []string{`"status": "revoked",`, ``}, "releases[3].status", ErrMalformed},
		{"first of two", []string{`"superseded"`, `"x"`, `"revoked"`, `"x"`}, "releases[2].status", ErrMalformed},
		{"reason with an escape", []string{`built on`, `built\u001b on`}, "releases[3].reason", ErrMalformed},
		{"percent above 100", []string{`"percent": 100`, `"percent": 101`}, "releases[0].rollout.steps[2].percent", ErrMalformed},
		{"percent below 0", []string{`"percent": 5`, `"percent": -5`}, "releases[0].rollout.steps[0].percent", ErrMalformed},
		{"percent as a fraction", []string{`"percent": 5`, `"percent": 5.0`}, "releases[0].rollout.steps[0].percent", ErrMalformed},
		{"percent falls", []string{`"percent": 5`, `"percent": 50`}, "releases[0].rollout.steps[1].percent", ErrMalformed},
		{"steps go back", []string{`2026-11-04`, `2026-11-01`}, "releases[0].rollout.steps[1].at", ErrMalformed},
		{"steps stand still", []string{`2026-11-09`, `2026-11-04`}, "releases[0].rollout.steps[2].at", ErrMalformed},
		{"no salt", []string{`"salt": "hello-1.5.0",`, ``}, "releases[0].rollout.salt", ErrMalformed},
		{"empty salt", []string{`"hello-1.5.0"`, `""`}, "releases[0].rollout.salt", ErrMalformed},
		{"no steps", []string{`"steps": [`, `"steps": [], "stairs": [`}, "releases[0].rollout.steps", ErrMalformed},
	})
}

func TestTooManyReleases(t *testing.T) {
	var list strings.Builder
	for i := range 10_001 {
		fmt.Fprintf(&list, `{"version":"0.0.%d","manifest":"hello/0.0.%[1]d/release.json","status":"current","since":"2026-01-01T00:00:00Z"},`, i)
	}
	data := edit(t, "channel-stable/hello.json", `"releases": [`, `"releases": [`+list.String())
	c, err := DecodeChannel(data, "hello", "stable")
	checkBad(t, c == nil, err, badDocument{field: "releases", err: ErrMalformed})
}

func TestBadRelease(t *testing.T) {
	decode := func(data []byte) (any, error) { return nilOr(DecodeRelease(data, "hello", version("1.4.2"))) }
	const target, url = `"hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"`, `"https://forge.example/hello/hello/releases/download/v1.4.2/hello_1.4.2_windows_amd64.zip"`
	const hex = "6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	pieces := func(length, count int) string {
		return fmt.Sprintf(`"libc": "static", "pieces": {"length": %d, "sha256": [%s]}`, length, strings.TrimSuffix(strings.Repeat(`"`+hex+`",`, count), ","))
	}
	runBad(t, "hello/1.4.2/release.json", decode, []badDocument{
		{"too large", []string{`"license"`, strings.Repeat(" ", MaxReleaseBytes) + `"license"`}, "", strictjson.ErrTooLarge},
		{"later version", []string{`release/v1`, `release/v2`}, "schema", ErrSchemaVersion},
		{"another kind", []string{`release/v1`, `channel/v1`}, "schema", ErrSchema},
		{"another product", []string{`"product": "hello"`, `"product": "ferry"`}, "product", ErrBinding},
		{"another version", []string{`"version": "1.4.2"`, `"version": "1.4.3"`}, "version", ErrBinding},
		{"another build", []string{`"version": "1.4.2"`, `"version": "1.4.2+x"`}, "version", ErrBinding},
		{"no publishing date", []string{`"published"`, `"publish"`}, "published", ErrMalformed},
		{"no artifacts", []string{`"artifacts": [`, `"artifacts": [], "others": [`}, "artifacts", ErrMalformed},
		{"too many entries for the schema's checker", []string{`"artifacts": [`, `"artifacts": [` + strings.Repeat(`1,`, maxElements)}, "", ErrMalformed},
		{"target and urls", []string{`"target": ` + target, `"urls": ["https://x.example/a"], "target": ` + target}, "artifacts[0]", ErrMalformed},
		{"neither target nor urls", []string{`"target": ` + target + `,`, ``}, "artifacts[0]", ErrMalformed},
		{"no os", []string{`"os": "linux",`, ``}, "artifacts[0].os", ErrMalformed},
		{"no arch", []string{`"arch": "amd64",`, ``}, "artifacts[0].arch", ErrMalformed},
		{"os in capitals", []string{`"linux"`, `"Linux"`}, "artifacts[0].os", ErrMalformed},
		{"variant of any", []string{`"arch": "amd64"`, `"arch": "any", "variant": "v7"`}, "artifacts[0].variant", ErrMalformed},
		{"no length", []string{`"length": 1843201,`, ``}, "artifacts[0].length", ErrMalformed},
		{"negative length", []string{`1843201`, `-1`}, "artifacts[0].length", ErrMalformed},
		{"length as a fraction", []string{`1843201`, `1.5`}, "artifacts[0].length", ErrMalformed},
		{"length with a point", []string{`1843201`, `1843201.0`}, "artifacts[0].length", ErrMalformed},
		{"length with an exponent", []string{`1843201`, `1e3`}, "artifacts[0].length", ErrMalformed},
		{"length with a vast exponent", []string{`1843201`, `1e-999999999`}, "artifacts[0].length", ErrMalformed},
		{"length beyond 2^53", []string{`1843201`, `9007199254740992`}, "artifacts[0].length", ErrMalformed},
		{"length beyond 64 bits", []string{`1843201`, `99999999999999999999`}, "artifacts[0].length", ErrMalformed},
		{"length as text", []string{`1843201`, `"1843201"`}, "artifacts[0].length", ErrMalformed},
		{"no digests", []string{`{"sha256": "6f1e`, `{"blake3": "6f1e`}, "artifacts[0].digests", ErrMalformed},
		{"short digest", []string{hex, hex[2:]}, "artifacts[0].digests.sha256", ErrMalformed},
		{"digest in capitals", []string{hex, strings.ToUpper(hex)}, "artifacts[0].digests.sha256", ErrMalformed},
		{"digest under another algorithm", []string{`{"sha256": "6f1e`, `{"sha512": "6f1e`}, "artifacts[0].digests.sha512", ErrMalformed},
		{"algorithm in capitals", []string{`{"sha256": "6f1e`, `{"SHA256": "6f1e`}, "artifacts[0].digests.SHA256", ErrMalformed},
		{"target of another version", []string{target, `"hello/1.4.1/x"`}, "artifacts[0].target", ErrBinding},
		{"target of another product", []string{target, `"ferry/1.4.2/x"`}, "artifacts[0].target", ErrBinding},
		{"target further down", []string{target, `"hello/1.4.2/x/y"`}, "artifacts[0].target", ErrBinding},
		{"target at the top", []string{target, `"x"`}, "artifacts[0].target", ErrBinding},
		{"target is the manifest", []string{target, `"hello/1.4.2/release.json"`}, "artifacts[0].target", ErrBinding},
		{"target climbs", []string{target, `"hello/1.4.2/../1.4.1/x"`}, "artifacts[0].target", ErrMalformed},
		{"target is absolute", []string{target, `"/hello/1.4.2/x"`}, "artifacts[0].target", ErrMalformed},
		{"target with an empty segment", []string{target, `"hello//1.4.2/x"`}, "artifacts[0].target", ErrMalformed},
		{"target with a backslash", []string{target, `"hello/1.4.2/..\\x"`}, "artifacts[0].target", ErrMalformed},
		{"target with a control character", []string{target, `"hello/1.4.2/x\u0007"`}, "artifacts[0].target", ErrMalformed},
		{"target is hidden", []string{target, `"hello/1.4.2/.bashrc"`}, "artifacts[0].target", ErrMalformed},
		{"same target, other bytes", []string{`"urls": [` + url + `]`, `"target": ` + target}, "artifacts[1].target", ErrMalformed},
		{"same target, other length", []string{url, target, `"urls": [` + target + `]`, `"target": ` + target,
			"a5b4c3d2e1f06f1e0d2c3b4a59687786f00f1e2d3c4b5a69788796a5b4c3d2e1", hex}, "artifacts[1].target", ErrMalformed},
		{"sbom elsewhere", []string{`"sbom": "hello/1.4.2/`, `"sbom": "hello/1.4.1/`}, "artifacts[0].sbom", ErrBinding},
		{"bundle elsewhere", []string{`"bundles": ["hello/1.4.2/hello`, `"bundles": ["ferry/1.4.2/hello`}, "artifacts[0].bundles[0]", ErrBinding},
		{"checksums elsewhere", []string{`"hello/1.4.2/checksums.txt"`, `"checksums.txt"`}, "checksums.target", ErrBinding},
		{"checksums bundle elsewhere", []string{`["hello/1.4.2/checksums`, `["hello/1.4.3/checksums`}, "checksums.bundles[0]", ErrBinding},
		{"no urls", []string{`[` + url + `]`, `[]`}, "artifacts[1].urls", ErrMalformed},
		{"url without TLS", []string{url, `"http://forge.example/hello.zip"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url that looks like loopback", []string{url, `"http://127.0.0.1.example/hello.zip"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url with a user", []string{url, `"https://u:secret@forge.example/hello.zip"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url with a fragment", []string{url, `"https://forge.example/hello.zip#x"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url with an empty fragment", []string{url, `"https://forge.example/hello.zip#"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url of a file", []string{url, `"file:///etc/passwd"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url without a host", []string{url, `"https:///hello.zip"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url without a scheme", []string{url, `"forge.example/hello.zip"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url with a space", []string{url, `"https://forge.example/hello .zip"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url without a name", []string{url, `"https://forge.example/"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url whose name hides a slash", []string{url, `"https://forge.example/a%2f..%2fb"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"url whose name is hidden", []string{url, `"https://forge.example/%2ebashrc"`}, "artifacts[1].urls[0]", ErrMalformed},
		{"second url", []string{url, url + `, "http://x.example/a"`}, "artifacts[1].urls[1]", ErrMalformed},
		{"too many urls", []string{url, url + strings.Repeat(`, "https://x.example/a"`, 16)}, "artifacts[1].urls", ErrMalformed},
		{"executable climbs", []string{`"hello_1.4.2_linux_amd64/hello"`, `"../hello"`}, "artifacts[0].executables[0].path", ErrMalformed},
		{"executable is absolute", []string{`"hello_1.4.2_linux_amd64/hello"`, `"/bin/sh"`}, "artifacts[0].executables[0].path", ErrMalformed},
		{"executable on a drive", []string{`"path": "hello.exe"`, `"path": "C:hello.exe"`}, "artifacts[1].executables[0].path", ErrMalformed},
		{"link with a path", []string{`"link": "hello"`, `"link": "bin/hello"`}, "artifacts[0].executables[0].link", ErrMalformed},
		{"link to the parent", []string{`"link": "hello"`, `"link": ".."`}, "artifacts[0].executables[0].link", ErrMalformed},
		{"too few pieces", []string{`"libc": "static"`, pieces(1<<20, 1)}, "artifacts[0].pieces.sha256", ErrMalformed},
		{"too many pieces", []string{`"libc": "static"`, pieces(1<<20, 3)}, "artifacts[0].pieces.sha256", ErrMalformed},
		{"pieces of nothing", []string{`"libc": "static"`, pieces(0, 1)}, "artifacts[0].pieces.length", ErrMalformed},
		{"content without digests", []string{`"libc": "static"`, `"content": {"length": 1}`}, "artifacts[0].content.digests", ErrMalformed},
		{"note with an escape", []string{`Locale is`, `Locale\u001b]0;x\u0007 is`}, "known_issues[0]", ErrMalformed},
		{"reproducible as text", []string{`"reproducible": true`, `"reproducible": "yes"`}, "build.reproducible", ErrMalformed},
		{"component without a name", []string{`{"name": "golang.org/x/text", `, `{`}, "components[0].name", ErrMalformed},
		{"team with a line feed", []string{`Hello release team`, `Hello\nteam`}, "publisher.team", ErrMalformed},
	})
}

// What looks odd and is right.
func TestGoodReleases(t *testing.T) {
	const url = `"https://forge.example/hello/hello/releases/download/v1.4.2/hello_1.4.2_windows_amd64.zip"`
	const hex = "6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	for name, pairs := range map[string][]string{
		"http on loopback":          {url, `"http://127.0.0.1:8080/hello.zip"`},
		"http on loopback 6":        {url, `"http://[::1]:8080/hello.zip"`},
		"http on localhost":         {url, `"http://localhost/hello.zip?x=1"`},
		"several lines of notes":    {`Locale is`, `Locale\n\tis`},
		"length of nothing":         {`1843201`, `0`},
		"length of 2^53-1":          {`1843201`, `9007199254740991`},
		"pieces":                    {`"libc": "static"`, `"pieces": {"length": 1048576, "sha256": ["` + hex + `", "` + hex + `"]}`},
		"one piece of exact length": {`"libc": "static"`, `"pieces": {"length": 1843201, "sha256": ["` + hex + `"]}`},
		"content":                   {`"libc": "static"`, `"content": {"length": 1, "digests": {"sha256": "` + hex + `"}}`},
		"any platform":              {`"os": "linux"`, `"os": "any"`, `"arch": "amd64"`, `"arch": "any"`},
		"one file for two platforms": {`"urls": [` + url + `]`, `"target": "hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz"`, `1902113`, `1843201`,
			"a5b4c3d2e1f06f1e0d2c3b4a59687786f00f1e2d3c4b5a69788796a5b4c3d2e1", hex},
		"no team": {`"team"`, `"crew"`},
	} {
		if _, err := DecodeRelease(edit(t, "hello/1.4.2/release.json", pairs...), "hello", version("1.4.2")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadMirrors(t *testing.T) {
	const url = `"https://eu.mirror.example/r/acme/"`
	cases := []badDocument{
		{"too large", []string{`"mirrors"`, strings.Repeat(" ", MaxMirrorsBytes) + `"mirrors"`}, "", strictjson.ErrTooLarge},
		{"later version", []string{`mirrors/v1`, `mirrors/v9`}, "schema", ErrSchemaVersion},
		{"no url", []string{`"url": ` + url + `, `, ``}, "mirrors[0].url", ErrMalformed},
		{"negative weight", []string{`"weight": 10, "cidrs"`, `"weight": -1, "cidrs"`}, "mirrors[0].weight", ErrMalformed},
		{"bad network", []string{`10.20.0.0/16`, `10.20.0.0/33`}, "mirrors[0].cidrs[0]", ErrMalformed},
		{"no network", []string{`10.20.0.0/16`, `10.20.0.0`}, "mirrors[0].cidrs[0]", ErrMalformed},
	}
	for _, bad := range []string{
		"http://eu.mirror.example/", "https://", "https://u@eu.mirror.example/", "https://eu.mirror.example/#x", "https://eu.mirror.example/?x",
		"https://eu.mirror.example/?", "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
		"https://0x7f000001/", "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:0.0.0.0]/", "https://[2001:db8::1%25eth0]/", "https://169.254.169.254/", "https://[fe80::1]/",
		"https://[fe80::1%25eth0]/", "https://224.0.0.1/", "https://./", "ftp://eu.mirror.example/", "//eu.mirror.example/",
	} {
		cases = append(cases, badDocument{bad, []string{url, `"` + bad + `"`}, "mirrors[0].url", ErrMalformed})
	}
	runBad(t, "mirrors.json", func(data []byte) (any, error) { return nilOr(DecodeMirrors(data)) }, cases)
	for _, good := range []string{"https://10.0.0.7:8443/r/acme/", "https://[2001:db8::1]/", "https://mirror/"} {
		if _, err := DecodeMirrors(edit(t, "mirrors.json", url, `"`+good+`"`)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// nilOr makes an untyped nil of a nil pointer.
func nilOr[T any](doc *T, err error) (any, error) {
	if doc == nil {
		return nil, err
	}
	return doc, err
}

func runBad(t *testing.T, name string, decode func([]byte) (any, error), cases []badDocument) {
	t.Helper()
	for _, bad := range cases {
		t.Run(bad.name, func(t *testing.T) {
			doc, err := decode(edit(t, name, bad.pairs...))
			checkBad(t, doc == nil, err, bad)
			if e, ok := errors.AsType[*FieldError](err); ok && e.Document != name {
				t.Errorf("the document is %q, want %q", e.Document, name)
			}
		})
	}
}

func checkBad(t *testing.T, nothing bool, err error, bad badDocument) {
	t.Helper()
	if !nothing {
		t.Error("a document came back")
	}
	e, ok := errors.AsType[*FieldError](err)
	if !ok {
		t.Fatalf("got %v, want a FieldError", err)
	}
	if e.Field != bad.field {
		t.Errorf("the field is %q, want %q (%v)", e.Field, bad.field, err)
	}
	sentinels := 0
	for _, sentinel := range []error{ErrMalformed, ErrBinding, ErrSchema, ErrSchemaVersion} {
		if errors.Is(err, sentinel) {
			sentinels++
		}
	}
	if !errors.Is(err, bad.err) || sentinels != 1 {
		t.Errorf("got %v, want %v", err, bad.err)
	}
	if e.Expected == "" || e.Found == "" || len(err.Error()) > 600 || strings.ContainsAny(err.Error(), "\x1b\x07\n\u009b\u202e") {
		t.Errorf("the message is %q", err)
	}
}
