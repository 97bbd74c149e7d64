#!/usr/bin/env python3
"""Holds our PromQL against the real Prometheus: the same samples, the same questions, both answers.

Usage: promql_peer.py PROMQL_TOOL [--seed N] [--random N] [--verbose]

Each query of the subset is also asked as a range. Makes samples (gauges, counters with resets, gaps, histograms, names with colons), loads them into a
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

sys.dont_write_bytecode = True  # the source tree stays clean

from promql_peer_queries import all_queries
from promql_peer_samples import INSTANTS, all_samples

SKIPPED = 77


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

    def ask_range(self, query, start, end, step):
        path = urllib.parse.urlencode({"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}",
                                       "step": f"{step:.3f}"})
        data = self.data_of(f"/api/v1/query_range?{path}")
        if "error" in data:
            return data
        return {"matrix": [{"labels": e["metric"], "points": e["values"]} for e in data["result"]]}

    def data_of(self, path):
        answer = json.loads(self.get(path)[1])
        if answer["status"] != "success":
            stage = "parse" if answer["errorType"] == "bad_data" else "evaluate"
            return {"error": answer["error"], "stage": stage}
        return answer["data"]

    def ask(self, query, at):
        path = urllib.parse.urlencode({"query": query, "time": f"{at:.3f}"})
        data = self.data_of(f"/api/v1/query?{path}")
        if "error" in data:
            return data
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
    if "matrix" in ours and "matrix" in theirs:
        return matrix_difference(ours["matrix"], theirs["matrix"])
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


def matrix_difference(ours, theirs):
    key = lambda series: sorted(series["labels"].items())
    left, right = sorted(ours, key=key), sorted(theirs, key=key)
    if [s["labels"] for s in left] != [s["labels"] for s in right]:
        return "labels"
    for a, b in zip(left, right):
        if [t for t, _ in a["points"]] != [t for t, _ in b["points"]]:
            return f"times of {a['labels']}"
        for (t, x), (_, y) in zip(a["points"], b["points"]):
            if not same_value(x, y):
                return f"value of {a['labels']} at {t}: {x} is not {y}"
    return None


def judge(query, word, ours, theirs):
    if word is None:
        return difference(ours, theirs)
    if "error" in theirs:
        return "Prometheus refuses it too: not a case of the subset's border"
    if "error" not in ours or ours["stage"] != "parse":
        return "ours does not refuse it"
    return None if word in ours["error"] else f"the refusal does not name {word}"


def ask_ours(tool, samples, questions, ranges):
    lines = list(samples.for_tool())
    lines += [f"query\t{round(at * 1000)}\t{json.dumps(query)}" for query, _, at in questions]
    lines += ["range\t" + "\t".join(str(round(part * 1000)) for part in span) +
              f"\t{json.dumps(query)}" for query, _, span in ranges]
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
    samples = all_samples(rng)
    questions = [(query, word, at) for query, word in all_queries(rng, options.random)
                 for at in INSTANTS]
    asked = {query: word for query, word, _ in questions}
    ranges = [(query, None, (at - 1800, at + 37, step)) for query, word in asked.items()
              if word is None for at, step in zip(INSTANTS, (15, 47.5, 300))]
    ours = ask_ours(options.tool, samples, questions, ranges)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="promql_peer.") as directory:
        server = Prometheus(samples, Path(directory))
        try:
            for (query, word, at), mine in zip(questions + ranges, ours, strict=True):
                theirs = server.ask_range(query, *at) if isinstance(at, tuple) else \
                    server.ask(query, at)
                problem = judge(query, word, mine, theirs)
                failed += problem is not None
                if problem is not None or options.verbose:
                    print(f"{problem or 'same'}: {query!r} at {at}\n"
                          f"  ours       {json.dumps(mine)[:400]}\n"
                          f"  prometheus {json.dumps(theirs)[:400]}")
        finally:
            server.stop()
    print(f"{len(ours) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
