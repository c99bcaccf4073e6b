#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FOLDER PROGRAM: the test in a folder of its own, with the protocol's SDK from npm. Skipped (77) where something
# is missing.
set -eu
skip() { echo "$1: skipped"; exit 77; }
command -v node >/dev/null || skip "node is not there"
node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' || skip "node is older than 18"
mkdir -p "$1"
here=$(dirname "$0")
cp "$here"/*.mjs "$here"/../browser/start.mjs "$1"
cd "$1"
if [ ! -d node_modules/@modelcontextprotocol/sdk ]; then
  command -v npm >/dev/null || skip "npm is not there"
  echo '{"private":true}' >package.json
  timeout 120 npm install --silent --no-save @modelcontextprotocol/sdk || skip "npm cannot install the SDK"
fi
PROGRAM=$2 exec node --test mcp.test.mjs
