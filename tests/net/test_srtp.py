"""Encrypted media with baresip's own SRTP: heard at both ends, nothing to hear on the wire, recorded in the clear."""
import os
import signal
import time

import numpy

import lab as labs
import scene
import sound
from lab import Failure, Lab, run, wait_until
from scene import AGENT_HZ, CALLER_HZ


def expect(condition, text):
    if not condition:
        raise Failure(text)


def configured(name, **words):
    """The example's configuration with some words changed, in a file of its own."""
    text = open(f"{labs.TOP}/control/example/patchbay.yaml").read()
    for key, value in words.items():
        old = next(line for line in text.splitlines() if line.strip().startswith(f"{key}:"))
        text = text.replace(old, f"  {key}: {value}")
    path = f"/tmp/patchbay-srtp-{os.getpid()}-{name}.yaml"
    with open(path, "w") as out:
        out.write(text)
    return path


def captured(lab):
    """Start a capture of the media of both namespaces' link."""
    path = f"{lab.dir}/wire.pcap"
    process = lab.spawn(lab.client_ns, ["tcpdump", "-i", "pbc0", "-U", "-w", path, "udp", "and", "not", "port", "5060"], "tcpdump")
    wait_until("tcpdump to listen", lambda: os.path.exists(path), 5)
    return process, path


def payloads(path, first):
    """RTP that one phone sent, told by its range of ports: (payload type, octets after the 12 of the header)."""
    found = []
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at + 16 <= len(data):
        size = int.from_bytes(data[at + 8:at + 12], "little")
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        if frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        udp = frame[34:]
        port, rtp = int.from_bytes(udp[0:2], "big"), udp[8:]
        if first <= port < first + 99 and port % 2 == 0 and len(rtp) > 100 and rtp[0] >> 6 == 2 and rtp[1] & 0x7f in (0, 8):
            found.append((rtp[1] & 0x7f, rtp[12:]))
    return found


def looks_random(rows):
    """Cipher text has some 8 bits an octet; a coded tone has far fewer."""
    octets = numpy.frombuffer(b"".join(r[1] for r in rows), dtype=numpy.uint8)
    share = numpy.bincount(octets, minlength=256) / len(octets)
    share = share[share > 0]
    return float(-(share * numpy.log2(share)).sum()) > 7.9


def a_call(lab, caller_enc, agent_enc, suites):
    agent = scene.agent(lab, 1001, mediaenc=agent_enc)
    caller = scene.caller(lab, mediaenc=caller_enc)
    dump, wire = captured(lab)
    call = scene.talk(lab, caller, agent, keys="1", menu_s=6)
    time.sleep(4)
    legs = {leg["role"]: leg for leg in lab.control("call", call=call)["legs"]}
    expect((legs["customer"]["srtp"], legs["agent"]["srtp"]) == suites, f"encrypted by {[(r, l['srtp']) for r, l in legs.items()]}, not {suites}")
    stats = lab.media("stat.legs")["legs"]
    expect(all(s["srtp"] is None or s["srtp"]["auth_failed"] == 0 for s in stats), f"refused packets: {stats}")
    shown = lab.cli("call", call).stdout
    expect(any(s is None or s in shown for s in suites), f"patchbay call does not say so: {shown}")
    caller.hangup()
    record = scene.record_of(lab, call)
    lab.stop(dump, signal.SIGINT)
    for phone, hz, who in ((caller, AGENT_HZ, "caller"), (agent, CALLER_HZ, "agent")):
        (samples,), rate = sound.read(phone.heard())
        expect(sound.tone_seconds(samples, rate, hz) > 3, f"the {who} did not hear the other")
    (said, heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
    expect(sound.tone_seconds(said, rate, CALLER_HZ) > 6, "the recording does not hold the caller in the clear")
    expect(sound.tone_seconds(heard, rate, AGENT_HZ) > 3, "the recording does not hold the agent in the clear")
    for phone, suite in ((caller, suites[0]), (agent, suites[1])):
        there = payloads(wire, phone.rtp_first)
        expect(len(there) > 100, f"only {len(there)} packets of {phone.user} on the wire")
        expect(looks_random(there) == (suite is not None), f"{phone.user} says {suite}, but the wire says otherwise")
    expect(not lab.tail(lab.engine.log, 1000).count("inline:") and not lab.tail(lab.daemon.log, 1000).count("inline:"), "a key in a log")
    scene.fates_add_up(lab)


def test_both_encrypted(build):
    """RTP/SAVP at both legs, by the bursts of the engine."""
    path = configured("both", srtp="required", srtp_without_tls="true")
    with Lab(build, config=path) as lab:
        a_call(lab, "srtp-mand", "srtp-mand", ("AES_CM_128_HMAC_SHA1_80",) * 2)
    os.unlink(path)


def test_one_encrypted_by_the_library(build):
    """`optional`: a phone that can is encrypted, one that cannot is not; libsrtp2 in the engine."""
    path = configured("one", srtp="optional", srtp_without_tls="true")
    with Lab(build, config=path, engine_args=["--srtp", "library"]) as lab:
        a_call(lab, "srtp", None, ("AES_CM_128_HMAC_SHA1_80", None))
    os.unlink(path)
