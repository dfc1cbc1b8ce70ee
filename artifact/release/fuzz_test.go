package release

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"assay/artifact"
)

func FuzzDecodeCatalog(f *testing.F) {
	seed(f, "catalog.json", "assay.catalog/v2", `"hello","hello"`)
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCatalog(data)
		again := checkDecoded(t, c, err, DecodeCatalog)
		if again == nil {
			return
		}
		for _, p := range c.Products {
			if artifact.ValidProduct(p.Name) != nil || unprintable(p.Summary) {
				t.Fatalf("%+v passed", p)
			}
		}
	})
}

func FuzzDecodeChannel(f *testing.F) {
	seed(f, "channel-stable/hello.json", `"percent": 1e2`, `"Status": "current"`)
	decode := func(data []byte) (*Channel, error) { return DecodeChannel(data, "hello", "stable") }
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode(data)
		if checkDecoded(t, c, err, decode) == nil {
			return
		}
		if c.Product != "hello" || c.Channel != "stable" {
			t.Fatalf("%s %s passed", c.Product, c.Channel)
		}
		for _, r := range c.Releases {
			if r.Manifest != ManifestPath("hello", r.Version) || unprintable(r.Reason) || r.Since.IsZero() && r.Status == "" {
				t.Fatalf("%+v passed", r)
			}
		}
	})
}

func FuzzDecodeRelease(f *testing.F) {
	seed(f, "hello/1.4.2/release.json", `"target": "hello/1.4.2/../x"`, `"length": 1e-999999999`)
	decode := func(data []byte) (*Release, error) { return DecodeRelease(data, "hello", version("1.4.2")) }
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data)
		if checkDecoded(t, r, err, decode) == nil {
			return
		}
		for _, a := range r.Artifacts {
			if artifact.ValidFileName(a.Name()) != nil || a.Length < 0 || len(a.Digests) == 0 || (a.Target == "") == (len(a.URLs) == 0) {
				t.Fatalf("%+v passed", a)
			}
			if a.Target != "" {
				if file, ok := strings.CutPrefix(a.Target, "hello/1.4.2/"); !ok || file == "release.json" || artifact.ValidFileName(file) != nil {
					t.Fatalf("%q passed", a.Target)
				}
			}
		}
	})
}

func FuzzDecodeMirrors(f *testing.F) {
	seed(f, "mirrors.json", `"url": "https://127.1/"`, `"cidrs": ["::/0"]`)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeMirrors(data)
		if checkDecoded(t, m, err, DecodeMirrors) == nil {
			return
		}
		for _, mirror := range m.Mirrors {
			if !strings.HasPrefix(strings.ToLower(mirror.URL), "https://") || mirror.Weight < 0 {
				t.Fatalf("%+v passed", mirror)
			}
		}
	})
}

// seed adds the example, and the example with each snippet as its first field.
func seed(f *testing.F, name string, snippets ...string) {
	f.Helper()
	data := example(f, name)
	f.Add(data)
	f.Add(data[:len(data)/2])
	for _, snippet := range snippets {
		f.Add(bytes.Replace(data, []byte("{"), []byte("{"+snippet+","), 1))
		f.Add([]byte("{" + snippet + "}"))
	}
}

// checkDecoded asserts that an error is a FieldError without a document, and
// that a document decoded from its Raw bytes is equal. It returns nil for an
// error.
func checkDecoded[T any, P interface {
	*T
	Raw() []byte
	Unknown() []string
}](t *testing.T, doc P, err error, decode func([]byte) (P, error)) P {
	t.Helper()
	if err != nil {
		if _, ok := errors.AsType[*FieldError](err); !ok || doc != nil || unprintable(err.Error()) {
			t.Fatalf("got %v with %v", err, doc)
		}
		return nil
	}
	again, err := decode(doc.Raw())
	if err != nil || !reflect.DeepEqual(again, doc) {
		t.Fatalf("came back as %+v, %v", again, err)
	}
	for _, field := range doc.Unknown() {
		if unprintable(field) {
			t.Fatalf("the unknown field %q is printed as it is", field)
		}
	}
	return again
}

// names reports whether a report has the field of a refusal, or so many others
// that it is left out.
func names(report Report, err error) bool {
	e, ok := errors.AsType[*FieldError](err)
	return ok && slices.ContainsFunc(report.Findings, func(f Finding) bool {
		return f.Severity == SeverityError && (f.Field == e.Field || f.More > 0) || report.Place == Place{}
	})
}

func unprintable(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// FuzzLint asserts that what is found is a known rule, in order, and fit to be
// printed, and that the field for which a document is refused is among it.
func FuzzLint(f *testing.F) {
	for _, name := range []string{"catalog.json", "channel-stable/hello.json", "hello/1.4.2/release.json", "mirrors.json"} {
		seed(f, name, `"product": 7`, `"components": [{"name": "x", "purl": "pkg:\u2028"}]`, `"a.b[0]": {"": [[1]]}`)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		report := LintFile(data, lintNow())
		decoded := report.raw() != nil
		if err := new(Report{Place: report.Place}).decode(data); (err == nil) != decoded || err != nil && !names(report, err) {
			t.Fatalf("%v, and found %+v", err, report.Findings)
		}
		line := 0
		for _, finding := range report.Findings {
			checkFinding(t, finding)
			if unprintable(finding.Field) || decoded && finding.Line < 1 || finding.Line < line {
				t.Fatalf("found %+v behind line %d", finding, line)
			}
			line = finding.Line
		}
	})
}

// FuzzParseDuration asserts that a duration is above 0 and within its bound, and
// that its own spelling reads as the same.
func FuzzParseDuration(f *testing.F) {
	for _, text := range []string{"72h", "90d", "5218w", "3155760000s", "9999999999s", "01d", "1", "d", "1D", "-1h", "1h\n", "0s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			if !errors.Is(err, ErrDuration) || d != 0 || unprintable(err.Error()) {
				t.Fatalf("%q: got %v, %v", text, d, err)
			}
			return
		}
		if again, err := ParseDuration(d.String()); d <= 0 || d > MaxDuration || err != nil || again != d {
			t.Fatalf("%q: got %v, which reads as %v, %v", text, d, again, err)
		}
	})
}
