"""Hours in minutes: the engine at about half of its power, with everything coming and going.

PATCHBAY_SOAK_S is how long, in seconds: 15 without it, 900 for a soak that means something. PATCHBAY_SOAK_LEGS bounds the legs. Every leg plays to an echo on the other
side of the veth pair (port_echo), so that sound goes out and comes back; calls, legs, plays, collects, recordings and captures come
and go all the time. The number of legs follows the worker's busy share.
"""
import os
import random
import time
import uuid

from lab import Failure, Rpc
from test_port import Link, expect

SECONDS = float(os.environ.get("PATCHBAY_SOAK_S", "15"))
LEGS_MAX, RECORDINGS_MAX, SHARE = int(os.environ.get("PATCHBAY_SOAK_LEGS", "2400")), 24, 0.5
EVENTS_KEPT, EVENT_BYTES = 65536, 700  # the engine remembers so many events; what one may take


class Soak(Link):
    def begin(self):
        self.start(f"{self.build}/tests/port_echo", "af_xdp:ppc0", "1", ready="RTP ports 20000-20999", ns=self.c)
        self.echo_process = self.process
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):  # it stands for other machines: not on the worker's core
            os.sched_setaffinity(int(thread), {0})
        self.path = f"{self.dir}/engine.sock"
        self.start(f"{self.build}/patchbay-engine", "--port", "af_xdp:pps0", "--socket", self.path, "--store", f"{self.dir}/store",
                   "--shm", f"soak-{os.getpid()}", "--prompts", self.dir, "--rtp-ports", "20000-29999", ready="is ready on")
        self.rpc = Rpc(self.path)
        self.rpc.socket.settimeout(60)  # the whole machine may be busy
        self.calls, self.recordings, self.made, self.refused, self.any = {}, [], 0, 0, random.Random(20251)

    def __exit__(self, *exc):
        echo = getattr(self, "echo_process", None)
        if echo is not None and echo is not self.process and echo.poll() is None:
            echo.kill()
            echo.wait()
        super().__exit__(*exc)

    def start(self, *command, ready, ns=None):
        mine = self.s
        try:
            self.s = ns or mine
            super().start(*command, ready=ready)
        finally:
            self.s = mine

    # What is looked at.

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def files(self):
        """Open files at rest: the cataloguer has a lock and a segment or a run open for a moment, and on a busy machine it is a long one."""
        seen = []
        for _ in range(60):
            seen.append(len(os.listdir(f"/proc/{self.process.pid}/fd")))
            time.sleep(0.05)
        return min(seen)

    def stats(self):
        return self.rpc.call("stat.engine")

    def seq(self):
        other = Rpc(self.path, hello=False)
        seq = other.call("hello", protocol=1, client="soak")["seq"]
        other.close()
        return seq

    # What comes and goes.

    def open_call(self):
        """False: the engine is at its limit, which is an answer and no fault (other programs may take its CPU)."""
        self.made += 1
        call = f"c{self.made}"
        try:
            self.fill_call(call)
            return True
        except Failure as failure:
            if "'overloaded'" not in str(failure):
                raise
            self.refused += 1
            self.calls.pop(call, None)
            self.rpc.call("call.close", call=call)
            return False

    def fill_call(self, call):
        self.rpc.call("call.open", call=call)
        legs = [f"{call}.{i}" for i in range(self.any.choice((1, 2, 2, 3)))]
        for leg in legs:
            self.rpc.call("leg.open", call=call, leg=leg,
                          remote={"ip": "10.78.0.2", "port": 20000 + 2 * self.any.randrange(500)})
            self.rpc.call("play.start", leg=leg, play=f"{leg}.p", loop=0, items=[{"tone": "ringback"}, {"silence_ms": 40}])
        if len(legs) == 3:  # the third hears a mix of the others when its play is stopped
            self.rpc.call("call.hear", call=call, hear=[{"listener": legs[2], "speaker": legs[0]},
                                                        {"listener": legs[2], "speaker": legs[1], "gain_db": -6}])
            self.rpc.call("play.stop", play=f"{legs[2]}.p")
        self.calls[call] = legs

    def close_call(self):
        call = self.any.choice(list(self.calls))
        del self.calls[call]
        self.recordings = [r for r in self.recordings if r[0] != call]
        self.rpc.call("call.close", call=call)

    def record(self):
        if len(self.recordings) >= RECORDINGS_MAX:
            self.rpc.call("record.stop", recording=self.recordings.pop(0)[1])
        call = self.any.choice(list(self.calls))
        if call in (r[0] for r in self.recordings):
            return
        ident = str(uuid.UUID(int=self.any.getrandbits(128)))
        try:
            self.rpc.call("record.start", call=call, customer=self.calls[call][0], recording=ident)
        except Failure as failure:
            raise Failure(f"{failure}; recorder {self.stats()['recorder']}, {len(self.recordings)} recordings") from failure
        self.recordings.append((call, ident))

    def touch(self):
        """Something small to a call that runs."""
        legs = self.calls[self.any.choice(list(self.calls))]
        leg = self.any.choice(legs)
        what = self.any.randrange(4)
        self.made += 1
        if what == 0 and not self.stats()["workers"][0]["refuses"]:
            self.rpc.call("play.start", leg=legs[0], play=f"{legs[0]}.r{self.made}", loop=0, items=[{"tone": "busy"}])
        elif what == 1:
            self.rpc.call("collect.start", leg=leg, collect=f"{leg}.k{self.made}", max=4)
            self.rpc.call("collect.stop", collect=f"{leg}.k{self.made}")
        elif what == 2:
            self.rpc.call("leg.stat", leg=leg)
        else:
            self.rpc.call("capture.start", capture="soak", leg=leg)
            self.rpc.call("capture.read", capture="soak")
            self.rpc.call("capture.stop", capture="soak")

    def legs(self):
        return sum(len(legs) for legs in self.calls.values())

    def churn(self, seconds):
        """Returns the busy shares that were seen."""
        end, shares = time.monotonic() + seconds, []
        while time.monotonic() < end:
            worker = self.stats()["workers"][0]
            shares.append(worker["busy_share"])
            grow = worker["busy_share"] < SHARE and self.legs() < LEGS_MAX and not worker["refuses"]
            for _ in range(24 if grow else 6):
                if not self.open_call():
                    break
            for _ in range(6):
                if len(self.calls) > 20:
                    self.close_call()
            if worker["busy_share"] > SHARE + 0.1:
                for _ in range(min(12, len(self.calls) - 10)):
                    self.close_call()
            self.record()
            for _ in range(4):
                self.touch()
            time.sleep(0.1)
        return shares


def test_soak(build):
    """Calls, plays, recordings and captures come and go at half load: memory, packets, files and pools are as before."""
    with Soak(build) as link:
        link.begin()
        time.sleep(1)
        before = link.stats()
        link.churn(SECONDS * 0.4)
        rss, seq, files = link.rss(), link.seq(), link.files()
        shares = link.churn(SECONDS * 0.6)
        grown, events = link.rss() - rss, link.seq() - seq
        busy = sum(shares) / len(shares)
        legs, calls = link.legs(), link.made
        fates = link.rpc.call("stat.drops")
        for call in list(link.calls):
            link.rpc.call("call.close", call=call)
        time.sleep(4)
        after, drops = link.stats(), link.rpc.call("stat.drops")
        worker, open_files = after["workers"][0], link.files()
        print(f"{SECONDS:.0f} s: busy {busy:.0%}, {legs} legs at the end, {calls} things made, {link.refused} refused, {drops['received']} packets received, "
              f"{worker['sent']} sent, {events} events; RSS {rss >> 20} MiB, grown {grown >> 10} KiB; "
              f"files {files} to {open_files}; recorder {after['recorder']}")
        # In a short run legs are opened for the first time still, and their memory is touched.
        allowed = ((4 if SECONDS >= 300 else 24) << 20) + max(0, min(events, EVENTS_KEPT - seq)) * EVENT_BYTES
        expect(grown < allowed, f"memory has grown by {grown >> 10} KiB, allowed {allowed >> 10}")
        expect(open_files <= files, f"{files} files before, {open_files} after")
        # AF_XDP gives a sent packet back with the next one that is sent.
        expect(worker["mbufs_free"] >= before["workers"][0]["mbufs_free"] - 64,
               f"packets: {before['workers'][0]['mbufs_free']} free before, {worker['mbufs_free']} after")
        expect(worker["legs"] == 0 and worker["calls"] == 0, f"{worker}")
        expect(after["recorder"]["extents_free"] == before["recorder"]["extents_free"], f"{after['recorder']}")
        expect(drops["in_flight"] == 0, f"in flight: {drops['in_flight']}")
        expect(drops["received"] > 1000 * SECONDS and busy > 0.02, f"hardly any load: {drops['received']}, {busy}")
        expect(fates["received"] > 0 and not after["alarms"], f"alarms: {after['alarms']}")
        link.stop()


test_soak.alone = True
