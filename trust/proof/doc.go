// Package proof gathers what is advertised for an artifact, verifies it, and has
// policy judge it.
package proof
