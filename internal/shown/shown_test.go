package shown

import "testing"

func TestQuoteAndClip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text        string
		limit       int
		quoted, cut string
	}{
		{"", 3, `""`, ""},
		{"abc", 3, `"abc"`, "abc"},
		{"abcd", 3, `"abc"…`, "abc…"},
		{"aéb", 2, `"a"…`, "a…"},
		{"aéb", 3, `"aé"…`, "aé…"},
		{"€uro", 2, `""…`, "…"},
		{"a\x1b[31m\u202e\u00a0", 100, `"a\x1b[31m\u202e\u00a0"`, "a\x1b[31m\u202e\u00a0"},
		{"\x80\x80\x80\x80\x80\x80", 4, `"\x80\x80\x80\x80"…`, "\x80\x80\x80\x80…"},
	} {
		if got := Quote(test.text, test.limit); got != test.quoted {
			t.Errorf("Quote(%q, %d): expected %s, found %s", test.text, test.limit, test.quoted, got)
		}
		if got := Clip(test.text, test.limit); got != test.cut {
			t.Errorf("Clip(%q, %d): expected %q, found %q", test.text, test.limit, test.cut, got)
		}
	}
}

func TestInert(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 3, ""},
		{`plain "quoted" \ text, ünïcode €`, 100, `plain "quoted" \ text, ünïcode €`},
		{"abcd", 3, "abc…"},
		{"a\x1b[31m\u202e\u00a0\n\x00\xffb\ufffd", 100, `a\x1b[31m\u202e\u00a0\n\x00\xffb` + "\ufffd"},
		{"€uro", 2, "…"},
	} {
		if got := Inert(test.text, test.limit); got != test.want {
			t.Errorf("Inert(%q, %d): expected %q, found %q", test.text, test.limit, test.want, got)
		}
	}
}
