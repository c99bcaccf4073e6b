# SPDX-License-Identifier: Apache-2.0
"""load.py PROGRAM [--seconds N] [--seed N]: everything at once against one mirror: reads, writes, searches, event streams, relays,
purges, backups, exports, reloads, and a stop under load. For a program built with a sanitizer. Exit code 1 where the program
reported a fault of its own, answered 500, or did not end well."""
import argparse
import collections
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import requests

from world import KEY, World

REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error:|Assertion|terminate called")


class Load:
    def __init__(self, program, world, seed):
        self.program, self.world, self.seed = program, world, seed
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.counts, self.wrong = collections.Counter(), []
        listed = self.get(requests, "/webapi/v2/conversations?pageSize=50").json()["conversations"]
        self.ids = [item["id"] for item in listed]

    def get(self, session, path, **more):
        return session.get(self.world.base + path, headers={"API-KEY": KEY}, timeout=60, **more)

    def count(self, what, status):
        with self.lock:
            self.counts[f"{what} {status // 100}xx"] += 1
            if status == 500:
                self.wrong.append(f"{what}: 500")

    # What the threads do, a step each; `draw` is theirs alone.

    def read(self, session, draw):
        talk = quote(draw.choice(self.ids), safe="")
        path = draw.choice([
            "/webapi/v2/conversations", "/webapi/v2/conversations?pageSize=20",
            f"/webapi/v2/conversations/{talk}", f"/webapi/v2/conversations/{talk}/chats",
            "/mirror/v1/search?q=" + draw.choice(["hotel", "호텔", "a", "ㅋㅋ", "title"]), "/mirror/v1/status", "/metrics",
            "/mirror/v1/outbox", "/mirror/v1/daily", "/webapi/v2/conversations?unknown=1",
        ])
        self.count("read", self.get(session, path).status_code)

    def write(self, session, draw):
        talk = quote(draw.choice(self.ids), safe="")
        url = f"{self.world.base}/webapi/v2/conversations/{talk}/title"
        answer = session.put(url, json={"title": f"제목 {draw.random()}"}, headers={"API-KEY": KEY}, timeout=60)
        self.count("write", answer.status_code)

    def follow(self, session, draw):
        """The change feed: as events, or one long poll; left in the middle."""
        accept = draw.choice(["text/event-stream", "application/json"])
        with session.get(self.world.base + "/mirror/v1/changes?wait=1", stream=True, timeout=60,
                         headers={"API-KEY": KEY, "Accept": accept}) as answer:
            self.count("feed", answer.status_code)
            for _ in zip(answer.iter_content(512), range(draw.randint(1, 20))):
                if self.over.is_set():
                    return

    def maintain(self, _, draw):
        """What an administrator's commands do; several at once are refused, which is right."""
        talk = draw.choice(self.ids)
        words = draw.choice([
            ["purge", "--conversation", talk, "--yes"], ["verify"], ["search", "hotel"], ["status"], ["doctor"],
            ["backup", os.path.join(self.world.home, f"backup-{draw.random()}")],
            ["export", "--output", os.path.join(self.world.home, f"export-{draw.random()}.jsonl")],
        ])
        done = subprocess.run([self.program, *words], env=self.world.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if REPORT.search(done.stdout):
            with self.lock:
                self.wrong.append(f"{words[0]}: {done.stdout[:3000]}")
        with self.lock:
            self.counts[f"{words[0]} exit {done.returncode}"] += 1

    def reload(self, _, __):
        self.world.processes[-1].send_signal(signal.SIGHUP)
        with self.lock:
            self.counts["reload"] += 1
        self.over.wait(0.5)

    def repeat(self, step, number):
        draw, session = random.Random(f"{self.seed} {step.__name__} {number}"), requests.Session()
        while not self.over.is_set():
            try:
                step(session, draw)
            except (requests.RequestException, KeyError) as failure:
                if self.over.is_set():
                    return
                with self.lock:
                    self.counts[f"{step.__name__} {type(failure).__name__}"] += 1

    def run(self, seconds):
        steps = [self.read] * 6 + [self.write] * 3 + [self.follow] * 4 + [self.maintain] * 2 + [self.reload]
        threads = [threading.Thread(target=self.repeat, args=each) for each in zip(steps, range(len(steps)))]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.world.processes[-1].terminate()  # while everybody goes on
        try:
            code = self.world.processes[-1].wait(60)
        except subprocess.TimeoutExpired:
            code = "still running"
        self.over.set()
        for thread in threads:
            thread.join()
        if code != 0:
            self.wrong.append(f"the mirror ended with {code}")
        with open(os.path.join(self.world.home, "mirror.log")) as log:
            text = log.read()
        for found in REPORT.finditer(text):
            self.wrong.append(text[found.start():found.start() + 4000])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = options.parse_args()
    print(f"seed {options.seed}")
    world = World(options.program, sandbox=("--conversations", "300", "--life", "touch:0.2", "--life", "add:0.1",
                                            "--fault", "bad_gateway_html:*:-1:p=0.02", "--fault", "reset_after:*:-1:p=0.02"))
    try:
        load = Load(options.program, world, options.seed)
        load.run(options.seconds)
    finally:
        world.end()
    for what, count in sorted(load.counts.items()):
        print(f"    {what}: {count}")
    for what in load.wrong[:20]:
        print(what)
    print(f"{sum(load.counts.values())} calls, {len(load.wrong)} faults")
    sys.exit(1 if load.wrong else 0)


if __name__ == "__main__":
    main()
