package release

import (
	"encoding/json"
	"strings"
)

// IsOurs reports whether data claims to be one of this package's documents: a
// JSON object whose schema begins with "assay.". Other programs call a file
// catalog.json, too; theirs says nothing about assay's layout. It promises
// nothing about the rest of the document.
func IsOurs(data []byte) bool {
	var claim struct {
		Schema string `json:"schema"`
	}
	return json.Unmarshal(data, &claim) == nil && strings.HasPrefix(claim.Schema, "assay.")
}
