// Package audit keeps a hash-chained log of what was decided.
package audit
