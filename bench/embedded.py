#!/usr/bin/env python3
"""The embedded cluster under load, each figure beside its goal.

usage: embedded.py BUILD_DIRECTORY
"""
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/embedded"))
from cluster import Cluster  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
TICKS = os.sysconf("SC_CLK_TCK")


def load(cluster, *words):
    host, port = cluster.api.split("//")[1].split(":")
    sys.stdout.flush()
    subprocess.run([BUILD / "bench/api_load", host, port, cluster.token, *map(str, words)], check=True)


def start(scenario, *options):
    return Cluster(BUILD / "windlass", ROOT / scenario, "--plain-http", *options)


def cpu_s(cluster):
    """User and system time of the process so far."""
    with open(f"/proc/{cluster.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def first_node(cluster):
    return f"/api/v1/nodes/{cluster.get('/api/v1/nodes')['items'][0]['metadata']['name']}"


def small():
    with start("tests/scenarios/kubectl.yaml") as c:
        print("get of a node (goal: 2,000/s)")
        load(c, "get", first_node(c), 20000, 8)
        print("200 watchers, 1,000 writes/s, one more watcher that never reads"
              " (goal: none misses or reorders an event; the stalled one is dropped)")
        before = cpu_s(c)
        load(c, "watch", 200, 1000, 10)
        print(f"   (the server took {cpu_s(c) - before:.1f} s of CPU)")


def large():
    began = time.time()
    with start("tests/scenarios/large.yaml", "--policy", "static") as c:
        print(f"1,000 nodes, 10,000 pods: answers after {time.time() - began:.1f} s")
        while True:
            deployments = c.get("/apis/apps/v1/deployments")["items"]
            if sum(d.get("status", {}).get("readyReplicas", 0) for d in deployments) == 10000:
                break
            time.sleep(0.2)
        print(f"   all pods Ready after {time.time() - began:.1f} s, {cpu_s(c):.1f} s of CPU")
        print("list of 5,000 pods (goal: under 100 ms), of 10,000, gets (goal: 2,000/s)")
        load(c, "list", "/api/v1/namespaces/half/pods", 20)
        load(c, "list", "/api/v1/pods", 5)
        load(c, "get", first_node(c), 20000, 8)
        before, rest = cpu_s(c), 10
        time.sleep(rest)
        print(f"   at rest: {(cpu_s(c) - before) / rest * 100:.1f} % of a core")
        print(f"resident memory after that: {c.rss_mb():.0f} MB (goal: under 300 MB)")


def demo():
    with start("examples/blog/scenario.yaml") as c:
        time.sleep(3)
        before, rest = cpu_s(c), 20
        time.sleep(rest)
        print(f"the demo at speed 1: {(cpu_s(c) - before) / rest * 100:.1f} % of a core (goal: under 5 %)")
    with start("examples/blog/scenario.yaml", "--speed", "1000") as c:
        time.sleep(2)
        print("gets while it runs at speed 1,000 (goal: answers within tens of milliseconds)")
        load(c, "get", first_node(c), 1000, 1)


if __name__ == "__main__":
    small()
    large()
    demo()
