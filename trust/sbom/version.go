package sbom

import (
	"cmp"
	"strings"

	"assay/artifact"
)

// Compare orders two versions of one package: negative where a is older. The
// kind is the type of the package's purl, empty where that is not known; it
// decides by whose rules:
//
//   - deb: Debian policy, section 5.6.12, as dpkg does.
//   - rpm: as librpm does (rpmvercmp), with an epoch before a colon.
//   - golang, npm, cargo, hex, pub, swift, or none: semantic versions where both
//     are, with a leading "v" and, if the kind is known, less than three numbers
//     allowed; else as the others.
//   - all others, with Python, Maven, Ruby and Alpine: runs of digits by value
//     and of letters by a table. Before a release come dev, alpha, beta,
//     milestone, rc, preview and snapshot, and everything behind a "~"; after it
//     come post, sp, r and all words that the table does not have. A trailing
//     ".0" counts for nothing. An epoch before ":" or "!" weighs most.
//
// It is not known where either is no version: empty, not beginning with a digit
// (after a "v"), a commit, or longer than artifact.MaxVersion. Two equal texts
// are always equal.
func Compare(kind, a, b string) (order int, known bool) {
	if a == b {
		return 0, a != ""
	}
	if !isVersion(a) || !isVersion(b) {
		return 0, false
	}
	a, b = bare(a), bare(b)
	switch kind {
	case "deb":
		return compareDebian(a, b), true
	case "rpm":
		return compareRPM(a, b), true
	case "golang", "npm", "cargo", "hex", "pub", "swift":
		a, b = padded(a), padded(b)
		fallthrough
	case "":
		if order, ok := compareSemantic(a, b); ok {
			return order, true
		}
	}
	return compareGeneric(a, b), true
}

// compareSemantic compares where both are semantic versions.
func compareSemantic(a, b string) (order int, ok bool) {
	x, err := artifact.ParseVersion(a)
	if err != nil {
		return 0, false
	}
	y, err := artifact.ParseVersion(b)
	if err != nil {
		return 0, false
	}
	return x.Compare(y), true
}

// padded gives a version the three numbers that a semantic one has.
func padded(version string) string {
	end := strings.IndexAny(version, "-+")
	if end < 0 {
		end = len(version)
	}
	for range 2 - strings.Count(version[:end], ".") {
		version = version[:end] + ".0" + version[end:]
		end += len(".0")
	}
	return version
}

// isVersion reports whether the text has the look of a version.
func isVersion(text string) bool {
	if len(text) > artifact.MaxVersion {
		return false
	}
	text = bare(text)
	if text == "" || text[0] < '0' || text[0] > '9' || isCommit(text) {
		return false
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// bare is a version without its leading v.
func bare(text string) string {
	if text != "" && (text[0] == 'v' || text[0] == 'V') {
		return text[1:]
	}
	return text
}

// isCommit reports whether text is the name of a commit, whole or short: seven
// hex digits or more, with a letter among them.
func isCommit(text string) bool {
	return len(text) >= 7 && strings.Trim(text, "0123456789abcdefABCDEF") == "" && strings.ContainsAny(text, "abcdefABCDEF")
}

// epoch splits the number that stands before one of the marks.
func epoch(text, marks string) (number, rest string) {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end > 0 && end < len(text) && strings.IndexByte(marks, text[end]) >= 0 {
		return text[:end], text[end+1:]
	}
	return "0", text
}

// compareNumbers compares runs of digits of any length by value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// takeRun splits the bytes off the beginning that are of the kind.
func takeRun(text string, is func(byte) bool) (run, rest string) {
	end := 0
	for end < len(text) && is(text[end]) {
		end++
	}
	return text[:end], text[end:]
}

// The ranks of what may follow in a version, from the oldest: "~", the words
// before a release, the end of the version, the words after a release, numbers.
const (
	rankTilde = iota
	rankDev
	rankAlpha
	rankBeta
	rankMilestone
	rankCandidate
	rankSnapshot
	rankEnd
	rankWord
	rankNumber
)

// wordRanks are the words that stand before a release, and those that are one.
// Those of one letter mean it only with a number close behind, as 1.0b2 does;
// OpenSSL's 1.0.2b is later than 1.0.2.
var wordRanks = map[string]int{
	"dev": rankDev, "alpha": rankAlpha, "beta": rankBeta, "milestone": rankMilestone,
	"rc": rankCandidate, "cr": rankCandidate, "pre": rankCandidate, "preview": rankCandidate,
	"snapshot": rankSnapshot, "final": rankEnd, "ga": rankEnd, "release": rankEnd,
	"a": rankAlpha, "b": rankBeta, "m": rankMilestone, "c": rankCandidate,
}

// token is one run of a version.
type token struct {
	rank int
	text string
}

// nextToken takes the next run; words that say no more than that the version
// ends are passed over, and separators too.
func nextToken(text string) (token, string) {
	for {
		text = strings.TrimLeft(text, ".-_+:!^")
		switch {
		case text == "":
			return token{rank: rankEnd}, ""
		case text[0] == '~':
			return token{rank: rankTilde}, text[1:]
		case isDigit(text[0]):
			number, rest := takeRun(text, isDigit)
			return token{rankNumber, number}, rest
		case isLetter(text[0]):
			word, rest := takeRun(text, isLetter)
			word = strings.ToLower(word)
			rank, ok := wordRanks[word]
			if !ok || len(word) == 1 && (rest == "" || !isDigit(rest[0])) {
				rank = rankWord
			}
			if rank == rankEnd {
				text = rest
				continue
			}
			if rank != rankWord {
				word = "" // c1 and rc1 are one
			}
			return token{rank, word}, rest
		default:
			text = text[1:]
		}
	}
}

// compareGeneric compares run by run; where one version ends, the other's zeros
// count for nothing.
func compareGeneric(a, b string) int {
	epochA, a := epoch(a, ":!")
	epochB, b := epoch(b, ":!")
	if order := compareNumbers(epochA, epochB); order != 0 {
		return order
	}
	for {
		var x, y token
		x, a = nextToken(a)
		y, b = nextToken(b)
		for x.rank == rankNumber && y.rank != rankNumber && isZero(x.text) {
			x, a = nextToken(a)
		}
		for y.rank == rankNumber && x.rank != rankNumber && isZero(y.text) {
			y, b = nextToken(b)
		}
		if x.rank != y.rank {
			return cmp.Compare(x.rank, y.rank)
		}
		switch order := 0; x.rank {
		case rankEnd:
			return 0
		case rankNumber:
			if order = compareNumbers(x.text, y.text); order != 0 {
				return order
			}
		case rankWord:
			if order = strings.Compare(x.text, y.text); order != 0 {
				return order
			}
		}
	}
}

func isZero(number string) bool { return strings.Trim(number, "0") == "" }
