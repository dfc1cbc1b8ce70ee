package release

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
)

// The schema and the Go types must have the same fields: one that only the
// schema has would be reported as unknown, one that only the type has would be
// taken unchecked.
func TestSchemaAndTypesAgree(t *testing.T) {
	all, err := loadSchemas()
	if err != nil {
		t.Fatal(err)
	}
	for name, typ := range map[string]reflect.Type{
		"catalog": reflect.TypeFor[Catalog](), "channel": reflect.TypeFor[Channel](),
		"release": reflect.TypeFor[Release](), "mirrors": reflect.TypeFor[Mirrors](),
	} {
		compareFields(t, all, name, name, all.sources[name], typ)
	}
}

// Under another base the compiler checks each file against the schema of schemas.
func TestSchemasAreSchemas(t *testing.T) {
	const base = "assay:///"
	all, err := readSchemas(base)
	if err != nil {
		t.Fatal(err)
	}
	for name := range all.sources {
		if _, err := all.compile(base, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken, err := readSchemas(base)
	if err != nil {
		t.Fatal(err)
	}
	broken.sources["catalog"].(map[string]any)["type"] = 7
	if _, err := broken.compile(base, "catalog"); err == nil {
		t.Error("expected a schema with a type 7 to be refused, found no error")
	}
}

func compareFields(t *testing.T, all *schemas, file, path string, node any, typ reflect.Type) {
	t.Helper()
	file, node = resolve(t, all, file, node)
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Slice && typ != reflect.TypeFor[artifact.Digests]() {
		items := lookup(node, []string{"items"})
		if items == nil {
			t.Errorf("%s: the type is a list, the schema has no items", path)
			return
		}
		compareFields(t, all, file, path+"[]", items, typ.Elem())
		return
	}
	known := fieldsOf(typ)
	properties, _ := lookup(node, []string{"properties"}).(map[string]any)
	if len(known) == 0 && len(properties) == 0 {
		return
	}
	inSchema, inType := slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(known))
	if !slices.Equal(inSchema, inType) {
		t.Errorf("%s: the schema has %v, the type has %v", path, inSchema, inType)
		return
	}
	for name, field := range known {
		compareFields(t, all, file, path+"."+name, properties[name], field)
	}
}

// resolve follows a $ref to the file and the node that it names.
func resolve(t *testing.T, all *schemas, file string, node any) (string, any) {
	t.Helper()
	ref, ok := lookup(node, []string{"$ref"}).(string)
	if !ok {
		return file, node
	}
	target, pointer, _ := strings.Cut(ref, "#/")
	if target != "" {
		file = strings.TrimSuffix(target, ".json")
	}
	found := lookup(all.sources[file], strings.Split(pointer, "/"))
	if found == nil {
		t.Fatalf("%s leads nowhere", ref)
	}
	return file, found
}

// Each part that can fail has words for what it takes.
func TestSchemaDescribesItsParts(t *testing.T) {
	var parts struct {
		Defs map[string]struct {
			Description string `json:"description"`
		} `json:"$defs"`
	}
	for _, name := range []string{"common", "catalog", "channel", "release", "mirrors"} {
		data, err := Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &parts); err != nil {
			t.Fatal(err)
		}
		for part, def := range parts.Defs {
			// bundles is a plain list, and its errors are about its entries.
			if def.Description == "" && part != "bundles" {
				t.Errorf("%s: %s has no description", name, part)
			}
		}
	}
}

func TestSchemaByName(t *testing.T) {
	for _, name := range []string{"", "nothing", "../decode.go", "../schema.go"} {
		if data, err := Schema(name); !errors.Is(err, fs.ErrNotExist) || data != nil {
			t.Errorf("%q: got %d bytes, %v", name, len(data), err)
		}
	}
}

func TestPanicBecomesError(t *testing.T) {
	err := guarded(func() error { panic("a parser's bug\x1b[2J") })
	if err == nil || !strings.Contains(err.Error(), "a parser's bug") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got %v", err)
	}
	if err := guarded(func() error { return fs.ErrExist }); err != fs.ErrExist {
		t.Errorf("an ordinary error became %v", err)
	}
}
