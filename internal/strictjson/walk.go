package strictjson

import (
	"bytes"
	"iter"
)

// Member is one member of an object.
type Member struct {
	Key   []byte // unescaped; a part of the document where it had no escapes
	Start int    // offset of the key's opening quote, counted from the start of the slice given to Members
	Value []byte // the value's text, a part of the document, without white space around it
}

// Members yields the members of the object that object begins with (white space
// before it and anything after it are passed over), in the order of the text.
// It builds nothing and checks nothing: object must be a document that Screen
// has passed, or a value within one. Where it is neither, Members yields some of
// what looks like members and ends.
func Members(object []byte) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for at := enter(object, '{'); at >= 0; {
			m, end := memberAt(object, at)
			if end < 0 || !yield(m) {
				return
			}
			at = next(object, end)
		}
	}
}

// Elements yields the texts of the elements of the array that array begins with,
// each without white space around it, under the conditions of Members.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := enter(array, '['); at >= 0; {
			end := skipValue(array, at)
			if end < 0 || !yield(array[at:end:end]) {
				return
			}
			at = next(array, end)
		}
	}
}

// MemberAt reads the one member whose key begins at offset start, which must be
// the Start of a Member that Members yielded for the same object. Its Value is
// nil if no member is there.
func MemberAt(object []byte, start int) Member {
	if start < 0 {
		return Member{}
	}
	m, _ := memberAt(object, start)
	return m
}

// memberAt reads the member at offset at, and says where it ends. The end is
// negative, and the member zero, where no whole member is.
func memberAt(object []byte, at int) (Member, int) {
	keyEnd, escaped := skipString(object, at)
	if keyEnd < 0 {
		return Member{}, -1
	}
	colon := skipSpace(object, keyEnd)
	if colon >= len(object) || object[colon] != ':' {
		return Member{}, -1
	}
	value := skipSpace(object, colon+1)
	end := skipValue(object, value)
	if end < 0 {
		return Member{}, -1
	}
	key := object[at+1 : keyEnd-1 : keyEnd-1]
	if escaped {
		key = unescape(key)
	}
	return Member{Key: key, Start: at, Value: object[value:end:end]}, end
}

// enter is the offset of the first thing within the bracket that text begins
// with, negative if the bracket is another or nothing is in it.
func enter(text []byte, bracket byte) int {
	at := skipSpace(text, 0)
	if at >= len(text) || text[at] != bracket {
		return -1
	}
	at = skipSpace(text, at+1)
	if at >= len(text) || text[at] == '}' || text[at] == ']' {
		return -1
	}
	return at
}

// next is the offset of what stands after the comma that follows offset end,
// negative if there is no comma.
func next(text []byte, end int) int {
	at := skipSpace(text, end)
	if at >= len(text) || text[at] != ',' {
		return -1
	}
	return skipSpace(text, at+1)
}

// skipSpace is the offset of the first byte from at on that is no white space.
func skipSpace(text []byte, at int) int {
	for at < len(text) && isSpace(text[at]) {
		at++
	}
	return at
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r'
}

// skipString is the offset after the string whose opening quote is at offset at,
// negative if none is there or its end is missing, and whether a backslash is in
// it. Each backslash is looked at once: a run of them ends at a quote.
func skipString(text []byte, at int) (end int, escaped bool) {
	if at >= len(text) || text[at] != '"' {
		return -1, false
	}
	start := at + 1
	for at = start; ; at++ {
		quote := bytes.IndexByte(text[at:], '"')
		if quote < 0 {
			return -1, false
		}
		run := at
		at += quote
		slash := at
		for slash > run && text[slash-1] == '\\' {
			slash--
		}
		if (at-slash)%2 == 0 {
			return at + 1, escaped || bytes.IndexByte(text[start:at], '\\') >= 0
		}
		escaped = true
	}
}

// skipValue is the offset after the value at offset at, negative if there is
// none or its end is missing.
func skipValue(text []byte, at int) int {
	if at >= len(text) {
		return -1
	}
	switch text[at] {
	case '"':
		end, _ := skipString(text, at)
		return end
	case '{', '[':
		return skipNested(text, at)
	}
	end := at
	for end < len(text) && !endsScalar(text[end]) {
		end++
	}
	if end == at {
		return -1
	}
	return end
}

// endsScalar reports whether c may stand right after a number or a literal name.
func endsScalar(c byte) bool {
	return c == ',' || c == '}' || c == ']' || isSpace(c)
}

// skipNested is the offset after the object or array at offset at, negative if
// its end is missing. In a screened document the brackets match, so that a
// counter is enough.
func skipNested(text []byte, at int) int {
	for depth := 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			end, _ := skipString(text, at)
			if end < 0 {
				return -1
			}
			at = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
		}
	}
	return -1
}
