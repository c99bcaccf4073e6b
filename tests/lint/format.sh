#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source file of the tree ROOT is laid out as .clang-format says; version 14, whose choices differ from others'.
set -euo pipefail
cd "$1"
clang-format --version 2>/dev/null | grep -q 'version 14\.' || { echo "no clang-format 14 here"; exit 77; }
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || { echo "not a clone: no list of sources"; exit 77; }

mapfile -t files < <(git ls-files '*.cpp' '*.hpp')
[ ${#files[@]} -gt 0 ] || { echo "no sources found" >&2; exit 1; }
clang-format --dry-run --Werror "${files[@]}" || {
  echo "hint: clang-format -i the files named above" >&2
  exit 1
}
