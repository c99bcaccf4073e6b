# SPDX-License-Identifier: Apache-2.0
"""bill_of_materials.py SOURCE PROGRAM: scripts/sbom names each library that the program needs, by the package that it comes from here, and
the same program has the same bill."""
import json
import os
import subprocess
import sys


def said(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1769851800"}).stdout


def owners_of(libraries):
    """Of names as the program asks for them: the packages. Not as scripts/sbom finds them: by the linker's list."""
    known = [line.split() for line in said("ldconfig", "-p").splitlines()[1:]]
    paths = [os.path.realpath(next(words[-1] for words in known if words[0] == library)) for library in libraries]
    listed = subprocess.run(["dpkg-query", "-S", *paths, *(path.removeprefix("/usr") for path in paths)], capture_output=True, text=True).stdout
    return {line.split(":")[0] for line in listed.splitlines()}


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
    assert owners_of(needed) <= named.keys(), f"the bill does not name {owners_of(needed) - named.keys()}"
    installed = dict(line.split() for line in said("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *named).splitlines())
    assert installed == {part["name"]: part["version"] for part in named.values()}, installed
    for part in named.values():
        assert part["purl"].startswith(f"pkg:deb/debian/{part['name']}@"), part
    for header_only in ("nlohmann-json3-dev", "libcli11-dev", "libtomlplusplus-dev"):
        assert header_only in named, f"{header_only} is compiled in, and not named"
    references = {part["bom-ref"] for part in named.values()}
    assert set(bill["dependencies"][0]["dependsOn"]) == references, bill["dependencies"]
    print(f"{len(needed)} libraries, {len(named)} packages")


if __name__ == "__main__":
    main()
