#!/usr/bin/env python3
"""The embedded cluster under load, each figure beside its goal.

usage: embedded.py BUILD_DIRECTORY
"""
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/embedded"))
from cluster import Cluster, ROOT  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()


def load(cluster, *words):
    host, port = cluster.api.split("//")[1].split(":")
    subprocess.run([BUILD / "bench/api_load", host, port, cluster.token, *map(str, words)], check=True)


def small():
    with Cluster(BUILD / "windlass", ROOT / "tests/scenarios/kubectl.yaml", "--plain-http") as c:
        print("get of a node (goal: 2,000/s)")
        node = c.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
        load(c, "get", f"/api/v1/nodes/{node}", 20000, 8)
        print("200 watchers, 1,000 writes/s (goal: none misses or reorders an event), one more stalled")
        load(c, "watch", 200, 1000, 10)


def large():
    began = time.time()
    with Cluster(BUILD / "windlass", ROOT / "tests/scenarios/large.yaml", "--plain-http", "--policy",
                 "static") as c:
        print(f"1,000 nodes, 10,000 pods: up in {time.time() - began:.1f} s")
        load(c, "list", "/api/v1/namespaces/half/pods", 20)
        print("   (list of 5,000 pods; goal: under 100 ms)")
        load(c, "list", "/api/v1/pods", 5)
        time.sleep(5)
        print(f"resident memory after that: {c.rss_mb():.0f} MB (goal: under 300 MB)")


if __name__ == "__main__":
    small()
    large()
