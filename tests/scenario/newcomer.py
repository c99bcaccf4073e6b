#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""newcomer.py BUILD: somebody with a bare Debian 12 and the source, who does what README's "Try it" says, line by line, until a search in
the page answers. Says how long that took; more than ten minutes is a failure, by the clock or, where the machine had more to do, by
processor time over processors. Needs root, debootstrap, the port 8787 and Debian's mirror. By scripts/test --long."""
import http.cookiejar
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = os.path.realpath(f"{os.path.dirname(__file__)}/../..")
MOST = 600  # seconds
ADDRESS = "http://127.0.0.1:8787"


def fail(why, log=None):
    if log and os.path.exists(log):
        with open(log, errors="replace") as file:
            print("".join(file.readlines()[-40:]), file=sys.stderr)
    sys.exit(f"FAILED: {why}")


def lines_of_readme():
    """The commands of "Try it": the first, which starts it, and those that come once it says `ready`."""
    with open(f"{SOURCE}/README.md") as file:
        section = re.search(r"^## Try it\n(.*?)^## ", file.read(), re.S | re.M).group(1)
    blocks = re.findall(r"(?:^    .*\n)+", section, re.M)
    commands = [[line.split("  #")[0].strip() for line in block.splitlines()] for block in blocks]
    return commands[0][0], commands[1]


class Machine:
    """A bare Debian, in a folder; its network is this machine's."""

    def __init__(self, build, work):
        self.root, self.log = f"{work}/root", f"{work}/log"
        base = f"{build}/container-base.tar"  # as container.sh makes it
        if not os.path.exists(base):
            subprocess.run(["debootstrap", "--variant=minbase", "bookworm", f"{work}/debian", *filter(None, [os.environ.get("ALLI_DEBIAN_MIRROR")])],
                           check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["tar", "-C", f"{work}/debian", "-cf", f"{base}.new", "."], check=True)
            os.rename(f"{base}.new", base)
        os.mkdir(self.root)
        subprocess.run(["tar", "-C", self.root, "-xf", base], check=True)
        os.makedirs(f"{self.root}/root/alli-mirror")
        archive = subprocess.run(["git", "-C", SOURCE, "archive", "HEAD"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-C", f"{self.root}/root/alli-mirror", "-x"], input=archive, check=True)
        shutil.copy("/etc/resolv.conf", f"{self.root}/etc/resolv.conf")
        subprocess.run(["mount", "-t", "proc", "none", f"{self.root}/proc"], check=True)

    def end(self):
        subprocess.run(["umount", "-l", f"{self.root}/proc"], check=True)

    def words(self, line):
        return ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
                "chroot", self.root, "sh", "-c", f"cd /root/alli-mirror && {line}"]

    def start(self, line):
        return subprocess.Popen(self.words(line), stdin=subprocess.DEVNULL, stdout=open(self.log, "w"), stderr=subprocess.STDOUT, start_new_session=True)

    def said(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def run(self, line):
        done = subprocess.run(self.words(line), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            fail(f"README's line does not work here: {line}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr


def search_in_page(link):
    """As a browser does that opens the link: the page, what it is made of, and a search with the session's cookie."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(link, timeout=20).read().decode()
    parts = re.findall(r"(?:src|href)=\"(/page/[^\"]+)\"", page)
    if not parts:
        fail(f"the link opens no page: {page[:300]}")
    for part in parts:
        browser.open(ADDRESS + part, timeout=20).read()
    return browser.open(f"{ADDRESS}/mirror/v1/search?q=football&limit=20", timeout=20).read().decode()


def is_whole(machine):
    return '"complete":true' in re.sub(r"\s", "", machine.run("scripts/run status --json"))


def follow_readme(machine):
    """Seconds until it was ready, until a search in the page, and of processors."""
    first, later = lines_of_readme()
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    running = machine.start(f"exec {first}")
    while not re.search(r"^.*\bready\b", machine.said(), re.M):
        if running.poll() is not None or time.monotonic() - began > 6 * MOST:
            fail(f"{first} never says `ready`", machine.log)
        time.sleep(0.5)
    ready = time.monotonic() - began
    while not is_whole(machine):
        time.sleep(0.5)
    said = {line: machine.run(line) for line in later}
    link = re.search(rf"{ADDRESS}/\S+", next(text for line, text in said.items() if line.endswith(" open")))
    if not link or "football" not in search_in_page(link.group(0)):
        fail(f"no search in the page: {said}")
    took = time.monotonic() - began
    for line, text in said.items():
        words = {"search": "football", "status": "runs", "pageSize": '"id"'}
        if not all(expected in text for name, expected in words.items() if name in line):
            fail(f"{line} says: {text}")
    os.killpg(running.pid, signal.SIGTERM)
    running.wait(60)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ready, took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def main():
    build = os.path.realpath(sys.argv[1])
    if os.geteuid() != 0:
        fail("it needs root")
    if "INSIDE" not in os.environ:  # nothing outlives it, and its mounts are its own
        os.execvpe("unshare", ["unshare", "--mount", "--pid", "--fork", "--kill-child", sys.executable, __file__, build], {**os.environ, "INSIDE": "1"})
    with tempfile.TemporaryDirectory() as work:
        machine = Machine(build, work)
        try:
            ready, took, processor = follow_readme(machine)
        finally:
            machine.end()
    alone = processor / (os.cpu_count() or 1)
    print(f"{ready:.0f} s until it was ready, {took:.0f} s until a search in the page; {processor:.0f} s of processors, of which there are {os.cpu_count()}")
    if min(took, alone) > MOST:
        fail(f"that is more than {MOST} s")


if __name__ == "__main__":
    main()
