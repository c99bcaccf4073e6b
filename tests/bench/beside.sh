#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reads while a backfill writes, and with the backfill held still: requests a second over 32 kept connections, in turn,
# and their ratio. The backfill is held by stopping the sandbox, so server and mirror are the same both times.
#   tests/bench/beside.sh [PROGRAM [SECONDS [ROUNDS]]]
# RATE is the request budget of the backfill, 100 a second, ten times the default one (of which little is written in a
# second); 0 is none, and then the sandbox and the backfill want all of the processor too. CONVERSATIONS (100000) must be
# more than all rounds can fetch.
# Needs Debian's nghttp2-client (h2load) and curl; installs nothing and says what is missing.
set -euo pipefail

program=$(realpath "${1:-build/release/alli-mirror}")
seconds=${2:-5}
rounds=${3:-3}
conversations=${CONVERSATIONS:-100000}
upstream=$((20000 + RANDOM % 20000))
proxy=$((upstream + 1))
work=$(mktemp -d /tmp/alli-beside.XXXXXX)
started=()

end() {
    for one in "${started[@]}"; do kill -CONT "$one" 2>/dev/null && kill "$one" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

for tool in h2load curl; do
    command -v $tool >/dev/null || { echo "$tool is missing: apt-get install nghttp2-client curl"; exit 77; }
done
[ -x "$program" ] || { echo "$program is missing: cmake --preset release && cmake --build --preset release"; exit 77; }

ask() { # TARGET [CURL'S OPTIONS]
    curl -s -H 'API-KEY: sandbox' "${@:2}" "http://127.0.0.1:$proxy$1"
}

wait_for() { # WHAT COMMAND...
    for _ in $(seq 600); do
        "${@:2}" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "waited in vain: $1"; tail -3 "$work"/*.log; exit 1
}

held() { ask "$1" -o "$work/body" -D - | grep -qi 'cache-status:.*hit'; }

# How far the backfill is, in chats.
mirrored() { ask /mirror/v1/status | grep -o '"chats":[0-9]*' | head -1 | cut -d: -f2; }

"$program" sandbox --listen "127.0.0.1:$upstream" --conversations "$conversations" >"$work/sandbox.log" 2>&1 &
sandbox=$!
started+=($sandbox)
wait_for "the sandbox" curl -so /dev/null "http://127.0.0.1:$upstream/"
env -i PATH="$PATH" HOME="$work" ALLI_API_KEY=sandbox ALLI_MIRROR_UPSTREAM_URL="http://127.0.0.1:$upstream" \
    ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND="${RATE:-100}" ALLI_MIRROR_PROXY_LISTEN="127.0.0.1:$proxy" \
    ALLI_MIRROR_PROXY_AUTH=api-key "$program" serve >"$work/proxy.log" 2>&1 &
started+=($!)
wait_for "the proxy" curl -so /dev/null "http://127.0.0.1:$proxy/healthz"

first=$(ask '/webapi/v2/conversations?pageSize=50')
id=$(grep -o '"id":"Q29u[^"]*"' <<<"$first" | head -1 | cut -d'"' -f4 | sed 's/+/%2B/g; s/=/%3D/g; s,/,%2F,g')
oldest=$(grep -o '"lastChatTime":[0-9.]*' <<<"$first" | tail -1 | cut -d: -f2)
declare -A targets=(
    [conversation]="/webapi/v2/conversations/$id"
    [chats]="/webapi/v2/conversations/$id/chats"
    [list]="/webapi/v2/conversations?startedAt=$oldest&pageSize=50"
)
for what in "${!targets[@]}"; do wait_for "$what is mirrored" held "${targets[$what]}"; done

rate() { # TARGET: requests a second; a failed answer ends all
    h2load --h1 -t 2 -c 32 -D "$seconds" --warm-up-time=1 -H 'API-KEY: sandbox' "http://127.0.0.1:$proxy$1" >"$work/h2load"
    grep -q ' 0 4xx, 0 5xx' "$work/h2load" || { cat "$work/h2load"; exit 1; }
    awk '/^finished in/ { for (i = 1; i < NF; ++i) if ($(i + 1) ~ /req\/s/) print $i }' "$work/h2load"
}

echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); budget ${RATE:-100} a second, $rounds rounds of $seconds s"
printf '%-13s %12s %12s %7s %16s\n' answer "beside it/s" "alone/s" ratio "chats fetched"
for what in conversation chats list; do
    beside=0 alone=0 fetched=0
    for _ in $(seq "$rounds"); do
        kill -STOP $sandbox
        alone=$(awk -v a="$alone" -v b="$(rate "${targets[$what]}")" 'BEGIN { print a + b }')
        kill -CONT $sandbox
        before=$(mirrored)
        beside=$(awk -v a="$beside" -v b="$(rate "${targets[$what]}")" 'BEGIN { print a + b }')
        after=$(mirrored)
        [ "$after" -gt "$before" ] || { echo "the backfill stood still: raise CONVERSATIONS"; exit 1; }
        fetched=$((fetched + after - before))
    done
    awk -v w=$what -v a="$beside" -v b="$alone" -v n="$rounds" -v f=$fetched \
        'BEGIN { printf "%-13s %12.0f %12.0f %7.2f %16d\n", w, a / n, b / n, a / b, f }'
done
