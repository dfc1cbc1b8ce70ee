#!/bin/sh
# What goreleaser packs besides the program: manual pages, completions, licences of the
# modules that are linked in, the package's changelog, and the program that makes the bills
# of materials. All goes into bin/release, and is the same for the same commit.
#
#     sh packaging/prepare.sh VERSION COMMIT-TIME-IN-SECONDS
set -eu
cd "$(dirname "$0")/.."
version=$1 seconds=$2
out=bin/release

rm -rf "$out"
mkdir -p "$out/completions"
export CGO_ENABLED=0
go build -trimpath -o "$out/assay" ./cmd/assay
go build -trimpath -o "$out/sbom" ./internal/sbom

"$out/assay" man --quiet --dir "$out/man"
mkdir -p "$out/man.gz"
cp -R "$out/man/." "$out/man.gz/"
find "$out/man.gz" -type f -exec gzip -9n {} +
for shell in bash fish powershell; do
	"$out/assay" completion "$shell" >"$out/completions/assay.$shell"
done
mv "$out/completions/assay.powershell" "$out/completions/assay.ps1"
"$out/assay" completion zsh >"$out/completions/_assay"

# The licences that the binaries have to carry, of all systems at once.
ln -s "$(go env GOMODCACHE)" "$out/modules"
for system in linux darwin windows; do
	GOOS=$system go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}' ./cmd/assay
done | LC_ALL=C sort -u >"$out/linked.txt"
"$out/sbom" -modules "$out/modules" -go "$(go env GOROOT)" -notices "$out/linked.txt" -o "$out/THIRD_PARTY_LICENSES.txt"
gzip -9nc "$out/THIRD_PARTY_LICENSES.txt" >"$out/THIRD_PARTY_LICENSES.txt.gz"

# An apk has its scripts with the times of their files, which are those of the checkout.
stamp=$(date -u -d "@$seconds" +%Y%m%d%H%M.%S 2>/dev/null || date -u -r "$seconds" +%Y%m%d%H%M.%S)
TZ=UTC touch -t "$stamp" packaging/apk/*

# Debian's form; what has changed stands in CHANGELOG.md. dpkg orders a prerelease
# before its release by a tilde, as nfpm writes the package's version.
plain=$(printf %s "$version" | sed 's/-/~/')
date=$(LC_ALL=C date -u -d "@$seconds" '+%a, %d %b %Y %H:%M:%S +0000' 2>/dev/null || LC_ALL=C date -u -r "$seconds" '+%a, %d %b %Y %H:%M:%S +0000')
printf 'assay (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n -- %s  %s\n' \
	"$plain" "${ASSAY_MAINTAINER:-The assay maintainers <maintainers@assay.example>}" "$date" | gzip -9nc >"$out/changelog.gz"
