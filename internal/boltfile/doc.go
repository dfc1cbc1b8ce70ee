// Package boltfile looks at the pages of a bbolt file before anything maps it,
// and guards the steps on a mapped one, whose pages may be damaged.
package boltfile
