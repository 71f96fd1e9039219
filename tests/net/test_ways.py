"""Ways in, links that fail, floods, and an operator's looks: the engine alone, driven over its control socket.

The network is test_port.py's: one veth pair between the engine's namespace and the phones'.
"""
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from lab import Failure, Rpc, run, wait_until
from test_port import Link, expect, expect_echo, expect_idle

# Two phones that talk to each other through the engine: every 20 ms a packet each, for SECONDS. Prints how many were
# sent and heard by each, and the longest time without one. Arguments: own address, engine's address, two pairs of ports, seconds.
TALK = """
import json, select, socket, sys, time
own, engine, seconds = sys.argv[1], sys.argv[2], float(sys.argv[7])
legs = []
for mine, theirs in ((int(sys.argv[3]), int(sys.argv[4])), (int(sys.argv[5]), int(sys.argv[6]))):
    s = socket.socket(socket.AF_INET6 if ':' in own else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((own, mine))
    s.setblocking(False)
    legs.append({'s': s, 'to': (engine, theirs), 'sent': 0, 'heard': 0, 'repeated': 0, 'gap': 0.0, 'last': None, 'seqs': set()})
begin = time.monotonic()
while True:
    now = time.monotonic()
    if now - begin > seconds + 0.3:
        break
    for i, leg in enumerate(legs):
        while leg['sent'] * 0.02 <= now - begin and leg['sent'] * 0.02 < seconds:
            head = bytes([0x80, 0]) + (leg['sent'] & 0xffff).to_bytes(2, 'big') + (leg['sent'] * 160).to_bytes(4, 'big')
            try:
                leg['s'].sendto(head + (0x1000 + i).to_bytes(4, 'big') + b'\\xd5' * 160, leg['to'])
            except OSError:
                pass
            leg['sent'] += 1
    for s in select.select([leg['s'] for leg in legs], [], [], 0.005)[0]:
        leg = next(leg for leg in legs if leg['s'] is s)
        data = s.recv(2000)
        if len(data) != 172:
            continue
        seq, now = data[2:4], time.monotonic()
        leg['repeated'] += seq in leg['seqs']
        leg['seqs'].add(seq)
        leg['heard'] += 1
        if leg['last']:
            leg['gap'] = max(leg['gap'], now - leg['last'])
        leg['last'] = now
print(json.dumps([{k: leg[k] for k in ('sent', 'heard', 'repeated', 'gap')} for leg in legs]))
"""


class Engine(Link):
    """The engine on pps0 with one call of two legs."""

    def engine(self, spec="af_xdp:pps0", args=(), rtp="20000-20999"):
        self.path = f"{self.dir}/engine.sock"
        self.start(f"{self.build}/patchbay-engine", "--port", spec, "--socket", self.path, "--store", "none",
                   "--shm", f"ways-{os.getpid()}", "--prompts", self.dir, "--rtp-ports", rtp, *args, ready="is ready on")
        self.rpc = Rpc(self.path)

    def call(self, name="c", ports=(4000, 4002), ip="10.78.0.2", **leg):
        self.rpc.call("call.open", call=name)
        local = [self.rpc.call("leg.open", call=name, leg=f"{name}.{i}", remote={"ip": ip, "port": p}, **leg)["local"]["port"]
                 for i, p in enumerate(ports)]
        self.rpc.call("call.hear", call=name, hear=[{"listener": f"{name}.0", "speaker": f"{name}.1"},
                                                    {"listener": f"{name}.1", "speaker": f"{name}.0"}])
        return local

    @contextlib.contextmanager
    def talking(self, local, seconds, ports=(4000, 4002), own="10.78.0.2", engine="10.78.0.1", ns=None):
        """The phones of the call talk while the body runs; it gets a list that holds what they heard afterwards."""
        process = subprocess.Popen(["ip", "netns", "exec", ns or self.c, "python3", "-c", TALK, own, engine, str(ports[0]),
                                    str(local[0]), str(ports[1]), str(local[1]), str(seconds)], stdout=subprocess.PIPE, text=True)
        heard = []
        try:
            yield heard
            out, _ = process.communicate(timeout=seconds + 15)
            heard += json.loads(out)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def cli(self, *words, check=True):
        return run("ip", "netns", "exec", self.s, f"{self.build}/patchbay", "--engine-socket", self.path, *words, check=check, timeout=60)

    def flood(self, spec, kind, ip, port, pps, seconds):
        out = run("ip", "netns", "exec", self.c, f"{self.build}/tests/port_flood", spec, kind, ip, str(port), str(pps), str(seconds)).stdout
        return int(out.split()[-1])

    def fates(self):
        return {f["name"]: f["count"] for f in self.rpc.call("stat.drops")["fates"]}


def expect_whole(heard, lost=2):
    # The first packets open the way; nothing may be missing after them.
    for one, other in ((0, 1), (1, 0)):
        expect(heard[one]["heard"] >= heard[other]["sent"] - lost and heard[one]["repeated"] == 0, f"not all was heard: {heard}")


def no_addresses(link):
    run("ip", "-n", link.s, "addr", "flush", "dev", "pps0")
    run("ip", "netns", "exec", link.s, "sysctl", "-q", "-w", "net.ipv6.conf.pps0.disable_ipv6=1")


def test_raw_interface_in_a_vlan(build):
    """An interface of the engine's own, tagged: ARP and RTP go both ways in VLAN 7 and nowhere else; tcpdump judges the tags."""
    with Link(build) as link:
        no_addresses(link)
        run("ip", "-n", link.c, "addr", "flush", "dev", "ppc0")
        run("ip", "netns", "exec", link.c, "sysctl", "-q", "-w", "net.ipv6.conf.ppc0.disable_ipv6=1")
        link.echo("raw:pps0,ip=10.79.0.2/24,vlan=7", workers=2)
        expect_idle(link)
        flood = lambda spec: subprocess.run(["ip", "netns", "exec", link.c, f"{link.build}/tests/port_flood", spec, "rtp", "10.79.0.2",
                                             "20000", "500", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seen = subprocess.Popen(["ip", "netns", "exec", link.c, "timeout", "20", "tcpdump", "-i", "ppc0", "-enn", "-l", "--immediate-mode"],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(1)
        done = flood("raw:ppc0,ip=10.79.0.9/24,vlan=7")
        time.sleep(0.5)
        seen.terminate()
        wire = seen.communicate()[0].splitlines()
        expect(done.returncode == 0 and int(done.stdout.split()[-1]) > 800, f"{done}")
        # What the flood sends by a packet socket is not shown to another on its own side.
        back = [line for line in wire if "vlan 7, p 5" in line and "10.79.0.2.20000 > 10.79.0.9.4000" in line]
        expect(len(back) > 100, f"{len(back)} back:\n" + "\n".join(wire[:10]))
        expect(any("vlan 7" in line and "is-at" in line for line in wire), "no tagged ARP answer")
        for spec in ("raw:ppc0,ip=10.79.0.9/24,vlan=8", "raw:ppc0,ip=10.79.0.9/24"):
            done = flood(spec)
            expect(done.returncode == 1 and "nobody has" in done.stderr, f"{spec}: it answers outside of its VLAN: {done}")
        link.stop()
        received, sent = (int(word) for word in link.text().split("\n")[-2].split())
        expect(received > 600 and sent > 0.9 * received, f"received {received}, sent {sent}")


def test_raw_interface_answers_for_itself(build):
    """An interface of the engine's own: the kernel on the other side finds it by ARP and ND, pings it, and gets its RTP back."""
    with Link(build) as link:
        no_addresses(link)
        link.echo("raw:pps0,ip=10.78.0.1/24,ip6=fd78::1/64", workers=2)
        for address in ("10.78.0.1", "fd78::1"):
            run("ip", "netns", "exec", link.c, "ping", "-c", "2", "-i", "0.2", "-W", "1", address)
        expect_echo(link, "10.78.0.1")
        link.stop()


def test_raw_interface_needs_no_address_of_the_kernels(build):
    """An interface that has one is refused with the remedy."""
    with Link(build) as link:
        done = subprocess.run(["ip", "netns", "exec", link.s, f"{link.build}/tests/port_echo", "raw:pps0,ip=10.79.0.2/24"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        expect(done.returncode == 1 and "auto:pps0" in done.stdout, f"code {done.returncode}: {done.stdout}")


def test_memif_outlives_its_peer(build):
    """Shared memory with a neighbour: the peer floods, is killed in the middle and comes back, several times."""
    with Link(build) as link:
        sock = f"{link.dir}/m.sock"
        # We are the server: a client of DPDK's driver does not start without one.
        link.echo(f"memif:m0,socket={sock},role=server,ip=10.79.0.2/24")
        for _ in range(4):
            seen, down = (link.text().count(f"link is {word}") for word in ("up", "DOWN"))
            flood = subprocess.Popen(["ip", "netns", "exec", link.s, f"{link.build}/tests/port_flood",
                                      f"memif:c0,socket={sock},role=client,ip=10.79.0.9/24", "rtp", "10.79.0.2", "20000",
                                      "100000", "20"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_until("the peer to be connected", lambda: (link.dead() or True) and link.text().count("link is up") > seen, 15)
                time.sleep(0.5)
            finally:
                flood.kill()
                flood.wait()
            # The link is looked at once a second: the next peer must not come in between.
            wait_until("the link to be down", lambda: (link.dead() or True) and link.text().count("link is DOWN") > down, 5)
        link.stop()
        received, sent = (int(word) for word in link.text().split("\n")[-2].split())
        expect(received > 10000 and sent > 0.9 * received, f"received {received}, sent {sent}")


test_memif_outlives_its_peer.alone = True


def test_calls_survive_the_link(build):
    """Either end of the link goes down for a second while a call talks: an alarm, then sound again, and nobody restarted anything."""
    with Engine(build) as link:
        link.engine()
        local = link.call()
        for ns, dev in ((link.c, "ppc0"), (link.s, "pps0")):
            before = link.fates()["relayed"]
            with link.talking(local, 9) as heard:
                wait_until("the call to talk", lambda: link.fates()["relayed"] > before + 100, 10)
                run("ip", "-n", ns, "link", "set", dev, "down")
                wait_until("the alarm", lambda: "port" in link.rpc.call("stat.engine")["alarms"], 4)
                time.sleep(0.5)
                run("ip", "-n", ns, "link", "set", dev, "up")
                wait_until("the alarm to end", lambda: "port" not in link.rpc.call("stat.engine")["alarms"], 4)
            for one in heard:
                expect(one["heard"] > 0.45 * one["sent"] and one["gap"] < 4.5, f"{dev}: sound did not come back: {heard}")
        link.stop()


def test_floods_do_not_disturb_a_call(build):
    """Strangers, rubbish, broken frames and a mad phone at 20,000 packets a second: the call beside them loses nothing."""
    with Engine(build) as link:
        link.engine()
        local = link.call()
        other = link.call("mad", ports=(4100, 4102))
        run("ip", "-n", link.c, "addr", "add", "10.78.0.9/24", "dev", "ppc0")
        for kind, port, fate in (("strangers", local[0], "stranger"), ("rubbish", local[1], "rtp_version"),
                                 ("broken", local[0], "malformed"), ("rtp", other[0], "rate")):
            if kind == "rtp":  # the right source: what the flood sends from
                link.rpc.call("leg.set", leg="mad.0", remote={"ip": "10.78.0.9", "port": 4000})
            before = link.fates()
            with link.talking(local, 4) as heard:
                time.sleep(0.5)
                sent = link.flood("af_packet:ppc0,ip=10.78.0.9/24", kind, "10.78.0.1", port, 20000, 2)
            after = link.fates()
            grown = after[fate] - before[fate]
            print(f"{kind}: {sent} sent, {fate} {grown}, gaps {[round(one['gap'] * 1000) for one in heard]} ms")
            expect(sent > 5000, f"only {sent} were sent")
            expect(grown > sent // 20, f"{kind}: {fate} has grown by {grown} of {sent}: {after}")
            expect_whole(heard)
        link.stop()


test_floods_do_not_disturb_a_call.alone = True


def test_questions_do_not_disturb_a_call(build):
    """ARP and ping floods at an interface of the engine's own: answered up to a bound, and the call beside them loses nothing."""
    with Engine(build) as link:
        no_addresses(link)
        link.engine("raw:pps0,ip=10.78.0.1/24")
        local = link.call()
        run("ip", "-n", link.c, "addr", "add", "10.78.0.9/24", "dev", "ppc0")
        for kind in ("arp", "echo"):
            before = link.fates()
            with link.talking(local, 4) as heard:
                time.sleep(0.5)
                sent = link.flood("af_packet:ppc0,ip=10.78.0.9/24", kind, "10.78.0.1", 20000, 25000, 2)
            after = link.fates()
            print(f"{kind}: {sent} sent, local {after['local'] - before['local']}, rate {after['rate'] - before['rate']}, "
                  f"gaps {[round(one['gap'] * 1000) for one in heard]} ms")
            expect(after["local"] - before["local"] > 1000, f"nobody answers: {after}")
            expect_whole(heard)
        link.stop()


test_questions_do_not_disturb_a_call.alone = True


def test_a_client_that_does_not_read(build):
    """A subscriber that never reads is cut off once 4 MiB wait for it; the call, and the others, do not notice."""
    with Engine(build) as link:
        link.engine()
        local = link.call()
        deaf = Rpc(link.path)
        deaf.call("subscribe")
        with link.talking(local, 6) as heard:
            stop = threading.Event()

            def make_events():
                rpc, n = Rpc(link.path), 0
                while not stop.is_set():
                    rpc.call("call.open", call=f"e{n}")
                    rpc.call("leg.open", call=f"e{n}", leg=f"e{n}.l")
                    rpc.call("call.close", call=f"e{n}")
                    n += 1
            threads = [threading.Thread(target=make_events) for _ in range(2)]
            for thread in threads:
                thread.start()
            for _ in range(40):  # snapshots fill its queue faster than events
                deaf.send_raw(b'{"jsonrpc":"2.0","id":7,"method":"snapshot","params":{}}\n' * 200)
                time.sleep(0.05)
                if link.rpc.call("stat.engine")["socket"]["disconnected"] > 0:
                    break
            cut = link.rpc.call("stat.engine")["socket"]["disconnected"]
            stop.set()
            for thread in threads:
                thread.join()
        expect(cut == 1, "the deaf client is still connected")
        expect_whole(heard)
        link.stop()


def tshark(path, *args):
    return run("tshark", "-r", path, *args).stdout


def test_a_call_is_captured_for_wireshark(build):
    """patchbay capture: tshark finds the four RTP streams of the call, whole, with the engine's numbers behind the rewrite, and no other."""
    with Engine(build) as link:
        link.engine()
        local, beside = link.call(), link.call("beside", ports=(4100, 4102))
        path = f"{link.dir}/call.pcapng"
        with link.talking(local, 6) as heard, link.talking(beside, 6, ports=(4100, 4102)) as others:
            wait_until("both calls to talk", lambda: link.fates()["relayed"] > 60, 10)
            capture = subprocess.Popen(["ip", "netns", "exec", link.s, f"{link.build}/patchbay", "--engine-socket", link.path, "capture",
                                        "--call", "c", "-w", path, "--seconds", "2"], stderr=subprocess.PIPE, text=True)
            wait_until("the capture to run", lambda: os.path.exists(path), 5)
            time.sleep(0.3)
            second = link.cli("capture", "--call", "beside", "--packets", "1", check=False)
            expect(second.returncode == 1 and "one at a time" in second.stderr, f"a second capture: {second}")
            said = capture.communicate(timeout=15)[1]
        expect(capture.returncode == 0 and "packets" in said, said)
        expect_whole(heard)
        expect_whole(others)
        rtp = [f"-dudp.port=={p},rtp" for p in (*local, 4000, 4002)]
        text = tshark(path, *rtp, "-q", "-z", "rtp,streams")
        streams = [line for line in text.splitlines() if "10.78.0.1" in line]
        expect(len(streams) == 4 and text.count("0 (0.0%)") == 4, f"not four whole streams:\n{text}")
        rows = [line.split("\t") for line in tshark(path, *rtp, "-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport", "-e",
                                                    "rtp.ssrc", "-e", "frame.comment").splitlines()]
        ways = {row[3] for row in rows if len(row) > 3}
        expect({"leg c.0, in", "leg c.0, out", "leg c.1, in", "leg c.1, out"} <= ways, f"{ways}")
        expect(not any("4100" in row[:2] or "4102" in row[:2] for row in rows), "packets of another call are in it")
        ssrcs = {row[2] for row in rows if row[2]}
        expect({"0x00001000", "0x00001001"} < ssrcs and len(ssrcs) == 4, f"SSRCs before and after: {ssrcs}")
        # A line each, of one leg.
        with link.talking(local, 2):
            lines = link.cli("capture", "--leg", "c.0", "--packets", "5").stdout.splitlines()
        expect(len(lines) == 5 and all("RTP type 0" in line or "RTCP" in line for line in lines), f"{lines}")
        gone = link.cli("capture", "--call", "none", check=False)
        expect(gone.returncode == 1 and "no call none" in gone.stderr, f"{gone}")
        link.stop()


def telemetry(pid, *commands):
    """Ask DPDK's telemetry socket of this process, as dpdk-telemetry.py does; None when it has none."""
    for path in sorted(glob.glob("/run/dpdk/patchbay/dpdk_telemetry.v2*")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(5)
            try:
                s.connect(path)
            except OSError:
                continue
            hello = json.loads(s.recv(4096))
            if hello["pid"] != pid:
                continue
            answers = [path]
            for command in commands:
                s.send(command.encode())
                answers.append(json.loads(s.recv(hello["max_output_len"])))
            return answers
    return None


def test_telemetry_tells_what_the_engine_does(build):
    """DPDK's telemetry socket has our commands and its own, by its own tool as well; --telemetry no leaves it out; nothing stays behind."""
    with Engine(build) as link:
        link.engine()
        pid = int(run("pgrep", "-P", str(link.process.pid), check=False).stdout.split()[0]) if \
            "patchbay-engine" not in os.readlink(f"/proc/{link.process.pid}/exe") else link.process.pid
        local = link.call()
        with link.talking(local, 2) as heard:
            pass
        expect_whole(heard)
        path, commands, fates, worker, stages, wrong, ethdev, info = telemetry(
            pid, "/", "/patchbay/fates", "/patchbay/worker,0", "/patchbay/stages,0", "/patchbay/worker,9", "/ethdev/list", "/patchbay/info")
        expect("/patchbay/stages" in commands["/"] and "/ethdev/stats" in commands["/"], f"{commands}")
        drops = link.fates()
        expect({k: v for k, v in fates["/patchbay/fates"].items() if v} == {k: v for k, v in drops.items() if v}, f"{fates} and {drops}")
        expect(worker["/patchbay/worker"]["legs"] == 2 and worker["/patchbay/worker"]["received"] > 150, f"{worker}")
        expect(stages["/patchbay/stages"]["rtp_in"]["packets"] > 150, f"{stages}")
        expect(wrong["/patchbay/worker"] is None and len(ethdev["/ethdev/list"]) == 1, f"{wrong} {ethdev}")
        expect(info["/patchbay/info"]["driver"] == "af_xdp", f"{info}")
        tool = shutil.which("dpdk-telemetry.py")
        if tool:
            number = path.rpartition(":")[2] if ":" in path else "0"
            out = subprocess.run([tool, "-f", "patchbay", "-i", number], input="/patchbay/fates\n", stdout=subprocess.PIPE, text=True).stdout
            expect('"relayed"' in out, f"{tool}: {out}")
        top = json.loads(link.cli("top", "--once", "--json").stdout)
        expect(any(stage["stage"] == "rx" for stage in top["workers"][0]["stages"]), f"{top}")
        dot = subprocess.run(["dot", "-Tsvg"], input=link.cli("graph").stdout, stdout=subprocess.PIPE, text=True) if shutil.which("dot") else None
        expect(dot is None or "rtp_in" in dot.stdout, "dot does not like the graph")
        link.stop()
        expect(not os.path.exists(path), "the telemetry socket was left behind")
        link.engine(args=("--telemetry", "no"))
        expect(telemetry(link.process.pid) is None, "there is a telemetry socket all the same")
        link.stop()
