# Installs, uses and erases /srv/assay.rpm. Run in the scratch root. What it depends on
# is not looked for: the machine may not be one of rpm's.
. /srv/check/in-root.sh

# These are of other packages, on a machine of rpm's.
mkdir -p /usr/share/licenses /usr/share/zsh/site-functions
files >/tmp/files.before

rpm -i --nodeps /srv/assay.rpm
[ -z "$(rpm -V --nodeps assay)" ] || fail "rpm -V: $(rpm -V --nodeps assay)"
check_installed
check_demo
check_daemon

cp /etc/assay-mirror/mirror.toml /tmp/mine
rpm -U --force --nodeps /srv/assay.rpm
cmp /tmp/mine /etc/assay-mirror/mirror.toml || fail "expected the configuration to stay as it was"
told "installed over itself: the configuration stays as it was"

rpm -e --nodeps assay >/tmp/erase 2>&1
cat /tmp/erase
[ ! -e /usr/bin/assay ] || fail "expected the program to be gone"
cmp /tmp/mine /etc/assay-mirror/mirror.toml.rpmsave || fail "expected the configuration to be kept as .rpmsave"
[ -n "$(ls -A /var/lib/assay-mirror)" ] || fail "expected the mirror's data to stay"
grep -q "kept: the mirror's data in /var/lib/assay-mirror" /tmp/erase || fail "expected it to tell what it keeps"
told "erased: the configuration is kept as .rpmsave, the mirror's data stays, and that is said"

rm -r /var/lib/assay-mirror /etc/assay-mirror
rpm -i --nodeps /srv/assay.rpm
rpm -e --nodeps assay
files >/tmp/files.after
diff /tmp/files.before /tmp/files.after || fail "expected nothing to be left: > is new, < is gone"
! getent passwd assay-mirror >/dev/null || fail "expected the user to be gone"
told "erased without data: no file, and no user, is left"
