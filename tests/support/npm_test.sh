#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# npm_test.sh PACKAGES SOURCES FOLDER TEST: node runs TEST, one of the modules in SOURCES, in a folder of its own with PACKAGES
# (NAME@VERSION, with spaces between) from npm. Skipped (77) where node or the npm registry are not at hand. INSTALL_SECONDS (120): how
# long npm may take; RUNNER: what runs TEST instead of node's test runner.
set -eu
skip() { echo "$1: skipped"; exit 77; }
command -v node >/dev/null || skip "node is not there"
node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || skip "node is older than 18"
mkdir -p "$3"
cp "$2"/*.mjs "$3"
cp "$2"/../browser/start.mjs "$3"
cd "$3"
missing=
for package in $1; do
  [ -d "node_modules/${package%@*}" ] || missing=yes
done
if [ -n "$missing" ]; then
  command -v npm >/dev/null || skip "npm is not there"
  echo '{"private":true}' >package.json
  # shellcheck disable=SC2086 # several packages
  timeout "${INSTALL_SECONDS:-120}" npm install --silent --no-save $1 || skip "npm cannot install $1"
fi
exec ${RUNNER:-node --test} "$4"
