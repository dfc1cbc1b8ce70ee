package trust

import (
	"fmt"
	"strings"

	"assay/internal/strictjson"
)

// signedKeys are the members of a signed part that clients read, of all roles.
var signedKeys = []string{
	"_type", "spec_version", "version", "expires", "keys", "roles", "consistent_snapshot", "meta", "targets", "delegations",
}

// checkTwin refuses a key that is one of names but for its case. encoding/json,
// and with it every go-tuf client, reads either in the other's place, whichever
// comes last; and the order is no part of what is signed, so a mirror could
// choose. Other clients read the exact one only.
func checkTwin(key []byte, names ...string) error {
	for _, name := range names {
		if string(key) != name && strings.EqualFold(string(key), name) {
			return fmt.Errorf("expected the key %q, found %q", name, key)
		}
	}
	return nil
}

// checkTwins is checkTwin for each member of an object.
func checkTwins(object []byte, names ...string) error {
	for member := range strictjson.Members(object) {
		if err := checkTwin(member.Key, names...); err != nil {
			return err
		}
	}
	return nil
}

// checkRootTwins looks through what is read of a root below its first level.
func checkRootTwins(signed []byte) error {
	for part := range strictjson.Members(signed) {
		switch string(part.Key) {
		case "keys":
			if err := checkKeyTwins(part.Value); err != nil {
				return fmt.Errorf("signed.keys%w", err)
			}
		case "roles":
			for role := range strictjson.Members(part.Value) {
				if err := checkTwins(role.Value, "keyids", "threshold"); err != nil {
					return fmt.Errorf("signed.roles[%.80q]: %w", role.Key, err)
				}
			}
		}
	}
	return nil
}

// checkKeyTwins looks through the keys of a root or of delegations.
func checkKeyTwins(keys []byte) error {
	for key := range strictjson.Members(keys) {
		for part := range strictjson.Members(key.Value) {
			if err := checkTwin(part.Key, "keytype", "scheme", "keyval"); err != nil {
				return fmt.Errorf("[%.80q]: %w", key.Key, err)
			}
			if err := checkTwins(part.Value, "public"); err != nil {
				return fmt.Errorf("[%.80q]: %w", key.Key, err)
			}
		}
	}
	return nil
}
