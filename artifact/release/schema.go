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
// which then never looks for a file. Nothing is there: what begins so the compiler
// does not check against the schema of schemas, which would cost each command as much
// as all else that it does with documents. TestSchemasAreSchemas checks it.
const schemaBase = "https://json-schema.org/assay/"

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

// schemas is all of the schema files, and what was compiled of them.
type schemas struct {
	sources map[string]any // by name

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema // by name
}

// loadSchemas reads them once, when the first document is decoded.
var loadSchemas = sync.OnceValues(func() (*schemas, error) { return readSchemas(schemaBase) })

func readSchemas(base string) (*schemas, error) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.UseLoader(noLoader{})
	for name, check := range formats() {
		compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: onStrings(check)})
	}
	all := &schemas{sources: map[string]any{}, compiler: compiler, compiled: map[string]*jsonschema.Schema{}}
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
		if err := compiler.AddResource(base+entry.Name(), source); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		all.sources[name] = source
	}
	return all, nil
}

// compile gives the schema of a name, compiled when it is first asked for: it costs
// some milliseconds, that a command without such a document need not pay.
func (s *schemas) compile(base, name string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done := s.compiled[name]; done != nil {
		return done, nil
	}
	done, err := s.compiler.Compile(base + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	s.compiled[name] = done
	return done, nil
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
