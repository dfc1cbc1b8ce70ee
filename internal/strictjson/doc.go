// Package strictjson screens JSON that comes from outside, before any parser
// that builds values sees it.
//
// Parsers disagree about repeated keys, stop early or late on deep nesting, and
// some of them panic on a null (go-tuf's metadata types do). Screen reads the
// bytes once, builds nothing, and refuses whatever two readers could understand
// differently or one reader could choke on.
//
// Guarantees: what Screen passes is one JSON object of at most the given size
// and depth, in valid UTF-8, with no key twice in an object (compared after
// unescaping) and, unless allowed, no null; encoding/json decodes it into any
// without an error. Screen uses no recursion and copies nothing but keys with
// escapes. Its memory grows with the depth, not with the document, as long as the
// keys of each object in the upper four levels come in ascending order, as TUF
// tools write them; else it needs four bytes for each key of the objects that are
// open at one moment, and eight more while it sorts those of one. Its time grows
// with the document and, for keys in no order, as sorting does.
//
// Members, Elements and MemberAt then read what Screen has passed, in place:
// they build nothing, check nothing again, and skip nested values at the speed of
// a byte search. Handed other bytes, they yield something or nothing, but end
// without a panic and stay within the slice.
//
// Canonical gives the form over which TUF's signatures are made. A value that has
// that form already, as those that TUF tools write mostly have, comes back as it
// is, so that large metadata costs no second copy.
//
// Not guaranteed: anything about the meaning of the values, and nothing about
// keys that differ in case only, which encoding/json folds when it fills a
// struct. The reader of a document has to look after those.
package strictjson
