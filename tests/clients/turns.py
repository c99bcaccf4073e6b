# SPDX-License-Identifier: Apache-2.0
"""turns.py PROGRAM [--long]: clients that run an app, wait for its answer in the ways that public clients do, and read
it once. Counts the answers that are cut, and how long lists take. Exit code 1 if there is one, or one takes too long."""
import argparse
import collections
import concurrent.futures
import json
import random
import sys
import threading
import time
from urllib.parse import quote

import requests

from world import KEY, world

LONGEST_LIST = 2.0  # seconds; where nothing else keeps the machine busy
LONGEST_LIST_BESIDE_OTHERS = 8.0
of_thread = threading.local()


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.turns, self.cut, self.errors, self.lists = collections.Counter(), [], [], []

    def add(self, kind, problem, error):
        with self.lock:
            self.turns[kind] += 1
            if problem:
                self.cut.append(f"{kind}: {problem}")
            if error:
                self.errors.append(f"{kind}: {error}")

    def add_list(self, seconds):
        with self.lock:
            self.lists.append(seconds)

    def report(self, name, longest=LONGEST_LIST):
        slowest = max(self.lists, default=0)
        print(f"{name}: {sum(self.turns.values())} turns, {len(self.cut)} cut answers, {len(self.errors)} errors, "
              f"{len(self.lists)} lists, the slowest {slowest:.2f} s")
        for problem in (self.cut + self.errors)[:20]:
            print("    " + problem)
        sys.stdout.flush()
        return not self.cut and not self.errors and slowest <= longest


class Client:
    """One person's program: turns in conversations of a few turns each."""

    def __init__(self, base, app, seed, lists):
        self.base, self.app, self.random, self.lists = base, app, random.Random(seed), lists
        self.session = requests.Session()
        self.session.headers["API-KEY"] = KEY
        if self.random.random() < 0.5:
            self.session.headers["Accept-Encoding"] = "identity"
        self.talk, self.left = None, 0

    def url(self, rest):
        return f"{self.base}/webapi/v2/conversations/{quote(self.talk, safe='')}{rest}"

    def get(self, url, **more):
        answer = self.session.get(url, timeout=60, **more)
        answer.raise_for_status()
        return answer

    def run(self, mode, leave=False):
        """What the app will have said in the end, once it said so, or it is left in the middle."""
        if self.left == 0:
            self.talk, self.left = None, self.random.randint(1, 6)
        self.left -= 1
        text = f"{self.random.random()} " + "한 문장 " * self.random.randint(1, 150)
        body = {"mode": mode, "chat": {"message": text}}
        if self.talk:
            body["conversationId"] = self.talk
        url = f"{self.base}/webapi/apps/{quote(self.app['id'], safe='')}/run"
        with self.session.post(url, json=body, stream=True, timeout=60) as answer:
            answer.raise_for_status()
            last = b""
            for line in answer.iter_lines(chunk_size=64):
                last = line or last
                if leave:
                    break
        result = json.loads(last)["result"]
        self.talk = result["conversation"]["id"]
        return f"{self.app['name']}: {text}", result["responses"][0]["id"]

    def wait(self, how, pause, chat):
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            time.sleep(pause)
            if how == "running" and not self.get(self.url("/running")).json()["isRunning"]:
                return
            if how == "completed":
                answer = self.session.get(self.url("/chats"), timeout=60)  # 404 as long as it cannot be seen
                chats = answer.json()["chats"] if answer.status_code == 200 else []
                if chats and chats[-1]["id"] == chat and chats[-1]["completed"]:
                    return
        raise RuntimeError("the run has no end")

    def find_problem(self, message):
        """What the one read behind it shows, where it is not all of the answer."""
        answer = self.session.get(self.url("/chats"), timeout=60)
        where = f"{answer.status_code} {answer.headers.get('Cache-Status')}"
        last = answer.json()["chats"][-1] if answer.status_code == 200 else {}
        if last.get("message") != message or not last.get("completed"):
            return f"chats ({where}): {json.dumps(last, ensure_ascii=False)[:120]}"
        answer = self.get(self.url(""))
        if answer.json()["chats"][-1]["message"] != message:
            return f"the conversation ({answer.headers.get('Cache-Status')})"
        return self.find_problem_in_list(message, last["timestamp"]) if self.lists else None

    def find_problem_in_list(self, message, at):
        begun = time.monotonic()
        answer = self.get(f"{self.base}/webapi/v2/conversations?pageSize=50")
        self.lists.add_list(time.monotonic() - begun)
        where = f"the list ({answer.headers.get('Cache-Status')})"
        shown = answer.json()["conversations"]
        for one in shown:
            if one["id"] == self.talk:
                return None if one["chats"][-1]["message"] == message else where
        return None if shown[-1]["lastChatTime"] > at else f"{where} lacks it"

    def turn(self, mode, how, pause):
        leave = mode == "left"
        message, chat = self.run("stream" if leave else mode, leave)
        if leave or mode == "background":
            self.wait(how, pause, chat)
        return self.find_problem(message)


def play(base, app, kind, count, tally, lists, seed):
    client = Client(base, app, seed, tally if lists else None)
    for _ in range(count):
        problem = error = None
        try:
            problem = client.turn(*kind)
        except Exception as failure:  # whatever it is: it counts
            error = repr(failure)[:300]
        tally.add(kind, problem, error)


def app_of(base):
    return requests.get(base + "/webapi/v2/apps", headers={"API-KEY": KEY}, timeout=30).json()["apps"][0]


def in_parallel(program, name, kinds, turns, side_by_side, sandbox, lists=True, longest=LONGEST_LIST):
    """`turns` of each kind, in as many clients side by side."""
    tally = Tally()
    with world(program, sandbox=sandbox) as made:
        app = app_of(made.base)
        with concurrent.futures.ThreadPoolExecutor(len(kinds) * side_by_side) as pool:
            for number in range(side_by_side):
                for place, kind in enumerate(kinds):
                    share = turns // side_by_side + (1 if number < turns % side_by_side else 0)
                    pool.submit(play, made.base, app, kind, share, tally, lists, f"{name} {number} {place}")
        good = tally.report(name, longest)
        good = rests(made, app) and good
        if not good:
            print(made.said())
    return good


def rests(made, app):
    """A conversation at rest is read a hundred times, and upstream is not asked for it: whatever the client waited by."""
    good = True
    for mode, how in (("sync", ""), ("background", "running"), ("background", "completed")):
        client = Client(made.base, app, "rest", None)
        message, chat = client.run(mode)
        if how:
            client.wait(how, 0.2, chat)
        problem = client.find_problem(message)
        deadline = time.monotonic() + 30
        while "hit" not in client.get(client.url("/chats")).headers["Cache-Status"] and time.monotonic() < deadline:
            time.sleep(0.1)
        before = made.asked_upstream("chats")
        hits = sum("; hit" in client.get(client.url("/chats")).headers["Cache-Status"] for _ in range(100))
        asked = made.asked_upstream("chats") - before
        print(f"    at rest after {mode} {how}: {hits} of 100 reads were hits, {asked} asked upstream for chats"
              f"{', ' + problem if problem else ''}")
        good = good and problem is None and hits == 100 and asked == 0
    return good


def by_rate(program, name, rate, seconds, limit):
    """So many runs a second begin, whatever becomes of those before, with so many requests a second upstream."""
    tally = Tally()
    kinds = [("sync", "", 0), ("stream", "", 0), ("background", "running", 1.5), ("left", "running", 1.5)]
    settings = {"ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": str(limit)}
    with world(program, sandbox=["--conversations", "60", "--run-time", "1s"], settings=settings) as made:
        app = app_of(made.base)
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            begun = time.monotonic()
            for number in range(int(rate * seconds)):
                time.sleep(max(0, begun + number / rate - time.monotonic()))
                pool.submit(play, made.base, app, kinds[number % len(kinds)], 1, tally, True, f"{name} {number}")
        good = tally.report(name)
        if not good:
            print(made.said())
    return good


def kinds_of(pauses):
    waits = [(mode, how, pause) for mode, how in (("background", "running"), ("background", "completed"), ("left", "running"))
             for pause in pauses]
    return [("sync", "", 0), ("stream", "", 0), *waits]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("--turns", type=int, default=100)
    arguments.add_argument("--only", default="")
    given = arguments.parse_args()
    lag = ["--read-lag", "4s"]
    common = ["--conversations", "60"]
    short = [
        lambda: in_parallel(given.program, "short runs", kinds_of([0.05, 0.4]), 3, 1, [*common, "--run-time", "300ms"],
                            longest=LONGEST_LIST_BESIDE_OTHERS),
        lambda: in_parallel(given.program, "short runs, lagging reads", kinds_of([0.05]), 2, 2,
                            [*common, "--run-time", "300ms", "--read-lag", "1s"], lists=False),
    ]
    pauses = [0.05, 0.4, 1.5, 5]
    long = [
        lambda: in_parallel(given.program, "runs", kinds_of(pauses), given.turns, 5, [*common, "--run-time", "2s"]),
        lambda: in_parallel(given.program, "runs, reads lag by 4 s", kinds_of(pauses), given.turns, 5,
                            [*common, "--run-time", "2s", *lag], lists=False),
        lambda: by_rate(given.program, "5 runs a second at 10 requests a second", 5, 60, 10),
    ]
    scenes = long if given.long else short
    if given.only:
        scenes = [scenes[int(given.only)]]
    good = [scene() for scene in scenes]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
