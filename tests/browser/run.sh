#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh TEST FOLDER PROGRAM: one test file in a folder of its own, with playwright-core and axe-core from npm. Skipped
# (77) where something is missing. RUNNER: what runs it instead of node's test runner.
set -eu
skip() { echo "$1: skipped"; exit 77; }
command -v node >/dev/null || skip "node is not there"
CHROMIUM=$(command -v chromium || command -v chromium-browser) || skip "chromium is not there"
DOCS=$(cd "$(dirname "$0")/../../docs" && pwd)
export CHROMIUM DOCS
mkdir -p "$2"
cp "$(dirname "$0")"/*.mjs "$2"
cd "$2"
if [ ! -d node_modules/playwright-core ] || [ ! -d node_modules/axe-core ]; then
  command -v npm >/dev/null || skip "npm is not there"
  echo '{"private":true}' >package.json
  timeout 120 npm install --silent --no-save playwright-core@1.65.1 axe-core@4.14.1 || skip "npm cannot install playwright-core"
fi
PROGRAM=$3 exec ${RUNNER:-node --test} "$(basename "$1")"
