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
. "$(dirname "$0")/served.sh"

# How far the backfill is, in chats.
mirrored() { ask "$proxy" /mirror/v1/status | grep -o '"chats":[0-9]*' | head -1 | cut -d: -f2; }

start_mirror "$conversations" "${RATE:-100}"
sandbox=${pids[sandbox]}
first=$(ask "$proxy" '/webapi/v2/conversations?pageSize=50')
id=$(ids <<<"$first" | head -1)
oldest=$(grep -o '"lastChatTime":[0-9.]*' <<<"$first" | tail -1 | cut -d: -f2)
declare -A targets=(
    [conversation]="/webapi/v2/conversations/$id"
    [chats]="/webapi/v2/conversations/$id/chats"
    [list]="/webapi/v2/conversations?startedAt=$oldest&pageSize=50"
)
for what in "${!targets[@]}"; do wait_until_held "${targets[$what]}"; done

echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); budget ${RATE:-100} a second, $rounds rounds of $seconds s"
printf '%-13s %12s %12s %7s %16s\n' answer "beside it/s" "alone/s" ratio "chats fetched"
for what in conversation chats list; do
    beside=0 alone=0 fetched=0
    for _ in $(seq "$rounds"); do
        kill -STOP $sandbox
        now=$(rate "$proxy" "${targets[$what]}")
        alone=$(awk -v a="$alone" -v b="$now" 'BEGIN { print a + b }')
        kill -CONT $sandbox
        before=$(mirrored)
        now=$(rate "$proxy" "${targets[$what]}")
        beside=$(awk -v a="$beside" -v b="$now" 'BEGIN { print a + b }')
        after=$(mirrored)
        fetched=$((fetched + after - before))
    done
    # Not each round: a page is committed when all its chats are there, seconds apart at ten requests a second.
    [ $fetched -gt 0 ] || { echo "the backfill stood still: raise CONVERSATIONS"; exit 1; }
    awk -v w=$what -v a="$beside" -v b="$alone" -v n="$rounds" -v f=$fetched \
        'BEGIN { printf "%-13s %12.0f %12.0f %7.2f %16d\n", w, a / n, b / n, a / b, f }'
done
