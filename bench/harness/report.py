"""results.md and the plots, from results.json."""
import os
import subprocess

from . import goals


def number(value, unit=""):
    if value is None:
        return "-"
    if unit == "of a core":
        return f"{value * 100:.2f} %"
    if isinstance(value, float) and value < 100:
        return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
    return f"{value:,.0f}"


def goal_rows(results, asked=True):
    """`asked` False: only what was measured, or why it was not."""
    lines = ["| case | measured | must | aim | verdict |", "|---|---|---|---|---|"]
    for r in goals.table(results):
        if not asked and r["measured"] is None and not r["doubt"]:
            continue
        measured = f"{number(r['measured'], r['unit'])} {'' if r['unit'] == 'of a core' else r['unit']}".strip() if r["measured"] is not None else "-"
        verdict = r["verdict"] + (f": {r['doubt']}" if r["doubt"] else "")
        lines.append(f"| {r['case']} | {measured} | {number(r['must'], r['unit'])} | {number(r['aim'], r['unit'])} | {verdict} |")
    return lines


def peer_rows(results):
    lines = []
    for name, peers in (results.get("peer") or {}).items():
        lines += ["", f"## Against {name}", "", next((p["note"] for p in peers.values() if isinstance(p, dict) and "note" in p), ""), "",
                  f"| case | limit | patchbay | {name} | ratio | us of CPU a packet, ours / theirs |", "|---|---|---|---|---|---|"]
        for case, p in peers.items():
            if not isinstance(p, dict) or "ours" not in p:
                continue
            for limit, key, at in (("p50 < 1 ms, p99 < 20 ms", "", "at_knee"), ("p99 < 1 ms", "_p99_1ms", "at_p99_1ms")):
                cpu = [number((p[side].get(at) or {}).get("cpu_us_per_packet")) for side in ("ours", "theirs")]
                lines.append(f"| {case} | {limit} | {number(p['ours'].get('streams_per_core' + key))} | {number(p['theirs'].get('streams_per_core' + key))} | "
                             f"{number(p.get('ratio' + key))} | {cpu[0]} / {cpu[1]} |")
    return lines


def stage_rows(results):
    lines = ["", "## Where the cycles go (ring ports)", "", "| scene | legs | ns a frame | cycles a packet, by stage (share of the time) |", "|---|---|---|---|"]
    for name, r in (results.get("macro") or {}).items():
        if isinstance(r, dict) and r.get("stages"):
            stages = ", ".join(f"{s} {v['cycles_per_packet']:.0f} ({v['share'] * 100:.0f} %)" for s, v in r["stages"].items())
            lines.append(f"| {name} | {r['legs']} | {number(r['ns_per_frame'])} | {stages} |")
    return lines if len(lines) > 5 else []


def wire_rows(results):
    """The same over veth and memif, at the knee. A stage's cycles are shared out over all packets received."""
    macro = results.get("macro") or {}
    points = [(f"{name} over veth", (r or {}).get("at_knee")) for name, r in (macro.get("veth") or {}).items() if isinstance(r, dict)]
    points.append(("relay over memif", ((macro.get("memif") or {}).get("relay") or {}).get("at")))
    lines = ["", "## Where the cycles go (veth, memif)", "", "| scene | streams | cycles for a packet received, by stage (share of the time) |", "|---|---|---|"]
    for name, point in points:
        if point and point.get("stages"):
            stages = ", ".join(f"{s} {v['cycles_per_packet']:.0f} ({v['share'] * 100:.0f} %)" for s, v in point["stages"].items())
            lines.append(f"| {name} | {number(point['streams'])} | {stages} |")
    return lines if len(lines) > 5 else []


def line_rows(results):
    lines = ["", "## Cache lines a packet needs (relay on ring ports, simulated)", "",
             "| legs | from beyond the first level, by stage (beyond the last) |", "|---|---|"]
    for r in (results.get("stages") or {}).get("relay") or []:
        stages = ", ".join(f"{name} {s['first_level']:.1f} ({s['last_level']:.1f})" for name, s in r["stages"].items())
        lines.append(f"| {r['legs']} | {stages} |")
    return lines if len(lines) > 5 else []


def misses(m):
    c = m.get("cache_misses")
    return f"{number(c['first_level'])} / {number(c['last_level'])}" if c else "-"


def micro_rows(results):
    micro = results.get("micro") or {}
    rows = [(n, m) for n, m in micro.items() if isinstance(m, dict) and m.get("ns") is not None]
    if not rows:
        return []
    lines = ["", "## Small pieces", "", "| piece | ns | cycles | lines not in the first / last level of cache | instructions (callgrind) | against the baseline |",
             "|---|---|---|---|---|---|"]
    for name, m in rows:
        change = m.get("instructions_change")
        lines.append(f"| {name} | {number(m['ns'])} | {number(m.get('cycles'))} | {misses(m)} | {number(m.get('instructions'))} | "
                     + (f"{change * 100:+.1f} %" if change is not None else "-") + " |")
    return lines


def text(results):
    m = results["machine"]
    lines = ["# Results of bench/run", "",
             f"{m['time']}, commit {m['commit']}, {m['cpu']}, {m['cores']} cores, kernel {m['kernel']}, DPDK {m['versions']['dpdk']}"
             + (", quick" if results["quick"] else "") + ".", ""]
    if m.get("noisy"):
        lines += [f"**Noisy**: before and after the run a loop that does nothing lost {m['noise_before']['lost_share'] * 100:.1f} % and "
                  f"{m['noise_after']['lost_share'] * 100:.1f} % of the measured CPU; the host took {m['steal_share'] * 100:.1f} %; two passes of one scene were up to {m.get('passes_apart', 1):.1f} times apart. Compare nothing across runs.", ""]
    if results.get("busy"):
        lines += ["Measured with --busy: delays, loss and lateness over veth are those of the median tenth of a second.", ""]
    lines += ["## What we aim at, per worker core", ""] + goal_rows(results) + peer_rows(results) + stage_rows(results) + wire_rows(results) + line_rows(results) + micro_rows(results)
    return "\n".join(lines) + "\n"


def write(results, directory):
    with open(f"{directory}/results.md", "w") as out:
        out.write(text(results))
    plots(results, directory)


# Plots: data as TSV beside them, so that anybody can draw them again.

def plots(results, directory):
    macro, peers = results.get("macro") or {}, (results.get("peer") or {}).get("rtpengine") or {}
    curve = [(r["legs"], r["ns_per_frame"]) for r in (macro.get("relay") or {}).get("by_legs", []) if r.get("ns_per_frame")]
    if curve:
        plot(directory, "cost", "Cost of a relayed frame on ring ports", "streams", "ns", {"patchbay": curve}, "set logscale x; set yrange [0:*]")
    for scene, p in peers.items():
        if not isinstance(p, dict) or "ours" not in p:
            continue
        for what, field, label, extra in (("delay", lambda c: c["delay_us"]["p99"], "p99 delay, us", "set logscale xy"),
                                          ("cpu", lambda c: c["cpu_us_per_packet"], "CPU a packet, us", "set logscale x; set yrange [0:*]")):
            series = {who: [(c["streams"], field(c)) for c in p[side].get("curve", []) if c and c.get("delay_us") and not c.get("doubt")]
                      for who, side in (("patchbay", "ours"), ("rtpengine", "theirs"))}
            if any(series.values()):
                plot(directory, f"{scene}-{what}", f"{scene} over veth, one core", "streams", label, series, extra)
    ratios = [(scene, p.get("ratio") or 0, p.get("ratio_p99_1ms") or 0) for scene, p in peers.items() if isinstance(p, dict) and "ratio" in p]
    if ratios:
        bars(directory, ratios)


def gnuplot(directory, name, body):
    script = ""
    for terminal, suffix in (("pngcairo noenhanced size 900,540", "png"), ("svg noenhanced size 900,540", "svg")):
        script += f"set terminal {terminal}\nset output '{name}.{suffix}'\n{body}\n"
    subprocess.run(["gnuplot"], input=script, text=True, cwd=directory, stderr=subprocess.DEVNULL, check=False)


def plot(directory, name, title, x, y, series, extra):
    draws = []
    for who, points in series.items():
        path = f"{name}-{who}.tsv"
        with open(os.path.join(directory, path), "w") as out:
            out.writelines(f"{a}\t{b}\n" for a, b in sorted(points))
        if points:
            draws.append(f"'{path}' with linespoints pt 7 title '{who}'")
    gnuplot(directory, name, f"set title '{title}'; set xlabel '{x}'; set ylabel '{y}'; set grid; set key top left; {extra}\nplot {', '.join(draws)}")


def bars(directory, ratios):
    with open(os.path.join(directory, "ratios.tsv"), "w") as out:
        out.writelines(f"{a.replace('transcode_', 'to ')}\t{b:.2f}\t{c:.2f}\n" for a, b, c in ratios)
    gnuplot(directory, "ratios", "set title 'patchbay over rtpengine (user space), work per core'; set style data histogram; set style fill solid 0.7; "
            "set yrange [0:*]; set grid y; set datafile separator '\\t'\nplot 'ratios.tsv' using 2:xtic(1) title 'at the knee', '' using 3 title 'at p99 < 1 ms'")
