package main

import (
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"
)

// configKeys names every key that a file may have; docs/configuration.md tells more of them.
const configKeys = `The system's and the user's config.toml may have these keys:

  platform = "linux/arm64"      otherwise this machine's
  offline = true                never use the network
  cache_dir, state_dir,         absolute paths: of blobs, of what is trusted,
  data_dir, bin_dir             of what is installed, of links to programs
  region = "eu-west"            of this machine, as mirrors are named
  channel = "candidate"         of products that are named without a selector;
                                otherwise stable

  [channels]                    likewise, of single products
  hello = "hotfix"              also "REPO:PRODUCT", for one so named, or
                                installed from there

  [repositories.NAME]           a repository and its root
  url                           of the repository
  root_sha256, root_version     the root by its digest, and which one that is
  root                          or by its file; or both
  metadata_url, targets_url     where these lie, if not below url
  profiles                      which trust profiles judge its signatures
  mirrors = ["https://…"]       other places that carry it; also { url, region,
                                weight, cidrs }
  mirrors_only = true           ask those alone, never the repository's own url
  grace = "72h"                 how long after their expiry what is held still
                                counts while no source answers; at most 7d

  [[agreement]]                 repositories that must agree, in order
  paths, repositories           on what, and who; the first publishes
  threshold, terminating        how many of them; whether no later one is asked

  [[policy]]                    what artifacts must show; see docs/policy.md
  repository, product, channel  what the rule is for: names or patterns
  require, signers, threshold, builder, source, ref, slsa_level, advisories,
  min_age, max_age, max_build_age, statuses
  licenses = { allow, deny }, components = { deny }, rebuilders = { need, of }

  [[builders]]                  how well builders are guarded
  builder, signer, level        who vouches for which, and the SLSA level

  [profiles.NAME]               where trust in signatures comes from
  kind                          public-good, github, private or key
  trusted_root, or repository and target, or keys
  thresholds = { scts, log_entries, times, signed_timestamps }

  [[advisories]]                OSV or OpenVEX documents
  file, or repository and target

  [limits]                      what a repository may make this machine read
  root, timestamp, snapshot, targets      bytes of one file: "300 MiB"
  root_rotations, roles, listing, depth   counts

  [transfer]                    how bytes are moved
  downloads, connections        at once, and to one host
  bandwidth = "10 MiB"          a second, of all together; otherwise "none"
  min_rate, stall = "30s"       slower, or silent for longer, and it is given up
  retries                       of one source

  [hosts."dl.example.com"]      who asks a host, and how; also "*.example.com"
  token_file, or token_command = ["PROGRAM", "ARGUMENT"], or netrc = true
  certificate, key              of this client, in PEM
  ca                            authorities that it may be certified by, too
  connections                   to it at once

  [mirror]                      the mirror daemon; see docs/mirror.md
  dir = "/var/lib/assay-mirror" all that it keeps
  listen = ["127.0.0.1:8080"]   addresses of the public side
  admin = "unix:/run/m.sock"    the administrator's; or ADDRESS:PORT, with
  admin_token_file              a file of hashed tokens
  tls_certificate, tls_key      of the public side
  client_ca, tokens_file        clients have a certificate, or a token
  rate, burst, connections      of one client: requests a second, at once; both
  max_connections, min_rate     of all; bytes a second, slower is given up
  stop_grace = "30s"            how long requests may end when it stops
  quota = "200 GB"              of the storage
  scrub_rate, scrub_every       what is held is hashed anew

  [mirror.upstreams.NAME]       a declared repository that is carried
  mode, every = "15m"           full, filtered or lazy; how often it is asked
  products, channels, platforms, versions, keep, max_age   what is let through
  serve_expired, sources        expired metadata, too; URLs told to readers

A system's file may have locked = ["KEY"], too: those are not changed by users.
A project's assay.toml names tools, and may have [[policy]] too, as a rule can
only tighten; it can have nothing else:

  [tools]
  hello = "^1.4"`

func configCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:        "config",
		Usage:       "the configuration",
		Description: configKeys,
		Subcommands: []*cli.Command{configShowCommand(a)},
	}
}

func configShowCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show every setting and where it comes from",
		Description: "Later wins: default, " + systemConfig + "/config.toml and conf.d/*.toml, the user's\n" +
			"config.toml, the project's assay.toml, ASSAY_… variables, flags." +
			examples("assay config show", "assay config show --offline --json"),
		Action: a.configShow,
	}
}

type valueDoc struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Locked bool   `json:"locked"`
}

func (a *app) configShow(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	cfg, err := a.config(c)
	if err != nil {
		return err
	}
	docs, rows := []valueDoc{}, [][]string{}
	for _, v := range cfg.Values() {
		value := withoutPassword(v.Value)
		docs = append(docs, valueDoc{v.Key, value, v.Origin.String(), v.Locked})
		origin := v.Origin.String()
		if v.Locked {
			origin += " (locked)"
		}
		rows = append(rows, []string{v.Key, value, origin})
	}
	a.out.table([]string{"KEY", "VALUE", "FROM"}, rows)
	return a.out.result("config.show", struct {
		Values []valueDoc `json:"values"`
	}{docs})
}

// withoutPassword hides the password of a value that is a URL.
func withoutPassword(value string) string {
	if !strings.Contains(value, "://") {
		return value
	}
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return u.Redacted()
	}
	return value
}
