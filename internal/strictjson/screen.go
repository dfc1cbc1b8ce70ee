package strictjson

import (
	"fmt"
)

// deepest is the depth at which encoding/json itself gives up; a higher limit
// would let through what it refuses.
const deepest = 10_000

// Limits bound a document. The zero value refuses every document.
type Limits struct {
	Bytes     int  // the most bytes of the document, white space included; more than 2 GiB - 1 counts as that
	Depth     int  // the most objects and arrays within each other; the top object counts as 1
	AllowNull bool // null may stand for a value
}

// bounded keeps the limits to what the package itself can bear.
func (l Limits) bounded() Limits {
	l.Bytes, l.Depth = min(l.Bytes, longest), min(l.Depth, deepest)
	return l
}

// state is what may come next.
type state int

const (
	firstKey   state = iota // a key, or the end of the object just begun
	nextKey                 // a key, after a comma
	firstValue              // a value, or the end of the array just begun
	nextValue               // a value, after a comma or a colon
	afterValue              // a comma, or the end of what is open
)

// frame is an object or an array that is open.
type frame struct {
	array  bool
	opened int    // offset of its bracket
	depth  int    // 1 for the top object
	index  int    // of the current element, in an array
	named  bool   // a key has been read, in an object
	key    []byte // the current key, unescaped, in an object
	keys   keySet // all keys so far, in an object
}

type scanner struct {
	data   []byte
	pos    int
	limits Limits
	stack  []frame // popped frames are used again, to save allocations
}

// Screen reports whether data is one JSON object within the limits, as the
// package comment describes. The error is an *Error.
func Screen(data []byte, limits Limits) error {
	limits = limits.bounded()
	s := scanner{data: data, limits: limits}
	if len(data) > limits.Bytes {
		return s.fail(limits.Bytes, ErrTooLarge,
			fmt.Sprintf("at most %d bytes", limits.Bytes), fmt.Sprintf("%d or more", len(data)))
	}
	s.space()
	if s.peek() != '{' {
		return s.fail(s.pos, ErrSyntax, "an object", s.found(s.pos))
	}
	if err := s.run(nextValue); err != nil {
		return err
	}
	s.space()
	if s.pos < len(s.data) {
		return s.fail(s.pos, ErrSyntax, "nothing after the object", s.found(s.pos))
	}
	return nil
}

// run reads one value, or what is left of it from the given state on.
func (s *scanner) run(now state) (err error) {
	for {
		s.space()
		switch now {
		case firstKey, nextKey:
			now, err = s.member(now)
		case firstValue, nextValue:
			now, err = s.value(now)
		case afterValue:
			now, err = s.after()
		}
		if err != nil || len(s.stack) == 0 {
			return err
		}
	}
}

// open enters the object or array whose bracket is at pos.
func (s *scanner) open(array bool) (state, error) {
	if len(s.stack) >= s.limits.Depth {
		return 0, s.fail(s.pos, ErrTooDeep, fmt.Sprintf("at most %d levels", s.limits.Depth), "one more")
	}
	if len(s.stack) < cap(s.stack) {
		s.stack = s.stack[:len(s.stack)+1]
	} else {
		s.stack = append(s.stack, frame{})
	}
	f := s.top()
	f.array, f.opened, f.depth, f.index, f.named, f.key = array, s.pos, len(s.stack), 0, false, nil
	f.keys.reset()
	s.pos++
	if array {
		return firstValue, nil
	}
	return firstKey, nil
}

// close leaves what is open; the closing bracket is at pos.
func (s *scanner) close() (state, error) {
	f := s.top()
	if again := f.keys.repeated(s.data); again >= 0 {
		f.key = KeyAt(s.data, int32(again))
		return 0, s.duplicate(again)
	}
	s.pos++
	s.stack = s.stack[:len(s.stack)-1]
	return afterValue, nil
}

// member reads a key and its colon, or the end of an empty object.
func (s *scanner) member(now state) (state, error) {
	if s.peek() == '}' && now == firstKey {
		return s.close()
	}
	if s.peek() != '"' {
		return 0, s.fail(s.pos, ErrSyntax, "a key in quotes", s.found(s.pos))
	}
	start := s.pos
	key, escaped, err := s.text()
	if err != nil {
		return 0, err
	}
	if escaped {
		key = unescape(key)
	}
	f := s.top()
	again := f.keys.add(s.data, f, start, key, escaped)
	f.key, f.named = key, true
	if again {
		return 0, s.duplicate(start)
	}
	s.space()
	if s.peek() != ':' {
		return 0, s.fail(s.pos, ErrSyntax, `":" after the key`, s.found(s.pos))
	}
	s.pos++
	return nextValue, nil
}

// duplicate makes the error for the repeated key at offset, the current one.
func (s *scanner) duplicate(offset int) error {
	return s.fail(offset, ErrDuplicate, "each key once", quote(s.top().key)+" again")
}

// value reads a scalar, enters an object or array, or ends an empty array.
func (s *scanner) value(now state) (state, error) {
	c := s.peek()
	switch {
	case c == ']' && now == firstValue:
		return s.close()
	case c == '{', c == '[':
		return s.open(c == '[')
	case c == '"':
		_, _, err := s.text()
		return afterValue, err
	case c == '-', '0' <= c && c <= '9':
		return afterValue, s.number()
	case c == 't':
		return afterValue, s.word("true")
	case c == 'f':
		return afterValue, s.word("false")
	case c == 'n':
		start := s.pos
		if err := s.word("null"); err != nil {
			return 0, err
		}
		if !s.limits.AllowNull {
			return 0, s.fail(start, ErrNull, "a value", "null")
		}
		return afterValue, nil
	}
	return 0, s.fail(s.pos, ErrSyntax, "a value", s.found(s.pos))
}

// after reads what follows a value: a comma, or the end of what is open.
func (s *scanner) after() (state, error) {
	f := s.top()
	c := s.peek()
	switch {
	case f.array && c == ',':
		s.pos++
		f.index++
		return nextValue, nil
	case f.array && c == ']', !f.array && c == '}':
		return s.close()
	case f.array:
		return 0, s.fail(s.pos, ErrSyntax, `"," or "]"`, s.found(s.pos))
	case c == ',':
		s.pos++
		return nextKey, nil
	}
	return 0, s.fail(s.pos, ErrSyntax, `"," or "}"`, s.found(s.pos))
}

func (s *scanner) top() *frame { return &s.stack[len(s.stack)-1] }

// peek is the byte at pos, 0 at the end. A real NUL is refused wherever peek is
// asked, so the two need not be told apart.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) space() {
	if s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		s.pos = skipSpace(s.data, s.pos)
	}
}
