#!/usr/bin/env bash
# `make release-check`: builds a release of the commit that is checked out, twice, and
# looks at it as those will who get it. Nothing is published or signed, nothing is changed
# but a scratch folder, and of the network only the Go module proxy is asked, for
# goreleaser and for modules that are not held yet.
#
#     GORELEASER=PROGRAM   goreleaser, where it is there already; else it is built, which takes minutes
#     WORK=FOLDER          the scratch folder, which has to be empty or missing; it is kept then
#     FRESH=1              compile all of it again for the second build, which takes some ten minutes
#                          more: before a release is given out
#     DIST=FOLDER          don't build: look at this folder, of the commit that is checked out
#
# Each step says what it looks at and what it found. What can't be done on this machine
# is skipped by name, and listed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
. packaging/check/say.sh
. packaging/check/build.sh
. packaging/check/compare.sh
. packaging/check/papers.sh
. packaging/check/packages.sh
. packaging/check/scratch.sh

if [ -n "${WORK:-}" ]; then
	mkdir -p "$WORK"
	[ -z "$(ls -A "$WORK")" ] || fail "WORK=$WORK: expected an empty folder"
	work=$(cd "$WORK" && pwd)
else
	work=$(mktemp -d "${TMPDIR:-/tmp}/assay-release.XXXXXX")
	trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
fi
# The daemon's user has to get at what is in here, and nobody may change it.
chmod 755 "$work"
commit=$(git rev-parse HEAD)
commit_time=$(git log -1 --format=%ct)
commit_date=$(date -u -d "@$commit_time" +%Y-%m-%dT%H:%M:%SZ)
[ -z "$(git status --porcelain)" ] || note "the tree differs from the commit: what is looked at is the commit $commit"

if [ -n "${DIST:-}" ]; then
	dist=$(cd "$DIST" && pwd)
else
	get_goreleaser
	build_both
	dist=$work/one/assay/dist
	compare_both
fi
version=$(jq -r .version "$dist/metadata.json")
host=linux_$(go env GOARCH)

check_sums
check_archives
check_program
check_bills
check_deb_papers
check_rpm_papers
check_apk
in_scratch "the deb, installed in a scratch root" deb "dpkg"
in_scratch "the rpm, installed in a scratch root" rpm "rpm"
check_container
check_draft
summary
