#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py [--check] [--drawn N] [--seed N] [--only PATTERN] [--again]: plants the named mistakes (*.toml) and N drawn ones into one
copy of the tree (build/mutants), builds its test programs once, and runs each mistake with the tests that reach it. Prints those
that no test notices. Exit code 1: a named one. --check: only whether each still fits the sources."""
import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib

import drawn

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
COPY = TOP / "build" / "mutants"
BUILD = COPY / "build" / "dev"
PROGRAMS = ["core_test", "http_test", "cache_test", "upstream_test", "sync_test", "proxy_test", "powercut_test", "replica_test",
            "cluster_test", "cluster_simulation_test", "program_simulation_test"]
FIRST_DRAWN = 1001
LEAST_NAMED = 60
SLOW = 20.0  # seconds of a test that is left out
BUDGETS = {True: 90.0, False: 30.0}  # seconds of tests for a named one, for a drawn one


@dataclasses.dataclass
class Mutant:
    number: int
    name: str
    file: str
    edits: list  # (start, end, text), MUTANT in it
    named: bool
    programs: list
    tests: list  # of the row: (program, name), run first, whatever the trace says


def fail(sentence):
    sys.exit(f"mutants: {sentence}")


def load_named(sources):
    mutants, names = [], set()
    for path in sorted(HERE.glob("*.toml")):
        for entry in tomllib.loads(path.read_text())["mutant"]:
            name, file = entry["name"], entry["file"]
            if name in names:
                fail(f"{path.name}: two are named \"{name}\"")
            names.add(name)
            text = sources.setdefault(file, (TOP / file).read_text())
            edits = []
            for old, new in zip(entry["text"], entry["instead"], strict=True):
                if text.count(old) != 1:
                    fail(f"{path.name}: {file} has {text.count(old)} times, not once, what \"{name}\" replaces:\n{old}")
                if "MUTANT" not in new:
                    fail(f"{path.name}: \"{name}\" is made always: no MUTANT in it")
                edits.append((text.index(old), text.index(old) + len(old), new))
            tests = [tuple(test.split(" ", 1)) for test in entry.get("tests", [])]
            mutants.append(Mutant(len(mutants) + 1, name, file, edits, True, entry.get("programs", PROGRAMS), tests))
    if len(mutants) < LEAST_NAMED:
        fail(f"{len(mutants)} named ones, fewer than {LEAST_NAMED}")
    return mutants


def require_tests(mutants):
    """Those that a row names are there: gtest says nothing of a filter that fits none."""
    sources = "\n".join(path.read_text() for path in sorted((TOP / "tests").glob("**/*_test.cpp")))
    for mutant in mutants:
        for program, name in mutant.tests:
            suite, test = re.fullmatch(r"(?:\w+/)?(\w+)\.(\w+)(?:/\w+)?", name).groups()
            if program not in PROGRAMS or not re.search(rf"\bTEST(_[FP])?\({suite}, {test}\)", sources):
                fail(f"\"{mutant.name}\" names a test that is not there: {program} {name}")


def without_overlaps(mutants):
    """Named ones at the same spot cannot be in one copy."""
    by_file = collections.defaultdict(list)
    for mutant in mutants:
        for edit in mutant.edits:
            for other, named in by_file[mutant.file]:
                if edit[0] < other[1] and other[0] < edit[1]:
                    fail(f"\"{mutant.name}\" and \"{named}\" are at the same spot of {mutant.file}")
            by_file[mutant.file].append((edit, mutant.name))
    return {file: [edit[:2] for edit, _ in edits] for file, edits in by_file.items()}


def choose_drawn(sources, spots, count, refused):
    """The first of them in the seed's order that do not overlap, without what the compiler refused."""
    chosen, taken = [], collections.defaultdict(list)
    for index, spot in enumerate(spots):
        if len(chosen) == count:
            break
        if index in refused or any(spot.start < end and start < spot.end for start, end in taken[spot.file]):
            continue
        taken[spot.file].append((spot.start, spot.end))
        chosen.append(Mutant(FIRST_DRAWN + index, f"{spot.file} {' '.join(spot.what.split())}", spot.file,
                             [(spot.start, spot.end, spot.instead)], False, PROGRAMS, []))
    return chosen


def write_if_other(path, text):
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def planted(text, mutants, file):
    """The source with all of its mutants, and the line of each, for the compiler's messages."""
    edits = sorted((edit, mutant.number) for mutant in mutants if mutant.file == file for edit in mutant.edits)
    out, at, lines = '#include "mutant_switch.hpp"\n' if edits else "", 0, {}
    for (start, end, new), number in edits:
        out += text[at:start]
        first = out.count("\n") + 1
        out += new.replace("MUTANT", f"alli_mutant({number})")
        for line in range(first, out.count("\n") + 2):
            lines.setdefault(line, []).append(number)
        at = end
    return out + text[at:], lines


def make_copy(sources):
    """Of all but the sources, which are written with what is planted into them."""
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, check=True,
                           capture_output=True, text=True).stdout
    for name in files.split("\0"):
        if not name or name in sources or not (TOP / name).is_file():
            continue
        target = COPY / name
        content = (TOP / name).read_bytes()
        if name == "cmake/room.cmake":
            content = content.replace(b"add_executable(${name}_test ${T_SOURCES})",
                                      b"add_executable(${name}_test ${T_SOURCES} ${CMAKE_SOURCE_DIR}/tests/mutants/running_test.cpp)")
        if name == "tests/cache/CMakeLists.txt":  # the same words for the compiler as in the tree itself: ccache has them
            content = content.replace(b'ALLI_SOURCE="${CMAKE_SOURCE_DIR}"', f'ALLI_SOURCE="{TOP}"'.encode())
        if name == "tests/CMakeLists.txt":  # it plants mistakes of its own into the same lines
            content = content.replace(b" simulation ", b" simulation/cluster ")
        if name == "tests/cluster/CMakeLists.txt":
            content = content.replace(b"add_executable(cluster_test ",
                                      b"add_executable(cluster_test ${CMAKE_SOURCE_DIR}/tests/mutants/running_test.cpp ")
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            os.chmod(target, (TOP / name).stat().st_mode)
    write_if_other(COPY / "mutant_switch.hpp", (HERE / "mutant_switch.hpp").read_text())


def compile_copy(programs):
    done = subprocess.run(["cmake", "--preset", "dev", "-DALLI_TESTS=ON"], cwd=COPY, capture_output=True, text=True)
    if done.returncode != 0:
        fail(done.stdout + done.stderr)
    return subprocess.run(["ninja", "-C", str(BUILD), "-k", "0", "-j", os.environ.get("ALLI_JOBS", "3"), *programs],
                          capture_output=True, text=True)


def build(sources, named, spots, count, programs):
    make_copy(sources)
    refused = set()
    for _ in range(6):
        mutants = named + choose_drawn(sources, spots, count, refused)
        lines = {}
        for file, text in sources.items():
            out, lines[file] = planted(text, mutants, file)
            write_if_other(COPY / file, out)
        done = compile_copy(programs)
        if done.returncode == 0:
            return mutants
        before = len(refused)
        for file, line in set(re.findall(r"([\w/.]+\.cpp):(\d+):\d+: error", done.stdout)):
            file = str(pathlib.Path(os.path.normpath(BUILD / file)).relative_to(COPY)) if not file.startswith("/") else str(
                pathlib.Path(file).relative_to(COPY))
            refused |= {n - FIRST_DRAWN for n in lines.get(file, {}).get(int(line), []) if n >= FIRST_DRAWN}
        if len(refused) == before:
            fail("the copy does not compile:\n" + "\n".join(l for l in done.stdout.splitlines() if "error" in l)[:4000])
        print(f"{len(refused)} of the drawn ones do not compile: others are taken", flush=True)
    fail("the copy does not compile")


def environment(**more):
    return {**os.environ, "ALLI_POWERCUT_SECONDS": "8", "ALLI_DISK_FAULT_SECONDS": "5", **more}


def trace(program):
    """{test: (seconds, {numbers that it reaches})}; a test that fails as it is does not count."""
    log, report = COPY / f"{program}.reached", COPY / f"{program}.json"
    for path in (log, report):
        path.unlink(missing_ok=True)
    subprocess.run([str(BUILD / program), f"--gtest_output=json:{report}", "--gtest_brief=1"], cwd=BUILD,
                   env=environment(ALLI_MUTANT_TRACE=str(log)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    tests = {}
    for suite in json.loads(report.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("result") == "COMPLETED" and "failures" not in test:
                tests[f"{suite['name']}.{test['name']}"] = (float(test["time"].rstrip("s")), set())
    for line in log.read_text().splitlines() if log.exists() else []:
        number, name = line.split(" ", 1)
        if name in tests:
            tests[name][1].add(int(number))
    return tests


def run_tests(program, names, seconds, number):
    flags = COPY / f"flags.{number}.{program}"
    flags.write_text("--gtest_filter=" + ":".join(names) + "\n")
    try:
        done = subprocess.run([str(BUILD / program), f"--gtest_flagfile={flags}", "--gtest_fail_fast", "--gtest_brief=1"], cwd=BUILD,
                              env=environment(ALLI_MUTANT=str(number)), capture_output=True, text=True, errors="replace",
                              timeout=30 + 4 * seconds, check=False)
    except subprocess.TimeoutExpired:
        return "it hangs"
    finally:
        flags.unlink(missing_ok=True)
    if done.returncode == 0:
        return None
    failed = re.search(r"\[  FAILED  \] ([^\s,]+)", done.stdout)
    return failed.group(1) if failed else f"{program} ended with {done.returncode}"


def kill(mutant, traces):
    """The test that noticed; None: none did. And how many tests looked."""
    looked = 0
    for program, name in mutant.tests:
        if broken := run_tests(program, [name], SLOW, 0):
            fail(f"{broken} fails with nothing planted")
        looked += 1
        if killer := run_tests(program, [name], SLOW, mutant.number):
            return killer, looked
    for program in mutant.programs:
        reach = sorted((seconds, name) for name, (seconds, numbers) in traces[program].items()
                       if mutant.number in numbers and seconds < SLOW)
        names, total = [], 0.0
        for seconds, name in reach:
            if total + seconds > BUDGETS[mutant.named] and names:
                break
            names.append(name)
            total += seconds
        if not names:
            continue
        looked += len(names)
        killer = run_tests(program, names, total, mutant.number)
        if killer:
            return killer, looked
    return None, looked


def run(mutants, traces):
    survivors, killed = [], collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("ALLI_JOBS", "2"))) as pool, \
            open(COPY / "report.txt", "w", encoding="utf-8") as report:
        for mutant, (killer, looked) in zip(mutants, pool.map(lambda m: kill(m, traces), mutants)):
            said = f"noticed by {killer}" if killer else f"NOT NOTICED by {looked} tests"
            report.write(f"{mutant.number} {mutant.name}: {said}\n")
            report.flush()
            killed[mutant.named] += killer is not None
            if not killer:
                survivors.append(mutant)
                print(f"  {'named' if mutant.named else 'drawn'} {mutant.number}: {mutant.name}: {said}", flush=True)
    return survivors, killed


def programs_of(mutants):
    """Those whose tests look at them: of one that names its tests, no others."""
    return sorted({program for mutant in mutants
                   for program in ([program for program, _ in mutant.tests] if mutant.tests else mutant.programs)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only whether each named one still fits the sources")
    parser.add_argument("--drawn", type=int, default=100, help="so many drawn ones (100)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the drawn ones")
    parser.add_argument("--only", help="of the named ones, which alone are planted then, those whose name this pattern fits")
    parser.add_argument("--again", action="store_true", help="with what the last run learned about which test reaches what")
    args = parser.parse_args()
    sources = {}
    named = load_named(sources)
    require_tests(named)
    taken = without_overlaps(named)
    if args.check:
        print(f"{len(named)} named mistakes in {len(sources)} files fit the sources")
        return 0
    if args.only:
        named, args.drawn = [mutant for mutant in named if re.search(args.only, mutant.name)], 0
    print(f"{len(named)} named mistakes in {len(sources)} files, {args.drawn} drawn by seed {args.seed}", flush=True)
    spots = drawn.draw(sources, args.seed, taken)
    programs = programs_of(named) if args.only else PROGRAMS
    mutants = build(sources, named, spots, args.drawn, programs)
    known = COPY / "traces.json"
    asked = [mutant for mutant in mutants if not mutant.tests]
    if asked and not (args.again and known.exists()):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            traces = dict(zip(programs, pool.map(trace, programs)))
        known.write_text(json.dumps({p: {n: [s, sorted(r)] for n, (s, r) in t.items()} for p, t in traces.items()}))
    told = json.loads(known.read_text()) if asked else {}
    traces = {p: {n: (s, set(r)) for n, (s, r) in told.get(p, {}).items()} for p in PROGRAMS}
    print(f"{sum(map(len, traces.values()))} tests of {len(programs)} programs; not noticed:", flush=True)
    survivors, killed = run(mutants, traces)
    for is_named, word in ((True, "named"), (False, "drawn")):
        of = sum(mutant.named == is_named for mutant in mutants)
        print(f"{word}: {killed[is_named]} of {of} noticed")
    return 1 if any(mutant.named for mutant in survivors) else 0


if __name__ == "__main__":
    sys.exit(main())
