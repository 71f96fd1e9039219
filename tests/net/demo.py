#!/usr/bin/python3
"""The demonstration: one real call, led from the hotline's menu to the exported recording.

usage: tests/net/demo.py BUILD [--once] [--keep]

Two phones register (agent 1001, supervisor 2001), a caller dials 95598, hears the menu, presses 1, waits
with music, is connected, a supervisor listens in, everybody hangs up, and the recording is exported and
listened to. Each step is verified; --once ends with exit code 0 only if all of them were.
"""
import os
import shutil
import signal
import sys
import time

import lab as labs
import scene
import sound
from lab import Failure, Lab

passed = failed = 0


def step(text, ok=True, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"  {'ok  ' if ok else 'FAIL'} {text}{': ' + detail if detail else ''}", flush=True)


def the_call(lab, out):
    print("\nThe demo call", flush=True)
    agent = scene.agent(lab, 1001)
    step("agent 1001 registered, signed in, ready")
    supervisor = lab.phone(2001, sound=labs.tone(lab, scene.SUPERVISOR_HZ), password="patchbay-2001", answer="auto")
    step("supervisor 2001 registered")
    caller = scene.caller(lab)
    caller.dial(scene.HOTLINE)
    step("the caller dialled 95598 and was answered")
    time.sleep(8)
    since = agent.mark()
    caller.press("2")
    agent.expect("CALL_INCOMING", 15, since)
    step("pressed 2; queue service offered the call to 1001, whose phone rings")
    time.sleep(4)
    agent.accept()
    call = scene.the_call(lab, "talking")["call"]
    step("1001 answered; caller and agent talk")
    time.sleep(3)
    lab.control("monitor", call=call, by="2001", mode="listen")
    supervisor.expect("CALL_ESTABLISHED", 10)
    step("supervisor 2001 listens in")
    time.sleep(4)
    caller.hangup()
    agent.expect("CALL_CLOSED", 10)
    supervisor.expect("CALL_CLOSED", 10)
    step("the caller hung up; every phone was let go")

    record = scene.record_of(lab, call)
    recording = record["recordings"][0]
    print("\nThe call's record (patchbay call)", flush=True)
    print(lab.cli("call", call).stdout)
    account = scene.verified(lab, recording)
    step("recording verified from its bytes on disk")
    wav = scene.export(lab, recording)
    opus = scene.export(lab, recording, "opus")
    for path in (wav, opus):
        shutil.copy(path, out)
    judge(sound.read(wav), supervisor, agent, caller)
    print(f"\nThe recording: {out}/{recording}.wav and .opus\n  in the store: {lab.store}", flush=True)
    return account


def judge(recorded, supervisor, agent, caller):
    (customer, heard), rate = recorded

    def seconds(hz, samples=None):
        return sound.tone_seconds(heard if samples is None else samples, rate, hz)

    step("channel 0, the customer", seconds(scene.CALLER_HZ, customer) > 10, f"{seconds(scene.CALLER_HZ, customer):.1f} s of the caller's tone")
    voice = sound.voiced_seconds(heard[: 4 * rate], rate)
    step("channel 1 begins with the menu's prompts", voice > 1, f"{voice:.1f} s of sound in the first 4 s")
    first = [a for a, b in sound.tone_spans(heard, rate, scene.AGENT_HZ) if b - a > 1]
    music = sound.voiced_seconds(heard[: int((first[0] if first else 0) * rate)], rate) - voice
    step("then music while waiting", music > 1, f"{music:.1f} s")
    step("then the agent", seconds(scene.AGENT_HZ) > 5, f"{seconds(scene.AGENT_HZ):.1f} s of the agent's tone")
    step("and never the supervisor", seconds(scene.SUPERVISOR_HZ) == 0)
    for phone, who, hz in ((supervisor, "the supervisor heard the caller", scene.CALLER_HZ),
                           (supervisor, "the supervisor heard the agent", scene.AGENT_HZ),
                           (agent, "the agent heard the caller", scene.CALLER_HZ),
                           (caller, "the caller heard the agent", scene.AGENT_HZ)):
        (samples,), at = sound.read(phone.heard())
        step(who, sound.tone_seconds(samples, at, hz) > 2, f"{sound.tone_seconds(samples, at, hz):.1f} s")


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    once = "--once" in sys.argv
    out = os.environ.get("PATCHBAY_DEMO_OUT") or os.path.join(words[0], "demo")
    os.makedirs(out, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with it ignored
    try:
        with Lab(words[0], ident=f"demo{os.getpid()}") as lab:
            print(lab.cli("status").stdout)
            print(lab.cli("engine").stdout.split("\n\n")[0])
            the_call(lab, out)
            print(f"\n{passed} passed, {failed} failed", flush=True)
            if not once and failed == 0:
                stay(lab)
    except Failure as why:
        print(f"\nThe demonstration stopped: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; nothing is left behind")
        return 0 if failed == 0 else 1
    return 1 if failed else 0


def stay(lab):
    cli = " ".join(lab.cli_command())
    print(f"\nPatchbay stays up; Ctrl-C ends it. In another terminal:\n  {cli} status\n  {cli} calls\n"
          f"Phones inside namespace {lab.client_ns} reach it at {labs.SERVER}:5060.", flush=True)
    while True:
        lab.alive(lab.engine)
        lab.alive(lab.daemon)
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
