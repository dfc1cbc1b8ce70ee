package shown

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Inert is text with escapes for all that can't be printed or turns the direction of
// what follows, as Go's syntax has them; quotes and backslashes stay. Of a longer one
// it is the first limit bytes.
func Inert(text string, limit int) string {
	cut := ""
	if len(text) > limit {
		text, cut = text[:end(text, limit)], mark
	}
	if strings.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) < 0 {
		return text + cut
	}
	var b strings.Builder
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			quoted := strconv.Quote(text[i : i+1])
			b.WriteString(quoted[1 : len(quoted)-1])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String() + cut
}
