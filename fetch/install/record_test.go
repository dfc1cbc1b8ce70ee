package install

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecordRefuses: a record that was damaged, or is of a newer assay, is an error
// that says where; the next install gets over it.
func TestRecordRefuses(t *testing.T) {
	skipOnWindows(t)
	replace := func(old, new string) func(text string) string {
		return func(text string) string { return strings.Replace(text, old, new, 1) }
	}
	for name, test := range map[string]struct {
		change func(text string) string
		want   error
	}{
		"empty":              {func(string) string { return "" }, ErrRecord},
		"cut":                {func(text string) string { return text[:len(text)/2] }, ErrRecord},
		"no JSON":            {func(string) string { return "hello" }, ErrRecord},
		"too long":           {func(text string) string { return text + strings.Repeat(" ", maxRecord) }, ErrRecord},
		"another document":   {replace(recordSchema, "assay.lock/v1"), ErrRecord},
		"newer":              {replace(recordSchema, "assay.installed/v2"), ErrNewer},
		"key twice":          {replace(`"product":`, `"product": "x", "product":`), ErrRecord},
		"another product":    {replace(`"product": "hello"`, `"product": "other"`), ErrRecord},
		"bad product":        {replace(`"product": "hello"`, `"product": "../x"`), ErrRecord},
		"program outside":    {replace(`"path": "hello-1.0.0/hello"`, `"path": "../../hello"`), ErrRecord},
		"absolute program":   {replace(`"path": "hello-1.0.0/hello"`, `"path": "/bin/sh"`), ErrRecord},
		"link with a path":   {replace(`"link": "hello"`, `"link": "../hello"`), ErrRecord},
		"another repository": {replace(`"repository": "acme"`, `"repository": "other"`), ErrRecord},
		"turn below 0":       {replace(`"turn": 1`, `"turn": -1`), ErrRecord},
		"turn beyond":        {replace(`"turn": 1`, `"turn": 1073741825`), ErrRecord},
		"bad request":        {replace(`"request": "stable"`, `"request": "@@"`), ErrRecord},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			g := b.installs("1.0.0")
			path := filepath.Join(g.dir, recordName)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := test.change(string(text))
			if changed == string(text) {
				t.Fatal("nothing was changed")
			}
			mustWrite(t, path, changed)
			_, err = b.Current(hello)
			wantError(t, err, test.want, path[:len(path)-len("/"+recordName)])
			list, broken, err := b.List()
			if len(list) != 0 || len(broken) != 1 || broken[0].Name != hello || !errors.Is(broken[0].Err, test.want) || err != nil {
				t.Errorf("found %v, %v, %v", list, broken, err)
			}
			b.runs("hello", "1.0.0")
			if done := b.installs("1.1.0"); done.Number != 2 || len(b.notices) == 0 {
				t.Errorf("found %+v, %q", done, b.notices)
			}
			b.runs("hello", "1.1.0")
		})
	}
}

// TestCurrentRefuses: what leads to no generation is an error, not nothing.
func TestCurrentRefuses(t *testing.T) {
	skipOnWindows(t)
	for _, target := range []string{"x", "-1", "0", "01", "../7", "/"} {
		b := newBench(t)
		b.installs("1.0.0")
		path := filepath.Join(b.folder(hello), currentName)
		if err := errors.Join(os.Remove(path), os.Symlink(target, path)); err != nil {
			t.Fatal(err)
		}
		_, err := b.Current(hello)
		wantError(t, err, ErrRecord, path)
		b.installs("1.0.0")
		b.runs("hello", "1.0.0")
	}
}

// FuzzRecord: whatever a record says, no program of it lies outside of its tree, and
// none of its names outside of the folder of links.
func FuzzRecord(f *testing.F) {
	r, _ := version("1.0.0")
	text, err := json.Marshal(recordFile{recordSchema, Generation{Release: r}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":"assay.installed/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var found recordFile
		if err := decodeRecord(text, &found); err != nil {
			if !errors.Is(err, ErrRecord) && !errors.Is(err, ErrNewer) {
				t.Fatalf("expected %v, found %v", ErrRecord, err)
			}
			return
		}
		for _, p := range found.programs() {
			if path := filepath.Join("/tree", filepath.FromSlash(p.Path)); !strings.HasPrefix(path, "/tree/") {
				t.Errorf("a program outside of the tree: %q", p.Path)
			}
			if path := filepath.Join("/bin", p.Link); filepath.Dir(path) != "/bin" || path == "/bin" {
				t.Errorf("a name outside of the folder of links: %q", p.Link)
			}
		}
	})
}
