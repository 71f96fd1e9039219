"""Streams per core with the whole engine process and the load generator: over veth, against the peer, over memif."""
import os

from . import engine, rtpengine, veth
from .lab import CLIENT, SERVER, Ahead, Failure, Lab

# Where the peer cannot follow, and why.
PEER_LIMITS = "rtpengine without its kernel module (it cannot be loaded here): its production fast path for relay and SRTP is not measured"
# Our engine chooses a cheaper Opus by itself; beside the peer, which has no such choice, it takes the same trouble.
MORE = {"transcode_opus": ("--opus-complexity", "10", "--transcoders", "2000"), "transcode_pcma": ("--transcoders", "10000")}
MEMIF_MAC = "02:00:00:00:00:03"


class Macro:
    def __init__(self, build, directory, cpu, gen_cpu, quick, busy, say):
        self.build, self.dir, self.cpu, self.gen_cpu, self.say = build, directory, cpu, gen_cpu, say
        self.seconds, self.warm = (2, 1) if quick else (5, 2)
        self.precision = 0.1 if quick else 0.04
        self.busy = busy
        self.most = 20000

    def knees(self, make_server, scene):
        """Both limits' knees of one server in one scene, in a fresh pair of namespaces."""
        options, ours, theirs = veth.SCENES[scene]
        try:
            with Ahead(), Lab(f"{self.dir}/lab", self.cpu, self.gen_cpu) as lab:
                server = make_server(lab)
                if not server.can(scene):
                    return {"doubt": f"{server.name} has no {scene} yet"}
                self.say(f"{scene} over veth, {server.name}:")
                runner = veth.Runner(lab, server, self.build, self.seconds, self.warm, options, busy=self.busy)
                start = ours if server.name == "patchbay" else theirs
                try:
                    return veth.knees(runner, start, self.most, self.precision, lambda text: self.say("  " + text))
                finally:
                    server.stop()
        except (Failure, OSError) as e:
            return {"doubt": str(e)}

    def ours(self, scene):
        return self.knees(lambda lab: engine.Engine(lab, self.build, store=self.store(lab), more=MORE.get(scene, ())), scene)

    def theirs(self, scene):
        if not rtpengine.available():
            return {"doubt": "rtpengine is not installed"}
        return self.knees(lambda lab: rtpengine.Rtpengine(lab, record=scene == "record", build=self.build), scene)

    def store(self, lab):
        return os.path.join(lab.dir, "store")

    def compare(self, scene, peer):
        """(macro.veth.SCENE, peer.rtpengine.SCENE)"""
        mine = self.ours(scene)
        macro = outcome(mine)
        if not peer:
            return macro, None
        other = self.theirs(scene)
        return macro, {**ratios(mine, other), "ours": macro, "theirs": outcome(other), "note": PEER_LIMITS}

    def memif(self):
        """Relay over shared memory between two processes, 50,000 flows when the ports of one address allow it."""
        try:
            with Ahead(), Lab(f"{self.dir}/memif", self.cpu, self.gen_cpu) as lab:
                server = engine.Engine(lab, self.build, port=f"memif:bench,socket={lab.dir}/memif.sock,role=server,slots=2048,"
                                                             f"ip={SERVER}/24,mac={MEMIF_MAC}", store="none")
                runner = veth.Runner(lab, server, self.build, self.seconds, self.warm, {}, busy=self.busy,
                                     line=["--memif", f"{lab.dir}/memif.sock", "--peer-mac", MEMIF_MAC])
                self.say("relay over memif:")
                try:
                    most = engine.LEGS_MAX
                    point = veth.tell(runner.measure(most), lambda text: self.say("  " + text))
                finally:
                    server.stop()
        except (Failure, OSError) as e:
            return {"streams_per_core": None, "doubt": str(e)}
        return memif_outcome(point)


def memif_outcome(point):
    """All the flows that one address has ports for are offered at once; what a core could carry follows from the share of
    its time that the worker was busy, as the engine counts it."""
    share = point.get("worker_busy_share")
    good = not point.get("doubt") and share and point["loss_ppm"] <= 10 and not point["corrupt"]
    return {"streams_per_core": round(point["streams"] / share) if good else None, "streams": point["streams"],
            "ns_per_packet": 20e6 * share / point["streams"] if share else None, "at": veth.summary(point),
            "method": "extrapolated from the worker's busy share at the number of streams given",
            "doubt": "" if good else point.get("doubt") or f"loss of {point.get('loss_ppm', 0):.0f} ppm"}


def outcome(knees):
    """A knee at the telephone's limit and at p99 < 1 ms, as results.json has them."""
    if knees.get("doubt"):
        return {"streams_per_core": None, "streams_per_core_p99_1ms": None, "doubt": knees["doubt"]}
    knee, equal = knees["knee"], knees["p99_1ms"]
    return {"streams_per_core": knee["streams"], "streams_per_core_p99_1ms": equal["streams"],
            "at_knee": knee["at"], "at_p99_1ms": equal["at"], "curve": knees["curve"],
            "doubt": knee["doubt"], "doubt_p99_1ms": equal["doubt"]}


def ratios(mine, other):
    """Ours over theirs; null with the reason when either is missing."""
    result, doubts = {}, {}
    for key, limit in (("ratio", "knee"), ("ratio_p99_1ms", "p99_1ms")):
        a, b = ((side.get(limit) or {}).get("streams") for side in (mine, other))
        result[key] = a / b if a and b else None
        if result[key] is None:
            doubts[key] = "; ".join(f"{who}: {side.get('doubt') or side[limit]['doubt']}" for who, side, n in
                                    (("patchbay", mine, a), ("rtpengine", other, b)) if not n)
    result["at_least"] = bool(((mine.get("knee") or {}).get("at") or {}).get("at_most"))
    result["at_least_p99_1ms"] = bool(((mine.get("p99_1ms") or {}).get("at") or {}).get("at_most"))
    points = [((side.get("p99_1ms") or {}).get("at") or {}).get("cpu_us_per_packet") for side in (mine, other)]
    result["cpu_per_packet_ratio"] = points[1] / points[0] if all(points) else None
    return {**result, "doubt_of": doubts, "doubt": "; ".join(doubts.values())}
