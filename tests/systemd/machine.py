# SPDX-License-Identifier: Apache-2.0
"""A Debian that is booted in a container, with the service manager of the system; as manager.Manager is to the cases. It shares
the network of the tests' namespaces, and forgets at its end what was changed."""
import os
import signal
import subprocess
import threading
import time

import manager
from manager import GROUPS, Journal, mount, put_text, wait_until

ROOT = "/run/machine/root"


class Follower(Journal):
    """Everything that journald has, as it comes."""

    def __init__(self, words):
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, errors="replace")
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.process.stdout:
            self.add(line.rstrip())


class Machine:
    program = "/usr/bin/alli-mirror"
    units = "/lib/systemd/system"
    settings = "etc/alli-mirror"
    state = f"{ROOT}/var/lib/alli-mirror"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}

    def __init__(self, base):
        manager.begin_namespaces()
        for folder in ("root", "changed", "work"):
            os.makedirs(f"/run/machine/{folder}")
        mount("-t", "overlay", "-o", f"lowerdir={base},upperdir=/run/machine/changed,workdir=/run/machine/work", "none", ROOT)
        os.mkdir(f"{GROUPS}/machine")
        self.console = open("/run/console", "w+")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-D", ROOT, "-b", "--register=no", "--keep-unit", "--machine=alli-test", "--console=pipe"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console,
            preexec_fn=lambda: put_text(f"{GROUPS}/machine/cgroup.procs", os.getpid()),
        )
        self.leader = None
        wait_until("the machine runs", self.is_running, 60)
        self.journal = Follower(self.within(["journalctl", "-f", "-n", "all", "-o", "cat"]))

    def is_running(self):
        """And which process is its first: systemd-nspawn has others before it."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            self.leader = next(map(int, children.read().split()), None)
        return self.leader and self.ask("is-system-running") in ("running", "degraded")

    def within(self, words):
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return ["nsenter", "-t", str(self.leader), "-m", "-p", "-u", "-i", "-C", "-r", "-w", "env", "-i", *variables, *words]

    def run(self, words, **more):
        """A program of root's, in the container."""
        return subprocess.run(self.within(words), capture_output=True, text=True, timeout=120, **more)

    def run_well(self, *words):
        done = self.run(words)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}")
        return done.stdout

    def systemctl(self, *words, check=True):
        done = self.run(["systemctl", *words])
        if check and done.returncode != 0:
            raise AssertionError(f"systemctl {' '.join(words)} failed: {done.stderr}")
        return done

    ask = manager.Manager.ask
    show = manager.Manager.show

    def write(self, path, text, mode=0o600):
        path = f"{ROOT}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        put_text(path, text)
        os.chmod(path, mode)

    def put_drop_in(self, unit, text):
        self.write(f"etc/systemd/system/{unit}.d/test.conf", text, 0o644)
        self.systemctl("daemon-reload")

    def take_drop_in_away(self, unit):
        os.remove(f"{ROOT}/etc/systemd/system/{unit}.d/test.conf")
        self.systemctl("daemon-reload")

    def find_outside(self, pid):
        """The process that has this number in the container."""
        for one in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{one}/status") as status:
                    numbers = next(line.split()[1:] for line in status if line.startswith("NSpid:"))
            except (OSError, StopIteration):
                continue
            if len(numbers) > 1 and numbers[-1] == str(pid):
                return int(one)
        raise AssertionError(f"no process {pid} in the container")

    def kernel_path(self, pid):
        return f"/proc/{self.find_outside(pid)}"

    def kill(self, pid, number):
        os.kill(self.find_outside(pid), number)

    def said(self):
        with open("/run/console") as console:
            return console.read()[-2000:] + manager.Manager.said(self)

    def end(self):
        """By a cut: what was to be ended in order has been."""
        os.kill(self.leader, signal.SIGKILL)
        for process in (self.journal.process, self.process):
            process.wait(60)
