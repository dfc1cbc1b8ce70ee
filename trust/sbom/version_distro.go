package sbom

import (
	"cmp"
	"strings"
)

// compareDebian compares by Debian policy, section 5.6.12: epoch, upstream
// version and revision, each by runs of other characters and of digits.
func compareDebian(a, b string) int {
	epochA, a := epoch(a, ":")
	epochB, b := epoch(b, ":")
	upstreamA, revisionA := splitRevision(a)
	upstreamB, revisionB := splitRevision(b)
	return cmp.Or(
		compareNumbers(epochA, epochB), compareDebianPart(upstreamA, upstreamB), compareDebianPart(revisionA, revisionB),
	)
}

// splitRevision splits at the last hyphen; no revision is the revision 0, which
// an empty one equals.
func splitRevision(text string) (upstream, revision string) {
	if at := strings.LastIndexByte(text, '-'); at >= 0 {
		return text[:at], text[at+1:]
	}
	return text, ""
}

func compareDebianPart(a, b string) int {
	other := func(c byte) bool { return !isDigit(c) }
	for a != "" || b != "" {
		var x, y string
		x, a = takeRun(a, other)
		y, b = takeRun(b, other)
		if order := compareDebianText(x, y); order != 0 {
			return order
		}
		x, a = takeRun(a, isDigit)
		y, b = takeRun(b, isDigit)
		if order := compareNumbers(x, y); order != 0 {
			return order
		}
	}
	return 0
}

// compareDebianText orders "~" before the end, letters after it and all others
// last.
func compareDebianText(a, b string) int {
	weight := func(text string, at int) int {
		switch {
		case at >= len(text):
			return 0
		case text[at] == '~':
			return -1
		case isLetter(text[at]):
			return int(text[at])
		}
		return int(text[at]) + 256
	}
	for i := range max(len(a), len(b)) {
		if order := cmp.Compare(weight(a, i), weight(b, i)); order != 0 {
			return order
		}
	}
	return 0
}

// compareRPM compares epoch, version and release as librpm does.
func compareRPM(a, b string) int {
	epochA, a := epoch(a, ":")
	epochB, b := epoch(b, ":")
	versionA, releaseA := splitRevision(a)
	versionB, releaseB := splitRevision(b)
	order := cmp.Or(compareNumbers(epochA, epochB), compareRPMPart(versionA, versionB))
	if order != 0 || releaseA == "" || releaseB == "" { // a missing release is any
		return order
	}
	return compareRPMPart(releaseA, releaseB)
}

// compareRPMPart is librpm's rpmvercmp: runs of digits and of letters, whatever
// stands between them; "~" is before the end, "^" after it but before more.
func compareRPMPart(a, b string) int {
	separator := func(c byte) bool { return !isDigit(c) && !isLetter(c) && c != '~' && c != '^' }
	for {
		_, a = takeRun(a, separator)
		_, b = takeRun(b, separator)
		x, y := rpmClass(a), rpmClass(b)
		if x != y {
			return cmp.Compare(x, y)
		}
		var runA, runB string
		switch x {
		case rpmEnd:
			return 0
		case rpmTilde, rpmCaret:
			a, b = a[1:], b[1:]
			continue
		case rpmLetters:
			runA, a = takeRun(a, isLetter)
			runB, b = takeRun(b, isLetter)
			if order := strings.Compare(runA, runB); order != 0 {
				return order
			}
		case rpmDigits:
			runA, a = takeRun(a, isDigit)
			runB, b = takeRun(b, isDigit)
			if order := compareNumbers(runA, runB); order != 0 {
				return order
			}
		}
	}
}

// What may come next in a part of an RPM version, from the oldest.
const (
	rpmTilde = iota
	rpmEnd
	rpmCaret
	rpmLetters
	rpmDigits
)

func rpmClass(text string) int {
	switch {
	case text == "":
		return rpmEnd
	case text[0] == '~':
		return rpmTilde
	case text[0] == '^':
		return rpmCaret
	case isDigit(text[0]):
		return rpmDigits
	}
	return rpmLetters
}
