package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
	"assay/internal/config"
)

// whatUsage is how a held blob is named; several may be meant.
const whatUsage = "WHAT"

// whatHelp explains it.
const whatHelp = "WHAT is a digest, sha256:HEX; its first digits, 12 or more, as `assay cache\n" +
	"list` prints them; or PRODUCT[@VERSION], for all that was fetched of it: the\n" +
	"artifacts of every platform, manifests, signatures, and what finds it offline."

// leastDigits is how much of a digest names a blob.
const leastDigits = 12

// heldAs gives the held blobs that words mean, each once, in the order of entries.
func heldAs(entries []cache.Entry, words []string) (found []cache.Entry, err error) {
	meant := map[artifact.Digest]bool{}
	for _, word := range words {
		fits, err := whatFits(entries, word)
		if err != nil {
			return nil, err
		}
		some := false
		for _, e := range entries {
			if fits(e) {
				meant[e.Digest], some = true, true
			}
		}
		if !some {
			return nil, fmt.Errorf("%s: %w", clip(word), cache.ErrMissing)
		}
	}
	for _, e := range entries {
		if meant[e.Digest] {
			found = append(found, e)
		}
	}
	return found, nil
}

// whatFits reads a word.
func whatFits(entries []cache.Entry, word string) (fits func(cache.Entry) bool, err error) {
	algorithm, digits, named := strings.Cut(word, ":")
	if !named || artifact.Algorithm(algorithm).Size() == 0 {
		algorithm, digits, named = "", word, false
	}
	if isDigits(digits) {
		prefix := func(e cache.Entry) bool {
			return strings.HasPrefix(e.Digest.Hex(), digits) && (!named || string(e.Digest.Algorithm()) == algorithm)
		}
		var first artifact.Digest
		for _, e := range entries {
			switch {
			case !prefix(e) || e.Digest == first:
			case !first.IsZero():
				return nil, usagef("%s: expected the digits of one blob, found %v and %v", clip(word), first, e.Digest)
			default:
				first = e.Digest
			}
		}
		if named || !first.IsZero() {
			return prefix, nil
		}
	}
	if _, is, err := digestOperand(word); is || err != nil {
		return func(cache.Entry) bool { return false }, err
	}
	ref, err := artifact.ParseRef(word)
	if err != nil {
		return nil, err
	}
	repositories := map[string]bool{}
	for _, e := range entries {
		for _, name := range e.Names {
			if nameFits(name, e.Digest, ref) {
				repositories[name.Repository] = true
			}
		}
	}
	return func(e cache.Entry) bool {
		return slices.ContainsFunc(e.Names, func(n cache.Name) bool {
			return nameFits(n, e.Digest, ref) || repositories[n.Repository] && finds(n.Target, ref.Product)
		})
	}, nil
}

// finds reports whether a target is one of those by which a product is found: the
// catalog and the product's channels. Without them it is not found offline.
func finds(target, product string) bool {
	folder, file, _ := strings.Cut(target, "/")
	return target == "catalog.json" || strings.HasPrefix(folder, "channel-") && file == product+".json"
}

func isDigits(text string) bool {
	return len(text) >= leastDigits && strings.Trim(text, "0123456789abcdef") == ""
}

// nameFits reports whether a blob was fetched as, or for, what a ref may mean: by
// the name's product, or by a target path below PRODUCT/VERSION/. A channel is in
// no name: every version of the product fits.
func nameFits(n cache.Name, d artifact.Digest, ref artifact.Ref) bool {
	product, text := n.Product, n.Version
	if parts := strings.SplitN(n.Target, "/", 3); product == "" && len(parts) == 3 {
		product, text = parts[0], parts[1]
	}
	if product != ref.Product || ref.Repo != "" && n.Repository != ref.Repo {
		return false
	}
	version, err := artifact.ParseVersion(text)
	switch ref.Selector.Kind {
	case artifact.ByVersion:
		return err == nil && version.Compare(ref.Selector.Version) == 0
	case artifact.ByRange:
		return err == nil && ref.Selector.Range.Contains(version)
	case artifact.ByDigest:
		return d == ref.Selector.Digest
	}
	return true
}

// sizeFlag reads a flag that is a size; nil: it was not given.
func sizeFlag(c *cli.Context, flag string) (*int64, error) {
	if !c.IsSet(flag) {
		return nil, nil
	}
	size, ok := config.ParseSize(c.String(flag))
	if !ok {
		return nil, usagef("--%s: expected a size like 10GiB, 500MB or a number of bytes, found %q", flag, clip(c.String(flag)))
	}
	return &size, nil
}

// references reads what keeps blobs. What can't be read is warned of.
func (a *app) references(ctx context.Context, store *cache.Store) ([]cache.Reference, error) {
	refs, err := store.References(ctx)
	if errors.Is(err, cache.ErrReference) {
		for _, each := range splitErrors(err) {
			a.out.warn("%v", each)
		}
		err = nil
	}
	return refs, err
}

// splitErrors takes apart what errors.Join has put together.
func splitErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		if _, one := err.(*cache.ReferenceError); !one {
			return joined.Unwrap()
		}
	}
	return []error{err}
}

// referenceDoc is a reference in a result.
type referenceDoc struct {
	Kind   cache.Kind `json:"kind"`
	Name   string     `json:"name"`
	Origin string     `json:"origin,omitempty"`
}

func referenceDocs(refs []cache.Reference) []referenceDoc {
	docs := []referenceDoc{}
	for _, r := range refs {
		docs = append(docs, referenceDoc{r.Kind, r.Name, r.Origin})
	}
	return docs
}

func referencesText(refs []cache.Reference) string {
	var words []string
	for _, r := range refs {
		words = append(words, r.String())
	}
	return strings.Join(words, ", ")
}

// blobLine is a blob in a few words: its digits, size and name.
func blobLine(e cache.Entry) string {
	return short(e.Digest.Hex()) + "  " + bytesText(e.Length) + "  " + nameText(e.Names)
}
