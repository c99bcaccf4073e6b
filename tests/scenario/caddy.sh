#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# caddy.sh PROGRAM SOURCE: Caddy in front, by the recipe of docs/deploy.md itself; its port, and who signs its certificate, alone differ.
# By the public name: a program with a token reads, writes and follows the change feed, a stranger gets the door, a page of another origin
# nothing. Skipped (77) where there is no caddy (tests/support/tools.sh fetches it).
set -euo pipefail
program=$(realpath "$1") source=$2
command -v caddy >/dev/null || { echo "skipped: there is no caddy"; exit 77; }
name=mirror.example.com
work=$(mktemp -d) daemon='' caddy=''
trap 'kill $caddy $daemon 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; tail -n 20 "$work"/*.log >&2 || true; exit 1; }
eventually() { # tries a command again, for at most 60 s
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "never came true: $*"
    kill -0 $daemon $caddy || fail "something ended"
    sleep 0.1
  done
}

section() { sed -n '/^## Behind nginx or Caddy/,/^## /p' "$source/docs/deploy.md"; }
section | sed -n '/^```toml$/,/^```$/p' | sed '/^```/d' >"$work/config.toml"
chmod 600 "$work/config.toml"
grep -q "\"$name:443\"" "$work/config.toml" || fail "the settings of the recipe do not name $name"
mirror() {
  ${in_place:-} env -i HOME="$work" PATH="$PATH" ALLI_MIRROR_CONFIG="$work/config.toml" ALLI_MIRROR_PROXY_LISTEN="127.0.0.1:0,unix:$work/proxy.sock" "$program" "$@"
}
in_place=exec mirror serve --sandbox --conversations 30 >"$work/serve.log" 2>&1 & # its process is the daemon's
daemon=$!
eventually grep -q 'listens on' "$work/serve.log"
address=$(sed -n 's/.* listens on \([^, ]*\).*/\1/p' "$work/serve.log" | head -n 1)

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
recipe=$(section | sed -n "/^$name {\$/,/^}\$/p")
[[ $recipe == *"reverse_proxy 127.0.0.1:8787 {"* ]] || fail "the recipe has no reverse_proxy 127.0.0.1:8787"
{
  printf '{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system %s/caddy\n}\n' "$work"
  sed "1s|.*|https://$name:$port {\n\ttls internal\n\tbind 127.0.0.1|; s|127.0.0.1:8787|$address|" <<<"$recipe"
} >"$work/Caddyfile"
env -i HOME="$work" PATH="$PATH" caddy run --adapter caddyfile --config "$work/Caddyfile" >"$work/caddy.log" 2>&1 &
caddy=$!

ask() { # ask PATH [OPTION...]: as a program on another computer
  local path=$1
  shift
  curl -sS --max-time 20 --cacert "$work/caddy/pki/authorities/local/root.crt" --resolve "$name:$port:127.0.0.1" -H "Host: $name" \
    "$@" "https://$name:$port$path"
}
status() { ask "$@" -o /dev/null -w '%{http_code}'; }
eventually ask /healthz -f
token=$(mirror token new reports --scope write | tail -n 1)
mine="API-KEY: $token"
listed() { ask '/webapi/v2/conversations?pageSize=1' -H "$mine" -i; }
is_complete() { mirror status | grep -q 'complete from the beginning'; }
eventually is_complete
listed >"$work/listed"
tr -d '\r' <"$work/listed" | grep -qi '^cache-status: alli-mirror; hit' || fail "no read from the mirror: $(cat "$work/listed")"
id=$(grep -o '"id":"Q29udm[^"]*' "$work/listed" | head -n 1 | cut -d'"' -f4 | sed 's/+/%2B/g; s,/,%2F,g')
title="/webapi/v2/conversations/$id/title"
write() { status "$title" -X PUT -H "$mine" -H 'Content-Type: application/json' -d '{"title":"by Caddy"}' "$@"; }
[[ "$(write)" =~ ^20[02]$ ]] || fail "no write: $(write)"
[[ "$(write -H "Origin: https://$name")" =~ ^20[02]$ ]] || fail "no write of the page's own: $(write -H "Origin: https://$name")"
[ "$(write -H 'Origin: https://elsewhere.example')" = 403 ] || fail "a page of another origin may write"
[ "$(status /webapi/v2/conversations)" = 401 ] || fail "a stranger reads"
[ "$(status '/webapi/v2/conversations' -H 'API-KEY: wrong')" = 401 ] || fail "a wrong key reads"
ask / >"$work/door"
grep -qi '<html' "$work/door" || fail "no door for a browser"
[ "$(status / -H "Host: elsewhere.example")" != 200 ] || fail "any name will do"
# The feed comes as it is said, not when a buffer is full.
ask '/mirror/v1/changes?since=0' -H "$mine" -H 'Accept: text/event-stream' -N --max-time 5 >"$work/feed" 2>/dev/null || true
grep -q '^data: {"seq":' "$work/feed" || fail "the feed does not stream"
echo "by $(caddy version | cut -d' ' -f1) all is as by 127.0.0.1"
