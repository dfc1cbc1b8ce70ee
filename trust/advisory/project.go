package advisory

import "assay/internal/strictjson"

// shape names the members of an object that are read, with the shape of each; of
// an array, those of its elements. A nil shape is of a text, or of a list of them.
type shape map[string]shape

// projection copies the part of a value that a shape names. So the decoders see
// only what is used, by its exact name, and no element that is null; for a
// member they take null for absent themselves.
type projection struct {
	out  []byte
	left int // how many more elements may come
}

// copy appends the value's part; it is false where there are too many elements.
func (p *projection) copy(value []byte, s shape) bool {
	switch {
	case value[0] == '[':
		return p.copyArray(value, s)
	case value[0] == '{':
		return p.copyObject(value, s)
	}
	p.out = append(p.out, value...)
	return true
}

func (p *projection) copyArray(array []byte, s shape) bool {
	p.out = append(p.out, '[')
	first := true
	for element := range strictjson.Elements(array) {
		if string(element) == "null" {
			continue
		}
		if p.left--; p.left < 0 {
			return false
		}
		if !first {
			p.out = append(p.out, ',')
		}
		first = false
		if !p.copy(element, s) {
			return false
		}
	}
	p.out = append(p.out, ']')
	return true
}

func (p *projection) copyObject(object []byte, s shape) bool {
	p.out = append(p.out, '{')
	first := true
	for m := range strictjson.Members(object) {
		inner, ok := s[string(m.Key)]
		if !ok {
			continue
		}
		if !first {
			p.out = append(p.out, ',')
		}
		first = false
		p.out = append(p.out, '"')
		p.out = append(p.out, m.Key...) // one of the shape's, which need no escapes
		p.out = append(p.out, `":`...)
		if !p.copy(m.Value, inner) {
			return false
		}
	}
	p.out = append(p.out, '}')
	return true
}
