package artifact

import (
	"encoding/json"
	"fmt"
	"strings"
)

// MarshalJSON writes the digests as TUF metadata and release manifests do: an
// object of hex digits by algorithm.
func (ds Digests) MarshalJSON() ([]byte, error) {
	object := make(map[Algorithm]string, len(ds))
	for _, d := range ds {
		object[d.algorithm] = d.hex
	}
	return json.Marshal(object)
}

// UnmarshalJSON reads what MarshalJSON writes. Only lower-case digits are taken,
// as they are published that way. An algorithm that assay does not compute is
// passed over; at least one that it does compute must be there. The error wraps
// ErrDigest where the form of a digest is wrong.
func (ds *Digests) UnmarshalJSON(data []byte) error {
	var object map[Algorithm]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	var list []Digest
	for algorithm, raw := range object {
		if algorithm.Size() == 0 {
			continue
		}
		var digits string
		if err := json.Unmarshal(raw, &digits); err != nil {
			return err
		}
		if digits != strings.ToLower(digits) {
			return fmt.Errorf("%w: expected lower-case hex digits, found %q", ErrDigest, clip(digits))
		}
		d, err := NewDigest(algorithm, digits)
		if err != nil {
			return err
		}
		list = append(list, d)
	}
	sorted, err := NewDigests(list...)
	if err != nil {
		return err
	}
	*ds = sorted
	return nil
}
