#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FOLDER PROGRAM: the test with the protocol's SDK from npm. Skipped (77) where something is missing.
set -eu
here=$(dirname "$0")
PROGRAM=$2 exec "$here/../support/npm_test.sh" @modelcontextprotocol/sdk@1.32.2 "$here" "$1" mcp.test.mjs
