"""Things that die, and what must be true afterwards."""
import json
import os
import signal
import time

import lab as labs
import scene
import sound
from lab import Failure, Lab, wait_until
from scene import AGENT_HZ, CALLER_HZ
from test_call import expect


def test_engine_killed_in_mid_call_loses_no_frame(build):
    """SIGKILL of the engine: every packet it had relayed by then is in the recording after a restart."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        pcap = f"{lab.dir}/killed.pcap"
        capture = lab.spawn(lab.client_ns, ["tcpdump", "-q", "-i", "pbc0", "-w", pcap, "-U", f"udp and dst portrange {agent.rtp_first}-{agent.rtp_first + 98}"], "tcpdump")
        time.sleep(7.3)
        recording = lab.control("call", call=call)["recordings"][0]
        lab.stop(lab.engine, signal.SIGKILL)
        time.sleep(0.5)
        lab.stop(capture)
        lab.restart_clients()
        lab.start_engine()
        done = wait_until("the recording to be recovered", lambda: recovered(lab, recording), 15)
        frames = done["account"]["channels"][0]["written"]
        expect(done["account"]["channels"][0]["lost"] == 0, f"the account says lost: {done}")
        relayed = [line for line in labs.run("tshark", "-r", pcap, "-d", "udp.port==30000-40000,rtp", "-Y", "rtp", "-T", "fields",
                                             "-e", "rtp.payload").stdout.split() if line]
        recorded = {bytes(f).hex() for f in payloads_of(lab, recording)}
        missing = [p for p in relayed if p.replace(":", "") not in recorded]
        expect(len(relayed) > 300, f"only {len(relayed)} relayed packets were captured")
        expect(not missing, f"{len(missing)} of {len(relayed)} packets that the engine had sent on are not in the recording ({frames} frames)")
        (said, heard), rate = sound.read(scene.export(lab, recording))
        expect(sound.tone_seconds(said, rate, CALLER_HZ) > 7, "the recovered recording cannot be heard")


def wrap_up_done(lab, number):
    """End the agent's wrap-up, if it is in one."""
    if scene.agent_row(lab, number)["state"] == "wrap_up":
        lab.control("agent.set", agent=str(number), state="wrap_up_done")


def recovered(lab, recording):
    done = labs.run(*lab.cli_command("recordings", "verify", recording, "--json"), check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return None
    return answer if done.returncode == 0 else None


def payloads_of(lab, recording):
    """The stored payloads of channel 0, byte for byte."""
    done = labs.run(*lab.cli_command("recordings", "frames", recording, "--channel", "0", "--json"))
    return [bytes.fromhex(json.loads(line)["payload"]) for line in done.stdout.splitlines() if line]


def test_engine_restart_leaves_nothing_stuck(build):
    """After the engine died and came back, agents are free again and a new call goes through."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(1)
        lab.stop(lab.engine, signal.SIGKILL)
        time.sleep(1)
        lab.restart_clients()
        lab.start_engine()
        time.sleep(3)
        if not caller.seen("CALL_CLOSED"):
            caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["ended_ms"], "the call has no end")
        scene.no_calls(lab)
        wrap_up_done(lab, 1001)
        wait_until("the agent to be ready again", lambda: scene.agent_row(lab, 1001)["state"] == "ready", 70)
        again = scene.caller(lab, "13700137000")
        scene.talk(lab, again, agent)
        again.hangup()
        scene.no_calls(lab)


def test_phone_that_vanishes(build):
    """The agent's phone dies in the call: media timeout or the customer's BYE ends it, nothing is stuck."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(1)
        lab.stop(agent.process, signal.SIGKILL)
        time.sleep(1)
        caller.hangup()
        record = scene.record_of(lab, call)
        expect(record["hung_up_by"] == "customer", f"hung up by {record['hung_up_by']}")
        scene.no_calls(lab, 45)


def test_wav_files_that_lie(build):
    """Broken prompt files are named in the log and skipped; the others play."""
    with Lab(build) as lab:
        prompts = f"{lab.dir}/prompts"
        labs.run("cp", "-r", lab.prompts, prompts)
        os.makedirs(f"{prompts}/bad")
        whole = open(labs.tone(lab, 500, 2), "rb").read()
        lies = {"empty": b"", "text": b"not a wave at all", "cut": whole[:40], "long": whole[:4] + b"\xff\xff\xff\x7f" + whole[8:],
                "rate": whole[:24] + b"\x00\x00\x00\x00" + whole[28:], "short": whole[:1000]}
        for name, data in lies.items():
            with open(f"{prompts}/bad/{name}.wav", "wb") as out:
                out.write(data)
        rpc = labs.Rpc(lab.engine_socket)
        answer = rpc.call("prompt.load", directory=prompts)
        failed = {f["file"] for f in answer["failed"]}
        expect({"bad/empty", "bad/text", "bad/rate"} <= {f.rsplit(".", 1)[0].split("prompts/")[-1] for f in failed}, f"failed: {answer['failed']}")
        expect(all(f["message"] for f in answer["failed"]), "a refusal without a reason")
        expect(answer["loaded"] > 10, "the good prompts were not loaded")


def test_flow_that_is_wrong_is_refused_and_the_old_one_stays(build):
    """A loop, a missing prompt, a missing target: named with line; calls go on with the old flow."""
    with Lab(build) as lab:
        bad = f"{lab.dir}/bad.yaml"
        with open(bad, "w") as out:
            out.write("flow: bad\nlanguages: [zh]\nstart: a\nnodes:\n  a:\n    say: zh/no-such-prompt\n    next: b\n  b:\n    goto: a\n")
        done = labs.run(*lab.cli_command("flow", "check", bad), check=False)
        expect(done.returncode != 0 and "bad.yaml:" in done.stdout + done.stderr, f"flow check said {done.stdout}{done.stderr}")
        done = labs.run(*lab.cli_command("flow", "reload", bad), check=False)
        expect(done.returncode != 0, "a broken flow was accepted")
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        scene.talk(lab, caller, agent)
        caller.hangup()
        scene.no_calls(lab)
