#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What several machines cost, beside one in the same run: a PostgreSQL of the bench's own, sandboxes, daemons. Ratios are of
# processor time, in turn, with a null run beside them, so that other work on the machine moves them little.
#   tests/bench/cluster.sh [PROGRAM [BEFORE]]
# BEFORE is a build without cluster/; without it that figure is a null run alone. CONVERSATIONS (3000), ROUNDS (5), READS (4000, of
# a measurement), MANY (100000, which must cause no query), AWAY (60, seconds that PostgreSQL is stopped), CHANGES (500 a second, for
# SECONDS, 20), BEATS (360000, an hour of 100 a second).
# Needs Debian's postgresql and python3; installs nothing and says what is missing. publish_bench is run where it lies beside PROGRAM.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-build/release/alli-mirror}")
[ -x "$program" ] || { echo "$program is missing: cmake --preset release && cmake --build --preset release"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3"; exit 77; }
exec python3 "$here/cluster.py" "$program" "$(realpath "${2:-$program}")"
