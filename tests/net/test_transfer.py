"""Attended transfer, consultation, three together: judged by who hears whom, and by the recording."""
import time

import lab as labs
import scene
import sound
import streams
from lab import SERVER, Lab, wait_until
from scene import AGENT_HZ, CALLER_HZ, SECOND_HZ
from test_call import expect


class Dialogs:
    """The dialogs of the phones' side, read from the wire: Call-ID, From tag and To tag of each answered INVITE."""

    def __init__(self, lab):
        self.lab, self.pcap = lab, f"{lab.dir}/sip.pcap"
        self.capture = lab.spawn(lab.client_ns, ["tcpdump", "-q", "-i", "pbc0", "-w", self.pcap, "-U", "udp port 5060"], "tcpdump-sip")
        wait_until("tcpdump to listen", lambda: "listening" in "".join(lab.tail(f"{lab.dir}/tcpdump-sip.log")), 5)

    def of(self, phone):
        """(Call-ID, From tag, To tag) of each call that `phone` made or answered, oldest first."""
        done = labs.run("tshark", "-r", self.pcap, "-Y", f'sip.Status-Code == 200 && sip.CSeq.method == "INVITE" && ip.addr == {phone.ip}',
                        "-T", "fields", "-e", "sip.Call-ID", "-e", "sip.from.tag", "-e", "sip.to.tag")
        found = []
        for line in done.stdout.splitlines():
            if tuple(line.split("\t")) not in found:
                found.append(tuple(line.split("\t")))
        return found


def spans_of(lab, recording, channel, hz):
    channels, rate = sound.read(scene.export(lab, recording))
    return sound.tone_spans(channels[channel], rate, hz), sound.tone_seconds(channels[channel], rate, hz)


def heard_seconds(phone, hz):
    (samples,), rate = sound.read(phone.heard())
    return sound.tone_seconds(samples, rate, hz)


def test_attended_transfer_by_the_phone(build):
    """1001 holds its caller, calls 1002 on a second line and sends REFER with Replaces: caller and 1002 talk on, in
    one recording, and each agent is in the state that is its own."""
    with Lab(build) as lab:
        dialogs = Dialogs(lab)
        agent = scene.agent(lab, 1001)
        second = scene.agent(lab, 1002, hz=SECOND_HZ, answer="auto", ready=False)
        lab.control("agent.set", agent="1002", state="sign_in")
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(4)
        agent.hold()
        scene.the_call(lab, "held")
        agent.dial("1002")
        time.sleep(3)
        call_id, ours, theirs = dialogs.of(agent)[0]  # the INVITE to 1001: its From tag is ours
        since = agent.mark()
        agent.command("transfer", f"sip:1001@{SERVER}?Replaces={call_id.replace('@', '%40')}%3Bto-tag%3D{ours}%3Bfrom-tag%3D{theirs}")
        agent.expect("CALL_CLOSED", 5, since)
        wait_until("one call to be left", lambda: len(scene.calls(lab)) == 1, 5)
        expect(scene.the_call(lab, "talking")["agent"] == "1002", "the caller is not with 1002")
        expect(scene.agent_row(lab, 1001)["state"] == "wrap_up", f"1001 is {scene.agent_row(lab, 1001)['state']}, not in wrap-up")
        expect(scene.agent_row(lab, 1002)["state"] == "talking", f"1002 is {scene.agent_row(lab, 1002)['state']}, not talking")
        time.sleep(5)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["agents"] == ["1001", "1002"], f"agents: {record['agents']}")
        expect(any(s["step"] == "transfer" and s["detail"].startswith("1002 by 1001 from ") for s in record["steps"]), f"steps: {record['steps']}")
        expect(7000 < record["talk_ms"] < 12000 and record["hold_ms"] > 2000, f"talk_ms {record['talk_ms']}, hold_ms {record['hold_ms']}")
        other = [r for r in lab.control("cdr", limit=10)["records"] if r["call"] != call]
        expect(len(other) == 1 and other[0]["cause"] == "transferred", f"the other call: {other}")

        expect(heard_seconds(caller, AGENT_HZ) > 3, "the caller did not hear 1001")
        expect(heard_seconds(caller, SECOND_HZ) > 4, "the caller did not hear 1002 after the transfer")
        expect(heard_seconds(second, AGENT_HZ) > 2, "1002 did not hear 1001 who asked")
        expect(heard_seconds(second, CALLER_HZ) > 4, "1002 did not hear the caller after the transfer")

        expect(len(record["recordings"]) == 1, f"recordings: {record['recordings']}")
        scene.verified(lab, record["recordings"][0])
        (first, first_s), (later, later_s) = (spans_of(lab, record["recordings"][0], 1, hz) for hz in (AGENT_HZ, SECOND_HZ))
        expect(first_s > 3 and later_s > 4, f"recorded: 1001 for {first_s:.1f} s, 1002 for {later_s:.1f} s")
        expect(first[-1][1] < later[0][0], f"1001 is recorded until {first[-1][1]} s, 1002 from {later[0][0]} s")
        _, said_s = spans_of(lab, record["recordings"][0], 0, CALLER_HZ)
        expect(said_s > 12, f"the caller is in channel 0 for {said_s:.1f} s only")
        wait_until("1002 to wrap up", lambda: scene.agent_row(lab, 1002)["state"] == "wrap_up", 5)
        scene.no_calls(lab)
        scene.fates_add_up(lab)


def test_consultation_by_keys_then_three(build):
    """*90 and a number: the caller hears music while 1001 asks 1002; *93: all three; 1001 hangs up: the two go on."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        second = scene.agent(lab, 1002, hz=SECOND_HZ, answer="auto", ready=False)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(3)
        since = second.mark()
        agent.press("*90")
        time.sleep(0.5)
        agent.press("1002#")
        second.expect("CALL_ESTABLISHED", 10, since)
        time.sleep(4)
        row = scene.the_call(lab, "held")
        expect(row["consult"] == {"state": "talking", "party": "1002"}, f"consult: {row['consult']}")
        agent.press("*93")
        scene.the_call(lab, "talking")
        time.sleep(5)
        agent.hangup()
        wait_until("1002 to have the call", lambda: scene.the_call(lab)["agent"] == "1002", 5)
        time.sleep(4)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect([s["detail"] for s in record["steps"] if s["step"] == "conference"] == ["1002"], f"steps: {record['steps']}")
        expect(heard_seconds(second, CALLER_HZ) > 7, "1002 did not hear the caller in the conference and after it")
        expect(heard_seconds(second, AGENT_HZ) > 7, "1002 did not hear 1001")
        expect(heard_seconds(agent, SECOND_HZ) > 7, "1001 did not hear 1002")

        (said, was_heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        scene.verified(lab, record["recordings"][0])
        one, two = (sound.tone_levels(was_heard, rate, hz) > 0.04 for hz in (AGENT_HZ, SECOND_HZ))
        together_s = (one & two).sum() * sound.WINDOW_S
        expect(together_s > 3.5, f"1001 and 1002 are recorded together for {together_s:.1f} s only")
        expect(two[one.nonzero()[0][-1]:].sum() * sound.WINDOW_S > 3, "1002 is not recorded after 1001 has gone")
        first_two = two.nonzero()[0][0]
        expect(first_two > one.nonzero()[0][0] + 30, "1002 was in the recording before the conference")
        expect(sound.tone_seconds(said, rate, SECOND_HZ) == 0, "1002 leaked into channel 0")
        scene.no_calls(lab)
        scene.fates_add_up(lab)


def test_a_phone_takes_the_place_of_another(build):
    """INVITE with Replaces, sent by sipp as agent 1002: 1001's phone is let go, the caller hears the other."""
    with Lab(build) as lab:
        dialogs = Dialogs(lab)
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        streams.write(f"{lab.dir}/agent.pcap", SECOND_HZ, 30)
        call_id, ours, theirs = dialogs.of(agent)[0]
        since = agent.mark()
        stranger = scene.sipp(lab, "replaces", "stranger", lab.address(31), "-s", "1001", "-m", "1", "-au", "1002", "-ap", "wrong",
                              "-key", "replaces", f"{call_id};to-tag={ours};from-tag={theirs}")
        time.sleep(3)
        lab.stop(stranger)
        expect(scene.the_call(lab)["agent"] == "1001", "a stranger has taken the call")
        other = scene.sipp(lab, "replaces", "other", lab.address(32), "-s", "1001", "-m", "1", "-au", "1002", "-ap", "patchbay-1002",
                           "-key", "replaces", f"{call_id};to-tag={ours};from-tag={theirs}")
        agent.expect("CALL_CLOSED", 10, since)
        wait_until("1002 to have the call", lambda: scene.the_call(lab)["agent"] == "1002", 5)
        time.sleep(5)
        caller.hangup()
        record = scene.record_of(lab, call)
        wait_until("sipp to be done", lambda: other.poll() is not None, 10)
        expect(other.returncode == 0, f"sipp: {lab.tail(f'{lab.dir}/other.err')}")
        expect(heard_seconds(caller, SECOND_HZ) > 4, "the caller did not hear who took the place")
        expect(len(record["recordings"]) == 1, f"recordings: {record['recordings']}")
        _, recorded_s = spans_of(lab, record["recordings"][0], 1, SECOND_HZ)
        expect(recorded_s > 4, f"who took the place is recorded for {recorded_s:.1f} s")
        scene.verified(lab, record["recordings"][0])
        scene.no_calls(lab)
        scene.fates_add_up(lab)


def test_conference_room(build):
    """Three agents and a caller whom one of them brings: each hears the three others and not itself; mute and eject
    act at once; each member's recording has the whole room."""
    tones = {"1001": 500, "1002": 800, "1003": 1250, "13800138000": 1900}
    with Lab(build) as lab:
        phones = {n: scene.agent(lab, n, hz=tones[n], ready=False) for n in ("1001", "1002", "1003")}
        phones["13800138000"] = caller = scene.caller(lab, hz=tones["13800138000"])
        lab.control("agent.set", agent="1001", state="sign_in")
        lab.control("agent.set", agent="1001", state="ready")
        wait_until("1001 to be ready", lambda: scene.agent_row(lab, 1001)["state"] == "ready", 5)
        scene.talk(lab, caller, phones["1001"])
        time.sleep(1)
        phones["1002"].dial("8500")
        phones["1003"].dial("*948500")
        lab.cli("transfer", scene.the_call(lab, "talking")["call"], "--to", "8500")
        lab.control("agent.set", agent="1001", state="wrap_up_done")
        phones["1001"].dial("8500")

        def room():
            return next(r for r in lab.control("conferences")["conferences"] if r["conference"] == "team")

        wait_until("four members", lambda: len(room()["members"]) == 4, 5)
        time.sleep(6)
        lab.cli("conference", "team", "mute", "1002")
        time.sleep(4)
        lab.cli("conference", "team", "lock")
        lab.cli("conference", "team", "unmute", "1002")
        since, before = phones["1003"].mark(), time.time()
        lab.control("conference", conference="team", action="eject", member="1003")
        ejected = phones["1003"].expect("CALL_CLOSED", 2, since)
        expect(ejected["at"] - before < 0.2, f"1003 was hung up after {ejected['at'] - before:.3f} s")
        time.sleep(3)
        expect(len(room()["members"]) == 3 and room()["locked"], f"the room: {room()}")
        ids = {m["party"]: m["call"] for m in room()["members"]}
        lab.cli("conference", "team", "end")
        wait_until("the room to be empty", lambda: not room()["members"], 5)
        scene.no_calls(lab)

        for number, phone in phones.items():
            for other, hz in tones.items():
                heard = heard_seconds(phone, hz)
                if other == number:
                    expect(heard < 0.5, f"{number} heard itself for {heard:.1f} s")
                else:
                    expect(heard > 5, f"{number} heard {other} for {heard:.1f} s only")
        # What was muted is missing for as long as it was.
        (samples,), rate = sound.read(phones["1001"].heard())
        spans = sound.tone_spans(samples, rate, tones["1002"])
        gaps = [b[0] - a[1] for a, b in zip(spans, spans[1:]) if b[0] - a[1] > 2]
        expect(len(gaps) == 1 and 3.5 < gaps[0] < 5, f"1002 was muted for 4 s; gaps: {gaps} of {spans}")

        for number in ("1001", "13800138000"):
            record = scene.record_of(lab, ids[number])
            expect(any(s["step"] == "room" and s["detail"] == "team" for s in record["steps"]), f"steps: {record['steps']}")
            scene.verified(lab, record["recordings"][-1])
            (said, was_heard), rate = sound.read(scene.export(lab, record["recordings"][-1]))
            expect(sound.tone_seconds(said, rate, tones[number]) > 10, f"{number} is missing in its own recording")
            for other, hz in tones.items():
                recorded = sound.tone_seconds(was_heard, rate, hz)
                expect(recorded < 0.5 if other == number else recorded > 5, f"{number}'s recording has {other} for {recorded:.1f} s")
        scene.fates_add_up(lab)
