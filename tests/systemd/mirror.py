# SPDX-License-Identifier: Apache-2.0
"""A sandbox, the user's settings for a mirror of it, and a client of that mirror at the addresses of the socket unit. The mirror
itself is started by the service manager."""
import http.client
import json
import re
import subprocess
import urllib.parse

from manager import wait_until

PORT = 8787
KEY = {"API-KEY": "sandbox"}


class Sandbox:
    def __init__(self, program, *options, port=0):
        log = open("/run/sandbox.log", "w+")
        listen = ["--listen", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen([program, "sandbox", *listen, *options], stdout=log, stderr=log)

        def find():
            with open(log.name) as said:
                return re.search(r"http://127.0.0.1:(\d+)", said.read())

        self.port = int(wait_until("the sandbox listens", find).group(1))

    def get(self, path):
        return ask("GET", path, port=self.port)[1]

    def end(self):
        self.process.kill()
        self.process.wait()


def ask(method, path, body=None, port=PORT, headers=None, timeout=60):
    """Status and body, which is read as JSON where it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, data, {**KEY, **kind, **(headers or {})})
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace")
    finally:
        connection.close()
    try:
        return reply.status, json.loads(text)
    except ValueError:
        return reply.status, text


def get(path, **more):
    status, body = ask("GET", path, **more)
    if status != 200:
        raise AssertionError(f"GET {path}: {status} {body}")
    return body


def path_of(conversation, below=""):
    return "/webapi/v2/conversations/" + urllib.parse.quote(conversation, safe="") + below


def list_ids():
    """Of all conversations, newest first."""
    return [one["id"] for one in get("/webapi/v2/conversations?pageSize=50")["conversations"]]


def wait_until_complete():
    return wait_until("the mirror is complete", lambda: get("/mirror/v1/status")["mirror"]["complete"])


def settings(upstream_port, more=""):
    return f'[upstream]\nurl = "http://127.0.0.1:{upstream_port}"\nrequests_per_second = 0\n{more}'


def put_settings(manager, sandbox, more=""):
    manager.write(f"{manager.settings}/config.toml", settings(sandbox.port, more), 0o644)
    manager.write(f"{manager.settings}/api-key", "sandbox\n")
