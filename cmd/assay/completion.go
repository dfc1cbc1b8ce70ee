package main

import (
	"embed"
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
		Usage:     "print a script that completes commands, flags and names",
		ArgsUsage: strings.Join(shells, "|"),
		Description: "The script asks assay itself for the words, so it need not be made anew after\n" +
			"an update. Names of repositories, products, channels and versions are those of\n" +
			"the metadata that is held: completing takes no network and changes nothing." +
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
