package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// FuzzScreen holds Screen to encoding/json: what it passes is one object that
// json decodes, with no key twice, no null and no more levels than allowed; and
// when it refuses a document that json takes, the reason is a true one.
func FuzzScreen(f *testing.F) {
	limits := Limits{Bytes: 4096, Depth: 8}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := Screen(data, limits)
		if err == nil {
			checkAccepted(t, data, limits)
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Offset < 0 || e.Offset > int64(len(data)) || e.Expected == "" || e.Found == "" {
			t.Fatalf("error %#v of %d bytes", err, len(data))
		}
		if !json.Valid(data) {
			return
		}
		facts, fair := readFacts(data), false
		switch {
		case errors.Is(err, ErrTooLarge):
			fair = len(data) > limits.Bytes
		case errors.Is(err, ErrTooDeep):
			fair = facts.depth > limits.Depth
		case errors.Is(err, ErrDuplicate):
			fair = facts.repeated
		case errors.Is(err, ErrNull):
			fair = facts.null
		case errors.Is(err, ErrSyntax):
			fair = !isPlainObject(data)
		}
		if !fair {
			t.Fatalf("refused %q: %v", data, err)
		}
	})
}

// isPlainObject reports whether data is an object of ASCII text without escapes
// of surrogates and with numbers that encoding/json decodes: what Screen must not
// call a syntax error.
func isPlainObject(data []byte) bool {
	for _, c := range data {
		if c >= 0x80 {
			return false
		}
	}
	if bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) {
		return false
	}
	var tree map[string]any
	return json.Unmarshal(data, &tree) == nil && tree != nil
}

// checkAccepted asserts what the package promises of a screened document.
func checkAccepted(t *testing.T, data []byte, limits Limits) {
	t.Helper()
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatalf("encoding/json refuses %q: %v", data, err)
	}
	if _, ok := tree.(map[string]any); !ok {
		t.Fatalf("%q is not an object", data)
	}
	facts := readFacts(data)
	if len(data) > limits.Bytes || facts.depth > limits.Depth || facts.repeated || facts.null && !limits.AllowNull {
		t.Fatalf("%q has passed, of which encoding/json says: %+v", data, facts)
	}
}

// facts is what Screen refuses in valid JSON.
type facts struct {
	repeated, null bool
	depth          int
}

// readFacts asks the tokens of encoding/json for the facts of a valid document.
func readFacts(data []byte) (found facts) {
	type level struct {
		keys map[string]bool // nil for an array
		key  bool            // a key is next
	}
	var open []*level
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			return found
		}
		if text, ok := token.(string); ok && len(open) > 0 && open[len(open)-1].key {
			top := open[len(open)-1]
			found.repeated = found.repeated || top.keys[text]
			top.keys[text], top.key = true, false
			continue
		}
		switch token {
		case nil:
			found.null = true
		case json.Delim('{'):
			open = append(open, &level{keys: map[string]bool{}, key: true})
		case json.Delim('['):
			open = append(open, &level{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		found.depth = max(found.depth, len(open))
		if len(open) > 0 && token != json.Delim('{') {
			open[len(open)-1].key = open[len(open)-1].keys != nil
		}
	}
}
