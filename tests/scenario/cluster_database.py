# SPDX-License-Identifier: Apache-2.0
"""The database of cluster.py: two PostgreSQL of the scenario's own, one of which takes writes, and a gate before each for every
node. A gate passes bytes on; told to, it refuses, keeps silent (and goes on where it stopped, as a network does), is slow, or cuts a
connection where the answer to a commit comes. Gates run on one loop in a thread of their own."""
import asyncio
import glob
import os
import shutil
import signal
import subprocess
import threading
import time


class Failure(Exception):
    pass


def wait_for(what, found, patience=40):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        result = found()
        if result:
            return result
        time.sleep(0.02)
    raise Failure(f"in vain for {patience} s: {what}")


class Gate:
    """From a port of 127.0.0.1 to a Unix socket."""

    def __init__(self, gates, path):
        self.loop, self.path = gates.loop, path
        self.mode, self.pause, self.cuts = "pass", 0.0, 0
        self.links = set()
        self.open = None
        gates.run(self.listen())

    async def listen(self):
        self.open = asyncio.Event()
        self.open.set()
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    def set(self, mode, pause=0.0):
        asyncio.run_coroutine_threadsafe(self.change(mode, pause), self.loop).result(10)

    async def change(self, mode, pause):
        self.mode, self.pause = mode, pause
        if mode == "hole":
            self.open.clear()
        else:
            self.open.set()
        if mode == "refuse":
            for link in list(self.links):
                link.abort()

    async def serve(self, reader, writer):
        ends = [writer.transport]
        self.links.add(writer.transport)
        try:
            await self.open.wait()
            if self.mode == "refuse":
                return
            back_reader, back_writer = await asyncio.open_unix_connection(self.path)
            ends.append(back_writer.transport)
            self.links.add(back_writer.transport)
            ways = [asyncio.ensure_future(self.pump(reader, back_writer, False)), asyncio.ensure_future(self.pump(back_reader, writer, True))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            for end in ends:
                self.links.discard(end)
                end.abort()

    async def pump(self, source, sink, answers):
        while data := await source.read(65536):
            await self.open.wait()
            if self.mode == "delay":
                await asyncio.sleep(self.pause)
            if self.mode == "cut" and answers and b"COMMIT\0" in data:  # the tag of what was carried out
                self.cuts += 1
                return
            sink.write(data)
            await sink.drain()


class Gates:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, task):
        return asyncio.run_coroutine_threadsafe(task, self.loop).result(10)


class Server:
    def __init__(self, directory):
        self.directory, self.data, self.process = directory, f"{directory}/data", None
        os.mkdir(directory)
        versions = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        if not versions:
            raise SystemExit("no /usr/lib/postgresql/*/bin/initdb: scripts/prepare installs it")
        self.programs = os.path.dirname(versions[-1])
        self.words = []
        if os.geteuid() == 0:  # which PostgreSQL refuses
            self.words = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
            shutil.chown(directory, "nobody")
        self.socket = f"{directory}/.s.PGSQL.5432"

    def run(self, program, *words, patience=60):
        done = subprocess.run([*self.words, f"{self.programs}/{program}", *words], capture_output=True, cwd="/", timeout=patience)
        if done.returncode != 0:
            raise Failure(f"{program}: {done.stderr.decode()}")
        return done.stdout.decode()

    def make(self):
        self.run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", "-D", self.data)
        self.start()

    def start(self):
        log = open(f"{self.directory}/log", "ab")
        self.process = subprocess.Popen([*self.words, f"{self.programs}/postgres", "-D", self.data, "-k", self.directory, "-h", "", "-F",
                                         "-c", "shared_buffers=32MB", "-c", "autovacuum=off", "-c", "wal_keep_size=64MB"], stdout=log, stderr=log)
        wait_for("PostgreSQL starts", lambda: subprocess.run(
            [f"{self.programs}/pg_isready", "-q", "-h", self.directory], stdout=subprocess.DEVNULL).returncode == 0)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(30)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def ask(self, sql):
        return self.run("psql", "-h", self.directory, "-U", "postgres", "-AtXc", sql, "postgres").strip()

    def last(self):
        return int(self.ask("SELECT last FROM alli_mirror.head"))

    def copy(self, place, *words):
        shutil.rmtree(place, ignore_errors=True)
        self.run("pg_basebackup", "-D", place, "-c", "fast", "-X", "stream", "--no-sync", *words)


class Database:
    def __init__(self, directory, names):
        self.directory, self.gates = directory, Gates()
        self.primary, self.other = Server(f"{directory}/database-1"), Server(f"{directory}/database-2")
        servers = (self.primary, self.other)
        self.doors = {name: [Gate(self.gates, server.socket) for server in servers] for name in names}
        self.replication = {server: Gate(self.gates, server.socket) for server in servers}
        self.primary.make()

    def url(self, name):
        """Both hosts: the one that takes writes is found."""
        return "postgresql://postgres@" + ",".join(f"127.0.0.1:{gate.port}" for gate in self.doors[name]) + "/postgres"

    def set(self, names, mode, pause=0.0):
        for name in names:
            for gate in self.doors[name]:
                gate.set(mode, pause)

    def cuts(self):
        return sum(gate.cuts for gates in self.doors.values() for gate in gates)

    def start(self):
        self.primary.start()

    def stop(self):
        for server in (self.primary, self.other):
            if server.is_running():
                server.end(signal.SIGINT)

    def kill(self):
        """Without a last checkpoint, as by a lost machine."""
        self.primary.end(signal.SIGQUIT)

    def save(self):
        self.primary.copy(f"{self.primary.directory}/earlier", "-h", self.primary.directory, "-U", "postgres")

    def put_back(self):
        self.kill()
        shutil.rmtree(self.primary.data)
        os.rename(f"{self.primary.directory}/earlier", self.primary.data)
        self.start()

    def writes_of(self, conversation):
        """The rows of the shared outbox that name it, and the head that numbers them: a JSON object a line."""
        named = conversation.replace("'", "''")
        rows = ("SELECT id, place, seq, state, discarded, in_doubt, attempts, epoch, node, convert_from(body, 'UTF8') AS body,"
                " convert_from(last_error, 'UTF8') AS last_error FROM alli_mirror.entry"
                f" WHERE position('{named}' IN conversation) > 0 OR position('{named}' IN encode(body, 'escape')) > 0 ORDER BY id")
        return self.primary.ask(f"SELECT row_to_json(one) FROM ({rows}) one; SELECT row_to_json(head) FROM alli_mirror.head")

    def clone(self):
        """A standby that follows."""
        gate = self.replication[self.primary]
        gate.set("pass")
        self.primary.copy(self.other.data, "-R", "-d", f"host=127.0.0.1 port={gate.port} user=postgres")
        self.other.start()
        wait_for("the standby follows", lambda: self.primary.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") != "0")

    def cut_standby_off(self):
        self.replication[self.primary].set("hole")

    def lost(self):
        """How many of the nodes' numbers only the primary has."""
        return self.primary.last() - self.other.last()

    def fail_over(self):
        self.kill()
        self.replication[self.primary].set("refuse")
        self.other.run("pg_ctl", "promote", "-w", "-D", self.other.data)
        self.primary, self.other = self.other, self.primary
