#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# node.sh TEST FOLDER PAGE: one test file with the page's modules beside it. Skipped (77) where node is not there or is old.
set -eu
command -v node >/dev/null || { echo "node is not there: skipped"; exit 77; }
node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || { echo "node is older than 18: skipped"; exit 77; }
ALLI_TESTS=$(cd "$(dirname "$1")/.." && pwd) || exit
export ALLI_TESTS
work=$2/$(basename "$1" .test.mjs)
rm -rf "$work"
mkdir -p "$work/page"
cp "$3"/*.js "$work/page"
echo '{"type":"module"}' >"$work/package.json"
cp "$1" "$work"
cd "$work"
exec node --test "$(basename "$1")"
