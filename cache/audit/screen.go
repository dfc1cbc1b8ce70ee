package audit

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of what an entry holds, in bytes.
const (
	maxWord   = 64   // of an action or outcome
	maxText   = 1024 // of any other text
	maxDetail = 2048
	// maxLine is that of a whole entry: eight texts and the detail, each byte of
	// which JSON may write as two, and what is of fixed length.
	maxLine = 2*(8*maxText+maxDetail) + 2048
)

// cutMark stands where text was cut.
const cutMark = "…"

// The parts of a URL that may hold a secret: what stands before the host's name,
// and the query.
var (
	userInfo = regexp.MustCompile(`://[^/?#\s"'<>]*@`)
	query    = regexp.MustCompile(`(://[^?\s"'<>]*\?)[^#\s"'<>]+`)
)

// screen makes what came from outside fit to be kept for ever.
func (e Entry) screen() (Entry, error) {
	for what, word := range map[string]string{"an action": e.Action, "an outcome": e.Outcome} {
		if len(word) > maxWord || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || word == "" && what == "an action" {
			return Entry{}, fmt.Errorf("%w: expected %s of 1 to %d lower-case letters, digits, dots and dashes, found %q", ErrInvalid, what, maxWord, clip(word, maxWord))
		}
	}
	for _, text := range []*string{
		&e.Host, &e.User, &e.Subject.Platform, &e.Subject.Product, &e.Subject.Repository, &e.Subject.Target, &e.Subject.Version,
	} {
		*text = screen(*text, maxText)
	}
	e.Detail = screen(e.Detail, maxDetail)
	return e, nil
}

// screen takes out secrets of URLs and what does not print, and cuts the text to
// limit bytes.
func screen(text string, limit int) string {
	if most := 8 * limit; len(text) > most {
		// A huge text is not searched, and no URL is cut in two.
		text = text[:strings.LastIndexAny(text[:most], " \t\n")+1] + cutMark
	}
	text = userInfo.ReplaceAllString(text, "://")
	text = query.ReplaceAllString(text, "$1…")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, text)
	return clip(text, limit)
}

// clip cuts text to at most limit bytes, and marks that it did.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len(cutMark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}
