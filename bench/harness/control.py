"""Call set-ups: through the engine's socket against the peer's ng socket, and through SIP; decisions and events a second.

A set-up over a socket is offer and answer (two legs that hear one another) and the end of the call. The client is a
script and slower than either server, so the rate is taken from the server's CPU time by the kernel's account:
1 / (CPU seconds of all its threads per set-up).
"""
import json
import os
import subprocess
import time

from . import engine, rtpengine
from .alone import cpu_seconds
from .lab import CLIENT, SERVER, Failure, Lab, run as command
from .machine import TOP

SIP_PORT = 1060  # below the ports that the engine takes for RTP, which here are all from FIRST_PORT on


def setups(server, calls):
    """Open and close `calls` calls on a server that is up."""
    server.open(calls)
    server.close_calls()
    cpu, begin = cpu_seconds(server.process.pid), time.monotonic()
    server.open(calls)
    server.close_calls()
    spent, wall = cpu_seconds(server.process.pid) - cpu, time.monotonic() - begin
    return {"per_s": calls / spent, "cpu_ms": 1000 * spent / calls, "per_s_with_this_client": calls / wall, "calls": calls, "doubt": ""}


def guarded(function):
    try:
        return function()
    except (Failure, OSError, subprocess.TimeoutExpired) as e:
        return {"per_s": None, "doubt": str(e)}


def ours(build, directory, cpu, gen_cpu, calls):
    with Lab(f"{directory}/setup", cpu, gen_cpu) as lab:
        server = engine.Engine(lab, build, store="none")
        try:
            return setups(server, calls)
        finally:
            server.stop()


def theirs(directory, cpu, gen_cpu, calls):
    if not rtpengine.available():
        return {"per_s": None, "doubt": "rtpengine is not installed"}
    with Lab(f"{directory}/setup", cpu, gen_cpu) as lab:
        server = rtpengine.Rtpengine(lab)
        try:
            return setups(server, calls)
        finally:
            server.stop()


def sip(build, directory, cpu, gen_cpu, quick, say):
    """Whole calls through patchbayd and the engine: INVITE to the hotline, answered, heard for 0.2 s, BYE. The rate doubles
    until a call fails; the last one that was clean counts."""
    best, failed_at = None, None
    with Lab(f"{directory}/sip", cpu, gen_cpu) as lab:
        server = engine.Engine(lab, build, prompts=f"{build}/control/example/prompts")
        daemon = lab.spawn([f"{build}/patchbayd", "--engine", f"{lab.dir}/engine.sock", "--socket", f"{lab.dir}/control.sock", "--database",
                            f"{lab.dir}/calls.db", "--listen", f"udp:{SERVER}:{SIP_PORT}"], "patchbayd")
        try:
            time.sleep(2)
            if daemon.poll() is not None:
                with open(daemon.log) as log:
                    raise Failure("patchbayd ended: " + log.read()[-300:])
            for rate in (25, 50, 100, 200, 400, 800):
                calls = rate * (2 if quick else 5)
                done = subprocess.run(["ip", "netns", "exec", lab.client, "taskset", "-c", str(gen_cpu), "sipp", f"{SERVER}:{SIP_PORT}", "-i", CLIENT, "-sn", "uac", "-s",
                                       "95598", "-r", str(rate), "-m", str(calls), "-d", "200", "-nostdin", "-timeout", "60", "-timeout_error"],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, cwd=lab.dir)
                good = done.returncode == 0
                say(f"SIP, {rate} calls a second: {'clean' if good else f'sipp ended with {done.returncode}'}")
                if not good:
                    failed_at = rate
                    break
                best = rate
                time.sleep(1)
        finally:
            lab.stop(daemon)
            server.stop()
    return {"sip_cps": best, "failed_at": failed_at, "doubt": "" if best else "no rate was clean"}


def simulator(build, quick, say):
    """A day of a large call centre in virtual time (bench_sim), by the modules that run in production."""
    size = ["--agents", "2000", "--calls", "100000"] if quick else []
    done = subprocess.run([f"{build}/bench/bench_sim", "--json", *size], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        result = json.loads(done.stdout)
    except ValueError:
        return {"calls_per_second": None, "events_per_s": None, "doubt": f"bench_sim: {(done.stderr or done.stdout)[-200:]}"}
    decisions = result["decisions_made"] / result["seconds"] if result.get("seconds") else None
    say(f"simulator: {result['calls']:,.0f} calls of {result['agents']:,.0f} agents at {result['calls_per_second']:,.0f} a second, {decisions or 0:,.0f} decisions a second")
    return {**result, "events_per_s": result.get("events_per_second"), "decisions_per_s": decisions, "doubt": "" if done.returncode == 0 else "a belief was broken"}


def run(build, directory, cpu, gen_cpu, say, quick, peer):
    calls = 300 if quick else 2000
    mine = guarded(lambda: ours(build, directory, cpu, gen_cpu, calls))
    control = {"engine_setups_per_s": mine["per_s"], "engine_setup": mine}
    sections = {"control": control}
    doubts = [mine["doubt"]]
    if mine["per_s"]:
        say(f"set-ups through the engine's socket: {mine['cpu_ms']:.2f} ms of CPU each, {mine['per_s']:.0f} a second and core")
    if peer:
        other = guarded(lambda: theirs(directory, cpu, gen_cpu, calls))
        ratio = mine["per_s"] / other["per_s"] if mine["per_s"] and other["per_s"] else None
        sections["peer.rtpengine.setup"] = {"ratio": ratio, "ours": mine, "theirs": other, "doubt": other["doubt"]}
        if ratio:
            say(f"rtpengine: {other['cpu_ms']:.2f} ms each; ratio {ratio:.2f}")
    called = guarded(lambda: sip(build, directory, cpu, gen_cpu, quick, say))
    control.update(sip_cps=called.get("sip_cps"), sip=called)
    control["doubt"] = "; ".join(filter(None, doubts + [called.get("doubt")]))
    sections["sim"] = simulator(build, quick, say)
    return {"sections": sections}
