"""Strangers, liars and broken things: each is counted or refused by name, and nothing else suffers."""
import json
import os
import random
import re
import socket
import struct
import time

import lab as labs
import scene
import sound
from lab import SERVER, Failure, Lab, wait_until
from scene import AGENT_HZ
from test_call import expect, heard_seconds


def in_namespace(lab, family=socket.SOCK_DGRAM):
    """A socket made in the clients' namespace."""
    made = {}
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/var/run/netns/{lab.client_ns}") as there:
        libc.setns(there.fileno(), 0x40000000)
        try:
            return socket.socket(socket.AF_INET, family)
        finally:
            libc.setns(home.fileno(), 0x40000000)


def fate(lab, name):
    return next(f["count"] for f in lab.media("stat.drops")["fates"] if f["name"] == name)


def test_rtp_from_a_stranger_and_rubbish(build):
    """Injected and malformed RTP at open ports is counted by reason; the call does not hear it."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(1)
        ports = [int(leg["local"]["port"]) for leg in lab.media("stat.legs")["legs"]]
        out = in_namespace(lab)
        noise = random.Random(7)
        for i in range(300):
            for port in ports:
                rtp = struct.pack(">BBHII", 0x80, 0, i, i * 160, 0x1234) + bytes(noise.randrange(256) for _ in range(160))
                out.sendto(rtp, (SERVER, port))
                out.sendto(bytes(noise.randrange(256) for _ in range(noise.randrange(0, 64))), (SERVER, port))
                out.sendto(bytes(noise.randrange(256) for _ in range(noise.randrange(1, 64))), (SERVER, port + 1))
            out.sendto(b"\x80\x00" + bytes(170), (SERVER, 29998))
            time.sleep(0.005)
        wait_until("strangers to be counted", lambda: fate(lab, "stranger") >= 500, 5)
        expect(fate(lab, "no_leg") >= 290, "RTP to a closed port was not counted as no_leg")
        time.sleep(2)
        caller.hangup()
        record = scene.record_of(lab, call)
        (said, heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        expect(heard_seconds(caller, AGENT_HZ) > 4, "the agent's voice suffered")
        expect(sound.level_db(said) < -5, "noise was injected into the recording")
        scene.fates_add_up(lab)


def test_bad_sip_is_refused_and_named(build):
    """Truncated, hostile and absurd SIP and SDP; a call goes through afterwards."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        out = in_namespace(lab)
        noise = random.Random(11)
        invite = (f"INVITE sip:95598@{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP 10.77.0.2:5999;branch=z9hG4bK{{n}};rport\r\n"
                  f"From: <sip:x@10.77.0.2>;tag=a\r\nTo: <sip:95598@{SERVER}>\r\nCall-ID: bad-{{n}}\r\nCSeq: 1 INVITE\r\n"
                  "Contact: <sip:x@10.77.0.2:5999>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {len}\r\n\r\n{sdp}")
        sdps = ["", "v=0\r\n", "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 999.1.1.1\r\nt=0 0\r\nm=audio 99999 RTP/AVP 0\r\n",
                "v=0\r\no=- 1 1 IN IP4 10.77.0.2\r\ns=-\r\nc=IN IP4 10.77.0.2\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\n",
                "v=0\r\no=- 1 1 IN IP4 10.77.0.2\r\ns=-\r\nc=IN IP4 10.77.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n",
                "m=audio " * 500, "a=rtpmap:0 " + "A" * 3000]
        for n, sdp in enumerate(sdps):
            out.sendto(invite.format(n=n, len=len(sdp), sdp=sdp).encode(), (SERVER, 5060))
            whole = invite.format(n=f"t{n}", len=len(sdp), sdp=sdp).encode()
            out.sendto(whole[:noise.randrange(1, len(whole))], (SERVER, 5060))
        for _ in range(200):
            out.sendto(bytes(noise.randrange(256) for _ in range(noise.randrange(1, 1400))), (SERVER, 5060))
        out.settimeout(2)
        answers = set()
        try:
            while len(answers) < 1000:
                answers.add(out.recv(65536).split(b"\r\n")[0].decode(errors="replace"))
        except TimeoutError:
            pass
        expect(any(a.startswith("SIP/2.0 488") for a in answers), f"nobody was told that no media is acceptable: {answers}")
        lab.alive(lab.daemon)
        expect(lab.control("status")["sip"]["refused_malformed"] >= 200, "malformed messages were not counted")
        with open(lab.daemon.log, errors="replace") as log:
            expect("10.77.0.2" in log.read(), "the log does not name the source of the rubbish")
        caller = scene.caller(lab)
        scene.talk(lab, caller, agent)
        caller.hangup()
        scene.no_calls(lab, 40)


def test_registration_storm_with_wrong_passwords(build):
    """Thousands of wrong REGISTERs do not disturb a call, and the log names the source."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        out = in_namespace(lab)
        out.settimeout(2)

        def register(n, authorization=""):
            out.sendto((f"REGISTER sip:{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP 10.77.0.2:5998;branch=z9hG4bKs{n};rport\r\n"
                        f"From: <sip:1002@{SERVER}>;tag=s{n}\r\nTo: <sip:1002@{SERVER}>\r\nCall-ID: storm-{n}\r\nCSeq: 1 REGISTER\r\n"
                        f"Contact: <sip:1002@10.77.0.2:5998>\r\nMax-Forwards: 70\r\n{authorization}Content-Length: 0\r\n\r\n").encode(), (SERVER, 5060))

        register("first")
        nonce = re.search(r'nonce="([^"]+)"', out.recv(65536).decode()).group(1)
        for n in range(3000):
            register(n, f'Authorization: Digest username="1002", realm="patchbay", nonce="{nonce}", uri="sip:{SERVER}", algorithm=MD5, '
                        f'qop=auth, nc={n + 1:08x}, cnonce="c", response="{n:032x}"\r\n')
            if n % 20 == 0:
                time.sleep(0.01)
        expect(scene.the_call(lab)["state"] == "talking", "the storm disturbed the call")
        expect(not scene.agent_row(lab, 1002)["registered"], "1002 was registered with a wrong password")
        time.sleep(1)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["lost_share"] == 0, f"RTP was lost: {record['lost_share']}")
        with open(lab.daemon.log, errors="replace") as log:
            expect("10.77.0.2" in log.read(), "the log does not name the source of the storm")


def test_wrong_password_is_refused(build):
    """A phone with a wrong password does not register; with the right one it does."""
    with Lab(build) as lab:
        phone = lab.phone(1001, password="wrong", register=False)
        phone.close()
        try:
            lab.phone(1003, password="wrong")
            raise Failure("a wrong password was accepted")
        except Failure as why:
            expect("to be registered" in str(why), str(why))
        scene.agent(lab, 1002, ready=False)


def test_caller_without_rtp(build):
    """A caller who sends no RTP at all is let go after the media timeout, with its reason."""
    with Lab(build) as lab:
        scenario = os.path.join(labs.HERE, "sipp", "silent_caller.xml")
        sipp = lab.spawn(lab.client_ns, ["sipp", SERVER, "-sf", scenario, "-i", "10.77.0.2", "-p", "5090", "-m", "1",
                                         "-s", "95598", "-nostdin", "-timeout", "120"], "sipp")
        call = scene.the_call(lab)["call"]
        record = wait_until("the silent caller to be let go", lambda: (lambda r: r if r.get("ended_ms") else None)(lab.control("call", call=call)), 90)
        expect(record["cause"] == "media_timeout", f"cause is {record['cause']}")
        sipp.wait(20)


def test_json_that_is_wrong_in_every_way(build):
    """Both sockets answer each malformed request with an error that names it, and go on."""
    with Lab(build) as lab:
        for path in (lab.engine_socket, lab.control_socket):
            early = labs.Rpc(path, hello=False)
            expect(early.request("ping")["error"]["data"]["reason"] == "no_hello", "ping before hello")
            early.close()
            rpc = labs.Rpc(path)
            for raw, reason in ((b"{", "parse"), (b"[]", "invalid_request"), (b"42", "invalid_request"),
                                (b'{"jsonrpc":"2.0","id":1,"method":7}', "invalid_request"),
                                (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', "invalid_request"),
                                (b'{"jsonrpc":"2.0","id":1,"method":"nonsense"}', "unknown_method"),
                                (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":1}}', "invalid_params"),
                                (b'{"a":' * 3000, "parse"), (b"\xff\xfe\x00", "parse"), (b'"' + b"x" * 70000 + b'"', "too_large")):
                rpc.send_raw(raw + b"\n")
                error = rpc.line()["error"]
                expect(error["data"]["reason"] == reason and error["message"], f"{raw[:60]}: {error}")
            rpc.call("ping")
            deaf = labs.Rpc(path)
            deaf.call("subscribe")
            crowd = [labs.Rpc(path) for _ in range(50)]
            for one in crowd:
                one.call("ping")
                one.close()
            rpc.close()
        lab.cli("status")


def test_second_engine_and_daemon_are_refused(build):
    """A second instance on the same sockets says so and leaves the first alone."""
    with Lab(build) as lab:
        for command in ([f"{build}/patchbay-engine", "--socket", lab.engine_socket, "--port", "auto:pbs0", "--store", lab.store,
                         "--prompts", lab.prompts, "--shm", lab.shm],
                        [f"{build}/patchbayd", "--engine", lab.engine_socket, "--socket", lab.control_socket,
                         "--database", f"{lab.dir}/other.db", "--listen", f"{SERVER}:5061"]):
            command[0] = os.path.abspath(command[0])
            done = labs.run("ip", "netns", "exec", lab.server_ns, *command, check=False, timeout=30)
            expect(done.returncode != 0 and ("already" in done.stderr or "another" in done.stderr), f"{command[0]}: code {done.returncode}: {done.stderr[-300:]}")
        lab.cli("status")
