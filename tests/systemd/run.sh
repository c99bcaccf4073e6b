#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh NAME SCRIPT ARGUMENTS...: the test of that name, a script of this folder, as the first process of namespaces of its own
# (mounts, processes, cgroups, network). Nothing outlives it, whichever way it ends: the namespace of processes ends with its
# first one. What is missing is a failure, unless tests/skips.txt names the test.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$1

missing() {
  local reason
  reason=$(sed -n "s/^$name  *//p" "$here/../skips.txt")
  [ -z "$reason" ] || { echo "skipped: $*. tests/skips.txt: $reason"; exit 77; }
  echo "FAILED: $*" >&2
  exit 1
}

if [ "${INSIDE:-}" = mounts ]; then # in a mount namespace already; all that is left to do is a group for the processes
  mount -t cgroup2 none /sys/fs/cgroup
  own=$(sed -n 's/^0:://p' /proc/self/cgroup)
  for old in /sys/fs/cgroup"${own%/}"/alli-mirror-test-*; do # of runs that were killed
    [ ! -d "$old" ] || [ -d "/proc/${old##*-}" ] || find "$old" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
  group=/sys/fs/cgroup${own%/}/alli-mirror-test-$$
  mkdir "$group"
  python=$(PATH=/usr/bin:$PATH command -v python3)
  code=0
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec setpriv --pdeathsig KILL unshare --cgroup --pid --net --ipc --mount --fork --kill-child --mount-proc "$python" -B "$here/$2" "${@:3}"
  ) || code=$?
  find "$group" -depth -type d -exec rmdir {} \;
  [ "$code" != 77 ] || missing "this machine lacks what it needs, see above"
  exit "$code"
fi

[ "$(id -u)" = 0 ] || missing "namespaces and a group of processes need root"
[ -x /usr/lib/systemd/systemd ] || missing "there is no systemd; scripts/prepare installs it"
for tool in systemctl unshare setpriv python3; do command -v $tool >/dev/null || missing "there is no $tool; scripts/prepare installs it"; done
grep -qw cgroup2 /proc/filesystems || missing "this kernel has no cgroup2"
refused=$(unshare --cgroup --pid --net --ipc --mount --fork true 2>&1) || missing "namespaces are forbidden here: $refused"
refused=$(unshare --mount mount -t cgroup2 none /sys/fs/cgroup 2>&1) || missing "cgroup2 cannot be mounted here: $refused"
INSIDE=mounts exec unshare --mount "${BASH_SOURCE[0]}" "$@"
