package release

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// explain puts the validator's tree of errors into words, in the order of the
// fields. tree is the document that was checked.
func (s *schemas) explain(tree any, err *jsonschema.ValidationError) []violation {
	var all []violation
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		// The branches of a choice fail each for its own reason, and none of
		// them is the reason: the choice itself is what has to be told.
		if !isChoice(e) && len(e.Causes) > 0 {
			for _, cause := range e.Causes {
				walk(cause)
			}
			return
		}
		if k, ok := e.ErrorKind.(*kind.Required); ok {
			for _, missing := range k.Missing {
				location := append(slices.Clone(e.InstanceLocation), missing)
				all = append(all, violation{location, malformed(fieldPath(location), "a value", "nothing"), true})
			}
			return
		}
		expected, found := s.words(tree, e)
		all = append(all, violation{e.InstanceLocation, malformed(fieldPath(e.InstanceLocation), expected, found), !isAboutParts(e)})
	}
	walk(err)
	slices.SortStableFunc(all, func(a, b violation) int {
		return cmp.Or(compareLocations(a.location, b.location), strings.Compare(a.problem.Expected, b.problem.Expected))
	})
	return all
}

// isAboutParts reports whether an error is about how many or which parts a value
// has, so that each of them can be right.
func isAboutParts(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kind.OneOf, *kind.MinItems, *kind.MaxItems, *kind.MaxProperties:
		return true
	}
	return false
}

func isChoice(e *jsonschema.ValidationError) bool {
	switch e.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		return true
	}
	return false
}

// words says what was expected where an error lies, and what was found.
func (s *schemas) words(tree any, e *jsonschema.ValidationError) (expected, found string) {
	found = describe(lookup(tree, e.InstanceLocation))
	expected = s.description(e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		if expected == "" || k.Got == "object" || k.Got == "array" {
			expected = "of type " + strings.Join(k.Want, " or ")
		}
	case *kind.Enum:
		expected = "one of " + joinValues(k.Want)
	case *kind.Const:
		expected = describe(k.Want)
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			found = "none of them"
		} else {
			found = "more than one of them"
		}
	case *kind.AnyOf:
		found = "none of them"
	case *kind.MinItems:
		expected, found = fmt.Sprintf("%d or more entries", k.Want), strconv.Itoa(k.Got)
	case *kind.MaxItems:
		expected, found = fmt.Sprintf("at most %d entries", k.Want), strconv.Itoa(k.Got)
	case *kind.MaxProperties:
		expected, found = fmt.Sprintf("at most %d fields", k.Want), strconv.Itoa(k.Got)
	case *kind.MaxLength:
		found = fmt.Sprintf("%d characters", k.Got)
	}
	if expected == "" {
		expected = "what " + e.SchemaURL + " says"
	}
	return expected, found
}

// description reads the words that a schema has for what it takes, "" where it
// has none.
func (s *schemas) description(url string) string {
	file, pointer, _ := strings.Cut(strings.TrimPrefix(url, schemaBase), "#")
	node := s.sources[strings.TrimSuffix(file, ".json")]
	for _, segment := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if segment != "" {
			node = lookup(node, []string{segment})
		}
	}
	object, _ := node.(map[string]any)
	text, _ := object["description"].(string)
	return text
}

// lookup follows a location through objects and arrays; nil where it ends.
func lookup(node any, location []string) any {
	for _, segment := range location {
		switch now := node.(type) {
		case map[string]any:
			node = now[segment]
		case []any:
			i, err := strconv.Atoi(segment)
			if err != nil || i < 0 || i >= len(now) {
				return nil
			}
			node = now[i]
		default:
			return nil
		}
	}
	return node
}

// describe puts a JSON value into a message.
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case string:
		return quote(v)
	case map[string]any:
		return "an object"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprintf("a %T", v)
		}
		return string(text)
	}
}

func joinValues(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = describe(v)
	}
	return strings.Join(words, ", ")
}

// fieldPath spells a location like releases[2].status. The names in it are the
// schema's own or, in objects, the document's, so they are quoted where needed.
func fieldPath(location []string) string {
	var b strings.Builder
	for _, segment := range location {
		if _, err := strconv.Atoi(segment); err == nil {
			b.WriteString("[" + segment + "]")
			continue
		}
		if !isPlain(segment) {
			b.WriteString("[" + quote(segment) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(segment)
	}
	return b.String()
}

// isPlain reports whether a key can stand in a path without quotes.
func isPlain(key string) bool {
	for i := range len(key) {
		c := key[i]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return key != "" && len(key) <= 64
}

// compareLocations orders fields by name and elements by number.
func compareLocations(a, b []string) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		i, errX := strconv.Atoi(x)
		j, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return cmp.Compare(i, j)
		}
		return strings.Compare(x, y)
	})
}
