#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# system.sh BUILD [drill]: the system's units as Debian's package installs them, on a Debian that is booted in a container; or the bad
# nights of tests/scenario/drill.sh there. Needs root, debootstrap, systemd-nspawn and, once for each set of dependencies, Debian's
# mirror; says how long each step took: some 3 minutes, and 2 to 5 more where BUILD/systemd-base has to be made. By scripts/test --long.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath "$1")
base=$build/systemd-base
for tool in debootstrap systemd-nspawn dpkg-deb; do
  command -v $tool >/dev/null || { echo "FAILED: there is no $tool; scripts/prepare --long installs it" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "FAILED: a container needs root" >&2; exit 1; }

echo "==> the package"
rm -f "$build"/alli-mirror_*.deb
cmake --build "$build" --target deb >"$build/systemd-package.log" 2>&1 || { cat "$build/systemd-package.log"; exit 1; }
deb=$(echo "$build"/alli-mirror_*.deb)
depends="$(dpkg-deb -f "$deb" Depends), curl"

if [ "$(cat "$base.made" 2>/dev/null)" != "$depends" ]; then
  echo "==> a Debian with what the package depends on, from ${ALLI_DEBIAN_MIRROR:-the mirror of debootstrap}"
  rm -rf "$base" "$base.made"
  began=$SECONDS
  {
    debootstrap --variant=minbase --include=systemd,systemd-sysv,curl bookworm "$base" ${ALLI_DEBIAN_MIRROR:+"$ALLI_DEBIAN_MIRROR"} &&
      cp "$deb" "$base/package.deb" && chroot "$base" apt-get install -y -q --no-install-recommends /package.deb &&
      chroot "$base" dpkg --purge alli-mirror && rm "$base/package.deb" "$base/etc/machine-id" && touch "$base/etc/machine-id"
  } >"$build/systemd-base.log" 2>&1 || { tail -n 20 "$build/systemd-base.log"; echo "FAILED: no Debian, see above" >&2; exit 1; }
  echo "$depends" >"$base.made"
  echo "made in $((SECONDS - began)) s"
fi

echo "==> booting it"
case ${2:-} in
  drill) exec "$here/run.sh" systemd.drill drill.py "$base" "$deb" ;;
  *) exec "$here/run.sh" systemd.system system.py "$base" "$deb" "$build/alli-mirror" ;;
esac
