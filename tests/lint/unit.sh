#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# unit.sh UNITS PROGRAM: systemd understands every line of the units, and their exposure as it counts it is low enough: 1.2
# for those of the system, 6.2 for the user's, whose manager may do less. A backup runs as root, 2.6. Socket units and timers have none. Skipped (77) where systemd-analyze is not there.
set -eu
command -v systemd-analyze >/dev/null || exit 77
units=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR="$work" # what the user's manager would be given

check() { # check MANAGER LIMIT|socket FILE [INSTANCE]
  unit=$work/${4:-$3}
  # What is checked is the unit; that it names the program where it will be installed is not an error here.
  sed "s|^ExecStart=[^ ]*|ExecStart=$program|" "$units/$1/$3" >"$unit"
  said=$(systemd-analyze verify --"$1" --man=no --recursive-errors=no "$unit" 2>&1) || { echo "$said"; exit 1; }
  ! echo "$said" | grep -F "${4:-$3}" || { echo "systemd-analyze verify complains about $1/$3"; exit 1; }
  [ "$2" != socket ] || return 0
  said=$(systemd-analyze security --offline=true --threshold="$2" --no-pager "$unit") || { echo "$said"; exit 1; }
  echo "$said" | tail -n 1
}

check system 12 alli-mirror.service
check system 12 alli-mirror@.service alli-mirror@one.service
check user 62 alli-mirror.service
check user socket alli-mirror.socket
check system 12 alli-mirror.service # the socket's check reads it
check system socket alli-mirror.socket
check system socket alli-mirror@.socket alli-mirror@one.socket
check system 26 alli-mirror-backup.service
check system 26 alli-mirror-backup@.service alli-mirror-backup@one.service
check system socket alli-mirror-backup.timer
check system socket alli-mirror-backup@.timer alli-mirror-backup@one.timer
