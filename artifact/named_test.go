package artifact

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestFileNameAgrees(t *testing.T) {
	version, err := ParseVersion("1.4.2")
	if err != nil {
		t.Fatal(err)
	}
	linux := Platform{OS: "linux", Arch: "amd64"}
	for _, test := range []struct {
		name, product string
		platform      Platform
		wrong         string // part of the error; empty: it agrees
	}{
		{"hello_1.4.2_linux_amd64.tar.gz", "hello", linux, ""},
		{"hello-v1.4.2-x86_64-unknown-linux-musl.tar.gz", "hello", linux, ""},
		{"Hello-1.4.2-Linux-x86-64.zip", "hello", linux, ""},
		{"hello", "hello", linux, ""},
		{"hello.exe", "hello", Platform{OS: "windows", Arch: "amd64"}, ""},
		{"hello_1.4.2_glibc2.31_linux.tar.gz", "hello", linux, ""},
		{"hello_macos_14.2.1.zip", "hello", Platform{OS: "darwin", Arch: "arm64"}, ""},
		{"windows_exporter-1.4.2-linux-amd64", "windows_exporter", linux, ""},
		{"windows_exporter-1.4.2", "windows_exporter", linux, ""},
		{"hello_1.4.2_all.tar.gz", "hello", Platform{OS: Any, Arch: Any}, ""},
		{"hello_1.4.2_linux.tar.gz", "hello", Platform{OS: Any, Arch: Any}, ""},
		{"hello_1.4.2_macos_universal.zip", "hello", Platform{OS: "darwin", Arch: "arm64"}, ""},
		{"hello_1.4.2-rc.1_linux_amd64.tar.gz", "hello", linux, ""},

		{"hello_1.4.1_linux_amd64.tar.gz", "hello", linux, `expected version 1.4.2, found "1.4.1"`},
		{"hello-v1.4.1.zip", "hello", linux, `found "1.4.1"`},
		{"hello_1.4.2_darwin_amd64.tar.gz", "hello", linux, "expected the system linux, found darwin"},
		{"hello_1.4.2_windows_amd64.zip", "hello", linux, "found windows"},
		{"hello_1.4.2_linux_aarch64.tar.gz", "hello", linux, "expected the architecture amd64, found arm64"},
		{"hello_1.4.2_linux_x86_64.tar.gz", "hello", Platform{OS: "linux", Arch: "arm64"}, "found amd64"},
		{"hello_1.4.2_linux_armv7.tar.gz", "hello", Platform{OS: "linux", Arch: "arm64"}, "found arm"},
	} {
		err := FileNameAgrees(test.name, test.product, version, test.platform)
		if test.wrong == "" && err != nil {
			t.Errorf("%s for %s: %v", test.name, test.platform, err)
		}
		if test.wrong != "" && (!errors.Is(err, ErrFileNameDisagrees) || !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s for %s: expected %q, found %v", test.name, test.platform, test.wrong, err)
		}
	}
}

// FuzzFileNameAgrees asserts that what a name is made of agrees with it, in any
// spelling of upper and lower case, and that another version does not.
func FuzzFileNameAgrees(f *testing.F) {
	f.Add("hello", "1.4.2", "1.4.1", "linux", "amd64", "hello.tar.gz")
	f.Add("windows_exporter", "2.0.0-rc.1+x86-64", "2.0.1", "darwin", "arm64", "windows_exporter_1..2_macOS")
	f.Add("v", "1.0.0-linux", "1.0.0+1", "windows", "386", "v-v1.2.3.é\xff")
	f.Fuzz(func(t *testing.T, product, text, other, system, arch, name string) {
		version, err := ParseVersion(text)
		if err != nil || ValidProduct(product) != nil {
			return
		}
		platform := Platform{OS: system, Arch: arch}
		valid, err := ParsePlatform(system + "/" + arch)
		if err != nil {
			return
		}
		if err := FileNameAgrees(name, product, version, valid); err != nil && (!errors.Is(err, ErrFileNameDisagrees) || strings.ContainsFunc(err.Error(), unicode.IsControl)) {
			t.Fatalf("%q for %s: %v", name, product, err)
		}
		if !slices.Contains([]string{"linux", "darwin", "windows"}, system) || !slices.Contains([]string{"amd64", "arm64", "386"}, arch) {
			return // what says nothing is not compared with other words of the version
		}
		own := product + "_" + text + "_" + system + "_" + arch
		if err := FileNameAgrees(own, product, version, platform); err != nil {
			t.Fatal(err)
		}
		if err := FileNameAgrees(strings.ToUpper(own), product, version, platform); err != nil {
			t.Fatal(err)
		}
		second, err := ParseVersion(other)
		if err == nil && core(second) != core(version) && !errors.Is(FileNameAgrees(own, product, second, platform), ErrFileNameDisagrees) {
			t.Fatalf("%q passed for version %s", own, other)
		}
	})
}
