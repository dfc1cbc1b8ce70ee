package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/trust/proof"
	"assay/trust/provenance/slsa"
)

const flagVSA = "vsa"

// errNoReceipt is for something that was never judged on this machine.
var errNoReceipt = errors.New("no receipt")

func explainCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show why something is believed, or was refused",
		ArgsUsage: "FILE | [REPO:]PRODUCT[@VERSION] | sha256:HEX | REPO TARGET/PATH",
		Description: "Prints the newest receipt of a judgement that was made on this machine: who\n" +
			"built it, from what, who signed, until when it is fresh, then each check with\n" +
			"what was expected and found, and what was not checked and why. A receipt tells\n" +
			"of the past; `assay verify FILE` and `assay verify --held` judge again, today.\n" +
			"No request is made." +
			examples(
				"assay explain hello                 the newest judgement of hello",
				"assay explain ./hello.tgz           of a file's bytes",
				"assay explain hello@1.4.2 --json    all of it, for programs",
				"assay explain hello --vsa           as a SLSA verification summary"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagVSA, Usage: "print a SLSA verification summary: an unsigned in-toto statement"},
		},
		Action: func(c *cli.Context) error { return a.explain(c) },
	}
}

// explainDoc is the result of explain: the receipt as it is stored.
type explainDoc struct {
	Receipt *proof.Receipt `json:"receipt"`
	Others  int            `json:"others"` // further receipts that fit
}

func (a *app) explain(c *cli.Context) error {
	args, err := operands(c, 1, 2)
	if err != nil {
		return err
	}
	s, err := a.store(c)
	if err != nil {
		return err
	}
	prover, err := a.prover(s)
	if err != nil {
		return err
	}
	names, err := a.receiptNames(c.Context, prover, args)
	if err != nil {
		return err
	}
	receipt, others, err := newestReceipt(c.Context, prover, names)
	if err != nil {
		return err
	}
	if receipt == nil {
		return withHint(fmt.Errorf("%w: nothing of %s was judged on this machine", errNoReceipt, clip(strings.Join(args, " "))),
			"`assay get` judges and fetches, `assay verify FILE` judges a file; both are remembered")
	}
	if c.Bool(flagVSA) {
		return a.summarise(receipt)
	}
	a.out.line("%s: %s", receiptTitle(receipt), a.outcome(receipt))
	if receipt.Reason != "" {
		a.fact("because", receipt.Reason)
	}
	a.fact("judged", a.moment(receipt.At))
	a.fact("target", receipt.Target)
	for _, digest := range receipt.Digests {
		a.fact(string(digest.Algorithm()), digest.Hex())
	}
	a.evidenceFacts(receipt.Evidence)
	a.evidenceTree(receipt.Evidence)
	if n := unchecked(receipt.Evidence); n > 0 {
		a.out.line("%d not checked", n)
	}
	if others > 0 {
		a.out.talk("%d older or other receipts fit; name the version, or sha256:HEX, for another", others)
	}
	return a.out.result("explain", explainDoc{receipt, others})
}

func (a *app) outcome(r *proof.Receipt) styled {
	if r.Outcome == proof.Proven {
		return a.out.good("proven")
	}
	return a.out.bad("refused")
}

// receiptNames finds what the arguments mean among the receipts.
func (a *app) receiptNames(ctx context.Context, prover *proof.Prover, args []string) ([]proof.ReceiptName, error) {
	if len(args) == 2 {
		return receiptsWhere(ctx, prover, func(n proof.ReceiptName) bool { return n.Repository == args[0] && n.Target == args[1] })
	}
	if digest, is, err := digestOperand(args[0]); err != nil {
		return nil, err
	} else if is {
		return receiptsWhere(ctx, prover, func(n proof.ReceiptName) bool { return n.Digest == digest })
	}
	switch digests, err := a.fileDigests(ctx, args[0]); {
	case err == nil:
		return receiptsWhere(ctx, prover, func(n proof.ReceiptName) bool { return slices.Contains(digests, n.Digest) })
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	ref, err := artifact.ParseRef(args[0])
	if err != nil {
		if info, failed := os.Stat(a.path(args[0])); failed == nil && info.IsDir() {
			err = usagef("%s: expected a file, a product, a digest or REPO TARGET/PATH, found a folder", clip(args[0]))
		}
		return nil, err
	}
	return receiptsWhere(ctx, prover, func(n proof.ReceiptName) bool { return receiptFits(n, ref) })
}

// fileDigests hashes a file that an argument names. fs.ErrNotExist where there is
// none: then the argument is a product.
func (a *app) fileDigests(ctx context.Context, name string) ([]artifact.Digest, error) {
	path := a.path(name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", clip(name), fs.ErrNotExist)
	}
	_, digests, err := hashWhole(ctx, path)
	return digests, err
}

func receiptsWhere(ctx context.Context, prover *proof.Prover, fits func(proof.ReceiptName) bool) ([]proof.ReceiptName, error) {
	names, err := prover.ReceiptNames(ctx)
	return slices.DeleteFunc(names, func(n proof.ReceiptName) bool { return !fits(n) }), err
}

// receiptFits reports whether a receipt is of a release that a ref may mean. A
// channel is in no path: every version of the product fits.
func receiptFits(n proof.ReceiptName, ref artifact.Ref) bool {
	parts := strings.SplitN(n.Target, "/", 3)
	if len(parts) != 3 || parts[0] != ref.Product || ref.Repo != "" && n.Repository != ref.Repo {
		return false
	}
	version, err := artifact.ParseVersion(parts[1])
	switch ref.Selector.Kind {
	case artifact.ByVersion:
		return err == nil && version.Compare(ref.Selector.Version) == 0
	case artifact.ByRange:
		return err == nil && ref.Selector.Range.Contains(version)
	case artifact.ByDigest:
		return n.Digest == ref.Selector.Digest
	}
	return true
}

// newestReceipt reads the receipts and takes the one of the latest judgement.
func newestReceipt(ctx context.Context, prover *proof.Prover, names []proof.ReceiptName) (newest *proof.Receipt, others int, err error) {
	for r, err := range prover.Receipts(ctx, names) {
		if err != nil {
			return nil, 0, err
		}
		if newest == nil || cmp.Or(r.At.Compare(newest.At), strings.Compare(newest.Target, r.Target)) > 0 {
			newest = r
		}
	}
	return newest, max(0, len(names)-1), nil
}

// summarise prints a receipt as a SLSA verification summary. It is not signed:
// whoever passes it on signs it.
func (a *app) summarise(r *proof.Receipt) error {
	if a.out.json {
		return usagef("--vsa is JSON of its own: expected it without --json")
	}
	level := 0
	for _, b := range r.Evidence.Builds {
		level = max(level, b.Level)
	}
	summary := slsa.Summary{
		Name: r.Target, Digests: r.Digests, At: r.At, Verifier: "urn:assay:verifier", VerifierVersion: buildVersion().Version,
		Resource: "urn:assay:" + r.Repository + ":" + r.Target, Passed: r.Outcome == proof.Proven,
		Policy: slsa.Reference{URI: "urn:assay:policy:none"},
	}
	if !r.Evidence.Policy.IsZero() {
		summary.Policy = slsa.Reference{URI: "urn:assay:policy", Digest: r.Evidence.Policy}
	}
	if summary.Passed {
		summary.Levels = []string{fmt.Sprintf("SLSA_BUILD_LEVEL_%d", level)}
	}
	for _, signature := range r.Evidence.Signatures {
		summary.Inputs = append(summary.Inputs, slsa.Reference{URI: "urn:assay:" + r.Repository + ":" + signature.Of, Digest: signature.Bundle})
	}
	data, err := slsa.WriteSummary(summary)
	if err != nil {
		return err
	}
	a.out.raw(string(data))
	return nil
}
