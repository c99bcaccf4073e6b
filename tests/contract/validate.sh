#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The proxy behind a validator made of the API's OpenAPI file (@stoplight/prism-cli): no answer to GET or PUT may
# violate it (a 202 is the proxy's own and in no contract). validate.sh PROGRAM OPENAPI; skipped (77) without prism, which is looked for in $ALLI_PRISM and PATH.
set -euo pipefail

program=$1 contract=$2
prism=${ALLI_PRISM:-$(command -v prism || true)}
[ -n "$prism" ] || { echo "prism is missing: npm install --prefix DIR @stoplight/prism-cli, and set ALLI_PRISM"; exit 77; }
[ -f "$contract" ] || { echo "there is no $contract"; exit 77; }
command -v curl >/dev/null || { echo "curl is missing"; exit 77; }

work=$(mktemp -d)
started=()
end() {
    for one in "${started[@]}"; do kill "$one" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

start() { # LOG COMMAND...: in the background
    local log=$work/$1
    shift
    env -i PATH="$PATH" HOME="$work" ALLI_API_KEY=sandbox "$@" >"$log" 2>&1 &
    started+=($!)
}
address_in() { # LOG: the first 127.0.0.1:PORT in it, once it is there
    for _ in $(seq 600); do
        grep -o '127\.0\.0\.1:[0-9]*' "$work/$1" | head -1 | grep . && return
        sleep 0.05
    done
    echo "$1 did not start" >&2
    cat "$work/$1" >&2
    exit 1
}
ask() { # ADDRESS TARGET [CURL'S OPTIONS]: status and body
    curl -s -H 'API-KEY: sandbox' -w '%{http_code}' -o "$work/body" "${@:3}" "http://$1$2"
}

start sandbox "$program" sandbox --listen 127.0.0.1:0 --conversations 60
upstream=$(address_in sandbox)
start proxy ALLI_MIRROR_UPSTREAM_URL="http://$upstream" ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND=0 \
    ALLI_MIRROR_PROXY_LISTEN=127.0.0.1:0 "$program" serve
proxy=$(grep -o '127\.0\.0\.1:[0-9]*' <(for _ in $(seq 600); do grep 'listens on' "$work/proxy" && break; sleep 0.05; done) | head -1)
until curl -s -D - -o /dev/null -H 'API-KEY: sandbox' "http://$proxy/webapi/v2/conversations?pageSize=1" | grep -qi 'status:.*hit'; do
    sleep 0.05
done
start validator "$prism" proxy "$contract" "http://$proxy" --errors -h 127.0.0.1 -p 0
validator=$(address_in validator)

violations=0
check() { # TARGET [CURL'S OPTIONS]
    local direct through
    direct=$(ask "$proxy" "$@")
    through=$(ask "$validator" "$@")
    if [ "$direct" != "$through" ] || grep -q 'stoplight.io/prism' "$work/body"; then
        echo "$*: $direct, through the validator $through: $(head -c 600 "$work/body")"
        violations=$((violations + 1))
    fi
}

list=/webapi/v2/conversations
ask "$proxy" "$list?pageSize=50" >/dev/null
ids=$(grep -o '"id":"Q29udmVyc2F0aW9u[^"]*"' "$work/body" | cut -d'"' -f4 | sed 's/+/%2B/g; s/=/%3D/g; s,/,%2F,g' | head -12)
for query in '' '?pageSize=7' '?order=CREATED_AT_ASC' '?order=LAST_CHAT_TIME_ASC' '?activeOnly=true' '?searchTerm=e' \
    '?userIds=a&userIds=b' '?startedAt=1' '?variables=plan&variables=visits' '?llmAppId=x' '?categoryId=archive'; do
    check "$list$query"
done
cursor=$(ask "$proxy" "$list?pageSize=3" >/dev/null; grep -o '"cursor":"[^"]*"' "$work/body" | cut -d'"' -f4)
check "$list?pageSize=3&cursor=$cursor"
check "$list/daily_count?startDate=2026-01-01&endDate=2026-02-01"
for id in $ids; do
    check "$list/$id"
    check "$list/$id?variables=plan"
    check "$list/$id/chats"
    check "$list/$id/chats?pageNo=2"
    check "$list/$id/running"
    ask "$proxy" "$list/$id/chats" >/dev/null
    for chat in $(grep -o '"id":"Q2hhd[^"]*"' "$work/body" | cut -d'"' -f4 | sed 's/+/%2B/g; s/=/%3D/g; s,/,%2F,g' | head -3); do
        check "$list/$id/chats/$chat"
    done
done
check "$list/unknown"
check "$list?cursor=am1.x"
id=$(echo "$ids" | head -1)
check "$list/$id" -X PUT -H 'Content-Type: application/json' -d '{"state":"CLOSED","categoryIds":["a"]}'
check "$list/$id/title" -X PUT -H 'Content-Type: application/json' -d '{"title":"another"}'
echo "$violations violations"
[ $violations = 0 ]
