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

// FuzzAmount asserts that what is taken is within the bounds, and that its own
// spelling reads as the same.
func FuzzAmount(f *testing.F) {
	for _, text := range []string{"0", "none", "5s", "365d", "999999d", "200GB", "1 KiB", "9223372036854775807", "-1", "1.5h", "0s", "0 B", ""} {
		f.Add(text)
	}
	forms := []amount{everyAmount, keepAmount, ageAmount}
	for _, a := range daemonAmounts {
		forms = append(forms, a.amount)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, form := range forms {
			n, err := form.parse(text)
			if err != nil {
				if n != 0 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
					t.Fatalf("%d: %q: got %d, %v", i, text, n, err)
				}
				continue
			}
			if n > form.highest || n < form.least && (n != 0 || !form.none) {
				t.Fatalf("%d: %q is %d", i, text, n)
			}
			if again, err := form.parse(form.text(n)); form.unit != count && (err != nil || again != n) {
				t.Fatalf("%d: %q is %d, whose text %q is %d, %v", i, text, n, form.text(n), again, err)
			}
		}
	})
}

// FuzzAddress asserts that what is taken has a port, and no name.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{":8080", "127.0.0.1:0", "[::1]:443", "[fe80::1%eth0]:1", "localhost:80", ":", "", "1.2.3.4", "::1:80", ":080"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkAddress(text); err == nil && !strings.Contains(text, ":") {
			t.Fatalf("%q was taken", text)
		} else if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
