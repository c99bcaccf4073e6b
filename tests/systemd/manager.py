# SPDX-License-Identifier: Apache-2.0
"""A service manager of a user (systemd --user) as the only one of its namespaces, its journal and its systemctl. The user has
no privilege and no entry in /etc/passwd. Called by the first process of the namespaces, see run.sh."""
import fcntl
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

USER = 4711
HOME = "/run/home"
RUNTIME = f"/run/user/{USER}"
GROUPS = "/sys/fs/cgroup"
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "XDG_RUNTIME_DIR": RUNTIME, "LANG": "C.UTF-8"}


def wait_until(what, true, seconds=60):
    """Asks again until it is true, and returns what it said."""
    deadline = time.monotonic() + seconds
    while True:
        said = true()
        if said:
            return said
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true in {seconds} s: {what}")
        time.sleep(0.02)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def make_folder(path, mode=0o755, user=0):
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode)
    os.chown(path, user, user)


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def begin_namespaces():
    """A network of its own, and groups of its own: one for the tests."""
    raise_loopback()
    subprocess.run(["umount", GROUPS], check=True)
    mount("-t", "cgroup2", "none", GROUPS)  # seen from our own group
    os.mkdir(f"{GROUPS}/tests")
    put_text(f"{GROUPS}/tests/cgroup.procs", os.getpid())
    mount("-t", "tmpfs", "-o", "mode=755", "none", "/run")


def furnish(root):
    """What a machine that was booted with systemd has, as far as its user's manager needs it."""
    begin_namespaces()
    os.mkdir(f"{GROUPS}/manager")
    delegate("manager")
    make_folder("/run/systemd/system")
    make_folder("/run/systemd/journal")
    make_folder(RUNTIME, 0o700, USER)
    make_folder(HOME, 0o700, USER)
    mount("--bind", "-o", "ro", f"{root}/usr/local", "/usr/local")


def put_text(path, text):
    with open(path, "w") as file:
        file.write(str(text))


def delegate(group):
    """Gives the user a group of processes, with the controllers that there are, as user@.service does."""
    with open(f"{GROUPS}/cgroup.controllers") as file:
        there = file.read().split()
    for controller in ("memory", "pids"):
        if controller in there:
            put_text(f"{GROUPS}/cgroup.subtree_control", f"+{controller}")
    for path in (f"{GROUPS}/{group}", *(f"{GROUPS}/{group}/cgroup.{file}" for file in ("procs", "subtree_control", "threads"))):
        os.chown(path, USER, USER)


class Journal:
    """What services and the manager say to journald: a service a stream, seven lines that say who writes, then text; the
    manager a datagram of fields for each message."""

    def __init__(self):
        self.lines = []
        self.changed = threading.Condition()
        self.streams = self.open(socket.SOCK_STREAM, "stdout", self.accept)
        self.datagrams = self.open(socket.SOCK_DGRAM, "socket", self.receive)

    def open(self, kind, name, serve):
        opened = socket.socket(socket.AF_UNIX, kind)
        opened.bind(f"/run/systemd/journal/{name}")
        os.chmod(f"/run/systemd/journal/{name}", 0o666)
        if kind == socket.SOCK_STREAM:
            opened.listen(100)
        threading.Thread(target=serve, args=(opened,), daemon=True).start()
        return opened

    def add(self, line):
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def accept(self, streams):
        while True:
            threading.Thread(target=self.read, args=(streams.accept()[0],), daemon=True).start()

    def read(self, writer):
        with writer.makefile("r", errors="replace") as text:
            head = [text.readline() for _ in range(7)]
            for line in text:
                self.add(f"{head[0].strip()}: {line.rstrip()}")

    def receive(self, datagrams):
        while True:
            fields = datagrams.recv(1 << 20).decode(errors="replace").split("\n")
            self.add("systemd: " + next((field[8:] for field in fields if field.startswith("MESSAGE=")), ""))

    def place(self):
        with self.changed:
            return len(self.lines)

    def wait_for(self, pattern, place=0, seconds=30):
        """The first line from that place on in which the pattern is found."""
        with self.changed:

            def find():
                return next((line for line in self.lines[place:] if re.search(pattern, line)), None)

            if not self.changed.wait_for(lambda: find() is not None, seconds):
                raise AssertionError(f"the journal has no {pattern!r} after {seconds} s")
            return find()


class Manager:
    program = "/usr/local/bin/alli-mirror"
    units = "/usr/local/lib/systemd/user"
    settings = ".config/alli-mirror"
    state = f"{HOME}/.local/state/alli-mirror"

    def __init__(self):
        self.journal = Journal()

        def join_group():
            put_text(f"{GROUPS}/manager/cgroup.procs", os.getpid())
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # so that a unit's LimitCORE=0 makes a difference

        self.process = subprocess.Popen(
            [*AS_USER, "/usr/lib/systemd/systemd", "--user"],
            env={**ENVIRONMENT, "SYSTEMD_LOG_TARGET": "journal", "SYSTEMD_LOG_LEVEL": "info"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=join_group, cwd="/",
        )
        wait_until("the manager runs", lambda: self.ask("is-system-running") in ("running", "degraded"), 30)

    def systemctl(self, *words, check=True):
        done = self.run(["systemctl", "--user", *words])
        if check and done.returncode != 0:
            raise AssertionError(f"systemctl {' '.join(words)} failed: {done.stderr}")
        return done

    def ask(self, *words):
        return self.systemctl(*words, check=False).stdout.strip()

    def show(self, unit):
        lines = self.systemctl("show", unit).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def run(self, words, **more):
        """A program of the user's."""
        return subprocess.run([*AS_USER, *words], env=ENVIRONMENT, cwd=HOME, capture_output=True, text=True, timeout=120, **more)

    def write(self, path, text, mode=0o600):
        """A file of the user's, below HOME."""
        path = f"{HOME}/{path}"
        made = os.path.dirname(path)
        while not os.path.isdir(made):
            made = os.path.dirname(made)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        put_text(path, text)
        os.chmod(path, mode)
        subprocess.run(["chown", "-R", f"{USER}:{USER}", made], check=True)

    def put_drop_in(self, unit, text):
        self.write(f".config/systemd/user/{unit}.d/test.conf", text)
        self.systemctl("daemon-reload")

    def kernel_path(self, pid):
        return f"/proc/{pid}"

    def kill(self, pid, number):
        os.kill(pid, number)

    def said(self):
        """The end of what the manager and the services said, but for the lines of requests."""
        return "\n".join(line for line in self.journal.lines if "request request_id=" not in line)[-8000:]

    def end(self):
        """In order, as a log-out does: whoever does not end in time fails the test."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
