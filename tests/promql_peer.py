#!/usr/bin/env python3
"""Holds our PromQL against the real Prometheus: the same samples, the same questions, both answers.

Usage: promql_peer.py PROMQL_TOOL [--seed N] [--random N] [--verbose]

Makes samples (gauges, counters with resets, gaps, histograms, names with colons), loads them into a
Prometheus of its own on a free loopback port, and asks both sides each query at several instants.
Values must agree to 1e-9, labels exactly, and what one side refuses the other must refuse at the
same stage (reading the query, or evaluating it). Queries outside the subset must be refused by ours
and name what they ask for. Ends with "N passed, M failed"; exit code 77 if there is no Prometheus.
"""

import argparse
import http.client
import json
import math
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

SKIPPED = 77
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


# Slots are filled at random, each query several times. In templates ⏎ is a line feed, ⇥ a tab.
SLOTS = {
    "gauge": ["vllm:num_requests_waiting", "gpu_busy", 'gpu_busy{namespace="prod"}', "odd", "limit",
              'vllm:num_requests_waiting{pod=~"llm-[0-3]",model!="m1"}', "single", "nothing"],
    "counter": ["http_requests_total", 'http_requests_total{code="500"}', "idle_total",
                "http_requests_total", 'http_requests_total{pod="llm-1"}', "down_total",
                "below_total", 'http_requests_total{pod!~"llm-(0|2)"}', "nothing_total"],
    "range": ["1m", "90s", "2m", "5m", "10m", "3m", "5m", "20m", "37s", "14s", "1h30m", "15s",
              "30s", "500ms", "1d"],
    "offset": ["", "", "", "", " offset 5m", " offset -3m", " offset 1h", " offset 90s"],
    "q": ["0", "0.5", "0.95", "0.99", "1", "-1", "2", "NaN", "0.333"],
    "by": ["by (pod)", "by (namespace, model)", "without (pod)", "by ()", "without ()", "",
           "by (missing)", "by (pod, namespace)", "by (__name__)", "without (__name__)",
           "by (pod, pod,)", "by (kind)"],
    "agg": ["sum", "avg", "min", "max", "count"],
    "over": ["avg", "min", "max", "sum", "count", "stddev", "stdvar", "last", "present"],
    "growth": ["rate", "increase", "delta", "irate"],
    "arith": ["+", "-", "*", "/", "%", "^"],
    "cmp": ["==", "!=", "<", "<=", ">", ">="],
    "match": ["", "", "on(pod) ", "on(pod) ", "ignoring(code) ", "on() ",
              "ignoring(namespace, model, code) ",
              "on(__name__) ", "ignoring(__name__) ", "on(pod, code) ", "on(model) "],
    "set": ["and", "or", "unless"],
    "n": ["0", "1", "2.5", "-3", "1e3", "0x1F", "017", "08", ".5", "1.", "Inf", "NaN", "-inf"],
    "unary": ["abs", "ceil", "floor", "round", "absent", "vector(1) * scalar", "-", "+"],
    "any": ["gpu_busy", "gpu_busy * 64", "limit - 5", "gpu_busy",
            "rate(http_requests_total[5m])", "odd", "limit", "nothing", "quota",
            "sum by (pod) (http_requests_total)", "count(limit)", '{__name__=~"twin_."}',
            "vllm:num_requests_waiting"],
}

TEMPLATES = r"""
<gauge><offset>
<counter><offset>
<growth>(<counter>[<range>]<offset>)
<growth>(<gauge>[<range>]<offset>)
<growth>((<counter>[<range>]))
<over>_over_time(<gauge>[<range>]<offset>)
<over>_over_time(<counter>[<range>]<offset>)
<over>_over_time(odd[<range>])
quantile_over_time(<q>, <gauge>[<range>]<offset>)
quantile_over_time(<q>, odd[<range>])
<agg> <by> (<gauge>)
<agg>(<gauge>) <by>
<agg> <by> (<growth>(<counter>[<range>]))
<agg>(odd)
<agg> <by> (odd)
<agg>(<agg> <by> (<counter>))
quantile <by> (<q>, <gauge>)
quantile(<q>, odd) <by>
<agg> <by> ({__name__=~"twin_.|limit"})
histogram_quantile(<q>, latency_seconds_bucket)
histogram_quantile(<q>, rate(latency_seconds_bucket[<range>]))
histogram_quantile(<q>, sum by (le) (rate(latency_seconds_bucket[<range>])))
histogram_quantile(<q>, sum by (le, pod) (increase(latency_seconds_bucket[<range>]<offset>)))
histogram_quantile(<q>, odd_bucket)
histogram_quantile(<q>, {__name__=~"twin_._bucket"})
histogram_quantile(<q>, <any>)
histogram_quantile(scalar(sum(quota)) / 20, latency_seconds_bucket)
<any> <arith> <n>
<n> <arith> <any>
<any> <cmp> <n>
<n> <cmp> <any>
<any> <cmp> bool <n>
<n> <cmp> bool <any>
<n> <arith> <n>
<n> <cmp> bool <n>
<n> <arith> <n> <arith> <n> <arith> <n>
<n> <arith> -<n> <arith> <n>
-<n> <arith> <n>
-<any> <arith> <n> <arith> <any>
<any> <arith> <match><any>
<any> <cmp> <match><any>
<any> <cmp> bool <match><any>
<any> <set> <match><any>
<any> <set> <any> <set> <any>
(<any> <set> <any>) <arith> <n>
-(<any> <set> <match><any>)
<gauge> <arith> <match><gauge>
<counter> <arith> <match><counter>
<counter> <arith> ignoring(code) <counter>
<counter> <cmp> on(pod, code) <counter>
<agg> <by> (<any>) <arith> <match><agg> <by> (<any>)
sum(rate(http_requests_total{code="500"}[<range>])) / sum(rate(http_requests_total[<range>]))
http_requests_total{code="500"} <arith> ignoring(code) http_requests_total{code="200"}
http_requests_total{code="500"} <cmp> ignoring(code) http_requests_total{code="200"}
http_requests_total{code="500"} <cmp> on(pod) http_requests_total{code="200"}
limit <cmp> on(pod) gpu_busy
<unary>(<gauge>)
<unary>(<any>)
-<any>
+<any>
<unary>(rate(<counter>[<range>]))
round(<any>, <n>)
round(<gauge> * 3, 0.1)
clamp(<any>, <n>, <n>)
clamp_min(<any>, <n>)
clamp_max(<any>, <n>)
absent(nothing{a="b",c=~"d",e="f",e="g",h!="i",j=""})
absent({__name__="nothing", a="b"})
absent(((nothing{a="b"})))
absent(nothing{a="b"} offset 5m)
absent(sum(nothing{a="b"}))
absent(<any>)
scalar(<any>)
scalar(sum(<any>)) <arith> <n>
vector(<n>)
vector(time()) - <n>
time() <arith> <n>
scalar(limit{pod="llm-1"}) <arith> gpu_busy
edge
edge offset 1ms
edge offset -1ms
count_over_time(edge[5m])
count_over_time(edge[300001ms])
count_over_time(gpu_busy[30s])
count_over_time(gpu_busy[29999ms])
{__name__=~"twin_.", x="1"}
{__name__=~"twin_.", x="1"} <arith> <n>
-{__name__=~"twin_."}
rate({__name__=~"twin_."}[5m])
last_over_time({__name__=~"twin_."}[5m])
{__name__=~"twin_."} <cmp> <n>
{__name__=~"twin_."} <cmp> bool <n>
abs({__name__=~"twin_."})
{__name__="limit", pod=~"llm-.", pod!="llm-2"}
{__name__="limit", __name__=~"l.*", __name__!~"x.*"}
{__name__="limit", __name__="quota"}
{pod="llm-1", __name__!~"http.*|vllm.*"}
words{say="a \"quoted\" \u00e9\nline"}
words{say='a "quoted" \303\251\x0aline', path="C:\\x"}
words{path=`C:\x`}
words{path=~`C:\\x`}
words{say=~"a.*"}
words{say=~"(?s)a.*"}
words{say=~"a"}
limit{pod=~"LLM-1"}
limit{pod=~"(?i)LLM-1"}
limit{pod=~"llm-1|llm-2"}
limit{pod=~""}
limit{pod!=""}
limit{missing=""}
limit{missing!~".+"}
limit{missing=~".*", pod=~"llm-[^0]",}
SUM(limit) + Sum by (pod) (limit)
sum(limit) # a comment
# leading⏎  limit # trailing⏎  > 11
limit{ # inside⏎ pod="llm-1" # and here⏎}
sum⇥by⏎( pod )(limit)
sum
by + offset
rate(limit [ 5m ])
(limit)
((1))
2 ^ 3 ^ 2
-2 ^ 2
2 ^ -1 * 3
- - 2
1 - -1
-limit ^ 2
1 + 2 * 3 ^ 2 % 4 - 5 / 2
1 == bool 1 != bool 2
limit > 10 < 13
limit > bool 10 == bool 1
limit and limit > 11 or limit < 11
limit or quota unless limit
limit unless quota or limit
1 + on() 2
limit + on() 1
10 % 3.5
-10 % 3
1 / 0
0 / 0
-1 / 0
0x10 + 010 + 09 + 1e2 + .5e1
0xAbC
infinity
iNf + 1
avg(limit offset 5m) + avg(limit)
max_over_time(limit[1h30m5s10ms])
limit offset 1h1m1s1ms
count without (pod) (limit) + on() count(quota)
sum by (le) (latency_seconds_bucket)
sum(increase(http_requests_total[1d]))
"""

# Both sides must refuse these.
BROKEN = r"""
limit{
limit}
limit{pod}
limit{pod=}
limit{pod="a}
limit{pod='a⏎'}
limit{"pod"="a"}
limit{pod="a" namespace="b"}
limit{,}
limit{pod="a",,}
limit{pod=a}
limit{pod=~"("}
limit{pod=~"a**"}
limit{pod=~"[z-a]"}
limit{pod="\q"}
limit{pod="\'"}
limit{pod='\"'}
limit{pod="\x4"}
limit{pod="\400"}
limit{pod="\ud800"}
limit{pod="\U00110000"}
limit{__name__="limit"}
limit{__name__=~".*"}
limit{a:b="c"}
{}
{pod=""}
{pod=~".*"}
{pod=~"x*", a!="b"}
{pod!="x"}
limit limit
limit 5
5 limit
1 +
+
* 2
()
(limit
limit)
limit[5m
limit[5]
limit[m]
limit[5x]
limit[]
limit[0s]
limit[5m3h]
limit[5m5m]
limit[1.5m]
limit[-5m]
limit[5m] + 1
-limit[5m]
(limit[5m]) > 1
sum(limit[5m])
(limit)[5m]
limit[5m][5m]
limit offset
limit offset 5
limit offset 0s
limit offset 5m offset 5m
limit offset 5m [5m]
(limit) offset 5m
sum(limit) offset 5m
1 offset 5m
rate(limit)
rate(limit[5m], 1)
rate()
rate(5)
rate limit
rate(limit[5m],)
nosuch(limit)
RATE(limit[5m])
abs(1)
abs(limit, limit)
round(limit, limit)
round()
round(limit, 1, 2)
clamp(limit, 1)
clamp(1, limit, 2)
time(1)
vector(limit)
scalar(1)
absent(limit[5m])
histogram_quantile(limit, limit)
histogram_quantile(0.5)
quantile(limit)
quantile(limit, 0.5)
quantile_over_time(limit[5m], 0.5)
sum(1)
sum()
sum(limit, limit)
sum by pod (limit)
sum by (pod) by (pod) (limit)
sum(limit) by (pod) by (pod)
sum by (pod) (limit) by (pod)
sum by ("pod") (limit)
sum by (,) (limit)
sum by (pod,,) (limit)
sum by (a:b) (limit)
sum by (1) (limit)
1 > 2
1 == 1 + 1
1 and limit
limit or 1
limit and bool limit
limit + bool limit
limit + on(pod) 1
1 + ignoring(pod) 1
limit > on(pod) bool limit
limit on(pod) limit
limit + on limit
limit = 1
limit =~ 1
limit ! 1
limit !~ 1
limit & 1
limit ; 1
limit $ 1
1e
0x
0xg
1_000
1..2
1.2.3
1e400
5m
bool
on
ignoring + 1
group_left
limit == bool
§
"unclosed
limit{pod="a\"}
`unclosed
limit{pod=`a}
"""

# Prometheus takes these, ours must refuse them and say the given word.
OUTSIDE = [
    ("topk(1, limit)", "topk"),
    ("bottomk by (pod) (1, limit)", "bottomk"),
    ("stddev(limit)", "stddev"),
    ('count_values("v", limit)', "count_values"),
    ("group by (pod) (limit)", "group"),
    ("deriv(limit[5m])", "deriv"),
    ("resets(limit[5m])", "resets"),
    ("changes(limit[5m])", "changes"),
    ("predict_linear(limit[5m], 60)", "predict_linear"),
    ("holt_winters(limit[5m], 0.5, 0.5)", "holt_winters"),
    ("absent_over_time(limit[5m])", "absent_over_time"),
    ('label_replace(limit, "a", "$1", "pod", "(.*)")', "label_replace"),
    ('label_join(limit, "a", ",", "pod")', "label_join"),
    ("sort(limit)", "sort"),
    ("sqrt(limit)", "sqrt"),
    ("hour()", "hour"),
    ("limit @ 1700000000", "@"),
    ("limit @ end()", "@"),
    ("rate(limit[5m] @ start())", "@"),
    ("max_over_time(limit[5m:1m])", "subqueries"),
    ("max_over_time(limit[5m:])", "subqueries"),
    ("max_over_time(rate(limit[5m])[30m:1m])", "subqueries"),
    ("max_over_time((limit + 1)[30m:1m])", "subqueries"),
    ("limit * on(pod) group_left(model) gpu_busy", "group_left"),
    ("limit * on(pod) group_right gpu_busy", "group_right"),
    ("limit atan2 limit", "atan2"),
    ("limit[5m]", "range vector"),
    ('"text"', '"text"'),
]


def fill(template, rng):
    out = template.replace("⏎", "\n").replace("⇥", "\t")
    while "<" in out:
        start = out.find("<")
        end = out.find(">", start)
        slot = out[start + 1:end] if end > 0 else ""
        if slot not in SLOTS:  # a comparison
            out = out[:start] + "\0" + out[start + 1:]
            continue
        filled = rng.choice(SLOTS[slot]).replace("<", "\0")
        out = out[:start] + filled + out[end + 1:]
    return out.replace("\0", "<")


def random_query(rng, depth, scalar=False):
    """A well-typed expression of the subset, by descent."""
    def sub(as_scalar=False):
        return random_query(rng, depth - 1, as_scalar)

    def pick(slot):
        return rng.choice(SLOTS[slot])

    if scalar:
        if depth <= 0:
            return rng.choice([pick("n"), "time()", pick("n")])
        return rng.choice([
            lambda: f"scalar({sub()})",
            lambda: f"({sub(True)} {pick('arith')} {sub(True)})",
            lambda: f"{sub(True)} {pick('cmp')} bool {sub(True)}",
            lambda: f"-{sub(True)}",
        ])()
    if depth <= 0:
        return rng.choice([
            lambda: fill("<gauge><offset>", rng),
            lambda: fill("<growth>(<counter>[<range>]<offset>)", rng),
            lambda: fill("<over>_over_time(<gauge>[<range>]<offset>)", rng),
            lambda: pick("any"),
        ])()
    return rng.choice([
        lambda: f"{pick('agg')} {pick('by')} ({sub()})",
        lambda: f"quantile {pick('by')} ({sub(True)}, {sub()})",
        lambda: f"{sub()} {pick('arith')} {sub(True)}",
        lambda: f"{sub(True)} {pick('arith')} {sub()}",
        lambda: f"{sub()} {pick('cmp')} {sub(True)}",
        lambda: f"({sub()}) {pick('arith')} {pick('match')}{sub()}",
        lambda: f"({sub()}) {pick('cmp')} {pick('match')}({sub()})",
        lambda: f"({sub()}) {pick('set')} {pick('match')}({sub()})",
        lambda: f"{rng.choice(['abs', 'ceil', 'floor', 'round', 'absent'])}({sub()})",
        lambda: f"clamp({sub()}, {sub(True)}, {sub(True)})",
        lambda: f"histogram_quantile({sub(True)}, {sub()})",
        lambda: f"vector({sub(True)})",
        lambda: f"-({sub()})",
    ])()


def all_queries(rng, count_random):
    """Pairs of query and the word ours must refuse it with (or None)."""
    queries = []
    for template in TEMPLATES.strip("\n").split("\n"):
        filled = {fill(template, rng) for _ in range(12 if "<" in template else 1)}
        queries += [(query, None) for query in sorted(filled)]
    for query in BROKEN.strip("\n").split("\n"):
        queries.append((query.replace("⏎", "\n"), None))
    queries += OUTSIDE
    queries += [(random_query(rng, rng.randrange(1, 4)), None) for _ in range(count_random)]
    return queries


class Prometheus:
    """A server of our own over the given samples."""

    def __init__(self, samples, directory):
        metrics = directory / "samples.txt"
        metrics.write_text(samples.open_metrics())
        data = directory / "data"
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", metrics, data],
                       check=True, stdout=subprocess.DEVNULL)
        (directory / "prometheus.yml").write_text("global: {}\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.log = open(directory / "log", "w+")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={directory}/prometheus.yml",
             f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=100y",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=self.log, stderr=self.log)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.get("/-/ready")[0] == 200:
                    return
            except OSError:
                self.connection.close()
            time.sleep(0.1)
        self.log.seek(0)
        sys.exit("prometheus did not become ready:\n" + self.log.read())

    def get(self, path):
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        return response.status, response.read()

    def ask(self, query, at):
        path = urllib.parse.urlencode({"query": query, "time": f"{at:.3f}"})
        answer = json.loads(self.get(f"/api/v1/query?{path}")[1])
        if answer["status"] != "success":
            stage = "parse" if answer["errorType"] == "bad_data" else "evaluate"
            return {"error": answer["error"], "stage": stage}
        data = answer["data"]
        if data["resultType"] == "scalar":
            return {"scalar": data["result"][1]}
        if data["resultType"] != "vector":
            return {data["resultType"]: data["result"]}
        return {"vector": [{"labels": e["metric"], "value": e["value"][1]} for e in data["result"]]}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


def same_value(a, b):
    a, b = float(a), float(b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def difference(ours, theirs):
    """What differs between two answers, or None."""
    if "error" in ours or "error" in theirs:
        if "error" not in theirs:
            return "only ours refuses"
        if "error" not in ours:
            return "only Prometheus refuses"
        return None if ours["stage"] == theirs["stage"] else "refused at another stage"
    if "scalar" in ours and "scalar" in theirs:
        return None if same_value(ours["scalar"], theirs["scalar"]) else "value"
    if "vector" not in ours or "vector" not in theirs:
        return "type"
    key = lambda element: sorted(element["labels"].items())
    left, right = sorted(ours["vector"], key=key), sorted(theirs["vector"], key=key)
    if [e["labels"] for e in left] != [e["labels"] for e in right]:
        return "labels"
    for a, b in zip(left, right):
        if not same_value(a["value"], b["value"]):
            return f"value of {a['labels']}: {a['value']} is not {b['value']}"
    return None


def judge(query, word, ours, theirs):
    if word is None:
        return difference(ours, theirs)
    if "error" in theirs:
        return "Prometheus refuses it too: not a case of the subset's border"
    if "error" not in ours or ours["stage"] != "parse":
        return "ours does not refuse it"
    return None if word in ours["error"] else f"the refusal does not name {word}"


def ask_ours(tool, samples, questions):
    lines = list(samples.for_tool())
    lines += [f"query\t{round(at * 1000)}\t{json.dumps(query)}" for query, _, at in questions]
    done = subprocess.run([tool], input="\n".join(lines) + "\n", text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{tool} failed with {done.returncode}:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("tool")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--random", type=int, default=300, help="random expressions")
    arguments.add_argument("--verbose", action="store_true")
    options = arguments.parse_args()
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("skipped: prometheus is not installed")
        return SKIPPED
    rng = random.Random(options.seed)
    samples = Samples()
    add_gauges(rng, samples)
    add_counters(rng, samples)
    add_histograms(rng, samples)
    questions = [(query, word, at) for query, word in all_queries(rng, options.random)
                 for at in INSTANTS]
    ours = ask_ours(options.tool, samples, questions)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="promql_peer.") as directory:
        server = Prometheus(samples, Path(directory))
        try:
            for (query, word, at), mine in zip(questions, ours, strict=True):
                theirs = server.ask(query, at)
                problem = judge(query, word, mine, theirs)
                failed += problem is not None
                if problem is not None or options.verbose:
                    print(f"{problem or 'same'}: {query!r} at {at}\n"
                          f"  ours       {json.dumps(mine)[:400]}\n"
                          f"  prometheus {json.dumps(theirs)[:400]}")
        finally:
            server.stop()
    print(f"{len(questions) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
