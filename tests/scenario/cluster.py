#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cluster.py PROGRAM [--rounds N] [--seed S] [--away SECONDS] [--faults PATTERN]: three daemons over a PostgreSQL of the test's own with a standby, and a
sandbox. In each round, drawn from the printed seed, one thing fails: a node is killed, frozen or stopped; PostgreSQL is away (for
SECONDS at most), is put back to an earlier state, or a standby takes over that lost commits; the way there refuses, is silent or
slow, or breaks where a commit's answer comes. Meanwhile apps read at all nodes and write to whichever takes the write. Judged: no 5xx
on a cached read, no claim of completeness that upstream contradicts, every acknowledged write at upstream, and the exports of all
nodes and of a mirror made anew equal byte for byte. At last PostgreSQL and upstream are both stopped, and every node still serves."""
import argparse
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

from cluster_database import Database, Failure, wait_for

CONVERSATIONS = 150
LEASE = 3.0
NAMES = ("north", "south", "west")
KEY = "sandbox"
HANGS = 8  # seconds
WRITERS = 4


def ask(port, method, target, body=None, timeout=12, key=KEY):
    """Status, headers and body; status 0: no answer; -1: nobody listens, and nothing was sent."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", method=method, data=body,
                                     headers={"API-KEY": key, "Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except (OSError, ValueError) as error:
        return (-1 if isinstance(getattr(error, "reason", None), ConnectionRefusedError) else 0), {}, b""


class Node:
    def __init__(self, name, program, directory, upstream, database):
        self.name, self.program, self.home = name, program, f"{directory}/{name}"
        os.mkdir(self.home)
        self.environment = {"HOME": self.home, "PATH": "/usr/bin:/bin", "ALLI_API_KEY": KEY, "ALLI_MIRROR_UPSTREAM_URL": upstream,
                            "ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": "0", "ALLI_MIRROR_UPSTREAM_READ_LAG": "50ms",
                            "ALLI_MIRROR_PROXY_LISTEN": "127.0.0.1:0", "ALLI_MIRROR_SYNC_INTERVAL": "1s",
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
        return done.stdout

    def entries(self, conversation):
        """What its outbox knows of one, in whatever state."""
        listed = json.loads(self.run("outbox", "list", "--limit", "1000", "--json").stdout or b"{}")
        entries = listed if isinstance(listed, list) else next((value for value in listed.values() if isinstance(value, list)), [])
        return [entry for entry in entries if conversation in json.dumps(entry, ensure_ascii=False)]


class Rig:
    def __init__(self, program, directory, seed, away):
        self.random, self.away = random.Random(seed), away
        self.program, self.directory = program, directory
        self.database = Database(directory, NAMES)
        self.sandbox = subprocess.Popen([program, "sandbox", "--conversations", str(CONVERSATIONS), "--embedded", "3"],
                                        env={"HOME": directory, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True)
        self.upstream = self.sandbox.stdout.readline().strip()
        self.nodes = [Node(name, program, directory, self.upstream, self.database.url(name)) for name in NAMES]
        done = self.nodes[0].run("cluster", "init")
        if done.returncode != 0:
            raise Failure(f"cluster init: {done.stderr.decode()}")
        self.faults, self.reads, self.claims, self.takeovers = [], 0, 0, []
        self.waiting, self.arrived, self.conflicts, self.refusals, self.lost = {}, 0, 0, 0, 0
        self.ends = threading.Event()

    def stop(self):
        self.ends.set()
        for node in self.nodes:
            if node.is_running():
                node.process.send_signal(signal.SIGCONT)
                node.process.kill()
        self.sandbox.kill()
        self.database.stop()

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
            positions = {one["cluster"]["position"] for one in status}
            return len(positions) == 1 and positions == {self.database.primary.last()}
        wait_for("all nodes are level", level)

    # What goes on meanwhile.

    def read_forever(self, ids, seed):
        chance = random.Random(seed)
        while not self.ends.is_set():
            node = chance.choice(self.nodes)
            target = chance.choice(["/webapi/v2/conversations?pageSize=20", f"/webapi/v2/conversations/{chance.choice(ids)}",
                                    f"/webapi/v2/conversations/{chance.choice(ids)}/chats"])
            begun = time.monotonic()
            status, _, body = ask(node.port, "GET", target, timeout=HANGS)
            self.reads += status > 0
            if status == 0 and time.monotonic() - begun >= HANGS:
                self.faults.append(f"{node.name}: {target} has no answer after {HANGS} s")
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

    def title_at(self, port, conversation):
        status, _, body = ask(port, "GET", f"/webapi/v2/conversations/{conversation}")
        return json.loads(body).get("title") if status == 200 else None

    def is_at_upstream(self, conversation, title):
        return self.title_at(int(self.upstream.rsplit(":", 1)[1]), conversation) == title

    def write_forever(self, ids):
        """A title of a conversation at a time, the next one when it was seen at upstream, and at the node that is asked next:
        so that none hides another that was lost."""
        left, number = list(ids), 0
        while left and not self.ends.wait(0.3):
            number += 1
            conversation, node = left[number % len(left)], self.nodes[number % len(self.nodes)]
            before = self.waiting.get(conversation)
            if before:
                if not self.is_at_upstream(conversation, before) or self.title_at(node.port, conversation) != before:
                    continue
                self.arrived += 1
                del self.waiting[conversation]
            if not self.put_title(number, conversation):
                left.remove(conversation)  # an attempt whose fate nobody knows may arrive after any later one

    def put_title(self, number, conversation):
        """Until a node takes it. False: of an attempt before there was no answer."""
        title, is_known = f"write {number} of {conversation}", True
        while not self.ends.is_set():
            node = self.nodes[number % len(self.nodes)]
            number += 1
            status, _, body = ask(node.port, "PUT", f"/webapi/v2/conversations/{conversation}/title", json.dumps({"title": title}).encode())
            if status in (200, 202):
                self.waiting[conversation] = title
                break
            if status == 503:
                self.refusals += 1
            elif status > 0:
                self.faults.append(f"{node.name}: a write is {status}: {body[:200]}")
            elif status == 0:
                is_known = False
            time.sleep(0.03)
        return is_known

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

    def pause(self, least=0.5):
        time.sleep(self.random.uniform(least, self.away))

    def stop_postgres(self):
        self.database.stop()
        self.pause()
        self.database.start()

    def put_database_back(self):
        self.database.save()
        before = self.database.primary.last()
        wait_for("something is published", lambda: self.database.primary.last() > before)
        self.pause(0)
        self.database.put_back()

    def fail_over_to_a_standby_that_lost_commits(self):
        self.database.clone()
        self.database.cut_standby_off()
        wait_for("a commit is lost", lambda: self.database.lost() > 0)
        time.sleep(self.random.uniform(0, 1))
        self.lost += self.database.lost()
        self.database.fail_over()

    def cut_off(self, mode, pause=0.0):
        """The leader, a follower, or all."""
        leader = self.leader().name
        whom = self.random.choice([[leader], [self.random.choice([name for name in NAMES if name != leader])], NAMES])
        self.database.set(whom, mode, pause)
        self.pause()
        self.database.set(whom, "pass")

    def refuse_connections(self):
        self.cut_off("refuse")

    def swallow_what_is_sent(self):
        self.cut_off("hole")

    def slow_the_network_down(self):
        self.cut_off("delay", self.random.uniform(0.1, 2))

    def cut_commits(self):
        self.cut_off("cut")

    def leave_the_nodes_alone(self, fault):
        """Of the database's faults no node ends."""
        before = [(node, node.process.pid) for node in self.nodes]
        fault()
        self.wait_for_leader()
        for node, pid in before:
            if not node.is_running() or node.process.pid != pid:
                raise Failure(f"{node.name} ended while the database failed: see {node.log}")

    def play(self, rounds, faults):
        of_nodes = [self.kill_leader, self.freeze_leader, self.stop_leader, self.kill_follower]
        kinds = of_nodes + [self.stop_postgres, self.put_database_back, self.fail_over_to_a_standby_that_lost_commits,
                            self.refuse_connections, self.swallow_what_is_sent, self.slow_the_network_down, self.cut_commits]
        kinds = [kind for kind in kinds if re.search(faults, kind.__name__)]
        for number in range(rounds):
            if number % len(kinds) == 0:
                self.random.shuffle(kinds)  # each once before any twice
            kind = kinds[number % len(kinds)]
            begun = time.monotonic()
            if kind in of_nodes:
                kind()
            else:
                self.leave_the_nodes_alone(kind)
            failed = time.monotonic() - begun
            self.wait_for_leader()
            self.wait_until_level()
            print(f"  round {number + 1}: {kind.__name__.replace('_', ' ')}, {failed:.1f} s, level {time.monotonic() - begun - failed:.1f} s later", flush=True)
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
        """Each arrived, or a person is told: its base was not what the node that took it knew (docs/cluster.md)."""
        port = int(self.upstream.rsplit(":", 1)[1])
        for conversation, title in self.waiting.items():
            if self.is_at_upstream(conversation, title):
                continue
            known = [entry for node in self.nodes for entry in node.entries(urllib.parse.unquote(conversation))]
            if not any(entry["state"] == "conflict" and title in entry["change"] for entry in known):
                raise Failure(f"\"{title}\" was acknowledged and is neither upstream's state, which is \"{self.title_at(port, conversation)}\", nor a "
                              f"conflict\n{self.all_that_is_known(conversation)}")
            self.conflicts += 1

    def all_that_is_known(self, conversation):
        """Of the writes to one, for whoever looks for the fault: at upstream, in each node's outbox, and in the database."""
        plain = urllib.parse.unquote(conversation)
        lines = [f"upstream: {ask(int(self.upstream.rsplit(':', 1)[1]), 'GET', f'/webapi/v2/conversations/{conversation}')[::2]}"]
        for node in self.nodes:
            try:
                for entry in node.entries(plain):
                    status, _, body = ask(node.port, "GET", f"/mirror/v1/outbox/{entry['id']}")
                    lines.append(f"{node.name}: {body.decode(errors='replace') if status == 200 else json.dumps(entry)}")
            except (ValueError, OSError, subprocess.SubprocessError) as error:
                lines.append(f"{node.name}: {error}")
            lines.append(f"{node.name}: {json.dumps((node.status() or {}).get('cluster'))}")
        try:
            lines.append(f"the database:\n{self.database.writes_of(plain)}")
        except (Failure, subprocess.SubprocessError) as error:
            lines.append(f"the database: {error}")
        return "\n".join(lines)

    def decide_conflicts(self):
        """For upstream's state: until then the node that has one goes on showing what was written."""
        for node in self.nodes:
            listed = json.loads(ask(node.port, "GET", "/mirror/v1/outbox?state=conflict")[2])
            for entry in listed["entries"]:
                status, _, body = ask(node.port, "DELETE", f"/mirror/v1/outbox/{entry['id']}")
                if status not in (200, 204):
                    raise Failure(f"{node.name}: a conflict cannot be discarded: {status} {body[:200]}")

    def wait_until_equal(self):
        try:
            wait_for("the exports are equal", lambda: len({node.export() for node in self.nodes}) == 1)
        except Failure:
            pass  # judge_exports says in what they differ

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
            if text == expected:
                continue
            here, there = text.splitlines(), expected.splitlines()
            differ = [pair for pair in zip(here, there) if pair[0] != pair[1]]
            at = next((at for at, (one, other) in enumerate(zip(*differ[0])) if one != other), 0) if differ else 0
            said = [one[max(0, at - 60):at + 60].decode(errors="replace") for one in differ[0]] if differ else ["", ""]
            raise Failure(f"the export of {name} is another than upstream's: {len(here)} lines and {len(there)}, {len(differ)} of which differ, the "
                          f"first as {said[0]} from {said[1]}; equal to it are {[who for who, what in exports.items() if what == expected]}")

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


def run(rig, rounds, faults):
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
    rig.play(rounds, faults)
    rig.ends.set()
    for thread in work:
        thread.join()
    if rig.faults:
        raise Failure("\n".join(rig.faults[:10]))
    rig.deliver_what_waits()
    rig.judge_writes()
    rig.decide_conflicts()
    rig.wait_until_level()
    targets = ["/webapi/v2/conversations?pageSize=50"] + [f"/webapi/v2/conversations/{one}{end}" for one in ids for end in ("", "/chats")]
    rig.wait_until_equal()
    rig.judge_exports()
    rig.judge_reads(targets, "level")
    rig.database.stop()
    rig.sandbox.kill()
    rig.judge_reads(targets, "with PostgreSQL and upstream stopped")
    print(f"cluster: {rounds} rounds, {rig.reads} reads and {rig.claims} claims of completeness without a fault, "
          f"{rig.arrived + len(rig.waiting)} acknowledged writes, of which {rig.conflicts} are conflicts, {rig.refusals} were refused; {rig.database.cuts()} commits without an "
          f"answer, {rig.lost} numbers lost with a primary; a node led again within {max(rig.takeovers):.1f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("ALLI_SEED", time.time_ns() % 1_000_000)))
    parser.add_argument("--faults", default="", help="only those whose name this pattern fits")
    parser.add_argument("--away", type=float, default=5)
    arguments = parser.parse_args()
    print(f"cluster: seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        rig = Rig(os.path.abspath(arguments.program), directory, arguments.seed, arguments.away)
        try:
            run(rig, arguments.rounds, arguments.faults)
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
