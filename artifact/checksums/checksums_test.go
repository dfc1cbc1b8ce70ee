package checksums

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"assay/artifact"
)

var (
	hex256 = strings.Repeat("0a", 32)
	hex512 = strings.Repeat("0b", 64)
	sum256 = digest("sha256:" + hex256)
	sum512 = digest("sha512:" + hex512)
)

func digest(text string) artifact.Digest {
	d, err := artifact.ParseDigest(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, data string
		entries    []Entry
		skipped    int
	}{
		{"nothing", "", nil, 0},
		{"GNU", hex256 + "  tool.tar.gz\n", []Entry{{"tool.tar.gz", sum256}}, 0},
		{"GNU binary", hex256 + " *tool.tar.gz\n", []Entry{{"tool.tar.gz", sum256}}, 0},
		{"GNU of sha512", hex512 + "  tool.tar.gz", []Entry{{"tool.tar.gz", sum512}}, 0},
		{"BSD reversed", hex256 + " tool.tar.gz\n", []Entry{{"tool.tar.gz", sum256}}, 0},
		{"BSD", "SHA256 (tool.tar.gz) = " + hex256 + "\nSHA512 (tool.tar.gz) = " + hex512 + "\n",
			[]Entry{{"tool.tar.gz", sum256}, {"tool.tar.gz", sum512}}, 0},
		{"openssl", "SHA256(tool.tar.gz)= " + hex256 + "\nSHA2-512(tool.tar.gz)= " + hex512 + "\nSHA2-256(b)= " + hex256,
			[]Entry{{"tool.tar.gz", sum256}, {"tool.tar.gz", sum512}, {"b", sum256}}, 0},
		{"SHA512 of openssl 1", "SHA512(b)= " + hex512, []Entry{{"b", sum512}}, 0},
		{"upper case, CR LF, mark", "\ufeff" + strings.ToUpper(hex256) + "  tool.tar.gz\r\n", []Entry{{"tool.tar.gz", sum256}}, 0},
		{"comments", "# by hand\n\n" + hex256 + "  tool\n\r\n#", []Entry{{"tool", sum256}}, 0},
		{"spaces and brackets", hex256 + "  my tool (1).exe\nSHA256 (my (other) tool) = " + hex256,
			[]Entry{{"my tool (1).exe", sum256}, {"my (other) tool", sum256}}, 0},
		{"backslashes", `\` + hex256 + `  dir\\tool` + "\n" + `\SHA256 (a\\\\b) = ` + hex256 + "\n" + hex256 + `  c\d`,
			[]Entry{{`dir\tool`, sum256}, {`a\\b`, sum256}, {`c\d`, sum256}}, 0},
		{"directories", hex256 + "  ././tool\n" + hex256 + "  dist/tool\n" + hex256 + "  ./\n",
			[]Entry{{"tool", sum256}, {"dist/tool", sum256}, {"./", sum256}}, 0},
		{"standard input", hex256 + "  -\n", []Entry{{"-", sum256}}, 0},
		{"the same again", hex256 + "  tool\n" + hex256 + " *./tool\n", []Entry{{"tool", sum256}}, 0},
		{"other algorithms", strings.Repeat("a", 32) + "  tool\n" + strings.Repeat("a", 40) + "  tool\n" + strings.Repeat("a", 56) + "  tool\n" +
			strings.Repeat("a", 96) + "  tool\nMD5 (tool) = aa\nSHA1(tool)= aa\nSHA512/256 (tool) = aa\nBLAKE2b-256 (tool) = aa\n" + hex256 + "  tool\n",
			[]Entry{{"tool", sum256}}, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := Parse([]byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(list.Entries(), test.entries) || list.Skipped() != test.skipped {
				t.Errorf("got %v and %d skipped, want %v and %d", list.Entries(), list.Skipped(), test.entries, test.skipped)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	good := hex256 + "  tool\n"
	for _, test := range []struct {
		name, line string
		kind       error
	}{
		{"page", "<html>404</html>", ErrMalformed},
		{"signed message", "-----BEGIN PGP SIGNED MESSAGE-----", ErrMalformed},
		{"digest alone", hex256, ErrMalformed},
		{"no name", hex256 + "  ", ErrMalformed},
		{"no name in brackets", "SHA256 () = " + hex256, ErrMalformed},
		{"tab", hex256 + "\ttool", ErrMalformed},
		{"digits too many", hex256 + "0  tool", ErrMalformed},
		{"not hex", strings.Repeat("g", 64) + "  tool", ErrMalformed},
		{"space before", " " + hex256 + "  tool", ErrMalformed},
		{"short digest in BSD's form", "SHA256 (tool) = " + hex256[:62], ErrMalformed},
		{"digest of sha512 for sha256", "SHA256 (tool) = " + hex512, ErrMalformed},
		{"no digest", "SHA256 (tool) = ", ErrMalformed},
		{"no equals", "SHA256 (tool) " + hex256, ErrMalformed},
		{"something behind", "SHA256 (tool) = " + hex256 + " x", ErrMalformed},
		{"no algorithm", "(tool) = " + hex256, ErrMalformed},
		{"long algorithm", strings.Repeat("A", 17) + " (tool) = " + hex256, ErrMalformed},
		{"algorithm in lower case", "sha256 (tool) = " + hex256, ErrMalformed},
		{"strange algorithm", "SHA 256 (tool) = " + hex256, ErrMalformed},
		{"no digest of another algorithm", "MD5 (tool) = ", ErrMalformed},
		{"no hex of another algorithm", "MD5 (tool) = zz", ErrMalformed},
		{"algorithm that begins with a digit", "1SHA (tool) = aa", ErrMalformed},
		{"bracket in an algorithm", "SHA[ (tool) = aa", ErrMalformed},
		{"brace in an algorithm", "SHA{ (tool) = aa", ErrMalformed},
		{"colon in an algorithm", "SHA: (tool) = aa", ErrMalformed},
		{"brackets turned", "SHA256 )tool( = " + hex256, ErrMalformed},
		{"name missing", "MD5 (= aa", ErrMalformed},
		{"closing bracket missing", "SHA256 (tool = " + hex256, ErrMalformed},
		{"escaped line feed", `\` + hex256 + `  a\nb`, ErrMalformed},
		{"unknown escape", `\` + hex256 + `  a\b`, ErrMalformed},
		{"escape cut", `\` + hex256 + `  a\`, ErrMalformed},
		{"escape sequence", hex256 + "  \x1b[2Jtool", ErrMalformed},
		{"carriage return", hex256 + "  tool\rother", ErrMalformed},
		{"turned around", hex256 + "  \u202etool", ErrMalformed},
		{"not UTF-8", hex256 + "  \xff", ErrMalformed},
		{"unprintable name of another algorithm", strings.Repeat("a", 32) + "  \x07", ErrMalformed},
		{"long name", hex256 + "  " + strings.Repeat("x", maxName+1), ErrMalformed},
		{"other digest", strings.Repeat("0c", 32) + "  tool", ErrConflict},
		{"other digest in another form", "SHA256 (./tool) = " + strings.Repeat("0c", 32), ErrConflict},
		{"too many bytes", "#" + strings.Repeat(" ", MaxBytes), ErrTooLarge},
		{"too many lines", strings.Repeat("\n", MaxLines), ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := Parse([]byte(good + test.line))
			if !errors.Is(err, test.kind) || list != nil {
				t.Fatalf("got %v, %v, want %v", list, err, test.kind)
			}
			if strings.ContainsFunc(err.Error(), isUnprintable) || len(err.Error()) > 500 {
				t.Errorf("%q is not fit for a terminal", err)
			}
			if test.kind != ErrTooLarge && !strings.HasPrefix(err.Error(), "line 2: ") {
				t.Errorf("%v does not name the line", err)
			}
		})
	}
}

func TestParseSaysWhatItExpected(t *testing.T) {
	for line, want := range map[string]string{
		"<html>":            `line 1: not a list of checksums: expected HEX  NAME or ALGORITHM (NAME) = HEX, found "<html>"`,
		"SHA256 (a) " + "x": `line 1: not a list of checksums: expected ALGORITHM (NAME) = HEX, found "SHA256 (a) x"`,
		hex256 + "  ":       `line 1: not a list of checksums: expected a file name, found ""`,
	} {
		if _, err := Parse([]byte(line)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}

func TestParseTakesAsManyAsTheBounds(t *testing.T) {
	if list, err := Parse([]byte(strings.Repeat("\n", MaxLines-1) + hex256 + "  tool")); err != nil || len(list.entries) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	line := hex256 + "  tool\n"
	if list, err := Parse([]byte("#" + strings.Repeat(" ", MaxBytes-len(line)-2) + "\n" + line)); err != nil || len(list.entries) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := Parse([]byte(hex256 + "  " + strings.Repeat("x", maxName))); err != nil {
		t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	other := strings.Repeat("0c", 32)
	list := hex256 + "  tool\n" + hex512 + "  ./tool\n" + // one file, two algorithms
		other + "  old/tool\n" + // passed over: tool is listed itself
		hex256 + "  dist/beneath\n" + hex256 + "  other/beneath\n" +
		hex256 + "  linux/both\n" + other + "  windows/both\n" +
		hex256 + "  ../up\n" + hex256 + "  a/../up\n" + hex256 + "  /abs\n" + hex256 + `  dist\win` + "\n" + hex256 + "  dir/\n"
	for _, test := range []struct {
		name string
		want artifact.Digests
		err  error
	}{
		{"tool", artifact.Digests{sum256, sum512}, nil},
		{"beneath", artifact.Digests{sum256}, nil},
		{`dist\win`, artifact.Digests{sum256}, nil},
		{"both", nil, ErrConflict},
		{"up", nil, ErrNotListed},
		{"abs", nil, ErrNotListed},
		{"win", nil, ErrNotListed},
		{"dir", nil, ErrNotListed},
		{"Tool", nil, ErrNotListed},
		{"too", nil, ErrNotListed},
		{"dist/beneath", nil, ErrNotListed},
		{"../up", nil, ErrNotListed},
		{"", nil, ErrNotListed},
		{".", nil, ErrNotListed},
		{"..", nil, ErrNotListed},
		{"\x1b", nil, ErrNotListed},
	} {
		l, err := Parse([]byte(list))
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Lookup(test.name)
		if !errors.Is(err, test.err) || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: got %v, %v, want %v, %v", test.name, got, err, test.want, test.err)
		}
		if err != nil && strings.ContainsFunc(err.Error(), isUnprintable) {
			t.Errorf("%q is not fit for a terminal", err)
		}
	}
}

// What the tools of this machine write, names included that need escapes.
func TestParseWhatToolsWrite(t *testing.T) {
	dir := t.TempDir()
	names := []string{"tool-1.4.2.tar.gz", "my tool (1).exe", `back\slash`, "*star", "é"}
	for _, name := range names {
		if err := exec.Command("sh", "-c", `printf %s content > "$1"`, "sh", filepath.Join(dir, name)).Run(); err != nil {
			t.Skip("no shell:", err)
		}
	}
	for _, command := range []string{
		"sha256sum -- *", "sha512sum -b -- *", "sha256sum --tag -- *", "sha512sum --tag -- *", "openssl dgst -sha256 ./*",
	} {
		t.Run(command, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", command)
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Skip("not installed:", err)
			}
			list, err := Parse(out)
			if err != nil {
				t.Fatalf("%v in\n%s", err, out)
			}
			for _, name := range names {
				got, err := list.Lookup(name)
				if err != nil {
					t.Errorf("%v in\n%s", err, out)
					continue
				}
				if want := artifact.DigestOf(got[0].Algorithm(), []byte("content")); got[0] != want {
					t.Errorf("%s: got %s, want %s", name, got[0], want)
				}
			}
		})
	}
}

// What passes names files that can be shown, and can be written in any form and
// read again as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		hex256 + "  tool\n", hex512 + " *dist/tool\r\n", "SHA256 (tool) = " + hex256, "SHA512(tool)= " + hex512, `\` + hex256 + `  a\\b`,
		"# x\n\nMD5 (tool) = aa\n" + strings.Repeat("a", 40) + " tool", hex256 + "  ../tool\n" + hex256 + "  ./tool", "\ufeff" + hex256 + " *x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := Parse(data)
		if err != nil {
			if list != nil || strings.ContainsFunc(err.Error(), isUnprintable) ||
				!errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrConflict) {
				t.Fatalf("got %v, %v", list, err)
			}
			return
		}
		var gnu, bsd strings.Builder
		for _, entry := range list.Entries() {
			name := strings.ReplaceAll(entry.Name, `\`, `\\`)
			fmt.Fprintf(&gnu, "\\%s  %s\n", entry.Digest.Hex(), name)
			fmt.Fprintf(&bsd, "\\%s (%s) = %s\n", strings.ToUpper(string(entry.Digest.Algorithm())), name, entry.Digest.Hex())
			if got, err := list.Lookup(entry.Name); err == nil && !got.Agree(artifact.Digests{entry.Digest}) {
				t.Fatalf("%q: got %v, listed is %v", entry.Name, got, entry.Digest)
			}
			if strings.ContainsFunc(entry.Name, isUnprintable) || entry.Name == "" {
				t.Fatalf("%q passed", entry.Name)
			}
		}
		for _, form := range []string{gnu.String(), bsd.String()} {
			again, err := Parse([]byte(form))
			if len(form) <= MaxBytes && (err != nil || !reflect.DeepEqual(again.Entries(), list.Entries())) {
				t.Fatalf("%v came back as %v, %v", list.Entries(), again, err)
			}
		}
	})
}
