#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# group.sh PROGRAM: the service's own people. A daemon runs as the service's user, its files are closed to others; a member of its
# group reads by the socket what root reads from the files, word for word, and is told in one sentence what is not for him; a
# stranger reads nothing. In directories of its own where the units have theirs. Skipped (77) without root.
set -euo pipefail
program=$(realpath "$1")
[ "$(id -u)" = 0 ] || { echo "skipped: only root can be several users"; exit 77; }
if [ -z "${INSIDE:-}" ]; then
  unshare --mount true || { echo "skipped: mounts are forbidden here"; exit 77; }
  INSIDE=1 exec unshare --mount "${BASH_SOURCE[0]}" "$program"
fi
service=64001 member=64002 stranger=64003

work=$(mktemp -d) sandbox='' daemon=''
trap 'kill -9 $daemon $sandbox 2>/dev/null || true; wait 2>/dev/null || true; umount -l "$work" 2>/dev/null || true; rm -rf "$work"' EXIT
mount -t tmpfs -o mode=0755 none "$work"
fail() { echo "FAILED: $*" >&2; tail -n 15 "$work"/*.log >&2 || true; exit 1; }
mkdir "$work/etc" "$work/lib" "$work/run" "$work/settings" "$work/home"
install -m 0755 "$program" "$work/alli-mirror" # the tree may be closed to others
program=$work/alli-mirror
cp /etc/group "$work/etc/group"
sed -i '/^alli-mirror:/d' "$work/etc/group"
echo "alli-mirror:x:$service:" >>"$work/etc/group"
mount --bind "$work/etc/group" /etc/group
mount --bind "$work/lib" /var/lib
mount --bind "$work/run" /run
mkdir -p /etc/alli-mirror 2>/dev/null || true
mount --bind "$work/settings" /etc/alli-mirror
install -d -o $service -g $service -m 0700 /var/lib/alli-mirror
install -d -o $service -g $service -m 0750 /run/alli-mirror

: >"$work/sandbox.out"
"$program" sandbox --conversations 130 --seed 5 --listen 127.0.0.1:0 >"$work/sandbox.out" 2>"$work/sandbox.log" &
sandbox=$!
until grep -q '^http' "$work/sandbox.out"; do kill -0 $sandbox || fail "no sandbox"; sleep 0.05; done
printf '[upstream]\nurl = "%s"\nrequests_per_second = 0\n[sync]\ninterval = "1h"\n[proxy]\nlisten = ["127.0.0.1:0", "unix:/run/alli-mirror/proxy.sock"]\n' \
  "$(head -n 1 "$work/sandbox.out")" >/etc/alli-mirror/config.toml
chmod 0644 /etc/alli-mirror/config.toml
as() { # as USER GROUPS COMMAND...
  local user=$1 groups=$2
  shift 2
  ${in_place:-} setpriv --reuid "$user" --regid "$user" --groups "$groups" env -i PATH=/usr/bin:/bin HOME="$work/home" LANG=C.UTF-8 "$@"
}
serve() {
  in_place=exec as $service $service ALLI_API_KEY=sandbox STATE_DIRECTORY=/var/lib/alli-mirror RUNTIME_DIRECTORY=/run/alli-mirror \
    ALLI_MIRROR_CONFIG=/etc/alli-mirror/config.toml "$program" serve 2>"$work/serve.log" & # its process is the daemon's
  daemon=$!
}
serve
root() { as 0 0 "$program" "$@"; }
his() { as $member $service "$program" "$@"; }
end=$((SECONDS + 60))
until his status 2>&1 | grep -q 'complete from the beginning'; do
  kill -0 $daemon 2>/dev/null || fail "the daemon ended"
  [ $SECONDS -lt $end ] || fail "a member never saw it complete"
  sleep 0.1
done

word=$(root list --json | grep -o '"title":"[A-Za-z]\{5,\}' | head -n 1 | cut -d'"' -f4)
id=$(root list --limit 1 --json | grep -o '"id":"[^"]*' | head -n 1 | cut -d'"' -f4)
since=$(root list --limit 90 --json | grep -o '"lastChatTime":"[^"]*' | tail -n 1 | cut -d'"' -f4)
[ -n "$word" ] && [ -n "$id" ] && [ -n "$since" ] || fail "no conversation to look for"
same() { # same COMMAND...: a member is told what root is
  root "$@" >"$work/root.out" 2>"$work/root.err" || fail "root: $*"
  his "$@" >"$work/his.out" 2>"$work/his.err" || { cat "$work/his.err"; fail "a member: $*"; }
  [ -s "$work/root.out" ] || fail "nothing to compare: $*"
  diff "$work/root.out" "$work/his.out" || fail "a member is told something else: $*"
  count=$((count + 1))
}
count=0
same search "$word"
same search "$word" --json --context 2
same search "$word" --group --sort relevance
same search "$word" --sender USER --after 2000-01-01 --limit 1000
same list --limit 40
same list --limit 120 # more than a page of the API has
same list --rating good --json
same show "$id"
same show "$id" --format markdown
same show "$id" --json
same report
same report --by app --json
same export --format jsonl
same export --format csv --bom
same export "$word" --format markdown --mask
his export --format csv --output "$work/home/../none/x.csv" 2>/dev/null && fail "it wrote where nothing can be"
chmod 0777 "$work/home"
his export --format csv --output "$work/home/all.csv" 2>"$work/his.err" || fail "an export into a file"
root export --format csv --bom | cmp - "$work/home/all.csv" || fail "the file holds something else"
says() { # says WORDS COMMAND...
  local words=$1
  shift
  his "$@" >"$work/his.out" 2>&1 </dev/null || true
  grep -q "$words" "$work/his.out" || { cat "$work/his.out"; fail "a member is not told \"$words\": $*"; }
}
says 'the mirror holds no conversation nobody' show nobody
says '^== alli-mirror ' search "$word" --all-projects
refused() { # refused WORDS COMMAND...
  local words=$1
  shift
  if his "$@" >"$work/his.out" 2>&1 </dev/null; then fail "a member may: $*"; fi
  grep -q "$words" "$work/his.out" && grep -q 'sudo alli-mirror' "$work/his.out" || { cat "$work/his.out"; fail "it does not say what to do: $*"; }
}
if his backup --keep 1 >"$work/his.out" 2>&1; then fail "a member may remove backups"; fi
grep -q 'needs the scope admin' "$work/his.out" || { cat "$work/his.out"; fail "a member is not told why he may remove no backups"; }
his backup >"$work/his.out" 2>&1 || { cat "$work/his.out"; fail "a member may make no backup"; }
refused "query reads the mirror's files" query 'SELECT count(*) FROM v_chat'
refused "mcp reads the mirror's files" mcp
refused "export --format sqlite reads" export --format sqlite --output "$work/home/x.sqlite"
refused "export --since-last reads" export --since-last --output "$work/home/x.jsonl"
for words in "search $word" list "show $id" report export; do
  # shellcheck disable=SC2086 # words
  if as $stranger $stranger "$program" --service alli-mirror $words >"$work/his.out" 2>&1; then fail "a stranger may: $words"; fi
  ! grep -q -- "$id" "$work/his.out" || [ "${words#show}" != "$words" ] || fail "a stranger reads: $words"
done
kill $daemon
wait $daemon || fail "the daemon did not end well"
daemon=''
if his list >"$work/his.out" 2>&1; then fail "without a daemon a member reads"; fi
# Of a mirror that holds a part, with upstream away.
find /var/lib/alli-mirror -mindepth 1 -delete
sed -i "s/^\[sync\]/&\nbackfill_since = \"$since\"/" /etc/alli-mirror/config.toml
serve
end=$((SECONDS + 60))
until his status 2>&1 | grep -q 'complete from 2'; do
  kill -0 $daemon 2>/dev/null || fail "the daemon ended: a part"
  [ $SECONDS -lt $end ] || fail "a member never saw a part"
  sleep 0.1
done
kill $sandbox
wait $sandbox || true
sandbox=''
same list --limit 120
kill $daemon
wait $daemon || fail "the daemon did not end well"
daemon=''
echo "$count commands say the same to a member of the group"
