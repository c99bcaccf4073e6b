#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cluster.py PROGRAM [--rounds N] [--seed S]: three daemons over a PostgreSQL of the test's own and a sandbox. In each round, drawn
from the printed seed, one thing fails: the leader is killed, frozen or stopped, a follower is killed, PostgreSQL is away. Meanwhile
apps read at all nodes and write to whichever takes the write. Judged: no 5xx on a cached read, no claim of completeness that
upstream contradicts, every acknowledged write at upstream in the end, and the exports of all nodes and of a mirror made anew equal
byte for byte, a conversation a line (in which order is a node's own). At last PostgreSQL and upstream are both stopped, and every node still serves."""
import argparse
import glob
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

CONVERSATIONS = 150
LEASE = 3.0
NAMES = ("north", "south", "west")
KEY = "sandbox"
PATIENCE = 40
WRITERS = 4


class Failure(Exception):
    pass


def ask(port, method, target, body=None, timeout=12, key=KEY):
    """Status, headers and body; status 0: nobody answered."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", method=method, data=body,
                                     headers={"API-KEY": key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except (OSError, ValueError):
        return 0, {}, b""


def wait_for(what, found, patience=PATIENCE):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.02)
    raise Failure(f"in vain for {patience} s: {what}")


class Postgres:
    def __init__(self, directory):
        self.directory = directory
        versions = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        if not versions:
            raise SystemExit("no /usr/lib/postgresql/*/bin/initdb: scripts/prepare installs it")
        self.programs = os.path.dirname(versions[-1])
        self.words = []
        if os.geteuid() == 0:  # which PostgreSQL refuses
            self.words = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
            subprocess.run(["chown", "nobody", directory], check=True)
        subprocess.run([*self.words, f"{self.programs}/initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                        "--no-sync", "--no-instructions", "-D", f"{directory}/data"], check=True, stdout=subprocess.DEVNULL)
        self.url = f"postgresql://postgres@{directory.replace('/', '%2F')}/postgres"
        self.start()

    def start(self):
        log = open(f"{self.directory}/log", "ab")
        self.process = subprocess.Popen([*self.words, f"{self.programs}/postgres", "-D", f"{self.directory}/data", "-k", self.directory,
                                         "-h", "", "-F", "-c", "shared_buffers=32MB", "-c", "autovacuum=off"], stdout=log, stderr=log)
        wait_for("PostgreSQL starts", lambda: subprocess.run(
            [f"{self.programs}/pg_isready", "-q", "-h", self.directory], stdout=subprocess.DEVNULL).returncode == 0)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


class Node:
    def __init__(self, name, program, directory, upstream, database):
        self.name, self.program, self.home = name, program, f"{directory}/{name}"
        os.mkdir(self.home)
        self.environment = {"HOME": self.home, "PATH": "/usr/bin:/bin", "ALLI_API_KEY": KEY, "ALLI_MIRROR_UPSTREAM_URL": upstream,
                            "ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": "0", "ALLI_MIRROR_UPSTREAM_READ_LAG": "50ms",
                            "ALLI_MIRROR_PROXY_LISTEN": "127.0.0.1:0", "ALLI_MIRROR_SYNC_INTERVAL": "1s",
                            # A title moves no clock: where the leader ended between a write and the read after it, the next
                            # one finds out by comparing.
                            "ALLI_MIRROR_SYNC_RECONCILE_INTERVAL": "5s",
                            "ALLI_MIRROR_CLUSTER_URL": database, "ALLI_MIRROR_CLUSTER_NODE": name,
                            "ALLI_MIRROR_CLUSTER_LEASE": f"{LEASE:g}s"}
        self.process, self.port = None, 0
        self.admin = self.run("token", "new", "admin", "--scope", "admin").stdout.decode().strip()
        self.log = f"{directory}/{name}.log"

    def start(self):
        with open(self.log, "ab") as log:
            begun = log.tell()
            self.process = subprocess.Popen([self.program, "serve"], env=self.environment, stdout=log, stderr=log)

        def listens():
            with open(self.log, "rb") as file:
                file.seek(begun)
                found = re.search(rb"listens on 127\.0\.0\.1:(\d+)", file.read())
            if not found and self.process.poll() is not None:
                raise Failure(f"{self.name} does not start: see {self.log}")
            return found
        self.port = int(wait_for(f"{self.name} starts", listens)[1])

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(20)
        if how == signal.SIGTERM and code != 0:
            raise Failure(f"{self.name} was stopped and ended with {code}")

    def status(self):
        status, _, body = ask(self.port, "GET", "/mirror/v1/status")
        return json.loads(body) if status == 200 else None

    def run(self, *words):
        return subprocess.run([self.program, *words], env=self.environment, capture_output=True, timeout=60)

    def export(self):
        done = self.run("export")
        if done.returncode != 0:
            raise Failure(f"{self.name}: export: {done.stderr.decode()}")
        return b"".join(sorted(done.stdout.splitlines(keepends=True)))


class Rig:
    def __init__(self, program, directory, seed):
        self.random = random.Random(seed)
        self.program, self.directory = program, directory
        os.mkdir(f"{directory}/postgres")
        self.postgres = Postgres(f"{directory}/postgres")
        self.sandbox = subprocess.Popen([program, "sandbox", "--conversations", str(CONVERSATIONS), "--embedded", "3"],
                                        env={"HOME": directory, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True)
        self.upstream = self.sandbox.stdout.readline().strip()
        self.nodes = [Node(name, program, directory, self.upstream, self.postgres.url) for name in NAMES]
        done = self.nodes[0].run("cluster", "init")
        if done.returncode != 0:
            raise Failure(f"cluster init: {done.stderr.decode()}")
        self.faults, self.reads, self.claims, self.takeovers = [], 0, 0, []
        self.acknowledged, self.refusals = {}, 0
        self.ends = threading.Event()

    def stop(self):
        self.ends.set()
        for node in self.nodes:
            if node.is_running():
                node.process.send_signal(signal.SIGCONT)
                node.process.kill()
        self.sandbox.kill()
        if self.postgres.process.poll() is None:
            self.postgres.stop()

    def leader(self):
        for node in self.nodes:
            if node.is_running() and ask(node.port, "GET", "/readyz?role=leader", timeout=1)[0] == 200:
                return node
        return None

    def wait_for_leader(self, but=None):
        begun = time.monotonic()
        leader = wait_for("a node leads", lambda: (found := self.leader()) and found is not but and found)
        self.takeovers.append(time.monotonic() - begun)
        return leader

    def wait_until_level(self):
        """All are complete and as far as the leader, which has published all."""
        def level():
            status = [node.status() for node in self.nodes]
            if not all(status) or [one["cluster"]["role"] for one in status].count("leader") != 1:
                return False
            if not all(one["mirror"]["complete"] for one in status):
                return False
            position = max(one["cluster"]["position"] for one in status)
            return all(one["cluster"]["position"] == position for one in status)
        wait_for("all nodes are level", level)

    # What goes on meanwhile.

    def read_forever(self, ids, seed):
        chance = random.Random(seed)
        while not self.ends.is_set():
            node = chance.choice(self.nodes)
            target = chance.choice(["/webapi/v2/conversations?pageSize=20", f"/webapi/v2/conversations/{chance.choice(ids)}",
                                    f"/webapi/v2/conversations/{chance.choice(ids)}/chats"])
            status, headers, body = ask(node.port, "GET", target, timeout=8)
            self.reads += status != 0
            if status >= 500:
                self.faults.append(f"{node.name}: {target} is {status}: {body[:200]}")
            time.sleep(0.01)

    def watch_claims(self):
        while not self.ends.is_set():
            for node in self.nodes:
                mirror = (node.status() or {}).get("mirror", {})
                if not mirror.get("complete"):
                    continue
                self.claims += 1
                if mirror["conversations"] != CONVERSATIONS:
                    self.faults.append(f"{node.name} claims to be complete with {mirror['conversations']} of {CONVERSATIONS} conversations")
            time.sleep(0.05)

    def write_forever(self, ids):
        """A title each, of a conversation of its own: so that none hides another that was lost."""
        for number, conversation in enumerate(ids):
            while not self.ends.is_set():
                node = self.nodes[number % len(self.nodes)]
                number += 1
                title = f"write {conversation}"
                status, _, body = ask(node.port, "PUT", f"/webapi/v2/conversations/{conversation}/title", json.dumps({"title": title}).encode())
                if status in (200, 202):
                    self.acknowledged[conversation] = title
                    break
                if status == 503:
                    self.refusals += 1
                elif status != 0:
                    self.faults.append(f"{node.name}: a write is {status}: {body[:200]}")
                time.sleep(0.03)
            if self.ends.wait(0.1):
                return

    # What fails.

    def kill_leader(self):
        leader = self.leader()
        leader.end(signal.SIGKILL)
        self.wait_for_leader(but=leader)
        leader.start()

    def freeze_leader(self):
        leader = self.leader()
        leader.process.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.3, 2 * LEASE))
        leader.process.send_signal(signal.SIGCONT)
        time.sleep(0.1)
        if not leader.is_running():  # by its deadline
            leader.start()

    def stop_leader(self):
        leader = self.leader()
        leader.end(signal.SIGTERM)
        self.wait_for_leader(but=leader)
        leader.start()

    def kill_follower(self):
        leader = self.leader()
        follower = self.random.choice([node for node in self.nodes if node is not leader])
        follower.end(signal.SIGKILL)
        time.sleep(self.random.uniform(0, 1))
        follower.start()

    def stop_postgres(self):
        before = [node.process.pid for node in self.nodes]
        self.postgres.stop()
        time.sleep(self.random.uniform(0.5, 3 * LEASE))
        self.postgres.start()
        self.wait_for_leader()
        for node, pid in zip(self.nodes, before):
            if not node.is_running() or node.process.pid != pid:
                raise Failure(f"{node.name} ended while PostgreSQL was away: see {node.log}")

    def play(self, rounds):
        kinds = [self.kill_leader, self.freeze_leader, self.stop_leader, self.kill_follower, self.stop_postgres]
        for number in range(rounds):
            if number % len(kinds) == 0:
                self.random.shuffle(kinds)  # each once before any twice
            kind = kinds[number % len(kinds)]
            begun = time.monotonic()
            kind()
            self.wait_for_leader()
            self.wait_until_level()
            print(f"  round {number + 1}: {kind.__name__.replace('_', ' ')}, level after {time.monotonic() - begun:.1f} s", flush=True)
            if self.faults:
                raise Failure("\n".join(self.faults[:10]))

    # What must be true in the end.

    def deliver_what_waits(self):
        """Writes wait where they were accepted: each such node leads once more."""
        for node in self.nodes:
            def is_drained():
                status = node.status()
                if status["outbox"]["pending"] == 0:
                    return True
                leader = self.leader()
                if leader and leader is not node:
                    ask(leader.port, "POST", "/mirror/v1/cluster/step-down", key=leader.admin)
                    time.sleep(LEASE)
                return False
            wait_for(f"{node.name} has delivered what waits", is_drained, 90)

    def judge_writes(self):
        lost = []
        for conversation, title in self.acknowledged.items():
            _, _, body = ask(int(self.upstream.rsplit(":", 1)[1]), "GET", f"/webapi/v2/conversations/{conversation}")
            if json.loads(body).get("title") != title:
                lost.append(conversation)
        if lost:
            raise Failure(f"{len(lost)} of {len(self.acknowledged)} acknowledged writes never arrived, one is of {lost[0]}")

    def judge_exports(self):
        exports = {node.name: node.export() for node in self.nodes}
        anew = Node("anew", self.program, self.directory, self.upstream, "")
        done = anew.run("sync")
        if done.returncode != 0:
            raise Failure(f"a mirror made anew: {done.stderr.decode()}")
        exports["a mirror made anew"] = anew.export()
        expected = exports["a mirror made anew"]
        if len(expected.splitlines()) != CONVERSATIONS:
            raise Failure(f"upstream's own export has {len(expected.splitlines())} conversations")
        for name, text in exports.items():
            if text != expected:
                lines, here = expected.splitlines(), text.splitlines()
                differ = [line for line in here if line not in set(lines)]
                kept = os.environ.get("KEEP")
                if kept:
                    for who, what in exports.items():
                        with open(f"{kept}/{who.replace(' ', '-')}.jsonl", "wb") as file:
                            file.write(what)
                raise Failure(f"the export of {name} is another: {len(here)} lines, {len(differ)} of them differ"
                              + (f", as {differ[0][:300]}" if differ else " in their order alone"))

    def judge_reads(self, targets, when):
        """Byte for byte the same at all nodes."""
        bodies = {}
        for node in self.nodes:
            for target in targets:
                status, headers, body = ask(node.port, "GET", target)
                if status != 200 or "; hit" not in headers["Cache-Status"]:
                    raise Failure(f"{when}: {node.name}: {target} is {status}, {headers.get('Cache-Status')}")
                if bodies.setdefault(target, body) != body:
                    raise Failure(f"{when}: {node.name}: {target} differs from what {self.nodes[0].name} answers")


def run(rig, rounds):
    for node in rig.nodes:
        node.start()
    rig.wait_for_leader()
    rig.wait_until_level()
    port = int(rig.upstream.rsplit(":", 1)[1])
    ids, cursor = [], ""
    while cursor is not None:
        page = json.loads(ask(port, "GET", f"/webapi/v2/conversations?pageSize=50{cursor}")[2])
        ids += [urllib.parse.quote(item["id"], safe="") for item in page["conversations"]]
        cursor = f"&cursor={page['cursor']}" if page.get("cursor") else None
    rig.takeovers.clear()
    work = [threading.Thread(target=rig.watch_claims)]
    work += [threading.Thread(target=rig.write_forever, args=(ids[part::WRITERS],)) for part in range(WRITERS)]
    work += [threading.Thread(target=rig.read_forever, args=(ids, rig.random.random())) for _ in range(2)]
    for thread in work:
        thread.start()
    rig.play(rounds)
    rig.ends.set()
    for thread in work:
        thread.join()
    if rig.faults:
        raise Failure("\n".join(rig.faults[:10]))
    rig.deliver_what_waits()
    rig.judge_writes()
    rig.wait_until_level()
    targets = ["/webapi/v2/conversations?pageSize=50"] + [f"/webapi/v2/conversations/{one}{end}" for one in ids for end in ("", "/chats")]
    wait_for("the last writes are everywhere", lambda: len({node.export() for node in rig.nodes}) == 1)
    rig.judge_exports()
    rig.judge_reads(targets, "level")
    rig.postgres.stop()
    rig.sandbox.kill()
    rig.judge_reads(targets, "with PostgreSQL and upstream stopped")
    print(f"cluster: {rounds} rounds, {rig.reads} reads and {rig.claims} claims of completeness without a fault, {len(rig.acknowledged)} "
          f"acknowledged writes arrived, {rig.refusals} were refused; a node led again within {max(rig.takeovers):.1f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("ALLI_SEED", time.time_ns() % 1_000_000)))
    arguments = parser.parse_args()
    print(f"cluster: seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        rig = Rig(os.path.abspath(arguments.program), directory, arguments.seed)
        try:
            run(rig, arguments.rounds)
        except Failure as failure:
            print(f"cluster: seed {arguments.seed}: {failure}")
            for node in rig.nodes:
                if os.path.exists(node.log):
                    with open(node.log) as log:
                        said = [line for line in log if " request " not in line]
                        print(f"--- {node.name}\n{''.join(said[-25:])}")
            return 1
        finally:
            rig.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
