#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes docs/performance.md: each bench with its command and what it printed.
#   tests/bench/performance.sh [PROGRAM [BEFORE]] >docs/performance.md
# BEFORE is the program to compare with, for what has no other peer; without it that is a null run. EACH is the seconds of
# a measurement (3), ROUNDS how many of them are taken in turn (9).
set -euo pipefail
cd "$(dirname "$0")/../.."
export BEFORE=${2:-${1:-build/release/alli-mirror}}
program=${1:-build/release/alli-mirror}

show() { # TITLE WHAT COMMAND...
    printf '\n## %s\n\n%s\n\n```\n$ %s build/release/alli-mirror %s %s\n' "$1" "$2" "${*:3}" "${EACH:-3}" "${ROUNDS:-9}"
    "${@:3}" "$program" "${EACH:-3}" "${ROUNDS:-9}" 2>&1
    printf '```\n'
}

show_bench() { # TITLE WHAT PROGRAM-OF-THE-BUILD [ARGUMENT...]
    printf '\n## %s\n\n%s\n\n```\n$ %s\n' "$1" "$2" "${*:3}"
    "${@:3}" 2>&1
    printf '```\n'
}

cat <<END_OF_HEAD
# Performance

Made by \`tests/bench/performance.sh\` on $(date -u +%F): $(uname -sr), $(nproc) cores, clients and servers on the same ones.
The programs are those of the \`release\` preset. A ratio counts more than a rate; where the spread of the rounds is wide, so is
the doubt. Load at the start: $(cut -d' ' -f1-3 /proc/loadavg).
END_OF_HEAD
show "Responses that are kept" "Beside nginx (proxy_cache) and Varnish, which keep the same bytes. \`us/req\` is the server's processor time." tests/bench/reads.sh
show "Responses that are made from the rows" "Each of many conversations, pages of chats and pages of the list in turn, so that none is kept. Beside the build before$([ "$BEFORE" = "$program" ] && echo ', here itself: what the ratio is off by is noise')." tests/bench/distinct.sh
show "Memory" "What a backfill and a burst of reads need goes back to the system." tests/bench/memory.sh
show_bench "Several machines" "A leader and a follower beside one machine, over a PostgreSQL on the same cores. \`this\` and \`other\` are processor time; ratio and null run with their lowest and highest round." tests/bench/cluster.sh "$program" "$BEFORE"
show_bench "Pages of lists, straight from the store" "Each filter and order, cold of any kept response." build/release/list_bench 30000
show_bench "Delivery of a long queue" "Upstream takes 10 ms for each answer; delivery leaves one connection to the apps." build/release/delivery_bench
