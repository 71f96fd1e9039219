"""Calls over IPv6, and between the two families."""
import tempfile
import time

import scene
import sound
from lab import Failure, Lab, tone, wait_until
from scene import AGENT_HZ, CALLER_HZ
from test_trunk import config


def expect(condition, text):
    if not condition:
        raise Failure(text)


def talk_and_listen(lab, caller, agent, what):
    call = scene.talk(lab, caller, agent)
    time.sleep(3)
    recording = scene.the_call(lab)["recording"]
    caller.hangup()
    record = scene.record_of(lab, call)
    expect(record["lost_share"] == 0, f"{what}: RTP was lost: {record['lost_share']}")
    for phone, who, hz in ((caller, "caller", AGENT_HZ), (agent, "agent", CALLER_HZ)):
        samples, rate = sound.read(phone.heard())
        expect(sound.tone_seconds(samples[0], rate, hz) > 2, f"{what}: the {who} does not hear the other")
    scene.verified(lab, recording)
    lab.control("agent.set", agent="1001", state="ready")
    scene.no_calls(lab)


def test_calls_over_ipv6_and_between_the_families(build):
    """A phone and a caller with IPv6 talk; so do the phone and a caller with IPv4."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001, ip6=True)
        expect("fd77" in scene.agent_row(lab, 1001)["contact"], "the phone is not registered over IPv6")
        talk_and_listen(lab, scene.caller(lab, ip6=True), agent, "both over IPv6")
        wait_until("the agent to be ready", lambda: scene.agent_row(lab, 1001)["state"] == "ready", 10)
        talk_and_listen(lab, scene.caller(lab, number="13900139000"), agent, "IPv4 and IPv6")


def test_a_carrier_over_ipv6(build):
    """A phone with IPv4 calls out by a trunk with an IPv6 address: its media go there as well."""
    number, address = "912345", "fd77::51"
    trunk = f'name: six, host: "{address}", prefix: "9"'
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(f"{home}/trunk.yaml", trunk)) as lab:
        carrier = lab.phone(number, sound=tone(lab, CALLER_HZ), register=False, answer="auto", ip6=True)
        expect(carrier.ip == address, f"the carrier's phone is at {carrier.ip}")
        agent = scene.agent(lab, 1001)
        agent.dial(number)
        call = scene.the_call(lab, "talking", kind="out")["call"]
        time.sleep(3)
        remotes = sorted(leg["remote"] for leg in lab.control("legs")["legs"])
        expect(remotes[0].startswith("10.77.") and address in remotes[1], f"media go to {remotes}")
        agent.hangup()
        scene.no_calls(lab)
        record = scene.record_of(lab, call)
        expect(record["lost_share"] == 0 and record["cause"] == "normal", f"the record is {record}")
        for phone, who, hz in ((carrier, "carrier", AGENT_HZ), (agent, "agent", CALLER_HZ)):
            samples, rate = sound.read(phone.heard())
            expect(sound.tone_seconds(samples[0], rate, hz) > 2, f"the {who} does not hear the other")
