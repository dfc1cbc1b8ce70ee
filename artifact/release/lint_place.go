package release

import (
	"encoding/json"
	"fmt"
	"strings"

	"assay/artifact"
	"assay/internal/strictjson"
)

// Kind is which of the four documents one is.
type Kind string

// The kinds, as they stand in a schema: assay.KIND/v1.
const (
	KindCatalog Kind = "catalog"
	KindChannel Kind = "channel"
	KindRelease Kind = "release"
	KindMirrors Kind = "mirrors"
)

// Place is where a document lies, and so what it may speak for.
type Place struct {
	Kind    Kind
	Product string           // of a channel and of a release
	Channel string           // of a channel
	Version artifact.Version // of a release
}

// Path is the target path; empty for the zero Place.
func (p Place) Path() string {
	switch p.Kind {
	case KindCatalog:
		return CatalogPath
	case KindMirrors:
		return MirrorsPath
	case KindChannel:
		return ChannelPath(p.Product, p.Channel)
	case KindRelease:
		return ManifestPath(p.Product, p.Version)
	}
	return ""
}

// Limit is the most bytes that a document of the kind may have.
func (p Place) Limit() int64 {
	switch p.Kind {
	case KindChannel:
		return MaxChannelBytes
	case KindRelease:
		return MaxReleaseBytes
	case KindMirrors:
		return MaxMirrorsBytes
	}
	return MaxCatalogBytes
}

// MaxDocumentBytes is the most bytes that a document of any kind may have.
const MaxDocumentBytes = max(MaxCatalogBytes, MaxChannelBytes, MaxReleaseBytes, MaxMirrorsBytes)

// ParsePlace reads a target path. ok is false for one at which no document of
// this package can lie.
func ParsePlace(path string) (place Place, ok bool) {
	switch path {
	case CatalogPath:
		return Place{Kind: KindCatalog}, true
	case MirrorsPath:
		return Place{Kind: KindMirrors}, true
	}
	parts := strings.Split(path, "/")
	switch len(parts) {
	case 2:
		channel, found := strings.CutPrefix(parts[0], "channel-")
		product, isJSON := strings.CutSuffix(parts[1], ".json")
		place = Place{Kind: KindChannel, Product: product, Channel: channel}
		ok = found && isJSON && artifact.ValidChannel(channel) == nil && artifact.ValidProduct(product) == nil
	case 3:
		version, err := artifact.ParseVersion(parts[1])
		place = Place{Kind: KindRelease, Product: parts[0], Version: version}
		ok = err == nil && parts[2] == manifestName && artifact.ValidProduct(parts[0]) == nil
	}
	if !ok {
		return Place{}, false
	}
	return place, true
}

// claimedPlace is the place that a document itself claims. Names in it that are
// not well-formed are left for the decoding to refuse. The error is a
// *FieldError.
func claimedPlace(data []byte) (Place, error) {
	if err := screenDocument(data); err != nil {
		return Place{}, screenProblem(err)
	}
	// Each field by itself, so that one of a wrong type does not hide others.
	claim := map[string][]byte{}
	for member := range strictjson.Members(data) {
		claim[string(member.Key)] = member.Value
	}
	text := func(field string) (s string) {
		_ = json.Unmarshal(claim[field], &s) // of another type: empty, and refused when it is decoded
		return s
	}
	schema := text("schema")
	name, _, _ := strings.Cut(strings.TrimPrefix(schema, "assay."), "/")
	place := Place{Kind: Kind(name), Product: text("product"), Channel: text("channel")}
	switch place.Kind {
	case KindCatalog, KindMirrors, KindChannel, KindRelease:
	default:
		return Place{}, &problem{
			Field:    "schema",
			Expected: fmt.Sprintf("one of assay.%s/v1, assay.%s/v1, assay.%s/v1, assay.%s/v1", KindCatalog, KindChannel, KindRelease, KindMirrors),
			Found:    describeText(schema), Err: ErrSchema,
		}
	}
	// An ill-formed version has no place; the decoding says what is wrong with it.
	place.Version, _ = artifact.ParseVersion(text("version"))
	return place, nil
}

func screenDocument(data []byte) error {
	return strictjson.Screen(data, strictjson.Limits{Bytes: MaxDocumentBytes, Depth: maxDepth})
}
