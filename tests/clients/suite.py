# SPDX-License-Identifier: Apache-2.0
"""suite.py PROGRAM CLIENT [OPTIONS OF THE SANDBOX]: the same client program against a sandbox and, through a mirror, against another of the same
seed. What it was told must be the same but for times and cursors; what differs is printed, and the exit code is 1."""
import concurrent.futures
import json
import os
import subprocess
import sys

from world import world

HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS = {
    "python": [sys.executable, os.path.join(HERE, "client.py")],
    "node": ["node", os.path.join(HERE, "client.mjs")],
    "curl": [os.path.join(HERE, "client.sh")],
}
SANDBOX = ["--conversations", "110", "--run-time", "150ms", "--embedded", "3"]
TIMES = {"createdAt", "lastChatTime", "timestamp"}


def read_lines(said):
    return [json.loads(line) for line in said.decode().split("\n") if line]


def read_blocks(said):
    """As client.sh prints them: name, status and type; length; body."""
    answers, rest = [], said
    while rest:
        head, size, rest = rest.split(b"\n", 2)
        name, outcome = head.decode().split("\t")
        status, _, kind = outcome.partition(" ")
        body, rest = rest[: int(size)], rest[int(size) + 1 :]
        answers.append({"case": name, "status": int(status), "type": kind, "body": body.decode()})
    return answers


def comparable(value, key=None):
    """Without what differs between two days, and between two sandboxes."""
    if key in TIMES:
        return value if value is None else "a time"
    if key == "cursor" and value is not None:
        return "a cursor"
    if isinstance(value, dict):
        return {name: comparable(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [comparable(one) for one in value]
    return value


def read_body(answer):
    """As JSON, or as JSON by the line; a head of HTTP without what is of the connection."""
    text = answer["body"]
    if text.startswith("HTTP/1.1 "):
        return sorted(line.lower() for line in text.splitlines() if line.lower().startswith(("http/", "content-type:")))
    try:
        if "stream+json" in answer["type"]:
            return [comparable(json.loads(line)) for line in text.splitlines()]
        body = comparable(json.loads(text))
    except ValueError:
        return text
    if answer["status"] < 400 or not isinstance(body, dict):
        return body
    if "errors" in body or body.get("code") == 7002:
        return "a body that is no JSON"  # upstream has two shapes for it, and ours is the other one
    body.pop("message", None)  # words for people, which need not be upstream's
    return body


def run(client, base):
    done = subprocess.run([*COMMANDS[client], base], capture_output=True, timeout=120)
    read = read_blocks if client == "curl" else read_lines
    if done.returncode != 0:
        raise RuntimeError(f"{client} against {base} failed: {done.stderr.decode()}\n{done.stdout[-1000:]}")
    return read(done.stdout)


def answers_in(program, client, options, mirrored):
    with world(program, sandbox=SANDBOX + options, mirrored=mirrored) as made:
        try:
            return run(client, made.base)
        except RuntimeError as failure:
            raise RuntimeError(f"{failure}\n{made.said()}") from failure


def differences(direct, mirrored):
    if [one["case"] for one in direct] != [one["case"] for one in mirrored]:
        yield "the cases themselves", [one["case"] for one in direct], [one["case"] for one in mirrored]
        return
    for one, other in zip(direct, mirrored):
        # Where nothing is said, there is no type to be read.
        for what, read in (("status", lambda a: a["status"]), ("type", lambda a: a["body"] and a["type"]), ("body", read_body)):
            if read(one) != read(other):
                yield f"{one['case']}: {what}", read(one), read(other)


def main():
    program, client, *options = sys.argv[1:]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        direct, mirrored = pool.map(lambda way: answers_in(program, client, options, way), (False, True))
    wrong = list(differences(direct, mirrored))
    for what, one, other in wrong:
        print(f"--- {what}\n    directly:           {json.dumps(one, ensure_ascii=False)[:1500]}\n    through the mirror: {json.dumps(other, ensure_ascii=False)[:1500]}")
    print(f"{len(direct)} answers, {len(wrong)} of them differ")
    return 1 if wrong or len(direct) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
