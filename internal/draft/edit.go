package draft

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"assay/internal/strictjson"
)

// object is a JSON object whose members keep their order and their text, so that
// an edit changes nothing else, fields that this assay does not know included.
type object struct {
	members []member
}

type member struct {
	key   string
	value []byte
}

// parse reads an object of a document that was decoded before, and so was
// screened. Of nothing it is an empty one.
func parse(data []byte) *object {
	o := &object{}
	for m := range strictjson.Members(data) {
		o.members = append(o.members, member{string(m.Key), m.Value})
	}
	return o
}

func (o *object) find(key string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.key == key })
}

// get is a member's value, nil if there is none.
func (o *object) get(key string) []byte {
	if i := o.find(key); i >= 0 {
		return o.members[i].value
	}
	return nil
}

// set replaces a value where it stands, or adds the member at the end.
func (o *object) set(key string, value []byte) {
	if i := o.find(key); i >= 0 {
		o.members[i].value = value
		return
	}
	o.members = append(o.members, member{key, value})
}

// setBefore is set, which puts a new member before another one.
func (o *object) setBefore(key string, value []byte, other string) {
	if at := o.find(other); o.find(key) < 0 && at >= 0 {
		o.members = slices.Insert(o.members, at, member{key, value})
		return
	}
	o.set(key, value)
}

func (o *object) remove(key string) {
	o.members = slices.DeleteFunc(o.members, func(m member) bool { return m.key == key })
}

func (o *object) bytes() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(text(m.key))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// document is the object as it stands in a file.
func (o *object) document() []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, o.bytes(), "", "  "); err != nil {
		panic("draft: an edited document is no JSON: " + err.Error()) // its parts were
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// elements are the values of an array, as parse reads objects.
func elements(array []byte) [][]byte { return slices.Collect(strictjson.Elements(array)) }

func list(values [][]byte) []byte {
	return slices.Concat([]byte{'['}, bytes.Join(values, []byte{','}), []byte{']'})
}

// text is a JSON string that leaves < > & as they are.
func text(s string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic("draft: a string is no JSON: " + err.Error())
	}
	return bytes.TrimSpace(b.Bytes())
}

func stamp(at time.Time) []byte { return text(at.UTC().Format(time.RFC3339)) }
