# Looks at archives, sums, bills of materials, and the program. Sourced by check.sh.

check_sums() {
	step "checksums"
	local list=assay_${version}_SHA256SUMS named
	(cd "$dist" && sha256sum --quiet --strict -c "$list") || fail "$list does not hold"
	named=$(cut -c67- "$dist/$list" | LC_ALL=C sort)
	same "what $list names" "$(jq -r '.[] | select(.type as $t | ["Archive", "Linux Package", "SBOM", "Source"] | index($t)) | .name' "$dist/artifacts.json" | LC_ALL=C sort)" "$named"
	ok "$list names all $(wc -l <"$dist/$list") files, and each is what it says"
}

# check_archives wants one folder in each, the papers, and no other time or owner than
# the commit's and root.
check_archives() {
	step "archives"
	local file top=assay_$version entries want
	want=$(TZ=UTC date -u -d "@$commit_time" '+%Y-%m-%d %H:%M:%S')
	for file in "$dist"/assay_"$version"_*.tar.gz; do
		case $file in *_source.tar.gz) continue ;; esac
		entries=$(TZ=UTC tar --full-time --numeric-owner -tvzf "$file")
		for paper in assay LICENSE README.md CHANGELOG.md THIRD_PARTY_LICENSES.txt man/man1/assay.1 completions/assay.bash completions/_assay completions/assay.fish; do
			grep -q " $top/$paper\$" <<<"$entries" || fail "$file: expected $top/$paper"
		done
		[ "$(awk -v top="$top/" 'index($6, top) != 1' <<<"$entries" | wc -l)" -eq 0 ] || fail "$file: expected all in the folder $top"
		[ "$(grep -cv " 0/0 " <<<"$entries")" -eq 0 ] || fail "$file: expected all to be root's"
		[ "$(grep -cv " $want " <<<"$entries")" -eq 0 ] || fail "$file: expected all of $want: $(grep -v " $want " <<<"$entries" | head -n 3)"
	done
	if has unzip; then
		for file in "$dist"/assay_"$version"_*.zip; do
			unzip -tqq "$file" || fail "$file: damaged"
			unzip -Z1 "$file" | grep -cx "$top/assay.exe" >/dev/null || fail "$file: expected assay.exe in a folder"
		done
	else
		skip "zip archives" "no unzip here"
	fi
	file=$dist/assay_${version}_source.tar.gz
	cmp -s <(git archive --prefix="assay-$version/" "$commit" | sha256sum) <(gzip -dc "$file" | sha256sum) || fail "$file: expected what git archive makes of $commit"
	ok "one folder in each, with licences, manual and completions; all times are the commit's; the source is the commit's"
}

check_program() {
	step "the program for this machine"
	mkdir -p "$work/program"
	tar -xzf "$dist/assay_${version}_$host.tar.gz" -C "$work/program" --strip-components=1
	local assay=$work/program/assay told
	told=$("$assay" version --json)
	same "its version" "$version" "$(jq -r .version <<<"$told")"
	same "its commit" "$commit" "$(jq -r .commit <<<"$told")"
	same "its date" "$commit_date" "$(jq -r .date <<<"$told")"
	same "whether the tree was changed" "null" "$(jq -r .modified <<<"$told")"
	if grep -aqF "$work" "$assay"; then fail "the program names the folder that it was built in"; fi
	if has file; then file "$assay" | grep -c 'statically linked' >/dev/null || fail "expected it to be static: $(file "$assay")"; fi
	local size
	size=$(stat -c %s "$assay")
	[ "$size" -le 40000000 ] || fail "its size: expected at most 40 MB, found $size bytes"
	(cd "$work" && HOME=$work/nobody "$assay" demo >"$work/demo.log" 2>&1) || { tail -n 20 "$work/demo.log"; fail "assay demo"; }
	ok "version, commit and date are right; it is static, $size bytes, names no folder; the demo runs"
}

check_bills() {
	step "bills of materials"
	local file bill assay=$work/program/assay
	for file in "$dist"/assay_"$version"_*.tar.gz "$dist"/assay_"$version"_*.zip; do
		case $file in *_source.tar.gz) continue ;; esac
		bill=$file.spdx.json
		[ -f "$bill" ] || fail "$file: expected a bill of materials beside it"
		same "the digest in $bill" "$(sha256sum <"$file" | cut -d' ' -f1)" "$(jq -r '.packages[0].checksums[0].checksumValue' "$bill")"
		same "the time in $bill" "$commit_date" "$(jq -r .creationInfo.created "$bill")"
	done
	bill=$dist/assay_${version}_$host.tar.gz.spdx.json
	same "modules, as the program has them" \
		"$("$assay" version --json | jq -r '.modules[] | "\(.path) \(.version)"' | LC_ALL=C sort)" \
		"$(jq -r '.packages[2:][] | "\(.name) \(.versionInfo)"' "$bill" | LC_ALL=C sort)"
	if has pyspdxtools; then
		pyspdxtools -i "$bill" >/dev/null || fail "$bill: not valid"
	else
		skip "bills of materials, by the validator of SPDX" "no pyspdxtools here"
	fi
	ok "one for each archive, of its digest; $(jq '.packages | length' "$bill") packages, of which $(jq '[.packages[] | select(.licenseDeclared == "NOASSERTION")] | length' "$bill") without a licence that is sure"
}
