#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long the daemon takes from its start to READY with a large mirror, and what it costs while nobody asks: memory,
# processor, wake-ups, by thread.
#   tests/bench/idle.sh [PROGRAM [CONVERSATIONS [SECONDS]]]
# The mirror is filled from a sandbox, which the daemon goes on polling. With MIRROR set, the files are kept there, and
# used as they are the next time. Needs Debian's python3, for the service manager's end of the notification.
set -euo pipefail

program=$(realpath "${1:-build/release/alli-mirror}")
conversations=${2:-100000}
seconds=${3:-60}
command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3"; exit 77; }
work=$(mktemp -d /tmp/alli-idle.XXXXXX)
state=${MIRROR:-$work/state}
mkdir -p "$state"
sandbox=

end() {
    [ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

# A mirror belongs to one address of upstream: one that is kept is given the same again.
port=$(cat "$state/port" 2>/dev/null || echo $((20000 + RANDOM % 20000)))
echo "$port" >"$state/port"
"$program" sandbox --listen "127.0.0.1:$port" --conversations "$conversations" >"$work/sandbox.log" 2>&1 &
sandbox=$!
for _ in $(seq 600); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
done

export HOME=$work ALLI_API_KEY=sandbox ALLI_MIRROR_UPSTREAM_URL=http://127.0.0.1:$port ALLI_MIRROR_MIRROR_PATH=$state/mirror.db
export ALLI_MIRROR_PROXY_LISTEN=127.0.0.1:0,unix:$work/proxy.sock
ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND=0 "$program" sync 2>"$work/sync.log" || { tail -3 "$work/sync.log"; exit 1; }
"$program" status | grep -iE 'conversations|chats' | head -3

python3 - "$program" "$work" "$seconds" <<'END'
import os, socket, subprocess, sys, time

program, work, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(work + "/notify")
environment = dict(os.environ, NOTIFY_SOCKET=work + "/notify")


def start():
    log = open(work + "/serve.log", "ab")
    began = time.monotonic()
    daemon = subprocess.Popen([program, "serve"], env=environment, stderr=log)
    manager.settimeout(60)
    while not manager.recv(4096).startswith(b"READY=1"):
        pass
    return daemon, (time.monotonic() - began) * 1000


def stop(daemon):
    daemon.terminate()
    daemon.wait()
    manager.settimeout(0.2)
    try:
        while True:
            manager.recv(4096)
    except OSError:
        pass


times = []
for _ in range(11):
    daemon, took = start()
    times.append(took)
    stop(daemon)
print("start to READY: first %.0f ms, then %.0f to %.0f ms, median %.0f" %
      (times[0], min(times[1:]), max(times[1:]), sorted(times[1:])[len(times) // 2 - 1]))


def tasks(pid):
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        at = f"/proc/{pid}/task/{task}/"
        switches = sum(int(line.split()[1]) for line in open(at + "status") if "ctxt_switches" in line)
        found[task] = (int(open(at + "schedstat").read().split()[0]), switches, open(at + "comm").read().strip())
    return found


def memory(pid, name):
    return next(int(line.split()[1]) / 1024 for line in open(f"/proc/{pid}/status") if line.startswith(name))


daemon, _ = start()
time.sleep(5)  # for what the start leaves to be done
before, at = tasks(daemon.pid), time.monotonic()
time.sleep(seconds)
after, spent = tasks(daemon.pid), time.monotonic() - at
busy = sum(after[t][0] - before.get(t, (0, 0))[0] for t in after) / 1e9
wakes = sum(after[t][1] - before.get(t, (0, 0))[1] for t in after)
print("idle for %.0f s: %.3f%% of a core, %.2f wake-ups a second, resident %.1f MiB (anonymous %.1f, files %.1f)" %
      (spent, 100 * busy / spent, wakes / spent, memory(daemon.pid, "VmRSS"), memory(daemon.pid, "RssAnon"),
       memory(daemon.pid, "RssFile")))
for task, (time_ns, switches, name) in sorted(after.items(), key=lambda kv: int(kv[0])):
    old = before.get(task, (0, 0))
    print("  %-16s %.3f%%  %.2f a second" % (name, (time_ns - old[0]) / 1e7 / spent, (switches - old[1]) / spent))
stop(daemon)
END
