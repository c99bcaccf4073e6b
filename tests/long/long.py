#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""long.py [--list] [--minutes N] [PART...]: what is too long for every change, in slices. After each slice what was reached is
written into docs/proof.md, which the next run reads: it goes on where the last one stopped. Without PART all that is not through."""
import argparse
import dataclasses
import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PROOF = TOP / "docs" / "proof.md"
LOGS = TOP / "build" / "long"


@dataclasses.dataclass(frozen=True)
class Part:
    name: str
    what: str  # the unit that is counted
    goal: int
    slice: int  # so many at a time; 0: a run has its own length
    minutes: float  # of a slice, on two cores
    preset: str
    targets: tuple
    command: str  # run by bash in the build folder; $COUNT, $SEED, $TOP
    counted: str  # a regular expression; the numbers it finds are added up


PARTS = [
    Part("histories", "histories of the simulation", 100_000, 500, 5, "release", ("simulation_test",),
         "ALLI_SEED=$SEED ALLI_HISTORIES=$COUNT ./simulation_test --gtest_filter=Simulation.MirrorAndUpstream*",
         r"^(\d+) histories from seed"),
    Part("programs", "histories of the whole program", 10_000, 200, 5, "release", ("program_simulation_test",),
         "ALLI_SEED=$SEED ALLI_HISTORIES=$COUNT ./program_simulation_test --gtest_filter=ProgramSimulation.WhatIsPromised*",
         r"^(\d+) histories of the program from seed"),
    Part("cluster", "histories of three nodes", 10_000, 250, 6, "release", ("cluster_simulation_test",),
         "ALLI_SEED=$SEED ALLI_HISTORIES=$COUNT ./cluster_simulation_test --gtest_filter=ClusterSimulation.*", r"^(\d+) histories from seed"),
    Part("rounds", "faults of three daemons and their PostgreSQL", 200, 20, 4, "release", ("alli-mirror",),
         "python3 $TOP/tests/scenario/cluster.py ./alli-mirror --rounds $COUNT --seed $SEED --away 20", r"^cluster: (\d+) rounds"),
    Part("cuts", "power cuts", 100_000, 5_000, 6, "release", ("powercut_test",),
         "ALLI_SEED=$SEED ALLI_POWERCUT_CUTS=$COUNT ./powercut_test --gtest_filter=Of/PowerCut*", r"; (\d+) cuts,"),
    Part("faults", "faults of the disk", 10_000, 1_000, 3, "release", ("powercut_test",),
         "ALLI_SEED=$SEED ALLI_DISK_FAULTS=$COUNT ./powercut_test --gtest_filter=Of/DiskFaults*", r"; (\d+) faults,"),
    Part("kills", "kills of a daemon that takes writes", 300, 50, 4, "release", ("scenario_test",),
         "ALLI_SEED=$SEED ALLI_CRASH_CYCLES=$COUNT ./scenario_test --gtest_filter=WritesUnderFire* && echo $COUNT cycles", r"^(\d+) cycles$"),
    Part("turns", "turns of clients that run an app", 3_100, 0, 12, "release", ("alli-mirror",),
         "$TOP/tests/clients/run.sh ./alli-mirror turns --long", r": (\d+) turns, 0 cut"),
    Part("endurance", "seconds with everything at once", 3_000, 0, 12, "release", ("alli-mirror",),
         "python3 $TOP/tests/clients/endure.py ./alli-mirror --seed $SEED", r" idle clients, (\d+) seconds: 0 faults$"),
    Part("webhooks", "kills of a webhook's receiver or its daemon", 2_000, 500, 6, "release", ("alli-mirror",),
         "SEED=$SEED $TOP/tests/webhooks/run.sh $PWD/webhooks $PWD/alli-mirror $COUNT && echo $COUNT webhook kills", r"^(\d+) webhook kills$"),
    Part("threads", "calls under the thread sanitizer", 20_000, 0, 2, "tsan", ("alli-mirror",),
         "python3 $TOP/tests/clients/load.py ./alli-mirror --seconds 60 --seed $SEED", r"^(\d+) calls, 0 faults"),
    Part("addresses", "calls under the address sanitizer", 20_000, 0, 2, "asan", ("alli-mirror",),
         "python3 $TOP/tests/clients/load.py ./alli-mirror --seconds 60 --seed $SEED", r"^(\d+) calls, 0 faults"),
    Part("fuzz", "inputs of the fuzz targets", 5_000_000, 0, 8, "", (), "$TOP/tests/fuzz/run.sh 60", r"inputs: (\d+)"),
    Part("mutants", "planted mistakes that tests noticed", 250, 100, 40, "", (),
         "$TOP/tests/mutants/mutants.py --seed $SEED --drawn $COUNT", r"^(?:named|drawn): (\d+) of"),
    Part("package", "packages installed, upgraded and purged", 1, 0, 8, "release", ("alli-mirror",),
         "$TOP/tests/scenario/package.sh . && echo 1 package", r"^(\d+) package$"),
    Part("container", "containers built, run and restarted", 1, 0, 3, "release", ("alli-mirror",),
         "$TOP/tests/scenario/container.sh . && echo 1 container", r"^(\d+) container$"),
    Part("drill", "bad nights on an installed machine, mended by the runbook", 1, 0, 5, "release", ("alli-mirror",),
         "$TOP/tests/systemd/system.sh . drill && echo 1 night", r"^(\d+) night$"),
    Part("debian13", "packages built and tried on Debian 13", 1, 0, 20, "release", ("alli-mirror",),
         "$TOP/tests/scenario/debian13.sh . && echo 1 other package", r"^(\d+) other package$"),
    Part("newcomer", "newcomers from a bare Debian to a search, by README", 1, 0, 12, "", (),
         "mkdir -p build/release && $TOP/tests/scenario/newcomer.py build/release && echo 1 newcomer", r"^(\d+) newcomer$"),
    Part("system", "boots of the system's units", 1, 0, 6, "release", ("alli-mirror",),
         "$TOP/tests/systemd/system.sh . && echo 1 boot", r"^(\d+) boot$"),
]

HEAD = """# What was reached

Written by `scripts/test --long`, which goes on from here; the numbers add up over its runs. A failure is a slice that found
something; its seed and what was mended are in the change that mended it.

| part | what | reached | goal | failures | next seed | from commit | to commit | on |
|---|---|--:|--:|--:|--:|---|---|---|
"""


@dataclasses.dataclass
class Reached:
    count: int = 0
    failures: int = 0
    seed: int = 1
    first: str = ""
    last: str = ""
    day: str = ""


def load():
    reached = {part.name: Reached() for part in PARTS}
    for line in PROOF.read_text().splitlines() if PROOF.exists() else []:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 9 and cells[0] in reached:
            number = [int(cells[i].replace(",", "")) for i in (2, 4, 5)]
            reached[cells[0]] = Reached(*number, *cells[6:])
    return reached


def save(part, now):
    """Writes this part's row beside what the file has by now: two runs of different parts may go side by side."""
    rows = [(other, now if other is part else row) for other, row in zip(PARTS, load().values())]
    text = "".join(
        f"| {p.name} | {p.what} | {r.count:,} | {p.goal:,} | {r.failures} | {r.seed} | {r.first} | {r.last} | {r.day} |\n"
        for p, r in rows
    )
    aside = PROOF.with_suffix(".new")
    aside.write_text(HEAD + text)
    os.replace(aside, PROOF)


def commit():
    """The commit that was tried; "-dirty" where anything but the table that is written here differs from it."""
    git = ["git", "-C", TOP]
    said = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", ":!docs/proof.md"]).returncode != 0
    return said + "-dirty" * changed if said else "unknown"


def build(part):
    if not part.preset:
        return True
    folder = TOP / "build" / part.preset
    batches = ["-DALLI_UNITY=ON"] if part.preset == "tsan" else []
    for step in (["cmake", "--preset", part.preset, "-DALLI_TESTS=ON", *batches],
                 ["cmake", "--build", folder, "-j2", "--target", *part.targets]):
        with open(LOGS / f"{part.name}-build.log", "a") as log:
            if subprocess.run(step, cwd=TOP, stdout=log, stderr=log).returncode != 0:
                print(f"{part.name}: does not build, see {log.name}", file=sys.stderr)
                return False
    return True


def run_slice(part, now):
    """How many were counted; None: it failed."""
    count = min(part.slice, max(part.goal - now.count, 1)) if part.slice else 1
    environment = {**os.environ, "COUNT": str(count), "SEED": str(now.seed), "TOP": str(TOP)}
    log = LOGS / f"{part.name}-{now.seed}.log"
    with open(log, "w") as said:
        folder = TOP / "build" / part.preset if part.preset else TOP
        code = subprocess.run(["bash", "-c", part.command], cwd=folder, env=environment, stdout=said, stderr=said).returncode
    counted = sum(int(number) for number in re.findall(part.counted, log.read_text(errors="replace"), re.M))
    now.seed += count
    if code != 0 or counted == 0:
        print(f"{part.name}: exit {code}, {counted} {part.what}: see {log}", file=sys.stderr)
        return None
    return counted


def left(part, now):
    return max(part.goal - now.count, 0)


def minutes(part, now):
    return part.minutes * (left(part, now) / part.slice if part.slice else 1) if left(part, now) else 0


def work(part, reached, ends):
    """Slices until the goal; False when one failed."""
    if not build(part):
        return False
    now = reached[part.name]
    while left(part, now) and time.monotonic() < ends:
        counted = run_slice(part, now)
        now.count += counted or 0
        now.failures += counted is None
        now.last, now.day = commit(), datetime.date.today().isoformat()
        now.first = now.first or now.last
        save(part, now)
        if counted is None:
            return False
        print(f"{part.name}: {now.count:,} of {part.goal:,} {part.what}", flush=True)
    return True


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--list", action="store_true", help="the parts, and how long what is left of each takes")
    arguments.add_argument("--minutes", type=float, default=1e9, help="begin no slice after so many minutes")
    arguments.add_argument("part", nargs="*", metavar="PART")
    asked = arguments.parse_args()
    unknown = set(asked.part) - {part.name for part in PARTS}
    if unknown:
        arguments.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(part.name for part in PARTS)}")
    reached = load()
    chosen = [part for part in PARTS if not asked.part or part.name in asked.part]
    for part in chosen:
        now = reached[part.name]
        print(f"{part.name:10} {now.count:>9,} of {part.goal:>9,} {part.what}; some {minutes(part, now):,.0f} minutes left")
    if asked.list:
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + asked.minutes * 60
    wrong = [part.name for part in chosen if left(part, reached[part.name]) and not work(part, reached, ends)]
    print("failed: " + ", ".join(wrong) if wrong else "no slice failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
