#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reads that are not kept: each of many conversations, of their pages of chats and of the pages of the list, one after the
# other, so that every response is made from the mirror's rows. Beside another build of the program over the same
# conversations, in turn; by default beside itself, which tells how noisy the machine is.
#   tests/bench/distinct.sh [PROGRAM [SECONDS [ROUNDS]]]
# BEFORE is the other program, CONVERSATIONS how many there are (30000: more than responses are kept for).
# Needs Debian's wrk, nghttp2-client and curl; installs nothing and says what is missing.
set -euo pipefail

program=$(realpath "${1:-build/release/alli-mirror}")
seconds=${2:-3}
rounds=${3:-9}
before=$(realpath "${BEFORE:-$program}")
conversations=${CONVERSATIONS:-30000}
here=$(dirname "$(realpath "$0")")
upstream=$((20000 + RANDOM % 20000))
proxy=$((upstream + 1))
work=$(mktemp -d /tmp/alli-distinct.XXXXXX)
. "$here/served.sh"
need wrk wrk
[ $missing = 0 ] || exit 77

declare -A ports=([now]=$proxy [before]=$((upstream + 2))) servers=()
start_mirror "$conversations" 0
servers[now]=${pids[proxy]}
mkdir "$work/before"
start_daemon "$before" "${ports[before]}" "$work/before" 0
servers[before]=${pids[proxy]}

# Every page of the list by its own cursors, and the conversations on it.
collect() { # NAME
    local page cursor=
    while :; do
        page=$(ask "${ports[$1]}" "/webapi/v2/conversations?pageSize=50$cursor")
        echo "/webapi/v2/conversations?pageSize=50$cursor" >>"$work/list.$1"
        ids <<<"$page" >>"$work/ids.$1"
        cursor=$(grep -o '"cursor":"[^"]*"}$' <<<"$page" | cut -d'"' -f4 || true)
        [ -n "$cursor" ] || break
        cursor="&cursor=$cursor"
    done
    sed 's|.*|/webapi/v2/conversations/&|' "$work/ids.$1" >"$work/conversation.$1"
    sed 's|.*|/webapi/v2/conversations/&/chats|' "$work/ids.$1" >"$work/chats.$1"
}

for name in now before; do
    proxy=${ports[$name]} wait_until_held "/webapi/v2/conversations?pageSize=50&order=CREATED_AT_ASC"
    collect $name
done

ticks() { awk '{ print $14 + $15 }' "/proc/${servers[$1]}/stat"; } # of processor time

distinct() { # NAME WHAT: requests a second, and the microseconds of the server's processor time for each
    local begun
    begun=$(ticks "$1")
    wrk -t2 -c8 -d"$seconds" -H 'API-KEY: sandbox' -s "$here/targets.lua" "http://127.0.0.1:${ports[$1]}" \
        -- "$work/$2.$1" >"$work/wrk"
    ! grep 'Non-2xx' "$work/wrk" || { cat "$work/wrk" >&2; exit 1; }
    awk -v ticks=$(($(ticks "$1") - begun)) -v hz="$(getconf CLK_TCK)" \
        '/requests in/ { all = $1 } /^Requests\/sec/ { print $2, ticks * 1e6 / hz / all }' "$work/wrk"
}
# Of a column of the rounds.
median() { cut -d' ' -f"$1" | sort -g | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
spread() { cut -d' ' -f"$1" | sort -g | awk '{ all[NR] = $1 } END { printf "%.0f..%.0f", all[1], all[NR] }'; }

echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); $(wc -l <"$work/ids.now") conversations, wrk -t2 -c8, median of $rounds rounds of $seconds s each"
printf '%-13s %10s %20s %9s %7s %7s %7s %6s\n' 'not kept' requests/s '(lowest..highest)' before/s ratio us/req before ratio
for what in conversation chats list; do
    rm -f "$work"/rates.*
    for _ in $(seq "$rounds"); do
        for name in now before; do distinct $name $what >>"$work/rates.$name"; done
    done
    now=$(median 1 <"$work/rates.now") then=$(median 1 <"$work/rates.before")
    cost=$(median 2 <"$work/rates.now") cost_then=$(median 2 <"$work/rates.before")
    printf '%-13s %10.0f %20s %9.0f %7.2f %7.1f %7.1f %6.2f\n' $what "$now" "$(spread 1 <"$work/rates.now")" "$then" \
        "$(awk -v a="$now" -v b="$then" 'BEGIN { print a / b }')" "$cost" "$cost_then" \
        "$(awk -v a="$cost" -v b="$cost_then" 'BEGIN { print a / b }')"
done
