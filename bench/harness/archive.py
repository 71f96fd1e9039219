"""Search, first byte and sealing (bench_archive), and the jitter buffer beside others (bench_jbuf)."""
import json
import os
import shutil
import subprocess

QUICK_ROWS, ROWS = 200000, 10000000
BYTES_A_ROW = 600


def lines(command):
    """The JSON lines that a program printed: {what: line}"""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise OSError(f"{os.path.basename(command[0])}: {(done.stderr or done.stdout).strip()[-200:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def run(build, directory, quick, say):
    """{section: values} for results.json."""
    program, place = f"{build}/bench/bench_archive", f"{directory}/archive"

    def nothing(doubt):
        return {"control": {"search_ms_p99": None, "doubt": doubt, "doubt_of": {"search_ms_p99": doubt}}}
    if not os.path.exists(program):
        return nothing("this build has no bench_archive")
    rows, files = (QUICK_ROWS, 1000) if quick else (ROWS, 100000)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    free = shutil.disk_usage(place).free
    if free < 1.3 * rows * BYTES_A_ROW + files * 40000:
        return nothing(f"{place} has {free >> 20} MiB free, too little for {rows} records")
    try:
        lines([program, "make", place, "--rows", str(rows), "--files", str(files)])
        search = lines([program, "search", place, "--queries", "300" if quick else "2000"])[0]
        play = lines([program, "play", place, "--requests", "100" if quick else "500"])[0]
        seal = lines([program, "seal"])
    except (OSError, ValueError, IndexError) as e:
        return nothing(str(e))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    share = max(s["added_percent"] for s in seal) / 100
    say(f"search among {rows} records, two filters: p50 {search['p50_ms']:.1f} ms, p99 {search['p99_ms']:.1f} ms; first byte p99 {play['p99_ms']:.1f} ms; "
        f"sealing adds {share * 100:.1f} %")
    whole = rows == ROWS
    doubt = "" if whole else f"quick: {rows} records only (p99 {search['p99_ms']:.1f} ms)"
    return {"control": {"search_ms_p99": search["p99_ms"] if whole else None, "search": {**search, "records": rows},
                        "doubt": doubt, "doubt_of": {"search_ms_p99": doubt}},
            "archive": {"first_byte_ms_p99": play["p99_ms"], "first_byte": {**play, "files": files}, "seal": seal, "doubt": ""},
            "recorder": {"encryption_cpu_share": share, "doubt": ""}}


def jitter_buffer(build, traces, out, say):
    program = f"{build}/bench/bench_jbuf"
    if not os.path.exists(program):
        return {"worse_than_fixed": None, "doubt": "this build has no bench_jbuf (libspeexdsp-dev)"}
    found = sorted(os.path.join(traces, f) for f in os.listdir(traces)) if os.path.isdir(traces) else []
    path = os.path.join(out, "jbuf.json")
    done = subprocess.run([program, "--json", path, *found], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 or not os.path.exists(path):
        return {"worse_than_fixed": None, "doubt": (done.stderr or done.stdout).strip()[-200:]}
    with open(path) as f:
        result = json.load(f)
    worse = [t["trace"] for t in result["traces"] if t.get("against_fixed") == "worse"]
    say(f"jitter buffer over {len(result['traces'])} traces: worse than a fixed one of the same delay in {len(worse)}")
    return {"worse_than_fixed": len(worse), "traces": result["traces"], "doubt": ""}
