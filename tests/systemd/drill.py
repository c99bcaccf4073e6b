# SPDX-License-Identifier: Apache-2.0
"""drill.py BASE DEB: the bad nights of tests/scenario/drill.sh on a machine that is booted from BASE, with the package installed and its
units under the machine's own systemd; docs/runbook.md lies beside, and what it says to do is done as it stands there."""
import os
import shutil
import subprocess
import sys
import time

from machine import ROOT, Machine

SOURCE = os.path.realpath(f"{os.path.dirname(__file__)}/../..")


def main():
    base, deb = sys.argv[1:]
    began = time.monotonic()
    booted = Machine(base)
    shutil.copy(deb, f"{ROOT}/package.deb")
    booted.run_well("dpkg", "-i", "/package.deb")
    for file in ("tests/scenario/drill.sh", "docs/runbook.md", "docs/alerts.yml"):
        os.makedirs(os.path.dirname(f"{ROOT}/drill/{file}"), exist_ok=True)
        shutil.copy(f"{SOURCE}/{file}", f"{ROOT}/drill/{file}")
    print(f"booted and installed in {time.monotonic() - began:.1f} s", flush=True)
    code = subprocess.run(booted.within(["/drill/tests/scenario/drill.sh", "--installed", "/drill"]), timeout=900).returncode
    if code != 0:
        print(booted.said())
        return 1
    print(f"by the runbook all was mended: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
