#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# debian13.sh BUILD: the package of the commit that is checked out, for Debian 13: built there, in a system made by debootstrap, with what
# scripts/packages.txt names; lives through tests/scenario/package.sh there; and Debian 12's, made in BUILD, does not install there.
# Leaves it and its bill of materials in BUILD/debian13-packages. Needs root and, where BUILD/debian13 has to be made, Debian's mirror; a
# quarter of an hour. By scripts/test --long.
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for need in debootstrap git dpkg-deb; do command -v $need >/dev/null || { echo "FAILED: there is no $need; scripts/prepare installs it" >&2; exit 1; }; done
[ "$(id -u)" = 0 ] || { echo "FAILED: debootstrap needs root" >&2; exit 1; }
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --mount --pid --fork --kill-child "${BASH_SOURCE[0]}" "$build"; fi # nothing outlives it

root=$build/debian13 out=$build/debian13-packages began=$SECONDS
step() { echo "==> $* ($((SECONDS - began)) s)"; }
fail() { echo "FAILED: $*" >&2; tail -n 30 "$build/debian13.log" >&2 || true; exit 1; }
: >"$build/debian13.log"
there() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC DEBIAN_FRONTEND=noninteractive "${given[@]}" chroot "$root" "$@" >>"$build/debian13.log" 2>&1; }
given=()

needs=$(sha256sum scripts/packages.txt | cut -d' ' -f1)
if [ "$(cat "$root.made" 2>/dev/null)" != "$needs" ]; then
  step "a Debian 13, from ${ALLI_DEBIAN_MIRROR:-the mirror of debootstrap}"
  rm -rf "$root" "$root.made"
  debootstrap --variant=minbase trixie "$root" ${ALLI_DEBIAN_MIRROR:+"$ALLI_DEBIAN_MIRROR"} >>"$build/debian13.log" 2>&1 || fail "no Debian 13"
fi
mount -t proc none "$root/proc"
mount --rbind /dev "$root/dev"
rm -rf "$root/source" "$root/work"
mkdir "$root/source" "$root/work"
git archive HEAD | tar -xC "$root/source"
step "what the program is built from"
there /source/scripts/prepare --build || fail "what scripts/packages.txt names is not there"
there apt-get install -y -q --no-install-recommends curl init-system-helpers python3 || fail "what a package is tried with is not there"
echo "$needs" >"$root.made"

step "the package"
given=(SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" ALLI_COMMIT="$(git rev-parse --short=12 HEAD)")
there sh -c 'cd /source && cmake --preset release -B /work/build -DALLI_TESTS=OFF && cmake --build /work/build --target deb' || fail "it does not build"
step "a machine's life with it"
there sh -c '/source/tests/scenario/package.sh /work/build/alli-mirror_*.deb' || fail "it is not good there"
there sh -c '/source/scripts/sbom /work/build/alli-mirror >/work/alli-mirror.cdx.json' || fail "no bill of materials"

step "Debian 12's there"
rm -f "$build"/alli-mirror_*.deb
cmake --build "$build" --target deb >>"$build/debian13.log" 2>&1 || fail "Debian 12's cannot be made"
cp "$build"/alli-mirror_*.deb "$root/work/other.deb"
! there apt-get install -s /work/other.deb || fail "Debian 12's package installs on Debian 13"
there apt-get install -s "/work/build/$(basename "$root"/work/build/alli-mirror_*.deb)" || fail "its own package does not install on Debian 13"

rm -rf "$out"
mkdir "$out"
cp "$root"/work/build/alli-mirror_*.deb "$root"/work/build/alli-mirror-dbgsym_*.ddeb "$root/work/alli-mirror.cdx.json" "$out"
step "done"
ls -l "$out"
