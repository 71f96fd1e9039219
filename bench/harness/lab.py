"""A veth pair between two namespaces: what is measured in one, the load generator in the other.

Everything made here is removed by close(): processes by their pid, namespaces, shared memory. The
namespaces have names of their own (pb-bench-...), so several of these may exist beside tests.
"""
import ctypes
import glob
import os
import socket
import subprocess
import time
import wave

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
CLONE_NEWNET = 0x40000000
FIRST_PORT, LAST_PORT = 2000, 64999
MUSIC = "control/example/prompts/music/default.wav"


class Failure(Exception):
    """A measurement could not be made; the text becomes its `doubt`."""


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def socket_in(namespace, family, kind):
    """A socket that lives in a namespace; the calling thread returns to its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/var/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise Failure(f"cannot enter namespace {namespace}: {os.strerror(ctypes.get_errno())}")
        try:
            return socket.socket(family, kind)
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


class Lab:
    def __init__(self, directory, cpu, gen_cpu):
        self.dir, self.cpu, self.gen_cpu = directory, cpu, gen_cpu
        self.server, self.client = f"pb-bench-{os.getpid()}-s", f"pb-bench-{os.getpid()}-c"
        self.shm = f"bench-{os.getpid()}"
        self.processes = []

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def up(self):
        os.makedirs(self.dir, exist_ok=True)
        for ns in (self.server, self.client):
            run("ip", "netns", "add", ns)
            run("ip", "-n", ns, "link", "set", "lo", "up")
        run("ip", "link", "add", "eth0", "netns", self.server, "type", "veth", "peer", "name", "eth0", "netns", self.client)
        for ns, address in ((self.server, SERVER), (self.client, CLIENT)):
            run("ip", "-n", ns, "addr", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", ns, "link", "set", "eth0", "up")
            run("ip", "netns", "exec", ns, "ethtool", "-K", "eth0", "tx", "off")
        # The generator's frames come without a socket buffer; with GRO the interface takes them whoever reads.
        run("ip", "netns", "exec", self.server, "ethtool", "-K", "eth0", "gro", "on")
        # What the server sends is received on the generator's CPU: behind a real wire it would not cost the server's.
        run("ip", "netns", "exec", self.client, "sh", "-c", f"echo {1 << self.gen_cpu:x} >/sys/class/net/eth0/queues/rx-0/rps_cpus")
        # Known neighbours: nobody's first packet waits for ARP.
        run("ip", "-n", self.server, "neigh", "replace", CLIENT, "lladdr", self.mac(self.client), "dev", "eth0", "nud", "permanent")
        run("ip", "-n", self.client, "neigh", "replace", SERVER, "lladdr", self.mac(self.server), "dev", "eth0", "nud", "permanent")

    def mac(self, namespace):
        return run("ip", "netns", "exec", namespace, "cat", "/sys/class/net/eth0/address").strip()

    def spawn(self, command, log):
        """Start what is measured, in its namespace, on its CPU, before ordinary programs."""
        out = open(f"{self.dir}/{log}.log", "wb")
        process = subprocess.Popen(["ip", "netns", "exec", self.server, "taskset", "-c", str(self.cpu), "chrt", "--rr", "1", *command],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        process.log = f"{self.dir}/{log}.log"
        self.processes.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def close(self):
        for process in list(self.processes):
            self.stop(process)
        for ns in (self.client, self.server):
            run("ip", "netns", "del", ns, check=False)
        for path in glob.glob(f"/dev/shm/*{self.shm}*"):
            os.unlink(path)


class Ahead:
    """While it lasts, `chrt --rr 1` means: before all ordinary programs, in turns of a millisecond, without pause.

    What is measured and the generator run like this, each on its own CPU, so that neither waits behind a
    stranger; the threads of one server still share their CPU fairly. A kernel with RT_GROUP_SCHED takes such a CPU away
    for 50 ms of every second, needed or not, which ruins any delay: that limit is lifted meanwhile. (Linux 6.12 and later
    also leave ordinary programs 50 ms of each second if they starve: on a busy machine that shows, on a quiet one it
    does not.)"""
    KNOBS = {"/proc/sys/kernel/sched_rr_timeslice_ms": "1", "/proc/sys/kernel/sched_rt_runtime_us": "-1"}

    def __enter__(self):
        self.before = {}
        for knob, value in self.KNOBS.items():
            with open(knob) as f:
                self.before[knob] = f.read()
            self.write(knob, value)

    def __exit__(self, *exc):
        for knob, value in self.before.items():
            self.write(knob, value)

    @staticmethod
    def write(knob, text):
        with open(knob, "w") as f:
            f.write(text)


def ahead(pid):
    """Put every thread of a process before ordinary programs; those that are not a packet worker of ours, which
    have little to do and are waited for, before that one."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as f:
            worker = not f.read().startswith("patchbay") or "worker" in f.read()
        run("chrt", "--rr", "--pid", "1" if worker else "2", task)


def wait_until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)


def long_prompt(directory, build):
    """A folder with one prompt, bench.wav: music for a minute and more, so that no repetition falls into a measurement."""
    os.makedirs(directory, exist_ok=True)
    with wave.open(f"{build}/{MUSIC}") as music, wave.open(f"{directory}/bench.wav", "wb") as out:
        out.setparams(music.getparams())
        frames = music.readframes(music.getnframes())
        for _ in range(1 + 60 * music.getframerate() // music.getnframes()):
            out.writeframes(frames)
    return directory


def last_words(process):
    with open(process.log, errors="replace") as log:
        return log.read()[-400:].strip()
