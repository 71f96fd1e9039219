"""Load on this machine: many real calls at once through IVR, queue, agent and recording."""
import os
import re
import tempfile
import time

import lab as labs
import scene
import streams
from lab import SERVER, Failure, Lab, wait_until
from registrar import register_all
from scene import sipp
from test_call import expect

AGENTS = 240
RATE = 10
SECONDS = int(os.environ.get("PATCHBAY_LOAD_SECONDS", "120"))
AT_ONCE = 210


def config(path):
    agents = "".join(f'  - {{number: "{n}", name: Load {n}, password: load-{n}, queues: {{service: 1}}}}\n' for n in range(3000, 3000 + AGENTS))
    with open(os.path.join(labs.TOP, "control/example/patchbay.yaml")) as example:
        text = example.read()
    text = re.sub(r"(?m)^agents:\n", "agents:\n" + agents, text, count=1)
    text = re.sub(r"wrap_up_s: \d+", "wrap_up_s: 1", text)
    with open(path, "w") as out:
        out.write(text)
    return path


def totals(lab, name):
    with open(f"{lab.dir}/{name}.csv") as rows:
        lines = rows.read().strip().splitlines()
    return dict(zip(lines[0].split(";"), lines[-1].split(";")))


def test_two_hundred_calls_at_once(build):
    """10 new calls a second for two minutes, 200 at once: none fails, none is unrecorded, no RTP lost."""
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(f"{home}/load.yaml")) as lab:
        streams.write(f"{lab.dir}/caller.pcap", 440, 21, digit=2, digit_at_s=2.5)
        streams.write(f"{lab.dir}/agent.pcap", 1000, 21)
        agents_ip, callers_ip = lab.address(30), lab.address(31)
        phones = sipp(lab, "load_agent", "agents", agents_ip)
        register_all(lab, agents_ip, 5060, [(str(n), f"load-{n}") for n in range(3000, 3000 + AGENTS)])
        rpc = labs.Rpc(lab.control_socket)
        for n in range(3000, 3000 + AGENTS):
            rpc.call("agent.set", agent=str(n), state="sign_in")
            rpc.call("agent.set", agent=str(n), state="ready")
        before = lab.media("stat.drops")
        customers = sipp(lab, "load_caller", "customers", callers_ip, "-s", "95598", "-r", str(RATE), "-m", str(RATE * SECONDS),
                         "-l", str(AT_ONCE))
        peak = 0
        while customers.poll() is None:
            time.sleep(2)
            lab.alive(lab.engine), lab.alive(lab.daemon)
            peak = max(peak, rpc.call("status")["calls"]["now"])
        stat = totals(lab, "customers")
        expect(int(stat["FailedCall(C)"]) == 0 and int(stat["SuccessfulCall(C)"]) == RATE * SECONDS,
               f"sipp: {stat['SuccessfulCall(C)']} good, {stat['FailedCall(C)']} failed")
        expect(peak >= 180, f"only {peak} calls at once")
        scene.no_calls(lab, 20)
        count_records(lab, rpc, RATE * SECONDS)
        drops = scene.fates_add_up(lab)
        lossy = {"tx_full", "no_mbuf", "handoff_full", "no_neighbour", "late", "far"}
        lost = {f["name"]: f["count"] for f in drops["fates"] if f["name"] in lossy and f["count"]}
        expect(not lost, f"the engine lost RTP: {lost}")
        print(f"     {RATE * SECONDS} calls, {peak} at once, {drops['received'] - before['received']} packets received, none lost")
        lab.stop(phones)


test_two_hundred_calls_at_once.alone = True


def count_records(lab, rpc, calls):
    """Each call has a record with an agent, and a recording without loss that verifies."""
    records, after = [], {}
    while True:
        page = rpc.call("cdr", limit=200, **after)
        records += page["records"]
        if not page["more"]:
            break
        after = {"after": page["next"]}
    expect(len(records) == calls, f"{len(records)} call records for {calls} calls")
    strange = [r for r in records if not r["agent"] or not r["recording"] or r["cause"] != "normal"]
    expect(not strange, f"{len(strange)} records without agent or recording or with another cause, e.g. {strange[:1]}")
    done = labs.run(*lab.cli_command("recordings", "verify", "--all"), check=False)
    expect(done.returncode == 0, f"recordings verify: {done.stdout[-500:]}{done.stderr[-500:]}")
