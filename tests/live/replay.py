#!/usr/bin/env python3
"""`windlass replay` against a real Prometheus that remembers two days of known traffic: the rates come
back, an interrupted run goes on where it was, and what goes wrong is said.

usage: replay.py WINDLASS"""
import collections
import csv
import json
import math
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import servers

WINDLASS = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANIFESTS = ROOT / "examples/azure-conversation/manifests"
check = servers.Checks()

BEGIN = 1_772_409_600  # 2026-03-02T00:00:00Z
DAY = 86_400
END = BEGIN + 2 * DAY
UNTIL = "2026-03-04T00:00:00Z"
SCRAPE = 30
GAP = (BEGIN + 30 * 3600, BEGIN + 33 * 3600)  # Prometheus was down
RESET = BEGIN + 20 * 3600 + 7                 # the server began anew
SPIKE = (BEGIN + 10 * 3600, BEGIN + 10 * 3600 + 1800)
INPUT, OUTPUT = (300, 900), (120, 300)        # tokens: mean, P95
POD = {"namespace": "inference", "pod": "chat-abc-1"}

MODELS = """
models:
  - name: llama-3-8b
    deployment: inference/chat
    card: {parameters: 8.03e9, bytesPerWeight: 2, kvBytesPerToken: 131072}
    maxSequences: 24
    sloP95: 20s
    requestTimeout: 120s
"""


def rate(t):
    day = 0.6 + 0.4 * math.sin(2 * math.pi * (t - BEGIN) / DAY)
    return day * (3 if SPIKE[0] <= t < SPIKE[1] else 1)


def log_normal(mean, p95):
    z = 1.6448536269514722
    sigma = z - math.sqrt(z * z - 2 * math.log(p95 / mean))
    return math.log(mean) - sigma * sigma / 2, sigma


def share_below(tokens, mean, p95):
    mu, sigma = log_normal(mean, p95)
    return 0.5 * (1 + math.erf((math.log(tokens) - mu) / sigma / math.sqrt(2)))


BUCKETS = [50, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000, 4000, 8000]


def labels(values):
    return "{" + ",".join(f'{k}="{v}"' for k, v in values.items()) + "}" if values else ""


def write_history(path):
    """OpenMetrics text, family by family."""
    samples = collections.OrderedDict()  # family -> [(type, name, labels, [(t, v)])]

    def add(family, kind, name, label_values, points):
        samples.setdefault((family, kind), []).append((name, label_values, points))

    times = [t for t in range(BEGIN - 3600, END + 600, SCRAPE) if not GAP[0] <= t < GAP[1]]
    counts, count, last = {}, 0.0, times[0]
    for t in times:
        count += sum(rate(s) for s in range(last, t, SCRAPE)) * SCRAPE
        last = t
        if t - SCRAPE < RESET <= t:
            count = 0.0
        counts[t] = round(count)
    model = {"model_name": "llama-3-8b", **POD}
    add("vllm:request_success", "counter", "vllm:request_success_total",
        {**model, "finished_reason": "stop"}, list(counts.items()))
    for name, (mean, p95) in {"vllm:request_prompt_tokens": INPUT, "vllm:request_generation_tokens": OUTPUT}.items():
        for bound in BUCKETS:
            share = share_below(bound, mean, p95)
            add(name, "histogram", name + "_bucket", {**model, "le": f"{bound}.0"},
                [(t, c * share) for t, c in counts.items()])
        add(name, "histogram", name + "_bucket", {**model, "le": "+Inf"}, list(counts.items()))
        add(name, "histogram", name + "_sum", model, [(t, c * mean) for t, c in counts.items()])
        add(name, "histogram", name + "_count", model, list(counts.items()))
    coarse = times[::2]
    add("vllm:num_requests_waiting", "gauge", "vllm:num_requests_waiting", model,
        [(t, 7 if SPIKE[0] <= t < SPIKE[1] else 0) for t in coarse])
    # A model that --models doesn't have.
    add("nv_inference_request_success", "gauge", "nv_inference_request_success",
        {"model": "other-model", "version": "1"}, [(t, (t - BEGIN) * 0.5) for t in coarse])
    add("DCGM_FI_DEV_GPU_UTIL", "gauge", "DCGM_FI_DEV_GPU_UTIL", {"gpu": "0"}, [(t, 40) for t in coarse])
    # Nodes: one from before, three that came: Ready 20, 40, 60 s after their creation.
    add("karpenter_nodes_allocatable", "gauge", "karpenter_nodes_allocatable",
        {"resource_type": "nvidia.com/gpu", "instance_type": "g6e.xlarge", "capacity_type": "on-demand",
         "nodepool": "gpu", "node_name": "n0"}, [(t, 1) for t in coarse])
    for i in range(4):
        created = BEGIN - 5000 if i == 0 else BEGIN + i * 3600 + 11
        ready = created + 20 * i
        node = {"node": f"n{i}"}
        add("kube_node_created", "gauge", "kube_node_created", node, [(t, created) for t in coarse if t >= created])
        add("kube_node_status_condition", "gauge", "kube_node_status_condition",
            {**node, "condition": "Ready", "status": "true"},
            [(t, 1 if t >= ready else 0) for t in times if t >= created])
        if i:
            add("karpenter_nodes_allocatable", "gauge", "karpenter_nodes_allocatable",
                {"resource_type": "nvidia.com/gpu", "instance_type": "g6e.xlarge", "capacity_type": "spot",
                 "nodepool": "gpu", "node_name": f"n{i}"}, [(t, 1) for t in coarse if t >= ready])
    # Pods: bound after 30 s, 60 s of pulling, Ready 90 s later; each stays for a day.
    for i in range(3):
        created = BEGIN + 4000 * (i + 1)
        pod = {"namespace": "inference", "pod": f"chat-abc-{i}"}
        alive = [t for t in coarse if created + 200 <= t < created + DAY]
        for name, value in {"kube_pod_created": created, "kube_pod_status_scheduled_time": created + 30,
                            "kube_pod_container_state_started": created + 90,
                            "kube_pod_status_ready_time": created + 180 + i}.items():
            add(name, "gauge", name, pod, [(t, value) for t in alive])
    add("kube_deployment_status_replicas_ready", "gauge", "kube_deployment_status_replicas_ready",
        {"namespace": "inference", "deployment": "chat"}, [(t, 2 if t < BEGIN + DAY else 5) for t in coarse])
    with open(path, "w") as file:
        for (family, kind), series in samples.items():
            file.write(f"# TYPE {family} {kind}\n")
            for name, values, points in series:
                text = name + labels(values)
                file.writelines(f"{text} {v} {t}\n" for t, v in points)
        file.write("# EOF\n")


def make_prometheus(folder):
    write_history(folder / "history.om")
    made = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "history.om",
                           folder / "data"], capture_output=True, text=True, timeout=300)
    assert made.returncode == 0, made.stderr
    return servers.Prometheus(data=folder / "data")


def arguments(url, *more):
    last = () if "--last" in more else ("--last", "2d")
    until = () if "--until" in more else ("--until", UNTIL)
    return [WINDLASS, "replay", "--prometheus", url, *last, *until, *map(str, more)]


def replay(url, *more, timeout=600):
    return subprocess.run(arguments(url, *more), capture_output=True, text=True, timeout=timeout, cwd=ROOT)


def requests_of(path):
    with open(path) as file:
        return [(float(r["time_s"]), int(r["input_tokens"]), int(r["output_tokens"])) for r in csv.DictReader(file)]


def recovered(prometheus, folder):
    models = folder / "models.yaml"
    models.write_text(MODELS)
    kept = folder / "kept"
    run = replay(prometheus.url, "-f", MANIFESTS, "--models", models, "--cache", folder / "cache",
                 "--policy", "stock", "--save-scenario", kept, "--report", folder / "report.html")
    check("replay", run.returncode == 0, run.stderr[-2000:])
    if run.returncode != 0:
        return
    print(run.stdout)
    rows = requests_of(kept / "traffic-0.csv")
    hours = collections.Counter(int(t // 3600) for t, _, _ in rows)
    # Rates are told by three scrapes: an hour's edge is blurred by as much, and reset and gap lose some.
    for hour in range(48):
        expected = sum(rate(BEGIN + hour * 3600 + s) for s in range(0, 3600, 30)) * 30
        got = hours[hour]
        if GAP[0] <= BEGIN + hour * 3600 < GAP[1]:
            check(f"hour {hour} is a gap", got < 0.06 * expected, (got, expected))
        else:
            spread = 4 * math.sqrt(expected) + 0.03 * expected
            check(f"hour {hour}", abs(got - expected) < spread, (got, expected))
    spike = sum(1 for t, _, _ in rows if SPIKE[0] <= BEGIN + t < SPIKE[1])
    expected = sum(rate(t) for t in range(*SPIKE))
    check("the spike stays sharp", abs(spike - expected) < 0.06 * expected, (spike, expected))
    for column, (mean, p95) in {1: INPUT, 2: OUTPUT}.items():
        tokens = sorted(r[column] for r in rows)
        check("mean tokens", abs(sum(tokens) / len(tokens) - mean) < 0.03 * mean, sum(tokens) / len(tokens))
        got = tokens[int(0.95 * len(tokens))]
        check("P95 tokens", abs(got - p95) < 0.08 * p95, got)
    text = " ".join(run.stdout.split())
    for says in ["model llama-3-8b: 9\\d,\\d+ requests, 0.5\\d/s on average, 2\\.\\d+/s at most", "no gaps|1 gap \\(no requests then\\), the longest (2.9|3.0|3.1) h",
                 "7 requests waiting at most",
                 "left out: .* requests to other-model", "GPUs \\(DCGM\\): 1.0 on average, 48 GPU hours, 40 % busy",
                 "images: 60 s to pull", "pods: 91 s from their container's start to Ready",
                 "at the beginning: 1 g6e.xlarge; replicas: 2 of inference/chat",
                 "static, as at the highest point: .*; replicas: 5 of inference/chat",
                 "nodes: \\d+ s from their creation to Ready"]:
        check(f"notes: {says}", re.search(says, text), text[text.find("Notes"):])
    check("a report", "<html" in (folder / "report.html").read_text())
    # The same by hand.
    again = subprocess.run([WINDLASS, "simulate", kept / "scenario.yaml", "-q", "-o", "json"],
                           capture_output=True, text=True, timeout=600)
    check("simulate", again.returncode == 0, again.stderr)
    third = replay(prometheus.url, "-f", MANIFESTS, "--models", models, "--cache", folder / "cache",
                   "--policy", "stock", "-q", "-o", "json")
    check("a second run asks nothing anew", third.returncode == 0 and third.stderr == "", third.stderr)
    hashes = [json.loads(r.stdout)["policies"][0]["run_hash"] for r in (again, third)]
    check("the saved scenario is the replay", hashes[0] == hashes[1], hashes)


class Proxy:
    """Passes queries on, counting them; `after` is called with each count."""

    def __init__(self, prometheus, after=None):
        self.count = 0
        self.after = after
        self.wrong = {}  # count -> (status, body) in place of the answer

        def answer(request):
            self.count += 1
            if self.after:
                self.after(self.count)
            if self.count in self.wrong:
                status, body = self.wrong[self.count]
                return status, {}, body
            passed = urllib.request.Request(
                prometheus.url + request.path, request.text.encode() or None,
                {"Content-Type": request.headers.get("Content-Type") or ""}, method=request.command)
            try:
                with urllib.request.urlopen(passed, timeout=60) as reply:
                    return reply.status, {}, reply.read()
            except urllib.error.HTTPError as error:
                return error.code, {}, error.read()

        self.server = servers.Answers(answer)
        self.url = self.server.url


def resumes(prometheus, folder):
    models = folder / "models.yaml"
    models.write_text(MODELS.replace("llama-3-8b", "nobody"))  # reads all, then says what is there
    whole = Proxy(prometheus)
    run = replay(whole.url, "-f", MANIFESTS, "--models", models, "--cache", folder / "whole")
    check("no such model", run.returncode == 2 and "llama-3-8b" in run.stderr, run.stderr)
    processes = []
    stop_at = whole.count // 2
    proxy = Proxy(prometheus, lambda n: n == stop_at and processes[0].send_signal(signal.SIGINT))
    more = ["-f", MANIFESTS, "--models", models, "--cache", folder / "resumed"]
    processes.append(subprocess.Popen(arguments(proxy.url, *more), stderr=subprocess.PIPE, text=True))
    _, said = processes[0].communicate(timeout=120)
    check("Ctrl-C", processes[0].returncode == 130 and "goes on from there" in said, said)
    first = proxy.count
    proxy.after = None
    run = replay(proxy.url, *more)
    check("goes on", run.returncode == 2, run.stderr)
    # The answer that was under way is asked for again.
    check("asks the rest only", proxy.count - first == whole.count - (first - 1),
          (proxy.count, first, whole.count))
    before = proxy.count
    replay(proxy.url, *more)
    check("then nothing", proxy.count == before, proxy.count - before)
    return whole.count


def troubles(prometheus, folder):
    closed = f"http://127.0.0.1:{servers.free_port()}"
    began = time.time()
    run = replay(closed, "--cache", folder / "c1")
    check("unreachable", run.returncode == 1 and "can't be reached" in run.stderr, run.stderr)
    check("at once", time.time() - began < 5)
    for status, says in [(401, "refuses"), (403, "--bearer-token-file"), (404, "404")]:
        fake = servers.Answers(lambda r: (status, {}, "nope"))
        run = replay(fake.url, "--cache", folder / f"c{status}")
        check(f"{status}", run.returncode == 1 and says in run.stderr and "nope" in run.stderr, run.stderr)
    fake = servers.Answers(lambda r: (200, {}, "<html>"))
    run = replay(fake.url, "--cache", folder / "html")
    check("no Prometheus", run.returncode == 1 and "no JSON" in run.stderr, run.stderr)

    token = folder / "token"
    token.write_text("t0ken\n")
    fake = servers.Answers(lambda r: (200, {}, '{"data":{"resultType":"matrix","result":[]}}'))
    run = replay(fake.url, "--cache", folder / "empty", "--bearer-token-file", token, "--header", "X-Scope-OrgID=a")
    check("nothing there", run.returncode == 1 and "--rate-query" in run.stderr, run.stderr)
    seen = fake.requests[0].headers
    check("credentials", seen["Authorization"] == "Bearer t0ken" and seen["X-Scope-OrgID"] == "a", seen.items())

    flaky = Proxy(prometheus)
    flaky.wrong = {2: (503, "busy"), 3: (429, "slow down")}
    run = replay(flaky.url, "--cache", folder / "flaky")
    check("tries again", run.returncode == 2 and "other-model" in run.stderr, run.stderr)

    # More than the server takes: windows are halved until it answers; the same comes out.
    def picky(request):
        form = dict(p.split("=") for p in request.text.split("&"))
        points = (int(form["end"]) - int(form["start"])) / int(form["step"])
        if points > 400:
            return 422, {}, ('{"status":"error","errorType":"execution","error":"query processing would load '
                             'too many samples into memory in query execution"}')
        passed = urllib.request.Request(prometheus.url + request.path, request.text.encode())
        with urllib.request.urlopen(passed, timeout=60) as reply:
            return 200, {}, reply.read()
    halved = servers.Answers(picky)
    first = replay(halved.url, "--cache", folder / "halved")
    check("halves", first.returncode == 2, first.stderr)
    straight = replay(prometheus.url, "--cache", folder / "straight")
    found = [re.findall(r"  \"[^\n]* requests", r.stderr) for r in (first, straight)]
    check("the same", found[0] == found[1] != [], found)
    asked = len(halved.requests)
    replay(halved.url, "--cache", folder / "halved")
    check("halves are kept", len(halved.requests) == asked, len(halved.requests) - asked)

    # By GET alone.
    only_get = servers.Answers(lambda r: (405, {}, "") if r.command == "POST" else (
        200, {}, urllib.request.urlopen(prometheus.url + r.path, timeout=60).read()))
    run = replay(only_get.url, "--cache", folder / "get")
    check("by GET", run.returncode == 2 and "llama-3-8b" in run.stderr, run.stderr)

    for more, says in [(["--last", "soon"], "--last"), (["--step", "1s"], "--step"), (["--header", "x"], "--header"),
                       (["--rate-query", "m"], "--rate-query"), (["--until", "now"], "--until"),
                       (["--models", "/nowhere"], "--models"), (["-f", "/nowhere"], "/nowhere")]:
        run = replay(prometheus.url, "--cache", folder / "bad", *more)
        check(" ".join(more), run.returncode == 2 and says in run.stderr, run.stderr)
    run = replay("prometheus:9090", "--cache", folder / "bad")
    check("not a URL", run.returncode == 2 and "http://" in run.stderr, run.stderr)


def own_queries(prometheus, folder):
    models = folder / "own.yaml"
    models.write_text(MODELS.replace("llama-3-8b", "mine"))
    kept = folder / "own"
    run = replay(prometheus.url, "-f", MANIFESTS, "--models", models, "--cache", folder / "own-cache",
                 "--policy", "stock", "--save-scenario", kept, "-q", "--last", "6h",
                 "--rate-query", 'mine=vector(0.5)', "--tokens-in-query", "mine=vector(1000)")
    check("own queries", run.returncode == 0, run.stderr)
    rows = requests_of(kept / "traffic-0.csv")
    check("own rate", abs(len(rows) - 10_800) < 450, len(rows))
    check("own tokens", abs(sum(r[1] for r in rows) / len(rows) - 1000) < 60)
    check("assumed tokens", "256 tokens out on average" in " ".join(run.stdout.split()), run.stdout)


def all_policies(prometheus, folder):
    """Without --policy all that can be run are; a query that isn't answered is as if it were absent."""
    models = folder / "models.yaml"
    models.write_text(MODELS)

    def answer(request):
        if "karpenter" in request.text or "histogram_quantile" in request.text:
            return 400, {}, '{"status":"error","errorType":"bad_data","error":"unknown function"}'
        passed = urllib.request.Request(prometheus.url + request.path, request.text.encode())
        with urllib.request.urlopen(passed, timeout=60) as reply:
            return 200, {}, reply.read()
    more = ["-f", MANIFESTS, "--models", models, "-q", "-o", "json", "--last", "3h"]
    picky = servers.Answers(answer)
    for url, policies in [(prometheus.url, ["static", "stock", "windlass"]), (picky.url, ["stock", "windlass"])]:
        run = replay(url, *more, "--cache", folder / f"all-{len(policies)}")
        check("all policies", run.returncode == 0, run.stderr)
        result = json.loads(run.stdout)
        check("which", [p["name"] for p in result["policies"]] == policies, [p["name"] for p in result["policies"]])
        refused = [n for n in result["notes"] if "unknown function" in n]
        check("notes", len(refused) == (0 if url == prometheus.url else 5), result["notes"])
        for policy in result["policies"]:
            served = policy["requests"]
            check(policy["name"], served["completed"] > 0.9 * served["offered"] > 1000, served)


def main():
    servers.need("prometheus", "promtool")
    with tempfile.TemporaryDirectory(prefix="windlass-replay-") as name:
        folder = pathlib.Path(name)
        prometheus = make_prometheus(folder)
        recovered(prometheus, folder)
        print("queries of a whole replay of 2 days:", resumes(prometheus, folder))
        troubles(prometheus, folder)
        own_queries(prometheus, folder)
        all_policies(prometheus, folder)
        prometheus.stop()
    check.exit()


main()
