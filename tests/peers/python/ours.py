"""Our side: a child process that answers one JSON line with one JSON line."""

import json
import os
import subprocess


class Ours:
    def __init__(self):
        pipe = subprocess.PIPE
        self.child = subprocess.Popen([os.environ["OURS"]], stdin=pipe, stdout=pipe, text=True)

    def ask(self, **request):
        self.child.stdin.write(json.dumps(request) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def close(self):
        self.child.stdin.close()
        assert self.child.wait(timeout=10) == 0


def same(found, expected, what):
    if found != expected:
        raise SystemExit(f"{what}: found {found!r}, expected {expected!r}")
