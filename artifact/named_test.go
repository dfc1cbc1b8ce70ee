package artifact

import (
	"errors"
	"strings"
	"testing"
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
