# Installs, uses and purges /srv/assay.deb. Run in the scratch root.
. /srv/check/in-root.sh

files >/tmp/files.before
cp /etc/passwd /tmp/passwd.before

dpkg -i /srv/assay.deb
[ -z "$(dpkg --verify assay)" ] || fail "dpkg --verify: $(dpkg --verify assay)"
check_installed
check_unit
check_demo
check_daemon

# The configuration is the administrator's now; so it stays, also where the package is
# installed over itself, as an upgrade does.
cp /etc/assay-mirror/mirror.toml /tmp/mine
dpkg -i /srv/assay.deb
cmp /tmp/mine /etc/assay-mirror/mirror.toml || fail "expected the configuration to stay as it was"
told "installed over itself: the configuration stays as it was"

dpkg -r assay
[ ! -e /usr/bin/assay ] || fail "expected the program to be gone"
cmp /tmp/mine /etc/assay-mirror/mirror.toml || fail "expected a removal to leave the configuration"
dpkg -P assay >/tmp/purge 2>&1
cat /tmp/purge
[ ! -e /etc/assay-mirror ] || fail "expected a purge to remove the configuration"
[ -n "$(ls -A /var/lib/assay-mirror)" ] || fail "expected a purge to leave the mirror's data"
grep -q "kept: the mirror's data in /var/lib/assay-mirror" /tmp/purge || fail "expected the purge to tell what it keeps"
getent passwd assay-mirror >/dev/null || fail "expected the user to stay while data is theirs"
told "removed: the configuration stays; purged: it goes, the mirror's data stays, and that is said"

# Without data nothing is left. Twice, as scripts may be run again.
rm -r /var/lib/assay-mirror
dpkg -i /srv/assay.deb
dpkg -P assay
same "purged again" 0 "$(dpkg -P assay >/dev/null 2>&1; echo $?)"
files >/tmp/files.after
diff /tmp/files.before /tmp/files.after || fail "expected a purge without data to leave nothing: > is new, < is gone"
diff /tmp/passwd.before /etc/passwd || fail "expected the user to be gone"
told "purged without data: no file, and no user, is left"
