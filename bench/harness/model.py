"""Which server for so many calls: measured costs, added up. Pure."""

FRAMES_PER_S = 50
RTP_BYTES = 214 + 24  # on the wire with preamble, gap and check sequence
RECORD_BYTES_PER_S = 2 * 50 * 165  # two channels of G.711 with their frame headers


def cost(results, scene):
    r = (results.get("macro") or {}).get(scene) or {}
    return r.get("ns_per_frame")


def plan(results, calls, record=False, srtp=False, prompt_share=0.0, listeners=0.0, driver_ns=60.0, headroom=0.6):
    """What `calls` calls at once (two legs each) need. `driver_ns`: what a NIC's driver adds to a packet in and out, which
    virtual ports cannot tell. `headroom`: the busy share a worker is planned for. Raises KeyError naming a missing cost."""
    def need(scene):
        value = cost(results, scene)
        if value is None:
            raise KeyError(f"macro.{scene} has no number in these results")
        return value

    relay, streams = need("relay"), 2 * calls
    parts = {"relay": relay, "driver": driver_ns}
    if record:
        parts["recording"] = max(0.0, need("relay_record") - relay)
    if srtp:
        parts["srtp"] = max(0.0, need("srtp") - relay)
    ns = sum(parts.values())
    packet_cores = ns * FRAMES_PER_S * streams / 1e9
    if prompt_share:
        packet_cores += need("prompt_duplex") * FRAMES_PER_S * calls * prompt_share / 1e9
    if listeners:
        packet_cores += (need("monitored") - 2 * relay) * FRAMES_PER_S * calls * listeners / 1e9
    recorder = results.get("recorder") or {}
    recorder_cores = recorder["cpu_share"] * streams / recorder["streams"] if record and recorder.get("cpu_share") else 0.0
    memory = results.get("memory") or {}
    per_call = ((memory.get("per_recorded_call_kib") if record else memory.get("per_call_tables_kib")) or 0) + (memory.get("per_call_packets_kib") or 0)
    return {
        "ns_per_stream_frame": ns, "parts_ns": parts, "packet_cores": packet_cores / headroom, "recorder_cores": recorder_cores,
        "cores": int(packet_cores / headroom + recorder_cores) + 2,  # the rest of the machine: main lcore, control, archive
        "memory_mib": calls * per_call / 1024 + 512, "disk_mb_per_s": calls * RECORD_BYTES_PER_S / 1e6 if record else 0.0,
        "disk_tb_per_day_if_always_full": calls * RECORD_BYTES_PER_S * 86400 / 1e12 if record else 0.0,
        "network_mbit_per_s_each_way": streams * FRAMES_PER_S * (RTP_BYTES + (10 if srtp else 0)) * 8 / 1e6,
        "packets_per_s_each_way": streams * FRAMES_PER_S,
    }
