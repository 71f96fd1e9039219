"""Recordings that are paused, masked, refused: what the file holds is judged by ear, and the record says why there is none."""
import os
import re
import tempfile
import time

import lab as labs
import scene
import sound
from lab import Lab
from scene import AGENT_HZ, CALLER_HZ
from test_call import expect


def test_pause_and_mask(build):
    """Masked: silence of the same length, in both channels; paused by keys of the agent: silence as well, and both in the account."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        masked_from = time.time()
        lab.cli("record", call, "mask", "--by", "ann")
        expect(scene.the_call(lab)["recording_state"] == "masked", "patchbay calls does not tell of the mask")
        time.sleep(4)
        lab.cli("record", call, "unmask", "--by", "ann")
        masked_s = time.time() - masked_from
        time.sleep(2)
        agent.press("*83")
        time.sleep(3)
        agent.press("*84")
        time.sleep(2)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["not_recorded"] is None, f"recorded, and yet: {record['not_recorded']}")
        steps = [s["detail"] for s in record["steps"] if s["step"] == "record_control"]
        expect(steps == ["mask by ann", "unmask by ann", "pause by 1001", "resume by 1001"], f"the record's steps are {steps}")
        recording = record["recordings"][0]
        scene.verified(lab, recording)
        channels, rate = sound.read(scene.export(lab, recording))
        for channel, hz, name in ((0, CALLER_HZ, "said"), (1, AGENT_HZ, "heard")):
            talk = sound.tone_spans(channels[channel], rate, hz)
            gaps = [b[0] - a[1] for a, b in zip(talk, talk[1:])]
            quiet = [g for g in gaps if g > 2.5]
            expect(len(quiet) == 2, f"what the customer {name} should have two silences, of mask and pause: {talk}")
            expect(abs(quiet[0] - masked_s) < 0.7, f"the mask of {masked_s:.1f} s is {quiet[0]:.1f} s of silence: {talk}")


def test_consent_refused(build):
    """The caller says no in the menu: no recording, the record says why, and nobody can start one."""
    flow = """
flow: consent
languages: [en]
start: ask
nodes:
  ask:
    menu: [language-menu]
    digits: {"1": sales, "2": no}
    otherwise: no
  no:
    record: refuse
    next: sales
  sales:
    queue: sales
    otherwise: hangup
"""
    with tempfile.TemporaryDirectory() as home:
        with open(f"{home}/flow.yaml", "w") as out:
            out.write(flow)
        with open(os.path.join(labs.TOP, "control/example/patchbay.yaml")) as example, open(f"{home}/agent.yaml", "w") as out:
            out.write(re.sub(r"(?m)^record: always", "record: agent", example.read(), count=1))
        refused(build, f"{home}/flow.yaml", f"{home}/agent.yaml")


def refused(build, flow, config):
    with Lab(build, flow=flow, config=config) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent, keys="2", menu_s=3.0)
        done = lab.cli("record", call, "start", check=False)
        expect(done.returncode != 0 and "consent" in done.stderr, f"a recording could be started: {done.stdout}{done.stderr}")
        time.sleep(2)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["not_recorded"] == "consent_refused", f"not_recorded is {record['not_recorded']}")
        expect(record["recordings"] == [], f"there are recordings: {record['recordings']}")
