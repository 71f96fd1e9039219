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
CODECS = {"PCMU": {"pt": 0, "name": "PCMU"}, "PCMA": {"pt": 8, "name": "PCMA"}, "opus": {"pt": 96, "name": "opus", "clock_hz": 48000}}
LEGS_MAX = (LAST_PORT - FIRST_PORT - 1) // 2 // 2 * 2 - 200


def phone(port, ip, peer_port, line, codec, exact, keys, press, talks=True):
    """A line for the generator's telephones (gen/gen_film.h). `exact`: it hears its neighbour's payload as it was said."""
    words = [CLIENT, port, ip, peer_port, CODECS[codec]["pt"], line ^ 1 if exact else -1, int(talks)]
    words += [k.hex() for k in keys or ()]
    words += [f"codec={codec}"] if talks and not exact else []
    words += [f"press={press}"] if press and talks else []
    return " ".join(map(str, words))


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
        asked again: admission looks at the last moments, and setting up is work as well; so is what finds all ports
        resting after the calls before. Both say when to come again."""
        results, todo = [None] * len(requests), list(range(len(requests)))
        end = time.monotonic() + 60
        while todo:
            refused = []
            for at in range(0, len(todo), WINDOW):
                refused += self.window(requests, todo[at:at + WINDOW], results)
            todo = refused
            if todo and time.monotonic() > end:
                raise Failure(f"the engine goes on refusing {len(todo)} of {len(requests)} {requests[todo[0]][0]}")
            time.sleep(0.05 if todo else 0)
        return results

    def window(self, requests, which, results):
        """Ask those, take their answers; returns the ones that were refused for now."""
        base, refused, failure = self.next, [], None
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
            elif "retry_after_s" in reply["error"].get("data", {}):
                refused.append(i)
            else:
                failure = failure or Failure(f"engine: {requests[i][0]}: {reply['error']['message']}")
        if failure:
            raise failure
        return refused

    def close(self):
        self.socket.close()


class Engine:
    name = "patchbay"

    def __init__(self, lab, build, port="auto:eth0", workers=1, store=None, prompts=None, more=()):
        self.prompts = prompts or labs.long_prompt(f"{lab.dir}/prompts", build)
        self.more = list(more)
        self.lab, self.build, self.port, self.workers = lab, build, port, workers
        self.store = store or f"{lab.dir}/store"
        self.serial = 0
        self.calls, self.rpc = [], None
        self.start()

    def start(self):
        if self.store != "none":
            os.makedirs(self.store, exist_ok=True)
        path = f"{self.lab.dir}/engine.sock"
        self.process = self.lab.spawn(
            [f"{self.build}/patchbay-engine", "--port", self.port, "--socket", path, "--store", self.store, "--prompts",
             self.prompts, "--rtp-ports", f"{FIRST_PORT}-{LAST_PORT}", "--workers", str(self.workers), "--lcores",
             ",".join([str(self.lab.cpu)] * self.workers), "--record-memory", "512", "--busy-limit", "100", "--shm", self.lab.shm, *self.more], "engine")

        def answers():
            if self.process.poll() is not None:
                raise Failure("the engine ended: " + labs.last_words(self.process))
            try:
                self.rpc = Rpc(path)
                return True
            except OSError:
                return False
        wait_until("the engine's socket", answers, 120)

    def open(self, calls, record=False, srtp=False, codecs=None, press=0, play=False):
        """Calls of two legs that hear one another, or with `play` of one that hears a prompt. `codecs`: of the one and the other
        leg, when it is not PCMU on both. `press`: keys each so many rounds. Returns lines for the generator's telephones."""
        self.close_calls()
        self.serial += 1
        sides = (0,) if play else (0, 1)
        codecs = codecs or ("PCMU", "PCMU")
        opens, legs, keys = [], [], []
        for c in range(calls):
            name = f"b{self.serial}-{c}"
            self.calls.append(name)
            opens.append(("call.open", {"call": name}))
            for side in sides:
                more = {"dtmf": {"pt": 101}} if press else {}
                if srtp:
                    keys.append((os.urandom(30), os.urandom(30)))  # what the telephone sends with, what it hears with
                    theirs, own = (base64.b64encode(k).decode() for k in keys[-1])
                    more = {"srtp": {"suite": "AES_CM_128_HMAC_SHA1_80", "receive": {"key": theirs}, "send": {"key": own}}}
                legs.append(("leg.open", {**more, "call": name, "leg": f"{name}-{side}", "source": "strict", "codecs": [CODECS[codecs[side]]],
                                          "remote": {"ip": CLIENT, "port": FIRST_PORT + 2 * (2 * c + side)}}))
        self.rpc.many(opens)
        opened = self.rpc.many(legs)
        if play:
            self.rpc.many([("play.start", {"leg": f"{n}-0", "play": f"{n}-p", "items": [{"prompt": "bench"}], "loop": 0}) for n in self.calls])
        else:
            self.rpc.many([("call.hear", {"call": n, "hear": [{"listener": f"{n}-0", "speaker": f"{n}-1"},
                                                              {"listener": f"{n}-1", "speaker": f"{n}-0"}]}) for n in self.calls])
        if record:
            self.rpc.many([("record.start", {"call": n, "recording": str(uuid.uuid4()), "customer": f"{n}-0"}) for n in self.calls])
        lines = []
        for i, o in enumerate(opened):
            c, side = divmod(i, len(sides))
            lines.append(phone(FIRST_PORT + 2 * (2 * c + side), o["local"]["ip"], o["local"]["port"], i, codecs[side], codecs[0] == codecs[1] and not play,
                               keys[i] if srtp else None, press, talks=not play))
        return lines

    def close_calls(self):
        if self.calls:
            self.rpc.many([("call.close", {"call": n}) for n in self.calls])
        self.calls = []

    def counts(self):
        """What is looked at before, while and after it is measured."""
        stat = self.rpc.call("stat.engine")
        stages = {}
        for stage in (s for w in stat["workers"] for s in w["stages"]):
            packets, cycles = stages.get(stage["stage"], (0, 0))
            stages[stage["stage"]] = (packets + stage["packets"], cycles + stage["cycles"])
        return {"frames_lost": (stat.get("recorder") or {}).get("frames_lost", 0), "stages": stages,
                "busy_share": sum(w["busy_share"] for w in stat["workers"]) / len(stat["workers"])}

    def can(self, scene):
        """Whether this engine has what the scene needs."""
        return True

    def pids(self):
        return [self.process.pid]

    def stop(self):
        if self.rpc:
            self.rpc.close()
        self.lab.stop(self.process)
