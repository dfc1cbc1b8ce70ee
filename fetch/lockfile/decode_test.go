package lockfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// refusal is a change of the golden file, and what is said of it: the line of the
// text at, which is where the fault lies.
type refusal struct {
	old, new string
	at       string
	says     string
}

func (r refusal) check(t *testing.T, kind error) {
	t.Helper()
	text := replaced(t, r.old, r.new)
	f, err := Decode([]byte(text))
	var found *Error
	if !errors.Is(err, kind) || !errors.As(err, &found) || len(f.Repositories)+len(f.Products)+len(f.Pins) > 0 {
		t.Fatalf("expected %v and nothing read, found %v", kind, err)
	}
	want := fmt.Sprintf("%s:%d: %v: %s", Name, lineOf(t, text, r.at), kind, r.says)
	if !strings.HasPrefix(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("expected\n%s\nfound\n%s", want, err)
	}
	if errors.Is(err, ErrNewer) != (kind == ErrNewer) {
		t.Errorf("expected only %v, found %v", kind, err)
	}
}

const (
	schemaLine = "schema = \"assay.lock/v1\"\n"
	linux      = "platform = \"linux/amd64\"\ntarget = \"hello"
)

func TestDecodeRefuses(t *testing.T) {
	for name, test := range map[string]refusal{
		"no schema":           {schemaLine, "", "", "schema: expected \"assay.lock/v1\", found none"},
		"a misspelt schema":   {"schema = ", "shema = ", "shema", `unknown key "shema"; did you mean "schema"?`},
		"another kind":        {"assay.lock/v1", "assay.release/v1", "schema =", `schema: expected "assay.lock/v1", found "assay.release/v1"`},
		"an old schema":       {"assay.lock/v1", "assay.lock/v0", "schema =", `schema: expected "assay.lock/v1", found "assay.lock/v0"`},
		"a number for it":     {`"assay.lock/v1"`, "1", "schema =", `schema: expected "assay.lock/v1", found none`},
		"a misspelt key":      {"length = 73912", "lenght = 73912", "lenght", `unknown key "product.artifact.lenght"; did you mean "product.artifact.length"?`},
		"a key of its own":    {schemaLine, schemaLine + "zzzzzzzz = 1\n", "zzzzzzzz", `unknown key "zzzzzzzz"; known here: pin, product, repository, schema`},
		"upper case":          {"channel = ", "Channel = ", "Channel", `unknown key "product.Channel": keys are in lower case`},
		"a letter like s":     {"issuer = ", "\"iſsuer\" = ", "\"iſsuer", "unknown key \"pin.iſsuer\""},
		"a key twice":         {"length = 73912", "length = 73912\nlength = 1", "length = 1", "product.artifact.length: "},
		"text for a number":   {"root = 3", `root = "3"`, "root = ", "repository.root: "},
		"a number for text":   {`name = "acme"`, "name = 3", "name = 3", "repository.name: "},
		"no name":             {"name = \"acme\"\n", "", "root = 3", "repository.name: not a valid name: expected a repository, found nothing"},
		"a bad name":          {`name = "acme"`, `name = "../acme"`, "name = ", "repository.name: not a valid name"},
		"a repository twice":  {`name = "tools"`, `name = "acme"`, "name = \"acme\"\nroot = 1", "repository.name: expected the repository acme once, found it in line 7, too"},
		"an unknown one":      {`repository = "tools"`, `repository = "other"`, "repository = \"other\"", "product.repository: expected the name of a [[repository]] of this file, found \"other\""},
		"no root digest":      {"root_sha256 = \"cf", "# \"cf", "name = \"acme\"", "repository.root_sha256: not a digest"},
		"a short root digest": {"root_sha256 = \"cf", "root_sha256 = \"c", "root_sha256", "repository.root_sha256: not a digest: expected 64 hex digits for sha256, found 63"},
		"a product twice": {
			"name = \"hello\"\nrepository = \"acme\"", "name = \"fmt\"\nrepository = \"tools\"", "name = \"fmt\"\nrepository = \"tools\"\nrequest = \"^1.4\"",
			"product.name: expected fmt of tools once, found it in line 30, too",
		},
		"a hostile product":     {`name = "hello"`, `name = "channel-x"`, "name = \"channel-x\"", "product.name: not a valid name"},
		"a bad version":         {`version = "1.5.0"`, `version = "v1.5.0"`, "version = \"v1", "product.version: not a version"},
		"a bad request":         {`request = "^1.4"`, `request = "^^^"`, "request = \"^^", "product.request: not a range of versions"},
		"a bad channel":         {`request = "^1.4"` + "\nversion = \"1.5.0\"\nchannel = \"stable\"", `request = "^1.4"` + "\nversion = \"1.5.0\"\nchannel = \"S\"", "channel = \"S\"", "product.channel: not a valid name"},
		"not in the range":      {`request = "^1.4"`, `request = "^2"`, `version = "1.5.0"`, `product.version: expected one of "^2", which the request asks for, found 1.5.0`},
		"not the version":       {`request = "^1.4"`, `request = "1.4.2"`, `version = "1.5.0"`, "product.version: expected 1.4.2, which the request asks for, found 1.5.0"},
		"not the channel":       {`request = "stable"`, `request = "nightly"`, `channel = "stable"`, `product.channel: expected "nightly", which the request asks for, found "stable"`},
		"another manifest":      {`version = "1.5.0"`, `version = "1.6.0"`, `manifest = "hello`, `product.manifest: expected "hello/1.6.0/release.json", which the product and the version make, found "hello/1.5.0/release.json"`},
		"no manifest digest":    {"manifest_sha256 = \"05", "# \"05", "name = \"hello\"", "product.manifest_sha256: expected a digest, by sha256 or sha512, found none"},
		"a platform twice":      {linux, "platform = \"darwin/arm64\"\ntarget = \"hello", "platform = \"darwin/arm64\"\ntarget = \"hello/1.5.0/hello_1.5.0_linux", "product.artifact.platform: expected the platform darwin/arm64 once, found it in line 59, too"},
		"a bad platform":        {linux, "platform = \"linux\"\ntarget = \"hello", "platform = \"linux\"", "product.artifact.platform: not a platform"},
		"a target elsewhere":    {`target = "fmt/0.9.1/fmt-linux"`, `target = "fmt/0.9.2/fmt-linux"`, "target = ", `product.artifact.target: expected a file beside "fmt/0.9.1/release.json", found "fmt/0.9.2/fmt-linux"`},
		"a target upward":       {`target = "fmt/0.9.1/fmt-linux"`, `target = "fmt/0.9.1/.."`, "target = ", "product.artifact.target: not a valid name"},
		"a device":              {`target = "fmt/0.9.1/fmt-linux"`, `target = "fmt/0.9.1/nul"`, "target = ", "product.artifact.target: not a valid name"},
		"the manifest itself":   {`target = "fmt/0.9.1/fmt-linux"`, `target = "fmt/0.9.1/release.json"`, "target = ", "product.artifact.target: expected a file beside"},
		"no length":             {"length = 73912\n", "", "platform = \"linux/amd64\"\ntarget = \"fmt", "product.artifact.length: expected a length in bytes, found none"},
		"a negative length":     {"length = 73912", "length = -1", "length = -1", "product.artifact.length: expected 0 to 9007199254740991 bytes, found -1"},
		"a length of 2^53":      {"length = 73912", "length = 9007199254740992", "length = 9", "product.artifact.length: expected 0 to 9007199254740991 bytes"},
		"a length in fractions": {"length = 73912", "length = 7.5", "length = 7", "product.artifact.length: "},
		"no digest":             {"sha256 = \"c63e", "# \"c63e", "platform = \"linux/amd64\"\ntarget = \"fmt", "product.artifact.sha256: expected a digest, by sha256 or sha512, found none"},
		"a short digest":        {"sha256 = \"c63e", "sha256 = \"c6", "sha256 = \"c6", "product.artifact.sha256: not a digest: expected 64 hex digits for sha256, found 62"},
		"no hex":                {"sha256 = \"c63e", "sha256 = \"c63x", "sha256 = \"c63x", "product.artifact.sha256: not a digest: expected hex digits"},
		"an empty digest":       {"sha256 = \"c63e", "sha512 = \"\"\nsha256 = \"c63e", "sha512 = \"\"", "product.artifact.sha512: not a digest"},
		"http":                  {"https://forge.example", "http://forge.example", "urls = [", `product.artifact.urls: expected an https URL (http on a loopback address only), found the scheme "http"`},
		"a file":                {"https://forge.example/", "file:///", "urls = [", "product.artifact.urls: expected an absolute URL with a host"},
		"a fragment":            {"https://dl.example/fmt-linux", "https://dl.example/fmt#linux", "urls = [", "product.artifact.urls: expected a URL without a fragment"},
		"no URL":                {"https://dl.example/fmt-linux", "", "urls = [", "product.artifact.urls: expected a URL of 1 to 2048 bytes, found 0"},
		"a URL that is none":    {"https://dl.example/fmt-linux", "https://dl.example/%zz", "urls = [", "product.artifact.urls: expected an absolute URL with a host"},
		"a URL without host":    {"https://dl.example/fmt-linux", "https:///fmt-linux", "urls = [", "product.artifact.urls: expected an absolute URL with a host"},
		"an escape in a URL":    {"https://dl.example/fmt-linux", "https://dl.example/\u009b", "urls = [", "product.artifact.urls: expected a URL without spaces and unprintable"},
		"http to anybody":       {"https://dl.example/fmt-linux", "http://10.0.0.1/", "urls = [", "product.artifact.urls: expected an https URL"},
		"another scheme here":   {"https://dl.example/fmt-linux", "ftp://localhost/", "urls = [", `product.artifact.urls: expected an https URL (http on a loopback address only), found the scheme "ftp"`},
		"a space":               {"https://dl.example/fmt-linux", "https://dl.example/fmt linux", "urls = [", "product.artifact.urls: expected a URL without spaces"},
		"a long URL":            {"https://dl.example/fmt-linux", "https://dl.example/" + strings.Repeat("a", maxURL), "urls = [", "product.artifact.urls: expected a URL of 1 to 2048 bytes, found 2067"},
		"many URLs":             {"  \"https://dl.example/fmt-linux\",\n", strings.Repeat("  \"https://dl.example/fmt-linux\",\n", maxURLs), "urls = [", "product.artifact.urls: expected 0 to 16, found 17"},
		"a bundle elsewhere":    {`{ target = "hello/1.5.0/`, `{ target = "hello/1.4.0/`, "{ target = \"hello/1.4.0", "product.artifact.bundles.target: expected a file beside"},
		"a bundle's key":        {`.zip.sigstore.json", sha256`, `.zip.sigstore.json", sha257`, ".zip.sigstore.json", `unknown key "product.artifact.bundles.sha257"; did you mean`},
		"a bundle twice":        {"darwin_arm64.zip.provenance.sigstore.json", "darwin_arm64.zip.sigstore.json", "sha256 = \"9a1f", "product.artifact.bundles.target: expected the bundle hello/1.5.0/hello_1.5.0_darwin_arm64.zip.sigstore.json once, found it in line 64, too"},
		"a bundle's digest":     {`.zip.sigstore.json", sha256 = "9`, `.zip.sigstore.json", sha256 = "`, ".zip.sigstore.json", "product.artifact.bundles.sha256: not a digest"},
		"a bundle without":      {`.zip.sigstore.json", sha256 = "9a1f5ff3448517b7993951d7569ed732ac1c168cb1fedb033d3c950d2e6ab436"`, `.zip.sigstore.json"`, ".zip.sigstore.json", "product.artifact.bundles.sha256: expected a digest"},
		"a pin's name":          {`name = "jq"`, `name = "../jq"`, "name = \"../jq", "pin.name: not a valid name"},
		"a pin twice":           {`name = "yaml-schema"`, `name = "jq"`, "name = \"jq\"\nurls = [\n  \"git::", "pin.name: expected the pin jq once, found it in line 79, too"},
		"a pin without urls":    {"urls = [\n  \"https://dl.example/jq-1.7.tar.gz\",\n]\n", "", "name = \"jq\"", "pin.urls: expected 1 to 16, found 0"},
		"a pin without digest":  {"sha256 = \"c84d", "# \"c84d", "name = \"jq\"", "pin.sha256: expected a digest, by sha256 or sha512, found none"},
		"a pin of length 0":     {"length = 319216", "length = 0", "length = 0", "pin.length: expected 1 to 9007199254740991 bytes, found 0"},
		"no issuer":             {"issuer = ", "# ", "identity =", "pin.identity: expected an issuer beside it, found none"},
		"no identity":           {"identity = ", "# ", "issuer =", "pin.issuer: expected an identity beside it, found none"},
		"an empty identity":     {"identity = \"", "identity = \"\" # ", "identity =", "pin.identity: expected a text, found none"},
		"a long identity":       {"identity = \"", "identity = \"" + strings.Repeat("a", maxText), "identity =", "pin.identity: expected at most 1024 bytes"},
		"an escape":             {"identity = \"", "identity = \"\\u001b[2J", "identity =", `pin.identity: expected printable characters, found "\x1b[2J`},
		"an empty format":       {`format = "tar.gz"`, `format = ""`, "format =", `pin.format: expected a word like tar.gz, found ""`},
		"a long format":         {`format = "tar.gz"`, `format = "` + strings.Repeat("a", 33) + `"`, "format =", `pin.format: expected a word like tar.gz`},
		"a format like a flag":  {`format = "tar.gz"`, `format = "-x"`, "format =", `pin.format: expected a word like tar.gz, found "-x"`},
		"a format in capitals":  {`format = "tar.gz"`, `format = "TGZ"`, "format =", `pin.format: expected a word like tar.gz, found "TGZ"`},
		"a bad format":          {`format = "tar.gz"`, `format = "../x"`, "format =", `pin.format: expected a word like tar.gz, found "../x"`},
		"no TOML":               {schemaLine, "<html>\n", "<html>", ""},
		"not UTF-8":             {"identity = \"", "identity = \"\xff", "identity =", ""},
		"deeper than any":       {schemaLine, schemaLine + strings.Repeat("a.", 1<<18) + "a = 1\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.at == "" {
				text := replaced(t, test.old, test.new)
				f, err := Decode([]byte(text))
				if !errors.Is(err, ErrMalformed) || errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), test.says) || len(f.Products) > 0 || len(err.Error()) > 500 {
					t.Errorf("expected %v with %q, found %v", ErrMalformed, test.says, err)
				}
				return
			}
			test.check(t, ErrMalformed)
		})
	}
}

func TestNewerSchema(t *testing.T) {
	for name, test := range map[string]refusal{
		"the next":              {"assay.lock/v1", "assay.lock/v2", "schema =", `schema: expected "assay.lock/v1", the newest that this assay knows, found "assay.lock/v2": use a newer assay, or remove the file and have ` + "`assay lock`"},
		"far ahead":             {"assay.lock/v1", "assay.lock/v99999999999999999999", "schema =", "schema: "},
		"with other keys":       {schemaLine, "schema = \"assay.lock/v2\"\nnew = { a = 1 }\n", "schema =", "schema: "},
		"with another document": {schemaLine, "schema = \"assay.lock/v2\"\npin = 3\n", "", ""},
	} {
		if test.at != "" {
			t.Run(name, func(t *testing.T) { test.check(t, ErrNewer) })
		}
	}
	if _, err := Decode([]byte("schema = \"assay.lock/v2\"\npin = 3\n")); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	if _, err := Decode([]byte("schema = \"2\"\n")); !errors.Is(err, ErrMalformed) || errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrMalformed, err)
	}
	for _, odd := range []string{"v0", "v01", "v", "v1.1", "v-2", "v2 ", "v+2", "v1a", "2"} {
		if _, err := Decode([]byte(replaced(t, "assay.lock/v1", "assay.lock/"+odd))); !errors.Is(err, ErrMalformed) || errors.Is(err, ErrNewer) {
			t.Errorf("%s: expected %v, found %v", odd, ErrMalformed, err)
		}
	}
}

// What a floor can be is what package trust takes for the version of metadata.
func TestHostileFloors(t *testing.T) {
	for _, role := range []struct{ old, key string }{
		{"root = 3", "root"}, {"timestamp = 1874", "floors.timestamp"}, {"snapshot = 41", "floors.snapshot"}, {"targets = 5", "floors.targets"},
		{"channel-stable = 9", "floors.channel-stable"}, {`"hello.legacy" = 1`, "floors.hello.legacy"},
	} {
		name, _, _ := strings.Cut(role.old, " = ")
		for value, says := range map[string]string{
			"9223372036854775808":  "decimal number is too large to fit in a 64-bit signed integer",
			"0x8000000000000000":   "hexadecimal number is too large to fit in a 64-bit signed integer",
			"18446744073709551616": "decimal number is too large to fit in a 64-bit signed integer",
			"0":                    "expected a version from 1, found 0",
			"-1":                   "expected a version from 1, found -1",
			"-9223372036854775808": "expected a version from 1, found -9223372036854775808",
			"1e3":                  "",
			"inf":                  "",
			`"7"`:                  "",
			"[7]":                  "",
		} {
			t.Run(name+" "+value, func(t *testing.T) {
				refusal{role.old, name + " = " + value, name + " = " + value, "repository." + role.key + ": " + says}.check(t, ErrMalformed)
			})
		}
	}
	f, err := Decode([]byte(replaced(t, "timestamp = 1874", "timestamp = 9223372036854775807")))
	if err != nil || f.Repositories[0].Floors["timestamp"] != 1<<63-1 {
		t.Errorf("expected the highest version that there can be, found %v, %v", f.Repositories, err)
	}
}

func TestFloorsThatCannotBe(t *testing.T) {
	for name, test := range map[string]refusal{
		"no timestamp":   {"timestamp = 1874\n", "", "snapshot = 41", "repository.floors.timestamp: expected a version from 1, found none"},
		"no snapshot":    {"snapshot = 41\n", "", "timestamp = 1874", "repository.floors.snapshot: expected a version from 1, found none"},
		"no targets":     {"targets = 5\n", "", "timestamp = 1874", "repository.floors.targets: expected a version from 1, found none"},
		"root twice":     {"targets = 5\n", "targets = 5\nroot = 3\n", "root = 3\nchannel", "repository.floors.root: expected the version of the root beside its digest"},
		"no name":        {"targets = 5\n", "targets = 5\n\"\" = 3\n", "\"\" = 3", "repository.floors.: expected a text, found none"},
		"a line feed":    {"targets = 5\n", "targets = 5\n\"a\\nb\" = 3\n", "\"a\\nb\" = 3", `"repository.floors.a\nb": expected printable characters`},
		"a long name":    {"targets = 5\n", "targets = 5\n" + strings.Repeat("a", 1025) + " = 3\n", strings.Repeat("a", 1025), ""},
		"a table for it": {"targets = 5\n", "targets = 5\nx.y = 3\n", "x.y", "repository.floors.x"},
		"too many":       {"targets = 5\n", "targets = 5\n" + manyRoles(maxFloors) + "\n", "timestamp = 1874", "repository.floors: expected 0 to 4096, found 4102"},
	} {
		t.Run(name, func(t *testing.T) { test.check(t, ErrMalformed) })
	}
}

func manyRoles(n int) string {
	var roles []string
	for i := range n {
		roles = append(roles, fmt.Sprintf("r%d = 1", i))
	}
	return strings.Join(roles, "\n")
}

func TestTooLarge(t *testing.T) {
	text := goldenText(t)
	text += strings.Repeat("#", MaxSize-len(text))
	if _, err := Decode([]byte(text)); err != nil {
		t.Errorf("expected a file of %d bytes to be read, found %v", MaxSize, err)
	}
	if _, err := Decode([]byte(text + "#")); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "assay.lock: malformed lock file: expected at most 1048576 bytes, found 1048577") {
		t.Errorf("expected %v, found %v", ErrMalformed, err)
	}
	if _, err := Decode([]byte(schemaLine + manyRoles(20_001))); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "at most 20000 keys") {
		t.Errorf("expected %v, found %v", ErrMalformed, err)
	}
}

// No message shows a URL: what is refused in one, or its query, may be a secret.
func TestSecretsInURLs(t *testing.T) {
	for _, url := range []string{
		"https://s3cret@dl.example/x?s3cret", "https://user:s3cret@dl.example/x", "https://user:s3cret@[2001:db8::1]/x",
		"git::https://s3cret@dl.example/x//y", "git::ssh://git:s3cret@dl.example/x//y", "http://s3cret@dl.example/x",
		"git+https://s3cret@dl.example/x//y", "https://%zz:s3cret@dl.example/",
	} {
		_, err := Decode([]byte(replaced(t, "https://dl.example/jq-1.7.tar.gz", url)))
		if !errors.Is(err, ErrMalformed) || !errors.Is(err, errSecret) && !errors.Is(err, errNoURL) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: expected %v without the secret, found %v", url, errSecret, err)
		}
	}
	_, err := Decode([]byte(replaced(t, "https://dl.example/fmt-linux", "https://s3cret@dl.example/fmt-linux")))
	if !errors.Is(err, errSecret) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("expected %v without the secret, found %v", errSecret, err)
	}
	for _, query := range []string{"X-Amz-Signature=s3cret", "a=b&access_token=s3cret", "a;SIG=s3cret", "private%2Dtoken=s3cret&x", "token"} {
		_, err := Decode([]byte(replaced(t, "https://dl.example/jq-1.7.tar.gz", "https://dl.example/x?"+query)))
		if !errors.Is(err, ErrMalformed) || !errors.Is(err, errSigned) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: expected %v without the secret, found %v", query, errSigned, err)
		}
	}
	for _, url := range []string{"git::ssh://git@dl.example/x//y", "git::git@dl.example:x//y", "s3://bucket/key", "./vendor/x", "http://dl.example/x", "https://dl.example/x?file=token&v=1"} {
		if _, err := Decode([]byte(replaced(t, "https://dl.example/jq-1.7.tar.gz", url))); err != nil {
			t.Errorf("%s: expected it to be read, found %v", url, err)
		}
	}
}

// The order of a file that somebody has merged by hand counts for nothing.
func TestDecodeSorts(t *testing.T) {
	text := goldenText(t)
	parts := strings.Split(text, "\n[[pin]]\n")
	slices.Reverse(parts[1:])
	f, err := Decode([]byte(strings.TrimSuffix(strings.Join(parts, "\n[[pin]]\n"), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Encode(f); err != nil || string(again) != text {
		t.Errorf("expected the golden file, found %v\n%s", err, again)
	}
	// In another spelling, too.
	inline := schemaLine + "pin = [ { name = 'a', urls = ['https://a.example/'], sha256 = '" + strings.ToUpper(sum("a").Hex()) + "' } ]\n"
	if f, err := Decode([]byte(inline)); err != nil || len(f.Pins) != 1 || f.Pins[0].Digests[0] != sum("a") {
		t.Errorf("expected one pin, found %+v, %v", f, err)
	}
}

// The decoder would take one table for a list of one.
func TestOneTable(t *testing.T) {
	for text, says := range map[string]string{
		"[pin]\nname = 'a'\n":                       "assay.lock:3: malformed lock file: pin: expected a list of tables, found one table: write [[pin]]",
		"pin.name = 'a'\n":                          "assay.lock:2: malformed lock file: pin: expected a list of tables",
		"[repository.floors]\ntimestamp = 1\n":      "assay.lock:3: malformed lock file: repository: expected a list of tables",
		"[[product]]\n[product.artifact]\nlength=1": "assay.lock:4: malformed lock file: product.artifact: expected a list of tables, found one table: write [[product.artifact]]",
	} {
		if _, err := Decode([]byte(schemaLine + text)); !errors.Is(err, ErrMalformed) || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%q: expected %s, found %v", text, says, err)
		}
	}
}

// What is as good as what the golden file says.
func TestDecodeTakes(t *testing.T) {
	for _, test := range []struct{ old, new string }{
		{`request = "^1.4"`, `request = "1.5.0"`},
		{`request = "^1.4"`, `request = "stable"`},
		{`request = "^1.4"`, `request = "sha256:` + sum("hello_1.5.0_linux_amd64.tar.gz").Hex() + `"`},
		{"length = 73912", "length = 0"},
		{`platform = "darwin/arm64"`, `platform = "any"`},
		{"https://dl.example/fmt-linux", "http://localhost:8080/fmt-linux"},
		{"https://dl.example/fmt-linux", "http://127.0.0.1/fmt-linux"},
		{"https://dl.example/fmt-linux", "http://[::1]:1/fmt-linux?a=b"},
		{"identity = \"", "identity = \"a b é "},
		// As long, and as many, as can be.
		{"length = 73912", "length = 9007199254740991"},
		{"https://dl.example/fmt-linux", "https://dl.example/" + strings.Repeat("a", maxURL-19)},
		{"  \"https://dl.example/fmt-linux\",\n", strings.Repeat("  \"https://dl.example/fmt-linux\",\n", maxURLs-1)},
		{"identity = \"", "identity = \"" + strings.Repeat("a", maxText) + "\" # "},
		{"targets = 5\n", "targets = 5\n" + strings.Repeat("a", maxText) + " = 1\n"},
		{`format = "tar.gz"`, `format = "` + strings.Repeat("a", maxFormat) + `"`},
	} {
		f, err := Decode([]byte(replaced(t, test.old, test.new)))
		if err != nil {
			t.Errorf("%s: expected it to be read, found %v", test.new, err)
			continue
		}
		if _, err := Encode(f); err != nil {
			t.Errorf("%s: expected it to be written, found %v", test.new, err)
		}
	}
}
