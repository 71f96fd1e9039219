"""Scenes that several tests play: an agent signs in, a caller is led through the menu, both talk."""
import json
import time

import lab as labs
from lab import SERVER, Failure, wait_until

HOTLINE = "95598"
CALLER_HZ, AGENT_HZ, SECOND_HZ, SUPERVISOR_HZ = 440, 1000, 1400, 1900


def agent(lab, number, hz=AGENT_HZ, ready=True, password=None, **kwargs):
    """A registered phone whose agent is signed in and, unless told otherwise, ready."""
    phone = lab.phone(number, sound=labs.tone(lab, hz), password=password or f"patchbay-{number}", **kwargs)
    if ready:
        lab.control("agent.set", agent=str(number), state="sign_in")
        lab.control("agent.set", agent=str(number), state="ready")
        wait_until(f"agent {number} to be ready", lambda: agent_row(lab, number)["state"] == "ready", 5)
    return phone


def agent_row(lab, number):
    return next(a for a in lab.control("agents")["agents"] if a["agent"] == str(number))


def caller(lab, number="13800138000", hz=CALLER_HZ, **kwargs):
    """A phone outside: it has no account here and does not register."""
    return lab.phone(number, sound=labs.tone(lab, hz), register=False, **kwargs)


def calls(lab):
    return lab.control("calls")["calls"]


def the_call(lab, state=None, timeout_s=10, kind="in"):
    """The one running call of a kind, once it is in a state."""
    def find():
        found = [c for c in calls(lab) if c["kind"] == kind and (state is None or c["state"] == state)]
        return found[0] if found else None
    return wait_until(f"a call in state {state}", find, timeout_s)


def no_calls(lab, timeout_s=10):
    wait_until("every call to be gone", lambda: not calls(lab), timeout_s)


def through_the_menu(lab, phone, keys="1", menu_s=7.0):
    """Dial the hotline, listen to the menu for a while, press keys."""
    phone.dial(HOTLINE)
    time.sleep(menu_s)
    phone.press(keys)


def talk(lab, phone, answering, keys="1", menu_s=7.0):
    """Lead a caller to the agent whose phone is `answering`; returns the call's id once both talk."""
    since = answering.mark()
    through_the_menu(lab, phone, keys, menu_s)
    answering.expect("CALL_INCOMING", 15, since)
    answering.accept()
    return the_call(lab, "talking")["call"]


def record_of(lab, call):
    """The call's record, once it is over: while its legs close it is `ending`, and its quality is not known yet."""
    def ended():
        record = lab.control("call", call=call)
        return record if record.get("state") == "ended" else None
    return wait_until(f"the record of call {call}", ended, 10)


def export(lab, recording, kind="wav"):
    """The stereo file of a recording (channel 0 the customer, 1 what the customer heard)."""
    path = f"{lab.dir}/{recording}.{kind}"
    lab.cli("recordings", "export", recording, "--output", path)
    return path


def verified(lab, recording):
    """The recording's account recomputed from the bytes on disk; Failure unless whole."""
    def complete():
        done = labs.run(*lab.cli_command("recordings", "verify", recording, "--json"), check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None
    return wait_until(f"recording {recording} to verify", complete, 10)


def sipp(lab, scenario, name, ip, *words):
    """A sipp with a scenario of sipp/, at an address of the clients' namespace, playing captures of lab.dir."""
    text = open(f"{labs.HERE}/sipp/{scenario}.xml").read()
    text = text.replace("@CALLER_PCAP@", f"{lab.dir}/caller.pcap").replace("@AGENT_PCAP@", f"{lab.dir}/agent.pcap")
    with open(f"{lab.dir}/{name}.xml", "w") as out:
        out.write(text)
    return lab.spawn(lab.client_ns, ["sipp", SERVER, "-sf", f"{lab.dir}/{name}.xml", "-i", ip, "-p", "5060", "-mi", ip, "-nostdin",
                                     "-trace_stat", "-stf", f"{lab.dir}/{name}.csv", "-fd", "5", "-trace_err",
                                     "-error_file", f"{lab.dir}/{name}.err", *words], name)


def fates_add_up(lab):
    """The engine's promise: packets received = the sum of their fates (and nothing in flight)."""
    def equal():
        drops = lab.media("stat.drops")
        return drops if drops["received"] == sum(f["count"] for f in drops["fates"]) + drops["in_flight"] else None
    return wait_until("packets received to equal the sum of their fates", equal, 5)
