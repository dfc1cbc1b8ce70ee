# Builds twice. Sourced by check.sh.

# The Makefile names the version.
goreleaser_module=${GORELEASER_AT:-$(sed -n 's/^GORELEASER_AT *= *//p' Makefile)}

# get_goreleaser sets $goreleaser. What it builds goes to the scratch folder.
get_goreleaser() {
	step "goreleaser"
	goreleaser=${GORELEASER:-}
	if [ -z "$goreleaser" ]; then
		note "builds $goreleaser_module, which takes minutes; GORELEASER=PROGRAM spares that"
		GOBIN=$work/bin GOFLAGS=-modcacherw CGO_ENABLED=0 go install "$goreleaser_module"
		goreleaser=$work/bin/goreleaser
	fi
	goreleaser=$(command -v "$goreleaser") || fail "no program $goreleaser"
	case $goreleaser in /*) ;; *) goreleaser=$PWD/$goreleaser ;; esac
	case "$("$goreleaser" --version)" in *"${goreleaser_module##*@v}"* | *devel*) ;;
	*) note "another version than ${goreleaser_module##*@}, which may make other bytes" ;; esac
	"$goreleaser" check --quiet || fail "goreleaser check"
	ok "goreleaser check: goreleaser.yaml is valid, and uses nothing that is deprecated"
}

# build_one FOLDER: the commit, cloned into it, as a snapshot. Arguments behind are
# variables of the build.
build_one() {
	local folder=$1
	shift
	mkdir -p "$(dirname "$folder")"
	git clone --quiet --no-hardlinks "$here" "$folder"
	git -C "$folder" checkout --quiet --detach "$commit"
	if ! (cd "$folder" && env "$@" "$goreleaser" release --snapshot --clean --skip=sign >"$folder.log" 2>&1); then
		tail -n 40 "$folder.log" >&2
		fail "goreleaser, in $folder"
	fi
}

# build_both differs in all that a build should not see: folder, length of its path,
# home of the user, umask, zone, language, number of processors; with FRESH what was compiled
# before, too: each compiled package is then made twice.
build_both() {
	step "build of $commit, twice"
	build_one "$work/one/assay"
	note "built in $work/one/assay"
	local cache modules
	modules=$(go env GOMODCACHE)
	cache=$(go env GOCACHE)
	if [ -n "${FRESH:-}" ]; then cache=$work/cache; fi
	mkdir -p "$work/home"
	(
		umask 077
		build_one "$work/another/folder, deeper/checkout" \
			HOME="$work/home" GOENV="$(go env GOENV)" GOMODCACHE="$modules" GOCACHE="$cache" TZ=Pacific/Chatham LC_ALL=C LANG=C GOMAXPROCS=1
	)
	note "built in $work/another/folder, deeper/checkout, ${FRESH:+with nothing compiled before, }with another home, umask, zone and language"
	ok "goreleaser built $(find "$work/one/assay/dist" -maxdepth 1 -type f | wc -l) files, twice"
}
