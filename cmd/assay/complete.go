package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// wordKind offers what may stand where last was begun: one argument of a command.
type wordKind func(held *heldNames, last string) []string

// operandWords says what the arguments of a command are. Where there is none for
// a place the shell offers files.
type operandWords struct {
	each []wordKind
	more bool // any number of the last one
}

// completions says, by the names of a command, what its arguments are.
func completions() map[string]operandWords {
	repository := operandWords{each: []wordKind{repositoryWords}}
	ref := operandWords{each: []wordKind{refWords}}
	return map[string]operandWords{
		"trust show":        repository,
		"trust remove":      repository,
		"trust clock reset": repository,
		"trust refresh":     {[]wordKind{repositoryWords}, true},
		"products":          repository,
		"channels":          {each: []wordKind{productWords}},
		"versions":          {each: []wordKind{channelRefWords}},
		"get":               ref,
		"explain":           ref,
		"install":           {[]wordKind{refWords}, true},
		"upgrade":           {[]wordKind{upgradeWords}, true},
		"outdated":          {[]wordKind{installedWords}, true},
		"hold":              {[]wordKind{installedWords}, true},
		"unhold":            {[]wordKind{installedWords}, true},
		"rollback":          {each: []wordKind{installedWords}},
		"uninstall":         {[]wordKind{installedWords}, true},
		"which":             {each: []wordKind{installedWords}},
		"exec":              {each: []wordKind{upgradeWords}},
		"policy show":       {each: []wordKind{channelRefWords}},
		"draft promote":     ref,
		"completion":        {each: []wordKind{func(*heldNames, string) []string { return shells }}},
	}
}

// flagWords are the values of flags that have but a few.
var flagWords = map[string][]string{flagColor: {"auto", "always", "never"}}

// completionTime is how long names of held metadata are waited for. It takes a
// few milliseconds but for huge metadata, and then the commands and flags that
// are known without it have to do.
const completionTime = time.Second

// complete prints, one a line, the words that may stand where the last of words
// stands; that one may be empty or half typed. It never fails, asks no network,
// writes nothing, and has no word for stderr.
func (a *app) complete(ctx context.Context, words []string) {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	offers := make(chan []string, 1)
	go func() {
		var found []string
		defer func() {
			_ = recover() // damaged state must not spoil anybody's prompt
			offers <- found
		}()
		found = a.offers(ctx, words)
	}()
	select {
	case found := <-offers:
		for _, offer := range found {
			if _, err := fmt.Fprintln(a.stdout, offer); err != nil {
				return
			}
		}
	case <-ctx.Done():
	}
}

// typed is what stands before the word that is to be completed.
type typed struct {
	path   []*cli.Command
	flags  []cli.Flag // that may stand here
	args   []string
	help   bool     // `assay help …`
	plain  bool     // behind --
	value  cli.Flag // whose value is to be completed; nil: of none
	config string   // of --config
}

// offers are the words that may stand in place of the last one.
func (a *app) offers(ctx context.Context, words []string) []string {
	last := ""
	if len(words) > 0 {
		words, last = words[:len(words)-1], words[len(words)-1]
	}
	if last == `""` {
		last = "" // how PowerShell hands over an empty word
	}
	line := a.readTyped(words)
	var offers []string
	name, _, assigned := strings.Cut(last, "=")
	switch {
	case line.value != nil:
		offers = flagWords[line.value.Names()[0]]
	case assigned && !line.plain && strings.HasPrefix(name, "--"):
		for _, word := range flagWords[name[2:]] {
			offers = append(offers, name+"="+word)
		}
	case strings.HasPrefix(last, "-") && !line.plain:
		for _, f := range line.flags {
			for _, name := range f.Names() {
				offers = append(offers, dashed(name))
			}
		}
		offers = append(offers, "--help")
	default:
		offers = a.operandOffers(ctx, line, last)
	}
	return slices.DeleteFunc(slices.Clone(offers), func(offer string) bool { return !strings.HasPrefix(offer, last) })
}

// readTyped goes through the words before the one that is to be completed.
func (a *app) readTyped(words []string) typed {
	line := typed{path: []*cli.Command{a.tree}, flags: a.tree.Flags}
	for i := 0; i < len(words); i++ {
		word, here := words[i], line.path[len(line.path)-1]
		name := strings.TrimLeft(word, "-")
		at := slices.IndexFunc(line.flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
		next := here.Command(word)
		switch {
		case !line.plain && word == "--":
			line.plain = true
		case !line.plain && strings.HasPrefix(word, "-"):
			if value, ok := strings.CutPrefix(word, "--"+flagConfig+"="); ok {
				line.config = value
			}
			if at < 0 || !takesValue(line.flags[at]) {
				continue
			}
			if i++; i == len(words) {
				line.value = line.flags[at]
			} else if name == flagConfig {
				line.config = words[i]
			}
		case next != nil:
			line.path, line.flags = append(line.path, next), append(slices.Clone(next.Flags), a.tree.Flags...)
		case word == "help" && here == a.tree:
			line.help = true
		default:
			line.args = append(line.args, word)
		}
	}
	return line
}

// operandOffers are words without a dash: commands, or arguments of one.
func (a *app) operandOffers(ctx context.Context, line typed, last string) (offers []string) {
	here := line.path[len(line.path)-1]
	if line.help && here == a.tree && slices.Contains(line.args, topicErrors) {
		for _, row := range exits() {
			offers = append(offers, strconv.Itoa(row.code))
		}
		return offers
	}
	for _, sub := range here.Subcommands {
		offers = append(offers, sub.Name)
	}
	if line.help {
		if here == a.tree {
			offers = append(offers, topicErrors)
		}
		return offers
	}
	if here.Name == "man" {
		return a.manOffers(line.args)
	}
	arguments := completions()[strings.TrimPrefix(pathName(line.path), "assay ")]
	place := len(line.args)
	if last := len(arguments.each) - 1; arguments.more && place > last {
		place = last
	}
	if place >= len(arguments.each) {
		return offers
	}
	return arguments.each[place](&heldNames{ctx: ctx, app: a, config: line.config}, last)
}

// manOffers are the commands below those that were named.
func (a *app) manOffers(args []string) (offers []string) {
	here := a.tree
	for _, word := range args {
		if here = here.Command(word); here == nil {
			return nil
		}
	}
	for _, sub := range here.Subcommands {
		offers = append(offers, sub.Name)
	}
	if here == a.tree {
		offers = append(offers, topicErrors)
	}
	return offers
}
