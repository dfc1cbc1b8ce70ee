// Package shown makes text from outside fit for a message: short, and cut between
// two characters.
package shown

import (
	"strconv"
	"unicode/utf8"
)

// mark stands for what was cut off.
const mark = "…"

// Quote is text in quotes, with escapes for all that can't be printed, as Go's
// syntax has them. Of a longer one it is the first limit bytes.
func Quote(text string, limit int) string {
	if len(text) <= limit {
		return strconv.Quote(text)
	}
	return strconv.Quote(text[:end(text, limit)]) + mark
}

// Clip is text as it is, which is known to be fit for a terminal, or will be made
// so. Of a longer one it is the first limit bytes.
func Clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return text[:end(text, limit)] + mark
}

// end is where to cut: at limit, or before the character that it would cut through.
func end(text string, limit int) int {
	for back := 0; back < utf8.UTFMax && back <= limit; back++ {
		if utf8.RuneStart(text[limit-back]) {
			return limit - back
		}
	}
	return limit // no text at all
}
