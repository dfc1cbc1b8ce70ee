package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
	"assay/trust/policy"
)

// Outlook is how a release that is installed stands today, and which one its request
// would choose now.
type Outlook struct {
	// Status is the worst that any channel says of it, with the date, the reason and
	// the advisory of that; empty: no channel lists it.
	Status   release.Status
	Since    time.Time
	Reason   string
	Advisory string
	// Channel is the one that the request chooses from, and EndOfLife its end; zero:
	// none is announced.
	Channel   string
	EndOfLife time.Time
	// Newest is what would be chosen; zero: nothing, for the reason in Err.
	Newest artifact.Version
	Err    error
	// Behind is how many releases of the channel that are current or superseded came
	// behind the installed one, up to Newest.
	Behind int
	// Passed are those newer than the installed one that may be chosen another day.
	Passed []Passed
	// Checked is when the metadata was last confirmed by the repository, and Fresh
	// that this was done just now.
	Checked time.Time
	Fresh   bool
}

// Installed is a release that is installed.
type Installed struct {
	Version artifact.Version
	Target  string           // the path that its artifact was proven under; empty: not known
	Digests artifact.Digests // of that
}

// Outlook tells how an installed release of a product stands, and what the request
// would choose in its place. What was found revoked once is so until a channel lists
// it as something else. It fetches documents, no artifact, and remembers nothing. Offline,
// metadata that has expired still tells of revocations; then nothing is chosen, and
// Err is trust.ErrExpired. Where it is revoked and nothing may be chosen in its place,
// Err is ErrRevoked. The error is that nothing could be found out.
func (c *Client) Outlook(ctx context.Context, request Request, installed Installed) (Outlook, error) {
	o, err := c.outlook(ctx, request, installed.Version)
	listed := err == nil && o.Status != ""
	if listed || err != nil && !errors.Is(err, ErrUnknown) || request.Ref.Repo == "" {
		return o, err
	}
	var by *revokedBefore
	switch once := c.revokedOnce(ctx, request.Ref.Repo, installed.Target, installed.Digests); {
	case errors.As(once, &by):
		o.revokedOnce(by, err)
		return o, nil
	case once != nil:
		return o, once
	}
	return o, err
}

// revokedOnce notes a revocation that is remembered; unknown is that the repository
// does not have the product any more.
func (o *Outlook) revokedOnce(by *revokedBefore, unknown error) {
	o.Status, o.Since = release.StatusRevoked, by.at
	o.Reason = strings.TrimPrefix(by.Error(), ErrRevoked.Error()+": ")
	if unknown != nil {
		o.Err = unknown
	}
	if o.Err != nil && isVerdict(o.Err) {
		o.Err = fmt.Errorf("%w; nothing takes its place: %w", by, o.Err)
	}
}

func (c *Client) outlook(ctx context.Context, request Request, version artifact.Version) (Outlook, error) {
	if request.Platform == (artifact.Platform{}) {
		request.Platform = artifact.Host()
	}
	exact := request.Ref.Selector.Kind == artifact.ByVersion || request.Ref.Selector.Kind == artifact.ByDigest
	shelf, chooser, err := c.chooser(ctx, request.Ref, exact)
	var stale error
	if err != nil && !exact && errors.Is(err, trust.ErrExpired) {
		stale = err
		if shelf, chooser, err = c.chooser(ctx, request.Ref, true); err != nil {
			return Outlook{}, stale
		}
	}
	if err != nil {
		return Outlook{}, err
	}
	chooser.heed(ctx, shelf, request)
	o := Outlook{Channel: artifact.DefaultChannel, Checked: shelf.view.Checked(), Fresh: shelf.view.Freshness() == trust.Fresh, Err: stale}
	if request.Ref.Selector.Kind == artifact.ByChannel {
		o.Channel = request.Ref.Selector.Channel
	}
	o.stand(chooser, version)
	index, err := chooser.index(o.Channel)
	if err == nil {
		o.EndOfLife = index.EndOfLife
	}
	if stale != nil {
		return o, nil
	}
	ch, err := chooser.replacement(request.Ref.Selector, version)
	switch {
	case err != nil && !isVerdict(err) && !isRefusal(err):
		return Outlook{}, err
	case err != nil:
		o.Err = err
	default:
		o.Newest = ch.entry.Version
		o.Behind = chooser.between(index, version, o.Newest)
	}
	for _, passed := range ch.passed {
		if passed.Version.Compare(version) > 0 && passed.Kind != PassedStatus && passed.Kind != PassedRevoked {
			o.Passed = append(o.Passed, passed)
		}
	}
	return o, nil
}

// stand notes what the channels say of a version, and the first repository of those
// that must agree.
func (o *Outlook) stand(c *chooser, version artifact.Version) {
	least := c.leastStatus(version)
	for _, index := range c.indexes {
		entry, ok := index.Lookup(version)
		if !ok {
			continue
		}
		if entry.Status == least && o.Status == "" {
			o.Status, o.Since, o.Reason, o.Advisory = entry.Status, entry.Since, entry.Reason, entry.Advisory
		}
		var by *revocation
		if least != release.StatusRevoked && c.approved != nil && errors.As(c.approved(entry), &by) {
			o.Status, o.Since, o.Advisory = release.StatusRevoked, by.entry.Since, by.entry.Advisory
			o.Reason = strings.TrimSuffix(fmt.Sprintf("in %s: %s", by.where(), by.entry.Reason), ": ")
			return
		}
	}
}

// replacement is choose for a release that is there. The bytes that a digest names
// are those of that one.
func (c *chooser) replacement(selector artifact.Selector, version artifact.Version) (choice, error) {
	if selector.Kind == artifact.ByDigest {
		return choice{entry: release.ChannelEntry{Version: version}}, c.refuseRevoked(version)
	}
	return c.choose(selector)
}

// between counts the releases of a channel that came behind one, up to another, but
// for those that their publisher advises against.
func (c *chooser) between(index *release.Channel, from, to artifact.Version) int {
	n := 0
	if index == nil {
		return n
	}
	for _, entry := range index.Releases {
		good := entry.Status == release.StatusCurrent || entry.Status == release.StatusSuperseded
		if good && c.revoked(entry.Version) == nil && entry.Version.Compare(from) > 0 && entry.Version.Compare(to) <= 0 {
			n++
		}
	}
	return n
}

// isRefusal reports whether an error is that nothing which may be chosen is good
// enough by policy.
func isRefusal(err error) bool { return errors.Is(err, policy.ErrRefused) }
