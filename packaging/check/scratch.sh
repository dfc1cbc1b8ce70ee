# A scratch root: this machine's own files below, and above them a layer in memory that
# takes all that is written and goes away with the namespace. So a package is installed by
# the real tool, with its scripts, and this machine keeps nothing of it. Sourced by check.sh.

apart=(unshare --mount --pid --fork --net)

# in_scratch TITLE KIND TOOL runs packaging/check/in-KIND.sh in there, with the package as
# /srv/assay.KIND.
in_scratch() {
	step "$1"
	if [ "$(id -u)" -ne 0 ] || ! has unshare chroot ip; then
		skip "$1" "it takes root, unshare, chroot and ip"
		return
	fi
	if ! has "$3"; then
		skip "$1" "no $3 here"
		return
	fi
	if ! "${apart[@]}" bash packaging/check/root.sh "$work/root-$2" true 2>/dev/null; then
		skip "$1" "this kernel or container lets nobody mount an overlay"
		return
	fi
	local log=$work/in-$2.log
	COMMIT=$commit VERSION=$version "${apart[@]}" bash packaging/check/root.sh "$work/root-$2" \
		bash /srv/check/in-"$2".sh "$dist/assay_${version}_$host.$2" "$here/packaging/check" >"$log" 2>&1 || {
		tail -n 60 "$log" >&2
		fail "in the scratch root, see above"
	}
	sed -n 's/^## /   /p' "$log"
	if grep -q '^skipped: ' "$log"; then
		while IFS=: read -r _ what why; do skip "${what# }" "${why# }"; done < <(grep '^skipped: ' "$log")
	fi
	ok "see above"
}
