"""Phones with codecs of their own talk to a caller from the G.711 world. Judged by what can be heard."""
import time

import scene
import sound
from lab import Failure, Lab
from scene import AGENT_HZ, CALLER_HZ


def expect(condition, text):
    if not condition:
        raise Failure(text)


def heard_seconds(phone, hz):
    channels, rate = sound.read(phone.heard())  # an Opus phone writes two alike
    return sound.tone_seconds(channels[0], rate, hz)


def talk_with(build, codec, name):
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001, codec=codec)
        caller = scene.caller(lab, codec="PCMA")
        call = scene.talk(lab, caller, agent, keys="1", menu_s=7)
        time.sleep(5)
        legs = lab.media("stat.legs")["legs"]
        expect(sorted(leg["codec"] for leg in legs) == sorted(["PCMA", name]), f"the legs have {[leg['codec'] for leg in legs]}")
        worker = lab.media("stat.engine")["workers"][0]
        expect(worker["transcoders"]["legs"] >= 1, f"nobody is transcoded: {worker['transcoders']}")
        agent.hangup()
        caller.expect("CALL_CLOSED", 5)
        record = scene.record_of(lab, call)
        expect(heard_seconds(caller, AGENT_HZ) > 3.5, f"the caller heard the agent for {heard_seconds(caller, AGENT_HZ)} s")
        expect(heard_seconds(agent, CALLER_HZ) > 3.5, f"the agent heard the caller for {heard_seconds(agent, CALLER_HZ)} s")
        (said, was_heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        expect(sound.tone_seconds(said, rate, CALLER_HZ) > 8, "the caller is missing in channel 0")
        expect(sound.tone_seconds(was_heard, rate, AGENT_HZ) > 3.5, "the agent is missing in channel 1")
        scene.no_calls(lab)
        scene.fates_add_up(lab)
        expect(lab.media("stat.engine")["workers"][0]["transcoders"]["legs"] == 0, "a transcoder was not given back")


def test_g722_phone(build):
    """An agent whose phone speaks G.722 only talks to a caller with PCMA."""
    talk_with(build, "G722/16000/1", "G722")


def test_opus_phone(build):
    """An agent whose phone speaks Opus only talks to a caller with PCMA."""
    talk_with(build, "opus/48000/2", "opus")
