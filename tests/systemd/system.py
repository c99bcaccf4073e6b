# SPDX-License-Identifier: Apache-2.0
"""system.py BASE DEB PROGRAM: the life of the system's units, from the package's installation to its purge, on a machine that is
booted from BASE; PROGRAM runs the sandbox. One part builds on the other, and each says how long it took."""
import json
import os
import shutil
import subprocess
import sys
import time
import traceback

import cases
import machine
import mirror
from cases import SERVICE, SOCKET, expect, expect_equal
from machine import ROOT, Machine
from manager import wait_until
from mirror import get, path_of


def is_not_started_without_a_key(booted, deb):
    shutil.copy(deb, f"{ROOT}/package.deb")
    said = booted.run_well("dpkg", "-i", "/package.deb")
    expect("not started" in said, f"it does not say that it was not started: {said}")
    for unit in (SERVICE, SOCKET):
        expect_equal(booted.ask("is-active", unit), "inactive", unit)
    expect(booted.systemctl("start", SERVICE, check=False).returncode != 0, "it started without a key")
    began = time.monotonic()
    shown = wait_until("it has failed", lambda: booted.ask("is-active", SERVICE) == "failed" and booted.show(SERVICE))
    expect_equal((shown["ExecMainStatus"], shown["NRestarts"]), ("243", "0"), "after a start without a key")
    expect(time.monotonic() - began < 30, "it is tried again without end")


def is_enabled_as_the_documents_say(world):
    world.manager.systemctl("enable", "--now", SOCKET, SERVICE)
    mirror.wait_until_complete()


def user_named(name):
    with open(f"{ROOT}/etc/passwd") as users:
        return next(int(line.split(":")[2]) for line in users if line.startswith(name + ":"))


def keeps_its_key_and_its_privileges_apart(world):
    path = world.manager.kernel_path(world.pid())
    status = cases.kernel_status(world.manager, world.pid())
    user = int(status["Uid"].split()[0])
    expect_equal(user, user_named("alli-mirror"), "whom it runs as")
    expect_equal([int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")], [0] * 4, "capabilities")
    expect_equal((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), "what the kernel knows")
    expect(os.readlink(f"{path}/ns/user") != os.readlink("/proc/self/ns/user"), "it has no user namespace of its own")
    credential = os.stat(f"{path}/root/run/credentials/{SERVICE}/alli-api-key")
    expect_equal((credential.st_mode & 0o777, credential.st_uid), (0o400, user), "mode and owner of the credential")
    expect_equal(os.stat(f"{ROOT}/etc/alli-mirror/api-key").st_mode & 0o777, 0o600, "mode of the key's file")
    with open(f"{path}/environ", "rb") as environ:
        expect(b"sandbox" not in environ.read(), "the key is in the environment")
    with open(f"{path}/mountinfo") as mounts:
        writable = {line.split()[4] for line in mounts if line.split()[5].split(",")[0] == "rw"}
    wrong = [one for one in writable if not one.startswith(("/dev", "/proc", "/sys", "/tmp", "/var/tmp", "/run", "/var/lib/alli-mirror"))]
    expect(not wrong, f"it may write to {wrong}")


def commands_find_it(world):
    """Root's without a word, and those of a member of its group; a stranger's do not."""
    manager = world.manager
    expect("40 conversations" in manager.run_well("alli-mirror", "status"), "root's status")
    manager.run_well("useradd", "--create-home", "--groups", "alli-mirror", "mina")
    manager.run_well("useradd", "--create-home", "jun")

    def of(user, *words):
        return manager.run(["runuser", "-u", user, "--", "env", f"HOME=/home/{user}", "alli-mirror", *words])

    for words, said in ((["status"], "40 conversations"), (["doctor", "--offline"], "the service answers"), (["outbox", "list"], "nothing"),
                        (["verify"], "agree"), (["backup"], "40 conversations"), (["sync"], "")):
        done = of("mina", *words)
        expect(done.returncode == 0 and said in done.stdout, f"{words} of a member: {done.returncode} {done.stdout} {done.stderr}")
    found = json.loads(manager.run_well("alli-mirror", "list", "--json", "--limit", "1"))["conversations"][0]
    for words in (["search", "the"], ["list", "--limit", "40"], ["list", "--rating", "good"], ["show", found["id"]], ["report"], ["export", "--format", "csv"]):
        done = of("mina", *words)
        expect(done.returncode == 0 and done.stdout == manager.run_well("alli-mirror", *words), f"{words} of a member: {done.stdout} {done.stderr}")
    for words in (["query", "SELECT 1"], ["mcp"]):
        done = of("mina", *words)
        expect(done.returncode != 0 and "sudo alli-mirror" in done.stderr, f"{words} of a member: {done.stdout} {done.stderr}")
    for words in (["purge", "--user", "x", "--yes"], ["token", "new", "hers", "--scope", "admin"], ["backup", "/home/mina/copies"]):
        done = of("mina", *words)
        expect(done.returncode != 0, f"{words} of a member: {done.stdout}")
    done = of("jun", "status")
    expect("40 conversations" not in done.stdout, f"a stranger's status: {done.stdout}")


def is_backed_up_and_restored(world):
    manager = world.manager
    manager.systemctl("start", "alli-mirror-backup.service")
    expect(os.listdir(f"{ROOT}/var/backups/alli-mirror"), "the timer's service made no backup")
    manager.systemctl("enable", "--now", "alli-mirror-backup.timer")
    world.sandbox.end()
    target = path_of(mirror.list_ids()[0], "/title")
    expect_equal(mirror.ask("PUT", target, {"title": "after the backup"})[0], 202, "a write without upstream")
    pid = world.pid()
    cases.expect_all_answered(cases.ask_while(lambda: manager.run_well("alli-mirror", "restore", "--yes", "/var/backups/alli-mirror")), "a restore")
    expect_equal((world.pid(), world.show()["NRestarts"]), (pid, "0"), "the process after a restore")
    expect_equal(get("/mirror/v1/status")["outbox"]["pending"], 0, "writes that wait after a restore")
    owners = {os.stat(f"{manager.state}/{name}").st_uid for name in os.listdir(manager.state)}
    expect_equal(owners, {user_named("alli-mirror")}, "whose the files are after a restore")
    manager.run_well("sh", "-c", "rm /var/lib/alli-mirror/*.notice-*")
    world.sandbox = mirror.Sandbox(world.program, *cases.SANDBOX, port=world.sandbox.port)


def is_idle(world):
    world.manager.systemctl("stop", SOCKET, SERVICE)


def answers_across_an_upgrade(world, deb):
    subprocess.run(["dpkg-deb", "-R", deb, "/run/next"], check=True)
    subprocess.run(["sed", "-i", "s/^Version: .*/&+next/", "/run/next/DEBIAN/control"], check=True)
    subprocess.run(["dpkg-deb", "-Znone", "-b", "/run/next", f"{ROOT}/next.deb"], check=True, stdout=subprocess.DEVNULL)
    world.start(SOCKET, SERVICE)
    pid = world.pid()
    cases.expect_all_answered(cases.ask_while(lambda: world.manager.run_well("dpkg", "--force-confold", "-i", "/next.deb")), "an upgrade")
    expect(world.pid() != pid, "the upgrade did not restart it")


def runs_another_project_beside(world):
    other = mirror.Sandbox(world.program, "--conversations", "11", "--seed", "8")
    place = world.manager.settings
    world.manager.settings = f"{place}/two"
    mirror.put_settings(world.manager, other)
    world.manager.settings = place
    world.manager.systemctl("enable", "--now", "alli-mirror@two.socket", "alli-mirror@two.service")
    status = [Machine.program, "--service", "two", "status"]
    wait_until("the other mirror is complete", lambda: "11 conversations" in world.manager.run(status).stdout, 30)
    expect_equal(get("/mirror/v1/status")["mirror"]["conversations"], len(mirror.list_ids()), "conversations of the first")
    known = {one["name"]: one["reachable"] for one in get("/mirror/v1/projects")["projects"]}
    expect_equal(known, {"alli-mirror": True, "alli-mirror@two": False}, "projects that it knows of: the other one has no port")
    other.end()


def goes_without_a_trace(world):
    manager = world.manager
    manager.run_well("dpkg", "--remove", "alli-mirror")
    for unit in (SERVICE, SOCKET, "alli-mirror@two.service", "alli-mirror@two.socket"):
        expect(manager.ask("is-active", unit) != "active", f"{unit} still runs")
    try:
        get("/healthz")
        raise AssertionError("somebody still answers")
    except OSError:
        pass
    expect(os.path.exists(f"{manager.state}/outbox.db"), "the removal took the writes that wait")
    manager.run_well("dpkg", "--purge", "alli-mirror")
    left = [path for path in ("var/lib/private/alli-mirror", "var/lib/alli-mirror", "var/lib/private/alli-mirror@two", "etc/alli-mirror")
            if os.path.lexists(f"{ROOT}/{path}")]
    expect(not left, f"the purge left {left}")


def live(booted, deb, program):
    def part(work, *given):
        began = time.monotonic()
        work(*given)
        print(f"{work.__name__}: {time.monotonic() - began:.1f} s", flush=True)

    part(is_not_started_without_a_key, booted, deb)
    world = cases.World(booted, program)
    part(is_enabled_as_the_documents_say, world)
    part(keeps_its_key_and_its_privileges_apart, world)
    part(commands_find_it, world)
    part(is_backed_up_and_restored, world)
    part(is_idle, world)
    part(cases.starts_reloads_and_stops, world)
    part(is_idle, world)
    part(cases.is_restarted_when_killed, world)
    part(is_idle, world)
    part(cases.is_restarted_by_the_watchdog, world)
    part(is_idle, world)
    part(cases.answers_across_restarts, world)
    part(is_idle, world)
    part(cases.does_everything_within_its_limits, world)
    booted.take_drop_in_away(SERVICE)
    part(answers_across_an_upgrade, world, deb)
    part(runs_another_project_beside, world)
    part(goes_without_a_trace, world)
    world.end()


def main():
    base, deb, program = sys.argv[1:]
    began = time.monotonic()
    booted = machine.Machine(base)
    print(f"booted in {time.monotonic() - began:.1f} s", flush=True)
    try:
        live(booted, deb, program)
    except Exception:
        traceback.print_exc()
        print(booted.said())
        return 1
    print(f"the system's units are good: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
