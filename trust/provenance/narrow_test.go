package provenance

import (
	"errors"
	"strings"
	"testing"
)

// TestNarrow: text is one name, of whatever form; a glob says how it is too wide.
func TestNarrow(t *testing.T) {
	for text, says := range map[string]string{
		"release-bot":                    "",
		"release@acme.example":           "",
		"*@acme.example":                 "",
		"**@acme.example":                "which may begin with anything",
		"**://acme.example/a":            "which may begin with anything",
		"release-*":                      "which is neither a URL nor an address",
		"https://*.example/a":            "whose host is not written out",
		"a@*.example":                    "whose domain is not written out",
		"a/*@acme.example":               "whose user may be a path",
		"https://acme.example/**@refs/*": "",
	} {
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		switch err := p.checkSubject(); {
		case says == "" && err != nil:
			t.Errorf("%s: expected none, found %v", text, err)
		case says != "" && (!errors.Is(err, ErrPattern) || !strings.HasSuffix(err.Error(), says)):
			t.Errorf("%s: expected %q, found %v", text, says, err)
		}
	}
}
