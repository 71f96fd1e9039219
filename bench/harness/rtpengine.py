"""rtpengine in user space as a server under measurement, driven through its ng protocol.

Its kernel module, the production fast path for relay and SRTP, is not used: a virtual machine's guest
kernel without module support cannot load it, and it would make another comparison (METHOD.md).
"""
import base64
import os
import re
import shutil
import socket

from . import lab as labs
from .engine import phone
from .lab import CLIENT, FIRST_PORT, LAST_PORT, SERVER, Failure, wait_until

NG_PORT = 1222
RTPMAP = {"PCMU": "0 PCMU/8000", "PCMA": "8 PCMA/8000", "opus": "96 opus/48000/2"}


def bencode(value):
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(k) + bencode(v) for k, v in value.items()) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    data = value if isinstance(value, bytes) else value.encode()
    return b"%d:%s" % (len(data), data)


def bdecode(data, at=0):
    """(value, where it ends)"""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            value, at = bdecode(data, at)
            items.append(value)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2]))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end].decode(errors="replace"), end


def available():
    return shutil.which("rtpengine") is not None


def version():
    found = re.search(r"[\d.]{5,}", labs.run("rtpengine", "--version", check=False))
    return found.group(0) if found else labs.run("dpkg-query", "-W", "-f", "${Version}", "rtpengine-daemon", check=False)


class Ng:
    """One request after the other over UDP."""

    def __init__(self, namespace):
        self.socket = labs.socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(3)
        self.serial = 0

    def call(self, command, **fields):
        self.serial += 1
        cookie = b"b%d " % self.serial
        message = {"command": command, **{k.replace("_", "-"): v for k, v in fields.items()}}
        self.socket.sendto(cookie + bencode(message), ("127.0.0.1", NG_PORT))
        while True:
            data = self.socket.recv(65536)
            if data.startswith(cookie):
                break
        reply = bdecode(data[len(cookie):])[0]
        if reply.get("result") not in ("ok", "pong"):
            raise Failure(f"rtpengine: {command}: {reply.get('error-reason', reply)}")
        return reply


def sdp(port, codecs=("0 PCMU/8000",), crypto=None):
    """An offer or answer of a telephone at the generator's address."""
    payload_types = " ".join(c.split()[0] for c in codecs)
    lines = ["v=0", f"o=- 1 1 IN IP4 {CLIENT}", "s=-", f"c=IN IP4 {CLIENT}", "t=0 0",
             f"m=audio {port} RTP/{'S' if crypto else ''}AVP {payload_types}", *[f"a=rtpmap:{c}" for c in codecs]]
    if crypto:
        lines.append(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(crypto).decode()}")
    return "\r\n".join(lines + ["a=sendrecv", "a=ptime:20", ""])


def payload_type(text, codec, mapping):
    """The rtpmap of what was offered, when its payload type is dynamic."""
    found = re.search(rf"a=rtpmap:(\d+ {codec}/[^\r\n]+)", text, re.I)
    return found.group(1) if found else mapping


def media_port(text):
    return int(re.search(r"m=audio (\d+)", text).group(1))


def crypto_key(text):
    return base64.b64decode(re.search(r"a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:([^|\r\n ]+)", text).group(1))


class Rtpengine:
    name = "rtpengine"

    def __init__(self, lab, record=False, build=None):
        self.lab, self.serial, self.calls = lab, 0, []
        self.sound = f"{labs.long_prompt(f'{lab.dir}/prompts', build)}/bench.wav" if build else None
        command = ["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", f"--interface={SERVER}",
                   f"--listen-ng=127.0.0.1:{NG_PORT}", f"--port-min={FIRST_PORT}", f"--port-max={LAST_PORT}", "--num-threads=1",
                   "--endpoint-learning=off", "--delete-delay=0", "--timeout=600", f"--pidfile={lab.dir}/rtpengine.pid"]
        if record:
            os.makedirs(f"{lab.dir}/pcap", exist_ok=True)
            command += [f"--recording-dir={lab.dir}/pcap", "--recording-method=pcap", "--recording-format=eth"]
        self.process = lab.spawn(command, "rtpengine")
        self.ng = Ng(lab.server)

        def answers():
            if self.process.poll() is not None:
                raise Failure("rtpengine ended: " + labs.last_words(self.process))
            try:
                return self.ng.call("ping")
            except OSError:
                return False
        wait_until("rtpengine to answer", answers)

    def open(self, calls, record=False, srtp=False, codecs=None, press=0, play=False):
        """As Engine.open()."""
        self.close_calls()
        self.serial += 1
        lines = []
        codecs = codecs or ("PCMU", "PCMU")
        for c in range(calls):
            call = {"call_id": f"b{self.serial}-{c}", "from_tag": "a"}
            ports = FIRST_PORT + 4 * c, FIRST_PORT + 4 * c + 2
            keys = (os.urandom(30), os.urandom(30)) if srtp else (None, None)
            offers = [[RTPMAP[codec]] + (["101 telephone-event/8000"] if press else []) for codec in codecs]
            replace = {"replace": ["origin"], "ICE": "remove", "rtcp_mux": ["demux"],
                       **({"transport_protocol": "RTP/SAVP", "DTLS": "off"} if srtp else {}),
                       **({"record_call": "yes"} if record else {})}
            transcode = {"codec": {"transcode": [codecs[1]], "mask": [codecs[0]]}} if codecs[0] != codecs[1] else {}
            offered = self.ng.call("offer", sdp=sdp(ports[0], offers[0], keys[0]), **call, **replace, **transcode)["sdp"]
            offers[1][0] = payload_type(offered, codecs[1], offers[1][0])
            answered = self.ng.call("answer", sdp=sdp(ports[1], offers[1], keys[1]), to_tag="b", **call, **replace)["sdp"]
            self.calls.append(call)
            if play:
                self.ng.call("play media", file=self.sound, repeat_times=1000, **call)
            # The answer that goes to A names where A sends to; the offer that went to B, where B does.
            for side, text in ((0, answered), (1, offered))[:1 if play else 2]:
                pair = (keys[side], crypto_key(text)) if srtp else None
                lines.append(phone(ports[side], SERVER, media_port(text), len(lines), codecs[side], codecs[0] == codecs[1] and not play, pair, press,
                                   talks=not play))
        return lines

    def close_calls(self):
        for call in self.calls:
            try:
                self.ng.call("delete", **call)
            except OSError:
                raise Failure("rtpengine does not answer any more") from None
        self.calls = []

    def counts(self):
        return {"frames_lost": 0}

    def can(self, scene):
        return True

    def pids(self):
        return [self.process.pid]

    def stop(self):
        self.lab.stop(self.process)
