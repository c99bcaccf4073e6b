#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cluster.py PROGRAM [--rounds N] [--seed S] [--away SECONDS] [--faults PATTERN]: three daemons over a PostgreSQL of the test's own with a standby, and a
sandbox. In each round, drawn from the printed seed, one thing fails: a node is killed, frozen or stopped; PostgreSQL is away (for
SECONDS at most), is put back to an earlier state, or a standby takes over that lost commits; the way there refuses, is silent or
slow, or breaks where a commit's answer comes. Meanwhile apps read at all nodes and write at all of them in turn, with an
Idempotency-Key or without one. Judged: no 5xx on a cached read, no claim of completeness that upstream contradicts, every
acknowledged write at upstream, in conflict or failed for a person to see; per conversation upstream was never seen to go back from a
title to an older one; the exports of all nodes and of a mirror made anew equal byte for byte, and the outboxes of all nodes, with
nothing that waits. At last PostgreSQL and upstream are both stopped, and every node still serves."""
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


def ask(port, method, target, body=None, timeout=16, key=KEY, headers=None):
    """Status, headers and body; status 0: no answer; -1: nobody listens, and nothing was sent."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", method=method, data=body,
                                     headers={"API-KEY": key, "Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except (OSError, ValueError) as error:
        return (-1 if isinstance(getattr(error, "reason", None), ConnectionRefusedError) else 0), {}, b""


def number_of(title):
    found = re.match(r"write (\d+) of ", title or "")
    return int(found[1]) if found else 0


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
        """What its outbox knows of one."""
        listed = json.loads(self.run("outbox", "list", "--limit", "1000", "--json").stdout or b"{}")
        entries = listed if isinstance(listed, list) else next((value for value in listed.values() if isinstance(value, list)), [])
        return [entry for entry in entries if conversation in json.dumps(entry)]


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
        self.acknowledged, self.told, self.reversals, self.conflicts, self.refusals, self.lost = {}, set(), [], 0, 0, 0
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

    def write_forever(self, ids, seed):
        """Numbered titles, each conversation's at all nodes in turn: the next one when the last one is acknowledged, or given up."""
        chance, number = random.Random(seed), 0
        while not self.ends.wait(0.2):
            number += 1
            self.put_title(number, chance.choice(ids), chance.random() < 0.5)

    def put_title(self, number, conversation, has_key):
        """With a key until a node takes it; without one, once: whether it was taken may be known to nobody."""
        headers = {"Idempotency-Key": f"{conversation}-{number}"} if has_key else {}
        body = json.dumps({"title": f"write {number} of {conversation}"}).encode()
        at = number
        while not self.ends.is_set():
            node = self.nodes[at % len(self.nodes)]
            at += 1
            status, _, answer = ask(node.port, "PUT", f"/webapi/v2/conversations/{conversation}/title", body, headers=headers)
            if status in (200, 202):
                self.acknowledged.setdefault(conversation, []).append(number)
                return
            if status == 503:
                self.refusals += 1
            elif status == 409 and has_key:  # its first request is still being answered
                time.sleep(0.2)
            elif status > 0:
                self.faults.append(f"{node.name}: a write is {status}: {answer[:200]}")
            if not has_key and (status == 0 or (status == 503 and b"is not known" in answer)):
                return
            time.sleep(0.03)

    def watch_upstream(self, ids):
        """A conversation's titles at upstream only grow: whoever delivers sends none after a newer one."""
        port, seen = int(self.upstream.rsplit(":", 1)[1]), {}
        while not self.ends.is_set():
            for conversation in ids:
                number = number_of(self.title_at(port, conversation))
                if number < seen.get(conversation, 0):
                    self.reversals.append(f"{conversation}: {number} after {seen[conversation]}")
                seen[conversation] = number
            time.sleep(0.05)

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

    def wait_until_delivered(self):
        """What waits behind a conflict goes when a person has decided: for upstream's state."""
        def is_drained():
            self.decide_conflicts()
            return all(node.status()["outbox"]["pending"] == 0 for node in self.nodes)
        wait_for("what waits is delivered", is_drained, 90)

    def all_entries(self, node, state=""):
        """Of the node's outbox."""
        entries, cursor = [], ""
        while cursor is not None:
            status, _, body = ask(node.port, "GET", f"/mirror/v1/outbox?limit=1000{state}{cursor}")
            if status != 200:
                raise Failure(f"{node.name}: its outbox is {status} {body[:200]}")
            page = json.loads(body)
            entries += page["entries"]
            cursor = f"&cursor={page['next']}" if page.get("next") else None
        return entries

    def judge_writes(self):
        """Upstream has the newest that was acknowledged of each, or a newer one, but for those that a person was told of."""
        port = int(self.upstream.rsplit(":", 1)[1])
        for entry in self.all_entries(self.nodes[0], "&state=failed"):
            self.tell(self.nodes[0], entry)
        for conversation, numbers in self.acknowledged.items():
            has, newest = number_of(self.title_at(port, conversation)), max([number for number in numbers if (conversation, number) not in self.told], default=0)
            if has < newest:
                known = self.nodes[0].entries(urllib.parse.unquote(conversation))
                raise Failure(f"write {newest} of {conversation} was acknowledged and is neither upstream's state, which is {has}, nor was it a conflict; "
                              f"the outbox has {json.dumps(known)}")

    def tell(self, node, entry):
        status, _, body = ask(node.port, "GET", f"/mirror/v1/outbox/{entry['id']}")
        change = json.loads(body)["change"] if status == 200 else ""
        for found in re.findall(r"write (\d+) of ([^\" ]+)", change)[-1:]:  # the one before it is what it replaces
            self.told.add((found[1], int(found[0])))

    def judge_outboxes(self):
        """The same at all nodes, and nothing waits."""
        def differences():
            lists = {node.name: self.all_entries(node) for node in self.nodes}
            first = lists[NAMES[0]]
            open_ones = [one for one in first if one["state"] in ("pending", "sending")]
            if open_ones:
                return f"these wait: {open_ones[:3]}"
            for name, entries in lists.items():
                if entries != first:
                    odd = [pair for pair in zip(entries, first) if pair[0] != pair[1]][:2]
                    return f"the outbox of {name} has {len(entries)} entries, that of {NAMES[0]} {len(first)}; they differ in {odd}"
            return None
        try:
            wait_for("the outboxes are equal", lambda: differences() is None)
        except Failure:
            raise Failure(differences() or "the outboxes became equal too late")

    def decide_conflicts(self):
        """At any node: until then all show what was written."""
        for entry in self.all_entries(self.nodes[0], "&state=conflict"):
            node = self.nodes[entry["id"] % len(self.nodes)]
            self.tell(self.nodes[0], entry)
            status, _, body = ask(node.port, "DELETE", f"/mirror/v1/outbox/{entry['id']}")
            if status not in (200, 204, 404):
                raise Failure(f"{node.name}: a conflict cannot be discarded: {status} {body[:200]}")
            self.conflicts += status != 404

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
    work += [threading.Thread(target=rig.write_forever, args=(ids[part::WRITERS], rig.random.random())) for part in range(WRITERS)]
    work += [threading.Thread(target=rig.watch_upstream, args=(ids,))]
    work += [threading.Thread(target=rig.read_forever, args=(ids, rig.random.random())) for _ in range(2)]
    for thread in work:
        thread.start()
    rig.play(rounds, faults)
    rig.ends.set()
    for thread in work:
        thread.join()
    if rig.faults:
        raise Failure("\n".join(rig.faults[:10]))
    rig.wait_until_delivered()
    rig.wait_until_level()
    rig.judge_outboxes()
    rig.judge_writes()
    if len(rig.reversals) > 0:
        raise Failure(f"titles went back at upstream: {rig.reversals[:5]}")
    targets = ["/webapi/v2/conversations?pageSize=50"] + [f"/webapi/v2/conversations/{one}{end}" for one in ids for end in ("", "/chats")]
    rig.wait_until_equal()
    rig.judge_exports()
    rig.judge_reads(targets, "level")
    rig.database.stop()
    rig.sandbox.kill()
    rig.judge_reads(targets, "with PostgreSQL and upstream stopped")
    print(f"cluster: {rounds} rounds, {rig.reads} reads and {rig.claims} claims of completeness without a fault, "
          f"{sum(map(len, rig.acknowledged.values()))} acknowledged writes, {rig.conflicts} conflicts, {rig.refusals} were refused; {rig.database.cuts()} commits without an "
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
