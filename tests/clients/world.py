# SPDX-License-Identifier: Apache-2.0
"""A sandbox, and a mirror of it that holds everything, each a process of its own on a free port, for a `with`."""
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time

import requests

KEY = "sandbox"
ORIGIN = "https://app.example.com"  # of a web app that is listed


def start(arguments, environment, pattern, home, name):
    """The process, and what `pattern` found in what it said."""
    log = open(os.path.join(home, name + ".log"), "w+")
    process = subprocess.Popen(arguments, env={"PATH": os.environ["PATH"], **environment}, stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while True:
        with open(log.name) as said:
            text = said.read()
        found = re.search(pattern, text)
        if found:
            return process, found
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"{name} did not start: {text}")
        time.sleep(0.02)


class World:
    def __init__(self, program, sandbox=(), settings=None, mirrored=True):
        self.home = tempfile.mkdtemp(prefix="alli-clients-")
        self.processes = []
        places = {"HOME": self.home, "XDG_STATE_HOME": self.home, "XDG_RUNTIME_DIR": self.home}
        self.upstream = self.run(
            [program, "sandbox", "--listen", "127.0.0.1:0", "--compress", *sandbox], places, r"(http://[\d.]+:\d+)", "sandbox"
        )
        self.base = self.upstream
        if not mirrored:
            return
        self.environment = {
            **places,
            "ALLI_API_KEY": KEY,
            "ALLI_MIRROR_UPSTREAM_URL": self.upstream,
            "ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND": "0",
            "ALLI_MIRROR_MIRROR_PATH": os.path.join(self.home, "mirror.db"),
            "ALLI_MIRROR_PROXY_LISTEN": "127.0.0.1:0,unix:" + os.path.join(self.home, "proxy.sock"),  # for the commands
            "ALLI_MIRROR_PROXY_ALLOWED_ORIGINS": ORIGIN,
            **(settings or {}),
        }
        self.base = "http://" + self.run([program, "serve"], self.environment, r"listens on ([\d.]+:\d+)", "mirror")
        deadline = time.monotonic() + 60
        while not self.status()["mirror"]["complete"]:
            if time.monotonic() > deadline:
                raise RuntimeError("the mirror was never complete: " + self.said())
            time.sleep(0.05)

    def run(self, arguments, environment, pattern, name):
        process, found = start(arguments, environment, pattern, self.home, name)
        self.processes.append(process)
        return found.group(1)

    def status(self):
        return requests.get(self.base + "/mirror/v1/status", headers={"API-KEY": KEY}, timeout=10).json()

    def asked_upstream(self, operation):
        """How many requests for it the mirror has sent so far."""
        text = requests.get(self.base + "/metrics", headers={"API-KEY": KEY}, timeout=10).text
        counts = re.findall(rf'^\S*upstream_requests_total{{[^}}]*operation="{operation}"[^}}]*}} (\d+)', text, re.M)
        if not counts:
            raise RuntimeError(f"no such operation: {operation}")
        return sum(int(count) for count in counts)

    def said(self):
        """The end of what the processes logged."""
        text = ""
        for name in sorted(os.listdir(self.home)):
            if name.endswith(".log"):
                with open(os.path.join(self.home, name)) as log:
                    text += f"--- {name}\n" + "".join(log.readlines()[-15:])
        return text

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.home)


@contextlib.contextmanager
def world(program, **options):
    made = World(program, **options)
    try:
        yield made
    finally:
        made.end()
