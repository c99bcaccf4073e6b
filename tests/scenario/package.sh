#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# package.sh BUILD | FILE.deb: makes Debian's package in that build folder, or takes one, and lives through a machine's life
# with it in a folder of its own (dpkg --root): installed without a key, started as its unit says, mirrors a sandbox, killed,
# started again, upgraded, removed, purged, installed with a key. The units' sandboxing is checked by lint.unit_is_hardened.
set -euo pipefail
for need in dpkg-deb dpkg-shlibdeps deb-systemd-helper curl; do
  command -v $need >/dev/null || { echo "skipped: there is no $need"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: dpkg --root needs root"; exit 77; }

work=$(mktemp -d)
root=$work/root state=$work/root/var/lib/private/alli-mirror run=$work/run
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} "$run" "$work/credentials"
touch "$root/var/lib/dpkg/status"
wants=$root/etc/systemd/system service_link=$wants/multi-user.target.wants/alli-mirror.service
socket_link=$wants/sockets.target.wants/alli-mirror.socket
daemon='' sandbox=''
trap 'kill $daemon $sandbox 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT

step() { echo "==> $*"; }
fail() { echo "FAILED: $*" >&2; tail -n 40 "$work"/*.log >&2 || true; exit 1; }
package() {
  dpkg --root="$root" --force-script-chrootless --force-depends --log=/dev/null "$@" >"$work/dpkg.log" 2>&1 ||
    fail "dpkg $*"
}
there() { [ -s "$root/$1" ] || fail "there is no /$1"; }
gone() { [ ! -e "$1" ] && [ ! -L "$1" ] || fail "$1 is still there"; }
eventually() { # tries a command again, for at most 60 s
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "never came true: $*"
    kill -0 "$daemon" 2>/dev/null || fail "the daemon ended"
    sleep 0.1
  done
}

# Runs the unit's own ExecStart line, with what the service manager would hand over.
serve() {
  local line
  line=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/alli-mirror.service")
  [ -n "$line" ] || fail "the unit has no ExecStart line"
  mkdir -p -m 0700 "$state"
  # shellcheck disable=SC2086 # the line is words
  env -i STATE_DIRECTORY="$state" RUNTIME_DIRECTORY="$run" CREDENTIALS_DIRECTORY="$work/credentials" \
    ALLI_MIRROR_CONFIG="$root/etc/alli-mirror/config.toml" ALLI_MIRROR_UPSTREAM_URL="$upstream" \
    ALLI_MIRROR_PROXY_LISTEN="unix:$run/proxy.sock" $root$line 2>>"$work/serve.log" &
  daemon=$!
}
ask() { curl -fsS --unix-socket "$run/proxy.sock" -H 'API-KEY: sandbox' "http://localhost$1"; }
complete() { ask /mirror/v1/status | tr -d ' \n' | grep -q '"complete":true'; }
answers() { ask '/webapi/v2/conversations?pageSize=5' | grep -q '"id"'; }
stop() { # stop SIGNAL EXIT_CODE
  local code=0
  kill "-$1" "$daemon"
  wait "$daemon" || code=$?
  [ "$code" = "$2" ] || fail "after SIG$1 it ended with $code"
}

deb=$(realpath "$1") made=
if [ -d "$deb" ]; then
  step "making the package"
  rm -f "$deb"/alli-mirror_*.deb "$deb"/alli-mirror-dbgsym_*.ddeb
  cmake --build "$deb" --target deb >"$work/build.log" 2>&1 || fail "it cannot be made"
  deb=$(echo "$deb"/alli-mirror_*.deb) made=yes
fi
if command -v lintian >/dev/null; then
  lintian --fail-on error "$deb" >"$work/lintian.log" 2>&1 || fail "lintian found errors"
fi
symbols=${deb%/*}/alli-mirror-dbgsym_$(basename "$deb" | cut -d_ -f2-)
symbols=${symbols%.deb}.ddeb
if [ -n "$made" ]; then
  ! dpkg-deb -I "$symbols" md5sums | grep -v '^[0-9a-f]\{32\}  usr/lib/debug/' || fail "the sums of the debug information are of other files"
  dpkg-deb -c "$symbols" | grep -q 'usr/lib/debug/.build-id/.*\.debug' || fail "the debug information has no package of its own"
fi
dpkg-deb --fsys-tarfile "$deb" | tar -xO ./usr/bin/alli-mirror >"$work/program"
chmod +x "$work/program"
! readelf -S "$work/program" | grep -q debug_info || fail "the program is not stripped"
"${BASH_SOURCE[0]%/*}/../lint/hardened.sh" "$work/program" >"$work/hardened.log" || fail "it is not protected as it should be"
version=$(dpkg-deb -f "$deb" Version)
[ "${version%+*}" = "$("$work/program" --version | sed -n '1s/.* //p' | tr - '~')" ] || fail "the package is of $version, the program of another"
dpkg --compare-versions "$version" le "${version%%~*}" || fail "$version would be newer than its release"
dpkg-deb -f "$deb" Depends | grep -q libsqlite3-0 || fail "the libraries that it needs are not named"

step "installing without a key"
package --install "$deb"
grep -q 'not started' "$work/dpkg.log" || fail "it does not say that it was not started, and what comes next"
[ "$(stat -c %a "$root/etc/alli-mirror/config.toml")" = 644 ] || fail "the settings file is not 0644"
for link in "$service_link" "$socket_link"; do gone "$link"; done
for file in usr/bin/alli-mirror usr/share/man/man1/alli-mirror.1.gz usr/share/man/man5/alli-mirror.toml.5.gz \
  usr/share/bash-completion/completions/alli-mirror.bash usr/lib/systemd/user/alli-mirror.service \
  usr/lib/systemd/system/alli-mirror@.service usr/lib/systemd/system/alli-mirror.socket \
  usr/lib/systemd/system/alli-mirror@.socket usr/lib/systemd/user/alli-mirror.socket; do
  there $file
done
documents=$root/usr/share/doc/alli-mirror
for document in "$documents"/*.md "$documents"/decisions/*.md; do
  while read -r link; do
    [ -e "$(dirname "$document")/$link" ] || fail "$(basename "$document") links to $link, which is not in the package"
  done < <(grep -oE '\]\([^)#: ]+[)#]' "$document" | sed 's/^](//; s/[)#]$//')
done
for command in $("$root/usr/bin/alli-mirror" --help | sed -n '/^Subcommands/,$s/^  \([a-z]*\) .*/\1/p'); do
  gzip -dc "$root/usr/share/man/man1/alli-mirror.1.gz" | grep -q "^\.SS .*$command" || fail "the page of man has no $command"
done
"$root/usr/bin/alli-mirror" --config "$root/etc/alli-mirror/config.toml" config check >"$work/check.log" 2>&1 ||
  fail "the settings file that is shipped is wrong"

step "mirroring a sandbox"
"$root/usr/bin/alli-mirror" sandbox --conversations 50 --listen 127.0.0.1:0 >"$work/sandbox.out" 2>"$work/sandbox.log" &
sandbox=$! daemon=$!
eventually grep -q '^http' "$work/sandbox.out"
upstream=$(head -n 1 "$work/sandbox.out")
(umask 077 && echo sandbox >"$work/credentials/alli-api-key")
serve
eventually complete
answers || fail "no conversations"

step "killed, and started again"
stop KILL 137
serve
eventually complete
stop TERM 0

step "upgrading, with settings changed by hand"
echo '# changed by hand' >>"$root/etc/alli-mirror/config.toml"
dpkg-deb -R "$deb" "$work/next"
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
dpkg-deb -Znone -b "$work/next" "$work/next.deb" >/dev/null
package --install "$work/next.deb"
! grep -q 'not started' "$work/dpkg.log" || fail "an upgrade speaks as an installation does"
grep -q 'changed by hand' "$root/etc/alli-mirror/config.toml" || fail "the upgrade lost settings"
kill "$sandbox" && wait "$sandbox" || true
serve
eventually answers # from the mirror: upstream is away
stop TERM 0

step "removing"
package --remove alli-mirror
gone "$root/usr/bin/alli-mirror"
for kept in "$state/mirror.db" "$state/outbox.db" "$root/etc/alli-mirror/config.toml"; do
  [ -s "$kept" ] || fail "removal took $kept, which is for a purge"
done

step "purging"
mkdir -p "$root/var/lib/private/alli-mirror@two" "$root/var/lib/private/another"
ln -s private/alli-mirror "$root/var/lib/alli-mirror"
package --purge alli-mirror
for place in "$state" "$root/var/lib/private/alli-mirror@two" "$root/var/lib/alli-mirror" "$root/etc/alli-mirror"; do
  gone "$place"
done
[ -d "$root/var/lib/private/another" ] || fail "the purge took what is not ours"

step "installing with a key"
mkdir -p "$root/etc/alli-mirror"
(umask 077 && echo sandbox >"$root/etc/alli-mirror/api-key")
package --install "$deb"
for link in "$service_link" "$socket_link"; do [ -L "$link" ] || fail "there is no $link"; done

step "upgrading from a version that did not enable the socket"
forget_socket() { rm -f "$socket_link" "$root"/var/lib/systemd/deb-systemd-helper-enabled/alli-mirror.socket.dsh-also \
  "$root"/var/lib/systemd/deb-systemd-helper-enabled/sockets.target.wants/alli-mirror.socket; }
forget_socket
settings=$root/etc/alli-mirror/config.toml
sed -i 's/^# \(listen = \).*/\1["127.0.0.1:9000"]/' "$settings"
package --install "$work/next.deb"
gone "$socket_link"
grep -q 'listens by itself' "$work/dpkg.log" || fail "it does not say that the addresses of the settings stay"
sed -i 's/^listen = /# &/' "$settings"
package --install "$work/next.deb"
[ -L "$socket_link" ] || fail "the upgrade did not enable the socket"
rm "$socket_link"
package --install "$work/next.deb"
gone "$socket_link" # somebody disabled it

package --purge alli-mirror
for link in "$service_link" "$socket_link"; do gone "$link"; done
gone "$root/etc/alli-mirror"
echo "the package is good"
