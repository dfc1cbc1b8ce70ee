package testrepo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// LargeOptions shape a repository with very many targets.
type LargeOptions struct {
	Targets int // 1 to 10,000,000
	// Bits spreads the targets over 1<<Bits hash bins (TAP 15) with LargePrefix;
	// 0 leaves them all to the top-level role. At most 16.
	Bits int
	// Loose indents the metadata that lists the targets and puts the members in
	// no order, as the specification allows: whoever verifies has to bring it
	// into the canonical form first.
	Loose bool
}

// LargePrefix is the name prefix of the bins of Large.
const LargePrefix = "bins"

// Large makes and publishes a repository with very many targets, 198 bytes of
// metadata each. The metadata that lists them is written straight into text, in
// the canonical form of JSON (specification 1.0, section 4.2) without white
// space; its snapshot lists versions only, as python-tuf does with bins. A
// million targets take a few seconds and 0.4 GB, plus 0.3 GB where Loose.
//
// The targets have no files: there is metadata only, and the SHA-256 that it
// gives for a target is that of the target's path. What Large wrote can't be
// published anew: Publish works as long as nothing has changed such a role, and
// fails with ErrConflict otherwise. Errors wrap ErrOptions.
func Large(opts Options, l LargeOptions) (*Repo, error) {
	if l.Targets < 1 || l.Targets > 10_000_000 || l.Bits < 0 || l.Bits > 16 {
		return nil, fmt.Errorf("%w: expected 1 to 10000000 targets and 0 to 16 bits, found %d and %d", ErrOptions, l.Targets, l.Bits)
	}
	r, err := New(opts)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.draft()
	roles, lists := []string{metadata.TARGETS}, [][]int{upTo(l.Targets)}
	if l.Bits > 0 {
		bins := Bins{Prefix: LargePrefix, BitLength: l.Bits, Quorum: r.opts.Quorum[Delegated]}
		if err := r.addBins(r.roles[metadata.TARGETS], bins); err != nil {
			return nil, err
		}
		roles, lists = bins.names(), spread(l)
	}
	for i, name := range roles {
		if err := d.writeTargets(name, lists[i], l.Loose); err != nil {
			return nil, err
		}
	}
	for _, step := range []func() error{d.root, d.targets, d.writeSnapshot, d.timestamp} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	d.commit()
	return r, nil
}

// LargePath is the path of target number i of Large, counted from 0. Paths are
// sorted as their numbers are.
func LargePath(i int) string { return string(appendPath(nil, i)) }

// appendPath pretends ten releases a package.
func appendPath(text []byte, i int) []byte {
	pkg := strconv.AppendInt(nil, int64(1_000_000+i/10), 10)[1:]
	text = append(append(text, "packages/stable/pkg-"...), pkg...)
	text = append(text, "/1."...)
	text = append(strconv.AppendInt(text, int64(i%10), 10), ".0/pkg-"...)
	text = append(append(text, pkg...), "-1."...)
	return append(strconv.AppendInt(text, int64(i%10), 10), ".0_x86_64-unknown-linux-gnu_release.tar.gz"...)
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// spread gives each bin the numbers of its targets, in ascending order.
func spread(l LargeOptions) [][]int {
	lists := make([][]int, 1<<l.Bits)
	var path []byte
	for i := range l.Targets {
		path = appendPath(path[:0], i)
		sum := sha256.Sum256(path)
		bin := binary.BigEndian.Uint32(sum[:4]) >> (32 - l.Bits)
		lists[bin] = append(lists[bin], i)
	}
	return lists
}

// writeTargets signs a role that lists the targets with these numbers. The text
// of a role with a million of them must not be copied more than is needed: the
// signature is put behind the very bytes that it is over.
func (d *draft) writeTargets(name string, numbers []int, loose bool) error {
	version, expires := d.next(name)
	text := make([]byte, 0, 1024+200*len(numbers))
	text = fmt.Appendf(text, `{"signed":{"_type":"targets","expires":%q,"spec_version":%q,"targets":{`, expires.Format(time.RFC3339), metadata.SPECIFICATION_VERSION)
	for i, number := range numbers {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendTarget(text, number, &tight)
	}
	text = fmt.Appendf(text, `},"version":%d}`, version)
	signatures, err := d.signatures(name, text[len(`{"signed":`):])
	if err != nil {
		return err
	}
	text = append(text, signatures...)
	if loose {
		text = make([]byte, 0, 1024+270*len(numbers))
		text = fmt.Appendf(text, "{\n \"signed\": {\n  \"version\": %d,\n  \"spec_version\": %q,\n  \"targets\": {", version, metadata.SPECIFICATION_VERSION)
		for i, at := range rand.New(rand.NewPCG(1, 2)).Perm(len(numbers)) { // the same in each run
			if i > 0 {
				text = append(text, ',')
			}
			text = appendTarget(text, numbers[at], &airy)
		}
		text = fmt.Appendf(text, "\n  },\n  \"expires\": %q,\n  \"_type\": \"targets\"\n }", expires.Format(time.RFC3339))
		text = append(text, signatures...)
	}
	d.put(name, text)
	d.repo.roles[name].dirty, d.repo.roles[name].written = false, true
	return nil
}

// spelling is what stands around the values of a target.
type spelling struct {
	begin, open, end string
	lengthFirst      bool
	hashes, hashesTo string
	length, lengthTo string
}

var (
	tight = spelling{
		begin: `"`, open: `":{`, end: `}`,
		hashes: `"hashes":{"sha256":"`, hashesTo: `"},`, length: `"length":`,
	}
	airy = spelling{
		begin: "\n   \"", open: "\": {\n    ", end: "\n   }", lengthFirst: true,
		hashes: "\"hashes\": {\n     \"sha256\": \"", hashesTo: "\"\n    }", length: `"length": `, lengthTo: ",\n    ",
	}
)

// appendTarget writes one member of "targets".
func appendTarget(text []byte, number int, s *spelling) []byte {
	text = append(text, s.begin...)
	start := len(text)
	text = appendPath(text, number)
	sum := sha256.Sum256(text[start:])
	text = append(text, s.open...)
	length := func() {
		text = strconv.AppendInt(append(text, s.length...), int64(1_000_000+number%9_000_000), 10)
		text = append(text, s.lengthTo...)
	}
	if s.lengthFirst {
		length()
	}
	text = hex.AppendEncode(append(text, s.hashes...), sum[:])
	text = append(text, s.hashesTo...)
	if !s.lengthFirst {
		length()
	}
	return append(text, s.end...)
}

// writeSnapshot signs a snapshot that gives no lengths and hashes and has no
// white space: with 16,384 bins it has half a megabyte.
func (d *draft) writeSnapshot() error {
	version, expires := d.next(metadata.SNAPSHOT)
	text := fmt.Appendf(nil, `{"signed":{"_type":"snapshot","expires":%q,"meta":{`, expires.Format(time.RFC3339))
	for i, name := range slices.Sorted(slices.Values(d.repo.order)) {
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `%q:{"version":%d}`, name+".json", d.versions[name])
	}
	text = fmt.Appendf(text, `},"spec_version":%q,"version":%d}`, metadata.SPECIFICATION_VERSION, version)
	signatures, err := d.signatures(metadata.SNAPSHOT, text[len(`{"signed":`):])
	if err != nil {
		return err
	}
	d.put(metadata.SNAPSHOT, append(text, signatures...))
	return nil
}

// signatures are the end of a metadata file whose signed part has the canonical
// form payload.
func (d *draft) signatures(name string, payload []byte) ([]byte, error) {
	text := []byte(`,"signatures":[`)
	for i, key := range d.repo.roles[name].signers() {
		sig, err := key.Sign(payload)
		if err != nil {
			return nil, fmt.Errorf("testrepo: sign %q: %w", name, err)
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `{"keyid":%q,"sig":"%x"}`, key.id, sig)
	}
	return append(text, "]}"...), nil
}
