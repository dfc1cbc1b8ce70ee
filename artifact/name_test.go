package artifact

import (
	"errors"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, test := range []struct {
		name                         string
		product, repository, channel bool
	}{
		{"hello", true, true, true},
		{"h", true, true, true},
		{"hello-2.x_y", true, true, true},
		{"7zip", true, true, false},
		{"channel", true, true, true},
		{"channel-x", false, true, true},
		{"channels-x", true, true, true},
		{long(64), true, true, true},
		{long(65), true, false, false},
		{long(128), true, false, false},
		{long(129), false, false, false},
		{"", false, false, false},
		{".", false, false, false},
		{"..", false, false, false},
		{".hello", false, false, false},
		{"-hello", false, false, false},
		{"_hello", false, false, false},
		{"Hello", false, false, false},
		{"hello/x", false, false, false},
		{`hello\x`, false, false, false},
		{"hello:x", false, false, false},
		{"hello x", false, false, false},
		{"hello\n", false, false, false},
		{"hello\x00", false, false, false},
		{"héllo", false, false, false},
		{"hello%2f", false, false, false},
	} {
		for _, check := range []struct {
			what  string
			valid func(string) error
			want  bool
		}{
			{"product", ValidProduct, test.product},
			{"repository", ValidRepository, test.repository},
			{"channel", ValidChannel, test.channel},
		} {
			err := check.valid(test.name)
			if check.want && err != nil {
				t.Errorf("%s %q: %v", check.what, test.name, err)
			}
			if !check.want && !errors.Is(err, ErrName) {
				t.Errorf("%s %q: got %v, want ErrName", check.what, test.name, err)
			}
		}
	}
}

func TestClipKeepsMessagesShort(t *testing.T) {
	err := ValidProduct("!" + strings.Repeat("x", 100))
	if err == nil || len(err.Error()) > 250 {
		t.Errorf("got %v", err)
	}
}
