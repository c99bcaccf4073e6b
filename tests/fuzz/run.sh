#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Drives every fuzz target for so many seconds, from its seeds and what earlier runs found; an input that fails is left in
# build/fuzz/failed and belongs into seeds/ once it is mended. The last line counts: "N passed, N failed".
#   run.sh SECONDS
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=$1
command -v clang++-14 >/dev/null || { echo "libFuzzer comes with clang 14: apt-get install clang-14 libclang-rt-14-dev" >&2; exit 2; }

cd "$top"
mkdir -p build/fuzz/failed
cmake --preset fuzz >build/configure-fuzz.log 2>&1 || { cat build/configure-fuzz.log; exit 1; }
cmake --build --preset fuzz

passed=0 failed=0
for folder in tests/fuzz/seeds/*/; do
  name=$(basename "$folder")
  found=build/fuzz/found/$name
  mkdir -p "$found"
  echo "==> $name, $seconds s"
  if "build/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
      -artifact_prefix=build/fuzz/failed/"$name"- "$found" "$folder" >build/fuzz/"$name".log 2>&1; then
    passed=$((passed + 1))
    sed -n 's/^stat::number_of_executed_units: */    inputs: /p' build/fuzz/"$name".log
  else
    failed=$((failed + 1))
    tail -n 40 build/fuzz/"$name".log
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
