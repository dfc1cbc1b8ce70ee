package artifact

import (
	"errors"
	"strings"
	"testing"
)

func TestValidFileName(t *testing.T) {
	for _, name := range []string{
		"hello", "hello_1.4.2_linux_amd64.tar.gz", "hello 1.4.exe", "Größe.zip", "a", "con1.txt", "com0", "console",
		"checksums.txt.sigstore.json", "x+y@1.tar", "#1", strings.Repeat("a", MaxFileName),
	} {
		if err := ValidFileName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", ".bashrc", "-rf", "~", " a", "a ", "a.", "a/b", `a\b`, "a:b", "a*", "a?", `a"`, "a<", "a>", "a|",
		"a\nb", "a\x00", "a\x1b[2J", "a\u009b2J", "a\u202egpj.exe", "a\u2066b", "a\xff", "CON", "con", "nul.txt", "Com1.log", "LPT9", "aux .x",
		strings.Repeat("a", MaxFileName+1),
	} {
		if err := ValidFileName(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: got %v, want ErrName", name, err)
		}
	}
}
