package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestNotices(t *testing.T) {
	dir := t.TempDir()
	module(t, dir, "go", map[string]string{"LICENSE": "of Go\n", "README": "no licence"})
	module(t, dir, "cache/example.com/!a@v1.0.0", map[string]string{"LICENSE": "of A\r\n\r\n", "NOTICE.txt": "A was here"})
	module(t, dir, "cache/example.com/bare@v1.0.0", map[string]string{"README": "nothing"})
	list := filepath.Join(dir, "list")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	licenses := licenseReader{modules: filepath.Join(dir, "cache")}
	module(t, dir, "cache/example.com/b@v2.0.0", map[string]string{"COPYING": "of A\n"})
	write("example.com/A v1.0.0\nexample.com/b v2.0.0\n")
	text, err := notices(list, licenses, filepath.Join(dir, "go"))
	if err != nil {
		t.Fatal(err)
	}
	want := "The licences of what is linked into assay for one system or another.\n" +
		"\n" + rule + "The Go programming language, LICENSE\n" + rule + "\nof Go\n" +
		"\n" + rule + "example.com/A v1.0.0, LICENSE\nexample.com/b v2.0.0, COPYING\n" + rule + "\nof A\n" +
		"\n" + rule + "example.com/A v1.0.0, NOTICE.txt\n" + rule + "\nA was here\n"
	if string(text) != want {
		t.Errorf("expected\n%s\nfound\n%s", want, text)
	}
	write("example.com/A v1.0.0\nexample.com/bare v1.0.0\n")
	if _, err := notices(list, licenses, filepath.Join(dir, "go")); !errors.Is(err, errNoLicense) {
		t.Errorf("expected errNoLicense of a module without a licence, found %v", err)
	}
	write("example.com/A v1.0.0\nexample.com/gone v1.0.0\n")
	if _, err := notices(list, licenses, filepath.Join(dir, "go")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected a module that is missing to be an error, found %v", err)
	}
}
