package main

//go:generate go test -run ^TestErrorsDocument$ . -update

// page tells of one exit code what `assay help errors CODE` prints: what it means,
// how it usually comes about, and what to do next. docs/errors.md and the manual
// are made of the same pages; `go generate` writes the former anew. What stands in
// back quotes and begins with assay is a command that a test finds in the tree.
type page struct {
	code  int
	text  string
	comes []string
	next  []string
}

// pageOf is the page of an exit code of the table.
func pageOf(code int) page {
	for _, part := range [][]page{pagesOfRuns(), pagesOfMetadata(), pagesOfRefusal(), pagesOfMachine()} {
		for _, p := range part {
			if p.code == code {
				return p
			}
		}
	}
	return page{code: code}
}

// pagesOfRuns: how a run ended, whatever it was about.
func pagesOfRuns() []page {
	return []page{
		{0, "All that was asked for is done, and whatever was handed out is proven.", []string{
			"Warnings on stderr do not change the code: read them all the same.",
		}, []string{"Nothing has to be done. In scripts `--json` tells by `changed` whether anything was."}},
		{1, "Something happened that assay does not know. Nothing unproven was handed out.", []string{
			"A mistake in assay, or a system call that failed in a way nobody foresaw.",
		}, []string{
			"Run the command again; look with `assay doctor` whether something is wrong with this machine.",
			"If it stays so, report it with the output of `assay version` and the message.",
		}},
		{2, "What was typed or configured can't be done, or could mean several things. Nothing was begun.", []string{
			"A misspelt command, flag, key or variable: the message names the nearest one that exists.",
			"Two repositories offer the product, and none was named.",
			"A file or folder is there already that would be written over.",
			"A repository is declared twice, with different roots or addresses.",
		}, []string{
			"`assay help` lists the commands, and `--help` behind a command has examples.",
			"`assay config show` tells each value and which file, variable or flag it comes from.",
			"Put the repository before the product, as in `REPO:PRODUCT`.",
		}},
		{3, "There is nothing of that name: no such repository, product, version, platform or target.", []string{
			"A name was misspelt, or it belongs to a repository that this machine does not know.",
			"The release was not built for this platform.",
			"The version stands in another channel than the one that was asked.",
		}, []string{
			"`assay trust list`, `assay products` and `assay versions PRODUCT` list what there is.",
			"`assay get PRODUCT --dry-run` tells what would be chosen, and why not the others.",
		}},
		{4, "The question was answered: something newer exists, or what is there is not what is written down. It is for scripts, and no failure.", []string{
			"Something that is installed is behind its channel, and `--exit-code` asked to be told so.",
			"The tools of a project are no longer what its assay.lock says: other ones are asked for, or what is locked was revoked or withdrawn.",
		}, []string{
			"The lines above name each difference. Upgrade, or write the lock file anew, when you mean to, and look at the change.",
		}},
		{125, "assay exec itself failed, so the program was never started. Every other code of assay exec is the program's own.", []string{
			"The program could not be found, fetched or proven, or the system could not start it.",
		}, []string{
			"With `--json` the document on stdout has the real code: look that one up here.",
		}},
		{126, "assay exec found and proved the program, and the system refused to execute it.", []string{
			"It is for another platform or processor, or its interpreter does not exist here.",
			"data_dir lies on a file system that is mounted with noexec.",
		}, []string{
			"`assay which PROGRAM` tells where it lies: try it by itself.",
			"Name a data_dir on another file system; `assay config show` tells where it is now.",
		}},
		{127, "assay exec found and proved the release, and the program is not in it, or no longer on the disk.", []string{
			"The release has several programs, and none is called like the product.",
			"Somebody removed the file.",
		}, []string{
			"`assay exec PRODUCT --program NAME` runs another of its programs.",
			"`assay verify --held` tells what of the installed files was changed.",
		}},
		{130, "The run was interrupted, as by Ctrl-C.", []string{
			"Somebody, or a program that watches over it, sent SIGINT.",
		}, []string{"Run the command again. What came so far is kept without a name, and it goes on from there."}},
		{141, "Whoever read the output stopped reading, as `head` does. Shells know the code as SIGPIPE's.", []string{
			"The next program of a pipe ended first.",
		}, []string{"Nothing has to be done, unless all of the output was wanted."}},
		{143, "The run was told to end, by SIGTERM.", []string{
			"A service manager, a shutdown or a time limit of a job ended it.",
		}, []string{"Run the command again. What came so far is kept without a name, and it goes on from there."}},
	}
}
