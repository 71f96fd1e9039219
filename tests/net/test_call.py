"""A customer calls: menu, queue, agent, hold, transfer, message. Judged by what can be heard."""
import time

import lab as labs
import scene
import sound
import streams
from lab import Failure, Lab, wait_until
from scene import AGENT_HZ, CALLER_HZ, SECOND_HZ, sipp


def expect(condition, text):
    if not condition:
        raise Failure(text)


def heard_seconds(phone, hz):
    (samples,), rate = sound.read(phone.heard())
    return sound.tone_seconds(samples, rate, hz)


def test_menu_queue_agent_and_record(build):
    """Hotline, menu, key, queue with music, agent, talk, hang-up: heard by all, recorded, counted."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent, keys="1", menu_s=7)
        expect(scene.agent_row(lab, 1001)["state"] == "talking", "the agent is not shown as talking")
        time.sleep(5)
        agent.hangup()
        caller.expect("CALL_CLOSED", 5)
        record = scene.record_of(lab, call)
        expect(record["hung_up_by"] == "agent", f"hung up by {record['hung_up_by']}, not by the agent")
        expect(record["agent"] == "1001" and record["queue"] == "sales", f"wrong agent or queue in {record}")
        expect(4000 < record["talk_ms"] < 8000, f"talk_ms is {record['talk_ms']}")
        expect(scene.agent_row(lab, 1001)["state"] == "wrap_up", "the agent is not in wrap-up after the call")
        expect(heard_seconds(caller, AGENT_HZ) > 4, "the caller did not hear the agent")
        expect(heard_seconds(agent, CALLER_HZ) > 4, "the agent did not hear the caller")

        scene.verified(lab, record["recordings"][0])
        (said, was_heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        expect(sound.tone_seconds(said, rate, CALLER_HZ) > 8, "the caller is missing in channel 0")
        expect(sound.tone_seconds(said, rate, AGENT_HZ) == 0, "the agent leaked into channel 0")
        agent_spans = sound.tone_spans(was_heard, rate, AGENT_HZ)
        expect(agent_spans and agent_spans[-1][1] - agent_spans[-1][0] > 4, f"the agent is missing in channel 1: {agent_spans}")
        expect(sound.voiced_seconds(was_heard[:3 * rate], rate) > 1, "no prompt at the beginning of channel 1")
        scene.no_calls(lab)
        scene.fates_add_up(lab)


def test_nested_menu_repeat_and_operator(build):
    """9 repeats the menu, 0 leads to the operators; an unknown key is answered, not ignored."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        since = agent.mark()
        scene.through_the_menu(lab, caller, "9", 7)
        time.sleep(2)
        expect(scene.the_call(lab)["state"] == "ivr", "9 left the menu")
        caller.press("7")
        time.sleep(2)
        expect(scene.the_call(lab)["state"] == "ivr", "an unknown key left the menu")
        caller.press("0")
        agent.expect("CALL_INCOMING", 15, since)
        agent.accept()
        call = scene.the_call(lab, "talking")["call"]
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["queue"] == "operator", f"0 led to queue {record['queue']}")
        expect(record["hung_up_by"] == "customer", f"hung up by {record['hung_up_by']}")


def test_leave_a_message(build):
    """3 takes a message after the beep; it is listed and can be heard."""
    with Lab(build) as lab:
        caller = scene.caller(lab)
        scene.through_the_menu(lab, caller, "3", 7)
        call = scene.the_call(lab, "message", 15)["call"]
        time.sleep(8)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["cause"] == "message_left", f"cause is {record['cause']}")
        rows = labs.Rpc(lab.control_socket).call("recordings", kind="voicemail")["recordings"]
        expect(len(rows) == 1 and rows[0]["call"] == call, f"the message is not listed: {rows}")
        scene.verified(lab, rows[0]["recording"])
        samples, rate = sound.read(scene.export(lab, rows[0]["recording"]))
        expect(sound.tone_seconds(samples[0], rate, CALLER_HZ) > 2, "the message does not hold the caller's voice")


def test_abandoned_in_the_queue(build):
    """A caller who hears the position and gives up is counted as abandoned and leaves nothing behind."""
    with Lab(build) as lab:
        caller = scene.caller(lab)
        scene.through_the_menu(lab, caller, "1", 7)
        call = scene.the_call(lab, "waiting")["call"]
        wait_until("the position to be announced", lambda: any(
            s["step"] == "announce" for s in lab.control("call", call=call)["steps"]), 15)
        time.sleep(8)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["cause"] == "abandoned" and record["wait_ms"] > 2000, f"record says {record['cause']}, {record['wait_ms']} ms")
        queue = next(q for q in lab.control("queues")["queues"] if q["queue"] == "sales")
        expect(queue["abandoned"] == 1 and queue["waiting"] == 0, f"queue says {queue}")
        (heard,), rate = sound.read(caller.heard())
        expect(sound.voiced_seconds(heard[-2 * rate:], rate) > 1, "no music in the queue")


def test_no_answer_goes_to_the_next_agent(build):
    """A phone that is not answered takes its agent out of ready; the caller keeps the place."""
    with Lab(build) as lab:
        first = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        since = first.mark()
        scene.through_the_menu(lab, caller, "1", 7)
        first.expect("CALL_INCOMING", 15, since)
        second = scene.agent(lab, 1002, hz=SECOND_HZ)
        second.expect("CALL_INCOMING", 45)
        second.accept()
        scene.the_call(lab, "talking")
        row = scene.agent_row(lab, 1001)
        expect(row["state"] == "not_ready" and row["missed"] == 1, f"agent 1001 is {row['state']}, missed {row['missed']}")
        caller.hangup()
        scene.no_calls(lab)


def test_hold_and_resume(build):
    """The agent holds: the customer hears music and not the agent; after resume the agent again."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(3)
        agent.hold()
        scene.the_call(lab, "held", 5)
        held_at = time.monotonic()
        time.sleep(4)
        agent.resume()
        scene.the_call(lab, "talking", 5)
        held_s = time.monotonic() - held_at
        time.sleep(4)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(abs(record["hold_ms"] / 1000 - held_s) < 1.0, f"hold_ms is {record['hold_ms']}, held for {held_s:.1f} s")
        (said, heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        spans = [s for s in sound.tone_spans(heard, rate, AGENT_HZ) if s[1] - s[0] > 1]
        expect(len(spans) == 2, f"the customer heard the agent in {spans}, expected before and after the hold")
        gap = heard[int((spans[0][1] + 0.3) * rate):int((spans[1][0] - 0.3) * rate)]
        expect(len(gap) / rate > 3, f"the hold lasts only {len(gap) / rate:.1f} s in the recording")
        expect(sound.voiced_seconds(gap, rate) > 2, "no music while on hold")


def test_blind_transfer(build):
    """The agent transfers the customer with REFER; the first agent is free, the second is heard."""
    with Lab(build) as lab:
        first = scene.agent(lab, 1001)
        second = scene.agent(lab, 1002, hz=SECOND_HZ, ready=False)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, first)
        time.sleep(3)
        first.transfer("1002")
        second.expect("CALL_INCOMING", 10)
        second.accept()
        first.expect("CALL_CLOSED", 10)
        time.sleep(4)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(heard_seconds(second, CALLER_HZ) > 3, "the second agent did not hear the caller")
        (said, heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        one = sound.tone_spans(heard, rate, AGENT_HZ)
        two = sound.tone_spans(heard, rate, SECOND_HZ)
        expect(one and two and one[-1][1] <= two[-1][0] + 0.2 and two[-1][1] - two[-1][0] > 3,
               f"first agent heard in {one}, second in {two}")
        expect(any(s["step"] == "transfer" for s in record["steps"]), "no transfer step in the record")


def test_feature_codes(build):
    """An agent signs in, goes ready, not ready with a reason, and out, from the phone alone."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001, ready=False)

        def dial(code, state):
            since = agent.mark()
            agent.command("dial", f"sip:{code}@{labs.SERVER}")
            wait_until(f"{code} to make the agent {state}", lambda: scene.agent_row(lab, 1001)["state"] == state, 8)
            agent.expect("CALL_CLOSED", 10, since)

        dial("*61", "not_ready")
        dial("*63", "ready")
        dial("*641", "not_ready")
        expect(scene.agent_row(lab, 1001)["reason"], "not ready without a reason")
        dial("*62", "signed_out")


def test_internal_call(build):
    """One agent dials another: both talk, no queue is involved."""
    with Lab(build) as lab:
        one = scene.agent(lab, 1001, ready=False)
        two = scene.agent(lab, 1002, hz=SECOND_HZ, ready=False)
        one.command("dial", f"sip:1002@{labs.SERVER}")
        two.expect("CALL_INCOMING", 10)
        two.accept()
        one.expect("CALL_ESTABLISHED", 5)
        time.sleep(4)
        one.hangup()
        two.expect("CALL_CLOSED", 5)
        expect(heard_seconds(one, SECOND_HZ) > 3 and heard_seconds(two, AGENT_HZ) > 3, "they did not hear each other")
        scene.no_calls(lab)


def test_caller_over_tcp_with_a_law_and_two_workers(build):
    """SIP over TCP, A-law towards a mu-law agent (transcoded), on two workers with hand-off."""
    with Lab(build, workers=2) as lab:
        agent = scene.agent(lab, 1001, codec="PCMU")
        for _ in range(2):
            caller = scene.caller(lab, codec="PCMA", transport="tcp")
            call = scene.talk(lab, caller, agent)
            time.sleep(4)
            caller.hangup()
            record = scene.record_of(lab, call)
            expect(heard_seconds(caller, AGENT_HZ) > 3, "the A-law caller did not hear the mu-law agent")
            lab.control("agent.set", agent="1001", state="wrap_up_done")
            scene.verified(lab, record["recordings"][0])
        scene.fates_add_up(lab)


def test_dtmf_in_the_audio(build):
    """A caller whose phone knows no telephone-event presses 2 as sound: understood all the same."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        streams.write(f"{lab.dir}/caller.pcap", 440, 30, sound_digit=(697, 1336), digit_at_s=6)
        since = agent.mark()
        caller = sipp(lab, "plain_caller", "plain", lab.address(31), "-s", "95598", "-m", "1")
        agent.expect("CALL_INCOMING", 25, since)
        agent.accept()
        record = lab.control("call", call=scene.the_call(lab, "talking")["call"])
        expect(any(s["step"] == "digits" and s["detail"] == "2" for s in record["steps"]), f"steps: {record['steps']}")
        lab.stop(caller)
