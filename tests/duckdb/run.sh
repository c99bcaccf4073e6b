#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FOLDER PROGRAM: the test in a folder of its own, with DuckDB from npm, in a time zone that is not
# UTC. Skipped (77) where something is missing.
set -eu
duckdb=@duckdb/node-api@1.5.6-r.1
skip() { echo "$1: skipped"; exit 77; }
command -v node >/dev/null || skip "node is not there"
command -v python3 >/dev/null || skip "python3 is not there"
mkdir -p "$1"
here=$(dirname "$0")
cp "$here"/*.mjs "$here"/../browser/start.mjs "$1"
cd "$1"
if [ ! -d node_modules/@duckdb/node-api ]; then
  command -v npm >/dev/null || skip "npm is not there"
  echo '{"private":true}' >package.json
  timeout 200 npm install --silent --no-save $duckdb || skip "npm cannot install DuckDB"
fi
TZ=Asia/Seoul PROGRAM=$2 exec node --test parquet.test.mjs
