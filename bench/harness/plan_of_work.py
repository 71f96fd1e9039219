"""What bench/run does, in which order, and how long each part takes."""
import os
import time

from . import alone, archive, control, micro, stages, talkoff
from .machine import TOP
from .macro import Macro
from .ring import CURVE, Ring
from .ring import SCENES as RING_SCENES
from .veth import QUICK as VETH_QUICK
from .veth import SCENES as VETH_SCENES


class Work:
    """Carries out the parts that were asked for; `results` is filled, `save` called after each."""

    def __init__(self, opt, directory, results, save):
        self.opt, self.dir, self.results, self.save = opt, directory, results, save
        self.root = os.getuid() == 0
        os.makedirs(directory, exist_ok=True)
        cpus = sorted(os.sched_getaffinity(0))
        self.gen_cpu = next((c for c in cpus if c != opt["cpu"]), opt["cpu"])
        self.ring = Ring(opt["build"], f"{directory}/ring", opt["cpu"], opt["quick"], say)
        self.macro = Macro(opt["build"], directory, opt["cpu"], self.gen_cpu, opt["quick"], opt["busy"], say)
        self.without = {}  # dotted path: why it has no number, as it is now

    @staticmethod
    def names(quick=False):
        return ([name for name, _, _ in RING_SCENES] + ["delay", "scaling", "memif"] + [f"veth_{name}" for name in (VETH_QUICK if quick else VETH_SCENES)] +
                ["recorder", "kill", "idle", "memory", "micro", "stages", "control", "archive", "jbuf", "talkoff"])

    def parts(self):
        """(name, seconds it takes when quick and otherwise, function)"""
        for name, unit, sizes in RING_SCENES:
            yield name, (8 * len(sizes), 25 * len(sizes)), lambda n=name, u=unit, s=sizes: self.ring_scene(n, u, s)
        yield "delay", (10, 30), self.delay
        yield "scaling", (10, 30), self.scaling
        yield "memif", (25, 30), lambda: self.put("macro.memif", "relay", self.needs_root(self.macro.memif))
        for name in VETH_SCENES:
            yield f"veth_{name}", (100, 300), lambda n=name: self.veth_scene(n)
        quick = self.opt["quick"]
        yield "recorder", (15, 320), lambda: self.merge("recorder", alone.recorder(self.opt["build"], f"{self.dir}/store", 5 if quick else 300, say))
        yield "kill", (20, 60), lambda: self.merge("recorder", alone.kill(self.opt["build"], say))
        yield "idle", (10, 10), lambda: self.merge("idle", self.needs_root(lambda: alone.idle(*self.place())))
        yield "memory", (15, 15), lambda: self.merge("memory", self.needs_root(lambda: alone.memory(*self.place())))
        yield "micro", (40, 180), lambda: self.merge("micro", micro.run(self.opt["build"], self.opt["cpu"], quick, say))
        yield "stages", (10, 400), lambda: self.merge("stages", stages.run(self.opt["build"], self.dir, quick, say))
        yield "control", (60, 180), lambda: self.control(quick)
        yield "archive", (30, 600), lambda: self.sections(archive.run(self.opt["build"], self.dir, quick, say))
        yield "talkoff", (15, 120), lambda: self.merge("dtmf", talkoff.run(self.opt["build"], 0.25 if quick else 4, say))
        yield "jbuf", (10, 10), lambda: self.merge("jbuf", archive.jitter_buffer(self.opt["build"], os.path.join(TOP, "bench/traces"), self.dir, say))

    def place(self):
        return self.opt["build"], self.dir, self.opt["cpu"], self.gen_cpu, say

    def needs_root(self, function):
        return function() if self.root else {"streams_per_core": None, "doubt": "needs root"}

    def run(self, begin):
        todo = [(n, t[0 if self.opt["quick"] else 1], f) for n, t, f in self.parts() if n in self.opt["only"]]
        # A second look at the ring ports, minutes later; without other parts between, it would see the same minute.
        ring = [part for part in todo if part[0] in self.ring.exists()]
        todo += ring if len(ring) < len(todo) else []
        for at, (name, _, function) in enumerate(todo):
            left = sum(t for _, t, _ in todo[at:])
            print(f"[{at + 1}/{len(todo)}] {name}; about {left // 60}:{left % 60:02d} left, {time.monotonic() - begin:.0f} s gone", flush=True)
            function()
            self.save()
        self.results["without_number"] = list(self.without.items())

    def note(self, path, doubt):
        if doubt:
            self.without[path] = doubt
        else:
            self.without.pop(path, None)

    def put(self, path, name, value):
        """results[path...][name] = value; a doubt is remembered."""
        place = self.results
        for word in path.split("."):
            place = place.setdefault(word, {})
        place[name] = value
        self.note(f"{path}.{name}", value.get("doubt"))

    def merge(self, name, value):
        place = self.results.setdefault(name, {})
        doubt = "; ".join(filter(None, (place.get("doubt"), value.get("doubt"))))
        doubt_of = {**place.get("doubt_of", {}), **value.get("doubt_of", {})}
        place.update(value)
        place.update(doubt=doubt, doubt_of=doubt_of)
        self.note(name, doubt)

    def ring_scene(self, name, unit, sizes):
        if name not in self.ring.exists():
            return self.put("macro", name, {f"{unit}_per_core": None, "doubt": "bench_worker has no such scene yet"})
        if name == "relay" and not self.opt["quick"]:
            sizes = CURVE
        before = self.results.get("macro", {}).get(name, {})
        kept = {k: before[k] for k in ("delay_at_80", "scaling") if k in before}
        self.put("macro", name, {**self.ring.scene(name, unit, sizes), **kept})

    def relay(self):
        """The headline, measured now if it was not."""
        relay = self.results.get("macro", {}).get("relay")
        if not relay:
            relay = self.ring.at("relay", "streams", 10000)
            self.put("macro", "relay", relay)
        return relay

    def scaling(self):
        relay = self.relay()
        relay["scaling"] = ({"share": None, "doubt": "one CPU only"} if self.gen_cpu == self.opt["cpu"]
                            else self.ring.scaling("relay", "streams", relay))
        self.note("macro.relay.scaling", relay["scaling"]["doubt"])

    def delay(self):
        relay = self.relay()
        relay["delay_at_80"] = self.ring.delay("relay", relay)
        self.note("macro.relay.delay_at_80", relay["delay_at_80"]["doubt"])

    def veth_scene(self, name):
        macro, peer = self.needs_root(lambda: self.macro.compare(name, self.opt["peer"] == "rtpengine")) if self.root else (
            {"streams_per_core": None, "doubt": "needs root"}, None)
        self.put("macro.veth", name, macro)
        if peer:
            self.put("peer.rtpengine", name, peer)

    def control(self, quick):
        result = self.needs_root(lambda: control.run(*self.place(), quick, self.opt["peer"] == "rtpengine"))
        self.sections(result.get("sections", {"control": result}))

    def sections(self, values):
        for section, value in values.items():
            self.merge(section, value) if "." not in section else self.put(section.rsplit(".", 1)[0], section.rsplit(".", 1)[1], value)


def say(text):
    print(f"  {text}", flush=True)
