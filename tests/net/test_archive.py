"""The archive beside a running engine: a call is heard over HTTP while it goes on, and found when it is over."""
import json
import os
import time

import scene
import sound
from lab import Failure, Lab, run, wait_until
from scene import AGENT_HZ, CALLER_HZ

TOKEN = "listener-0123456789"


def expect(condition, text):
    if not condition:
        raise Failure(text)


def start_archive(lab):
    path = f"{lab.dir}/archive.yaml"
    with open(path, "w") as out:
        out.write(f"database: {lab.dir}/patchbay.db\narchive:\n  directory: {lab.dir}/archive\n  store: [{lab.store}]\n  format: wav\n"
                  f"  http:\n    listen: \"127.0.0.1:8095\"\n    tokens: [{{name: qa, role: listener, token: {TOKEN}}}]\n")
    process = lab.spawn(lab.server_ns, [f"{lab.build}/patchbay-archive", "--config", path], "archive")
    wait_until("the archive to answer", lambda: lab.alive(process) and get(lab, "/v1/health")[0] == 200, 20)
    return process


def get(lab, path, out="/dev/null"):
    """(status, body as text when `out` is not named)"""
    done = run("ip", "netns", "exec", lab.server_ns, "curl", "-s", "-o", out if out != "/dev/null" else f"{lab.dir}/body", "-w", "%{http_code}",
               "-H", f"Authorization: Bearer {TOKEN}", f"http://127.0.0.1:8095{path}", check=False)
    if out != "/dev/null":
        return int(done.stdout or 0), ""
    with open(f"{lab.dir}/body", errors="replace") if os.path.exists(f"{lab.dir}/body") else open("/dev/null") as body:
        return int(done.stdout or 0), body.read()


def test_a_call_is_heard_while_it_goes_on_and_found_after(build):
    """HTTP playback of the running call has its newest seconds; after it the finished file is the same sound, and search finds it."""
    with Lab(build) as lab:
        start_archive(lab)
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        recording = scene.the_call(lab)["recording"]
        time.sleep(9)
        live = f"{lab.dir}/live.wav"
        status, _ = get(lab, f"/v1/recordings/{recording}/audio", live)
        expect(status == 200, f"the running call cannot be heard: {status}")
        samples, rate = sound.read(live)
        for channel, hz, who in ((0, CALLER_HZ, "the caller"), (1, AGENT_HZ, "the agent")):
            expect(sound.tone_seconds(samples[channel], rate, hz) > 2, f"{who} is not in the running call's sound")
        caller.hangup()
        scene.record_of(lab, call)
        wait_until("the recording to be finished", lambda: get(lab, f"/v1/recordings/{recording}")[0] == 200, 60, 1)
        done = f"{lab.dir}/done.wav"
        expect(get(lab, f"/v1/recordings/{recording}/audio", done)[0] == 200, "the finished sound is not served")
        whole, _ = sound.read(done)
        expect(len(whole[0]) >= len(samples[0]) - rate // 10, "the finished sound is shorter than what was heard before")
        for channel, hz in ((0, CALLER_HZ), (1, AGENT_HZ)):
            expect(sound.tone_seconds(whole[channel], rate, hz) >= sound.tone_seconds(samples[channel], rate, hz), "sound is missing in the file")
        found = json.loads(get(lab, "/v1/recordings?agent=1001&queue=sales")[1])["recordings"]
        expect([r["recording"] for r in found] == [recording], f"search by agent and queue finds {found}")
        reconciles(lab)


def reconciles(lab):
    """The day's account: from the store, from the archive when the store has it no more, and never from nothing."""
    empty, today = f"{lab.dir}/used-again", time.strftime("%Y-%m-%d")
    os.makedirs(empty, exist_ok=True)

    def ask(store, *more):
        return run("ip", "netns", "exec", lab.server_ns, f"{lab.build}/patchbay", "--socket", lab.control_socket, "--store", store, "recordings", "reconcile",
                   "--day", today, *more, check=False)
    done = ask(lab.store)
    expect(done.returncode == 0 and "1 calls answered, 1 recorded" in done.stdout, f"reconcile: {done.stdout}{done.stderr}")
    done = ask(empty, "--config", f"{lab.dir}/archive.yaml")
    expect(done.returncode == 0 and "in the archive only: 1;" in done.stdout, f"reconcile with the archive: {done.stdout}{done.stderr}")
    done = ask(empty)
    expect(done.returncode == 1 and "neither store nor archive has" in done.stdout + done.stderr, f"reconcile with nothing: {done.stdout}{done.stderr}")
