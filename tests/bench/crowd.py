#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A crowd of bad connections: 500 that send half a request's head and fall silent, 500 that send one byte a second,
opened again as soon as they are cut. Beside them one good client: what its requests take without the crowd, with it for
30 seconds, and without it again; memory and descriptors of the program at each; whether all are gone afterwards.
  tests/bench/crowd.py [PROGRAM [SECONDS]]
Python's standard library alone; the program mirrors its own sandbox."""
import http.client
import json
import multiprocessing
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

program = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "build/release/alli-mirror")
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30
each = 500
half = b"GET /webapi/v2/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


def start(home, args, settings, said):
    environment = {"PATH": os.environ["PATH"], "HOME": home, "XDG_STATE_HOME": home, "XDG_RUNTIME_DIR": home, **settings}
    log = open(os.path.join(home, args[0] + ".log"), "w+")
    process = subprocess.Popen([program, *args], env=environment, stdout=log, stderr=log)
    for _ in range(400):
        with open(log.name) as text:
            found = re.search(said, text.read())
        if found:
            return process, int(found.group(1))
        time.sleep(0.025)
    raise SystemExit(f"{args[0]} did not come up: see {log.name}")


class Good:
    """One client over one connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, path):
        self.connection.request("GET", path, headers={"API-KEY": "sandbox"})
        reply = self.connection.getresponse()
        body = reply.read()
        assert reply.status == 200, (reply.status, body[:200])
        return body

    def measure(self, paths, how_long):
        taken, until = [], time.monotonic() + how_long
        while time.monotonic() < until:
            began = time.perf_counter()
            self.get(paths[len(taken) % len(paths)])
            taken.append((time.perf_counter() - began) * 1000)
            time.sleep(0.002)
        return sorted(taken)


def crowd(port, stop, opened):
    """Runs in a process of its own. A connection that is cut is opened anew; those that are silent stay so."""
    chosen = selectors.DefaultSelector()

    def join(slow):
        one = socket.create_connection(("127.0.0.1", port))
        one.setblocking(False)
        one.send(half)
        chosen.register(one, selectors.EVENT_READ, slow)
        opened.value += 1

    def leave(one):
        chosen.unregister(one)
        one.close()

    for n in range(2 * each):
        join(n % 2 == 0)
    next_byte = time.monotonic() + 1
    while not stop.is_set():
        for key, _ in chosen.select(timeout=0.05):
            leave(key.fileobj)
            join(key.data)
        if time.monotonic() < next_byte:
            continue
        next_byte += 1
        for key in list(chosen.get_map().values()):
            if key.data:
                try:
                    key.fileobj.send(b"x")
                except OSError:
                    pass  # cut meanwhile: the selector tells
    while chosen.get_map():  # nothing is sent any more: all have to be cut
        for key, _ in chosen.select(timeout=0.05):
            leave(key.fileobj)


def state_of(process):
    with open(f"/proc/{process.pid}/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024
    return resident, len(os.listdir(f"/proc/{process.pid}/fd"))


def show(name, taken, process):
    resident, descriptors = state_of(process)
    at = lambda part: taken[min(len(taken) - 1, int(len(taken) * part))]
    print(f"{name:<18} {len(taken):6} requests  median {at(0.5):6.2f} ms  p99 {at(0.99):6.2f} ms  worst {taken[-1]:7.2f} ms"
          f"   {resident:6.1f} MB  {descriptors:5} descriptors", flush=True)
    return at(0.99)


def main():
    home = tempfile.mkdtemp(prefix="alli-crowd.")
    started = []
    try:
        sandbox, port = start(home, ["sandbox", "--listen", "127.0.0.1:0", "--conversations", "2000"], {}, r"http://127\.0\.0\.1:(\d+)")
        started.append(sandbox)
        settings = {"ALLI_API_KEY": "sandbox", "ALLI_MIRROR_UPSTREAM_URL": f"http://127.0.0.1:{port}",
                    "ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": "0", "ALLI_MIRROR_MIRROR_PATH": f"{home}/mirror.db",
                    "ALLI_MIRROR_PROXY_LISTEN": "127.0.0.1:0"}
        mirror, port = start(home, ["serve"], settings, r"listens on 127\.0\.0\.1:(\d+)")
        started.append(mirror)
        good = Good(port)
        while b'"complete":true' not in good.get("/mirror/v1/status"):
            time.sleep(0.1)
        listed = json.loads(good.get("/webapi/v2/conversations?pageSize=50"))["conversations"]
        paths = [f"/webapi/v2/conversations/{urllib.parse.quote(one['id'], safe='')}" for one in listed]
        paths.append("/webapi/v2/conversations?pageSize=10")
        good.measure(paths, 1)
        before = show("alone", good.measure(paths, seconds / 3), mirror)
        stop, opened = multiprocessing.Event(), multiprocessing.Value("i", 0)
        bad = multiprocessing.Process(target=crowd, args=(port, stop, opened))
        bad.start()
        while opened.value < 2 * each:
            time.sleep(0.01)
        with_it = show("with the crowd", good.measure(paths, seconds), mirror)
        stop.set()
        since = time.monotonic()
        bad.join(60)
        gone = time.monotonic() - since if bad.exitcode == 0 else None
        if gone is None:
            bad.kill()
        show("alone again", good.measure(paths, seconds / 3), mirror)
        print(f"p99 {with_it / before:.2f} of what it was alone; {opened.value} bad connections were opened; "
              + (f"all were cut within {gone:.1f} s of the last byte" if gone is not None else "NOT ALL WERE CUT within 60 s"))
    finally:
        for one in reversed(started):
            one.terminate()
            one.wait()
        shutil.rmtree(home)


main()
