#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compare_test.sh COMPARE: scripts/compare finds packages the same that are, and names in a line each what is not. Skipped (77) without dpkg-deb.
set -eu
compare=$1
command -v dpkg-deb >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$*"; cat said; exit 1; }
export SOURCE_DATE_EPOCH=1769851800
for place in one two; do
  mkdir -p $place/files/DEBIAN $place/files/usr/share
  printf 'Package: alli-mirror\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@alli-mirror.invalid>\nDescription: made by a test\n' >$place/files/DEBIAN/control
  printf 'the same' >$place/files/usr/share/same
  printf 'the same' >$place/files/usr/share/other
  printf 'the same' >$place/files/usr/share/mode
  cp /bin/true $place/files/usr/share/program
  find $place/files -exec touch -d @1769851800 {} +
  dpkg-deb --root-owner-group -b $place/files $place/alli-mirror_1_all.deb >/dev/null
done
$compare one two >said 2>&1 || fail "the same packages are not found to be the same"
grep -q '^1 packages are the same, byte for byte$' said || fail "it does not say that they are the same"

printf 'another.' >two/files/usr/share/other
chmod 600 two/files/usr/share/mode
cp one/alli-mirror_1_all.deb one/alli-mirror-more_1_all.deb
# a byte of the program's code
offset=$(readelf -SW two/files/usr/share/program | sed -n 's/.* \.text *PROGBITS *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')
printf '\314' | dd of=two/files/usr/share/program bs=1 seek=$((0x$offset)) conv=notrunc status=none
find two/files -exec touch -d @1769851800 {} +
dpkg-deb --root-owner-group -b two/files two/alli-mirror_1_all.deb >/dev/null
if $compare one two >said 2>&1; then fail "differences are not a failure"; fi
for words in 'alli-mirror-more_1_all.deb is in one of the folders alone' 'usr/share/other differs: from byte 0 on' \
  'usr/share/mode differs: its mode is 0o644 and 0o600' 'usr/share/program differs: its sections .text'; do
  grep -q -- "$words\$" said || fail "it does not say: $words"
done
! grep -q 'usr/share/same' said || fail "it names what is the same"
