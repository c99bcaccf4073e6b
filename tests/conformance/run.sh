#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh NAME FOLDER PROGRAM: NAME.test.mjs in a folder of its own. What scripts/prepare installs must be there; the
# cache suite comes from npm, and is skipped (77) where that is not at hand.
set -eu
missing() { echo "FAILED: there is no $1; scripts/prepare installs it" >&2; exit 1; }
skip() { echo "$1: skipped"; exit 77; }
PATH=$PATH:/usr/sbin
for tool in node nginx haproxy; do
  command -v $tool >/dev/null || missing $tool
done
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$3")
folder=$2/$1
mkdir -p "$folder"
cp "$here"/*.mjs "$here/../browser/start.mjs" "$folder"
cd "$folder"

# Only the package itself: what it depends on serves its own command line, which we do without.
suite=http-cache-tests-0.4.5
digest=bde099a69b357a8779a797573906ff2b4c1912c394d1908dc4fbe78ac79de1fb
if [ "$1" = cache_suite ] && [ ! -d package ]; then
  command -v npm >/dev/null || skip "npm is not there"
  timeout 120 npm pack --silent "http-cache-tests@0.4.5" >/dev/null || skip "npm cannot fetch $suite"
  echo "$digest  $suite.tgz" | sha256sum --check --quiet - || { echo "FAILED: $suite is not what it was" >&2; exit 1; }
  tar xzf "$suite.tgz"
fi
PROGRAM=$program DOCUMENT=$here/../../docs/http-conformance.md exec node --test "$1.test.mjs"
