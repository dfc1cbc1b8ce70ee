// Package artifact holds the nouns that every other package of assay shares:
// the Digest of some bytes, the Platform an artifact is made for, the Version
// of a release, and the Ref by which a person asks for one.
//
// It does no I/O and takes no decision of trust. Everything it parses may come
// from outside, so each parser bounds what it accepts and says in its error
// what was expected and what was found.
package artifact
