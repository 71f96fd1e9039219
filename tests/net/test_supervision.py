"""Listen, whisper, barge: who hears whom, and that the customer is not touched."""
import time

import scene
import lab as labs
import sound
from lab import Failure, Lab
from scene import AGENT_HZ, CALLER_HZ, SUPERVISOR_HZ
from test_call import expect


def test_listen_whisper_barge(build):
    """Each mode for some seconds, switched in the call; judged from every phone and the recording."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        supervisor = lab.phone(2001, sound=labs.tone(lab, SUPERVISOR_HZ), password="patchbay-2001", answer="auto")
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        lab.cli("monitor", call, "--by", "2001", "--mode", "listen")
        supervisor.expect("CALL_ESTABLISHED", 10)
        time.sleep(4)
        lab.cli("monitor", call, "--by", "2001", "--mode", "whisper")
        time.sleep(4)
        lab.cli("monitor", call, "--by", "2001", "--mode", "barge")
        time.sleep(4)
        lab.cli("monitor", call, "--by", "2001", "--mode", "off")
        supervisor.expect("CALL_CLOSED", 5)
        time.sleep(2)
        expect(scene.the_call(lab)["state"] == "talking", "the call did not survive its supervisor")
        caller.hangup()
        record = scene.record_of(lab, call)

        def seconds(phone, hz):
            (samples,), rate = sound.read(phone.heard())
            return sound.tone_seconds(samples, rate, hz)

        expect(seconds(supervisor, CALLER_HZ) > 10, "the supervisor did not hear the caller all the time")
        expect(seconds(supervisor, AGENT_HZ) > 10, "the supervisor did not hear the agent all the time")
        heard = seconds(agent, SUPERVISOR_HZ)
        expect(6.5 < heard < 9.5, f"the agent heard the supervisor for {heard:.1f} s, expected about 8 (whisper and barge)")
        heard = seconds(caller, SUPERVISOR_HZ)
        expect(3 < heard < 5.5, f"the customer heard the supervisor for {heard:.1f} s, expected about 4 (barge only)")
        (said, was_heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        recorded = sound.tone_seconds(was_heard, rate, SUPERVISOR_HZ)
        expect(3 < recorded < 5.5, f"the recording holds the supervisor for {recorded:.1f} s, expected about 4 (barge only)")
        expect(sound.tone_seconds(said, rate, SUPERVISOR_HZ) == 0, "the supervisor leaked into channel 0")
        expect(seconds(caller, AGENT_HZ) > 12, "the customer lost the agent while supervised")


def test_listening_does_not_touch_the_customer(build):
    """Every RTP payload that the customer receives while monitored is one that the agent sent."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        supervisor = lab.phone(2001, sound=labs.tone(lab, SUPERVISOR_HZ), password="patchbay-2001", answer="auto")
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(1)
        lab.cli("monitor", call, "--by", "2001", "--mode", "listen")
        supervisor.expect("CALL_ESTABLISHED", 10)
        time.sleep(1)
        pcap = f"{lab.dir}/monitored.pcap"
        capture = lab.spawn(lab.client_ns, ["tcpdump", "-q", "-B", "8192", "-i", "pbc0", "-w", pcap, "-U", "udp portrange 20000-40000"], "tcpdump")
        time.sleep(7)
        lab.stop(capture)
        caller.hangup()
        scene.record_of(lab, call)
        sent = payloads(pcap, f"udp.srcport in {{{agent.rtp_first}..{agent.rtp_first + 98}}}")
        received = payloads(pcap, f"udp.dstport in {{{caller.rtp_first}..{caller.rtp_first + 98}}}")
        expect(len(received) > 200, f"only {len(received)} packets to the customer were captured")
        known = set(sent)
        # The first ones may have been on their way when the capture began.
        strange = sum(1 for p in received[25:] if p not in known)
        expect(strange == 0, f"{strange} of {len(received)} payloads to the customer were not sent by the agent")


def payloads(pcap, where):
    done = labs.run("tshark", "-r", pcap, "-Y", where, "-d", "udp.port==20000-40000,rtp", "-T", "fields", "-e", "rtp.payload")
    return [line for line in done.stdout.split() if line]
