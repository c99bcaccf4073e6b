#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FOLDER PROGRAM: the test with DuckDB from npm, in a time zone that is not UTC. Skipped (77) where something is
# missing.
set -eu
command -v python3 >/dev/null || { echo "python3 is not there: skipped"; exit 77; }
here=$(dirname "$0")
TZ=Asia/Seoul PROGRAM=$2 INSTALL_SECONDS=200 \
  exec "$here/../support/npm_test.sh" @duckdb/node-api@1.5.6-r.1 "$here" "$1" parquet.test.mjs
