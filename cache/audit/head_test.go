package audit

import (
	"errors"
	"strings"
	"testing"
	"unicode"
)

// FuzzParseHead asserts that a head has one spelling.
func FuzzParseHead(f *testing.F) {
	sum := strings.Repeat("0a", 32)
	for _, text := range []string{"12:" + sum, "0:" + sum, "012:" + sum, "+1:" + sum, "1:" + strings.ToUpper(sum), "1:" + sum[1:], "18446744073709551616:" + sum, "1", ":", "1:" + strings.Repeat("\x1b", 64)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		head, err := ParseHead(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || head != (Head{}) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("%q: got %v, %v", text, head, err)
			}
			return
		}
		if head.Seq == 0 || head.String() != text {
			t.Fatalf("%q was read as %s", text, head)
		}
	})
}
