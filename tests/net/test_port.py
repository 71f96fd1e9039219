"""How packets reach the engine: each way in, alone, with an echo program behind it; then with the engine.

        namespace pbp-ID-s                 namespace pbp-ID-c
   +-------------------------+       +-----------------------+
   | port_echo, or engine    | pps0  | phones: 10.78.0.2     |
   |   10.78.0.1, fd78::1    |=======|         fd78::2       |
   +-------------------------+  ppc0 +-----------------------+
"""
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from lab import Failure, run, wait_until

# Sends N packets that look like RTP and prints how many came back, how many were refused by ICMP.
ASK = """
import socket, sys
host, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.3)
s.connect((host, port))
back = refused = 0
for i in range(n):
    packet = bytes([0x80, 0]) + i.to_bytes(2, 'big') + b'x' * 168
    try:
        s.send(packet)
        back += s.recv(2000) == packet
    except ConnectionRefusedError:
        refused += 1
    except TimeoutError:
        pass
print(back, refused)
"""


class Link:
    """Two namespaces and a veth pair; programs on the server's side."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.s, self.c = f"pbp-{os.getpid()}-s", f"pbp-{os.getpid()}-c"
        self.dir = tempfile.mkdtemp(prefix="patchbay-port-")
        self.process = None

    def __enter__(self):
        try:
            for ns in (self.s, self.c):
                run("ip", "netns", "add", ns)
                run("ip", "-n", ns, "link", "set", "lo", "up")
            run("ip", "link", "add", "pps0", "netns", self.s, "type", "veth", "peer", "name", "ppc0", "netns", self.c)
            for ns, dev, host in ((self.s, "pps0", 1), (self.c, "ppc0", 2)):
                run("ip", "-n", ns, "addr", "add", f"10.78.0.{host}/24", "dev", dev)
                run("ip", "-n", ns, "addr", "add", f"fd78::{host}/64", "dev", dev, "nodad")
                run("ip", "-n", ns, "link", "set", dev, "up")
                run("ip", "netns", "exec", ns, "ethtool", "-K", dev, "tx", "off", "rx", "off", check=False)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for ns in (self.s, self.c):
            run("ip", "netns", "del", ns, check=False)
        run("rm", "-rf", self.dir, check=False)

    def start(self, *command, ready):
        self.log = f"{self.dir}/log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.s, *command], stdout=log, stderr=log,
                                            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        wait_until(f"{command[0]} to be ready", lambda: ready in self.text() or self.dead(), 20)

    def echo(self, spec, workers=1):
        self.start(f"{self.build}/tests/port_echo", spec, str(workers), ready="RTP ports 20000-20999")

    def text(self):
        with open(self.log) as log:
            return log.read()

    def dead(self):
        if self.process.poll() is not None:
            raise Failure(f"it ended: {self.text()[-800:]}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        if code != 0:
            raise Failure(f"exit code {code}: {self.text()[-800:]}")

    def ask(self, host, port, n, ns=None):
        out = run("ip", "netns", "exec", ns or self.c, "python3", "-c", ASK, host, str(port), str(n)).stdout
        return tuple(int(word) for word in out.split())

    def cpu_ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])


def expect(condition, text):
    if not condition:
        raise Failure(text)


def expect_echo(link, host, port=20000, ns=None):
    # The packet that makes the neighbour known is not sent back, nor are those right behind it.
    back, refused = link.ask(host, port, 30, ns)
    expect(back >= 28 and refused == 0, f"{host}:{port}: {back} of 30 came back, {refused} were refused")


def expect_shared(link):
    expect_echo(link, "10.78.0.1")
    expect_echo(link, "fd78::1", 20998)
    for port in (5060, 19999, 21000):
        back, refused = link.ask("10.78.0.1", port, 2)
        expect(back == 0 and refused >= 1, f"port {port} is not the kernel's any more: {back} back, {refused} refused")
    run("ip", "netns", "exec", link.c, "ping", "-c", "2", "-i", "0.2", "-W", "1", "10.78.0.1")
    run("ip", "netns", "exec", link.c, "ping", "-c", "2", "-i", "0.2", "-W", "1", "fd78::1")


def expect_idle(link):
    before = link.cpu_ticks()
    time.sleep(4)
    share = (link.cpu_ticks() - before) / os.sysconf("SC_CLK_TCK") / 4
    expect(share < 0.01, f"idle, it takes {share:.1%} of a core")


def has_filter(link):
    return "xdp" in run("ip", "-n", link.s, "link", "show", "pps0").stdout.split("\n")[0]


def test_af_xdp_takes_rtp_and_leaves_the_rest(build):
    """AF_XDP: RTP of both families comes to us; SIP's port, ping and other ports stay with the kernel; idle is cheap."""
    with Link(build) as link:
        link.echo("af_xdp:pps0")
        expect_shared(link)
        expect_idle(link)
        expect(has_filter(link), "no XDP filter is attached")
        link.stop()
        expect(not has_filter(link), "the XDP filter was left behind")


def test_af_xdp_starts_again_after_sigkill(build):
    """The filter of a killed engine is removed and the next one works at once."""
    with Link(build) as link:
        link.echo("af_xdp:pps0")
        link.process.kill()
        link.process.wait()
        expect(has_filter(link), "the kernel has removed the filter by itself: this test shows nothing")
        link.echo("af_xdp:pps0", workers=2)
        expect("removed the XDP filter" in link.text(), "it was not said")
        expect_echo(link, "10.78.0.1")


def test_af_packet_leaves_the_rest_and_icmp_silent(build):
    """AF_PACKET: as AF_XDP; the kernel does not answer RTP with port unreachable; nothing stays behind."""
    with Link(build) as link:
        link.echo("af_packet:pps0", workers=2)
        expect_shared(link)
        expect_idle(link)
        link.stop()
        rest = run("ip", "netns", "exec", link.s, "tc", "qdisc", "show", "dev", "pps0", check=False).stdout
        expect("clsact" not in rest, f"left behind: {rest}")


def test_auto_falls_back_and_says_so(build):
    """A stranger's XDP program is on the interface: AF_PACKET is used instead, said in the log and in stat.engine."""
    with Link(build) as link:
        with open(f"{link.dir}/pass.c", "w") as source:
            source.write('int stranger(void *c) __attribute__((section("xdp"), used));\n'
                         'int stranger(void *c) { return 2; }\n'
                         'char rights[] __attribute__((section("license"), used)) = "GPL";\n')
        run("clang", "-O2", "-g", "-target", "bpf", "-c", f"{link.dir}/pass.c", "-o", f"{link.dir}/pass.o")
        run("ip", "netns", "exec", link.s, "ip", "link", "set", "pps0", "xdp", "obj", f"{link.dir}/pass.o", "sec", "xdp")
        link.echo("auto:pps0")
        expect('"stranger"' in link.text() and "af_packet" in link.text(), f"the log does not say it: {link.text()}")
        expect_shared(link)
        link.stop()
        expect(has_filter(link), "the stranger's program was removed")

        path = f"{link.dir}/engine.sock"
        link.start(f"{link.build}/patchbay-engine", "--port", "auto:pps0", "--socket", path, "--store", "none",
                   "--shm", f"port-{os.getpid()}", "--prompts", link.dir, "--rtp-ports", "20000-20999", ready="is ready on")
        port = ask_engine(path)["ports"][0]
        expect(port["driver"] == "af_packet" and "stranger" in (port.get("fallback") or ""), f"stat.engine: {port}")
        link.stop()


def ask_engine(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        stream = s.makefile("rw")
        for number, (method, params) in enumerate((("hello", {"protocol": 1, "client": "test"}), ("stat.engine", {}))):
            stream.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
        return answer["result"]


def test_tap_answers_for_itself(build):
    """tap: the engine answers ARP and ping for its own address and finds its way back by asking."""
    with Link(build) as link:
        link.echo("tap:pptap0,ip=10.79.0.2/24,gw=10.79.0.1")
        run("ip", "netns", "exec", link.s, "ping", "-c", "2", "-i", "0.2", "-W", "1", "10.79.0.2")
        expect_echo(link, "10.79.0.2", ns=link.s)
        expect_idle(link)
        link.stop()


def test_engine_idles_below_one_percent(build):
    """The whole engine, two workers and the recorder, takes less than 1 % of a core when nothing happens."""
    with Link(build) as link:
        link.start(f"{link.build}/patchbay-engine", "--port", "af_xdp:pps0", "--socket", f"{link.dir}/engine.sock",
                   "--store", f"{link.dir}/store", "--shm", f"port-{os.getpid()}", "--prompts", link.dir, "--workers", "2",
                   ready="is ready on")
        time.sleep(1)
        expect_idle(link)
        link.stop()


def test_the_link_is_watched(build):
    """The peer's end goes down: said in the log at once, and again when it is back."""
    with Link(build) as link:
        link.echo("af_xdp:pps0")
        run("ip", "-n", link.c, "link", "set", "ppc0", "down")
        wait_until("the log to tell of the link", lambda: "link is DOWN" in link.text(), 3)
        run("ip", "-n", link.c, "link", "set", "ppc0", "up")
        wait_until("the log to tell of the link", lambda: "link is up" in link.text(), 3)
        time.sleep(0.5)
        expect_echo(link, "10.78.0.1")
