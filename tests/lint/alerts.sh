#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# alerts.sh ALERTS DASHBOARD METRICS.CPP: the alert rules and the dashboard's queries are what Prometheus takes, and every metric
# that they name is one that the program has. Skipped (77) where promtool is not there (Debian's prometheus).
set -eu
alerts=$1 dashboard=$2 source=$3
grep -oh 'alli_mirror_[a-z_]*' "$alerts" "$dashboard" | sort -u | while read -r metric; do
  name=${metric#alli_mirror_}
  grep -q "\"$name\"" "$source" && continue
  grep -q "\"${name%_bucket}\", Type::histogram" "$source" || { echo "there is no metric $metric"; exit 1; }
done

command -v promtool >/dev/null || exit 77
promtool check rules "$alerts"
queries=$(mktemp)
trap 'rm -f "$queries"' EXIT
# The queries become rules, so that promtool reads them; a text of JSON is one of YAML too.
{
  printf 'groups:\n  - name: dashboard\n    rules:\n'
  sed -n 's/^ *"expr": \(".*"\),*$/\1/p' "$dashboard" | sed 's/\$__rate_interval/5m/g' |
    awk '{ print "      - record: query_" NR "\n        expr: " $0 }'
} >"$queries"
grep -q expr "$queries" || { echo "the dashboard has no queries"; exit 1; }
promtool check rules "$queries"
