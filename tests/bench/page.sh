#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page in Debian's Chromium over a mirror of about a million chats: the first paint and the first row of the list,
# beside an empty page of node's own, in turn; what a browser fetches for it; search as one types.
#   tests/bench/page.sh [PROGRAM [CONVERSATIONS]]
set -eu
program=$(realpath "${1:-build/release/alli-mirror}")
[ -x "$program" ] || { echo "$program is missing: cmake --preset release && cmake --build --preset release"; exit 77; }
here=$(dirname "$(realpath "$0")")
mkdir -p "$here/../../build/page-bench"
cp "$here/page.mjs" "$here/../../build/page-bench"
CONVERSATIONS=${2:-100000} RUNNER=node exec "$here/../browser/run.sh" page.mjs "$here/../../build/page-bench" "$program"
