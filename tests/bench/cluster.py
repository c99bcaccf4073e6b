# SPDX-License-Identifier: Apache-2.0
"""cluster.py PROGRAM BEFORE: what tests/bench/cluster.sh says."""
import json
import os
import pathlib
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))
from cluster_database import Database, wait_for  # noqa: E402

KEY = "sandbox"


def setting(name, default):
    return int(os.environ.get(name, default))


CONVERSATIONS, ROUNDS, READS = setting("CONVERSATIONS", 3000), setting("ROUNDS", 5), setting("READS", 4000)
MANY, AWAY, BEATS = setting("MANY", 100_000), setting("AWAY", 60), setting("BEATS", 360_000)
CHANGES, SECONDS = setting("CHANGES", 500), setting("SECONDS", 20)


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.port = port
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def ask(self, method, target, body=b"", headers=""):
        text = (f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAPI-KEY: {KEY}\r\nContent-Type: application/json\r\n"
                            f"Content-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        for _ in range(2):  # one that was idle for long is closed
            try:
                self.socket.sendall(text)
                first = self.file.readline()
            except ConnectionError:
                first = b""
            if first:
                break
            self.connect()
        status, length, chunked = int(first.split(b" ", 2)[1]), 0, False
        while (line := self.file.readline().strip().lower()):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
            chunked = chunked or line.startswith(b"transfer-encoding: chunked")
        if not chunked:
            return status, self.file.read(length)
        text = b""
        while (size := int(self.file.readline(), 16)):
            text += self.file.read(size)
            self.file.readline()
        self.file.readline()
        return status, text

    def get(self, target, headers=""):
        return self.ask("GET", target, headers=headers)


def processor(pid):
    """Seconds that it took so far, exact to the nanosecond, of all its threads that still run."""
    return sum(int(open(f"/proc/{pid}/task/{one}/schedstat").read().split()[0]) for one in os.listdir(f"/proc/{pid}/task")) / 1e9


def processor_of_postgres(server):
    """Of the postmaster and all that it started and has waited for, and what runs."""
    def ticks(pid, ended):
        cells = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return sum(int(one) for one in cells[11:15 if ended else 13]) / os.sysconf("SC_CLK_TCK")
    top = server.process.pid
    parts = subprocess.run(["ps", "-o", "pid=", "--ppid", str(top)], capture_output=True, text=True).stdout.split()
    total = ticks(top, True)
    for part in parts:
        try:
            total += ticks(part, False)
        except OSError:
            pass
    return total


class Sandbox:
    def __init__(self, program, home, *words):
        self.process = subprocess.Popen([program, "sandbox", "--conversations", str(CONVERSATIONS), *words],
                                        env={"HOME": home, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1])


class Daemon:
    made, running = 0, []

    def __init__(self, program, directory, sandbox, **settings):
        Daemon.made += 1
        self.program, self.home = program, f"{directory}/daemon-{Daemon.made}"
        os.mkdir(self.home)
        self.environment = {"HOME": self.home, "PATH": "/usr/bin:/bin", "ALLI_API_KEY": KEY, "ALLI_MIRROR_UPSTREAM_URL": sandbox.url,
                            "ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": "0", "ALLI_MIRROR_PROXY_LISTEN": "127.0.0.1:0",
                            **{f"ALLI_MIRROR_{name}": value for name, value in settings.items()}}

    def start(self):
        self.log = f"{self.home}/log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.program, "serve"], env=self.environment, stdout=log, stderr=log)
        Daemon.running.append(self)
        self.port = int(wait_for("a daemon starts", lambda: re.search(rb"listens on 127\.0\.0\.1:(\d+)", open(self.log, "rb").read()), 60)[1])
        self.client = Client(self.port)
        return self

    def status(self):
        status, body = self.client.get("/mirror/v1/status")
        if status != 200:
            sys.exit(f"status is {status}: {body[:300]}")
        return json.loads(body)

    def wait(self, what, fits, patience=600):
        return wait_for(what, lambda: (now := self.status()) and fits(now) and now, patience)

    def wait_until_complete(self):
        return self.wait("the mirror is complete", lambda now: now["mirror"]["complete"])

    def wait_for_role(self, role):
        return self.wait(role, lambda now: now["cluster"]["role"] == role)

    def processor(self):
        return processor(self.process.pid)

    def stop(self):
        Daemon.running.remove(self)
        self.process.terminate()
        self.process.wait(60)


def say(text):
    print(text, flush=True)


def ratio_line(what, ours, theirs, null, unit):
    """Each: a figure a round, measured in turn."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    nulls = [a / b for a, b in zip(null, theirs)]
    say(f"{what:34} {statistics.median(ours):10.2f} {statistics.median(theirs):10.2f} {unit:10} {statistics.median(ratios):6.3f}"
        f"  ({min(ratios):.2f} to {max(ratios):.2f})   {statistics.median(nulls):6.3f}  ({min(nulls):.2f} to {max(nulls):.2f})")


def ids_of(client):
    ids, cursor = [], ""
    while cursor is not None and len(ids) < 1000:
        page = json.loads(client.get(f"/webapi/v2/conversations?pageSize=50{cursor}")[1])
        ids += [urllib.parse.quote(item["id"], safe="") for item in page["conversations"]]
        cursor = f"&cursor={urllib.parse.quote(page['cursor'])}" if page.get("cursor") else None
    return ids


def microseconds_a_read(daemon, targets, count):
    before = daemon.processor()
    for number in range(count):
        status, _ = daemon.client.get(targets[number % len(targets)])
        if status != 200:
            sys.exit(f"{targets[number % len(targets)]} is {status}")
    return (daemon.processor() - before) / count * 1e6


def compare_reads(ours, theirs, null):
    ids = ids_of(theirs.client)
    kinds = {"a conversation, kept": [f"/webapi/v2/conversations/{ids[0]}"],
             "a page of chats, made": [f"/webapi/v2/conversations/{one}/chats" for one in ids],
             "a page of the list, kept": ["/webapi/v2/conversations?pageSize=50"]}
    for what, targets in kinds.items():
        figures = {daemon: [] for daemon in (ours, theirs, null)}
        for daemon in figures:
            microseconds_a_read(daemon, targets, READS // 4)
        for number in range(ROUNDS):
            order = list(figures)
            for daemon in order[number % 3:] + order[:number % 3]:
                figures[daemon].append(microseconds_a_read(daemon, targets, READS))
        ratio_line(what, figures[ours], figures[theirs], figures[null], "us/read")


def syncs(program, directory, sandbox):
    """Processor seconds of a mirror made from nothing."""
    daemon = Daemon(program, directory, sandbox)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "sync"], env=daemon.environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


HEAD = f"{'':34} {'this':>10} {'other':>10} {'':10} ratio                   null"


def without_cluster(program, before, directory, sandbox):
    say(f"\n1. Without [cluster]: this build beside the one before cluster/{' (a null run: there is none)' if program == before else ''}\n{HEAD}")
    daemons = [Daemon(one, directory, sandbox).start() for one in (program, before, before)]
    for daemon in daemons:
        daemon.wait_until_complete()
    compare_reads(*daemons)
    for daemon in daemons:
        daemon.stop()
    figures = [[], [], []]
    for number in range(ROUNDS):
        for at in (0, 1, 2) if number % 2 else (2, 1, 0):
            figures[at].append(syncs((program, before, before)[at], directory, sandbox))
    ratio_line("a backfill (sync)", *figures, "s")


def backfill(daemon, until):
    begun = time.monotonic()
    daemon.start()
    done = daemon.wait("backfilled", until)
    took = time.monotonic() - begun
    return done["mirror"]["chats"] / took, daemon.processor()


def publishing(program, directory, sandbox, database, take_schema):
    say("\n2. Backfill at a leader that publishes, beside one without a cluster (chats/s by the clock; processor time of the daemon)")
    rates, times, bases = [[], []], [[], []], []
    for number in range(ROUNDS):
        for leads in (True, False) if number % 2 else (False, True):
            more = {"CLUSTER_URL": database.url("leader"), "CLUSTER_SCHEMA": take_schema()} if leads else {}
            daemon, base = Daemon(program, directory, sandbox, **more), processor_of_postgres(database.primary)
            rate, took = backfill(daemon, lambda now: now["mirror"]["complete"])
            rates[leads].append(rate)
            times[leads].append(took)
            if leads:
                daemon.wait("all is published", lambda now: now["safeToStop"])
                bases.append(processor_of_postgres(database.primary) - base)
            daemon.stop()
    alone, leader = (statistics.median(one) for one in rates)
    say(f"alone {alone:.0f} chats/s, leader {leader:.0f}: {statistics.median(b / a for a, b in zip(*rates)):.2f} of it ({min(b / a for a, b in zip(*rates)):.2f} to "
        f"{max(b / a for a, b in zip(*rates)):.2f}); processor {statistics.median(times[0]):.2f} s and {statistics.median(times[1]):.2f} s, "
        f"PostgreSQL {statistics.median(bases):.2f} s beside it")
    bench = pathlib.Path(program).parent / "publish_bench"
    if bench.exists():
        say(subprocess.run([str(bench)], capture_output=True, text=True, check=True).stdout.strip())


def percentile(figures, part):
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * part))]


def change_forever(sandbox, leader, ids, changes_a_second, ends, done):
    upstream, asking, due = Client(sandbox.port), Client(leader.port), time.monotonic()
    while not ends.is_set():
        for one in ids:
            if ends.is_set():
                return
            upstream.ask("PUT", f"/webapi/v2/conversations/{one}/title", json.dumps({"title": f"changed {len(done)}"}).encode())
            asking.get(f"/webapi/v2/conversations/{one}", "Cache-Control: no-cache\r\n")
            done.append(one)
            due += 1 / changes_a_second
            time.sleep(max(0, due - time.monotonic()))


def visible(leader, follower, sandbox):
    """From the leader's answer with a change to the follower's, while others change."""
    ids, ends, done, delays = ids_of(leader.client), threading.Event(), [], []
    probes, others = ids[:50], ids[50:]
    writers = [threading.Thread(target=change_forever, args=(sandbox, leader, others[part::4], CHANGES / 4, ends, done)) for part in range(4)]
    for one in writers:
        one.start()
    upstream, there, here = Client(sandbox.port), Client(leader.port), Client(follower.port)
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        one, title = probes[len(delays) % len(probes)], f"probe {len(delays)}"
        target = f"/webapi/v2/conversations/{one}"
        upstream.ask("PUT", f"{target}/title", json.dumps({"title": title}).encode())
        there.get(target, "Cache-Control: no-cache\r\n")
        since = time.monotonic()
        while json.loads(here.get(target)[1]).get("title") != title:
            if time.monotonic() - since > 30:
                sys.exit("a change never reached the follower")
            time.sleep(0.001)
        delays.append((time.monotonic() - since) * 1000)
    rate = len(done) / (time.monotonic() - begun)
    ends.set()
    for one in writers:
        one.join()
    say(f"a change is visible at the follower after p50 {percentile(delays, 0.5):.1f} ms, p99 {percentile(delays, 0.99):.1f} ms "
        f"({len(delays)} probes beside {rate:.0f} changes/s)")


def queries(server):
    return int(server.ask("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'postgres'"))


def transactions_a_second(database, seconds):
    """Of all nodes; what asking for it costs is taken off."""
    first = queries(database.primary)
    time.sleep(seconds)
    return (queries(database.primary) - first - 1) / seconds


def following(program, directory, sandbox, database, schema):
    say("\n3. A follower")
    more = {"CLUSTER_URL": database.url("leader"), "CLUSTER_SCHEMA": schema, "CLUSTER_NODE": "leader", "SYNC_INTERVAL": "60s"}
    leader = Daemon(program, directory, sandbox, **more).start()
    leader.wait_for_role("leader")
    chats = leader.wait_until_complete()["mirror"]["chats"]
    leader.wait("all is published", lambda now: now["safeToStop"])
    time.sleep(3)
    alone = transactions_a_second(database, 20)
    follower = Daemon(program, directory, sandbox, **{**more, "CLUSTER_URL": database.url("follower"), "CLUSTER_NODE": "follower"})
    begun = time.monotonic()
    follower.start().wait_until_complete()
    took = time.monotonic() - begun
    say(f"joins with {chats / took:.0f} chats/s ({chats} chats in {took:.1f} s, {follower.processor():.1f} s of processor)")
    time.sleep(3)
    both = transactions_a_second(database, 20)
    say(f"transactions a second without work: {alone:.1f} of the leader, {both - alone:.1f} of the follower")
    visible(leader, follower, sandbox)
    return leader, follower


def reading(program, directory, sandbox, database, leader, follower):
    say(f"\n4. Reads at a follower, beside a single node of the same build\n{HEAD}")
    single = [Daemon(program, directory, sandbox, SYNC_INTERVAL="60s").start() for _ in range(2)]
    for one in single:
        one.wait_until_complete()
    compare_reads(follower, *single)
    targets = [f"/webapi/v2/conversations/{one}" for one in ids_of(single[0].client)]
    for one in single:
        one.stop()
    idle = transactions_a_second(database, 20)
    first, begun = queries(database.primary), time.monotonic()
    microseconds_a_read(follower, targets, MANY)
    took = time.monotonic() - begun
    more = queries(database.primary) - first - 1 - idle * took
    say(f"{MANY} reads at the follower: {more:+.0f} transactions beside the {idle * took:.0f} that {took:.0f} s without reads have")
    database.stop()
    begun, count = time.monotonic(), 0
    while time.monotonic() - begun < AWAY:
        for node in (leader, follower):
            status, _ = node.client.get(targets[count % len(targets)])
            count += 1
            if status >= 500:
                sys.exit(f"with PostgreSQL stopped a read is {status}")
    database.start()
    say(f"PostgreSQL stopped for {AWAY} s: {count} reads at leader and follower, no 5xx")


def growing(database, schema):
    say("\n8. The row that all lock")
    server = database.primary
    script = f"{server.directory}/beat.sql"
    with open(script, "w") as file:
        file.write(f"UPDATE {schema}.head SET last = last + 1, beat = beat + 1;\n")
    server.ask("ALTER SYSTEM SET autovacuum = on")
    server.ask("SELECT pg_reload_conf()")
    begun = time.monotonic()
    server.run("pgbench", "-n", "-h", server.directory, "-U", "postgres", "-f", script, "-t", str(BEATS), "postgres", patience=3600)
    size = int(server.ask(f"SELECT pg_total_relation_size('{schema}.head')"))
    say(f"head after {BEATS} updates in {time.monotonic() - begun:.0f} s: {size / 1024:.0f} KB")


def main():
    program, before = sys.argv[1:3]
    model = f"{os.uname().sysname} {os.uname().release}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    say(f"{model}; {CONVERSATIONS} conversations, {ROUNDS} rounds; processor time of the daemon, medians (lowest to highest)")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        sandbox = Sandbox(program, directory)
        database = Database(directory, ["leader", "follower"])
        schemas = []

        def take_schema():
            schemas.append(f"alli_{len(schemas)}")
            maker = Daemon(program, directory, sandbox, CLUSTER_URL=database.url("leader"), CLUSTER_SCHEMA=schemas[-1])
            subprocess.run([program, "cluster", "init"], env=maker.environment, check=True, capture_output=True)
            return schemas[-1]
        try:
            without_cluster(program, before, directory, sandbox)
            publishing(program, directory, sandbox, database, take_schema)
            nodes = following(program, directory, sandbox, database, take_schema())
            reading(program, directory, sandbox, database, *nodes)
            for node in nodes:
                node.stop()
            growing(database, take_schema())
        finally:
            for one in Daemon.running:
                one.process.kill()
            sandbox.process.send_signal(signal.SIGKILL)
            database.stop()


if __name__ == "__main__":
    main()
