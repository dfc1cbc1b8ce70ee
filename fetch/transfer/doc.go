// Package transfer moves one object, whose length and digest are promised, from
// the places where it may lie.
package transfer
