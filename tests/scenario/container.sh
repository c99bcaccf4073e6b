#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# container.sh BUILD | FILE.deb: builds package/Containerfile over a Debian 12 made by debootstrap, and lives through a container's
# life with docs/deploy.md's options: no key, health, a search, a stop and a start over one volume, a second one beside it. Needs
# root, podman and, where BUILD/container-base.tar has to be made, Debian's mirror. By scripts/test --long.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for need in podman runc debootstrap dpkg-deb curl; do
  command -v $need >/dev/null || { echo "FAILED: there is no $need; scripts/prepare --long installs it" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "FAILED: debootstrap needs root" >&2; exit 1; }

work=$(mktemp -d) sandbox=''
# A store of its own, so that no image or container of this machine is touched; vfs works on every file system.
# runc also where the machine has both versions of cgroups.
pod() { podman --root "$work/store" --runroot "$work/run" --storage-driver vfs --cgroup-manager cgroupfs --runtime runc "$@"; }
finish() {
  pod rm --force --all --time 0 >/dev/null 2>&1 || true
  kill $sandbox 2>/dev/null || true
  wait || true
  rm -rf "$work"
}
trap finish EXIT
step() { echo "==> $*"; }
fail() {
  echo "FAILED: $*" >&2
  tail -n 40 "$work"/*.log >&2 || true
  pod logs mirror 2>&1 | tail -n 20 >&2 || true
  exit 1
}
eventually() { # tries a command again, for at most 60 s
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "never came true: $*"
    sleep 0.2
  done
}

deb=$(realpath "$1") build=$(realpath "$1")
if [ -d "$deb" ]; then
  step "making the package"
  rm -f "$build"/alli-mirror_*.deb
  cmake --build "$build" --target deb >"$work/build.log" 2>&1 || fail "it cannot be made"
  deb=$(echo "$build"/alli-mirror_*.deb)
else
  build=$(dirname "$deb")
fi
mkdir "$work/context"
cp "$deb" "$work/context"

base=$build/container-base.tar
if [ ! -s "$base" ]; then
  step "a Debian 12, from ${ALLI_DEBIAN_MIRROR:-the mirror of debootstrap}"
  debootstrap --variant=minbase bookworm "$work/debian" ${ALLI_DEBIAN_MIRROR:+"$ALLI_DEBIAN_MIRROR"} >"$work/debian.log" 2>&1 ||
    fail "no Debian"
  tar -C "$work/debian" -cf "$base.new" . && mv "$base.new" "$base"
fi
step "building the image"
pod import -q "$base" localhost/debian:12-slim >"$work/import.log" 2>&1 || fail "the base is no image"
pod build --from localhost/debian:12-slim --isolation chroot --layers=false --format docker -t alli-mirror -f package/Containerfile \
  "$work/context" >"$work/image.log" 2>&1 || fail "it does not build"

step "mirroring a sandbox"
dpkg-deb -x "$deb" "$work/program"
"$work/program/usr/bin/alli-mirror" sandbox --conversations 50 --listen 127.0.0.1:0 >"$work/sandbox.out" 2>"$work/sandbox.log" &
sandbox=$!
eventually grep -q '^http' "$work/sandbox.out"
upstream=$(head -n 1 "$work/sandbox.out")
# As docs/deploy.md has it, on a port that the system chooses, and with limits that a machine may set which cannot raise its own.
run() { # run NAME [OPTION...]
  local name=$1
  shift
  pod run -d --name "$name" --network host --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 \
    --read-only --cap-drop=all --security-opt=no-new-privileges \
    -v "$work/volume:/var/lib/alli-mirror" -e ALLI_MIRROR_UPSTREAM_URL="$upstream" \
    -e ALLI_MIRROR_PROXY_LISTEN=127.0.0.1:0,unix:/var/lib/alli-mirror/proxy.sock "$@" alli-mirror >>"$work/run.log" 2>&1
}
in_it() { pod exec mirror "$@"; }
complete() { in_it alli-mirror status --json | tr -d ' \n' | grep -q '"complete":true'; }
install -d -m 0700 -o 8787 -g 8787 "$work/volume"
printf sandbox >"$work/key"
chown 8787 "$work/key" && chmod 0400 "$work/key"

run keyless || fail "a container without a key is not even begun"
[ "$(pod wait keyless)" != 0 ] || fail "without a key it ends as if all were well"
pod logs keyless 2>&1 | grep -q "/run/secrets/alli-api-key" || fail "without a key it does not say where one is looked for"

run mirror -v "$work/key:/run/secrets/alli-api-key:ro" || fail "it does not start"
eventually complete
[ "$(in_it id -u)" = 8787 ] || fail "it runs as root"
if in_it touch /etc/written >/dev/null 2>&1; then fail "its root file system can be written"; fi
pod healthcheck run mirror >"$work/health.log" 2>&1 || fail "it is not healthy"
in_it alli-mirror list --limit 5 >"$work/list.log" 2>&1 || fail "no conversations"

step "stopped, and started again without upstream"
pod stop --time 20 mirror >/dev/null
[ "$(pod inspect --format '{{.State.ExitCode}}' mirror)" = 0 ] || fail "a stop is no clean end"
kill "$sandbox" && wait "$sandbox" || true
sandbox=''
pod start mirror >/dev/null
eventually in_it alli-mirror status
in_it alli-mirror list --limit 5 | diff - "$work/list.log" >/dev/null || fail "the volume did not keep the conversations"

step "a second one over the same volume"
run second -v "$work/key:/run/secrets/alli-api-key:ro" || fail "the second one is not even begun"
[ "$(pod wait second)" != 0 ] || fail "two daemons have one mirror"
pod logs second 2>&1 | grep -q "is in use by process" || fail "it does not say that the mirror is in use"
in_it alli-mirror status >/dev/null || fail "the first one suffered from the second"
echo "all well: $(pod image inspect --format '{{.Size}}' alli-mirror | awk '{printf "%.0f", $1 / 1e6}') MB, base $(stat -c %s "$base" | awk '{printf "%.0f", $1 / 1e6}') MB"
