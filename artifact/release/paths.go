package release

import "assay/artifact"

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
