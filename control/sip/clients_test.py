#!/usr/bin/env python3
"""The SIP stack against clients that we did not write: sipp and baresip, all on loopback.

    clients_test.py SIP_BOARD

sip_board.c says what each dialled number does. Without sipp or baresip their stories are skipped by
name. The last line is `N passed, N failed`.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIOS = os.path.join(HERE, "clients")


class Failure(Exception):
    """Something a story expected did not happen."""


def free_port(ip="127.0.0.1"):
    """A port that is free for both UDP and TCP just now."""
    for _ in range(50):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((ip, 0))
            try:
                udp.bind((ip, tcp.getsockname()[1]))
            except OSError:
                continue
            return tcp.getsockname()[1]
    raise Failure("no free port")


class Board:
    """One sip_board and what it printed."""

    def __init__(self, program, directory):
        self.port = free_port()
        self.path = os.path.join(directory, "board.log")
        self.out = open(self.path, "wb")
        self.err = open(os.path.join(directory, "board.err"), "wb")
        self.process = subprocess.Popen([program, str(self.port), "300"], stdout=self.out, stderr=self.err)
        time.sleep(0.3)

    def lines(self):
        with open(self.path, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()

    def expect(self, text, count=1, timeout_s=5):
        """Wait until `count` lines hold `text`."""
        end = time.monotonic() + timeout_s
        while True:
            seen = [line for line in self.lines() if text in line]
            if len(seen) >= count:
                return seen
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failure(f"the board printed \"{text}\" {len(seen)} times, not {count}; it said\n  " +
                              "\n  ".join(self.lines()[-15:]))
            time.sleep(0.05)

    def end(self):
        """Stop it; the counters of its last line as a dictionary."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.out.close()
        self.err.close()
        last = [line for line in self.lines() if line.startswith("end ")]
        if code != 0 or not last:
            raise Failure(f"the board ended with {code}")
        return {k: int(v) for k, v in (word.split("=") for word in last[-1].split()[1:])}


def sipp(board, *arguments, timeout_s=60):
    command = ["sipp", f"127.0.0.1:{board.port}", "-i", "127.0.0.1", "-nostdin", "-timeout", str(timeout_s),
               *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=timeout_s + 20, cwd=os.path.dirname(board.path))
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.returncode}\n" +
                      done.stdout.decode(errors="replace")[-1500:])


def users_file(board, wrong=False):
    path = os.path.join(os.path.dirname(board.path), "users.csv")
    with open(path, "w", encoding="ascii") as out:
        out.write("SEQUENTIAL\n")
        for user in range(1001, 1011):
            out.write(f"{user};[authentication username={user} password={'x' if wrong else 'pw'}-{user}]\n")
    return path


class Phone:
    """A baresip on an address of its own, driven over its control socket."""

    def __init__(self, board, user, number, transport="udp", answer="manual"):
        self.user, self.events, self.pending = user, [], b""
        directory = os.path.join(os.path.dirname(board.path), f"phone-{user}-{number}")
        ip = f"127.0.3.{number}"
        control = free_port(ip)
        os.makedirs(directory)
        files = {
            "accounts": f"<sip:{user}@pb.test;transport={transport}>;auth_user={user};auth_pass=pw-{user};"
                        f"outbound=\"sip:127.0.0.1:{board.port};transport={transport}\";regint=60;"
                        f"answermode={answer};audio_codecs=PCMU\n",
            "contacts": "",
            "config": "\n".join([
                "poll_method epoll", f"sip_listen {ip}:{free_port(ip)}", f"net_interface {ip}",
                f"audio_source aufile,{directory}/silence.wav", f"audio_player aufile,{directory}/heard.wav", "audio_alert none",
                "module_path /usr/lib/baresip/modules", "module g711.so", "module aufile.so",
                "module_tmp account.so", "module_app menu.so", "module ctrl_tcp.so",
                f"ctrl_tcp_listen {ip}:{control}", ""]),
        }
        for name, text in files.items():
            with open(os.path.join(directory, name), "w", encoding="ascii") as out:
                out.write(text)
        with wave.open(os.path.join(directory, "silence.wav"), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            out.writeframes(bytes(16000 * 60))
        self.log = open(os.path.join(directory, "log"), "wb")
        self.process = subprocess.Popen(["baresip", "-f", directory], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        end = time.monotonic() + 10
        while True:
            try:
                self.socket = socket.create_connection((ip, control), 0.5)
                break
            except OSError as error:
                if time.monotonic() > end:
                    raise Failure(f"baresip {user} does not start") from error
                time.sleep(0.1)

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))

    def read(self, timeout_s):
        self.socket.settimeout(timeout_s)
        try:
            self.pending += self.socket.recv(65536)
        except TimeoutError:
            return
        while b":" in self.pending:
            size, rest = self.pending.split(b":", 1)
            if len(rest) < int(size) + 1:
                return
            message, self.pending = json.loads(rest[:int(size)]), rest[int(size) + 1:]
            if message.get("event"):
                self.events.append(message)

    def expect(self, kind, timeout_s=8):
        """Wait for the next event of this kind; it and all before it are taken."""
        end = time.monotonic() + timeout_s
        while True:
            for i, event in enumerate(self.events):
                if event.get("type") == kind:
                    del self.events[:i + 1]
                    return event
            if time.monotonic() > end:
                raise Failure(f"phone {self.user}: no {kind}; saw {[e.get('type') for e in self.events]}")
            self.read(0.1)

    def close(self):
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


def sipp_calls(board):
    """calls answered at once, after ringing, with early media, and over TCP"""
    for number in ("100", "101", "103"):
        sipp(board, "-sn", "uac", "-s", number, "-m", "5", "-r", "5", "-d", "200")
    sipp(board, "-sn", "uac", "-s", "101", "-m", "5", "-r", "5", "-d", "200", "-t", "t1")
    return {"calls_in": 20}


def sipp_cancels(board):
    """a caller gives up while it rings"""
    sipp(board, "-sf", f"{SCENARIOS}/cancel.xml", "-s", "104", "-m", "5", "-r", "5")
    board.expect("closed by peer in from=impatient to=104 status=487", 5)
    return {"calls_in": 5}


def sipp_is_held(board):
    """we hold a caller by re-INVITE and take it back"""
    sipp(board, "-sf", f"{SCENARIOS}/held.xml", "-s", "106", "-m", "3", "-r", "3")
    return {"calls_in": 3}


def sipp_burst(board):
    """200 calls a second for five seconds"""
    sipp(board, "-sn", "uac", "-s", "100", "-m", "1000", "-r", "200", "-d", "300", "-l", "1000")
    return {"calls_in": 1000, "overload": 0}


def sipp_registers(board):
    """a thousand registrations a second, over UDP; and a few over TCP"""
    users = users_file(board)
    sipp(board, "-sf", f"{SCENARIOS}/register.xml", "-inf", users, "-m", "5000", "-r", "1000", "-l", "5000")
    sipp(board, "-sf", f"{SCENARIOS}/register.xml", "-inf", users, "-m", "10", "-r", "10", "-t", "t1")
    board.expect("registered 1010 tcp")
    return {"registers": 5010}


def sipp_guesses(board):
    """wrong passwords are refused while calls go on"""
    users = users_file(board, wrong=True)
    try:
        sipp(board, "-sf", f"{SCENARIOS}/register.xml", "-inf", users, "-m", "500", "-r", "500")
        raise Failure("a wrong password was accepted")
    except Failure as failure:
        if "accepted" in str(failure):
            raise
    sipp(board, "-sn", "uac", "-s", "100", "-m", "5", "-r", "5", "-d", "200")
    return {"registers": 0, "calls_in": 5}


def baresip_calls_baresip(board, transports=("udp", "tcp")):
    """two phones register, call each other through the board, hold, resume and hang up"""
    phones = [Phone(board, 1001, 1, transports[0]), Phone(board, 1002, 2, transports[1], "auto")]
    try:
        board.expect("registered 1001 udp")
        board.expect("registered 1002 tcp")
        phones[0].command("dial", "sip:1002@pb.test")
        phones[0].expect("CALL_ESTABLISHED")
        phones[1].expect("CALL_ESTABLISHED")
        board.expect("incoming from=1001 to=1002 auth=1001 offer=1")
        phones[0].command("hold")
        board.expect("media recvonly held=1 by_peer=1")
        phones[0].command("resume")
        board.expect("media sendrecv held=0 by_peer=1")
        phones[1].command("hangup")
        phones[0].expect("CALL_CLOSED")
        board.expect("closed by peer out from=1001 to=1002")

        # Nobody picks up: the caller gives up, the other phone stops ringing.
        phones[0].command("dial", "sip:104@pb.test")
        phones[0].expect("CALL_RINGING")
        phones[0].command("hangup")
        board.expect("closed by peer in from=1001 to=104 status=487")
        time.sleep(0.3)
        phones[0].read(0.1)
        phones[0].events.clear()

        phones[0].command("dial", "sip:102@pb.test")
        if "486" not in phones[0].expect("CALL_CLOSED").get("param", ""):
            raise Failure("a busy number was not told as such")

        # A blind transfer asked for by the phone.
        phones[0].command("dial", "sip:100@pb.test")
        phones[0].expect("CALL_ESTABLISHED")
        phones[0].command("transfer", "sip:1005@pb.test")
        board.expect("refer to=1005 attended=0")
        board.expect("closed by peer in from=1001 to=100")
    finally:
        for phone in phones:
            phone.close()
    board.expect("unregistered 1001")
    return {"now": 0}


STORIES = [(sipp_calls, "sipp"), (sipp_cancels, "sipp"), (sipp_is_held, "sipp"), (sipp_burst, "sipp"),
           (sipp_registers, "sipp"), (sipp_guesses, "sipp"), (baresip_calls_baresip, "baresip")]


def tell(program, story):
    """Run one story on a board of its own; afterwards nothing may be left on it."""
    with tempfile.TemporaryDirectory(prefix="sip-clients-") as directory:
        board = Board(program, directory)
        try:
            want = {"now": 0, "dialogs": 0, **story(board)}
            time.sleep(0.3)
            got = board.end()
            for name, value in want.items():
                if got[name] != value:
                    raise Failure(f"{name} is {got[name]}, expected {value}")
        finally:
            if board.process.poll() is None:
                board.process.kill()


def main():
    passed = failed = 0
    only = sys.argv[2:]
    for story, client in STORIES:
        if only and story.__name__ not in only:
            continue
        if shutil.which(client) is None:
            print(f"skip {story.__name__}: needs {client}")
            continue
        try:
            tell(sys.argv[1], story)
            print(f"ok   {story.__name__}: {story.__doc__}", flush=True)
            passed += 1
        except Failure as failure:
            print(f"FAIL {story.__name__}: {failure}", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
