package provenance

// Pattern is text that is compared exactly, a glob, or a regular expression
// between slashes. All are anchored at both ends. In a glob "*" stands for any
// characters but "/", "**" for any at all, "?" for one but "/". The zero Pattern matches
// nothing.
type Pattern struct {
	text string
}
