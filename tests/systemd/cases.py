# SPDX-License-Identifier: Apache-2.0
"""cases.py ROOT CASE: what the user's units promise, a case at a time, see run.sh. A case has the manager, a sandbox and settings that
name it; the units are those that are installed, without a drop-in where a case does not say otherwise."""
import os
import signal
import sys
import threading
import time
import traceback

import load
import manager as systemd
import mirror
from manager import HOME, wait_until
from mirror import ask, get, path_of

SERVICE, SOCKET = "alli-mirror.service", "alli-mirror.socket"
SANDBOX = ["--conversations", "40", "--seed", "7"]
LARGE_SANDBOX = ["--conversations", "500", "--seed", "7"]


def expect(true, what):
    if not true:
        raise AssertionError(what)


def expect_equal(is_, should_be, what):
    expect(is_ == should_be, f"{what}: {is_!r} instead of {should_be!r}")


class World:
    """A manager, and a sandbox that its settings name. `program` runs the sandbox."""

    def __init__(self, manager, program, options=None):
        self.manager, self.program = manager, program
        self.sandbox = mirror.Sandbox(program, *(options or SANDBOX))
        mirror.put_settings(manager, self.sandbox)

    def show(self, unit=SERVICE):
        return self.manager.show(unit)

    def pid(self):
        return int(self.show()["MainPID"])

    def start(self, *units):
        self.manager.systemctl("start", *(units or (SERVICE,)))

    def signal(self, number):
        pid = self.pid()
        self.manager.kill(pid, number)
        return pid

    def wait_for_another(self, pid, seconds=60):
        """Until the service manager has started it again and it has said that it is ready."""

        def is_another():
            shown = self.show()
            return shown["ActiveState"] == "active" and shown["MainPID"] not in ("0", str(pid)) and shown

        return wait_until("it is started again", is_another, seconds)

    def end(self):
        self.manager.end()
        self.sandbox.end()


def starts_reloads_and_stops(world):
    began = time.monotonic()
    world.start()
    expect_equal(get("/healthz", timeout=1) and get("/mirror/v1/status")["version"] != "", True, "it answers once it is ready")
    print(f"ready after {time.monotonic() - began:.2f} s")
    shown = world.show()
    expect_equal(shown["FragmentPath"], f"{world.manager.units}/{SERVICE}", "its unit")
    expect_equal(shown.get("DropInPaths", ""), "", "its unit has no addition")
    pid = world.pid()
    mirror.wait_until_complete()
    expect_equal(os.stat(f"{world.manager.state}/mirror.db").st_mode & 0o777, 0o600, "the mode of mirror.db")

    place = world.manager.journal.place()
    mirror.put_settings(world.manager, world.sandbox, '[log]\nlevel = "debug"\n')
    world.manager.systemctl("reload", SERVICE)
    world.manager.journal.wait_for(r"\breloaded: ", place)
    mirror.put_settings(world.manager, world.sandbox, '[log]\nlevel = "loud"\n')
    world.manager.systemctl("reload", SERVICE)
    world.manager.journal.wait_for(r"\breload_failed: ", place)
    expect_equal(world.pid(), pid, "the process that was told to reload")
    get("/webapi/v2/conversations")

    began = time.monotonic()
    world.manager.systemctl("stop", SERVICE)
    print(f"stopped after {time.monotonic() - began:.2f} s")
    shown = world.show()
    expect_equal((shown["ActiveState"], shown["Result"], shown["ExecMainStatus"]), ("inactive", "success", "0"), "after a stop")

    began = time.monotonic()
    expect(world.manager.systemctl("start", SERVICE, check=False).returncode != 0, "it started with wrong settings")
    shown = wait_until("it has failed", lambda: world.show()["ActiveState"] == "failed" and world.show())
    expect(time.monotonic() - began >= 5, "no pause after a failed start")
    expect_equal((shown["ExecMainStatus"], shown["NRestarts"]), ("2", "0"), "after wrong settings")
    mirror.put_settings(world.manager, world.sandbox)
    world.start()
    expect_equal(len(mirror.list_ids()), 40, "conversations of the mirror that was there")


def is_restarted_when_killed(world):
    world.start()
    mirror.wait_until_complete()
    world.sandbox.end()
    target = path_of(mirror.list_ids()[0], "/title")
    status, said = ask("PUT", target, {"title": "written before the kill"})
    expect_equal(status, 202, f"a write without upstream: {said}")
    for times, number in enumerate((signal.SIGKILL, signal.SIGSEGV), start=1):
        began = time.monotonic()
        shown = world.wait_for_another(world.signal(number))
        print(f"ready again {time.monotonic() - began:.2f} s after {number.name}")
        expect_equal(shown["NRestarts"], str(times), f"restarts after {number.name}")
        expect(time.monotonic() - began >= 5, "no pause before a restart")
        expect_equal(get("/mirror/v1/status")["outbox"]["pending"], 1, "writes that wait")
    world.manager.journal.wait_for("code=killed, status=11/SEGV")  # with a core it would be code=dumped
    world.sandbox = mirror.Sandbox(world.program, *SANDBOX, port=world.sandbox.port)
    expect_equal(ask("POST", "/mirror/v1/sync")[0] < 300, True, "a word to try upstream now")
    wait_until("the write is delivered", lambda: get("/mirror/v1/status")["outbox"]["pending"] == 0)
    expect_equal(world.sandbox.get(target.removesuffix("/title"))["title"], "written before the kill", "upstream's title")


def is_restarted_by_the_watchdog(world):
    world.start(SOCKET, SERVICE)
    mirror.wait_until_complete()
    answers = []
    began = time.monotonic()
    pid = world.signal(signal.SIGSTOP)
    waiting = threading.Thread(target=lambda: answers.append(ask("GET", "/webapi/v2/conversations?pageSize=5", timeout=100)))
    waiting.start()
    shown = world.wait_for_another(pid, 90)
    took = time.monotonic() - began
    print(f"ready again {took:.1f} s after it was stopped")
    expect_equal(shown["NRestarts"], "1", "restarts")
    world.manager.journal.wait_for(r"Watchdog timeout \(limit 30s\)!")
    expect(25 <= took <= 60, "a watchdog of 30 s, and a pause of 5 s")
    waiting.join(30)
    expect_equal([status for status, _ in answers], [200], "the request that was made meanwhile")


def ask_steadily(over, answers):
    """One request after the other, each over a connection of its own."""
    while not over.is_set():
        try:
            answers.append(ask("GET", "/webapi/v2/conversations?pageSize=5")[0])
        except OSError as failure:
            answers.append(repr(failure))


def ask_while(action, clients=3):
    """The statuses of what was asked while it happened, and until it was over."""
    over, answers = threading.Event(), []
    asking = [threading.Thread(target=ask_steadily, args=(over, answers)) for _ in range(clients)]
    for thread in asking:
        thread.start()
    try:
        wait_until("requests are answered", lambda: len(answers) >= 5)
        action()
        place = len(answers)
        wait_until("requests are answered again", lambda: len(answers) >= place + 20)
    finally:
        over.set()
        for thread in asking:
            thread.join()
    return answers


def expect_all_answered(answers, what):
    wrong = [answer for answer in answers if answer != 200]
    print(f"{what}: {len(answers) - len(wrong)} of {len(answers)} requests were answered")
    expect(not wrong and len(answers) >= 20, f"{what}: {wrong[:5]} of {len(answers)}")


def ask_at_once(count):
    """So many requests at the same time."""
    answers = []

    def ask_once():
        try:
            answers.append(ask("GET", "/webapi/v2/conversations?pageSize=5")[0])
        except OSError as failure:
            answers.append(repr(failure))

    asking = [threading.Thread(target=ask_once) for _ in range(count)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return answers


def answers_across_restarts(world):
    world.start(SOCKET)
    expect_equal(world.show()["ActiveState"], "inactive", "the service before a connection")
    get("/healthz")
    expect_equal(world.show()["ActiveState"], "active", "the service after the first connection")
    mirror.wait_until_complete()
    said = world.manager.run([world.manager.program, "status", "--json"])
    expect('"answered":true' in said.stdout.replace(" ", "").replace("\n", ""), f"commands by the local socket: {said.stdout}{said.stderr}")

    for number in range(6):
        pid = world.pid()
        expect_all_answered(ask_while(lambda: world.manager.systemctl("restart", SERVICE)), f"restart {number + 1}")
        expect(world.pid() != pid, "it was not restarted")

    pid = world.signal(signal.SIGKILL)
    wait_until("it is dead", lambda: world.show()["MainPID"] != str(pid))
    expect_all_answered(ask_at_once(60), "after a kill")
    world.wait_for_another(pid)

    world.manager.systemctl("stop", SERVICE)
    expect_all_answered(ask_at_once(40), "after a stop of the service alone")

    place = world.manager.journal.place()
    world.manager.systemctl("stop", SERVICE)
    mirror.put_settings(world.manager, world.sandbox, '[log]\nlevel = "loud"\n')
    waiting = []
    thread = threading.Thread(target=lambda: waiting.extend(ask_at_once(5)))
    thread.start()
    world.manager.journal.wait_for("loud", place)
    began = time.monotonic()
    wait_until("two pauses are over", lambda: time.monotonic() - began > 11)
    starts = sum("loud" in line for line in world.manager.journal.lines[place:])
    expect(1 <= starts <= 4, f"{starts} starts in 11 s with wrong settings")
    expect_equal(world.show(SOCKET)["ActiveState"] in ("active",), True, "the socket unit holds the port")
    mirror.put_settings(world.manager, world.sandbox)
    thread.join(60)
    expect_all_answered(waiting * 4, "once the settings are right again")


def kernel_status(manager, pid):
    with open(f"{manager.kernel_path(pid)}/status") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status)


def does_everything_within_its_limits(world):
    world.start(SOCKET, SERVICE)
    mirror.wait_until_complete()
    pid, shown = world.pid(), world.show()
    peaks = load.run(world.manager, pid)
    expect_equal(world.pid(), pid, "the process after the load")
    status = kernel_status(world.manager, pid)
    expect_equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), "what the kernel knows")
    memory, tasks = int(status["VmHWM"].split()[0]) * 1024, peaks["threads"]
    print(f"memory {memory >> 20} of {int(shown['MemoryMax']) >> 20} MiB, {tasks} of {shown['TasksMax']} tasks, "
          f"{peaks['descriptors']} of {shown['LimitNOFILE']} descriptors")
    expect(memory < int(shown["MemoryMax"]), "more memory than MemoryMax")
    expect(tasks < int(shown["TasksMax"]), "more threads than TasksMax")
    expect(peaks["descriptors"] < int(shown["LimitNOFILE"]), "more descriptors than LimitNOFILE")

    # The same once more, with death for each call that the unit's filter otherwise only refuses.
    world.manager.put_drop_in(SERVICE, "[Service]\nSystemCallErrorNumber=kill\n")
    world.manager.systemctl("restart", SERVICE)
    pid = world.pid()
    load.run(world.manager, pid)
    expect_equal((world.pid(), world.show()["NRestarts"]), (pid, "0"), "the process after the load, with a strict filter")


def denies_what_the_unit_says(world):
    """A probe in the program's place, under the unit's own lines, tries what the service must never do."""
    with open(f"{world.manager.units}/{SERVICE}") as file:
        lines = file.read().splitlines()
    probe = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.py")
    with open(probe) as file:
        world.manager.write("probe.py", file.read())
    changed = {"ExecStart": f"ExecStart=/usr/bin/python3 -I {HOME}/probe.py", "Type": "Type=oneshot", "Restart": "Restart=no"}
    text = "\n".join(changed.get(line.split("=")[0], line) for line in lines if not line.startswith("WatchdogSec"))
    for unit, denied in ((text, "yes"), ("[Service]\nType=oneshot\n" + changed["ExecStart"], "no")):
        world.manager.write(".config/systemd/user/probe.service", unit)
        world.manager.systemctl("daemon-reload")
        place = world.manager.journal.place()
        world.start("probe.service")
        world.manager.journal.wait_for("probed", place)
        said = [line.split(": ", 1)[1] for line in world.manager.journal.lines[place:] if "denied=" in line]
        expect(len(said) >= 10, f"too few probes: {said}")
        expect(all(line.endswith(f"denied={denied}") for line in said), f"denied, {denied} expected: {said}")


def limits_are_enforced(world):
    world.start()
    shown = world.show()
    group = systemd.GROUPS + shown["ControlGroup"]
    limits = {"memory.max": shown["MemoryMax"], "memory.swap.max": shown["MemorySwapMax"], "pids.max": shown["TasksMax"]}
    missing = [name for name in limits if not os.path.exists(f"{group}/{name}")]
    if missing:
        print(f"the unified hierarchy has no {', '.join(missing)}")
        raise SystemExit(77)
    for name, limit in limits.items():
        with open(f"{group}/{name}") as file:
            expect_equal(file.read().strip(), limit, name)


def run(case, world):
    began = time.monotonic()
    try:
        case(world)
    except Exception:
        traceback.print_exc()
        print(world.manager.said())
        return 1
    world.end()
    print(f"{case.__name__}: {time.monotonic() - began:.1f} s")
    return 0


def main():
    root, name = sys.argv[1:]
    if not os.path.exists(f"{root}/usr/local/bin/alli-mirror"):
        print(f"nothing is installed in {root}: run the test systemd.install first")
        return 1
    systemd.furnish(root)
    options = LARGE_SANDBOX if name == does_everything_within_its_limits.__name__ else SANDBOX
    return run(globals()[name], World(systemd.Manager(), systemd.Manager.program, options))


if __name__ == "__main__":
    sys.exit(main())
