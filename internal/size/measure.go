package main

import (
	"cmp"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// part is what one module puts into the file, in bytes.
type part struct {
	name              string
	code, lines, data uint64
}

func (p part) total() uint64 { return p.code + p.lines + p.data }

// What has no module.
const (
	standard = "Go: runtime and standard library"
	merged   = "types, strings and tables of all"
)

// owners knows whose a symbol is.
type owners struct {
	main    string
	modules []string // the longest first
}

func newOwners(main string, modules []string) owners {
	modules = slices.Clone(modules)
	slices.SortFunc(modules, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return owners{main, modules}
}

// of is the module of a symbol.
func (o owners) of(symbol string) string {
	if strings.HasPrefix(symbol, "go:") || strings.HasPrefix(symbol, "type:") || strings.HasPrefix(symbol, "runtime.types") || symbol == "" {
		return merged
	}
	pkg := packageOf(symbol)
	if strings.HasPrefix(pkg, "vendor/") {
		return standard
	}
	if pkg == "main" || pkg == o.main || strings.HasPrefix(pkg, o.main+"/") {
		return o.main
	}
	for _, module := range o.modules {
		if pkg == module || strings.HasPrefix(pkg, module+"/") {
			return module
		}
	}
	return standard
}

// packageOf is the import path of a symbol's package: up to the first dot behind
// the last slash. What stands in brackets are type arguments of others.
func packageOf(symbol string) string {
	symbol, _, _ = strings.Cut(symbol, "[")
	symbol = strings.TrimPrefix(symbol, "go:")
	dir, last := "", symbol
	if i := strings.LastIndexByte(symbol, '/'); i >= 0 {
		dir, last = symbol[:i+1], symbol[i+1:]
	}
	last, _, _ = strings.Cut(last, ".")
	return strings.ReplaceAll(dir+last, "%2e", ".")
}

// measure adds up the symbols by their modules; what no symbol covers, of all that is
// in a stripped file, is merged.
func measure(file *elf.File, o owners) ([]part, error) {
	symbols, err := file.Symbols()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoSymbols, err)
	}
	byName := map[string]*part{}
	get := func(name string) *part {
		if byName[name] == nil {
			byName[name] = &part{name: name}
		}
		return byName[name]
	}
	var lines, code uint64
	rest := map[elf.SectionIndex]uint64{} // of each section in the file
	for i, section := range file.Sections {
		switch {
		case section.Flags&elf.SHF_ALLOC == 0 || section.Type == elf.SHT_NOBITS: // not in a stripped file
		case section.Name == ".gopclntab":
			lines = section.Size
		default:
			rest[elf.SectionIndex(i)] = section.Size
		}
	}
	seen := map[uint64]bool{} // of symbols at one address, the first counts
	for _, symbol := range symbols {
		if rest[symbol.Section] < symbol.Size || symbol.Size == 0 || seen[symbol.Value] {
			continue
		}
		seen[symbol.Value] = true
		rest[symbol.Section] -= symbol.Size
		p := get(o.of(symbol.Name))
		if file.Sections[symbol.Section].Flags&elf.SHF_EXECINSTR != 0 {
			p.code += symbol.Size
			code += symbol.Size
		} else {
			p.data += symbol.Size
		}
	}
	for _, size := range rest {
		get(merged).data += size
	}
	if code == 0 {
		return nil, errNoSymbols
	}
	var parts []part
	for _, p := range byName {
		p.lines = uint64(float64(lines) * float64(p.code) / float64(code))
		parts = append(parts, *p)
	}
	return parts, nil
}

// smallest is the least share of the whole, in a thousand, that has a row of its own.
const smallest = 5

// report writes the table, the largest first.
func report(out io.Writer, parts []part) error {
	var whole, others part
	whole.name, others.name = "all", "others"
	add := func(to *part, p part) { to.code, to.lines, to.data = to.code+p.code, to.lines+p.lines, to.data+p.data }
	for _, p := range parts {
		add(&whole, p)
	}
	byGroup := map[string]*part{}
	for _, p := range parts {
		name := groupOf(p.name)
		if byGroup[name] == nil {
			byGroup[name] = &part{name: name}
		}
		add(byGroup[name], p)
	}
	var rows []part
	for _, p := range byGroup {
		if p.total()*1000 < whole.total()*smallest {
			add(&others, *p)
		} else {
			rows = append(rows, *p)
		}
	}
	slices.SortFunc(rows, func(a, b part) int { return cmp.Or(cmp.Compare(b.total(), a.total()), strings.Compare(a.name, b.name)) })
	rows = append(rows, others, whole)
	if _, err := fmt.Fprint(out, "| module | MB | share | code | lines | data |\n|---|---|---|---|---|---|\n"); err != nil {
		return err
	}
	for _, p := range rows {
		if _, err := fmt.Fprintf(out, "| %s | %.2f | %.1f %% | %.2f | %.2f | %.2f |\n",
			p.name, mb(p.total()), 100*float64(p.total())/float64(whole.total()), mb(p.code), mb(p.lines), mb(p.data)); err != nil {
			return err
		}
	}
	return nil
}

func mb(bytes uint64) float64 { return float64(bytes) / 1e6 }

// families are modules that come and go together, by the begin of their paths.
var families = map[string]string{
	"github.com/aws/":               "AWS: aws-sdk-go-v2, smithy-go",
	"github.com/go-openapi/":        "go-openapi (of Rekor's client)",
	"github.com/sigstore/":          "Sigstore: sigstore-go, sigstore, rekor, protobuf-specs, timestamp-authority",
	"go.opentelemetry.io/":          "OpenTelemetry",
	"github.com/prometheus/":        "Prometheus",
	"google.golang.org/genproto/":   "gRPC and its types",
	"google.golang.org/grpc":        "gRPC and its types",
	"github.com/grpc-ecosystem/":    "gRPC and its types",
	"github.com/ProtonMail/":        "OpenPGP: go-crypto, circl",
	"github.com/cloudflare/circl":   "OpenPGP: go-crypto, circl",
	"golang.org/x/":                 "golang.org/x",
	"github.com/theupdateframework": "go-tuf, securesystemslib",
	"github.com/secure-systems-lab": "go-tuf, securesystemslib",
}

func groupOf(module string) string {
	for _, prefix := range slices.Sorted(maps.Keys(families)) {
		if strings.HasPrefix(module, prefix) {
			return families[prefix]
		}
	}
	return module
}
