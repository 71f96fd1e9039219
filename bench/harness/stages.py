"""Instructions and cache lines that each stage of the packet path needs for a packet, over the number of legs.

A relay on ring ports under callgrind: what `worker_turn()` spends in each stage's function, itself and all below it, as the difference
of two runs that differ in their rounds only, so that opening the legs does not count. Misses are those of a simulated first and last level
of this CPU's sizes (no counter reaches into a virtual machine) without hardware prefetching: lines that a packet touches, not what they cost.
"""
import os
import re
import shutil
import subprocess

STAGES = {"rx_burst": "rx", "classify_burst": "classify", "srtp_open_burst": "srtp_open", "rtcp_burst": "rtcp", "rtp_in_burst": "rtp_in",
          "relay_burst": "relay", "deliver_burst": "jbuf", "playout": "playout", "srtp_seal_burst": "srtp_seal", "tx_flush": "tx"}
SIZES = [1000, 10000, 50000, 100000]
ROUNDS = (2, 6)
TIME_LIMIT_S = 600


def spent_in(path, caller="worker_turn"):
    """Of a file that callgrind wrote: (names of what was counted, {function called by `caller`: sums})."""
    names, sums, events = {}, {}, []
    inside = call = False
    callee = None

    def name(text):
        number, said = re.match(r"\((\d+)\)(?: (.*))?", text).groups()
        if said:
            names[number] = said
        return names.get(number, "?")

    with open(path) as file:
        for line in map(str.rstrip, file):
            if line.startswith("events:"):
                events = line.split()[1:]
            elif line.startswith("fn="):
                inside = name(line[3:]) == caller
            elif line.startswith("cfn="):
                callee = name(line[4:])
            elif line.startswith("calls="):
                call = True
            elif call:
                call = False
                if inside:
                    sums.setdefault(callee, dict.fromkeys(events, 0))
                    for event, n in zip(events, line.split()[1:]):
                        sums[callee][event] += int(n)
    return events, sums


def counted(build, directory, legs, rounds):
    out = f"{directory}/callgrind"
    store = f"{directory}/stages"
    try:
        subprocess.run(["valgrind", "--tool=callgrind", "--cache-sim=yes", f"--callgrind-out-file={out}", f"{build}/bench/bench_worker", "relay", "--legs",
                        str(legs), "--rounds", str(rounds), "--store", store], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
                       timeout=TIME_LIMIT_S)
        return spent_in(out)[1]
    finally:
        shutil.rmtree(store, ignore_errors=True)
        if os.path.exists(out):
            os.unlink(out)


def per_packet(few, many, packets):
    """{stage: {instructions, first_level, last_level}} of one packet."""
    result = {}
    for function, stage in STAGES.items():
        if function in many:
            def more(*events):
                return sum(many[function].get(e, 0) - few.get(function, {}).get(e, 0) for e in events) / packets
            result[stage] = {"instructions": more("Ir"), "first_level": more("D1mr", "D1mw"), "last_level": more("DLmr", "DLmw")}
    return result


def run(build, directory, quick, say):
    if shutil.which("valgrind") is None:
        return {"relay": None, "doubt": "valgrind is not installed"}
    os.makedirs(directory, exist_ok=True)
    sizes, result, doubt = SIZES[:1] if quick else SIZES, [], ""
    for legs in sizes:
        try:
            few, many = (counted(build, directory, legs, rounds) for rounds in ROUNDS)
            stages = per_packet(few, many, legs * (ROUNDS[1] - ROUNDS[0]))
        except (OSError, subprocess.SubprocessError, ValueError) as e:
            doubt = f"{legs} legs: {(getattr(e, 'stderr', None) or str(e))[-200:]}"
            break
        result.append({"legs": legs, "stages": stages})
        say(f"relay, {legs} legs, lines from beyond the first (last) level a packet: "
            + ", ".join(f"{name} {s['first_level']:.1f} ({s['last_level']:.1f})" for name, s in stages.items()))
    return {"relay": result or None, "simulated": True, "doubt": doubt}
