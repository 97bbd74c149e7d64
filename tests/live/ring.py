#!/usr/bin/env python3
"""The whole ring of `windlass run`: the blog's manifests on Kubernetes' own control plane and on the
embedded API (`windlass up --external`), a real Prometheus that scrapes a small traffic generator.
Traffic rises: replicas follow, pods wait, nodes come, pods run; it falls: replicas and nodes go, and
nothing is left. Both clusters see the same traffic at the same time, and the same inputs are then
simulated: the three sequences of decisions are compared (decisions.py says how).

usage: ring.py WINDLASS SAME_DECISIONS stock|windlass [DIRECTORY to keep files in]"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import decisions
import servers
import traffic
from control_plane import ControlPlane, skip
from cluster import Cluster  # noqa: E402 (found by control_plane)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANIFESTS = ROOT / "examples/blog/manifests"
DEPLOYMENT = "/apis/apps/v1/namespaces/inference/deployments/vllm-inference"
PODS = "/api/v1/namespaces/inference/pods"
CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
SCALED = "/apis/keda.sh/v1alpha1/namespaces/inference/scaledobjects/gpu-inference-scaler"
INSTANCES = "/api/v1/namespaces/windlass/configmaps?labelSelector=windlass.dev/simulated-instance"
EVENTS = "/apis/events.k8s.io/v1/events"

# What is changed in the published manifests so that a test need not take an hour: where Prometheus
# is, the cadences of KEDA, HPA and consolidation, and zero replicas when idle.
CHANGES = {
    "http://prometheus:9090": "{prometheus}",
    "  minReplicaCount: 1\n": """  minReplicaCount: 0
  pollingInterval: 2
  cooldownPeriod: 45
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 0
          policies: [{type: Percent, value: 100, periodSeconds: 15}]
""",
    "consolidateAfter: 5m": "consolidateAfter: 10s",
}
# The joint policy makes a node a replica, and the default budget lets one in ten go at a time.
ALL_AT_ONCE = {"consolidateAfter: 10s": "consolidateAfter: 10s\n    budgets: [{nodes: \"100%\"}]"}
DELAYS = {"launch": "1s", "boot": "8s", "devicePlugin": "3s", "podPull": "2s", "podReady": "2s",
          "podStop": "1s", "shutdown": "3s"}
MODEL = {"name": traffic.MODEL, "deployment": "inference/vllm-inference",
         "card": {"parameters": 1.54e9, "bytesPerWeight": 2, "kvBytesPerToken": 28672},
         "maxSequences": 4, "maxBatchedTokens": 2048, "sloP95": "500ms"}
# What a simulation expects of these delays.
EXPECTED = {"leadTime": "16s", "warmStart": "2s"}
LOOK_BACK = "1m"  # of the joint policy, for a test's time
PERIOD = 10       # of the joint policy's looks at the model: longer than a write takes to be seen
# Seconds, requests a second, waiting, GPU utilisation. The first lasts until begin().
STEPS = [(1, 12, 8, 40), (75, 45, 38, 85), (1, 0, 0, 0)]

check = servers.Checks()


class Side:
    """One cluster with its `windlass run`."""

    def __init__(self, name, cluster, windlass, folder, policy, prometheus):
        self.name, self.cluster, self.windlass, self.policy = name, cluster, windlass, policy
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.queries = traffic.Recorder(prometheus)
        self.model = traffic.Generator(*STEPS, per_page=PERIOD)
        self.model.closed = True  # until pods run: two runs begin at the same page
        self.pages = traffic.Recorder(self.model.url)
        self.history = []  # (time, replicas, pods by phase, nodes Ready, claims)
        self.process = None
        self.decisions = self.folder / "decisions.jsonl"

    def get(self, path):
        """Kinds that are new answer 429 until their storage is there."""
        for _ in range(60):
            status, _, body = self.cluster.request(path)
            if status != 429:
                break
            time.sleep(0.5)
        assert status == 200, f"{self.name}: GET {path}: {status} {body[:300]}"
        return json.loads(body)

    def kubectl(self, *args, input=None):
        kubectl = ControlPlane.kubectl_path()
        done = subprocess.run([kubectl, "--kubeconfig", self.cluster.kubeconfig, *map(str, args)],
                              input=input, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: kubectl {' '.join(map(str, args))}: {done.stderr.strip()}")
        return done.stdout

    def apply(self):
        if self.name == "real":
            crds = subprocess.run([self.windlass, "install", "--only-crds", "--offline"],
                                  capture_output=True, text=True, check=True).stdout
            self.kubectl("apply", "--server-side", "-f", "-", input=crds)
            self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        for namespace in ("inference", "windlass"):
            self.kubectl("create", "namespace", namespace)
        account = (MANIFESTS / "account.yaml").read_text()
        changes = {**CHANGES, **(ALL_AT_ONCE if self.policy == "windlass" else {})}
        for was, now in changes.items():
            check(f"the manifests have {was!r}", was in account)
            account = account.replace(was, now.replace("{prometheus}", self.queries.url))
        (self.folder / "account.yaml").write_text(account)
        shutil.copy(MANIFESTS / "platform.yaml", self.folder)
        for name in ("platform.yaml", "account.yaml"):
            self.kubectl("apply", "-f", self.folder / name)

    def config(self):
        out = {"apiVersion": "windlass.dev/v1alpha1", "kind": "Config", "simulated": DELAYS}
        if self.policy == "windlass":
            out["models"] = [{**MODEL, **EXPECTED, "metrics": {"url": self.pages.url + "/metrics",
                                                               "period": f"{PERIOD}s"}}]
            out["windlass"] = {"lookBack": LOOK_BACK}
        path = self.folder / "config.yaml"
        path.write_text(json.dumps(out))
        return path

    def run(self, *options, log="run.log", kubeconfig=None):
        with open(self.folder / log, "ab") as out:
            return subprocess.Popen(
                [self.windlass, "run", "--config", self.config(), "--kubeconfig",
                 kubeconfig or self.cluster.kubeconfig, "--cloud", "simulated", "--policy", self.policy,
                 "--no-leader-election", "--listen", "none", *map(str, options)],
                stdout=out, stderr=out)

    def begin(self):
        self.process = self.run("--decisions", self.decisions)
        self.begun = None

    def synced(self):
        """Its ring decides from now on."""
        if self.begun is None and "info: synced" in (self.folder / "run.log").read_text():
            self.begun = time.time()
        return self.begun is not None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)
        return self.process.returncode

    def look(self):
        deployment = self.get(DEPLOYMENT)
        phases = {}
        for pod in self.get(PODS)["items"]:
            phase = pod["status"].get("phase", "Pending")
            if pod["metadata"].get("deletionTimestamp"):
                phase = "Terminating"
            elif phase == "Running" and condition(pod, "Ready") != "True":
                phase = "Starting"
            phases[phase] = phases.get(phase, 0) + 1
        nodes = self.get("/api/v1/nodes")["items"]
        now = {"at": time.time(), "replicas": deployment["spec"].get("replicas"), "pods": phases,
               "nodes": len(nodes), "ready": sum(condition(n, "Ready") == "True" for n in nodes),
               "claims": len(self.get(CLAIMS)["items"])}
        if not self.history or {**self.history[-1], "at": 0} != {**now, "at": 0}:
            print(f"  {time.strftime('%H:%M:%S')} {self.name:8} "
                  + " ".join(f"{k} {v}" for k, v in now.items() if k != "at"), flush=True)
        self.history.append(now)
        return now

    def save(self):
        """What this side was told, and when, for the simulation of the same inputs."""
        with open(self.folder / "inputs.jsonl", "w") as out:
            for at, query, values in self.queries.queries():
                out.write(json.dumps({"time": at, "query": query, "values": values}) + "\n")
            for at, text in self.pages.pages():
                out.write(json.dumps({"time": at, "page": text}) + "\n")

    def dump(self):
        """What stands there, to look at afterwards."""
        kinds = "nodes,nodepools,nodeclaims,pods,deployments,replicasets,scaledobjects.keda.sh,events"
        (self.folder / "objects.yaml").write_text(
            self.kubectl("get", kinds, "-A", "-o", "yaml", "--show-managed-fields=false"))

    def seen(self, what, condition):
        check(f"{self.name}: {what}", any(condition(h) for h in self.history))


def condition(item, kind):
    return next((c["status"] for c in item.get("status", {}).get("conditions", [])
                 if c["type"] == kind), None)


def until(what, sides, condition, seconds):
    """Looks at all sides every half second until each satisfied the condition at the same time."""
    deadline = time.time() + seconds
    while True:
        found = [condition(side.look()) for side in sides]
        if all(found):
            return True
        for side in sides:
            if side.process and side.process.poll() is not None:
                tail = (side.folder / "run.log").read_text()[-3000:]
                raise RuntimeError(f"{side.name}: windlass run ended with {side.process.returncode}: {tail}")
        if time.time() > deadline:
            late = [s.name for s, good in zip(sides, found) if not good]
            for side in sides:
                side.dump()
            check(f"{what} ({', '.join(late)})", False, f"not within {seconds} s")
            return False
        time.sleep(0.5)


def columns(side, kind, *options):
    """[{column: value}] of what kubectl prints."""
    head, *rows = side.kubectl("get", kind, *options).splitlines()
    starts = [i for i in range(len(head)) if head[i] != " " and (i == 0 or head[i - 1] == " ")]
    cut = lambda line: [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])]  # noqa: E731
    return [dict(zip(cut(head), cut(row))) for row in rows]


def tables(side):
    """What people see in the middle of the load."""
    pools = columns(side, "nodepools")
    claims = columns(side, "nodeclaims")
    scaled = columns(side, "scaledobjects", "-n", "inference")
    n = side.name
    check(f"{n}: a pool's columns", list(pools[0]) == ["NAME", "NODECLASS", "NODES", "READY", "AGE"], pools)
    check(f"{n}: the pool", pools[0]["NODECLASS"] == "gpu-node-class" and pools[0]["READY"] == "True"
          and pools[0]["NODES"] == str(len(claims)), pools)
    check(f"{n}: a claim's columns",
          list(claims[0]) == ["NAME", "TYPE", "CAPACITY", "ZONE", "NODE", "READY", "AGE"], claims[0])
    nodes = {node["metadata"]["name"] for node in side.get("/api/v1/nodes")["items"]}
    check(f"{n}: the claims", all(
        c["TYPE"] and c["CAPACITY"] == "spot" and c["ZONE"].startswith("us-east-1") and c["READY"] == "True"
        and c["NODE"] in nodes for c in claims), claims)
    row = scaled[0]
    check(f"{n}: a scaled object's columns",
          {"SCALETARGETNAME", "MIN", "MAX", "READY", "ACTIVE"} <= set(row), row)
    check(f"{n}: the scaled object", row["SCALETARGETNAME"] == "vllm-inference" and row["MAX"] == "8"
          and row["READY"] == "True" and row["ACTIVE"] == "True", row)
    print(side.kubectl("get", "nodepools,nodeclaims"), side.kubectl("get", "scaledobjects", "-n", "inference"))


def events(side):
    found = {(e["regarding"]["kind"], e["reason"]) for e in side.get(EVENTS)["items"]
             if "windlass" in (e.get("reportingController") or "") or e.get("reportingInstance")}
    print(f"  {side.name} events: {sorted(found)}")
    return found


def left_over(side):
    """Everything the ring made is gone again."""
    for what, path in (("claims", CLAIMS), ("nodes", "/api/v1/nodes"), ("instances", INSTANCES),
                       ("leases", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")):
        items = [i["metadata"]["name"] for i in side.get(path)["items"]]
        check(f"{side.name}: no {what} are left", not items, items)
    check(f"{side.name}: no pods are left", not side.get(PODS)["items"])


def rise_and_fall(sides, generator):
    for side in sides:
        side.apply()
    until("two pods wait for nodes", sides, lambda h: h["pods"].get("Pending") == 2, 60)
    for side in sides:
        side.begin()
    deadline = time.time() + 60
    while not all([side.synced() for side in sides]) and time.time() < deadline:
        time.sleep(0.02)
    until("they run", sides, lambda h: h["pods"].get("Running") == 2 and h["claims"] > 0
          and h["ready"] == h["nodes"], 90)
    if sides[0].policy == "windlass":
        for side in sides:
            side.model.closed = False
        time.sleep(75)  # its look-back holds nothing but this traffic
    time.sleep(5)
    for each in (generator, *(side.model for side in sides)):
        each.begin()
    top = 8 if sides[0].policy == "stock" else 5
    until("replicas follow the load and run", sides, lambda h: h["pods"].get("Running") == h["replicas"] == top, 75)
    for side in sides:
        side.seen("pods waited for nodes", lambda h: h["replicas"] > 2 and h["pods"].get("Pending", 0) > 0)
        tables(side)
    until("replicas fall to zero and nodes go", sides, lambda h: h["replicas"] == 0 and not h["pods"]
          and not h["nodes"] and not h["claims"], 240)
    time.sleep(4)
    for side in sides:
        left_over(side)
        found = events(side)
        check(f"{side.name}: events", {"NodeClaim", "ScaledObject"} <= {kind for kind, _ in found}, found)


def simulate(tool, side, end):
    """The decisions of a simulation that is told what this side was told."""
    spec = {"duration": "1h", "manifests": ["account.yaml", "platform.yaml"], "policies": [side.policy],
            "cloud": {key: {"median": DELAYS[key]} for key in ("launch", "boot", "devicePlugin", "shutdown")},
            "images": {"defaultPull": {"median": DELAYS["podPull"]}}, "autoscaled": {"nodes": []}}
    if side.policy == "windlass":
        spec["models"] = [{**MODEL, "weightsLoad": {"median": "0s"}, "engineStart": {"median": DELAYS["podReady"]},
                           "traffic": {"generator": {"requestsPerSecond": 1, "inputTokens": {"median": 250},
                                                     "outputTokens": {"median": 20}}}}]
        spec["windlass"] = {"lookBack": LOOK_BACK}
    (side.folder / "scenario.yaml").write_text(json.dumps(
        {"apiVersion": "windlass.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "ring"}, "spec": spec}))
    done = subprocess.run([tool, side.folder / "scenario.yaml", side.policy, side.folder / "inputs.jsonl",
                           str(side.begun), str(end), str(PERIOD)], capture_output=True, text=True, timeout=120)
    check(f"{side.name}: the simulation runs", done.returncode == 0, done.stderr)
    path = side.folder / "simulated.jsonl"
    path.write_text(done.stdout)
    return path


def same(what, one, other, equal_nodes):
    one, other = decisions.read(one, equal_nodes), decisions.read(other, equal_nodes)
    difference, apart = decisions.compare(one, other)
    check(f"the decisions are the same: {what}", not difference, "\n" + difference)
    print(f"{what}: {len(one)} and {len(other)} decisions, "
          + ("DIFFERENT" if apart is None else f"at most {apart:.1f} s apart"))


def main():
    windlass, tool, policy = sys.argv[1:4]
    servers.need("prometheus")
    if reason := ControlPlane.missing() or (ControlPlane.kubectl_path() is None and "no kubectl is installed"):
        skip(reason)
    folder = pathlib.Path(sys.argv[4] if len(sys.argv) > 4 else tempfile.mkdtemp(prefix="windlass-ring-"))
    generator = traffic.Generator(*STEPS)
    prometheus = servers.Prometheus({"blog": [generator.address]})
    with ControlPlane() as control, tempfile.TemporaryDirectory() as data, \
            Cluster(windlass, "--external", data_dir=data) as embedded:
        sides = [Side(name, cluster, windlass, folder, policy, prometheus.url)
                 for name, cluster in (("real", control), ("embedded", embedded))]
        try:
            rise_and_fall(sides, generator)
        finally:
            for side in sides:
                if side.process:
                    side.stop()
                side.save()
    end = time.time()
    for side in sides:
        check(f"{side.name}: it ended as asked", side.process.returncode == 0, side.process.returncode)
        same(f"{side.name} and simulated", side.decisions, simulate(tool, side, end), policy == "windlass")
    same("real and embedded", sides[0].decisions, sides[1].decisions, policy == "windlass")
    if not check.failed and len(sys.argv) <= 4:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"files are kept in {folder}")
    check.exit()


if __name__ == "__main__":
    main()
