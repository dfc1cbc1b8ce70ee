# Compares what was built twice, byte for byte. Sourced by check.sh.

compare_both() {
	step "the two builds, byte for byte"
	local one=$work/one/assay/dist other="$work/another/folder, deeper/checkout/dist" file differ=0 count=0
	diff <(cd "$one" && find . -type f | LC_ALL=C sort) <(cd "$other" && find . -type f | LC_ALL=C sort) ||
		fail "the builds made other files: < is the first's, > the second's"
	while IFS= read -r file; do
		count=$((count + 1))
		cmp -s <(published "$one" "$file") <(published "$other" "$file") && continue
		differ=$((differ + 1))
		printf '   differs: %s\n' "$file"
		inside "$one/$file" "$other/$file"
	done < <(cd "$one" && find . -type f | LC_ALL=C sort)
	[ "$differ" -eq 0 ] || fail "$differ of $count files differ"
	ok "$count files are the same in both; of three that goreleaser writes for itself, date and order are left aside"
}

# published FOLDER FILE: the bytes of a file; of those that goreleaser writes about its own
# work, which are published by nobody, without the date of the build in metadata.json, and
# without the order in which its workers came to an end.
published() {
	case $2 in
	./metadata.json) jq -S 'del(.date)' "$1/$2" ;;
	./artifacts.json) jq -S 'sort_by(.path)' "$1/$2" ;;
	./config.yaml) LC_ALL=C sort "$1/$2" ;;
	*) cat "$1/$2" ;;
	esac
}

# inside A B shows what differs within two files, as well as it can be told here.
inside() {
	if has diffoscope; then
		diffoscope --max-report-size 20000 "$1" "$2" || true
		return
	fi
	{ diff <(listing "$1") <(listing "$2") || true; } | head -n 20
}

# listing FILE: what is in it.
listing() {
	case $1 in
	*.tar.gz | *.apk) tar --full-time -tvzf "$1" 2>/dev/null ;;
	*.zip) unzip -Z -T "$1" 2>/dev/null || true ;;
	*.deb) dpkg-deb -I "$1" && dpkg-deb -c "$1" ;;
	*.rpm) rpm -qp --qf '[%{FILENAMES} %{FILEMTIMES} %{FILEMODES:octal} %{FILEDIGESTS}\n]%{BUILDTIME} %{BUILDHOST}\n' "$1" 2>/dev/null ;;
	*) od -A d -t x1z "$1" | head -n 100000 ;;
	esac
}
