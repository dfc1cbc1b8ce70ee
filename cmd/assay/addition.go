package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/state"
	"assay/fetch"
	"assay/trust"
)

// addition is what is to be trusted.
type addition struct {
	state.Repository
	digest  artifact.Digest // zero: the file alone says
	version int64           // zero: not said
	file    string          // empty: fetched by the digest
	raw     []byte
	info    trust.RootInfo
}

// newAddition reads the command line; it decides that there is a root at all.
func newAddition(c *cli.Context, args []string) (*addition, error) {
	add := &addition{file: c.String(flagRoot)}
	add.Name = args[0]
	if isURL(args[0]) {
		return nil, swapped(args)
	}
	if err := artifact.ValidRepository(add.Name); err != nil {
		return nil, err
	}
	add.MetadataURL, add.TargetsURL = trimURL(c.String(flagMetadataURL)), trimURL(c.String(flagTargetsURL))
	add.RootVersion = c.Int64(flagRootVersion)
	if c.IsSet(flagRootVersion) {
		add.version = add.RootVersion
	}
	hex := c.String(flagRootSHA256)
	if len(args) == 1 {
		known, ok := knownRepositories()[add.Name]
		if !ok {
			return nil, withHint(usagef("%s: expected a URL behind the name, found none", clip(add.Name)), "assay trust add NAME URL --root-sha256 HEX")
		}
		if add.file == "" && hex == "" {
			add.raw = known.root
		}
		add.URL = known.url
	} else {
		fragment, err := add.takeURL(args[1])
		if err != nil {
			return nil, err
		}
		if given := fragment.Get("sha256"); given != "" {
			if hex != "" && hex != given {
				return nil, usagef("--%s: expected one digest, found another one in the URL", flagRootSHA256)
			}
			hex = given
		}
		if given := fragment.Get("root"); given != "" {
			n, err := strconv.ParseInt(given, 10, 64)
			if err != nil || c.IsSet(flagRootVersion) && n != add.RootVersion {
				return nil, usagef("#root=%s: expected one whole number, the version of the root", clip(given))
			}
			add.RootVersion, add.version = n, n
		}
	}
	if add.RootVersion < 1 {
		return nil, usagef("--%s: expected a whole number from 1, found %d", flagRootVersion, add.RootVersion)
	}
	return add, add.takeDigest(hex)
}

func isURL(text string) bool { return strings.Contains(text, "://") }

// swapped is the error of a URL that stands where the name does.
func swapped(args []string) error {
	hint := "assay trust add NAME URL --root-sha256 HEX; the name is yours to choose"
	if len(args) == 1 {
		return withHint(usagef("expected a name before the URL, found the URL alone"), hint)
	}
	if artifact.ValidRepository(args[1]) == nil {
		hint = "assay trust add " + args[1] + " URL --root-sha256 HEX"
	}
	return withHint(usagef("expected the name first and the URL behind it, found the URL first"), hint)
}

// takeURL takes the repository's URL, and gives the parts of its fragment.
func (add *addition) takeURL(text string) (url.Values, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, usagef("expected a URL behind the name, found %q", clip(text))
	}
	if u.User != nil {
		return nil, usagef("expected a URL without name and password, as it is stored and shown")
	}
	fragment, err := url.ParseQuery(u.Fragment)
	if err != nil {
		return nil, usagef("expected a URL that ends in #root=N&sha256=HEX, found %q", clip(u.Fragment))
	}
	for key := range fragment {
		if key != "root" && key != "sha256" {
			return nil, usagef("expected a URL that ends in #root=N&sha256=HEX, found %q in it", clip(key))
		}
	}
	u.Fragment, u.RawFragment = "", ""
	if _, err := fetch.ParseBaseURL(u.String()); err != nil {
		return nil, mark(errUsage, err)
	}
	add.URL = trimURL(u.String())
	return fragment, nil
}

// takeDigest takes the digest. Without one, and without a root, nothing may
// begin.
func (add *addition) takeDigest(hex string) (err error) {
	if hex == "" && add.file == "" && add.raw == nil {
		return withHint(usagef("%s: expected the repository's root, by --root FILE or --root-sha256 HEX: assay never trusts what it sees first", add.Name),
			"ask the publisher for the digest by another way than this URL: their documentation, a signed announcement, a colleague who has it (`assay trust show`)")
	}
	if hex == "" {
		return nil
	}
	if add.digest, err = artifact.NewDigest(artifact.SHA256, hex); err != nil {
		return mark(errUsage, fmt.Errorf("--%s: %w", flagRootSHA256, err))
	}
	add.RootSHA256 = add.digest.Hex()
	return nil
}

// checkRoot checks the root's form, and takes over what it says of itself.
func (add *addition) checkRoot(limits trust.Limits) (err error) {
	if add.info, err = trust.CheckRoot(add.raw, limits); err != nil {
		return fmt.Errorf("%s: the given root: %w", add.Name, err)
	}
	if add.version != 0 && add.version != add.info.Version {
		return fmt.Errorf("%s: the given root: %w: expected version %d, found %d", add.Name, trust.ErrRootChain, add.version, add.info.Version)
	}
	add.RootVersion, add.RootSHA256 = add.info.Version, add.info.SHA256.Hex()
	return nil
}
