"""The samples promql_peer.py loads on both sides: gauges, counters, gaps, histograms."""

import json
import math

START = 1_700_000_100  # fixed, so that a seed always asks the same; spans a two-hour block border
MINUTES = 60
INSTANTS = [
    START + 20 * 60,
    START + 33 * 60 + 7.25,
    START + 41 * 60 + 0.001,
    START + 60 * 60 + 120,
    START + 60 * 60 + 600,
]


class Samples:
    """Series by label set, each a list of (milliseconds, value) in time order."""

    def __init__(self):
        self.series = {}

    def add(self, name, labels, points):
        self.series[(name, tuple(sorted(labels.items())))] = points

    def open_metrics(self):
        lines = []
        for (name, labels), points in self.series.items():
            inner = ",".join(f'{k}="{escape(v)}"' for k, v in labels)
            lines += [f"{name}{{{inner}}} {text(v)} {t / 1000:.3f}" for t, v in points]
        return "\n".join(lines) + "\n# EOF\n"

    def for_tool(self):
        for (name, labels), points in self.series.items():
            yield "series\t" + json.dumps({"__name__": name, **dict(labels)})
            for t, value in points:
                yield f"sample\t{t}\t{text(value)}"


def escape(value):
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def text(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))


def times(rng, step_s, first_minute=0, last_minute=MINUTES, jitter_ms=0, gap=None):
    """Scrape times; `gap` (from, to) in minutes leaves some out."""
    out = []
    t = first_minute * 60
    while t <= last_minute * 60:
        if gap is None or not gap[0] <= t / 60 < gap[1]:
            out.append((START + t) * 1000 + (rng.randrange(jitter_ms) if jitter_ms else 0))
        t += step_s
    return out


def counter(rng, when, reset_chance, step_max, first=0.0):
    points, value = [], first
    for t in when:
        value = float(rng.randrange(3)) if rng.random() < reset_chance else value
        points.append((t, value))
        value += rng.randrange(step_max)
    return points


def add_gauges(rng, samples):
    for i in range(6):
        labels = {"pod": f"llm-{i}", "namespace": "prod" if i % 2 else "dev", "model": f"m{i % 3}"}
        when = times(rng, 15, first_minute=i, jitter_ms=900 if i % 2 else 0)
        samples.add("vllm:num_requests_waiting", labels, [(t, rng.randrange(40)) for t in when])
        when = times(rng, 30, gap=(25, 35) if i == 2 else None)
        samples.add("gpu_busy", labels, [(t, rng.randrange(0, 65) / 64) for t in when])
    for i, special in enumerate([math.nan, math.inf, -math.inf, -0.0]):
        points = [(t, special if k % 3 == i % 3 else rng.randrange(-5, 6) / 4)
                  for k, t in enumerate(times(rng, 60))]
        samples.add("odd", {"pod": f"llm-{i}", "kind": f"k{i % 2}"}, points)
    for i in range(4):
        samples.add("limit", {"pod": f"llm-{i}"}, [(t, 10 + i) for t in times(rng, 60)])
        samples.add("quota", {"model": f"m{i}"}, [(t, 2.5 * i) for t in times(rng, 60)])
    for name in ("twin_a", "twin_b"):
        samples.add(name, {"x": "1"}, [(t, 3 if name == "twin_a" else 4) for t in times(rng, 60)])
    samples.add("words", {"say": 'a "quoted" é\nline', "path": "C:\\x"},
                [(t, 1) for t in times(rng, 60)])
    # The last sample lies exactly five minutes before the second-last instant, and a bit more.
    samples.add("edge", {"at": "border"}, [(int(INSTANTS[3] * 1000) - 300_000, 1)])
    samples.add("edge", {"at": "beyond"}, [(int(INSTANTS[3] * 1000) - 300_001, 2)])
    samples.add("single", {}, [((START + 1200) * 1000, 42)])


def add_counters(rng, samples):
    for i in range(8):
        labels = {"pod": f"llm-{i % 4}", "code": ["200", "500"][i // 4]}
        gap = (15, 21) if i == 3 else None
        when = times(rng, 15, first_minute=3 * i, last_minute=MINUTES - i, gap=gap,
                     jitter_ms=1500 if i % 3 == 0 else 0)
        first = [0.0, 1.0, 1e6][i % 3]
        samples.add("http_requests_total", labels,
                    counter(rng, when, 0.03 if i % 2 else 0.0, 12, first))
    samples.add("idle_total", {"pod": "llm-0"}, [(t, 7) for t in times(rng, 15)])
    samples.add("down_total", {"pod": "llm-0"}, [(t, 900 - k) for k, t in
                                                 enumerate(times(rng, 15))])
    samples.add("below_total", {"pod": "llm-0"}, [(t, k - 100.5) for k, t in
                                                  enumerate(times(rng, 20))])


def add_histograms(rng, samples):
    bounds = ["0.1", "0.3", "0.5", "1", "2.5", "+Inf"]
    for i in range(4):
        counts = [0] * len(bounds)
        points = {le: [] for le in bounds}
        for t in times(rng, 15, first_minute=2 * i):
            for _ in range(rng.randrange(9)):
                hit = min(int(rng.expovariate(0.6)), len(bounds) - 1)
                for k in range(hit, len(bounds)):
                    counts[k] += 1
            for le, count in zip(bounds, counts):
                points[le].append((t, count))
        for le in bounds:
            samples.add("latency_seconds_bucket", {"pod": f"llm-{i}", "le": le}, points[le])
    odd = {
        "no_top": [("1", 3), ("2", 5)],
        "only_top": [("+Inf", 5)],
        "falls": [("1", 5), ("2", 3), ("4", 9), ("+Inf", 8)],
        "same": [("1", 2), ("1.0", 3), ("1e0", 1), ("2", 9), ("+Inf", 12)],
        "negative": [("-2", 3), ("-1", 5), ("3", 8), ("+Inf", 9)],
        "below": [("-1", 0), ("0", 4), ("1", 8), ("+Inf", 8)],
        "empty": [("1", 0), ("2", 0), ("+Inf", 0)],
        "broken": [("x", 1), ("", 2), ("1", 3), (" 2", 7), ("inf", 5)],
        "nan": [("1", 1), ("2", math.nan), ("3", 6), ("+Inf", 9)],
        "all_in_top": [("1", 0), ("2", 0), ("+Inf", 4)],
        "spelled": [("5e-1", 1), ("+2", 2), ("Infinity", 6)],
        "big": [("1e400", 1), ("1e3", 2), ("+Inf", 6)],
    }
    for kind, buckets in odd.items():
        for le, count in buckets:
            labels = {"kind": kind, "le": le} if le else {"kind": kind}
            samples.add("odd_bucket", labels, [(t, count) for t in times(rng, 60)])
    for name in ("twin_a_bucket", "twin_b_bucket"):
        for le, count in (("1", 1), ("+Inf", 2)):
            samples.add(name, {"le": le}, [(t, count) for t in times(rng, 60)])


def all_samples(rng):
    samples = Samples()
    add_gauges(rng, samples)
    add_counters(rng, samples)
    add_histograms(rng, samples)
    return samples
