"""Two runs against one another, with confidence intervals."""
import math
import statistics

# Two-sided 95 % points of Student's t by degrees of freedom.
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23}


def interval(a, b):
    """(relative change of the mean from a to b, its 95 % interval), by Welch's method on the logarithms."""
    a, b = [math.log(x) for x in a], [math.log(x) for x in b]
    change = statistics.mean(b) - statistics.mean(a)
    if len(a) < 2 or len(b) < 2:
        return math.exp(change) - 1, None, None
    va, vb = statistics.variance(a) / len(a), statistics.variance(b) / len(b)
    spread = va + vb
    freedom = spread ** 2 / (va ** 2 / (len(a) - 1) + vb ** 2 / (len(b) - 1)) if spread > 0 else len(a) + len(b) - 2
    half = T95.get(max(1, int(freedom)), 2.0) * math.sqrt(spread)
    return math.exp(change) - 1, math.exp(change - half) - 1, math.exp(change + half) - 1


def sampled(results):
    """{key: samples in ns} of everything that was measured more than once."""
    found = {}
    for name, r in (results.get("macro") or {}).items():
        if isinstance(r, dict) and r.get("samples_ns"):
            found[f"macro.{name}"] = r["samples_ns"]
    for name, m in (results.get("micro") or {}).items():
        if isinstance(m, dict) and m.get("ns"):
            half = m["ns"] * (m.get("spread") or 0) / 2
            found[f"micro.{name}"] = [m["ns"] - half, m["ns"], m["ns"] + half]
    return found


def rows(a, b):
    """One row for each cost in both: positive change = b is slower."""
    old, new, result = sampled(a), sampled(b), []
    for key in old:
        if key not in new or min(old[key] + new[key]) <= 0:
            continue
        change, low, high = interval(old[key], new[key])
        if low is None or low <= 0 <= high:
            verdict = "no difference seen" if low is not None else "one sample: no interval"
        else:
            verdict = "slower" if change > 0 else "faster"
        result.append({"key": key, "before": statistics.median(old[key]), "after": statistics.median(new[key]), "change": change,
                       "low": low, "high": high, "verdict": verdict})
    return result


def single(a, b, keys, at):
    """Numbers that each run has once: [(key, before, after, change)]"""
    found = []
    for key in keys:
        x, y = at(a, key), at(b, key)
        if x and y:
            found.append((key, x, y, y / x - 1))
    return found
