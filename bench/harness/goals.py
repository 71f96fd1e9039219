"""What we aim at, per worker core: one line for each case, and where its number stands in results.json."""

# case, key, must, aim, unit, more is better
GOALS = [
    ("relay G.711, memif, 50k flows", "macro.memif.relay.streams_per_core", 80000, 130000, "streams", True),
    ("relay G.711, ring ports", "macro.relay.streams_per_core", 150000, 300000, "streams", True),
    ("relay, cost at 50k streams against 1k", "macro.relay.cost_ratio_50k_1k", 1.5, 1.2, "times", False),
    ("relay over veth against rtpengine", "peer.rtpengine.relay.ratio", 5, 7, "times", True),
    ("relay + both directions recorded, ring", "macro.relay_record.streams_per_core", 60000, 150000, "streams", True),
    ("recorded calls over veth against rtpengine", "peer.rtpengine.record.ratio", 5, 7, "times", True),
    ("SRTP in and out, ring", "macro.srtp.streams_per_core", 40000, 80000, "streams", True),
    ("SRTP over veth against rtpengine", "peer.rtpengine.srtp.ratio", 6, 8, "times", True),
    ("relay at p99 delay below 1 ms, against rtpengine", "peer.rtpengine.relay.ratio_p99_1ms", 8, 12, "times", True),
    ("recorded calls at p99 below 1 ms, against rtpengine", "peer.rtpengine.record.ratio_p99_1ms", 8, 12, "times", True),
    ("SRTP at p99 below 1 ms, against rtpengine", "peer.rtpengine.srtp.ratio_p99_1ms", 8, 12, "times", True),
    ("prompt playback, ring", "macro.prompt.streams_per_core", 150000, 250000, "callers", True),
    ("in-band DTMF on every stream", "macro.dtmf.streams_per_core", 18000, 100000, "streams", True),
    ("rooms of 8, G.711, ring", "macro.room8.legs_per_core", 30000, 60000, "legs", True),
    ("monitored calls (1 listener each)", "macro.monitored.calls_per_core", 20000, 40000, "calls", True),
    ("G.711 to Opus 16 kHz, complexity 3", "macro.transcode_opus.streams_per_core", 180, None, "streams one way", True),
    ("p99 delay added at 80 % load, ring", "macro.relay.delay_at_80.p99_us", 200, 60, "us", False),
    ("recorder, 10,000 stereo calls, durable in 250 ms-1 s", "recorder.cpu_share", 0.15, 0.05, "of a core", False),
    ("recorder, operations a second and call", "recorder.operations_per_s_and_call", 0.25, None, "1/s", False),
    ("recorder, p99 durability", "recorder.durable_ms_p99", 1000, 250, "ms", False),
    ("recorder, frames lost at SIGKILL", "recorder.kill_lost_frames", 0, 0, "frames", False),
    ("encryption's share of CPU", "recorder.encryption_cpu_share", 0.05, None, "of the archive's CPU", False),
    ("search among 10,000,000 call records, p99", "control.search_ms_p99", 200, None, "ms", False),
    ("first byte of a stored recording, p99", "archive.first_byte_ms_p99", 100, None, "ms", False),
    ("idle engine", "idle.cpu_share", 0.01, 0.002, "of a core", False),
    ("memory per recorded call", "memory.per_recorded_call_kib", 48, 40, "KiB", False),
]


def at(results, path):
    """The value at a dotted path; None when it is not there."""
    for word in path.split("."):
        if not isinstance(results, dict) or word not in results:
            return None
        results = results[word]
    return results


def verdict(value, must, aim, more):
    if value is None:
        return "no number"
    reached = (lambda goal: value >= goal) if more else (lambda goal: value <= goal)
    if aim is not None and reached(aim):
        return "aim"
    return "must" if reached(must) else "missed"


def table(results):
    """[{case, key, measured, must, aim, unit, verdict, doubt}]"""
    rows = []
    for case, key, must, aim, unit, more in GOALS:
        value = at(results, key)
        parent = at(results, key.rsplit(".", 1)[0]) or {}
        doubt = (parent.get("doubt_of") or {}).get(key.rsplit(".", 1)[1]) or parent.get("doubt") or ""
        said = verdict(value, must, aim, more)
        name = key.rsplit(".", 1)[1]
        if said == "missed" and name.startswith("ratio") and parent.get(name.replace("ratio", "at_least")):
            said = "at least"  # the next load was beyond the harness or disturbed: it may be more
        rows.append({"case": case, "key": key, "measured": value, "must": must, "aim": aim, "unit": unit,
                     "verdict": said, "doubt": doubt if value is None else ""})
    return rows
