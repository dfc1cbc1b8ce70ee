# What a package has to do once it is installed, whichever it is. Sourced, in the scratch root.
set -euo pipefail

told() { printf '## %s\n' "$1"; }
fail() {
	printf 'FAILED: %s\n' "$1"
	exit 1
}
same() { [ "$2" = "$3" ] || fail "$1: expected $2, found $3"; }

unit=/usr/lib/systemd/system/assay-mirror.service

# check_installed looks at what the package and its scripts have put where.
check_installed() {
	same "the version" "$VERSION" "$(/usr/bin/assay version --json | jq -r .version)"
	getent passwd assay-mirror >/dev/null || fail "expected the user assay-mirror"
	same "/etc/assay-mirror" "750 root assay-mirror" "$(stat -c '%a %U %G' /etc/assay-mirror)"
	same "/etc/assay-mirror/mirror.toml" "644 root root" "$(stat -c '%a %U %G' /etc/assay-mirror/mirror.toml)"
	same "/var/lib/assay-mirror" "700 assay-mirror assay-mirror" "$(stat -c '%a %U %G' /var/lib/assay-mirror)"
	[ -z "$(find /etc/systemd/system -name 'assay-mirror*')" ] || fail "expected nothing to be enabled"
	[ -z "$(pgrep -u assay-mirror || true)" ] || fail "expected nothing to be started"
	bash -n /usr/share/bash-completion/completions/assay || fail "completion of bash"
	local page
	for page in assay.1 assay-get.1 assay-mirror-serve.1 assay-errors.7; do
		gzip -dc "/usr/share/man/man${page##*.}/$page.gz" | grep -c '^\.TH' >/dev/null || fail "manual page $page"
	done
	told "version, user, folders, manual and completions are there; nothing is enabled or started"
}

# check_demo plays the demo, and keeps its repository in /srv/demo for the mirror.
check_demo() {
	(cd /tmp && /usr/bin/assay demo --keep /srv/demo >/tmp/demo.log 2>&1) || { cat /tmp/demo.log; fail "assay demo"; }
	chmod -R go+rX /srv/demo
	told "the demo runs"
}

# as_daemon sets $daemon to what stands before a command that is to run as the unit has it:
# its user, its environment, its folder.
as_daemon() {
	local vars
	eval "vars=($(sed -n 's/^Environment=//p' "$unit" | tr '\n' ' '))"
	daemon=(setpriv --reuid assay-mirror --regid assay-mirror --clear-groups --no-new-privs --bounding-set=-all
		env -i -C /var/lib/assay-mirror PATH=/usr/bin:/bin "${vars[@]}" sh -c 'umask 0077 && exec "$@"' sh)
}

# check_daemon starts the command line of the unit with a configuration that names the
# demo's repository, and gets a release through it.
check_daemon() {
	local line words says port pid tries=0 daemon
	as_daemon
	line=$(sed -n 's/^ExecStart=//p' "$unit")
	[ -n "$line" ] || fail "$unit: expected ExecStart"
	read -ra words <<<"$line"
	cat >>/etc/assay-mirror/mirror.toml <<-END
		[repositories.play]
		url  = "file:///srv/demo/repository"
		root = "/srv/demo/root.json"
		[mirror.upstreams.play]
		every = "1h"
	END
	sed -i 's/127.0.0.1:8080/127.0.0.1:0/' /etc/assay-mirror/mirror.toml
	mkfifo /tmp/says
	"${daemon[@]}" "${words[@]}" >/tmp/says 2>/tmp/daemon.log &
	pid=$!
	read -r says </tmp/says || { cat /tmp/daemon.log; fail "the daemon ended at once: $line"; }
	port=$(grep -oE '[0-9]+/r/' <<<"$says" | tr -dc 0-9)
	until "${daemon[@]}" /usr/bin/assay mirror status --ready --config /etc/assay-mirror/mirror.toml >/tmp/status 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 120 ] || { cat /tmp/status /tmp/daemon.log; fail "expected the mirror to be ready"; }
		sleep 0.5
	done
	same "whose process it is" assay-mirror "$(stat -c %U "/proc/$pid")"
	told "the daemon was started as the unit has it: $line"

	export ASSAY_STATE_DIR=/tmp/client/state ASSAY_CACHE_DIR=/tmp/client/cache
	assay trust add m "http://127.0.0.1:$port/r/play" --root /srv/demo/root.json
	(cd /tmp && assay get m:hello --platform linux/amd64 -o /tmp/hello.tar.gz) || fail "assay get, through the mirror"
	local sum
	sum=$(sha256sum </tmp/hello.tar.gz | cut -d' ' -f1)
	[ -n "$(find /srv/demo/repository -name "$sum.*" -print -quit)" ] || fail "expected a file that the repository has, found $sum"
	told "assay get, through it: $(stat -c %s /tmp/hello.tar.gz) bytes, sha256 $sum"
	kill -TERM "$pid"
	wait "$pid" || { cat /tmp/daemon.log; fail "expected the daemon to end with 0, found $?"; }
	[ -n "$(ls -A /var/lib/assay-mirror)" ] || fail "expected data in /var/lib/assay-mirror"
}

# check_unit is systemd's own opinion.
check_unit() {
	if ! command -v systemd-analyze >/dev/null; then
		echo "skipped: the unit, by systemd-analyze: not here"
		return
	fi
	systemd-analyze verify --man=no "$unit" "${unit%.service}.socket" >/tmp/verify 2>&1 || { cat /tmp/verify; fail "systemd-analyze verify"; }
	[ ! -s /tmp/verify ] || { cat /tmp/verify; fail "systemd-analyze verify has something to say"; }
	systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" >/tmp/security 2>&1 || { cat /tmp/security; fail "expected an exposure of at most 2.0"; }
	told "systemd-analyze: verify has nothing to say; $(tail -n 1 /tmp/security | sed 's/^[^A-Za-z]*//')"
}

# files lists what is installed and kept in the root, but for what tools remember of their own work.
files() {
	find /usr /etc /opt /var -xdev \( -path /var/lib/dpkg -o -path /var/lib/rpm -o -path /var/lib/apt -o -path /var/cache -o -path /var/log -o -path /var/tmp \) -prune -o -print |
		grep -vE '^/etc/((passwd|group|shadow|gshadow|subuid|subgid)-|\.pwd\.lock)$' | LC_ALL=C sort
}
