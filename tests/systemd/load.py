# SPDX-License-Identifier: Apache-2.0
"""Everything that the daemon does, at the same time: reads, writes, runs of apps, the feed, the page, reloads; and the commands that
let it purge, copy and verify. Says how many threads and descriptors it had at most."""
import http.client
import json
import os
import signal
import threading
import time

import mirror
from mirror import ask, path_of

READS = ["/webapi/v2/conversations?pageSize=50", "/webapi/v2/conversations?isEnd=true", "/webapi/v2/conversation_categories",
         "/webapi/v2/conversations/daily_count?startDate=2026-01-01&endDate=2026-12-31", "/mirror/v1/search?q=hotel", "/mirror/v1/search?q=%EC%98%A8%EC%B2%9C",
         "/mirror/v1/status", "/mirror/v1/outbox", "/mirror/v1/changes?since=0", "/metrics", "/readyz", "/", "/mirror/v1/principal",
         "/webapi/v2/projects", "/webapi/v2/apps"]


class Load:
    def __init__(self, manager, pid, ids):
        self.manager, self.pid, self.ids = manager, pid, ids
        self.path = manager.kernel_path(pid)
        self.over = threading.Event()
        self.wrong = []
        self.counts = {}
        self.peaks = {"threads": 0, "descriptors": 0}

    def ask(self, method, path, body=None, good=(200, 201, 202, 204), headers=None):
        status, said = ask(method, path, body, headers=headers)
        if status not in good:
            self.wrong.append(f"{method} {path}: {status} {str(said)[:300]}")
        return said

    def read(self):
        for path in READS:
            self.ask("GET", path)
        for one in self.ids[:10]:
            self.ask("GET", path_of(one))
            self.ask("GET", path_of(one, "/chats"))
            self.ask("GET", path_of(one, "/running"))
        self.ask("GET", path_of(self.ids[0]), headers={"Cache-Control": "no-cache"})

    def write(self):
        for number, one in enumerate(self.ids[10:20]):
            self.ask("PUT", path_of(one, "/title"), {"title": f"title {number}"})
            self.ask("PATCH", path_of(one), {"memo": f"memo {number}"})

    def run_app(self):
        app = mirror.get("/webapi/v2/apps")["apps"][0]["id"]
        path = f"/webapi/apps/{app}/run".replace("=", "%3D")
        for mode in ("sync", "stream"):
            self.ask("POST", path, {"mode": mode, "conversationId": self.ids[21], "chat": {"message": "And a hotel?"}})
        self.ask("POST", "/webapi/v2/some/upload", b"x" * (1 << 20), good=(200, 404))

    def hear_feed(self):
        connection = http.client.HTTPConnection("127.0.0.1", mirror.PORT, timeout=60)
        connection.request("GET", "/mirror/v1/changes?since=0", headers={**mirror.KEY, "Accept": "text/event-stream"})
        reply = connection.getresponse()
        if reply.status != 200 or not reply.readline():
            self.wrong.append(f"the feed: {reply.status}")
        connection.close()

    def command(self, *words):
        done = self.manager.run([self.manager.program, *words])
        if done.returncode != 0:
            self.wrong.append(f"{' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}")
        return done.stdout

    def keep_house(self, number):
        self.command("purge", "--conversation", self.ids.pop(), "--yes")
        self.command("backup", f"/tmp/copy-{self.pid}-{number}")
        self.command("verify")
        self.command("search", "hotel")
        self.command("export", "--output", f"/tmp/export-{self.pid}.jsonl")
        self.command("token", "new", f"app-{self.pid}-{number}", "--scope", "read")
        self.command("doctor", "--json")
        self.manager.kill(self.pid, signal.SIGHUP)

    def count(self):
        for peak, folder in (("threads", "task"), ("descriptors", "fd")):
            self.peaks[peak] = max(self.peaks[peak], len(os.listdir(f"{self.path}/{folder}")))
        self.over.wait(0.01)

    def repeat(self, work):
        while not self.over.is_set():
            try:
                work()
                self.counts[work.__name__] = self.counts.get(work.__name__, 0) + 1
            except (OSError, http.client.HTTPException, json.JSONDecodeError, KeyError) as failure:
                self.wrong.append(f"{work.__name__}: {failure!r}")
                self.over.wait(0.1)


def run(manager, pid, rounds=1):
    """For as long as that many rounds of all commands take, and until everything else was done at least twice."""
    mirror.wait_until_complete()
    load = Load(manager, pid, mirror.list_ids())
    works = [load.read, load.read, load.write, load.run_app, load.hear_feed, load.count]
    threads = [threading.Thread(target=load.repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        for number in range(rounds):
            load.keep_house(number)
        deadline = time.monotonic() + 30
        while any(load.counts.get(work.__name__, 0) < 2 for work in works) and time.monotonic() < deadline:
            load.over.wait(0.02)
    finally:
        load.over.set()
        for thread in threads:
            thread.join()
    print(f"rounds: {load.counts}, and of commands: {rounds}")
    if load.wrong or any(load.counts.get(work.__name__, 0) < 2 for work in works):
        raise AssertionError(f"{len(load.wrong)} things went wrong: {load.wrong[:5]}, {load.counts}")
    return load.peaks
