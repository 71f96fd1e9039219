"""Small pieces: ns and cycles from bench_micro, instructions from callgrind, and the baseline of those.

Instructions of one frame are the difference of two runs that differ in the number of times only, so what the
program does around the piece does not count. They do not depend on what else the machine does; they do on
compiler and libraries, which is why the baseline names them. Under valgrind the CPU has no AVX-512: pieces with
kernels of their own for it are counted with AVX2.
"""
import json
import os
import re
import shutil
import subprocess

from .machine import package

BASELINE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "baseline.json")
ALLOWED = 0.05
# Few objects and times: valgrind is slow, and nothing here depends on caches.
COUNTED = {"default": (900, 2700, 50), "opus_encode_16k_c3": (36, 108, 4), "opus_decode_16k": (90, 270, 4), "g722_encode": (90, 270, 4),
           "g722_decode": (90, 270, 4), "srtp_burst": (90, 270, 50), "srtp_library": (90, 270, 50)}
# Enough objects that none is still in the cache when its turn comes again: what a packet of a large system meets.
MISSED = {"default": (10000, 30000, 10000), "srtp_burst": (400, 1200, 10000)}
COLD = {"parse", "jbuf", "g711_decode", "mix_add", "dtmf", "srtp_burst"}
OBJECTS = [1000, 10000, 50000, 100000]


def pieces(build):
    return subprocess.run([f"{build}/bench/bench_micro", "--list"], stdout=subprocess.PIPE, text=True).stdout.split()


def timed(build, piece, cpu, *more):
    done = subprocess.run([f"{build}/bench/bench_micro", piece, "--cpu", str(cpu), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {"ns": None, "doubt": (done.stderr or "it died")[-200:]}


def collected(build, piece, times, objects, caches=False):
    """(what callgrind counted of the whole program, frames it handled): [instructions], and with `caches` reads, writes, and misses
    of a simulated first level (instructions, reads, writes) and last level (the same)."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *(["--cache-sim=yes"] if caches else []),
                           f"{build}/bench/bench_micro", piece, "--times", str(times), "--of", str(objects)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : ([\d ]+)", done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError(done.stderr[-200:])
    return [int(n) for n in found.group(1).split()], json.loads(done.stdout)["frames"]


def instructions(build, piece):
    few, many, objects = COUNTED.get(piece, COUNTED["default"])
    a, b = collected(build, piece, few, objects), collected(build, piece, many, objects)
    return (b[0][0] - a[0][0]) / (b[1] - a[1])


def cache_misses(build, piece):
    """Lines that a frame of one of 10,000 objects does not find in a first-level cache and in a last-level cache of this
    CPU's sizes. Simulated, because no counter reaches into a virtual machine; hardware prefetching is not."""
    few, many, objects = MISSED.get(piece, MISSED["default"])
    try:
        (a, n), (b, m) = collected(build, piece, few, objects, True), collected(build, piece, many, objects, True)
    except (OSError, RuntimeError, ValueError):
        return None
    per = [(y - x) / (m - n) for x, y in zip(a, b)]
    return {"first_level": per[4] + per[5], "last_level": per[7] + per[8], "simulated": True}


def compiler():
    return subprocess.run(["gcc", "-dumpfullversion"], stdout=subprocess.PIPE, text=True).stdout.strip()


def baseline():
    try:
        with open(BASELINE) as f:
            return json.load(f)
    except OSError:
        return {"instructions": {}}


def compare(measured, base):
    """{piece: change}, [pieces that need more than 5 % more than the baseline]"""
    changes = {p: measured[p] / base[p] - 1 for p in measured if measured[p] is not None and base.get(p)}
    return changes, sorted(p for p, c in changes.items() if c > ALLOWED)


def count_all(build, names, say):
    counts = {}
    for piece in names:
        try:
            counts[piece] = round(instructions(build, piece), 1)
        except (OSError, RuntimeError, ZeroDivisionError) as e:
            counts[piece] = None
            say(f"{piece}: no instruction count: {e}")
    return counts


def run(build, cpu, quick, say):
    result, names, valgrind = {"doubt": ""}, pieces(build), shutil.which("valgrind") is not None
    for piece in names:
        r = timed(build, piece, cpu)
        result[piece] = r
        if r["ns"] is None:
            result["doubt"] = f"{piece}: {r['doubt']}"
            continue
        if piece in COLD and not quick:
            r["by_objects"] = [{"objects": n, "ns": timed(build, piece, cpu, "--of", str(n))["ns"]} for n in OBJECTS]
        r["cache_misses"] = cache_misses(build, piece) if piece in COLD and valgrind and not quick else None
        say(f"{piece}: {r['ns']:.0f} ns, {r['cycles']:.0f} cycles"
            + (f", {r['cache_misses']['first_level']:.1f} lines from beyond the first level" if r["cache_misses"] else ""))
    if not valgrind:
        result["doubt"] = "valgrind is not installed: no instruction counts"
        return result
    base = baseline()
    counts = count_all(build, [n for n in names if result[n]["ns"] is not None], say)
    changes, worse = compare(counts, base["instructions"])
    for piece, count in counts.items():
        result[piece].update(instructions=count, instructions_baseline=base["instructions"].get(piece), instructions_change=changes.get(piece))
    result["baseline_of"] = {k: v for k, v in base.items() if k != "instructions"}
    result["regressions"] = worse
    for piece in worse:
        say(f"REGRESSION: {piece} needs {changes[piece] * 100:.1f} % more instructions than the baseline")
    return result


def write_baseline(build, say):
    """What `bench/run --baseline` does: count again and keep it as what is right."""
    base = {"compiler": compiler(), "ipsec_mb": package("libipsec-mb1"), "opus": package("libopus0"), "spandsp": package("libspandsp2"),
            "instructions": count_all(build, pieces(build), say)}
    with open(BASELINE, "w") as f:
        json.dump(base, f, indent=1)
        f.write("\n")
    return base
