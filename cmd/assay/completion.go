package main

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/internal/config"
)

// completeWord, as the first argument, asks for the words that may follow. The
// scripts use it, so they never fall behind the commands.
const completeWord = "__complete"

//go:embed completion
var completionScripts embed.FS

var shells = []string{"bash", "zsh", "fish", "powershell"}

func completionCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands and flags",
		ArgsUsage: strings.Join(shells, "|"),
		Description: "The script asks assay itself for the words, so it need not be made anew after\n" +
			"an update." +
			examples(
				"source <(assay completion bash)",
				"assay completion zsh > \"${fpath[1]}/_assay\"",
				"assay completion fish > ~/.config/fish/completions/assay.fish",
				"assay completion powershell | Out-String | Invoke-Expression",
			),
		Action: a.completion,
	}
}

func (a *app) completion(c *cli.Context) error {
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	if !slices.Contains(shells, args[0]) {
		return usagef("expected one of %s, found %q%s", strings.Join(shells, ", "), clip(args[0]), didYouMean(config.Nearest(args[0], shells)))
	}
	script, err := completionScripts.ReadFile("completion/assay." + args[0])
	if err != nil {
		return err
	}
	a.out.raw(string(script))
	return a.out.result("completion", struct {
		Shell  string `json:"shell"`
		Script string `json:"script"`
	}{args[0], string(script)})
}

// complete prints, one a line, the words that may stand where the last of words
// stands; that one may be empty or half typed.
func complete(w io.Writer, tree *cli.Command, words []string) {
	if len(words) == 0 {
		words = []string{""}
	}
	here, flags := tree, tree.Flags
	before, last := words[:len(words)-1], words[len(words)-1]
	for i := 0; i < len(before); i++ {
		word := before[i]
		if word == "--" {
			return
		}
		if strings.HasPrefix(word, "-") {
			name := strings.TrimLeft(word, "-")
			at := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
			if at >= 0 && takesValue(flags[at]) {
				if i++; i == len(before) {
					return // a value: the shell offers files
				}
			}
			continue
		}
		if next := here.Command(word); next != nil {
			here, flags = next, append(slices.Clone(next.Flags), tree.Flags...)
		}
	}
	var offers []string
	if strings.HasPrefix(last, "-") {
		for _, f := range flags {
			for _, name := range f.Names() {
				offers = append(offers, dashed(name))
			}
		}
		offers = append(offers, "--help")
	} else {
		for _, sub := range here.Subcommands {
			offers = append(offers, sub.Name)
		}
		if here.Name == "completion" {
			offers = shells
		}
	}
	for _, offer := range offers {
		if strings.HasPrefix(offer, last) {
			fmt.Fprintln(w, offer)
		}
	}
}
