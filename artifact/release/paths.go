package release

import (
	"strings"

	"assay/artifact"
)

// The target paths of the documents of which a repository has one. They count
// only where the top-level targets role signs them.
const (
	CatalogPath     = "catalog.json"
	MirrorsPath     = "mirrors.json"
	TrustedRootPath = "trusted_root.json"
)

// manifestName is the last segment of every manifest's path.
const manifestName = "release.json"

// ChannelPath is the target path of a product's index in a channel.
func ChannelPath(product, channel string) string {
	return "channel-" + channel + "/" + product + ".json"
}

// ManifestPath is the target path of a release's manifest.
func ManifestPath(product string, version artifact.Version) string {
	return releaseDir(product, version) + manifestName
}

// releaseDir is the directory of a release with the slash at its end.
func releaseDir(product string, version artifact.Version) string {
	return product + "/" + version.String() + "/"
}

// ParseArtifactPath takes apart the target path of a file beside a manifest,
// <product>/<version>/<file>. ok is false for any other path, the manifest's
// own among them.
func ParseArtifactPath(path string) (product, version, file string, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 || parts[2] == manifestName {
		return "", "", "", false
	}
	if artifact.ValidProduct(parts[0]) != nil || artifact.ValidFileName(parts[2]) != nil {
		return "", "", "", false
	}
	if _, err := artifact.ParseVersion(parts[1]); err != nil {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}
