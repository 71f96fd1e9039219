"""Streams per core over a veth pair: our engine and the peer, same packets, same core, same limit."""
import json
import subprocess
import threading
import time

from . import knee
from .lab import MUSIC, Failure, ahead

# On paths through the kernel. The first is what a telephone call tolerates, the second compares at equal delay.
LIMITS = {
    "knee": {"loss_ppm": 10, "p50_us": 1000, "p99_us": 20000},
    "p99_1ms": {"loss_ppm": 10, "p50_us": 1000, "p99_us": 1000},
}
LATE_US = 1000  # the generator itself, p99
REST_S = 3  # a host that grants a virtual CPU less than all of its time gives it back so
STEAL_SHARE = 0.03
STARTED = 4  # programs, while nothing should run: each takes time from a core that polls, in pieces of up to 50 ms
TIME_LIMIT_S = (50, 400)  # of one search: quick, whole
SCENES = {  # name: (options of open(), where to begin: ours, theirs)
    "relay": ({"press": 150}, 11000, 1500),
    "record": ({"record": True}, 12000, 1700),
    "srtp": ({"srtp": True}, 9000, 1900),
    "transcode_pcma": ({"codecs": ("PCMU", "PCMA")}, 3000, 400),
    "transcode_opus": ({"codecs": ("PCMU", "opus")}, 150, 60),
    "play": ({"play": True}, 4000, 200),
}
QUICK = ("relay", "record", "srtp")


class Sampler:
    """How busy the server's worker says it is, asked each half second while the generator makes its film, sends, and judges:
    it is busy in the middle."""

    def __init__(self, server):
        self.server, self.samples, self.stop = server, [server.counts()], threading.Event()
        self.thread = threading.Thread(target=self.run) if "busy_share" in self.samples[0] else None

    def __enter__(self):
        if self.thread:
            self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        if self.thread:
            self.thread.join()

    def run(self):
        while not self.stop.wait(0.5):
            try:
                self.samples.append(self.server.counts())
            except (Failure, OSError):
                return  # it has died, which measure() is about to find

    def busy(self):
        """The median of its three highest answers; None: it does not say."""
        if len(self.samples) < 4:
            return None
        shares = sorted(s["busy_share"] for s in self.samples)
        return shares[-2]

    def stages(self):
        """{stage: cycles a packet that is received, and share of all stages} between a third and two thirds of the time; None: it
        does not say. Of an engine that polls, `rx` has the looking in vain as well."""
        begin, end = (self.samples[len(self.samples) * k // 3].get("stages") for k in (1, 2))
        if not begin or not end:
            return None
        spent = {name: end[name][1] - begin.get(name, (0, 0))[1] for name in end}
        received = end["rx"][0] - begin["rx"][0]
        total = sum(spent.values())
        return {name: {"cycles_per_packet": cycles / received, "share": cycles / total} for name, cycles in spent.items() if cycles} if received else None


class Runner:
    """Measures one server at one load after the other and keeps every point."""

    def __init__(self, lab, server, build, seconds, warm, options, line=None, busy=False):
        self.lab, self.server, self.build, self.options, self.busy = lab, server, build, options, busy
        self.seconds, self.warm = seconds, warm
        self.line = line or ["--veth", "eth0", "--peer-mac", lab.mac(lab.server)]
        self.points = {}
        self.until = time.monotonic() + TIME_LIMIT_S[0 if seconds < 5 else 1]

    def measure(self, streams, again=True):
        if time.monotonic() > self.until:
            return {"streams": streams, "doubt": "not measured: this search has had its time", "deaf": 0, "corrupt": 0, "lost": 0, "due": 0}
        try:
            lines = self.server.open(streams if self.options.get("play") else streams // 2, **self.options)
            with Sampler(self.server) as sampler:
                point = self.generate(lines)
            if self.server.counts()["frames_lost"] > sampler.samples[0]["frames_lost"]:
                point["doubt"] = "recorded frames were lost"
            if sampler.busy() is not None:
                point["worker_busy_share"] = sampler.busy()
                point["stages"] = sampler.stages()
        except (Failure, OSError) as e:
            point = {"streams": streams, "doubt": str(e), "deaf": 0, "corrupt": 0, "lost": 0, "due": 0}
        if again and point.get("disturbed"):
            time.sleep(REST_S)
            return self.measure(streams, again=False)
        return point

    def generate(self, lines):
        phones = f"{self.lab.dir}/phones"
        with open(phones, "w") as out:
            out.write("\n".join(lines) + "\n")
        command = ["ip", "netns", "exec", self.lab.client, f"{self.build}/bench/bench_gen", *self.line, "--phones", phones, "--seconds", str(self.seconds), "--warm", str(self.warm),
                   "--cpu", str(self.lab.gen_cpu), "--watch-cpu", str(self.lab.cpu), "--rtcp", "--sound",
                   f"{self.build}/{MUSIC}"]
        for pid in self.server.pids():
            command += ["--watch-pid", str(pid)]
        for pid in self.server.pids():
            ahead(pid)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=self.seconds + self.warm + 120)
        if done.returncode != 0:
            raise Failure("bench_gen: " + done.stderr.strip()[-300:])
        return judge(json.loads(done.stdout), self.busy)


def judge(point, busy=False):
    """Add what follows from a generator's result, and whether it may be believed. `busy`: the machine has other work,
    which takes either core away for up to a twentieth of each second; delay, lateness and loss are then
    those of the median tenth of a second, and the point says so."""
    cpu = point["cpu"]
    late = point["late_us"]["p99"]
    point["loss_ppm"] = 1e6 * point["lost"] / max(1, point["due"])
    if busy and "window" in point:
        point["median_window"], late = True, point["window"]["late_p99_us"]
        if point["window"]["p99_us"] > 0:  # only what is heard as it was said is judged by windows
            point["delay_us"].update(p50=point["window"]["p50_us"], p99=point["window"]["p99_us"])
            point["loss_ppm"] = point["window"]["loss_ppm"]
    point["busy_share"] = cpu["user"] + cpu["nice"] + cpu["system"] + cpu["irq"] + cpu["softirq"]
    rate = max(point["sent"], point["heard"]) / point["seconds"]
    point["cpu_us_per_packet"] = 1e6 * point["busy_share"] / rate if rate else None
    if point["log_overflow"]:
        point["doubt"] = "more came back than was sent: the generator's log is full"
    elif late > LATE_US:
        point["doubt"] = f"the generator fell behind by {late / 1000:.1f} ms"
        point["disturbed"] = True
    elif cpu["steal"] > STEAL_SHARE or point["own_cpu"]["steal"] > STEAL_SHARE:
        point["doubt"] = f"the host took {100 * max(cpu['steal'], point['own_cpu']['steal']):.0f} % of a core away"
        point["disturbed"] = True
    elif point.get("started", 0) > STARTED and not busy:
        point["doubt"] = f"{point['started']} programs were started on this machine meanwhile: something else works on it"
        point["disturbed"] = True
    return point


def summary(point):
    """What of a point belongs into results.json."""
    if point is None:
        return None
    return {k: point[k] for k in ("streams", "delay_us", "jitter_us", "late_us", "loss_ppm", "repeated", "reordered", "corrupt", "deaf", "silent", "keys", "keys_lost", "rtcp",
                                  "cpu_us_per_packet", "busy_share", "process_share", "worker_busy_share", "stages", "median_window", "doubt", "at_most") if k in point}


def knees(runner, start, most, precision, say):
    """{limit: result} of one server in one scene, and the curve of all points."""
    result = {}
    for name, limit in LIMITS.items():
        best = knee.search(lambda n: tell(runner.measure(n), say), limit, start, most, precision=precision, points=runner.points)
        doubts = [p["doubt"] for p in runner.points.values() if p.get("doubt")]
        result[name] = {"streams": best["streams"] if best else None, "at": summary(best),
                        "doubt": "" if best else (doubts[-1] if doubts else "the limit was broken at every load")}
        if best and best.get("at_most"):
            result[name]["doubt_upward"] = "the harness went no further"
    result["curve"] = [summary(runner.points[n]) for n in sorted(runner.points)]
    return result


def tell(point, say):
    if "delay_us" in point:
        say(f"{point['streams']} streams: p50 {point['delay_us']['p50']:.0f} us, p99 {point['delay_us']['p99']:.0f} us, "
            f"loss {point['loss_ppm']:.0f} ppm, {point['cpu_us_per_packet']:.2f} us of CPU a packet"
            + (f"; not believed: {point['doubt']}" if point.get("doubt") else ""))
    else:
        say(f"{point['streams']} streams: {point['doubt']}")
    return point
