package strictjson

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
)

// survey goes once over a screened value. A strict survey stops at the first
// thing that canonical JSON writes in another way, and stores nothing. Another
// one refuses what canonical JSON does not have, and notes the objects whose
// members are out of order, sorted, so that the text can then be written in one
// go, without looking into anything twice.
type survey struct {
	text   []byte
	at     int
	strict bool
	stack  []level
	starts []int32 // of the keys of all open objects, the innermost object's last
	plan   plan
}

// level is an object or array that is open.
type level struct {
	array    bool
	unsorted bool
	opened   int  // offset of its bracket
	from     int  // in starts, its first key
	key      int  // offset of its latest key, 0 before the first
	keyEnd   int  // offset after that
	escaped  bool // that has escapes
}

// errOther ends a strict survey.
var errOther = errors.New("not in canonical form")

// fail makes the error for the byte at offset. Where that is, is found by
// screening all that stands before it.
func (s *survey) fail(offset int, sentinel error, expected, found string) error {
	if s.strict {
		return errOther
	}
	before := scanner{data: s.text[:offset], limits: Limits{Depth: deepest, AllowNull: true}}
	before.run(nextValue)
	return before.fail(offset, sentinel, expected, found)
}

// run surveys the whole text.
func (s *survey) run() error {
	s.space()
	for {
		if n := len(s.stack); n > 0 && !s.stack[n-1].array {
			if err := s.member(); err != nil {
				return err
			}
		}
		entered, err := s.value()
		if err != nil {
			return err
		}
		if !entered {
			if done, err := s.after(); done || err != nil {
				return err
			}
		}
	}
}

// member reads a key and its colon.
func (s *survey) member() error {
	start := s.at
	escaped, err := s.string()
	if err != nil {
		return err
	}
	top := &s.stack[len(s.stack)-1]
	if top.key > 0 && !top.unsorted && s.descends(top, start, s.at, escaped) {
		if s.strict {
			return errOther
		}
		top.unsorted = true
	}
	top.key, top.keyEnd, top.escaped = start, s.at, escaped
	if !s.strict {
		s.starts = append(s.starts, int32(start))
	}
	s.space()
	if s.peek() != ':' {
		return s.syntax(`":"`)
	}
	s.at++
	s.space()
	return nil
}

// descends reports whether the key from start to end comes before the object's
// latest one.
func (s *survey) descends(object *level, start, end int, escaped bool) bool {
	if object.escaped || escaped {
		return compareKeys(s.text, int32(object.key), int32(start)) > 0
	}
	return bytes.Compare(s.text[object.key+1:object.keyEnd-1], s.text[start+1:end-1]) > 0
}

// value reads a scalar or an empty object or array, or enters one with content.
func (s *survey) value() (entered bool, err error) {
	switch c := s.peek(); c {
	case '"':
		_, err := s.string()
		return false, err
	case '{', '[':
		return s.enter(c == '[')
	}
	return false, s.scalar()
}

// enter goes into the object or array whose bracket is here, unless it is empty.
func (s *survey) enter(array bool) (bool, error) {
	if len(s.stack) >= deepest {
		return false, s.fail(s.at, ErrTooDeep, "no more levels than a screened document has", "more")
	}
	opened := s.at
	s.at++
	s.space()
	if c := s.peek(); array && c == ']' || !array && c == '}' {
		s.at++
		return false, nil
	}
	s.stack = append(s.stack, level{array: array, opened: opened, from: len(s.starts)})
	return true, nil
}

// after reads the brackets that close here, and the comma behind them. It is
// done where the value ends.
func (s *survey) after() (done bool, err error) {
	for {
		s.space()
		if len(s.stack) == 0 {
			if s.at < len(s.text) {
				return true, s.syntax("nothing after the value")
			}
			return true, nil
		}
		top := &s.stack[len(s.stack)-1]
		c := s.peek()
		if c == ',' {
			s.at++
			s.space()
			return false, nil
		}
		if top.array && c != ']' || !top.array && c != '}' {
			return true, s.syntax("a comma or the closing bracket")
		}
		s.at++
		if top.unsorted {
			s.plan.add(s.text, top.opened, s.starts[top.from:])
		}
		s.starts = s.starts[:top.from]
		s.stack = s.stack[:len(s.stack)-1]
	}
}

// string reads a string.
func (s *survey) string() (escaped bool, err error) {
	end, escaped := skipString(s.text, s.at)
	if end < 0 {
		return false, s.syntax("a string")
	}
	if escaped && s.strict && !keepsEscapes(s.text[s.at+1:end-1]) {
		return false, errOther
	}
	s.at = end
	return escaped, nil
}

// keepsEscapes reports whether all escapes of raw are those of canonical JSON.
func keepsEscapes(raw []byte) bool {
	for {
		slash := bytes.IndexByte(raw, '\\')
		if slash < 0 {
			return true
		}
		if c := raw[slash+1]; c != '"' && c != '\\' {
			return false
		}
		raw = raw[slash+2:]
	}
}

// scalar reads a whole number or a literal name.
func (s *survey) scalar() error {
	end := max(skipValue(s.text, s.at), s.at)
	text := s.text[s.at:end]
	switch {
	case isWhole(text), string(text) == "true", string(text) == "false", string(text) == "null":
		s.at = end
		return nil
	case len(text) > 0 && (text[0] == '-' || '0' <= text[0] && text[0] <= '9'):
		return s.fail(s.at, ErrNumber, "a whole number", quote(text))
	}
	return s.syntax("a value")
}

// isWhole reports whether text is a whole number as JSON writes it, and not -0.
func isWhole(text []byte) bool {
	digits, negative := bytes.CutPrefix(text, []byte("-"))
	if len(digits) == 0 || digits[0] == '0' && (negative || len(digits) > 1) {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func (s *survey) syntax(expected string) error {
	found := scanner{data: s.text}
	return s.fail(s.at, ErrSyntax, expected, found.found(s.at))
}

func (s *survey) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// space passes over white space, which canonical JSON has none of.
func (s *survey) space() {
	if !s.strict {
		s.at = skipSpace(s.text, s.at)
	}
}

// finish gives the plan, ready for use.
func (s *survey) finish() plan {
	slices.SortFunc(s.plan.objects, func(a, b disorder) int { return cmp.Compare(a.opened, b.opened) })
	return s.plan
}
