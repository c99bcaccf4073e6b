#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# readme.sh LANGUAGE README PROGRAM: runs README's snippet of that language (python, js, sh) as it stands, against a mirror of a
# sandbox; only the port differs. It must get conversations. Skipped (77) where the language is not there.
set -euo pipefail
language=$1 readme=$2 program=$3
case $language in
  python) python3 -c 'import requests' 2>/dev/null || { echo "skipped: there is no Python with requests"; exit 77; } ;;
  js) node -e 'process.exit(typeof fetch === "function" ? 0 : 1)' 2>/dev/null || { echo "skipped: there is no node with fetch"; exit 77; } ;;
  sh) command -v curl >/dev/null || { echo "skipped: there is no curl"; exit 77; } ;;
esac

work=$(mktemp -d)
daemon=
trap 'kill $daemon 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; cat "$work/log" "$work/said" >&2 2>/dev/null || true; exit 1; }

env -i HOME="$work" PATH="$PATH" "$program" serve --sandbox --conversations 30 --proxy-listen 127.0.0.1:0 >"$work/log" 2>&1 &
daemon=$!
end=$((SECONDS + 60))
until grep -q 'listens on' "$work/log" && env -i HOME="$work" "$program" status --json 2>/dev/null | tr -d ' \n' | grep -q '"complete":true'; do
  kill -0 $daemon 2>/dev/null || fail "the daemon ended"
  [ $SECONDS -lt $end ] || fail "the mirror never was complete"
  sleep 0.1
done
address=$(sed -n 's/.* listens on \([^, ]*\).*/\1/p' "$work/log" | head -n 1)

snippet() {
  sed -n "/^## Connect an app/,/^## /p" "$readme" | sed -n "/^\`\`\`$language\( run\)*\$/,/^\`\`\`\$/p" | sed '/^```/d' | sed "s|127.0.0.1:8787|$address|g"
}
[ -n "$(snippet)" ] || fail "README has no snippet of $language"
case $language in
  python) { echo 'key = "sandbox"'; snippet; echo 'import json; print(json.dumps(page))'; } | python3 - ;;
  js) { echo 'const key = "sandbox"'; snippet; echo 'console.log(JSON.stringify(page))'; } >"$work/snippet.mjs"
      node "$work/snippet.mjs" ;;
  sh) snippet | env key=sandbox bash -eu ;;
esac >"$work/said" 2>>"$work/log" || fail "the snippet failed"
tr -d ' ' <"$work/said" | grep -q '"conversations":\[{' || fail "no conversations in what it got"
