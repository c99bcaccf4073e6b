# SPDX-License-Identifier: Apache-2.0
"""endure.py PROGRAM [--seconds N] [--writes N] [--readers N] [--idle N] [--seed N]: what one daemon holds at once, for long: writes
that wait while the service is away, readers of the event stream, idle connections, and others that come and go; beside them one
that reads. What the process takes must stay flat from the first third to the last: memory, descriptors, threads, the logs of
both files, and how long a read takes. In the end the service is back, and every conversation has there what was written last.
Exit code 1 where anything of it does not hold."""
import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from urllib.parse import quote

import requests

from world import KEY, World

MEMORY_MAX = 512 * 1024  # kB; the unit's MemoryMax
TASKS_MAX = 256  # its TasksMax


async def answer(reader):
    """The status of one response, its body read."""
    said = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"(?im)^content-length: *(\d+)", said)
    if length:
        await reader.readexactly(int(length.group(1)))
    return int(said.split(" ", 2)[1])


class Sample:
    """What the process takes now."""

    def __init__(self, pid, home):
        with open(f"/proc/{pid}/status") as status:
            said = status.read()
        self.rss = int(re.search(r"VmRSS:\s+(\d+)", said).group(1))
        self.peak = int(re.search(r"VmHWM:\s+(\d+)", said).group(1))
        self.threads = int(re.search(r"Threads:\s+(\d+)", said).group(1))
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        self.logs = sum(os.path.getsize(os.path.join(home, name)) for name in os.listdir(home) if name.endswith("-wal"))


class Endurance:
    def __init__(self, program, world, options):
        self.program, self.world, self.options = program, world, options
        self.host, port = world.base.removeprefix("http://").split(":")
        self.port = int(port)
        self.draw = random.Random(options.seed)
        self.over = asyncio.Event()
        self.wrong, self.taken, self.samples, self.open = [], [], [], []
        self.events = self.came = self.idled = self.repeated = 0
        self.ids = list(self.list_ids())
        self.last = {}  # conversation -> the title written last

    def list_ids(self):
        cursor = ""
        while cursor is not None:
            page = requests.get(f"{self.world.base}/webapi/v2/conversations?pageSize=50{cursor}", headers={"API-KEY": KEY}, timeout=10).json()
            yield from (item["id"] for item in page["conversations"])
            cursor = "&cursor=" + quote(page["cursor"], safe="") if page.get("cursor") else None

    def fail(self, what):
        if what not in self.wrong:
            self.wrong.append(what)

    def head(self, method, path, *lines):
        host = f"Host: {self.host}:{self.port}"
        return "\r\n".join([f"{method} {path} HTTP/1.1", host, "API-KEY: " + KEY, *lines, "", ""]).encode()

    async def connect(self):
        return await asyncio.open_connection(self.host, self.port, limit=1 << 20)

    async def write_some(self, ids, count):
        """Over one connection, one after the other: what is acknowledged last stands last."""
        reader, writer = await self.connect()
        for number in range(count):
            talk = ids[number % len(ids)]
            title = f"제목 {number}"
            body = json.dumps({"title": title}).encode()
            writer.write(self.head("PUT", f"/webapi/v2/conversations/{quote(talk, safe='')}/title", "Content-Type: application/json",
                              "Prefer: respond-async", f"Content-Length: {len(body)}") + body)
            status = await answer(reader)
            if status != 202:
                self.fail(f"a write that waits: {status}")
                return
            self.last[talk] = title
        writer.close()

    async def write_all(self):
        hands = 10
        began = time.monotonic()
        await asyncio.gather(*(self.write_some(self.ids[hand::hands], self.options.writes // hands) for hand in range(hands)))
        return time.monotonic() - began

    async def follow(self):
        reader, writer = await self.connect()
        writer.write(self.head("GET", "/mirror/v1/changes", "Accept: text/event-stream"))
        said = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in said[:20]:
            self.fail("a reader of events: " + said[:40].decode("latin-1"))
        self.open.append(writer)
        while not self.over.is_set():
            piece = await reader.read(4096)
            if not piece:
                if not self.over.is_set():
                    self.fail("a reader of events was cut off")
                return
            self.events += piece.count(b"\ndata:") + piece.startswith(b"data:")

    async def stay_idle(self):
        """Asks once and is silent; once it is closed for that (there are more than a daemon keeps), comes again later."""
        while not self.over.is_set():
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                reader, writer = await self.connect()
                writer.write(self.head("GET", "/healthz"))
                if await answer(reader) != 200:
                    self.fail("an idle client got another answer")
                self.idled += 1
                await reader.read(1)
                writer.close()
            await asyncio.sleep(self.draw.uniform(5, 60))

    async def come_and_go(self):
        while not self.over.is_set():
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                reader, writer = await self.connect()
                writer.write(self.head("GET", "/webapi/v2/conversations?pageSize=5"))
                if self.draw.random() < 0.5:
                    await answer(reader)
                writer.close()
                self.came += 1
            await asyncio.sleep(0.02)

    async def read(self):
        """As a client with a pool of one connection: again, where it was closed before the answer."""
        reader = writer = None
        while not self.over.is_set():
            path = f"/webapi/v2/conversations/{quote(self.draw.choice(self.ids), safe='')}"
            began = time.monotonic()
            try:
                if writer is None:
                    reader, writer = await self.connect()
                writer.write(self.head("GET", path))
                status = await answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.repeated += 1
                writer = None
                continue
            self.taken.append((time.monotonic(), time.monotonic() - began))
            if status != 200:
                self.fail(f"a cached read: {status}")
            await asyncio.sleep(0.005)

    async def watch(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.samples.append(Sample(self.world.processes[-1].pid, self.world.home))
            await asyncio.sleep(0.5)

    async def hold(self):
        took = await self.write_all()
        print(f"{self.options.writes} writes wait, {self.options.writes / took:.0f} a second", flush=True)
        guests = [self.follow() for _ in range(self.options.readers)] + [self.stay_idle() for _ in range(self.options.idle)]
        guests += [self.come_and_go(), self.read()]
        tasks = []
        for guest in guests:
            tasks.append(asyncio.create_task(guest))
            if len(tasks) % 50 == 0:
                await asyncio.sleep(0.01)
        await asyncio.sleep(min(10, self.options.seconds / 5))
        self.taken.clear()
        await self.watch(self.options.seconds)
        self.over.set()
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self.fail(f"a guest: {result!r}")

    def judge(self):
        third = len(self.samples) // 3
        first, last = self.samples[:third], self.samples[-third:]
        for what, unit, slack, most in [("rss", "kB", 1.05, MEMORY_MAX), ("descriptors", "", 1.02, None), ("threads", "", 1, TASKS_MAX),
                                        ("logs", "bytes", 1.05, 64 << 20)]:
            before = max(getattr(sample, what) for sample in first)
            after = max(getattr(sample, what) for sample in last)
            print(f"{what}: {before} -> {after} {unit}")
            if after > before * slack:
                self.fail(f"{what} grew from {before} to {after}")
            if most and after > most:
                self.fail(f"{what}: {after} is more than {most}")
        print(f"memory at its peak: {self.samples[-1].peak} kB")
        if self.samples[-1].peak > MEMORY_MAX:
            self.fail(f"memory at its peak: {self.samples[-1].peak} kB")
        if len(self.taken) < 100:
            self.fail(f"{len(self.taken)} reads were answered")
            return
        begin, end = self.taken[0][0], self.taken[-1][0]
        span = (end - begin) / 3
        before, after = ([took for at, took in self.taken if low <= at <= low + span] for low in (begin, end - span))
        p99 = [sorted(part)[len(part) * 99 // 100] * 1000 for part in (before, after)]
        print(f"reads: {len(self.taken)}, p99 {p99[0]:.1f} -> {p99[1]:.1f} ms")
        if p99[1] > p99[0] * 2 + 20:  # beside six thousand clients of ours on the same processors
            self.fail("reads became slow")
        print(f"events: {self.events}; connections that came and went: {self.came}, idle ones: {self.idled}; reads repeated: {self.repeated}")
        if self.repeated > len(self.taken) // 50:
            self.fail(f"{self.repeated} reads met a closed connection")

    def deliver(self):
        """The service is back at its address, with the data that it had."""
        address = self.world.upstream.removeprefix("http://")
        self.world.run([self.program, "sandbox", "--listen", address, *SANDBOX], {"HOME": self.world.home}, r"(http://[\d.]+:\d+)",
                       "sandbox-again")
        self.world.processes.insert(0, self.world.processes.pop())
        began, waiting = time.monotonic(), None
        while True:
            left = self.world.status()["outbox"]["pending"]
            if left == 0:
                break
            if left != waiting:
                waiting, since = left, time.monotonic()
            if time.monotonic() - since > 120:
                self.fail(f"{left} writes are still waiting")
                return
            time.sleep(0.5)
        print(f"delivered in {time.monotonic() - began:.0f} s")
        outbox = self.world.status()["outbox"]
        for state in ("failed", "conflicts"):
            if outbox.get(state):
                self.fail(f"{outbox[state]} writes: {state}")
        for talk, title in self.last.items():
            got = requests.get(f"{self.world.upstream}/webapi/v2/conversations/{quote(talk, safe='')}", headers={"API-KEY": KEY}, timeout=10)
            if got.json()["title"] != title:
                self.fail(f"the service has {got.json()['title']!r} for {talk}, written last was {title!r}")


SANDBOX = ("--conversations", "2000", "--seed", "11")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--writes", type=int, default=100_000)
    options.add_argument("--readers", type=int, default=1_000)
    options.add_argument("--idle", type=int, default=5_000)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = options.parse_args()
    print(f"seed {options.seed}")
    need = options.readers + options.idle + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < need:
        sys.exit(f"{need} descriptors are needed, {hard} may be open: ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need) if hard == resource.RLIM_INFINITY else hard, hard))
    world = World(options.program, sandbox=SANDBOX)
    try:
        endurance = Endurance(options.program, world, options)
        world.processes[0].kill()
        world.processes[0].wait()
        asyncio.run(endurance.hold())
        endurance.judge()
        endurance.deliver()
    finally:
        wrong = endurance.wrong if "endurance" in locals() else ["it did not begin: " + world.said()]
        world.end()
    for what in wrong[:20]:
        print(what)
    print(f"{options.writes} writes, {options.readers} readers, {options.idle} idle clients, {options.seconds:.0f} seconds: {len(wrong)} faults")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
