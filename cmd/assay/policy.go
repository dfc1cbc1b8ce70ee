package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/internal/config"
	"assay/trust/policy"
	"assay/trust/provenance"
)

func policyCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "what artifacts must show",
		Description: "Rules stand as [[policy]] in the system's, the user's and the project's files.\n" +
			"All that apply to an artifact apply together, so one more can only refuse more.",
		Subcommands: []*cli.Command{policyShowCommand(a), policyTestCommand(a)},
	}
}

func policyShowCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show the rules, and where they stand",
		ArgsUsage: "[[REPO:]PRODUCT[@CHANNEL]]",
		Description: "With a product it shows the rules that are for it: without a REPO those for any\n" +
			"repository that might have it, without a CHANNEL those for any channel." +
			examples("assay policy show", "assay policy show acme:hello@stable --json"),
		Action: a.policyShow,
	}
}

type policyShowDoc struct {
	Rules []ruleDoc `json:"rules"`
}

// ruleDoc is a rule of the configuration.
type ruleDoc struct {
	Name   string     `json:"name"` // as checks call it
	Origin string     `json:"origin"`
	Values []valueDoc `json:"values,omitempty"`
}

func (a *app) policyShow(c *cli.Context) error {
	args, err := operands(c, 0, 1)
	if err != nil {
		return err
	}
	applies := func(policy.Rule) (bool, error) { return true, nil }
	if len(args) > 0 {
		if applies, err = ruleFilter(args[0]); err != nil {
			return err
		}
	}
	cfg, err := a.config(c)
	if err != nil {
		return err
	}
	doc := policyShowDoc{Rules: []ruleDoc{}}
	for i, rule := range cfg.Rules {
		switch fits, err := applies(rule.Rule); {
		case err != nil:
			return err
		case fits:
			doc.Rules = append(doc.Rules, newRuleDoc(cfg, i))
		}
	}
	for _, rule := range doc.Rules {
		a.out.line("%s  %s", a.out.style(a.out.stdout, bold, rule.Name), rule.Origin)
		for _, v := range rule.Values {
			a.out.line("  %-16s %s", v.Key, v.Value)
		}
	}
	if len(doc.Rules) == 0 {
		a.out.talk("no rule applies")
	}
	return a.out.result("policy.show", doc)
}

// newRuleDoc tells of the i-th rule, with keys below the rule's.
func newRuleDoc(cfg *config.Config, i int) ruleDoc {
	rule := ruleDoc{Name: config.RuleName(i), Origin: cfg.Rules[i].Origin.String()}
	for _, v := range cfg.Values() {
		if key, ok := strings.CutPrefix(v.Key, rule.Name+"."); ok {
			rule.Values = append(rule.Values, valueDoc{key, v.Value, v.Origin.String(), v.Locked})
		}
	}
	return rule
}

// ruleFilter tells whether a rule may be for what an argument names.
func ruleFilter(text string) (func(policy.Rule) (bool, error), error) {
	ref, err := artifact.ParseRef(text)
	if err != nil {
		return nil, err
	}
	channel := ""
	if strings.Contains(text, "@") {
		if ref.Selector.Kind != artifact.ByChannel {
			return nil, usagef("%s: rules are for channels: expected [REPO:]PRODUCT[@CHANNEL]", clip(text))
		}
		channel = ref.Selector.Channel
	}
	return func(rule policy.Rule) (bool, error) {
		if ref.Repo == "" {
			rule.Repository = provenance.Pattern{} // whichever has it
		}
		one, err := policy.New([]policy.Rule{rule}, nil)
		return err == nil && len(one.Match(ref.Repo, ref.Product, channel)) > 0, err
	}, nil
}
