#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# npm_test.sh NAME@VERSION SOURCES FOLDER TEST: node runs TEST, one of the modules in SOURCES, in a folder of its own with that package
# from npm. Skipped (77) where node or the npm registry are not at hand. INSTALL_SECONDS (120): how long npm may take.
set -eu
skip() { echo "$1: skipped"; exit 77; }
command -v node >/dev/null || skip "node is not there"
node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || skip "node is older than 18"
mkdir -p "$3"
cp "$2"/*.mjs "$2"/../browser/start.mjs "$3"
cd "$3"
if [ ! -d "node_modules/${1%@*}" ]; then
  command -v npm >/dev/null || skip "npm is not there"
  echo '{"private":true}' >package.json
  timeout "${INSTALL_SECONDS:-120}" npm install --silent --no-save "$1" || skip "npm cannot install $1"
fi
exec node --test "$4"
