package slsa

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"assay/internal/strictjson"
)

// Parse reads the predicate of a statement with the given type of predicate. A
// null in it counts as absent. Every error is an *Error.
func Parse(predicateType string, predicate []byte) (*Provenance, error) {
	if !IsProvenance(predicateType) {
		return nil, &Error{Expected: quote(TypeV1) + " or " + quote(TypeV02), Found: quote(predicateType), Err: ErrPredicate}
	}
	top := screen(predicate)
	var p *Provenance
	if predicateType == TypeV1 {
		p = parseV1(top)
	} else {
		p = parseV02(top)
	}
	if top.failure.first != nil {
		return nil, top.failure.first
	}
	return p, nil
}

// screen holds a document to its bounds before anything of it is decoded. What
// does not pass reads as empty, with a failure.
func screen(data []byte) fields {
	top := fields{failure: &failure{}}
	err := strictjson.Screen(data, strictjson.Limits{Bytes: MaxBytes, Depth: maxDepth, AllowNull: true})
	if err == nil {
		top.members = membersIn(data)
		return top
	}
	refused := &Error{Expected: "one JSON object", Found: quote(err.Error()), Err: ErrMalformed}
	if e, ok := errors.AsType[*strictjson.Error](err); ok {
		refused.Field, refused.Expected, refused.Found = e.Path, e.Expected, e.Found
	}
	if errors.Is(err, strictjson.ErrTooLarge) || errors.Is(err, strictjson.ErrTooDeep) {
		refused.Err = ErrTooLarge
	}
	top.failure.set(refused)
	return top
}

// parseV02 reads https://slsa.dev/spec/v0.2/provenance.
func parseV02(top fields) *Provenance {
	invocation := top.object("invocation")
	config := invocation.object("configSource")
	metadata := top.object("metadata")
	inputs := readInputs(top, "materials")
	p := &Provenance{
		Version:    "v0.2",
		Builder:    top.object("builder").need("id"),
		BuildType:  top.need("buildType"),
		EntryPoint: config.text("entryPoint"),
		Parameters: parameters(invocation.raw("parameters")),
		Materials:  materials(inputs),
		Started:    metadata.time("buildStartedOn"),
		Finished:   metadata.time("buildFinishedOn"),
		// The second spelling is that of in-toto's Go library, which
		// slsa-github-generator writes with.
		Invocation: metadata.firstText("buildInvocationId", "buildInvocationID"),
	}
	p.Source = config.resource().resolve(inputs, top.failure)
	return p
}

// parseV1 reads https://slsa.dev/spec/v1.0/provenance.
func parseV1(top fields) *Provenance {
	definition, run := top.object("buildDefinition"), top.object("runDetails")
	external := definition.object("externalParameters")
	metadata := run.object("metadata")
	inputs := readInputs(definition, "resolvedDependencies")
	source, entryPoint := external.source()
	p := &Provenance{
		Version:    "v1",
		Builder:    run.object("builder").need("id"),
		BuildType:  definition.need("buildType"),
		EntryPoint: entryPoint,
		Parameters: parameters(definition.raw("externalParameters")),
		Materials:  materials(inputs),
		Started:    metadata.time("startedOn"),
		Finished:   metadata.time("finishedOn"),
		// The second spelling is that of GitLab's runner.
		Invocation: metadata.firstText("invocationId", "invocationID"),
	}
	p.Source = source.resolve(inputs, top.failure)
	return p
}

// parameters keeps a value that is not too large to be kept.
func parameters(raw json.RawMessage) json.RawMessage {
	kept := printable(raw)
	if len(kept) > MaxParameters {
		return nil
	}
	return kept
}

// input is a material with all its digests.
type input struct {
	path    string
	uri     string
	digests map[string]string
}

func readInputs(f fields, name string) []input {
	var inputs []input
	for _, element := range f.list(name, maxMaterials) {
		inputs = append(inputs, input{
			path:    element.path,
			uri:     element.firstText("uri", "downloadLocation", "name"),
			digests: element.digests("digest"),
		})
	}
	return inputs
}

func materials(inputs []input) []Material {
	var list []Material
	for _, in := range inputs {
		m := Material{URI: in.uri}
		if names := slices.Sorted(maps.Keys(in.digests)); len(names) > 0 {
			m.Digest = names[0] + ":" + in.digests[names[0]]
		}
		list = append(list, m)
	}
	return list
}
