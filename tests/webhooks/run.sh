#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FOLDER PROGRAM [ROUNDS]: the test with the reference library of Standard Webhooks from npm. Skipped (77) where
# something is missing. ROUNDS: how often something is killed; SEED makes it the same again.
set -eu
here=$(dirname "$0")
PROGRAM=$2 ROUNDS=${3:-100} exec "$here/../support/npm_test.sh" standardwebhooks@1.0.0 "$here" "$1" webhooks.test.mjs
