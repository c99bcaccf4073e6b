#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# drill.sh PROGRAM | --installed SOURCE: breaks a mirror in the ways of a bad night, and does each time what docs/runbook.md says: the
# commands of its line "Look" are run as they stand there, and must say what the case is about; with --installed (the package, under
# systemd, by tests/systemd/drill.py) those of "Do", too. Where promtool is there, the alert of that heading must fire.
set -euo pipefail
source=$(realpath "$2") installed=''
if [ "$1" = --installed ]; then installed=yes program=/usr/bin/alli-mirror; else program=$(realpath "$1"); fi
here=$source/tests/scenario
runbook=$source/docs/runbook.md
if [ -z "$installed" ] && [ -z "${INSIDE:-}" ] && [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  INSIDE=1 exec unshare --mount "${BASH_SOURCE[0]}" "$program" "$source"
fi

work=$(mktemp -d) sandbox='' daemon='' others='' # others: processes that a case needs
finish() {
  kill -9 $sandbox $others 2>/dev/null || true
  [ -n "$installed" ] || kill -9 $daemon 2>/dev/null || true
  wait 2>/dev/null || true
  umount -l "$work/state" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
promtool=${PROMTOOL:-$(command -v promtool || true)}
fired=' '
step() { printf '\n==> %s\n' "$*"; }
fail() {
  echo "FAILED: $*" >&2
  [ -z "$installed" ] || journalctl -u alli-mirror -n 30 -o cat >&2 || true
  tail -n 15 "$work"/*.log >&2 || true
  exit 1
}

if [ -n "$installed" ]; then
  state=/var/lib/alli-mirror backups=/var/backups/alli-mirror socket=/run/alli-mirror.sock
else
  state=$work/state backups=$work/backups socket=$work/run/proxy.sock
  mkdir -m 0700 "$state"
  mkdir "$backups"
  install -m 0600 /dev/null "$work/config.toml"
fi
small=''
mkdir -p "$state" "$work/bin"
mount -t tmpfs -o size=600m,mode=0700 none "$state" 2>/dev/null && small=yes
ln -s "$program" "$work/bin/alli-mirror"

# What a command finds of this machine: the service's directories, as the unit gives them to the daemon; installed, all by itself.
settings() {
  if [ -n "$installed" ]; then env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 "$@"; return; fi
  ${in_place:-} env -i PATH="$work/bin:/usr/bin:/bin" HOME="$work" STATE_DIRECTORY="$state" RUNTIME_DIRECTORY="$work/run" \
    ALLI_MIRROR_CONFIG="$work/config.toml" ALLI_MIRROR_UPSTREAM_URL="$upstream" ALLI_MIRROR_UPSTREAM_API_KEY_FILE="$work/api-key" ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND=0 ALLI_MIRROR_UPSTREAM_READ_LAG=50ms \
    ALLI_MIRROR_PROXY_LISTEN="127.0.0.1:0,unix:$work/run/proxy.sock" ALLI_MIRROR_OUTBOX_RETRY_MAX=200ms ALLI_MIRROR_SYNC_INTERVAL=1s "$@"
}
mirror() { settings alli-mirror "$@"; }
events() { if [ -n "$installed" ]; then journalctl -u alli-mirror -o cat; else cat "$work/serve.log"; fi; }
eventually() { # eventually WORDS COMMAND...: until it says them, for at most 60 s
  local words=$1 end=$((SECONDS + 60))
  shift
  until "$@" 2>&1 | grep -E -- "$words" >/dev/null; do
    [ $SECONDS -lt $end ] || { "$@" || true; fail "never said \"$words\": $*"; }
    sleep 0.1
  done
}

begin_sandbox() { # begin_sandbox [CONVERSATIONS]: at the same port each time
  alli_port=${alli_port:-0}
  : >"$work/sandbox.out"
  "$program" sandbox --conversations "${1:-30}" --seed 3 --listen "127.0.0.1:$alli_port" >"$work/sandbox.out" 2>"$work/sandbox.log" &
  sandbox=$!
  eventually '^http' cat "$work/sandbox.out"
  upstream=$(head -n 1 "$work/sandbox.out")
  alli_port=${upstream##*:}
}
end_sandbox() { kill "$sandbox" && wait "$sandbox" 2>/dev/null || true; sandbox=''; }
settings_file() {
  printf '[upstream]\nurl = "%s"\nrequests_per_second = 0\nread_lag = "50ms"\n[outbox]\nretry_max = "200ms"\n[sync]\ninterval = "1s"\n' "$upstream"
}
serve() { # serve [KEY]
  if [ -n "$installed" ]; then
    echo "${1:-sandbox}" | install -m 0600 /dev/stdin /etc/alli-mirror/api-key
    settings_file | install -m 0644 /dev/stdin /etc/alli-mirror/config.toml
    systemctl start alli-mirror.socket alli-mirror.service
    daemon=systemd
  else
    echo "${1:-sandbox}" | install -m 0600 /dev/stdin "$work/api-key"
    in_place=exec settings alli-mirror serve 2>>"$work/serve.log" & # its process is the daemon's
    daemon=$!
  fi
  eventually 'daemon +runs \(process [0-9]+\)$' mirror status # and answers
}
stop() {
  if [ -n "$installed" ]; then
    systemctl stop alli-mirror.socket alli-mirror.service
    [ "$(systemctl show -P Result alli-mirror.service)" = success ] || fail "the daemon did not end well"
  else
    kill "$daemon"
    wait "$daemon" || fail "the daemon did not end well"
  fi
  daemon=''
}
cut_off() { # as a machine that is lost
  if [ -n "$installed" ]; then
    systemctl kill -s KILL alli-mirror.service
    systemctl stop alli-mirror.socket alli-mirror.service
    systemctl reset-failed alli-mirror.service 2>/dev/null || true
  else
    kill -9 "$daemon" && wait "$daemon" 2>/dev/null || true
  fi
  daemon=''
}
ask() { curl -sS --unix-socket "$socket" "$@"; }
rename() { # rename TITLE: the first conversation; prints the status
  ask -o /dev/null -w '%{http_code}\n' -X PUT "http://localhost/webapi/v2/conversations/$first/title" -H 'Content-Type: application/json' -d "{\"title\":\"$1\"}"
}

# The commands of a line, as they stand there, but for those with a number that only a case has.
commands_of() { # commands_of HEADING Look|Do
  local programs=alli-mirror
  [ -z "$installed" ] || programs='alli-mirror|systemctl|journalctl|install|df'
  sed -n "/^## $1\$/,/^## /p" "$runbook" | awk -v word="$2" '/^- \*\*/ { on = index($0, "- **" word) == 1 } /^$/ { on = 0 } on' |
    grep -Eo "\`($programs) [^\`]*\`" | tr -d '`' | grep -v ' N$' || true
}
# Installed: what the runbook says to do, each command as it stands there; their input is ours. Else the case does it its own way.
obey() { # obey HEADING
  local input
  input=$(cat)
  while read -r line; do
    echo "\$ $line"
    # shellcheck disable=SC2086 # the line is words
    settings $line <<<"$input" >"$work/said" 2>&1 || { cat "$work/said"; fail "by the runbook's \"$1\": $line"; }
  done < <(commands_of "$1" Do)
}
# follow HEADING WORDS: every command of the program's that the runbook has to look at, as it stands, must end; one of them says the words.
follow() {
  local commands said=$work/said
  commands=$(commands_of "$1" Look)
  [ -n "$commands" ] || commands='alli-mirror status'
  : >"$said"
  while read -r line; do
    echo "\$ $line" >>"$said"
    # shellcheck disable=SC2086 # the line is words
    settings $line >>"$said" 2>&1 </dev/null || true # doctor and verify end with what they found
  done <<<"$commands"
  local words
  words=$(grep -v '^\$ ' "$said" | grep -Em1 -- "$2") || { cat "$said"; fail "by the runbook's \"$1\" nothing says \"$2\""; }
  echo "$1: $words"
}
full_status() { # a write finds out
  rename 'no room' >/dev/null
  mirror status
}
fires() { # fires LATER ALERT...
  local later=$1
  shift
  for alert in "$@"; do grep -q "^## $alert\$" "$runbook" || fail "the runbook has no heading $alert"; done
  [ -n "$promtool" ] || return 0
  if [ -n "$daemon" ]; then ask http://localhost/metrics >"$work/metrics"; fi
  python3 "$here/fires.py" "$promtool" "$source/docs/alerts.yml" "$([ -n "$daemon" ] && echo "$work/metrics" || echo down)" "$later" "$@" ||
    fail "$* do not fire as they should"
  fired="$fired$* "
}

fires_soon() { # fires_soon ALERT: what /metrics says changes
  local end=$((SECONDS + 30))
  until (fires 0 "$1") >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fires 0 "$1"
    sleep 0.2
  done
  fired="$fired$1 "
}

step "healthy: nothing fires"
begin_sandbox
serve
eventually '30 conversations' mirror status
eventually 'complete from the beginning' mirror status
first=$(ask 'http://localhost/webapi/v2/conversations?pageSize=1' | grep -o '"id":"Q29udm[^"]*' | head -n 1 | cut -d'"' -f4 | sed 's/+/%2B/g; s,/,%2F,g')
[ -n "$first" ] || fail "no conversation"
if [ -n "$installed" ]; then
  follow AlliMirrorBackupOld 'inactive'
  obey AlliMirrorBackupOld </dev/null
  [ -n "$(ls "$backups")" ] || fail "no backup"
else
  mirror backup --keep 3 "$backups" | grep -q '30 conversations' || fail "no backup"
fi
fires 0
fires 200000 AlliMirrorBackupOld

step "upstream is away: reads go on, writes wait"
end_sandbox
eventually 'out of reach' mirror status
[ "$(ask -o /dev/null -w '%{http_code}' 'http://localhost/webapi/v2/conversations?pageSize=5')" = 200 ] || fail "no reads"
[ "$(rename 'while it was away')" = 202 ] || fail "the write was not taken"
follow AlliMirrorUpstreamAway 'failed +upstream.*(refused|reach)'
follow AlliMirrorWritesWait 'rename ".*" to "while it was away"'
follow AlliMirrorStale '^problem|out of reach'
fires 0 AlliMirrorUpstreamAway AlliMirrorStale AlliMirrorProblems AlliMirrorWritesWait
eventually 'breaker_state\{state="open"\} 1' ask http://localhost/metrics
follow AlliMirrorBreakerOpen 'out of reach'
fires_soon AlliMirrorBreakerOpen # it is half open now and then
begin_sandbox
eventually 'nothing waits' mirror status

step "the key is refused"
stop
serve wrong
[ "$(rename 'with a wrong key')" = 202 ] || fail "the write was not taken"
eventually 'not with this API key' mirror status
eventually 'key_refused' events
follow AlliMirrorKeyRejected 'failed +upstream.*key'
fires 0 AlliMirrorKeyRejected
if [ -n "$installed" ]; then
  obey AlliMirrorKeyRejected <<<sandbox
else
  stop
  serve # a good key in place, and a restart
fi
eventually 'nothing waits' mirror status
eventually 'reachable, key accepted' mirror status

step "writes that need a person"
ask -o /dev/null -X PUT 'http://localhost/webapi/v2/conversations/nobody/title' -d '{"title":"to nobody"}' -H 'Content-Type: application/json'
eventually '1 failed' mirror status
follow AlliMirrorWritesNeedAPerson 'failed .*rename to "to nobody"'
fires 0 AlliMirrorWritesNeedAPerson
mirror outbox discard --state failed --all --yes | grep -q '1 of 1 writes were discarded' || fail "it is not discarded"

if [ -z "$installed" ]; then # where there is Python, for receivers and a reader
  step "webhooks: a receiver takes nothing, another is gone"
  stop
  receiver() { # receiver STATUS: answers so; its port is in $work/receiver.STATUS
    python3 "$here/receiver.py" "$1" >"$work/receiver.$1" &
    others="$others $!"
    eventually '^[0-9]+$' cat "$work/receiver.$1"
    printf '[[webhook]]\nurl = "http://127.0.0.1:%s/hook"\nsecret_file = "%s"\n' "$(cat "$work/receiver.$1")" "$work/secret" >>"$work/config.toml"
  }
  (umask 077 && echo whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw >"$work/secret")
  receiver 503
  receiver 410
  serve
  rename 'that receivers are told of' >/dev/null
  eventually 'webhook_failing_seconds\{.*\} [0-9.e+-]*[1-9]' ask http://localhost/metrics
  eventually 'webhook_ended\{.*\} 1' ask http://localhost/metrics
  follow AlliMirrorWebhookFailing '503'
  follow AlliMirrorWebhookEnded 'is not called any more'
  fires 0 AlliMirrorWebhookFailing AlliMirrorWebhookEnded
  stop
  : >"$work/config.toml"
  serve
  eventually 'nothing waits' mirror status
fi

step "the mirror is damaged"
stop
fires 0 AlliMirrorDown
if [ -n "$installed" ]; then
  follow AlliMirrorDown 'inactive'
  obey AlliMirrorDown </dev/null
  eventually 'daemon +runs \(process [0-9]+\)$' mirror status
  stop
fi
printf 'no database at all, whoever wrote this' | dd of="$state/mirror.db" bs=1 seek=20 conv=notrunc status=none
serve
eventually '30 conversations' mirror status # it filled itself again
follow AlliMirrorDamagedFile 'agree'
follow AlliMirrorProblems 'mirror.db was damaged'
fires 0 AlliMirrorDamagedFile

step "the outbox is damaged: what is lost is said, and the backup is put back"
end_sandbox
eventually 'out of reach' mirror status
[ "$(rename 'waits when the outbox breaks')" = 202 ] || fail "the write was not taken"
stop
dd if=/dev/zero of="$state/outbox.db" bs=1024 count=1 conv=notrunc status=none
serve
follow AlliMirrorProblems 'outbox.db was damaged'
fires 0 AlliMirrorDamagedFile
rm "$state"/*.damaged-*

step "restored, beside the running daemon"
follow Restore '' # no line "Look": status
mirror restore "$backups" --dry-run | grep -q 'checked: 30 conversations' || fail "the backup does not say what it holds"
mirror restore "$backups" --yes | tee "$work/restored.log" | grep -q 'restored from a backup of 2' || fail "it is not restored"
begin_sandbox
eventually 'reachable, key accepted' mirror status
mirror verify | grep -q 'agree' || fail "what was restored is not sound"

if [ -n "$small" ]; then
  step "the disk is full"
  dd if=/dev/zero of="$state/filler" bs=1M count=120 status=none
  follow AlliMirrorDiskNearlyFull 'mirror '
  fires 0 AlliMirrorDiskNearlyFull
  dd if=/dev/zero of="$state/filler" bs=1M status=none 2>/dev/null || true
  end_sandbox
  eventually '^disk +full' full_status
  [ "$(rename 'no room')" = 507 ] || fail "a write without room was not refused as such"
  follow AlliMirrorDiskFull 'disk +full'
  fires 0 AlliMirrorDiskFull AlliMirrorDiskNearlyFull
  rm "$state/filler"
  begin_sandbox
  eventually 'disk_writable' events
  eventually 'reachable, key accepted' mirror status
fi

step "the machine is lost: a new one, the backup, one command"
end_sandbox
cut_off
find "$state" -mindepth 1 -delete
mirror restore "$backups" --yes | tee "$work/restored.log" | grep -q 'is not known here' || fail "it does not say what cannot be known"
serve
follow AlliMirrorNeverCompared 'out of reach|upstream' # compared when the backup was made, so this only looks
[ "$(ask 'http://localhost/webapi/v2/conversations?pageSize=50' | grep -o '"id":"Q29udm' | wc -l)" -ge 30 ] || fail "not all are there"
begin_sandbox
eventually 'reachable, key accepted' mirror status
stop

if [ -z "$installed" ]; then
  step "a reader keeps the log from being emptied"
  end_sandbox
  find "$state" -mindepth 1 -delete
  serve
  python3 -c 'import signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("BEGIN")
db.execute("SELECT count(*) FROM sqlite_master").fetchone()
print("it reads", flush=True)
signal.pause()' "$state/mirror.db" >"$work/reader" & # as somebody does who has left a shell of SQLite open
  reader=$!
  others="$others $reader"
  eventually 'it reads' cat "$work/reader"
  begin_sandbox 5000
  log_grown() { ask http://localhost/metrics | awk '/part="log"/ && $NF > 67108864 { print "grown" }'; }
  eventually 'grown' log_grown
  eventually 'cannot be emptied' mirror status # that is tried once more before it is said
  follow AlliMirrorLogGrows "cannot be emptied, for process $reader \(python3\) keeps reading it"
  fires 0 AlliMirrorLogGrows
  kill $reader
  whole_log() { mirror status | grep -q 'cannot be emptied' || echo 'no word of it'; }
  eventually 'no word of it' whole_log
  stop
fi

step "a first start without upstream"
end_sandbox
find "$state" -mindepth 1 -delete
serve
follow AlliMirrorNeverCompared 'failed +upstream'
fires 0 AlliMirrorNeverCompared
stop

for alert in $(sed -n 's/^ *- alert: //p' "$source/docs/alerts.yml"); do
  grep -q "^## $alert\$" "$runbook" || fail "the runbook has no heading $alert"
  case $alert in
    AlliMirrorDisk*) [ -n "$small" ] || continue ;;
  esac
  [ -z "$promtool" ] || grep -q " $alert " <<<"$fired" || fail "$alert was never tried"
done
[ -n "$promtool" ] || echo "the alerts were not tried: there is no promtool (Debian's prometheus)"
echo "the drill is over; fired:$fired"
