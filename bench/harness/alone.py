"""Measurements of one process each: the recorder, the idle engine, memory."""
import json
import os
import re
import shutil
import subprocess
import time

from . import engine
from .lab import Failure, Lab, run
from .machine import first_line

RECORDER_CALLS = 10000
EXTENT_KIB = 16
DISK_STALLED_MS = 500  # for a write that takes a healthy disk some ms


def cpu_seconds(pid):
    """Of all threads, by the scheduler's own nanoseconds."""
    return sum(int((first_line(f"/proc/{pid}/task/{t}/schedstat") or "0").split()[0]) for t in os.listdir(f"/proc/{pid}/task")) / 1e9


def recorder(build, store, seconds, say):
    """Recorder thread and taps without a worker, in real time, onto this machine's disk."""
    shutil.rmtree(store, ignore_errors=True)
    os.makedirs(store)
    need = RECORDER_CALLS * 2 * 8300 * (seconds + 8)
    free = shutil.disk_usage(store).free
    if free < need * 1.2:
        return {"streams": None, "cpu_share": None, "doubt": f"{store} has {free >> 20} MiB free, {int(need * 1.2) >> 20} are needed"}
    done = subprocess.run(["nice", "-n", "-10", f"{build}/bench_record", store, str(RECORDER_CALLS), str(seconds), "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    shutil.rmtree(store, ignore_errors=True)  # five minutes are 66 GB
    try:
        r = json.loads(done.stdout)
    except ValueError:
        return {"streams": None, "cpu_share": None, "doubt": (done.stderr or done.stdout)[-300:]}
    say(f"recorder, {r['streams']} streams: {r['cpu_share'] * 100:.2f} % of a core, {r['mb_per_s']:.0f} MB/s, {r['worker_ns_per_frame']:.0f} ns a frame "
        f"at the worker, durable after {r['durable_ms_p99']} ms (p99), {r['durable_ms_max']} ms at most, {r['frames_lost']} frames lost; "
        f"4 KiB beside it: {r['disk_ms_p99']:.0f} ms (p99), {r['disk_ms_max']:.0f} ms at most")
    kept = ("streams", "cpu_share", "idle_cpu_share", "mb_per_s", "worker_ns_per_frame", "durable_ms_p50", "durable_ms_p99", "durable_ms_max",
            "disk_ms_p99", "disk_ms_max", "frames", "frames_lost")
    result = {**{key: r[key] for key in kept}, "cpu_ms_per_mb": r["cpu_share"] * 1000 / r["mb_per_s"] if r["mb_per_s"] else None,
              "operations_per_s": r["iops"], "operations_per_s_and_call": r["iops_per_call"], "doubt": ""}
    if r["frames_lost"]:
        why = f"{r['frames_lost']} frames were lost"
        if r["disk_ms_max"] >= DISK_STALLED_MS:
            why += f"; the disk stood still: 4 KiB written beside it took {r['disk_ms_max']:.0f} ms"
        result.update(streams=None, cpu_share=None, doubt=why)
    return result


def kill(build, say):
    """Frames that recordings lost when the engine was killed: the test of engine/record, its number."""
    program = f"{build}/test_record_kill"
    done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    found = re.search(r"^(\d+) passed, (\d+) failed", done.stdout, re.M)
    if not found:
        return {"kill_lost_frames": None, "doubt": done.stdout[-200:]}
    told = re.search(r"(\d+) kills: (\d+) frames accepted, (\d+) lost", done.stdout)
    if not told or found.group(2) != "0":
        return {"kill_lost_frames": None, "doubt": f"engine/record's kill test failed: {found.group(0)}"}
    kills, accepted, lost = map(int, told.groups())
    say(f"SIGKILL: {kills} kills, {accepted} frames accepted, {lost} lost")
    return {"kill_lost_frames": lost, "kill_rounds": kills, "kill_accepted_frames": accepted, "doubt": ""}


def idle(build, directory, cpu, gen_cpu, say, seconds=5):
    """CPU time of a whole engine with nothing to do, on a veth interface."""
    try:
        with Lab(f"{directory}/idle", cpu, gen_cpu) as lab:
            server = engine.Engine(lab, build)
            time.sleep(3)
            before, begin = cpu_seconds(server.process.pid), time.monotonic()
            time.sleep(seconds)
            share = (cpu_seconds(server.process.pid) - before) / (time.monotonic() - begin)
            say(f"idle engine: {share * 100:.2f} % of a core")
            return {"cpu_share": share, "seconds": seconds, "doubt": ""}
    except (OSError, Failure) as e:
        return {"cpu_share": None, "doubt": str(e)}


def memory(build, directory, cpu, gen_cpu, say, calls=1000):
    """What one more recorded call of two legs takes: tables, as the engine plans them, and extents that are in use while
    it is recorded (both directions talking). Packet buffers are shared by all and stand beside it."""
    try:
        plans = [plan(build, n) for n in (2000, 4000)]
        tables = (plans[1]["tables"] - plans[0]["tables"]) / 2000 * 1024
        packets = (plans[1]["packets"] - plans[0]["packets"]) / 2000 * 1024
        extents = extents_in_use(build, directory, cpu, gen_cpu, calls)
    except (OSError, Failure) as e:
        return {"per_recorded_call_kib": None, "doubt": str(e)}
    total = tables + extents * EXTENT_KIB
    say(f"memory per recorded call: {total:.1f} KiB = tables {tables:.1f} + {extents:.2f} extents of {EXTENT_KIB}; packet buffers {packets:.1f}")
    return {"per_recorded_call_kib": total, "per_call_tables_kib": tables, "per_leg_tables_kib": tables / 2, "extents_per_recorded_call": extents,
            "per_call_packets_kib": packets, "doubt": ""}


def plan(build, calls):
    """MiB of the tables and of the packets for so many calls."""
    text = run(f"{build}/patchbay-engine", "--plan", "--port", "tap:x,ip=10.0.0.1/24", "--rtp-ports", f"2000-{1999 + 4 * calls}", "--calls", str(calls))
    find = lambda word: float(re.search(rf"{word}\s+([\d.]+) MiB", text).group(1))
    return {"tables": find("legs, calls"), "packets": find("packets")}


def extents_in_use(build, directory, cpu, gen_cpu, calls):
    from . import veth
    with Lab(f"{directory}/memory", cpu, gen_cpu) as lab:
        server = engine.Engine(lab, build)
        try:
            free = server.rpc.call("stat.engine")["recorder"]["extents_free"]
            runner = veth.Runner(lab, server, build, 3, 1, {"record": True})
            runner.measure(2 * calls, again=False)
            return (free - server.rpc.call("stat.engine")["recorder"]["extents_free"]) / calls
        finally:
            server.stop()
