#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The daemon's memory: after a start, right after a backfill, after a burst of reads, and a minute after each. Anonymous
# memory of the process, and what its files in memory (memfd) hold, in MiB.
#   tests/bench/memory.sh [PROGRAM]
# CONVERSATIONS is how many are mirrored (20000, some 300000 chats). Needs Debian's wrk, nghttp2-client and curl; installs
# nothing and says what is missing.
set -euo pipefail

program=$(realpath "${1:-build/release/alli-mirror}")
seconds=5
conversations=${CONVERSATIONS:-20000}
here=$(dirname "$(realpath "$0")")
upstream=$((20000 + RANDOM % 20000))
proxy=$((upstream + 1))
work=$(mktemp -d /tmp/alli-memory.XXXXXX)
. "$here/served.sh"
need wrk wrk
[ $missing = 0 ] || exit 77

memfds() { # of a process, in KiB
    local blocks sum=0
    for file in /proc/"$1"/fd/*; do
        [[ $(readlink "$file") == /memfd:* ]] || continue
        blocks=$(stat -L -c %b "$file")
        sum=$((sum + blocks / 2))
    done
    echo $sum
}
measure() { # WHAT
    awk -v what="$1" -v files="$(memfds "${pids[proxy]}")" '/^RssAnon/ { printf "%-34s %9.1f %9.1f\n", what, $2 / 1024, files / 1024 }' \
        "/proc/${pids[proxy]}/status"
}
walk() { # FILE
    wrk -t2 -c8 -d"$seconds" -H 'API-KEY: sandbox' -s "$here/targets.lua" "http://127.0.0.1:$proxy" -- "$1" >/dev/null
}

printf '%-34s %9s %9s\n' "$conversations conversations" anonymous memfds
start_mirror "$conversations" 0
wait_until_held "/webapi/v2/conversations?pageSize=50&order=CREATED_AT_ASC"
measure "right after the backfill"
sleep 60
measure "a minute later"
ask "$proxy" "/webapi/v2/conversations?pageSize=50" | ids >"$work/ids"
{
    sed 's|.*|/webapi/v2/conversations/&|; p; s|$|/chats|' "$work/ids"
    for size in $(seq 1 50); do echo "/webapi/v2/conversations?pageSize=$size"; done
} >"$work/targets"
walk "$work/targets"
measure "after $seconds s of reads"
sleep 60
measure "a minute later"
kill "${pids[proxy]}"
wait "${pids[proxy]}" || true
start_daemon "$program" "$proxy" "$work" 0
sleep 20
measure "20 s after a start"
