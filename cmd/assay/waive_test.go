package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/fetch"
	"assay/trust/proof"
)

var waiveNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestParseUntil(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-05":                "2026-03-05T00:00:00Z",
		"2026-03-04T05:06:08Z":      "2026-03-04T05:06:08Z",
		"2026-03-04T07:06:08+02:00": "2026-03-04T05:06:08Z",
		"12h":                       "2026-03-04T17:06:07Z",
		"30d":                       "2026-04-03T05:06:07Z",
		"2w":                        "2026-03-18T05:06:07Z",
	} {
		if until, err := parseUntil(text, waiveNow); err != nil || until.Format(time.RFC3339) != want {
			t.Errorf("%s: expected %s, found %v, %v", text, want, until, err)
		}
	}
	for text, want := range map[string]string{
		"":                     "expected when the waiver ends",
		"soon":                 `found "soon"`,
		"0d":                   `found "0d"`,
		"-3d":                  `found "-3d"`,
		"2026-03-04":           "found 2026-03-04T00:00:00Z",
		"2026-03-04T05:06:07Z": "expected a time after 2026-03-04T05:06:07Z, which is now",
		"2026-02-30":           `found "2026-02-30"`,
	} {
		if _, err := parseUntil(text, waiveNow); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", text, want, err)
		}
	}
}

// Whatever is typed, a waiver ends after now, or it is the user's mistake.
func FuzzParseUntil(f *testing.F) {
	for _, seed := range []string{"", "30d", "2026-03-05", "2026-03-05T00:00:00Z", "9999-12-31T23:59:59+23:59", "99999999999d", "0001-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		until, err := parseUntil(text, waiveNow)
		if err != nil && !errors.Is(err, errUsage) || err == nil && (!until.After(waiveNow) || until.Location() != time.UTC) {
			t.Errorf("%q: found %v, %v", text, until, err)
		}
	})
}

// A waiver counts by the digests that a target lists: a file's is the one that it
// was judged by.
func TestWaivedDigest(t *testing.T) {
	a := &app{workDir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(a.workDir, "file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum256 := artifact.DigestOf(artifact.SHA256, []byte("text"))
	sum512 := artifact.DigestOf(artifact.SHA512, []byte("text"))
	other := proof.ReceiptName{Digest: artifact.DigestOf(artifact.SHA512, []byte("other"))}
	for name, test := range map[string]struct {
		arg    string
		judged []proof.ReceiptName
		want   artifact.Digest
	}{
		"by sha512":    {"file", []proof.ReceiptName{other, {Digest: sum512}}, sum512},
		"by sha256":    {"file", []proof.ReceiptName{{Digest: sum256}}, sum256},
		"never judged": {"file", []proof.ReceiptName{other}, sum256},
		"named":        {sum512.String(), nil, sum512},
	} {
		if got, err := a.waivedDigest(t.Context(), test.arg, test.judged); err != nil || got != test.want {
			t.Errorf("%s: expected %s, found %s, %v", name, test.want, got, err)
		}
	}
	if _, err := a.waivedDigest(t.Context(), "sha512:12", nil); !errors.Is(err, artifact.ErrDigest) {
		t.Errorf("expected a digest that can't be, found %v", err)
	}
	if _, err := a.waivedDigest(t.Context(), "none", nil); !errors.Is(err, fetch.ErrInput) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected no file, found %v", err)
	}
}
