# SPDX-License-Identifier: Apache-2.0
"""Tries what any user may do and the service must not, and says of each whether it was denied. Run by a case, as a service."""
import contextlib
import ctypes
import mmap
import os
import resource
import socket
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, ADDR_NO_RANDOMIZE, PTRACE_TRACEME = 0x10000000, 0x40000, 0


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def write_and_execute():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def open_odd_socket():
    """Of a family that this kernel gives to anybody; where it has none, of an unknown one."""
    for family, kind in ((socket.AF_VSOCK, socket.SOCK_STREAM), (socket.AF_ALG, socket.SOCK_SEQPACKET), (socket.AF_TIPC, socket.SOCK_RDM)):
        with contextlib.suppress(OSError):
            socket.socket(family, kind).close()
            return
    raise OSError("none of these")


def set_user_id_bit():
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0o4700)


def dump_core():
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        raise OSError("no core may be written")


def have_more_descriptors():
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 4096:
        raise OSError("no more than the unit's figure")


def gain_privileges():
    with open("/proc/self/status") as status:
        if "NoNewPrivs:\t1" in status.read():
            raise OSError("programs with privileges do not get them")


def make_readable_file():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
        if os.stat(path).st_mode & 0o077 == 0:
            raise OSError("others cannot read it")


def in_a_child(attempt):
    """For what cannot be taken back: a child tries it."""

    def attempt_in_child():
        child = os.fork()
        if child == 0:
            try:
                attempt()
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            raise OSError("denied")

    return attempt_in_child


ATTEMPTS = {
    "a namespace of its own": in_a_child(lambda: call("unshare", CLONE_NEWUSER)),
    "another personality": in_a_child(lambda: call("personality", ADDR_NO_RANDOMIZE)),
    "being traced": in_a_child(lambda: call("ptrace", PTRACE_TRACEME, 0, 0, 0)),
    "another priority": in_a_child(lambda: os.setpriority(os.PRIO_PROCESS, 0, 5)),
    "another processor": lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)),
    "memory to write and to execute": write_and_execute,
    "a socket of a family that it does not need": open_odd_socket,
    "a file that runs as its owner": set_user_id_bit,
    "more descriptors": have_more_descriptors,
    "a core": dump_core,
    "privileges of programs": gain_privileges,
    "a file for others": make_readable_file,
}


def is_denied(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False


for name, attempt in ATTEMPTS.items():
    print(f"{name}: denied={'yes' if is_denied(attempt) else 'no'}", flush=True)
print("probed", flush=True)
