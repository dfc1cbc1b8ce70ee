# Looks at deb, rpm and apk without installing them, and at the image. Sourced by check.sh.

check_deb_papers() {
	step "deb, by lintian"
	local deb=$dist/assay_${version}_$host.deb
	if ! has dpkg-deb; then
		skip "deb" "no dpkg-deb here"
		return
	fi
	same "its conffiles" "/etc/assay-mirror/mirror.toml" "$(dpkg-deb -I "$deb" conffiles)"
	if has lintian; then
		# Of what is only pedantic, nothing counts.
		lintian --allow-root --fail-on error,warning,info --display-info --tag-display-limit 0 "$deb" || fail "lintian finds fault with $deb"
		ok "lintian $(lintian --version | grep -oE '[0-9][0-9.]+[0-9]' | head -n 1) finds nothing"
	else
		skip "deb, by lintian" "no lintian here"
	fi
}

check_rpm_papers() {
	step "rpm, by rpm"
	local package=$dist/assay_${version}_$host.rpm
	if ! has rpm; then
		skip "rpm" "no rpm here"
		return
	fi
	rpm -K --nosignature "$package" >/dev/null || fail "$package: damaged"
	same "its name" assay "$(rpm -qp --qf '%{NAME}' "$package")"
	same "its licence" Apache-2.0 "$(rpm -qp --qf '%{LICENSE}' "$package")"
	same "its build host" reproducible "$(rpm -qp --qf '%{BUILDHOST}' "$package")"
	same "its build time" "$commit_time" "$(rpm -qp --qf '%{BUILDTIME}' "$package")"
	same "its configuration files" /etc/assay-mirror/mirror.toml "$(rpm -qpc "$package")"
	same "its times" "$commit_time" "$(rpm -qp --qf '[%{FILEMTIMES}\n]' "$package" | sort -u)"
	ok "digests hold; name, licence, host, times and configuration files are right"
}

# An apk is two tars, gzipped one behind the other.
check_apk() {
	step "apk, by its tar"
	local apk=$dist/assay_${version}_$host.apk root=$work/apk
	mkdir -p "$root"
	tar --warning=no-unknown-keyword -xzf "$apk" -C "$root"
	grep -qx 'pkgname = assay' "$root/.PKGINFO" || fail "$apk: expected pkgname = assay in .PKGINFO"
	same "its times" "$commit_date" "$(TZ=UTC tar --warning=no-unknown-keyword --full-time -tvzf "$apk" | awk '$NF !~ /^\.PKGINFO|\/$/ {print $4 "T" $5 "Z"}' | sort -u)"
	local script
	for script in .post-install .post-deinstall; do
		sh -n "$root/$script" || fail "$apk: $script"
	done
	same "its program's version" "$version" "$("$root/usr/bin/assay" version --json | jq -r .version)"
	[ -f "$root/etc/assay-mirror/mirror.toml" ] || fail "$apk: expected /etc/assay-mirror/mirror.toml"
	ok "unpacked; .PKGINFO and scripts are right, and the program runs"
}

# check_container builds no image, but runs what the Dockerfile puts into one as it is
# run: as its user, with nothing else there, and a root that can't be written.
check_container() {
	step "image, as a folder"
	if [ "$(id -u)" -ne 0 ] || ! has unshare chroot ip; then
		skip "image" "it takes root, unshare, chroot and ip"
		return
	fi
	local root=$work/image file=packaging/container/Dockerfile
	mkdir -p "$root/usr/bin" "$root/etc/assay-mirror" "$root/var/lib/assay-mirror"
	same "its user" 65532:65532 "$(sed -n 's/^USER //p' $file)"
	same "its program" '["/usr/bin/assay"]' "$(sed -n 's/^ENTRYPOINT //p' $file)"
	cp "$work/program/assay" "$root/usr/bin/assay"
	cp packaging/container/mirror.toml "$root/etc/assay-mirror/mirror.toml"
	"${apart[@]}" bash packaging/check/image.sh "$root" "$(sed -n 's/^ENV //p' $file)" >"$work/image.log" 2>&1 || {
		cat "$work/image.log"
		fail "image"
	}
	ok "as 65532:65532 in a root that can't be written: version, demo, and the daemon is alive and ends with 0"
	[ "${ASSAY_DOCKER:-}" = 1 ] || skip "image, built by docker" "ASSAY_DOCKER=1 has goreleaser build it, where buildx is"
}

# check_draft makes assay's own release of what was built, in the layout that it reads, and
# has it installed from a repository that a test makes.
check_draft() {
	step "assay's own release, by assay"
	local assay=$work/program/assay out=$work/draft tag
	mkdir -p "$out"
	# The signed tag; of a snapshot, which has none, the id that one would have.
	tag=$(git rev-parse -q --verify "refs/tags/v$version" ||
		printf 'object %s\ntype commit\ntag v%s\ntagger assay <release@assay.example> %s +0000\n\n' "$commit" "$version" "$commit_time" | git hash-object -t tag --stdin)
	(
		cd "$out"
		export HOME=$work/nobody
		"$assay" draft release --goreleaser "$dist" --defaults "$here/packaging/team.toml" --output targets --tag-object "$tag"
		"$assay" draft promote "assay@$version" - stable --dir targets --catalog --max-age 90d
		"$assay" lint "targets/assay/$version/release.json" targets/channel-stable/assay.json targets/catalog.json
	) >"$work/draft.log" 2>&1 || {
		tail -n 40 "$work/draft.log"
		fail "assay draft, and assay lint"
	}
	ok "assay draft made a release of $(find "$out/targets/assay/$version" -type f | wc -l) files; assay lint: $(tail -n 1 "$work/draft.log")"
	ASSAY_OWN_DIST=$dist ASSAY_OWN_DRAFT=$out/targets ASSAY_OWN_VERSION=$version \
		go test -count=1 -run '^TestOwnRelease$' ./cmd/assay >"$work/own.log" 2>&1 || {
		tail -n 60 "$work/own.log"
		fail "assay install, of this release"
	}
	ok "assay installed it from a repository that promises it, and what was installed runs"
}
