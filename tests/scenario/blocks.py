#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""blocks.py PROGRAM SOURCE: the blocks of README and docs. Those marked `run` (```sh run, ```python run, ```js run) are run as they
stand against a mirror of a sandbox, whose port alone differs; they know $key, and base in Python and JavaScript. The others are
parsed, as far as there is a parser, and all are counted. None is passed over: a mark, a fence or a language that is not known here
is a failure."""
import ast
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request

ADDRESS = "127.0.0.1:8787"
RUNS = ("sh", "python", "js")


def documents_of(source):
    """Name and lines."""
    found = glob.glob("docs/**/*.md", root_dir=source, recursive=True)
    for name in ["README.md", "CONTRIBUTING.md", *sorted(found)]:
        with open(f"{source}/{name}") as file:
            yield name, file.read().split("\n")


def marked_to_run(source):
    """How many blocks say so, whatever else is understood of them."""
    return sum(bool(re.search(r"(```|~~~).*\brun\b", line)) for _, lines in documents_of(source) for line in lines)


def blocks_of(source):
    for name, lines in documents_of(source):
        begin = None
        for number, line in enumerate(lines, start=1):
            if begin is None and re.match(r"\s+```|\s*~~~", line):
                raise SystemExit(f"{name}:{number}: a fence that is indented, or of tildes")
            if begin is None and line.startswith("```"):
                begin, kind = number, line[3:].split()
                language, marks = (kind[0], kind[1:]) if kind else ("", [])
                if marks not in ([], ["run"]) or (marks and language not in RUNS):
                    raise SystemExit(f"{name}:{number}: a mark, or a language to run, that is not known: {line}")
            elif begin is not None and line.startswith("```"):
                yield f"{name}:{begin}", language, bool(marks), "\n".join(lines[begin:number - 1])
                begin = None
        if begin is not None:
            raise SystemExit(f"{name}:{begin}: a block that does not end")


def complaint(words, text):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr


def parse(language, text):
    """What is wrong with it; None: there is no parser for that."""
    if language in ("sh", "bash"):
        return complaint(["bash", "-n"], text)
    if language == "js":
        with tempfile.NamedTemporaryFile("w", suffix=".mjs") as file:
            file.write(text)
            file.flush()
            return complaint(["node", "--check", file.name], "")
    try:
        if language == "python":
            ast.parse(text)
        elif language == "toml":
            tomllib.loads(text)
        elif language == "json":
            json.loads(text)
        else:
            return None
    except (SyntaxError, ValueError) as wrong:
        return str(wrong)
    return ""


class Mirror:
    def __init__(self, program):
        self.home = tempfile.TemporaryDirectory()
        os.symlink(program, f"{self.home.name}/alli-mirror")
        self.environment = {"HOME": self.home.name, "PATH": f"{self.home.name}:{os.environ['PATH']}", "key": "sandbox",
                            "ALLI_MIRROR_PROXY_LISTEN": f"127.0.0.1:0,unix:{self.home.name}/proxy.sock"}
        self.log = open(f"{self.home.name}/log", "w+")
        self.process = subprocess.Popen([program, "serve", "--sandbox", "--conversations", "30"],
                                        env=self.environment, stdout=self.log, stderr=self.log)
        self.address = self.wait()

    def wait(self):
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.log.name) as said:
                found = re.search(r" listens on ([^, \n]*)", said.read())
            if found and self.is_complete(found.group(1)):
                return found.group(1)
            time.sleep(0.1)
        with open(self.log.name) as said:
            raise SystemExit(f"the mirror is not there: {said.read()}")

    @staticmethod
    def is_complete(address):
        request = urllib.request.Request(f"http://{address}/mirror/v1/status", headers={"API-KEY": "sandbox"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)["mirror"]["complete"]

    def run(self, language, text, source):
        text = text.replace(ADDRESS, self.address)
        first = f'key = "sandbox"; base = "http://{self.address}"\n'
        if language == "js":
            words, text = ["node", "--input-type=module", "-"], "const " + first.replace("; ", "; const ") + text
        elif language == "python":
            words, text = [sys.executable, "-"], first + text
        else:
            words = ["bash", "-euo", "pipefail"]
        return subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, env=self.environment, cwd=source)

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def main():
    program, source = map(os.path.abspath, sys.argv[1:])
    counts, failures, mirror = {"run": 0, "parsed": 0, "read": 0}, [], None
    for place, language, runs, text in blocks_of(source):
        wrong = parse(language, text)
        if wrong:
            failures.append(f"{place}: {wrong}")
        elif runs:
            mirror = mirror or Mirror(program)
            done = mirror.run(language, text, source)
            if done.returncode != 0 or not done.stdout.strip():
                failures.append(f"{place}: ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        counts["run" if runs else "parsed" if wrong is not None else "read"] += 1
    if mirror:
        mirror.end()
    print("\n".join(failures))
    print(f"{counts['run']} blocks were run, {counts['parsed']} parsed, {counts['read']} have no parser")
    if not counts["run"] == marked_to_run(source) > 0:
        print(f"but {marked_to_run(source)} are marked to be run")
        return 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
