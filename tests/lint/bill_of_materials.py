# SPDX-License-Identifier: Apache-2.0
"""bill_of_materials.py SOURCE PROGRAM: scripts/sbom names each library that the program needs, by the package that it comes from here, and
the same program has the same bill."""
import json
import os
import subprocess
import sys


def said(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1769851800"}).stdout


def owner(library):
    """Of a name as the program asks for it: the package."""
    found = next(line.split("=> ")[1].split()[0] for line in said("ldconfig", "-p").splitlines() if line.strip().startswith(library + " ") and "x86-64" in line)
    for path in (os.path.realpath(found), found, found.removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise AssertionError(f"no package has {found}")


def main():
    source, program = sys.argv[1:]
    text = said(f"{source}/scripts/sbom", program)
    assert text == said(f"{source}/scripts/sbom", program), "the same program has two bills"
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5"), bill
    about = bill["metadata"]["component"]
    assert f"alli-mirror {about['version']}" == said(program, "--version").splitlines()[0], about
    named = {part["name"]: part for part in bill["components"]}
    assert len(named) == len(bill["components"]), "a package stands twice"
    needed = [line.split("[")[1].rstrip("]") for line in said("readelf", "-d", program).splitlines() if "(NEEDED)" in line]
    assert len(needed) > 5, needed
    for library in needed:
        assert owner(library) in named, f"{library} is of {owner(library)}, which the bill does not name"
    for part in named.values():
        installed = said("dpkg-query", "-W", "-f", "${Version}", part["name"])
        assert part["version"] == installed and part["purl"].startswith(f"pkg:deb/debian/{part['name']}@"), part
    for header_only in ("nlohmann-json3-dev", "libcli11-dev", "libtomlplusplus-dev"):
        assert header_only in named, f"{header_only} is compiled in, and not named"
    references = {part["bom-ref"] for part in named.values()}
    assert set(bill["dependencies"][0]["dependsOn"]) == references, bill["dependencies"]
    print(f"{len(needed)} libraries, {len(named)} packages")


if __name__ == "__main__":
    main()
