"""patchbay-engine as a server under measurement, driven through its control socket."""
import base64
import json
import os
import socket
import time
import uuid

from . import lab as labs
from .lab import CLIENT, FIRST_PORT, LAST_PORT, Failure, wait_until

WINDOW = 64  # requests under way at once
LEGS_MAX = (LAST_PORT - FIRST_PORT - 1) // 2 // 2 * 2 - 200


class Rpc:
    """The engine's protocol (include/patchbay/engine-protocol.md), many requests under way."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.next = 1
        self.call("hello", protocol=1, client="bench")

    def call(self, method, **params):
        return self.many([(method, params)])[0]

    def many(self, requests):
        """Results in the order of the requests; the first error ends it. What is refused as `overloaded` is
        asked again: admission looks at the last moments, and setting up is work as well."""
        results, todo = [None] * len(requests), list(range(len(requests)))
        end = time.monotonic() + 60
        while todo:
            refused = []
            for at in range(0, len(todo), WINDOW):
                refused += self.window(requests, todo[at:at + WINDOW], results)
            todo = refused
            if todo and time.monotonic() > end:
                raise Failure(f"the engine refuses {len(todo)} of {len(requests)} {requests[todo[0]][0]} as overloaded")
            time.sleep(0.05 if todo else 0)
        return results

    def window(self, requests, which, results):
        """Ask those, take their answers; returns the ones that were refused for now."""
        base, refused = self.next, []
        self.next += len(which)
        self.socket.sendall("".join(json.dumps({"jsonrpc": "2.0", "id": base + k, "method": requests[i][0], "params": requests[i][1]}) + "\n"
                                    for k, i in enumerate(which)).encode())
        answered = 0
        while answered < len(which):
            line = self.file.readline()
            if not line:
                raise Failure("the engine hung up")
            reply = json.loads(line)
            if "id" not in reply:
                continue
            i = which[reply["id"] - base]
            answered += 1
            if "result" in reply:
                results[i] = reply["result"]
            elif reply["error"].get("data", {}).get("reason") == "overloaded":
                refused.append(i)
            else:
                raise Failure(f"engine: {requests[i][0]}: {reply['error']['message']}")
        return refused

    def close(self):
        self.socket.close()


class Engine:
    name = "patchbay"

    def __init__(self, lab, build, port="auto:eth0", workers=1, store=None, prompts=None):
        self.prompts = prompts or f"{lab.dir}/prompts"
        self.lab, self.build, self.port, self.workers = lab, build, port, workers
        self.store = store or f"{lab.dir}/store"
        self.serial = 0
        self.calls, self.rpc = [], None
        self.start()

    def start(self):
        if self.store != "none":
            os.makedirs(self.store, exist_ok=True)
        os.makedirs(self.prompts, exist_ok=True)
        path = f"{self.lab.dir}/engine.sock"
        self.process = self.lab.spawn(
            [f"{self.build}/patchbay-engine", "--port", self.port, "--socket", path, "--store", self.store, "--prompts",
             self.prompts, "--rtp-ports", f"{FIRST_PORT}-{LAST_PORT}", "--workers", str(self.workers), "--lcores",
             ",".join([str(self.lab.cpu)] * self.workers), "--record-memory", "512", "--busy-limit", "100", "--shm", self.lab.shm], "engine")

        def answers():
            if self.process.poll() is not None:
                raise Failure("the engine ended: " + labs.last_words(self.process))
            try:
                self.rpc = Rpc(path)
                return True
            except OSError:
                return False
        wait_until("the engine's socket", answers, 120)

    def open(self, calls, record=False, srtp=False):
        """Calls of two legs that hear one another. Returns lines for the generator's telephones."""
        self.close_calls()
        self.serial += 1
        opens, legs, keys = [], [], []
        for c in range(calls):
            name = f"b{self.serial}-{c}"
            self.calls.append(name)
            opens.append(("call.open", {"call": name}))
            for side in (0, 1):
                more = {}
                if srtp:
                    keys.append((os.urandom(30), os.urandom(30)))  # what the telephone sends with, what it hears with
                    theirs, own = (base64.b64encode(k).decode() for k in keys[-1])
                    more = {"srtp": {"suite": "AES_CM_128_HMAC_SHA1_80", "receive": {"key": theirs}, "send": {"key": own}}}
                legs.append(("leg.open", {**more, "call": name, "leg": f"{name}-{side}", "source": "strict", "codecs": [{"pt": 0, "name": "PCMU"}],
                                          "remote": {"ip": CLIENT, "port": FIRST_PORT + 2 * (2 * c + side)}}))
        self.rpc.many(opens)
        opened = self.rpc.many(legs)
        self.rpc.many([("call.hear", {"call": n, "hear": [{"listener": f"{n}-0", "speaker": f"{n}-1"},
                                                          {"listener": f"{n}-1", "speaker": f"{n}-0"}]}) for n in self.calls])
        if record:
            self.rpc.many([("record.start", {"call": n, "recording": str(uuid.uuid4()), "customer": f"{n}-0"}) for n in self.calls])
        return [f"{CLIENT} {FIRST_PORT + 2 * i} {o['local']['ip']} {o['local']['port']} 0 {i ^ 1} 1"
                + (f" {keys[i][0].hex()} {keys[i][1].hex()}" if srtp else "") for i, o in enumerate(opened)]

    def close_calls(self):
        if self.calls:
            self.rpc.many([("call.close", {"call": n}) for n in self.calls])
        self.calls = []

    def counts(self):
        """Counters whose growth over a measurement tells what happened."""
        stat = self.rpc.call("stat.engine")
        workers = stat["workers"]
        return {"frames_lost": (stat.get("recorder") or {}).get("frames_lost", 0),
                "busy_ns": sum(1e9 * s["cycles"] / w["cycles_hz"] for w in workers for s in w["stages"]), "wall_ns": time.monotonic_ns()}

    def can(self, scene):
        """Whether this engine has what the scene needs."""
        return scene in ("relay", "record", "srtp")

    def pids(self):
        return [self.process.pid]

    def stop(self):
        if self.rpc:
            self.rpc.close()
        self.lab.stop(self.process)
