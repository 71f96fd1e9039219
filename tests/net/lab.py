"""A laboratory: Patchbay in one network namespace, phones in another, a veth pair between them.

        namespace pb-ID-s                          namespace pb-ID-c
   +------------------------+               +---------------------------------+
   | patchbay-engine        |               | baresip 1001 at 10.77.0.51      |
   | patchbayd              | pbs0     pbc0 | baresip 1002 at 10.77.0.52      |
   |   10.77.0.1, fd77::1   |===============| caller       at 10.77.0.53      |
   +------------------------+               | sipp, supervisors ...           |
                                            +---------------------------------+

Everything that the laboratory makes it also removes: processes by their pid, namespaces, files in
/dev/shm, its directory. Traffic never leaves the two namespaces.
"""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SERVER, SERVER6 = "10.77.0.1", "fd77::1"


class Failure(Exception):
    """Something a test expected did not happen."""


class Skip(Exception):
    """A test that cannot be made here, and why."""


def wait_until(what, condition, timeout_s=10.0, every_s=0.1):
    """Poll until condition() is true and return its value; Failure names what was waited for."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(every_s)


def run(*command, check=True, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done


def sweep():
    """Remove what laboratories left behind whose process was killed: their processes (by pid), namespaces
    and shared memory. Those of living processes are let be."""
    for name in sorted(os.listdir("/var/run/netns")) if os.path.isdir("/var/run/netns") else []:
        found = re.fullmatch(r"pb-(?:demo)?(\d+)-[cs]", name)
        if not found or os.path.exists(f"/proc/{found.group(1)}"):
            continue
        for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run("ip", "netns", "del", name, check=False)
        ident = name.split("-")[1]
        for path in glob.glob(f"/dev/shm/*lab-{ident}.*"):
            os.unlink(path)
        for path in glob.glob(f"{tempfile.gettempdir()}/patchbay-{ident}-*"):
            shutil.rmtree(path, ignore_errors=True)


class Lab:
    def __init__(self, build, ident=None, workers=1, port="auto", config=None, keep=False, flow=None, server_env=None,
                 store=None, engine_args=(), daemon_args=()):
        self.build = os.path.abspath(build)
        self.ident = ident or f"{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix=f"patchbay-{self.ident}-")
        self.server_ns, self.client_ns = f"pb-{self.ident}-s", f"pb-{self.ident}-c"
        self.workers, self.port, self.keep = workers, port, keep
        self.config, self.flow = config, flow
        self.shm = f"lab-{self.ident}"
        self.store = store or f"{self.dir}/recordings"
        self.engine_args, self.daemon_args = list(engine_args), list(daemon_args)
        self.server_env = server_env or {}
        self.processes = []
        self.phones = []
        self.engine = self.daemon = None
        self.prompts = f"{self.build}/control/example/prompts"
        self.next_host = 50
        self.clients = {}

    # Life.

    def __enter__(self):
        try:
            self.network_up()
            self.start_engine()
            self.start_daemon()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        if exc[0] is not None and issubclass(exc[0], Exception):
            self.print_logs()
        self.close()

    def network_up(self):
        sweep()
        ip = lambda *a: run("ip", *a)
        for ns in (self.server_ns, self.client_ns):
            ip("netns", "add", ns)
            ip("-n", ns, "link", "set", "lo", "up")
        ip("link", "add", "pbs0", "netns", self.server_ns, "type", "veth", "peer", "name", "pbc0", "netns", self.client_ns)
        for ns, name, addr, addr6 in ((self.server_ns, "pbs0", f"{SERVER}/24", f"{SERVER6}/64"),
                                      (self.client_ns, "pbc0", "10.77.0.2/24", "fd77::2/64")):
            ip("-n", ns, "addr", "add", addr, "dev", name)
            ip("-n", ns, "addr", "add", addr6, "dev", name, "nodad")
            ip("-n", ns, "link", "set", name, "up")
            # A veth hands over packets whose checksum nobody has computed yet; phones elsewhere do not.
            run("ip", "netns", "exec", ns, "ethtool", "-K", name, "tx", "off", check=False)
        wait_until("the link between the namespaces", lambda: run(
            "ip", "netns", "exec", self.client_ns, "ping", "-c", "1", "-W", "1", SERVER, check=False).returncode == 0)

    def address(self, host, ip6=False):
        """Give the clients' namespace the address 10.77.0.HOST, or fd77::HOST, and return it."""
        address = f"fd77::{host}" if ip6 else f"10.77.0.{host}"
        run("ip", "-n", self.client_ns, "addr", "add", f"{address}/{64 if ip6 else 24}", "dev", "pbc0", *(["nodad"] if ip6 else []), check=False)
        return address

    def spawn(self, ns, command, log, **kwargs):
        out = open(f"{self.dir}/{log}.log", "ab")
        process = subprocess.Popen(["ip", "netns", "exec", ns, *command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True, **kwargs)  # Ctrl-C is ours to pass on
        process.log = f"{self.dir}/{log}.log"
        process.title = log
        self.processes.append(process)
        return process

    @property
    def engine_socket(self):
        return f"{self.dir}/engine.sock"

    @property
    def control_socket(self):
        return f"{self.dir}/control.sock"

    def start_engine(self, wait=True):
        os.makedirs(self.store, exist_ok=True)
        self.engine = self.spawn(self.server_ns, [
            f"{self.build}/patchbay-engine", "--socket", self.engine_socket, "--port", f"{self.port}:pbs0",
            "--workers", str(self.workers), "--store", self.store, "--prompts", self.prompts,
            "--shm", self.shm, *self.engine_args], "engine", env={**os.environ, **self.server_env})
        if wait:
            wait_until("the engine's socket to answer", lambda: self.alive(self.engine) and self.answers(self.engine_socket), 30)

    def start_daemon(self, wait=True):
        command = [f"{self.build}/patchbayd", "--engine", self.engine_socket, "--socket", self.control_socket,
                   "--database", f"{self.dir}/patchbay.db", "--listen", f"udp:{SERVER}:5060,tcp:{SERVER}:5060,udp:[{SERVER6}]:5060"]
        if self.config:
            command += ["--config", self.config]
        if self.flow:
            command += ["--flow", self.flow]
        self.daemon = self.spawn(self.server_ns, command + self.daemon_args, "patchbayd",
                                 env={**os.environ, **self.server_env})
        if wait:
            wait_until("patchbayd to be healthy", lambda: self.alive(self.daemon) and
                       self.answers(self.control_socket) and self.control("status")["healthy"], 30)

    def alive(self, process):
        if process.poll() is not None:
            raise Failure(f"{process.title} ended with code {process.returncode}; its last words:\n" +
                          self.tail(process.log))
        return True

    def tail(self, path, lines=25):
        try:
            with open(path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def print_logs(self):
        for name in ("engine", "patchbayd"):
            print(f"--- {name}.log\n{self.tail(f'{self.dir}/{name}.log', 40)}")

    def restart_clients(self):
        """Forget connections to sockets whose server has gone."""
        self.clients.clear()

    def stop(self, process, how=signal.SIGTERM, timeout_s=10):
        """Stop one process of ours by its pid and return its exit code."""
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)
        return process.returncode

    def close(self):
        for phone in list(self.phones):
            phone.close()
        for process in reversed(list(self.processes)):
            self.stop(process)
        for ns in (self.client_ns, self.server_ns):
            run("ip", "netns", "del", ns, check=False)
        for path in glob.glob(f"/dev/shm/*{self.shm}*"):
            os.unlink(path)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    # The sockets, as a program uses them.

    def answers(self, path):
        try:
            self.client(path).call("ping")
            return True
        except (OSError, Failure):
            self.clients.pop(path, None)
            return False

    def client(self, path):
        if path not in self.clients:
            self.clients[path] = Rpc(path)
        return self.clients[path]

    def control(self, method, **params):
        """A request to patchbayd; its result, or Failure with the error."""
        return self.client(self.control_socket).call(method, **params)

    def media(self, method, **params):
        """A request to the engine."""
        return self.client(self.engine_socket).call(method, **params)

    # The command line, as an operator types it.

    def cli_command(self, *words):
        return ["ip", "netns", "exec", self.server_ns, f"{self.build}/patchbay", "--socket", self.control_socket,
                "--engine-socket", self.engine_socket, "--store", self.store, *words]

    def cli(self, *words, check=True):
        return run(*self.cli_command(*words), check=check, timeout=60)

    def ask(self, *words):
        """A command with --json, its answer parsed."""
        return json.loads(self.cli(*words, "--json").stdout)

    def phone(self, user, **kwargs):
        phone = Phone(self, user, **kwargs)
        self.phones.append(phone)
        return phone


class Rpc:
    """A raw client of a JSON-RPC socket, for requests that the CLI would never send."""

    def __init__(self, path, hello=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.pending = b""
        self.next_id = 0
        if hello:
            self.call("hello", protocol=1, client="test")

    def send_raw(self, data):
        self.socket.sendall(data)

    def line(self):
        while b"\n" not in self.pending:
            data = self.socket.recv(1 << 16)
            if not data:
                raise Failure("the server closed the connection")
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def request(self, method, **params):
        """The whole reply object, error or result; events that come between are dropped."""
        self.next_id += 1
        self.send_raw(json.dumps({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}).encode() + b"\n")
        while True:
            reply = self.line()
            if reply.get("id") == self.next_id:
                return reply

    def call(self, method, **params):
        reply = self.request(method, **params)
        if "error" in reply:
            raise Failure(f"{method}: {reply['error']}")
        return reply["result"]

    def close(self):
        self.socket.close()


class Phone:
    """A baresip in the clients' namespace, driven over its control socket.

    It sends `sound` (a WAV at 8 kHz) and writes what it hears to heard(). Each phone has an address of its
    own, so that an operator reads who is who from a capture.
    """

    def __init__(self, lab, user, sound=None, password=None, register=True, answer="manual", codec="PCMU",
                 transport="udp", dtmf="rtpevent", mediaenc=None, ip6=False):
        self.lab, self.user = lab, str(user)
        lab.next_host += 1
        self.ip = lab.address(lab.next_host, ip6)
        self.host = f"[{self.ip}]" if ip6 else self.ip
        self.server = f"[{SERVER6}]" if ip6 else SERVER
        self.rtp_first = 30000 + 100 * (lab.next_host - 50)  # a range of its own: its RTP is told apart by port
        self.dir = f"{lab.dir}/phone-{self.user}-{lab.next_host}"
        os.makedirs(self.dir)
        self.events, self.changed = [], threading.Condition()
        self.process = self.socket = None
        account = f"<sip:{self.user}@{self.server};transport={transport}>;audio_codecs={codec};answermode={answer};" \
                  f"dtmfmode={dtmf};regint={'600' if register else '0'}"
        if mediaenc is not None:
            account += f";mediaenc={mediaenc}"
        if password is not None:
            account += f";auth_user={self.user};auth_pass={password}"
        sound = sound or silence(lab)
        files = {
            "accounts": account + "\n",
            "contacts": "",
            "config": "\n".join([
                "poll_method epoll", f"sip_listen {self.host}:5060", f"audio_source aufile,{sound}",
                f"audio_player aufile,{self.dir}/player.wav", "audio_alert none", "audio_level no",
                "ausrc_srate 8000", "auplay_srate 8000", "ausrc_channels 1", "auplay_channels 1", "audio_txmode thread", "audio_buffer 20-160",
                f"rtp_ports {self.rtp_first}-{self.rtp_first + 98}", "rtp_stats yes", "net_interface " + self.ip,
                "module_path /usr/lib/baresip/modules", "module stdio.so", "module g711.so", "module g722.so", "module opus.so", "module aufile.so",
                "module srtp.so", "module sndfile.so", "module_tmp account.so", "module_app menu.so", "module ctrl_tcp.so",
                f"ctrl_tcp_listen {self.host}:4444", *(["net_af ipv6", "net_prefer_ipv6 yes"] if ip6 else []), f"snd_path {self.dir}", ""]),
        }
        for name, text in files.items():
            with open(f"{self.dir}/{name}", "w") as out:
                out.write(text)
        self.process = lab.spawn(lab.client_ns, ["baresip", "-f", self.dir], f"phone-{self.user}-{lab.next_host}")
        self.connect()
        if register:
            wait_until(f"phone {self.user} to be registered", self.registered, 10)

    def registered(self):
        rows = self.lab.control("agents")["agents"]
        return any(r["agent"] == self.user and r["registered"] and self.ip in (r["contact"] or "") for r in rows)

    def connect(self):
        """Open the control connection from inside the namespace."""
        def attempt():
            self.lab.alive(self.process)
            try:
                return connect_in(self.lab.client_ns, self.ip, 4444)
            except OSError:
                return None
        self.socket = wait_until(f"baresip {self.user} to start", attempt, 15)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        pending, connection = b"", self.socket
        while True:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                return
            pending += data
            while b":" in pending:
                size, rest = pending.split(b":", 1)
                if len(rest) < int(size) + 1:
                    break
                message, pending = json.loads(rest[:int(size)]), rest[int(size) + 1:]
                with self.changed:
                    message["at"] = time.time()
                    self.events.append(message)
                    self.changed.notify_all()

    def command(self, name, params=""):
        text = json.dumps({"command": name, "params": params, "token": "t"}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))

    def seen(self, kind, since=0):
        return [e for e in self.events[since:] if e.get("type") == kind]

    def expect(self, kind, timeout_s=10, since=0):
        """Wait for an event of baresip, e.g. CALL_ESTABLISHED; returns it."""
        end = time.monotonic() + timeout_s
        with self.changed:
            while not self.seen(kind, since):
                left = end - time.monotonic()
                if left <= 0:
                    raise Failure(f"phone {self.user}: no {kind} within {timeout_s} s; saw "
                                  f"{[e.get('type') for e in self.events if e.get('event')]}")
                self.changed.wait(left)
            return self.seen(kind, since)[-1]

    def mark(self):
        return len(self.events)

    def dial(self, number, timeout_s=10):
        since = self.mark()
        self.command("dial", f"sip:{number}@{self.server}")
        return self.expect("CALL_ESTABLISHED", timeout_s, since)

    def press(self, digits, gap_s=0.35):
        """Press keys; baresip sends each as telephone-event for about 0.1 s."""
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(gap_s)

    def accept(self):
        since = self.mark()
        self.command("accept")
        return self.expect("CALL_ESTABLISHED", 10, since)

    def hangup(self):
        self.command("hangup")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def transfer(self, number):
        self.command("transfer", f"sip:{number}@{self.server}")

    def heard(self):
        """The newest WAV of what this phone heard, or None."""
        files = sorted(glob.glob(f"{self.dir}/dump-*-dec.wav"), key=os.path.getmtime)
        return files[-1] if files else None

    def close(self):
        if self.socket:
            try:
                self.command("quit")
            except OSError:
                pass
            self.socket.close()
            self.socket = None
        if self.process:
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                pass
            self.lab.stop(self.process, timeout_s=3)
        if self in self.lab.phones:
            self.lab.phones.remove(self)


def connect_in(ns, ip, port):
    """A TCP connection made inside a network namespace; the calling thread returns to its own."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/var/run/netns/{ns}") as there:
        if libc.setns(there.fileno(), 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            made = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
            made.settimeout(2)
            made.connect((ip, port))
            made.settimeout(None)
            return made
        finally:
            libc.setns(home.fileno(), 0x40000000)


def tone(lab, hz, seconds=120, name=None):
    """A WAV of a steady tone, made once for a laboratory."""
    path = f"{lab.dir}/{name or f'tone-{hz}'}.wav"
    if not os.path.exists(path):
        run("sox", "-q", "-n", "-r", "8000", "-c", "1", "-b", "16", path, "synth", str(seconds), "sine", str(hz), "vol", "0.4")
    return path


def silence(lab, seconds=120):
    path = f"{lab.dir}/silence.wav"
    if not os.path.exists(path):
        run("sox", "-q", "-n", "-r", "8000", "-c", "1", "-b", "16", path, "trim", "0", str(seconds))
    return path
