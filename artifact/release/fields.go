package release

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
)

// maxUnknown bounds the lists of unknown and of misspelt fields; a document that
// has more is not made clearer by naming them all.
const maxUnknown = 100

// fieldWalker goes through a decoded tree beside the type that will receive it.
// It collects the fields that the type does not have or that differ from its
// own in case, and makes numbers ready for the schema validator.
type fieldWalker struct {
	location []string
	unknown  []string
	found    []violation // in the order of the fields, the first maxUnknown
	elements int         // of all lists that the type has
	known    map[reflect.Type]map[string]reflect.Type
}

// walk returns the value with its numbers converted, as convert says. typ is
// nil inside a field that is not known.
func (w *fieldWalker) walk(value any, typ reflect.Type) any {
	for typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch v := value.(type) {
	case map[string]any:
		known := w.knownFields(typ)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w.location = append(w.location, key)
			v[key] = w.walk(v[key], w.field(key, typ, known))
			w.location = w.location[:len(w.location)-1]
		}
	case []any:
		var element reflect.Type
		if typ != nil {
			w.elements += len(v)
		}
		if typ != nil && typ.Kind() == reflect.Slice {
			element = typ.Elem()
		}
		for i := range v {
			w.location = append(w.location, strconv.Itoa(i))
			v[i] = w.walk(v[i], element)
			w.location = w.location[:len(w.location)-1]
		}
	case json.Number:
		return w.convert(v, typ)
	}
	return value
}

// field returns the type of the field that key names, nil if it is not known.
func (w *fieldWalker) field(key string, typ reflect.Type, known map[string]reflect.Type) reflect.Type {
	if typ == nil || known == nil {
		return nil
	}
	if found, ok := known[key]; ok {
		return found
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if strings.EqualFold(name, key) {
			w.report(malformed(fieldPath(w.location), "the field "+name+" in lower case", quote(key)))
			return nil
		}
	}
	if len(w.unknown) < maxUnknown {
		w.unknown = append(w.unknown, fieldPath(w.location))
	}
	return nil
}

// convert makes a number an int64 where it is written as a whole one, else a
// float64. The validator computes with big.Rat, in which a json.Number such as
// 1e-999999999 would fill the memory. A field for whole numbers takes no other
// spelling: JSON Schema lets 1.0 and 1e3 pass for integers, encoding/json not.
func (w *fieldWalker) convert(number json.Number, typ reflect.Type) any {
	if i, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		return i
	}
	if typ == reflect.TypeFor[int64]() || typ == reflect.TypeFor[int]() {
		w.report(malformed(fieldPath(w.location), "a whole number in digits", quote(number.String())))
	}
	f, err := number.Float64()
	if err != nil {
		w.report(malformed(fieldPath(w.location), "a number within float64", quote(number.String())))
		return 0.0
	}
	return f
}

func (w *fieldWalker) report(p *problem) {
	if len(w.found) < maxUnknown {
		w.found = append(w.found, violation{slices.Clone(w.location), p, true})
	}
}

// knownFields remembers what fieldsOf says, as most types come many times.
func (w *fieldWalker) knownFields(typ reflect.Type) map[string]reflect.Type {
	known, ok := w.known[typ]
	if !ok {
		if w.known == nil {
			w.known = map[reflect.Type]map[string]reflect.Type{}
		}
		known = fieldsOf(typ)
		w.known[typ] = known
	}
	return known
}

// fieldsOf maps the JSON names of a struct's fields to their types; nil for
// what is not a struct.
func fieldsOf(typ reflect.Type) map[string]reflect.Type {
	switch {
	case typ == nil:
		return nil
	case typ == reflect.TypeFor[artifact.Digests]():
		text := reflect.TypeFor[string]()
		return map[string]reflect.Type{string(artifact.SHA256): text, string(artifact.SHA512): text}
	case typ.Kind() != reflect.Struct:
		return nil
	}
	known := map[string]reflect.Type{}
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			known[name] = field.Type
		}
	}
	return known
}
