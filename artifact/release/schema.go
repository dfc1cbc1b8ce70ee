package release

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"assay/artifact"
)

//go:embed schema/*.json
var schemaFiles embed.FS

// schemaBase makes the names of the schema files absolute inside the compiler,
// which then never looks for a file.
const schemaBase = "assay:///"

// Schema returns one of the JSON Schema files (draft 2020-12), by its name
// without the extension: catalog, channel, release, mirrors, or common, which
// the others refer to. The formats that begin with "assay-" narrow what the
// patterns beside them say; a validator that does not know them can pass over
// them. An unknown name wraps fs.ErrNotExist.
func Schema(name string) ([]byte, error) {
	data, err := schemaFiles.ReadFile(path.Join("schema", path.Base(name)+".json"))
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", quote(name), err)
	}
	return data, nil
}

// schemas is all of the schema files, compiled, and their sources by URL.
type schemas struct {
	compiled map[string]*jsonschema.Schema // by name
	sources  map[string]any                // by name
}

// loadSchemas compiles once, when the first document is decoded: it costs some
// milliseconds that a command without a document need not pay.
var loadSchemas = sync.OnceValues(compileSchemas)

func compileSchemas() (*schemas, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.UseLoader(noLoader{})
	for name, check := range formats() {
		compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: onStrings(check)})
	}
	all := &schemas{compiled: map[string]*jsonschema.Schema{}, sources: map[string]any{}}
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".json")
		data, err := Schema(name)
		if err != nil {
			return nil, err
		}
		var source any
		if err := json.Unmarshal(data, &source); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		if err := compiler.AddResource(schemaBase+entry.Name(), source); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		all.sources[name] = source
	}
	for name := range all.sources {
		if all.compiled[name], err = compiler.Compile(schemaBase + name + ".json"); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
	}
	return all, nil
}

// noLoader refuses to load: every schema is added beforehand.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("expected one of the schemas that are built in, found %s", quote(url))
}

// formats are what patterns can't say. "date-time" replaces the library's own,
// so that what passes is what time.Time reads afterwards.
func formats() map[string]func(string) error {
	return map[string]func(string) error{
		"date-time":      func(s string) error { return new(time.Time).UnmarshalText([]byte(s)) },
		"assay-version":  func(s string) error { _, err := artifact.ParseVersion(s); return err },
		"assay-duration": func(s string) error { _, err := ParseDuration(s); return err },
		"assay-product":  artifact.ValidProduct,
		"assay-cidr":     func(s string) error { _, err := netip.ParsePrefix(s); return err },
	}
}

// onStrings passes other types over, as formats speak of strings only.
func onStrings(check func(string) error) func(any) error {
	return func(value any) error {
		text, ok := value.(string)
		if !ok {
			return nil
		}
		return check(text)
	}
}
