#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""one_definition.py SOURCE: no two files of a namespace define a type of the same name. The linker would take one of them for both,
and a std::vector of one for a vector of the other: what no compiler says and no test finds but by chance."""
import collections
import pathlib
import re
import sys

UNNAMED = re.compile(r"\nnamespace \{\n.*?\n\} // namespace\n", re.S)
NAMESPACE = re.compile(r"^namespace ([\w:]+) \{", re.M)
TYPE = re.compile(r"^(?:struct|class|enum class|enum) (\w+)(?: final)?(?: : [^;{]*)? \{", re.M)


def definitions(files):
    found = collections.defaultdict(set)
    for file in files:
        text = UNNAMED.sub("\n", file.read_text())
        namespace = NAMESPACE.search(text)
        for name in TYPE.findall(text):
            found[f"{namespace.group(1) if namespace else ''}::{name}"].add(str(file))
    return found


def main():
    source = pathlib.Path(sys.argv[1])
    rooms = ["alli", "cache", "cluster", "daemon", "http", "page", "proxy", "sandbox", "sync", "upstream"]
    files = [file for room in rooms for ending in ("hpp", "cpp") for file in (source / room).rglob(f"*.{ending}")]
    found = definitions(sorted(files))
    twice = {name: places for name, places in found.items() if len(places) > 1}
    for name, places in sorted(twice.items()):
        print(f"{name} is defined in {', '.join(sorted(places))}")
    print(f"{len(found)} types")
    return 1 if twice or len(found) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
