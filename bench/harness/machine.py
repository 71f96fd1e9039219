"""The machine that was measured on, and how quiet it was."""
import os
import re
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def first_line(path, default=""):
    try:
        with open(path) as f:
            return f.readline().strip()
    except OSError:
        return default


def output_of(*command):
    try:
        return subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except OSError:
        return ""


def cpu_name():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def mitigations():
    where = "/sys/devices/system/cpu/vulnerabilities"
    return {name: first_line(f"{where}/{name}") for name in sorted(os.listdir(where))} if os.path.isdir(where) else {}


def package(name):
    return output_of("dpkg-query", "-W", "-f", "${Version}", name) or None


def jiffies():
    """Of all CPUs: (stolen by the host, all)."""
    numbers = [int(n) for n in first_line("/proc/stat").split()[1:]]
    return numbers[7], sum(numbers[:8])


def describe():
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": output_of("git", "rev-parse", "--short", "HEAD") + ("+" if output_of("git", "status", "--porcelain") else ""),
        "cpu": cpu_name(), "cores": len(os.sched_getaffinity(0)), "kernel": os.uname().release, "mitigations": mitigations(),
        "hugepages_2m": int(first_line("/proc/sys/vm/nr_hugepages", "0")), "hugepages_used": False,
        "governor": first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "none"),
        "virtual": output_of("systemd-detect-virt") or None,
        "memory_kib": int(re.search(r"\d+", first_line("/proc/meminfo")).group(0)),
        "versions": {"dpdk": output_of("pkg-config", "--modversion", "libdpdk"), "compiler": output_of("gcc", "-dumpfullversion"),
                     "rtpengine": package("rtpengine-daemon"), "libsrtp2": package("libsrtp2-1"), "ipsec_mb": package("libipsec-mb1"),
                     "sipp": package("sip-tester")},
        "load_before": os.getloadavg()[0],
    }


def noise(cpu, seconds=1.0):
    """How much of a CPU a program that wants all of it does not get: gaps in a loop that only looks at the clock.

    `lost_share` is the time in gaps of more than 20 us, `gap_us_max` the longest."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    begin = last = time.perf_counter_ns()
    lost = longest = 0
    while last - begin < seconds * 1e9:
        now = time.perf_counter_ns()
        gap = now - last
        if gap > 20000:
            lost += gap
            longest = max(longest, gap)
        last = now
    os.sched_setaffinity(0, before)
    return {"lost_share": lost / (last - begin), "gap_us_max": longest / 1000}


def is_noisy(before, after):
    return max(before["lost_share"], after["lost_share"]) > 0.02
