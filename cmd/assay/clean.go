package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from anywhere fit for one line of a terminal: control
// characters, line breaks and invisible formatting (which could turn the order
// of letters around) become spaces or vanish.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return -1
		case r == utf8.RuneError:
			return '\ufffd'
		}
		return r
	}, text)
}

// cleanArgs cleans what is about to be put into a format. Numbers and times
// print only what is harmless.
func cleanArgs(args []any) []any {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case styled:
			safe[i] = string(v)
		case string:
			safe[i] = clean(v)
		case error:
			safe[i] = clean(v.Error())
		case fmt.Stringer:
			safe[i] = clean(v.String())
		default:
			safe[i] = v
		}
	}
	return safe
}

// clip shortens text from outside, so that a message stays one line.
func clip(text string) string {
	const limit = 120
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
