package config

import (
	"math"
	"strconv"
	"strings"
)

// units are those of sizes; a size is shown in the first that measures it in
// whole numbers.
var units = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
}

// ParseSize reads a size: a whole number of bytes, or of a unit, in any case. A
// fraction is none, as a comma in it means thousands to some and tenths to others.
func ParseSize(text string) (bytes int64, ok bool) {
	number, unit := strings.TrimSpace(text), int64(1)
	if i := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		name := strings.TrimSpace(number[i:])
		number, unit = number[:i], 0
		for _, u := range units {
			if strings.EqualFold(u.name, name) {
				unit = u.bytes
			}
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || unit == 0 || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
}

// sizeText is a size as ParseSize reads it, nothing rounded.
func sizeText(bytes int64) string {
	for _, u := range units {
		if bytes >= u.bytes && bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(bytes, 10) + " B"
}
