#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FOLDER PROGRAM [ROUNDS]: the test in a folder of its own, with the reference library of Standard Webhooks from npm.
# Skipped (77) where node or the npm registry are not at hand. ROUNDS: how often something is killed; SEED makes it the same again.
set -eu
skip() { echo "$1: skipped"; exit 77; }
command -v node >/dev/null || skip "node is not there"
node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || skip "node is older than 18"
mkdir -p "$1"
here=$(dirname "$0")
cp "$here"/*.mjs "$here"/../browser/start.mjs "$1"
cd "$1"
if [ ! -d node_modules/standardwebhooks ]; then
  command -v npm >/dev/null || skip "npm is not there"
  echo '{"private":true}' >package.json
  timeout 120 npm install --silent --no-save standardwebhooks@1.0.0 || skip "npm cannot install the library"
fi
PROGRAM=$2 ROUNDS=${3:-100} exec node --test webhooks.test.mjs
