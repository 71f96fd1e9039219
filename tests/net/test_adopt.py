"""patchbayd is killed in mid-call and begins again: media go on, calls are taken over, nothing is lost from the records."""
import os
import signal
import tempfile
import time

import lab as labs
import scene
import sound
import streams
import test_load
import test_srtp
from lab import SERVER, Lab, wait_until
from registrar import register_all
from scene import AGENT_HZ, CALLER_HZ, SECOND_HZ, sipp
from test_call import expect

# RTP comes every 20 ms. The kill must not be heard; the laboratory's own scheduling is a few packets.
GAP_MAX_S = 0.15
AWAY_S = 2.0


def kill_and_restart(lab, how=signal.SIGKILL, away_s=AWAY_S):
    lab.stop(lab.daemon, how)
    time.sleep(away_s)
    lab.restart_clients()
    lab.start_daemon()


class Wire:
    """What the engine sends to the phones, packet by packet."""

    def __init__(self, lab, name):
        self.lab, self.pcap = lab, f"{lab.dir}/{name}.pcap"
        self.process = lab.spawn(lab.client_ns, ["tcpdump", "-q", "-i", "pbc0", "-w", self.pcap, "-U", f"udp and src host {SERVER} and not port 5060"], name)
        time.sleep(1)

    def stop(self):
        time.sleep(0.5)
        self.lab.stop(self.process)
        lines = labs.run("tshark", "-r", self.pcap, "-d", "udp.port==30000-40000,rtp", "-Y", "rtp", "-T", "fields",
                         "-e", "udp.dstport", "-e", "frame.time_epoch", "-e", "rtp.ssrc").stdout.splitlines()
        self.streams = {}
        for line in lines:
            port, at, ssrc = line.split("\t")
            self.streams.setdefault(int(port), []).append((float(at), ssrc))

    def to(self, phone):
        """A phone is known by its range of ports."""
        return max((s for port, s in self.streams.items() if phone.rtp_first <= port < phone.rtp_first + 100), key=len)


def longest_gap(packets):
    return max(b[0] - a[0] for a, b in zip(packets, packets[1:]))


def steps_of(record, step):
    return [s for s in record["steps"] if s["step"] == step]


def test_daemon_killed_in_mid_call(build):
    """One talks, one waits, one is in the menu: nobody hears the kill, all go on, each is ended from another side."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        waiting = scene.caller(lab, "13800138001", SECOND_HZ)
        scene.through_the_menu(lab, waiting)
        waits = scene.the_call(lab, "waiting")["call"]
        third = scene.caller(lab, "13700137000")
        third.dial(scene.HOTLINE)
        time.sleep(2)
        menu = next(c["call"] for c in scene.calls(lab) if c["state"] == "ivr")
        queued_at = lab.control("call", call=waits)["started_ms"]
        since = scene.agent_row(lab, 1001)["since_ms"]

        wire = Wire(lab, "kill")
        kill_and_restart(lab)
        states = {c["call"]: c["state"] for c in scene.calls(lab)}
        expect(states == {call: "talking", waits: "waiting", menu: "ivr"}, f"after the restart: {states}")
        row = scene.agent_row(lab, 1001)
        expect(row["state"] == "talking" and row["call"] == call and row["registered"], f"the agent: {row}")
        expect(abs(row["since_ms"] - since) < 1000, f"the agent talks since {row['since_ms']}, not {since}")
        time.sleep(2)
        wire.stop()
        for phone in (caller, agent, waiting):
            packets = wire.to(phone)
            expect(len(packets) > 150, f"only {len(packets)} packets to {phone.user}")
            expect(longest_gap(packets) < GAP_MAX_S, f"{phone.user} heard nothing for {longest_gap(packets):.3f} s")
            expect(len({ssrc for _, ssrc in packets}) == 1, f"{phone.user} was sent another stream")

        # The customer ends the first call; the agent is then offered the one who waited, and ends that.
        mark = agent.mark()
        caller.hangup()
        record = scene.record_of(lab, call)
        expect((record["cause"], record["hung_up_by"]) == ("normal", "customer"), f"the first record: {record}")
        expect(len(steps_of(record, "adopted")) == 1 and len(steps_of(record, "answer")) == 1, f"its steps: {record['steps']}")
        expect(record["quality"]["mos"] is not None if "quality" in record else True, "no quality in the record")
        agent.expect("CALL_CLOSED", 5, mark)
        scene_wrap_up_done(lab)
        agent.expect("CALL_INCOMING", 20, mark)
        agent.accept()
        wait_until("the one who waited to talk", lambda: {c["call"]: c["state"] for c in scene.calls(lab)}.get(waits) == "talking", 10)
        time.sleep(3)
        agent.hangup()
        waiting.expect("CALL_CLOSED", 5)
        record = scene.record_of(lab, waits)
        expect((record["cause"], record["hung_up_by"]) == ("normal", "agent"), f"the second record: {record}")
        expect(record["started_ms"] == queued_at and record["wait_ms"] > 6000, f"its wait: {record['wait_ms']}")
        expect(len(steps_of(record, "queue")) == 1, f"its steps: {record['steps']}")

        # The third still hears the menu and can choose in it.
        third.press("3")
        scene.the_call(lab, "message", 20)
        third.hangup()
        record = scene.record_of(lab, menu)
        expect(record["hung_up_by"] == "customer", f"the third record: {record}")
        expect(len(lab.control("cdr")["records"]) == 3, "not three records")

        scene.no_calls(lab)
        recording = lab.control("call", call=call)["recordings"]
        expect(len(recording) == 1, f"recordings of the first call: {recording}")
        scene.verified(lab, recording[0])
        (said, heard), rate = sound.read(scene.export(lab, recording[0]))
        spans = sound.tone_spans(said, rate, CALLER_HZ)
        expect(len(spans) == 1 and spans[0][1] - spans[0][0] > 10, f"the customer in the recording: {spans}")
        spans = sound.tone_spans(heard, rate, AGENT_HZ)
        expect(len(spans) == 1 and spans[0][1] - spans[0][0] > AWAY_S + 3, f"the agent in the recording: {spans}")
        scene.fates_add_up(lab)


def scene_wrap_up_done(lab):
    wait_until("the agent to wrap up", lambda: scene.agent_row(lab, 1001)["state"] in ("wrap_up", "ringing", "ready"), 5)
    if scene.agent_row(lab, 1001)["state"] == "wrap_up":
        lab.control("agent.set", agent="1001", state="wrap_up_done")


def test_a_conference_room_survives(build):
    """Three in a room, one of them muted: nobody hears the kill, who was muted still is, each recording has the whole."""
    tones = {"1001": 500, "1002": 800, "1003": 1250}
    with Lab(build) as lab:
        phones = {n: scene.agent(lab, n, hz=hz, ready=False) for n, hz in tones.items()}
        for phone in phones.values():
            phone.dial("8500")

        def room():
            return next(r for r in lab.control("conferences")["conferences"] if r["conference"] == "team")

        def without_floor(r):  # who leads the talk changes by itself
            return {**r, "members": [{k: v for k, v in m.items() if k != "leads"} for m in r["members"]]}

        wait_until("three members", lambda: len(room()["members"]) == 3, 5)
        lab.cli("conference", "team", "mute", "1003")
        time.sleep(3)
        before, wire = room(), Wire(lab, "room")
        kill_and_restart(lab)
        expect(without_floor(room()) == without_floor(before), f"the room is {room()}, was {before}")
        time.sleep(3)
        wire.stop()
        for number, phone in phones.items():
            packets = wire.to(phone)
            expect(longest_gap(packets) < GAP_MAX_S, f"{number} heard nothing for {longest_gap(packets):.3f} s")
        ids = [m["call"] for m in room()["members"]]
        phones["1001"].hangup()
        wait_until("two members", lambda: len(room()["members"]) == 2, 5)
        lab.cli("conference", "team", "end")
        scene.no_calls(lab)
        for number, phone in phones.items():
            (samples,), rate = sound.read(phone.heard())
            for other in tones:
                heard = sound.tone_seconds(samples, rate, tones[other])
                expect(heard < 2.5 if other in (number, "1003") else heard > 6, f"{number} heard {other} for {heard:.1f} s")
        for call in ids:
            record = scene.record_of(lab, call)
            expect(len(steps_of(record, "adopted")) == 1 and len(record["recordings"]) == 1, f"the record: {record}")
            scene.verified(lab, record["recordings"][0])
        scene.fates_add_up(lab)


def test_a_bye_while_nobody_is_there(build):
    """The customer hangs up while patchbayd is dead: the phone repeats its BYE, and the record is exact to a second."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        lab.stop(lab.daemon, signal.SIGKILL)
        caller.hangup()
        time.sleep(1.5)
        lab.restart_clients()
        lab.start_daemon()
        record = scene.record_of(lab, call)
        expect((record["cause"], record["hung_up_by"]) == ("normal", "customer"), f"the record: {record}")
        agent.expect("CALL_CLOSED", 8)
        scene.no_calls(lab)


def test_both_killed_at_the_same_time(build):
    """Engine and patchbayd die together: the call is made anew in the new engine, both hear each other again."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        lab.stop(lab.daemon, signal.SIGKILL)
        lab.stop(lab.engine, signal.SIGKILL)
        lab.restart_clients()
        lab.start_engine()
        lab.start_daemon()
        wait_until("the call to talk again", lambda: {c["call"]: c["state"] for c in scene.calls(lab)}.get(call) == "talking", 10)
        time.sleep(5)
        agent.hangup()
        caller.expect("CALL_CLOSED", 5)
        record = scene.record_of(lab, call)
        expect((record["cause"], record["hung_up_by"]) == ("normal", "agent"), f"the record: {record}")
        (samples,), rate = sound.read(caller.heard())
        spans = sound.tone_spans(samples, rate, AGENT_HZ)
        expect(spans and spans[-1][1] - spans[-1][0] > 2.5, f"the caller did not hear the agent again: {spans}")
        scene.no_calls(lab)


def test_killed_twice_and_held(build):
    """On hold over a kill and a restart for an upgrade: still music, then the conversation again."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(1)
        agent.hold()
        wait_until("the call to be held", lambda: scene.calls(lab)[0]["state"] == "held", 5)
        time.sleep(0.3)  # what happened in the last moment before a kill may be lost
        kill_and_restart(lab, away_s=0.5)
        kill_and_restart(lab, signal.SIGUSR2, away_s=0.1)
        wait_until("the call to be held after two kills", lambda: scene.calls(lab)[0]["state"] == "held", 5)
        time.sleep(1)
        agent.resume()
        wait_until("the call to talk again", lambda: scene.calls(lab)[0]["state"] == "talking", 5)
        time.sleep(3)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(len(steps_of(record, "adopted")) == 2, f"its steps: {record['steps']}")
        expect(record["hold_ms"] > 1000, f"hold_ms is {record['hold_ms']}")
        expect(len(steps_of(record, "hold")) == 1 and len(steps_of(record, "resume")) == 1, f"its steps: {record['steps']}")
        scene.no_calls(lab)


def heard_last(phone, hz):
    """How long the tone was heard without a break, the last time."""
    (samples,), rate = sound.read(phone.heard())
    spans = sound.tone_spans(samples, rate, hz)
    return spans[-1][1] - spans[-1][0] if spans else 0


def test_encrypted_calls_survive(build):
    """SRTP on both legs: the engine keeps its keys over the kill; a re-INVITE afterwards brings new ones, and both hear on."""
    path = test_srtp.configured("adopt", srtp="required", srtp_without_tls="yes")
    with Lab(build, config=path) as lab:
        agent = scene.agent(lab, 1001, mediaenc="srtp-mand")
        caller = scene.caller(lab, mediaenc="srtp-mand")
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        wire = Wire(lab, "srtp")
        kill_and_restart(lab)
        expect([c["state"] for c in scene.calls(lab)] == ["talking"], f"after the restart: {scene.calls(lab)}")
        time.sleep(1)
        wire.stop()
        for phone in (caller, agent):
            expect(longest_gap(wire.to(phone)) < GAP_MAX_S, f"{phone.user} heard nothing for {longest_gap(wire.to(phone)):.3f} s")
        agent.hold()
        wait_until("the call to be held", lambda: scene.calls(lab)[0]["state"] == "held", 5)
        time.sleep(1)
        agent.resume()
        wait_until("the call to talk again", lambda: scene.calls(lab)[0]["state"] == "talking", 5)
        time.sleep(4)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect((record["cause"], record["hung_up_by"]) == ("normal", "customer"), f"the record: {record}")
        expect(heard_last(caller, AGENT_HZ) > 2.5, "the caller does not hear the agent with the new keys")
        expect(heard_last(agent, CALLER_HZ) > 2.5, "the agent does not hear the caller with the new keys")
        scene.no_calls(lab)
    os.unlink(path)


def test_a_caller_over_tcp_survives(build):
    """The connection dies with patchbayd; the agent's hang-up reaches the caller over a new one, and the other way round."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        for by_agent in (True, False):
            caller = scene.caller(lab, transport="tcp")
            call = scene.talk(lab, caller, agent)
            time.sleep(1)
            kill_and_restart(lab, away_s=0.5)
            time.sleep(1)
            (agent if by_agent else caller).hangup()
            record = scene.record_of(lab, call)
            expect((record["cause"], record["hung_up_by"]) == ("normal", "agent" if by_agent else "customer"), f"the record: {record}")
            if by_agent:
                caller.expect("CALL_CLOSED", 8)
            scene.no_calls(lab)
            lab.control("agent.set", agent="1001", state="wrap_up_done")


CALLS = int(os.environ.get("PATCHBAY_ADOPT_CALLS", "40"))


def test_many_calls_survive(build):
    """sipp, 40 conversations (PATCHBAY_ADOPT_CALLS), patchbayd killed in the middle: each ends as if nothing had been."""
    with tempfile.TemporaryDirectory() as home, Lab(build, config=test_load.config(f"{home}/load.yaml")) as lab:
        streams.write(f"{lab.dir}/caller.pcap", 440, 21, digit=2, digit_at_s=2.5)
        streams.write(f"{lab.dir}/agent.pcap", 1000, 21)
        agents_ip, callers_ip = lab.address(30), lab.address(31)
        phones = sipp(lab, "load_agent", "agents", agents_ip)
        numbers = range(3000, 3000 + CALLS + 10)
        register_all(lab, agents_ip, 5060, [(str(n), f"load-{n}") for n in numbers])
        for n in numbers:
            lab.control("agent.set", agent=str(n), state="sign_in")
            lab.control("agent.set", agent=str(n), state="ready")
        rate = max(10, CALLS // 8)
        customers = sipp(lab, "load_caller", "customers", callers_ip, "-s", "95598", "-r", str(rate), "-m", str(CALLS), "-l", str(CALLS))
        wait_until("all to talk", lambda: sum(c["state"] == "talking" for c in scene.calls(lab)) == CALLS, 18, 0.2)
        lab.stop(lab.daemon, signal.SIGKILL)
        lab.restart_clients()
        begin = time.monotonic()
        lab.start_daemon()
        print(f"     {CALLS} calls taken over {time.monotonic() - begin:.2f} s after the start")
        talking = sum(c["state"] == "talking" for c in scene.calls(lab))
        expect(talking == CALLS, f"{talking} of {CALLS} calls talk after the restart")
        wait_until("sipp to end", lambda: customers.poll() is not None, 40)
        stat = test_load.totals(lab, "customers")
        expect(int(stat["FailedCall(C)"]) == 0 and int(stat["SuccessfulCall(C)"]) == CALLS,
               f"sipp: {stat['SuccessfulCall(C)']} good, {stat['FailedCall(C)']} failed")
        scene.no_calls(lab, 20)
        test_load.count_records(lab, labs.Rpc(lab.control_socket), CALLS)
        scene.fates_add_up(lab)
        lab.stop(phones)


test_many_calls_survive.alone = True
