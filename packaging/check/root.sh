# Makes the scratch root of scratch.sh, and runs a command in it. In namespaces of its own
# (mount, process, network: what it starts ends with it, and gets no further than itself):
#
#     bash root.sh FOLDER COMMAND [ARGUMENT PACKAGE CHECKS]
#
# PACKAGE and the folder CHECKS are there as /srv/assay.deb (or .rpm), and /srv/check.
set -euo pipefail
root=$1 command=$2
ip link set lo up
mkdir -p "$root"
mount -t tmpfs -o size=1g none "$root"
mkdir "$root/upper" "$root/work" "$root/all"
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" none "$root/all"
all=$root/all
mount -t proc none "$all/proc" 2>/dev/null || mount --bind /proc "$all/proc"
mount --rbind /dev "$all/dev"
# No service manager is at work in there, whatever is below.
mount -t tmpfs none "$all/run"
mount -t tmpfs -o mode=1777 none "$all/tmp"
if [ $# -gt 2 ]; then
	mkdir -p "$all/srv/check"
	cp "$4" "$all/srv/assay.${4##*.}"
	cp "$5"/*.sh "$all/srv/check/"
	set -- "$1" "$2" "$3"
fi
cd /
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	COMMIT="${COMMIT:-}" VERSION="${VERSION:-}" chroot "$all" "$command" ${3:+"$3"}
