package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"assay/internal/strictjson"
)

// The most bytes of each document. A catalog of 20,000 products, a channel index
// of 10,000 releases and a manifest of 4,096 artifacts each come to about 3 MiB
// when indented; mirrors are a few dozen lines. Readers of such a document from
// a network or a disk can use the same bounds.
const (
	MaxCatalogBytes = 4 << 20
	MaxChannelBytes = 4 << 20
	MaxReleaseBytes = 4 << 20
	MaxMirrorsBytes = 1 << 20
)

// maxDepth is the nesting that is taken; the documents themselves have 5 levels
// and what is unknown in them may have a few more.
const maxDepth = 16

// maxElements is the most entries of all lists together. The longest catalogs
// have 140,000; beyond, a few megabytes of wrong entries would make gigabytes of
// errors in the schema validator, which gives each its own.
const maxElements = 200_000

// document is what every decoded document has beside its fields.
type document struct {
	raw     []byte
	unknown []string
}

// Raw is the document as it was published. It must not be changed.
func (d *document) Raw() []byte { return d.raw }

// Unknown lists the fields that this version does not know, like
// releases[0].foo, sorted by name within each object; the first hundred.
func (d *document) Unknown() []string { return slices.Clone(d.unknown) }

// form is what is common to all documents of one kind.
type form struct {
	kind  string // the middle of assay.KIND/v1, and the name of the schema file
	limit int    // in bytes
}

const schemaVersion = "v1"

func (f form) schema() string { return "assay." + f.kind + "/" + schemaVersion }

// decode reads data into the struct that into points to. Every error is a
// *FieldError for the document with the given target path.
func (f form) decode(path string, data []byte, into any) (document, error) {
	doc, p := f.read(data, into)
	if p != nil {
		return document{}, inDocument(path, p)
	}
	return doc, nil
}

// inDocument completes a problem into the error that callers get.
func inDocument(path string, p *problem) error {
	p.Document = path
	return p
}

func (f form) read(data []byte, into any) (document, *problem) {
	tree, p := f.tree(data)
	if p != nil {
		return document{}, p
	}
	unknown, found := f.violations(tree, into)
	if len(found) > 0 {
		return document{}, found[0].problem
	}
	if err := json.Unmarshal(data, into); err != nil {
		return document{}, decodeProblem(err)
	}
	return document{raw: bytes.Clone(data), unknown: unknown}, nil
}

// tree is the document of this kind as JSON has it, before its fields are looked
// at.
func (f form) tree(data []byte) (map[string]any, *problem) {
	limits := strictjson.Limits{Bytes: f.limit, Depth: maxDepth}
	if err := strictjson.Screen(data, limits); err != nil {
		return nil, screenProblem(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		return nil, decodeProblem(err)
	}
	if p := f.checkKind(tree); p != nil {
		return nil, p
	}
	return tree, nil
}

// violation is a place at which a document is not what its schema says.
type violation struct {
	location []string // as the schema validator has it: keys and indices
	problem  *problem
	// useless says that the value there can't be read; else it can, and what is
	// within may be right (an object that lacks a field, a list that is too long).
	useless bool
}

// violations is all that is wrong with the form of the fields of a tree, first
// the keys and numbers that are spelled otherwise than assay takes them, and the
// fields that into does not have.
func (f form) violations(tree map[string]any, into any) (unknown []string, found []violation) {
	walker := fieldWalker{}
	walker.walk(tree, reflect.TypeOf(into))
	if walker.elements > maxElements {
		p := malformed("", fmt.Sprintf("at most %d entries in all lists together", maxElements), strconv.Itoa(walker.elements))
		return walker.unknown, []violation{{problem: p, useless: true}}
	}
	return walker.unknown, append(walker.found, f.validate(tree)...)
}

// checkKind tells a document of another kind, or of a later version, from one
// that is malformed.
func (f form) checkKind(tree map[string]any) *problem {
	found, ok := tree["schema"].(string)
	if !ok {
		return malformed("schema", quote(f.schema()), describe(tree["schema"]))
	}
	if found == f.schema() {
		return nil
	}
	p := &problem{Field: "schema", Expected: quote(f.schema()), Found: quote(found), Err: ErrSchema}
	if strings.HasPrefix(found, "assay."+f.kind+"/") {
		p.Expected += ", the only version that this assay knows"
		p.Err = ErrSchemaVersion
	}
	return p
}

// validate checks the tree against the schema of the kind, and returns what is
// wrong in the order of the fields.
func (f form) validate(tree map[string]any) []violation {
	all, err := loadSchemas()
	var schema *jsonschema.Schema
	if err == nil {
		schema, err = all.compile(schemaBase, f.kind)
	}
	if err != nil {
		return []violation{{problem: malformed("", "a schema to check it with", err.Error()), useless: true}}
	}
	var invalid *jsonschema.ValidationError
	err = guarded(func() error { return schema.Validate(tree) })
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return all.explain(tree, invalid)
	default:
		return []violation{{problem: malformed("", "a document that can be checked", err.Error()), useless: true}}
	}
}

// guarded makes an error of a panic in code that is not ours and works on bytes
// from outside.
func guarded(check func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a panic: %s", quote(fmt.Sprint(r)))
		}
	}()
	return check()
}

func screenProblem(err error) *problem {
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		return &problem{Field: e.Path, Expected: e.Expected, Found: e.Found, Err: fmt.Errorf("%w: %w", ErrMalformed, sentinelOf(e))}
	}
	return decodeProblem(err)
}

// sentinelOf strips the words from a screening error; they stand in the fields.
func sentinelOf(e *strictjson.Error) error {
	for _, sentinel := range []error{
		strictjson.ErrTooLarge, strictjson.ErrTooDeep, strictjson.ErrDuplicate, strictjson.ErrNull,
	} {
		if errors.Is(e, sentinel) {
			return sentinel
		}
	}
	return strictjson.ErrSyntax
}

// decodeProblem is for what the schema should have refused before: the schema
// and the types disagree.
func decodeProblem(err error) *problem {
	field := ""
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field = e.Field
	}
	return malformed(field, "a value that fits", quote(err.Error()))
}
