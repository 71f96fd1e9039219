"""Rates: 1,000 registrations a second; 50 new calls a second through menu, queue, agent and wrap-up.

PATCHBAY_RATE_S is how long, in seconds: 20 without it, 120 for what the promise is about (registrations: a quarter of it).
"""
import os
import re
import tempfile
import time

import lab as labs
import scene
import streams
from lab import Lab, wait_until
from registrar import register_all
from scene import sipp
from test_call import expect
from test_load import totals

SECONDS = int(os.environ.get("PATCHBAY_RATE_S", "20"))
CALLS_PER_S, AGENTS = 50, 300
REGISTERS_PER_S, USERS = 1000, 3000
DECISION_P99_US = 5000

FLOW = """flow: rate
languages: [en]
start: main
nodes:
  main:
    menu: [main-menu]
    digits: {"1": sales}
    timeout_s: 5
    tries: 3
    otherwise: sales
  sales:
    queue: sales
    otherwise: bye
  bye:
    hangup: normal
"""


def config(path, agents, wrap_up_s=1):
    rows = "".join(f'  - {{number: "{n}", name: Load {n}, password: load-{n}, queues: {{sales: 1}}}}\n' for n in agents)
    with open(os.path.join(labs.TOP, "control/example/patchbay.yaml")) as example:
        text = example.read()
    text = re.sub(r"(?ms)^agents:\n.*?(?=^supervisors:)", "agents:\n" + rows + "\n", text, count=1)
    text = re.sub(r"wrap_up_s: \d+", f"wrap_up_s: {wrap_up_s}", text)
    with open(path, "w") as out:
        out.write(text)
    return path


def test_thousand_registrations_a_second(build):
    """1,000 registrations a second, each challenged and proved: all are accepted, none late."""
    seconds = max(SECONDS // 4, 8)
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(f"{home}/rate.yaml", range(3000, 3000 + USERS))) as lab:
        with open(f"{lab.dir}/users.csv", "w") as out:
            out.write("SEQUENTIAL\n")
            out.writelines(f"{n};[authentication username={n} password=load-{n}]\n" for n in range(3000, 3000 + USERS))
        phones = sipp(lab, "rate_register", "registers", lab.address(31), "-inf", f"{lab.dir}/users.csv", "-r", str(REGISTERS_PER_S),
                      "-m", str(REGISTERS_PER_S * seconds), "-l", "4000")
        begin = time.monotonic()
        while phones.poll() is None:
            time.sleep(0.5)
            lab.alive(lab.daemon)
        took = time.monotonic() - begin
        stat = totals(lab, "registers")
        good, bad, again = int(stat["SuccessfulCall(C)"]), int(stat["FailedCall(C)"]), int(stat["Retransmissions(C)"])
        expect(good == REGISTERS_PER_S * seconds and bad == 0, f"{good} accepted, {bad} failed of {REGISTERS_PER_S * seconds}")
        expect(took < seconds * 1.15 + 2, f"{seconds} s of registrations took {took:.1f} s")
        status = lab.control("status")["sip"]
        expect(status["registered"] == USERS, f"{status['registered']} registered of {USERS}")
        expect(status["refused_overload"] == 0, f"{status['refused_overload']} refused for overload")
        print(f"     {good} registrations in {took:.1f} s, {again} requests said again")


def sign_in(rpc, agents):
    for n in agents:
        rpc.call("agent.set", agent=str(n), state="sign_in")
        rpc.call("agent.set", agent=str(n), state="ready")


def records_exact(rpc, calls):
    """Each call has one record: answered by an agent, ended by the customer, recorded."""
    records, after = [], {}
    while True:
        page = rpc.call("cdr", limit=200, **after)
        records += page["records"]
        if not page["more"]:
            break
        after = {"after": page["next"]}
    expect(len(records) == calls and len({r["call"] for r in records}) == calls, f"{len(records)} call records for {calls} calls")
    strange = [r for r in records if not r["agent"] or not r["recording"] or r["cause"] != "normal" or r["hung_up_by"] != "customer" or r["queue"] != "sales"]
    expect(not strange, f"{len(strange)} records are not as the calls were, e.g. {strange[:1]}")


def test_fifty_calls_a_second(build):
    """50 new calls a second with 300 agents: none fails, none is stuck, the ACD decides within 5 ms, records are exact."""
    agents = range(3000, 3000 + AGENTS)
    with tempfile.TemporaryDirectory() as home:
        with open(f"{home}/rate-flow.yaml", "w") as out:
            out.write(FLOW)
        with Lab(build, config=config(f"{home}/rate.yaml", agents), flow=f"{home}/rate-flow.yaml") as lab:
            streams.write(f"{lab.dir}/caller.pcap", 440, 0.9, digit=1, digit_at_s=0.5)
            phones_ip, callers_ip = lab.address(30), lab.address(31)
            phones = sipp(lab, "rate_agent", "agents", phones_ip)
            register_all(lab, phones_ip, 5060, [(str(n), f"load-{n}") for n in agents])
            rpc = labs.Rpc(lab.control_socket)
            sign_in(rpc, agents)
            calls = CALLS_PER_S * SECONDS
            customers = sipp(lab, "rate_caller", "customers", callers_ip, "-s", "95598", "-r", str(CALLS_PER_S), "-m", str(calls), "-l", "1000")
            peak = 0
            while customers.poll() is None:
                time.sleep(1)
                lab.alive(lab.engine), lab.alive(lab.daemon)
                peak = max(peak, rpc.call("status")["calls"]["now"])
            stat = totals(lab, "customers")
            scene.no_calls(lab, 20)
            status = rpc.call("status")
            acd = status["acd"]
            print(f"     {calls} calls, {peak} at once; ACD: {acd['offers']} offers, p50 {acd['p50_us']} us, p99 {acd['p99_us']} us, "
                  f"longest {acd['max_us']} us; {stat['Retransmissions(C)']} requests said again")
            expect(int(stat["FailedCall(C)"]) == 0 and int(stat["SuccessfulCall(C)"]) == calls,
                   f"sipp: {stat['SuccessfulCall(C)']} good, {stat['FailedCall(C)']} failed")
            wait_until("all agents to be ready again", lambda: rpc.call("status")["agents"]["ready"] == AGENTS, 15)
            expect(acd["offers"] >= calls and acd["p99_us"] < DECISION_P99_US, f"the ACD's decisions: {acd}")
            expect(status["store"]["dropped"] == 0, f"the store lost {status['store']['dropped']} rows")
            records_exact(rpc, calls)
            done = labs.run(*lab.cli_command("recordings", "verify", "--all"), check=False)
            expect(done.returncode == 0, f"recordings verify: {done.stdout[-500:]}{done.stderr[-500:]}")
            lab.stop(phones)


test_thousand_registrations_a_second.alone = True
test_fifty_calls_a_second.alone = True
