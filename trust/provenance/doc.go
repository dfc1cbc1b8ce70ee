// Package provenance verifies signatures over artifacts.
package provenance
