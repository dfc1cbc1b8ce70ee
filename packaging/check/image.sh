# Runs the program as the image does. In namespaces of its own (mount, process, network):
#
#     bash image.sh ROOT "NAME=VALUE NAME=VALUE"
set -euo pipefail
root=$1
read -ra env <<<"$2"
ip link set lo up
mount --bind "$root" "$root"
mount -t tmpfs -o mode=0755,size=256m,uid=65532,gid=65532 none "$root/var/lib/assay-mirror"
mount -o remount,bind,ro "$root"
if touch "$root/new" 2>/dev/null; then echo "the root can be written"; exit 1; fi

assay=(env -i "${env[@]}" "$(command -v chroot)" --userspec=65532:65532 "$root" /usr/bin/assay)
"${assay[@]}" version
"${assay[@]}" demo >/dev/null
mkfifo "$(dirname "$root")/image.says"
"${assay[@]}" mirror serve --config /etc/assay-mirror/mirror.toml >"$(dirname "$root")/image.says" 2>"$(dirname "$root")/image.err" &
read -r says <"$(dirname "$root")/image.says"
echo "$says"
"${assay[@]}" mirror status --config /etc/assay-mirror/mirror.toml
kill -TERM $!
wait $! || { echo "the daemon ended with $?"; cat "$(dirname "$root")/image.err"; exit 1; }
