package config

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// FuzzParseSize asserts that a size is not negative, and that its own spelling
// reads as the same.
func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"0", "4096", "300 MiB", "300mib", " 7 GB ", "9223372036854775807 B", "9223372036854775807 KiB", "-1", "1 XB", "1.5 MiB", "MiB", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bytes, ok := ParseSize(text)
		if !ok {
			return
		}
		if again, ok := ParseSize(sizeText(bytes)); bytes < 0 || !ok || again != bytes {
			t.Fatalf("%q is %d, whose text %q is %d", text, bytes, sizeText(bytes), again)
		}
	})
}

// FuzzParseGrace asserts that a grace is within its bound, and means what the
// standard library takes it for, where that knows the unit.
func FuzzParseGrace(f *testing.F) {
	for _, text := range []string{"", "0s", "90m", "72h", "7d", "8d", "168h", "999999d", "1", "h", "-1h", "1h30m", "7d\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		grace, err := parseGrace(text)
		if err != nil {
			if grace != 0 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("%q: got %v, %v", text, grace, err)
			}
			return
		}
		if grace < 0 || grace > MaxGrace {
			t.Fatalf("%q is %v", text, grace)
		}
		if same, err := time.ParseDuration(text); err == nil && same != grace {
			t.Fatalf("%q is %v, expected %v", text, grace, same)
		}
	})
}
