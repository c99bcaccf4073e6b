# SPDX-License-Identifier: Apache-2.0
"""Mistakes drawn by seed from operators over C++ sources: negate a condition, drop a statement, be off by one. What the syntax
rules let through and the compiler does not take is dropped by the build (mutants.py)."""
import dataclasses
import random
import re


@dataclasses.dataclass(frozen=True)
class Spot:
    file: str
    start: int
    end: int
    instead: str  # MUTANT stands for the question whether it is made
    what: str


def masked(text):
    """The same length, with comments and the contents of literals as blanks."""
    out, at = list(text), 0
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
    for found in pattern.finditer(text):
        literal = found.group()[0] in "\"'R"
        for at in range(found.start() + literal, found.end() - literal):
            if out[at] != "\n":
                out[at] = "_" if literal else " "
    return "".join(out)


def closing(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return -1


COMPARED = re.compile(r" (<|>|<=|>=) ")
ANOTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def conditions(file, text, code):
    for found in re.finditer(r"(?<!constexpr )\bif \(", code):
        start = found.end()
        end = closing(code, start - 1)
        condition, plain = text[start:end], code[start:end]
        if end < 0 or ";" in plain or re.search(r"[^=!<>]=[^=]", plain) or "co_await" in plain:
            continue
        line = text.count("\n", 0, start) + 1
        yield Spot(file, start, end, f"static_cast<bool>({condition}) != MUTANT", f"line {line}: if (not ({condition}))")
        compared = COMPARED.findall(plain)
        if len(compared) == 1 and "&&" not in plain and "||" not in plain:
            sign = compared[0]
            at = COMPARED.search(plain)
            left, right = condition[:at.start()], condition[at.end():]
            yield Spot(file, start, end, f"MUTANT ? ({left}) {ANOTHER[sign]} ({right}) : ({condition})",
                       f"line {line}: if ({left} {ANOTHER[sign]} {right})")


STATEMENT = re.compile(r"\s{4,}(?:(?:co_await )?[A-Za-z_][\w:]*(?:(?:\.|->)[A-Za-z_]\w*|\([^()]*\)|\[[^\]]*\])*\(.*\);"
                       r"|[A-Za-z_][\w.\->\[\]]*\s(?:=|\+=|-=|\|=)\s.*;|(?:\+\+|--)[\w.\->]+;)$")
NO_STATEMENT = re.compile(r"\s*(?:return|co_return|throw|using|case|break|continue|static_assert|else|if|for|while|do|switch|explicit)\b")


def statements(file, text, code):
    at, before = 0, ""
    for line in code.splitlines(keepends=True):
        bare = line.rstrip()
        sound = before == "" or before[-1] in ";{}"
        if sound and STATEMENT.match(bare) and not NO_STATEMENT.match(bare) and bare.count("(") == bare.count(")"):
            start = at + len(bare) - len(bare.lstrip())
            statement = text[start:at + len(bare)]
            number = text.count("\n", 0, start) + 1
            yield Spot(file, start, at + len(bare), f"if (!MUTANT) {statement}", f"line {number}: without {statement}")
        if bare:
            before = bare
        at += len(line)


def numbers(file, text, code):
    for found in re.finditer(r"(?<=[+-] )1(?=[;,) ])", code):
        begin = code.rfind("\n", 0, found.start()) + 1
        line = code[begin:code.find("\n", begin)]
        if re.search(r"constexpr|template|static_assert|\bcase\b|\[\w+ [+-] 1\]", line):
            continue
        number = text.count("\n", 0, begin) + 1
        yield Spot(file, found.start(), found.end(), "(MUTANT ? 2 : 1)", f"line {number}: 2 for 1 in {text[begin:begin + len(line)].strip()}")
    for found in re.finditer(r"\breturn (true|false);", code):
        number = text.count("\n", 0, found.start()) + 1
        yes = found.group(1) == "true"
        yield Spot(file, found.start(), found.end(), "return !MUTANT;" if yes else "return MUTANT;",
                   f"line {number}: return {'false' if yes else 'true'}")


def candidates(sources):
    spots = []
    for file, text in sorted(sources.items()):
        code = masked(text)
        for rule in (conditions, statements, numbers):
            spots += rule(file, text, code)
    return spots


def draw(sources, seed, taken):
    """All of them in the seed's order, without those that touch `taken`: {file: [(start, end)]}."""
    spots = candidates(sources)
    random.Random(seed).shuffle(spots)
    return [spot for spot in spots
            if all(spot.end <= start or spot.start >= end for start, end in taken.get(spot.file, []))]
