#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The alert rules are what Prometheus takes, and every metric that they name is one that the program has.
# Skipped (77) where promtool is not there (Debian's prometheus).
set -eu
rules=$1 source=$2
grep -o 'alli_mirror_[a-z_]*' "$rules" | sort -u | while read -r metric; do
  grep -q "\"${metric#alli_mirror_}\"" "$source" || { echo "there is no metric $metric"; exit 1; }
done
command -v promtool >/dev/null || exit 77
promtool check rules "$rules"
