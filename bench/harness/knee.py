"""Find the load at which a limit is just kept. Pure: the measuring is a function that is handed in.

A limit is a dict: loss_ppm, p50_us, p99_us (those that are there are checked). Each load is measured
once (and once more when it missed the limit narrowly with the host stealing time); all limits share the points.
"""


def keeps(point, limit):
    """Whether a measured point keeps a limit. What is in doubt keeps none."""
    if point.get("doubt") or any(point.get(fault) for fault in ("deaf", "silent", "corrupt", "keys_lost")):
        return False
    return (point["loss_ppm"] <= limit.get("loss_ppm", float("inf")) and point["delay_us"]["p50"] <= limit.get("p50_us", float("inf"))
            and point["delay_us"]["p99"] <= limit.get("p99_us", float("inf")))


def search(measure, limit, start, most, step=1.3, precision=0.05, points=None):
    """The best point that keeps `limit`, or None; `points` (load -> point) holds what was measured already.

    Grows from `start` by `step` until the limit breaks, shrinks when it is broken at once, then halves the
    interval until it is narrower than `precision`. Never measures beyond `most`: a knee there is the
    harness's limit, and the point says so (`at_most`); so does one above which the next load was in doubt."""
    points = {} if points is None else points

    def good(load):
        if load not in points:
            points[load] = measure(load)
        return keeps(points[load], limit)

    known = sorted(points)
    low = max((n for n in known if keeps(points[n], limit)), default=None)
    high = min((n for n in known if not keeps(points[n], limit) and (low is None or n > low)), default=None)
    load = low if low is not None else min(start, most)
    while high is None or low is None:
        if good(load):
            low = load
            if load >= most:
                return {**points[low], "at_most": True}
            load = min(most, round_even(load * step))
        else:
            high = load
            load = round_even(load / step)
            if load < 20:
                return None
        if low is not None and high is not None and low >= high:
            high = None  # noise: what was broken below now holds above
    while high - low > max(2, precision * low):
        middle = round_even((low + high) / 2)
        if middle in (low, high):
            break
        if good(middle):
            low = middle
        else:
            high = middle
    # Broken only because the harness could not measure it: the server may carry more.
    return {**points[low], "at_most": True} if points[high].get("doubt") else points[low]


def round_even(n):
    return max(2, int(n) // 2 * 2)
