#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fires.py PROMTOOL ALERTS.YML METRICS LATER [ALERT...]: those alerts fire, of a daemon whose /metrics said what is in METRICS, and
has gone on saying it for 75 minutes; LATER seconds have passed since. Without an alert: none fires. METRICS may be `down`: the
daemon does not answer."""
import os
import re
import subprocess
import sys
import tempfile
import time

MINUTES = 75
GROWING = ("alli_mirror_sync_lag_seconds", "alli_mirror_outbox_oldest_age_seconds")  # by a second each second, where upstream does nothing about it
FAILING = "alli_mirror_webhook_failing_seconds"  # as long as nothing is taken
TARGET = 'job="alli-mirror", instance="127.0.0.1:8787"'


def series_of(line, named, now, stands_still):
    name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
    if name not in named:
        return None
    number = float(value)
    if name.endswith(("_timestamp_seconds", "_start_time_seconds")):
        number += MINUTES * 60 - now  # promtool's clock begins at 0
    grows = name == FAILING or (name in GROWING and stands_still)
    step = 60 if grows and number > 0 else 0
    labels = TARGET + (", " + labels if labels else "")
    return f"      - series: {quoted(f'{name}{{{labels}}}')}\n        values: {quoted(f'{number:.3f}+{step}x{MINUTES + 5}')}\n"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def main():
    promtool, alerts, metrics, later, *expected = sys.argv[1:]
    with open(alerts) as file:
        named = set(re.findall(r"alli_mirror_\w+", file.read()))
    now = time.time() + float(later)
    is_down = metrics == "down"
    text = f"      - series: {quoted(f'up{{{TARGET}}}')}\n        values: '{0 if is_down else 1}+0x{MINUTES + 5}'\n"
    if not is_down:
        with open(metrics) as file:
            lines = file.read().splitlines()
        stands_still = not {"alli_mirror_upstream_reachable 0", "alli_mirror_upstream_key_accepted 0"}.isdisjoint(lines)
        text += "".join(series_of(line, named, now, stands_still) or "" for line in lines if line and line[0] != "#")
    firing = "count by (alertname) (ALERTS{alertstate=\"firing\"})"
    if expected:
        wanted = "|".join(expected)
        firing = f'count by (alertname) (ALERTS{{alertstate="firing", alertname=~"{wanted}"}})'
    samples = "".join(f"          - labels: '{{alertname=\"{name}\"}}'\n            value: 1\n" for name in expected)
    test = (f"rule_files: [{os.path.abspath(alerts)}]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n{text}"
            f"    promql_expr_test:\n      - expr: {quoted(firing)}\n        eval_time: {MINUTES}m\n"
            f"        exp_samples:{'' if samples else ' []'}\n{samples}")
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(test)
        file.flush()
        done = subprocess.run([promtool, "test", "rules", file.name], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{' '.join(expected) or 'no alert'}: {done.stdout}{done.stderr}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
