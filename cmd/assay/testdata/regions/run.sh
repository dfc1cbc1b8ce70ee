#!/usr/bin/env bash
# Two regions, their mirrors, a mirror of a mirror and clients; one region is cut off
# and brought back. `make regions` runs it; it needs bash and, on its PATH, assay and
# publisher (regions_linux_test.go has it).
#
#     publisher ──► eu ──► edge        the client of eu asks eu first, by its region;
#         └───────► us                 that of us asks us first, by its network
#
# As root each party has a network namespace of its own, on one bridge, and eu is cut off
# by taking its link down. Otherwise all are on loopback, and eu is cut off by killing its
# mirror, which comes back without a way to the publisher.
set -euo pipefail

ID=${REGIONS_ID:-assay-$$}       # begins the names of the namespaces
WORK=$(mktemp -d)
MODE=netns
PARTIES="up eu us edge ceu cus" # ceu, cus: the clients of eu and us
pids=()

cleanup() {
  code=$?
  trap - EXIT
  set +e
  exec 2>/dev/null
  for pid in "${pids[@]}"; do kill "$pid"; done
  for pid in "${pids[@]}"; do wait "$pid"; done
  if [ "$MODE" = netns ]; then for p in hub $PARTIES; do ip netns del "$ID-$p"; done; fi
  if [ "$code" -ne 0 ]; then for log in "$WORK"/*.log; do echo "--- the end of ${log##*/}"; tail -n 12 "$log"; done; fi
  rm -rf "$WORK"
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say()  { echo; echo "$((++step)). $*"; }
step=0
fail() { echo "   FAILED: $*"; exit 1; }
# want TEXT COMMAND… runs a command, shows what it prints, and wants TEXT (a regular
# expression) in it.
want() {
  local text=$1 out; shift
  out=$("$@" 2>&1) || true
  grep -Eq -- "$text" <<<"$out" || fail "expected '$text' of: $* — found: $out"
  grep -E -- "$text" <<<"$out" | sed 's/^/   | /'
}
# await SECONDS WHAT COMMAND… waits until a command succeeds.
await() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >"$WORK/await.out" 2>&1; do
    [ $SECONDS -lt $end ] || fail "waited in vain: $what: $(cat "$WORK/await.out")"
    sleep 0.2
  done
  echo "   $what"
}

# --- The network. at PARTY COMMAND… runs a command where a party is.

namespaces() {
  ip netns add "$ID-hub" && ip -n "$ID-hub" link add bridge type bridge && ip -n "$ID-hub" link set bridge up || return
  local p
  for p in $PARTIES; do
    ip netns add "$ID-$p" && ip -n "$ID-$p" link add eth type veth peer name "to-$p" netns "$ID-hub" || return
    ip -n "$ID-hub" link set "to-$p" master bridge up && ip -n "$ID-$p" addr add "${ADDRESS[$p]}/16" dev eth || return
    ip -n "$ID-$p" link set lo up && ip -n "$ID-$p" link set eth up || return
  done
}
declare -A ADDRESS
number() { NET=$1; ADDRESS=([up]=$NET.0.1 [eu]=$NET.1.1 [us]=$NET.2.1 [edge]=$NET.3.1 [ceu]=$NET.1.9 [cus]=$NET.2.9); }

number 10.77
if [ "${REGIONS_MODE:-netns}" != netns ] || ! namespaces 2>"$WORK/namespaces.log"; then
  if [ "${REGIONS_MODE:-netns}" = netns ]; then
    for p in hub $PARTIES; do ip netns del "$ID-$p" 2>/dev/null || true; done
    echo "no network namespaces: $(tail -n 1 "$WORK/namespaces.log")"
  fi
  MODE=loopback
  number 127.77
fi
PORT=18077
at() { local party=$1; shift; if [ $MODE = netns ]; then ip netns exec "$ID-$party" "$@"; else "$@"; fi; }
url() { echo "http://${ADDRESS[$1]}:$PORT${2-/r/acme}"; }

# --- The publisher obeys lines: `release VERSION BYTES LIFE` publishes one, by a timestamp
# that is good for so long, and answers `VERSION SHA256-OF-ITS-ARTIFACT`.

order() { echo "$*" >&"${PUBLISHER[1]}"; read -r -t 20 REPLY <&"${PUBLISHER[0]}" || fail "the publisher is silent"; }
coproc PUBLISHER { if [ $MODE = netns ]; then exec ip netns exec "$ID-up" publisher "${ADDRESS[up]}:$PORT"; else exec publisher "${ADDRESS[up]}:$PORT"; fi 2>"$WORK/publisher.log"; }
pids+=($!)
read -r -t 20 ROOT <&"${PUBLISHER[0]}" || fail "the publisher does not start"

# --- Mirrors and clients, each with a configuration and folders of its own.

configure() { # NAME UPSTREAM
  cat >"$WORK/$1.toml" <<TOML
[repositories.acme]
url         = "$2"
root_sha256 = "$ROOT"
[transfer]
stall = "2s"
[mirror]
dir        = "$WORK/$1"
listen     = ["${ADDRESS[$1]}:$PORT"]
stop_grace = "1s"
[mirror.upstreams.acme]
every = "5s"
TOML
}
start() { # a mirror; "at" would be a process between
  if [ $MODE = netns ]; then ip netns exec "$ID-$1" assay mirror serve --config "$WORK/$1.toml" >>"$WORK/$1.log" 2>&1 &
  else assay mirror serve --config "$WORK/$1.toml" >>"$WORK/$1.log" 2>&1 &
  fi
  pids+=($!)
  eval "pid_$1=$!"
}
mirror() { local name=$1 verb=$2; shift 2; assay mirror "$verb" --config "$WORK/$name.toml" "$@"; }
readyz() { at "$1" bash -c 'exec 3<>"/dev/tcp/$0/$1"; printf "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" >&3; head -n 1 <&3' "${ADDRESS[$1]}" $PORT; }

client() { # NAME PARTY ARGUMENTS…: a client where a party is
  local name=$1 party=$2; shift 2
  at "$party" env ASSAY_CONFIG="$WORK/client-$name.toml" ASSAY_STATE_DIR="$WORK/client-$name/state" ASSAY_CACHE_DIR="$WORK/client-$name/cache" assay "$@"
}
regional() { # NAME LINE: one that knows both mirrors, and where it is
  cat >"$WORK/client-$1.toml" <<TOML
$2
[transfer]
bandwidth = "16 MiB"
stall     = "1s"
retries   = 0
[repositories.acme]
url         = "$(url up '')"
root_sha256 = "$ROOT"
mirrors     = [
  { url = "$(url eu)", region = "eu", cidrs = ["$NET.1.0/24"] },
  { url = "$(url us)", region = "us", cidrs = ["$NET.2.0/24"] },
]
TOML
}
only() { printf '[repositories.acme]\nurl = "%s"\nroot_sha256 = "%s"\n' "$(url "$2")" "$ROOT" >"$WORK/client-$1.toml"; } # NAME MIRROR
carries() { client "$1" "$2" versions hello | grep -qF "$3"; }
# gets NAME PARTY VERSION SHA256: a client gets a release, and its bytes are right.
gets() {
  client "$1" "$2" get "hello@$3" --platform linux/amd64 -o "$WORK/$1-$3" --quiet >"$WORK/get.log" 2>&1 || fail "$1 gets no $3: $(cat "$WORK/get.log")"
  [ "$(sha256sum <"$WORK/$1-$3" | cut -d' ' -f1)" = "$4" ] || fail "$1 got other bytes of $3"
  echo "   $1 has hello $3, byte for byte"
}

cut_off() {
  if [ $MODE = netns ]; then ip -n "$ID-hub" link set to-eu down; return; fi
  kill -9 "$pid_eu"; wait "$pid_eu" 2>/dev/null || true
}
stay_cut_off() { if [ $MODE = loopback ]; then cp "$WORK/eu.toml" "$WORK/eu.good"; configure eu "http://127.77.9.9:$PORT"; start eu; fi; }
bring_back() {
  if [ $MODE = netns ]; then ip -n "$ID-hub" link set to-eu up; return; fi
  mv "$WORK/eu.good" "$WORK/eu.toml"; kill -HUP "$pid_eu"
}

# --- The story.

echo "mode: $MODE"
say "Two regions and a mirror of a mirror start, in any order, and sync"
configure edge "$(url eu)"; configure eu "$(url up '')"; configure us "$(url up '')"
start edge; start us; start eu
for m in eu us edge; do await 20 "$m is ready" mirror $m status --ready; done
want '^acme +full +fresh' mirror edge status

say "Clients choose the mirror of their region"
regional eu 'region = "eu"'
if [ $MODE = netns ]; then regional us ''; near="this machine is in $NET.2.0/24"; else regional us 'region = "us"'; near="in the region us"; fi
want "^1 +$(url eu) " client eu ceu trust show acme --mirrors
want "^$(url eu): configured, in the region eu" client eu ceu trust show acme --mirrors --offline
want "^1 +$(url us) " client us cus trust show acme --mirrors
want "^$(url us): configured, $near" client us cus trust show acme --mirrors --offline

say "A release is published, and arrives through eu at the edge"
order release 2.0.0 50331648 22s
SUM=${REPLY#* }
only edge edge
for m in us eu edge; do want '^acme: done' mirror $m sync; done # each sooner than by its schedule
gets edge edge 2.0.0 "$SUM"

say "eu is cut off while a client of it is in the middle of a transfer"
begun() { [ "$(du -sk "$WORK/client-eu/cache" | cut -f1)" -gt 3000 ]; }
client eu ceu get hello@2.0.0 --platform linux/amd64 -o "$WORK/got" --quiet >"$WORK/client.log" 2>&1 &
transfer=$!
pids+=($transfer)
await 10 "bytes come from eu" begun
kill -0 $transfer || fail "the transfer was over before the cut"
cut_off
wait $transfer || fail "the client found no other way: $(cat "$WORK/client.log")"
[ "$(sha256sum <"$WORK/got" | cut -d' ' -f1)" = "$SUM" ] || fail "the client got other bytes"
echo "   the client has hello 2.0.0 all the same, byte for byte"
want "$(url eu) +eu .*(now|ago) " client eu ceu trust show acme --mirrors --offline

say "The world goes on without eu, whose mirror tells when it has nothing fresh any more"
stay_cut_off
order release 2.1.0 1048576 1h
SUM_NEXT=${REPLY#* }
await 20 "us carries hello 2.1.0" carries us cus 2.1.0
gets us cus 2.1.0 "$SUM_NEXT"
gets eu ceu 2.1.0 "$SUM_NEXT"
want "^$(url eu): last: it failed lately" client eu ceu trust show acme --mirrors --offline
want "^1 +$(url us) " client eu ceu trust show acme --mirrors --offline
red() { ! mirror eu status --ready; }
await 40 "eu is not ready any more" red
want '^acme +full +expired, not served' mirror eu status
want '^not ready: .*expired' mirror eu status
want ' 503 ' readyz eu
want ' 200 ' readyz us

say "eu is brought back: it and the edge behind it catch up by themselves"
bring_back
await 40 "eu is ready" mirror eu status --ready
want ' 200 ' readyz eu
only new-eu eu
await 20 "eu carries hello 2.1.0" carries new-eu eu 2.1.0
await 40 "the edge carries hello 2.1.0" carries edge edge 2.1.0
await 10 "the edge is ready" mirror edge status --ready

say "Nothing is torn"
for m in eu edge; do
  only "new-$m" $m
  gets "new-$m" $m 2.0.0 "$SUM"
  gets "new-$m" $m 2.1.0 "$SUM_NEXT"
  want '^acme: done' mirror $m sync
  want '^nothing is in quarantine' mirror $m quarantine list
done

echo; echo "done in ${SECONDS}s"
