#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make.py COMMIT NAME [--killed] [--program FILE]: builds the program of an earlier commit, lets it mirror its own sandbox and take
writes that cannot go out, and packs the files that it leaves, with what it said of them, as tests/upgrade/NAME.tar.gz.
upgrade_test.cpp opens them with today's program. --killed: the program is not ended in order, and leaves its logs."""
import argparse
import gzip
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
SEED, CONVERSATIONS = "25", "12"  # upgrade_test.cpp has the same
TOKEN_BY_HAND = "written-by-hand-0123456789abcdef0123456789abcdef"
MOST_BYTES = 200_000


def build(commit):
    """The program of that commit, in build/upgrade/COMMIT."""
    tree = TOP / "build" / "upgrade" / commit
    program = tree / "build" / "dev" / "alli-mirror"
    if not program.exists():
        tree.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(["git", "archive", commit], cwd=TOP, check=True, capture_output=True).stdout
        subprocess.run(["tar", "x", "-C", str(tree)], input=archive, check=True)
        subprocess.run(["cmake", "--preset", "dev", "-DALLI_TESTS=OFF"], cwd=tree, check=True)
        subprocess.run(["ninja", "-C", str(tree / "build" / "dev"), "-j2", "alli-mirror"], check=True)
    return program


class Way:
    """The way to the sandbox, which can be closed: the program knows no other address of it."""

    def __init__(self, port):
        self.to, self.listener, self.open_ones = port, None, []
        self.port = None
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port or 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open_ones:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open_ones = []

    def accept(self, listener):
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to))
            self.open_ones += [here, there]
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    @staticmethod
    def carry(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Old:
    """The old program in a home of its own."""

    def __init__(self, program, home):
        self.program, self.home, self.daemon = str(program), home, None
        if "\n  token " not in self.run("--help"):  # then a person writes the file
            (home / "tokens").write_text(TOKEN_BY_HAND + "\n")
            (home / "tokens").chmod(0o600)
        self.sandbox, line = self.start("sandbox", "--seed", SEED, "--conversations", CONVERSATIONS, "--listen", "127.0.0.1:0")
        self.sandbox_port = int(re.search(r"127\.0\.0\.1:(\d+)", line).group(1))
        self.way = Way(self.sandbox_port)
        self.port = None

    @property
    def environment(self):
        return {"HOME": str(self.home), "PATH": os.environ["PATH"], "TZ": "UTC", "ALLI_API_KEY": "sandbox",
                "ALLI_MIRROR_UPSTREAM_URL": f"http://127.0.0.1:{self.way.port}" if hasattr(self, "way") else "http://127.0.0.1:1",
                "ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": "0", "ALLI_MIRROR_PROXY_LISTEN": "127.0.0.1:0",
                "ALLI_MIRROR_PROXY_TOKENS_FILE": str(self.home / "tokens"), "ALLI_MIRROR_SYNC_INTERVAL": "1s"}

    def start(self, *words):
        process = subprocess.Popen([self.program, *words], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        said = ""
        for line in process.stdout:
            said += line
            if "127.0.0.1:" in line:
                break
        else:
            raise SystemExit(f"{words[0]} ended at once: {said}")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        return process, line

    def run(self, *words, may_fail=False):
        done = subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 and not may_fail:
            raise SystemExit(f"{words}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def serve(self):
        self.daemon, line = self.start("serve")
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", line).group(1))

    def stop(self, sign=signal.SIGTERM):
        self.daemon.send_signal(sign)
        self.daemon.wait(20)

    def ask(self, method, target, body=None, port=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{target}", data, method=method,
                                         headers={"API-KEY": "sandbox", "Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def outbox(self):
        return json.loads(self.run("outbox", "list", "--json"))


def until(what, fits):
    for _ in range(600):
        if fits():
            return
        time.sleep(0.05)
    raise SystemExit(f"it never came to this: {what}")


def target_of(conversation, rest=""):
    return "/webapi/v2/conversations/" + urllib.parse.quote(conversation, safe="") + rest


def states(old):
    """{state: how many}, whatever shape that program's list has."""
    count = {}
    for entry in entries(old):
        count[entry["state"]] = count.get(entry["state"], 0) + 1
    return count


def entries(old):
    told = old.outbox()
    return told if isinstance(told, list) else told.get("entries", told.get("writes"))


def expect(answer, *wanted):
    status, body = answer
    if status not in wanted:
        raise SystemExit(f"{status} for one of {wanted}: {body.decode(errors='replace')}")
    return body


def live(old, killed):
    """What happens to it; what the test has to know of that."""
    about = {}
    old.run("sync")
    listed = json.loads(expect(old.ask("GET", "/webapi/v2/conversations?pageSize=50", port=old.sandbox_port), 200))
    ids = [item["id"] for item in listed["conversations"]]
    commands = old.run("--help")
    if "\n  purge " in commands:
        old.run("purge", "--conversation", ids[5], "--yes")
        about["purged"] = ids[5]
    if "\n  token " in commands:
        about["token"] = json.loads(old.run("token", "new", "reader", "--scope", "read", "--json"))["token"]
        about["scope"] = "read"
    else:
        about["token"] = TOKEN_BY_HAND
    old.serve()
    expect(old.ask("PUT", target_of(ids[3], "/title"), {"title": "delivered before"}), 200, 202)
    until("delivered", lambda: not states(old).keys() & {"pending", "sending"})
    old.way.close()
    expect(old.ask("PUT", target_of(ids[4], "/title"), {"title": "ours, in conflict"}), 202)
    old.stop()
    expect(old.ask("PUT", target_of(ids[4], "/title"), {"title": "theirs"}, port=old.sandbox_port), 200)
    old.way.open()
    old.serve()
    until("in conflict", lambda: states(old).get("conflict") == 1)
    about["conflict"] = ids[4]
    old.way.close()
    about["waiting"] = []
    for method, number, rest, body in (("PUT", 0, "/title", {"title": "waits: 金沢 one"}), ("PUT", 0, "/title", {"title": "waits: two"}),
                                       ("PUT", 1, "", {"memo": "waits too", "state": "CLOSED"}), ("DELETE", 6, "", None)):
        expect(old.ask(method, target_of(ids[number], rest), body), 202)
        about["waiting"].append({"method": method, "path": target_of(ids[number], rest), "conversation": ids[number],
                                 "body": "" if body is None else json.dumps(body)})
    about["deleted"] = ids[6]
    pending = sorted(entry["id"] for entry in entries(old) if entry["state"] == "pending")
    for write, number in zip(about["waiting"], pending, strict=True):
        write["id"] = number
    about["export"] = [json.loads(line) for line in old.run("export", "--format", "jsonl").splitlines()]
    about["version"] = old.run("--version").strip()
    old.stop(signal.SIGKILL if killed else signal.SIGTERM)
    return about


def pack(name, about, home):
    state = home / ".local" / "state" / "alli-mirror"
    files = {"about.json": json.dumps(about, ensure_ascii=False, indent=1).encode() + b"\n"}
    for path in [*sorted(state.glob("*.db")), *sorted(state.glob("*.db-wal")), home / "tokens"]:
        if path.exists():
            files[path.name] = path.read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    out = TOP / "tests" / "upgrade" / f"{name}.tar.gz"
    out.write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))
    if out.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{out} has {out.stat().st_size} bytes, more than {MOST_BYTES}")
    print(f"{out.name}: {out.stat().st_size} bytes; " + ", ".join(f"{path} {len(content)}" for path, content in files.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("name")
    parser.add_argument("--killed", action="store_true")
    parser.add_argument("--program", help="that was built of it already")
    args = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp())
    old = Old(args.program or build(args.commit), home)
    try:
        about = live(old, args.killed)
        about["commit"] = args.commit
        pack(args.name, about, home)
    finally:
        for process in (old.daemon, old.sandbox):
            if process and process.poll() is None:
                process.kill()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
