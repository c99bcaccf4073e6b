#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh TEST FOLDER PROGRAM: one test file, in Chromium by playwright-core and axe-core from npm. Skipped (77) where something is
# missing. RUNNER: what runs it instead of node's test runner.
set -eu
CHROMIUM=$(command -v chromium || command -v chromium-browser) || { echo "chromium is not there: skipped"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
DOCS=$(cd "$here/../../docs" && pwd)
export CHROMIUM DOCS
PROGRAM=$3 exec "$here/../support/npm_test.sh" "playwright-core@1.65.1 axe-core@4.14.1" "$here" "$2" "$(basename "$1")"
