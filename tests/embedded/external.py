#!/usr/bin/env python3
"""`windlass up --external`: a client plays cloud, kubelet and user over plain HTTP (and kubectl, where
there is one). A pod is bound to its node, runs when it says so, and goes when it says so; what an
autoscaler writes stays as written, also after `kill -9`.

usage: external.py WINDLASS"""
import json
import os
import subprocess
import sys
import tempfile
import time

from cluster import Cluster, kubectls

WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
       "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"containers": [{"name": "a", "image": "nginx"}]}}}}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "outside"},
        "spec": {"providerID": "test:///outside"},
        "status": {"capacity": {"cpu": "4", "memory": "16Gi", "pods": "20"},
                   "allocatable": {"cpu": "3900m", "memory": "15Gi", "pods": "20"}}}
POOL = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "pool"},
        "spec": {"template": {"spec": {
            "requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}],
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}}}}}
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POOLS = "/apis/karpenter.sh/v1/nodepools"


def send(cluster, method, path, body=None, merge=False):
    status, _, reply = cluster.request(
        path, method, body,
        content_type="application/merge-patch+json" if merge else "application/json")
    assert status < 300, f"{method} {path}: {status} {reply[:400]}"
    return json.loads(reply)


def until(what, condition, seconds=20):
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def pods(cluster):
    return cluster.get(PODS)["items"]


def ready_replicas(cluster):
    return cluster.get(f"{DEPLOYMENTS}/web")["status"].get("readyReplicas", 0)


def condition(item, kind):
    return next((c for c in item["status"].get("conditions", []) if c["type"] == kind), {})


def first_life(cluster):
    send(cluster, "POST", POOLS, POOL)
    send(cluster, "PATCH", f"{POOLS}/pool/status", {"status": {"conditions": [
        {"type": "Ready", "status": "True", "reason": "Ready", "message": "said by a client",
         "lastTransitionTime": "2026-03-01T00:00:00Z"}]}}, merge=True)
    send(cluster, "POST", DEPLOYMENTS, WEB)
    until("no room is said", lambda: len(pods(cluster)) == 2 and all(
        condition(p, "PodScheduled").get("reason") == "Unschedulable" for p in pods(cluster)))
    send(cluster, "POST", "/api/v1/nodes", NODE)
    send(cluster, "PATCH", "/api/v1/nodes/outside/status", {"status": {"conditions": [
        {"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}, merge=True)
    bound = until("pods are bound", lambda: [p for p in pods(cluster) if p["spec"].get("nodeName")])
    assert bound[0]["spec"]["nodeName"] == "outside"
    assert bound[0]["status"]["phase"] == "Pending", bound[0]["status"]
    for number, pod in enumerate(until("both", lambda: len(pods(cluster)) == 2 and pods(cluster))):
        send(cluster, "PATCH", f"{PODS}/{pod['metadata']['name']}/status",
             {"status": {"phase": "Running", "podIP": f"10.200.0.{number + 1}",
                         "conditions": [{"type": "Ready", "status": "True"}]}}, merge=True)
        until("ready replicas follow", lambda: ready_replicas(cluster) == number + 1)


def second_life(cluster):
    """After kill -9: all as it was; then the pods and the node go."""
    assert ready_replicas(cluster) == 2
    assert sorted(p["status"]["podIP"] for p in pods(cluster)) == ["10.200.0.1", "10.200.0.2"]
    pool = cluster.get(f"{POOLS}/pool")
    assert pool["status"]["conditions"][0]["message"] == "said by a client", pool["status"]
    victim = pods(cluster)[0]
    send(cluster, "DELETE", f"{PODS}/{victim['metadata']['name']}")
    until("its place is taken", lambda: len(pods(cluster)) == 3)
    time.sleep(1)
    assert victim["metadata"]["uid"] in [p["metadata"]["uid"] for p in pods(cluster)]
    send(cluster, "DELETE", f"{PODS}/{victim['metadata']['name']}",
         {"gracePeriodSeconds": 0, "preconditions": {"uid": victim["metadata"]["uid"]}})
    until("it is gone", lambda: len(pods(cluster)) == 2)
    send(cluster, "DELETE", "/api/v1/nodes/outside")
    until("its pods went along", lambda: len(pods(cluster)) == 2 and not any(
        p["spec"].get("nodeName") for p in pods(cluster)))
    assert ready_replicas(cluster) == 0 or until("none ready", lambda: ready_replicas(cluster) == 0)
    assert cluster.get("/api/v1/nodes")["items"] == []


def by_kubectl(cluster):
    for version, kubectl in list(kubectls().items())[-1:]:
        def run(*arguments, stdin=None):
            out = subprocess.run([kubectl, "--kubeconfig", cluster.kubeconfig, *arguments], input=stdin,
                                 capture_output=True, text=True, timeout=60)
            assert out.returncode == 0, f"kubectl {arguments}: {out.stderr}"
            return out.stdout
        run("apply", "-f", "-", stdin=json.dumps(NODE))
        run("patch", "node", "outside", "--subresource=status", "--type=merge", "-p", json.dumps(
            {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}))
        until("bound again", lambda: all(p["spec"].get("nodeName") for p in pods(cluster)))
        assert " Ready " in run("get", "nodes", "--no-headers"), run("get", "nodes")
        run("drain", "outside", "--disable-eviction", "--grace-period=0", "--force", "--timeout=30s")
        print(f"kubectl {version}: as well")


def main():
    windlass = sys.argv[1]
    for arguments, words in (([], "scenario is required"),
                             (["--external", "--policy", "stock"], "policy")):
        out = subprocess.run([windlass, "up", *arguments], capture_output=True, text=True, timeout=60)
        assert out.returncode != 0 and words in out.stderr, (arguments, out.stderr)
    with tempfile.TemporaryDirectory(prefix="windlass-external-") as directory:
        cluster = Cluster(windlass, "--external", data_dir=directory)  # in the scenario's place
        cluster.start()
        first_life(cluster)
        cluster.kill()
        cluster.start()
        second_life(cluster)
        by_kubectl(cluster)
        assert cluster.stop() == 0
    print("external: ok")


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    main()
