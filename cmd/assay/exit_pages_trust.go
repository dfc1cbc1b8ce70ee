package main

// pagesOfMetadata: what a repository says, or does not.
func pagesOfMetadata() []page {
	return []page{
		{10, "The repository's metadata is not what its keys signed, or is no metadata of TUF. It was refused, and nothing of it was kept.", []string{
			"A mirror, a proxy or a captive portal changed it.",
			"The publisher made a mistake when signing, or lost track of the chain of roots.",
			"The root that was given is not the publisher's.",
			"A file is above a limit of `[limits]`.",
		}, []string{
			"Run the command again on another network: if it works there, the first one interferes.",
			"`assay trust show NAME --mirrors` tells which source sent what.",
			"Compare the root's digest with what the publisher says, by another way than this network.",
			"Tell the publisher, with the whole message.",
		}},
		{11, "What is held, or offered, has expired or is too old to be relied on, or this machine's clock stands behind what it has seen.", []string{
			"The publisher did not sign anew in time.",
			"Someone keeps this machine on an old state: that is what expiry is for.",
			"The clock was set back, or once ran ahead and was put right since.",
		}, []string{
			"Look at the clock of this machine first: `assay doctor` compares it.",
			"`assay trust refresh` asks for newer metadata; try another network or mirror.",
			"If the clock once ran ahead, set it right and then run `assay trust clock reset NAME`.",
			"What is held and named exactly goes on working with `--offline`. Tell the publisher.",
		}},
		{12, "A source offers an older state of the repository than this machine has seen. It was refused.", []string{
			"A mirror lags behind, or was restored from a backup.",
			"Someone wants this machine to take a release with known faults.",
		}, []string{
			"Run the command again on another network or by another mirror.",
			"`assay trust show NAME --offline` tells what is held, `assay trust show NAME --mirrors` who sends what.",
			"Tell the publisher, or whoever keeps the mirror.",
		}},
		{13, "Bytes came that are not the promised ones, by length or digest; or what was held no longer is. None of it got a name.", []string{
			"A transfer was damaged, or a mirror or proxy changed the file.",
			"The digest that was typed belongs to another file.",
			"A disk damaged what the cache holds.",
			"For publishers: a file that goreleaser made is not what its checksums file says, or a program says otherwise than goreleaser how it was built.",
		}, []string{
			"Run the command again: damaged bytes were set aside, and it fetches them anew, from another source where there is one.",
			"`assay cache verify` reads all that is held and sets aside what is damaged.",
			"If it stays so, tell the publisher with the expected and the found digest. Do not use the file.",
		}},
		{20, "The network, or a source, gave no usable answer.", []string{
			"No connection, a wrong proxy, a name that does not resolve, a server that is down.",
			"The certificate of a server is not vouched for by an authority that this machine knows.",
			"The answer is a login page, not metadata; or the address of the repository is wrong.",
		}, []string{
			"`assay doctor` asks each repository and tells which proxies and authorities are in use.",
			"Check the address with `assay trust list`, then run the command again.",
			"`--offline` uses what is held.",
		}},
		{21, "The network was not to be asked, and what was wanted is not held.", []string{
			"`--offline` or `offline = true` is set, and this was never fetched here.",
			"The cache was deleted, or pruned.",
		}, []string{
			"Run the command once without `--offline`.",
			"`assay cache list` tells what is held; `assay cache export` brings blobs to a machine without a network.",
		}},
	}
}

// pagesOfRefusal: why an artifact is not good enough, or not what it is said to be.
func pagesOfRefusal() []page {
	const stop = "Do not use the file, and do not get it by other means."
	return []page{
		{14, "A signature, an identity, an entry of a log or a bundle that comes with the artifact is wrong.", []string{
			"Somebody else built or signed it than the configuration expects.",
			"The bundle belongs to another file, or was changed.",
			"The publisher signs in another way now, and the profile or the policy does not know it yet.",
		}, []string{
			stop, "`assay explain WHAT` shows each check with what was expected and found.",
			"Ask the publisher, by another way than this network, who signs it and how.",
		}},
		{15, "A document of the release contradicts its path, its artifacts or itself, or lacks what it has to have.", []string{
			"The publisher made a mistake: a digest, a version or a platform is not that of the artifact.",
			"A document was put in another's place.",
			"It is of a newer schema than this assay knows.",
		}, []string{
			"`assay explain WHAT` shows which document, and what contradicts it.",
			"Publishers: `assay lint FILE` names each lack before it is published, and `assay draft release` also how to give what is missing.",
			"Tell the publisher. Where the schema is newer, update assay.",
		}},
		{16, "The publisher has revoked this release. It is never chosen, and never handed out.", []string{
			"It has a fault, or was built on a machine that was compromised; the message has the reason where one is given.",
		}, []string{
			"`assay versions PRODUCT` lists the releases that may be chosen: take another.",
			"`assay verify --held` tells whether more of what was got here is revoked.",
			"If it was in use, read the advisory that the message names.",
		}},
		{17, "Bytes that were published once have been published anew with other content, under the same name.", []string{
			"The publisher replaced a file, which a release never does.",
			"Someone who holds the publisher's keys put another file in its place.",
		}, []string{
			stop, "The message shows both digests: ask the publisher, by another way than this network, which one is meant.",
			"`assay audit list` tells when the first was seen here.",
		}},
		{18, "It is proven, but your policy refuses it, or repositories that have to agree do not.", []string{
			"A rule asks for provenance, a bill of materials, an age, a licence or a signer that this release does not show.",
			"A component of it is on a list of denied ones, or in an advisory.",
			"Whoever has to approve it has not done so yet.",
		}, []string{
			"`assay explain WHAT` shows each rule with what was expected and found.",
			"`assay policy show PRODUCT` tells which rules apply, and in which file they stand.",
			"`assay versions PRODUCT` tells which releases are approved: take one of them, or ask for approval.",
		}},
		{19, "A newer version comes with weaker proof than an earlier one had. That is how a stolen key would look.", []string{
			"The publisher's build lost its signing or its provenance, by mistake or for a while.",
			"Someone publishes who can't sign as the publisher does.",
		}, []string{
			stop, "Ask the publisher why; `assay explain WHAT` shows which kind of proof is gone.",
			"Stay on the version before, by naming it exactly, until that is cleared up.",
			"Once the publisher has confirmed this very digest, `assay waive sha256:HEX --reason TEXT --until DATE` accepts that one artifact; it is logged.",
		}},
		{30, "The lock file and the world do not agree: what it pins was changed, can't be had, or is for something else. Nothing was installed.", []string{
			"assay.lock was edited by hand, merged wrongly, or written by a newer assay.",
			"It was made from another repository of the name; one that shows an older state is a rollback (12).",
			"The project names a tool that the lock file does not have.",
		}, []string{
			"Look at what was changed in assay.lock, and by whom; take the last good one from version control.",
			"Write it anew on a network that you trust, and review the difference before you commit it.",
		}},
	}
}

// pagesOfMachine: what is wrong here.
func pagesOfMachine() []page {
	return []page{
		{31, "Another assay has been at work on the same state for too long, or has changed the same product meanwhile. Nothing was changed.", []string{
			"Many runs at once, or one that hangs.",
			"A product was installed, upgraded, rolled back or uninstalled by another run while this one made up its mind.",
			"The state directory lies on a network file system whose locks do not work.",
		}, []string{
			"Run the command again when the other one is done.",
			"`assay doctor` tells where the state lies, and whether that is a network file system.",
		}},
		{40, "A disk is full or failing, a permission is missing, or an archive holds what must not be unpacked.", []string{
			"No space is left in the cache, in the state directory or where the output goes.",
			"A folder belongs to somebody else, as after `sudo`.",
			"An archive has a path or a link that leads out of its folder, a device, or unpacks to far too much.",
		}, []string{
			"`assay doctor` tells of space, owners and permissions, and how to mend them.",
			"`assay cache prune --older 30d --dry-run` shows what could go.",
			"If the archive is to blame, do not unpack it by other means: ask its publisher what it is for.",
		}},
		{41, "What assay remembers is damaged, was changed by somebody, or is of a newer assay. It is never rebuilt silently, as it protects from rollback.", []string{
			"A disk or a copy damaged a file of the state directory.",
			"Somebody edited the audit log.",
			"A newer assay wrote it, and an older one runs now.",
		}, []string{
			"`assay doctor` tells which file it is; `assay config show` where it lies.",
			"Restore that one file from a backup, then run `assay trust refresh` on a network that you trust.",
			"Without a backup, the hint of the message says what moving that one file away would cost.",
			"If it is of a newer assay, use that one.",
		}},
	}
}
