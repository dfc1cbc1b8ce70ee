package lockfile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"assay/artifact"
	"assay/internal/stricttoml"
)

const (
	// Name is the file's name, in the folder of the project's assay.toml.
	Name = "assay.lock"
	// Schema is the first value of every lock file that this version writes.
	Schema = "assay.lock/v1"
)

// The bounds of a lock file. MaxSize, and the 20,000 keys that package stricttoml
// takes, bound all of it together.
const (
	MaxSize         = stricttoml.MaxSize // bytes: 1 MiB
	maxRepositories = 64
	maxProducts     = 1024
	maxPins         = 1024
	maxArtifacts    = 64 // of a product
	maxFloors       = 4096
	maxURLs         = 16
	maxBundles      = 64
	maxURL          = 2048      // bytes, as in release manifests
	maxText         = 1024      // bytes of an identity, of an issuer and of a role's name
	maxFormat       = 32        // bytes
	maxLength       = 1<<53 - 1 // as in release manifests
)

// File is a whole lock. Its lists are sorted, by name and what follows it, and nil
// where they are empty: Decode returns them so, and Encode sorts a copy.
type File struct {
	Schema       string // Schema; Encode takes an empty one for it
	Repositories []Repository
	Products     []Product
	Pins         []Pin
}

// Repository is one whose metadata was used.
type Repository struct {
	Name       string
	Root       int64           // version, from 1
	RootSHA256 artifact.Digest // of the whole file of that root
	// Floors are the versions of the metadata that the lock was made from, each from
	// 1 to 2^63-1: of timestamp, snapshot and targets, which are always there, and of
	// any delegated roles. Root has a field of its own.
	Floors map[string]int64
}

// Product is a release that was chosen from a repository, which is one of the file's.
type Product struct {
	Name       string
	Repository string
	Request    artifact.Selector // what was asked for, and is asked for again by an upgrade
	Version    artifact.Version  // what was chosen; in Request, if that is a version or a range
	Channel    string            // the one it was found in; that of Request, if it is a channel
	Manifest   Manifest
	Artifacts  []Artifact // by platform; at least one, and one for each platform
}

// Manifest is the release manifest that a product's release was read from. It is for
// information: what is held to a digest is the artifacts.
type Manifest struct {
	Target  string // that of the product and the version in the release layout
	Digests artifact.Digests
}

// Artifact is what was chosen for one platform.
type Artifact struct {
	Platform artifact.Platform // that it was locked for; what suits it may be made for any
	Target   string            // beside the manifest, also where URLs are given
	Length   int64             // in bytes
	Digests  artifact.Digests
	URLs     []string // where the bytes lie if not in the repository, in the manifest's order
	Bundles  []Bundle // by target
}

// Bundle is a signature bundle that an artifact was proven with.
type Bundle struct {
	Target  string // beside the manifest
	Digests artifact.Digests
}

// Pin is a file from outside of any repository. Nothing but its digests vouches for
// its bytes, unless a signer is named, too.
type Pin struct {
	Name     string   // as a product's
	URLs     []string // in the order in which they are tried; at least one
	Length   int64    // in bytes; 0: not known
	Digests  artifact.Digests
	Identity string // who must have signed it, exactly; empty: nobody
	Issuer   string // who vouches for the identity; there where that is
	Format   string // how it is packed, as in release manifests; empty: by its name
}

// sorted is a copy of f with its lists in order and empty ones nil.
func (f File) sorted() File {
	f.Schema = cmp.Or(f.Schema, Schema)
	f.Repositories = order(f.Repositories, func(r *Repository) string { return r.Name })
	f.Products = order(f.Products, func(p *Product) string { return key(p.Name, p.Repository) })
	f.Pins = order(f.Pins, func(p *Pin) string { return p.Name })
	for i := range f.Repositories {
		f.Repositories[i].Floors = maps.Clone(f.Repositories[i].Floors)
	}
	for i := range f.Products {
		p := &f.Products[i]
		p.Artifacts = order(p.Artifacts, func(a *Artifact) string { return a.Platform.String() })
		for j := range p.Artifacts {
			a := &p.Artifacts[j]
			a.URLs = order(a.URLs, nil)
			a.Bundles = order(a.Bundles, func(b *Bundle) string { return b.Target })
		}
	}
	for i := range f.Pins {
		f.Pins[i].URLs = order(f.Pins[i].URLs, nil)
	}
	return f
}

// order copies a list and sorts the copy by name; nil: it stays in its order.
func order[T any](list []T, name func(*T) string) []T {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	if name != nil {
		slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(name(&a), name(&b)) })
	}
	return list
}

// key makes one text of several that none of them can forge, and that sorts as they
// do one after the other.
func key(parts ...string) string { return strings.Join(parts, "\x00") }
