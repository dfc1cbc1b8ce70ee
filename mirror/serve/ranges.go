package serve

import (
	"slices"
	"strconv"
	"strings"
)

// fewRanges reports whether a Range header may go on to the HTTP library: it has
// at most limit ranges, and no more than two pairs that overlap. Many small ranges
// and overlapping ones are refused, as RFC 9110, section 14.2, allows: a server
// that served them, or the whole file instead, would do more work than the client.
// What can't be read is let through, and refused there.
func fewRanges(lines []string, size int64, limit int) bool {
	if len(lines) == 0 {
		return true
	}
	// Of several lines the library reads the first.
	_, list, ok := strings.Cut(lines[0], "=")
	if !ok {
		return true
	}
	if strings.Count(list, ",") >= limit {
		return false
	}
	type span struct{ first, last int64 }
	var spans []span
	for spec := range strings.SplitSeq(list, ",") {
		first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
		if !ok {
			continue
		}
		from, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
		to, err2 := strconv.ParseInt(strings.TrimSpace(last), 10, 64)
		switch {
		case err != nil && err2 != nil: // no number at all
			continue
		case err != nil: // the last bytes
			spans = append(spans, span{max(0, size-to), size - 1})
		case err2 != nil: // to the end
			spans = append(spans, span{from, size - 1})
		default:
			spans = append(spans, span{from, min(to, size-1)})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return int(min(1, max(-1, a.first-b.first))) })
	overlaps := 0
	end := int64(-1)
	for _, s := range spans {
		if s.first <= end {
			overlaps++
		}
		end = max(end, s.last)
	}
	return overlaps < 2
}
