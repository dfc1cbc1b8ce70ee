# How the check talks. Sourced by check.sh.

passed=0
skipped=()

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }
note() { printf '   %s\n' "$1"; }

# ok WHAT: a step is done, and that was found.
ok() {
	passed=$((passed + 1))
	printf '   ok: %s\n' "$1"
}

# skip WHAT WHY
skip() {
	skipped+=("$1: $2")
	printf '   skipped: %s: %s\n' "$1" "$2"
}

fail() {
	printf '   FAILED: %s\n' "$1" >&2
	exit 1
}

# same WHAT EXPECTED FOUND
same() { [ "$2" = "$3" ] || fail "$1: expected $2, found $3"; }

# has PROGRAM…: all of them are on this machine.
has() {
	local program
	for program; do command -v "$program" >/dev/null || return 1; done
}

summary() {
	printf '\n== done: %s checks held, %s skipped (%ss)\n' "$passed" "${#skipped[@]}" "$SECONDS"
	if [ "${#skipped[@]}" -gt 0 ]; then printf '   skipped: %s\n' "${skipped[@]}"; fi
	note "$commit, version $version"
	note "sha256 of the list of checksums: $(sha256sum <"$dist/assay_${version}_SHA256SUMS" | cut -d' ' -f1)"
}
