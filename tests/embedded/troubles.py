#!/usr/bin/env python3
"""What can be written and can't work: the cluster says so in events and conditions, or refuses it with
the fields that are wrong, and goes on with everything else.

usage: troubles.py WINDLASS"""
import json
import pathlib
import re
import sys
import time

from cluster import Cluster, ROOT

SPACE = "/namespaces/inference"
DEPLOYMENTS = f"/apis/apps/v1{SPACE}/deployments"
SCALED = f"/apis/keda.sh/v1alpha1{SPACE}/scaledobjects"
POOLS = "/apis/karpenter.sh/v1/nodepools"
FAULTS = []


def check(name, condition, detail=""):
    if not condition:
        FAULTS.append(name)
        print(f"FAIL: {name}: {str(detail)[:1500]}")


def deployment(name, cpu="100m", **spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {**spec, "containers": [{
                "name": "c", "image": "busybox", "resources": {"requests": {"cpu": cpu}}}]}}}}


def scaled(name, target, query="up", kind="prometheus", **spec):
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": name}, "spec": {
        "scaleTargetRef": {"name": target}, **spec, "triggers": [{"type": kind, "metadata": {
            "serverAddress": "http://prometheus:9090", "query": query, "threshold": "1"}}]}}


def pool(name, node_class="default", **more):
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name}, "spec": {
        "template": {"spec": {
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": node_class},
            "requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]}]}},
        **more}}


def refused(c, path, body, *fields):
    """422, with these fields among the causes, each with a reason and a message."""
    status, _, reply = c.request(path, "POST", body)
    said = json.loads(reply)
    causes = said.get("details", {}).get("causes", [])
    name = f"refusal of {body['kind']} {body['metadata']['name']}"
    check(name, status == 422 and said["reason"] == "Invalid", reply)
    found = {cause.get("field") for cause in causes}
    check(name, set(fields) <= found, f"{fields} are not all in {found}")
    check(name, causes and all(cause.get("message") and cause.get("reason") for cause in causes), causes)
    check(name, all(cause["field"] in said["message"] for cause in causes), said["message"])


def refusals(c):
    refused(c, SCALED, scaled("a", "ok", minReplicaCount=-1), "spec.minReplicaCount")
    refused(c, SCALED, scaled("b", "ok", pollingInterval="soon"), "spec.pollingInterval")
    refused(c, POOLS, pool("c", disruption={"consolidateAfter": "sometimes"}), "spec.disruption.consolidateAfter")
    refused(c, POOLS, pool("d", disruption={"consolidateAfter": "1m", "budgets": [{"nodes": "150%"}]}),
            "spec.disruption.budgets[0].nodes")
    wrong = pool("e")
    wrong["spec"]["template"]["spec"]["requirements"][0]["operator"] = "Almost"
    refused(c, POOLS, wrong, "spec.template.spec.requirements[0].operator")
    refused(c, f"/apis/autoscaling/v2{SPACE}/horizontalpodautoscalers", {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "f"},
        "spec": {"maxReplicas": 0, "scaleTargetRef": {"kind": "Deployment", "name": "ok", "apiVersion": "apps/v1"}}},
            "spec.maxReplicas")
    refused(c, DEPLOYMENTS, deployment("g", nodeSelector={"a b": "c"}), "spec.template.spec.nodeSelector")


def condition(c, path, kind):
    for item in c.get(path).get("status", {}).get("conditions", []):
        if item["type"] == kind:
            return item
    return {}


def eventually(name, look, seconds=60):
    """`look` gives (done, what there is)."""
    deadline = time.time() + seconds
    while True:
        done, found = look()
        if done or time.time() > deadline:
            check(name, done, found)
            return
        time.sleep(0.05)


def says(c, path, kind, status, reason, pattern):
    def look():
        found = condition(c, path, kind)
        return (found.get("status") == status and found.get("reason") == reason
                and re.search(pattern, found.get("message", "")), found)
    eventually(f"{path} {kind}", look)


def tells(c, kind, name, reason, pattern):
    def look():
        events = [e for e in c.get(f"/api/v1{SPACE}/events")["items"]
                  if e["involvedObject"]["kind"] == kind and e["involvedObject"]["name"].startswith(name)]
        return (any(e["type"] == "Warning" and e["reason"] == reason and re.search(pattern, e["message"])
                    and e["involvedObject"].get("uid") for e in events),
                [(e["reason"], e["message"]) for e in events])
    eventually(f"event {reason} of {kind} {name}", look)


def troubles(c):
    for body in (deployment("ok"), deployment("huge", "4000"),
                 deployment("nowhere", nodeSelector={"topology.kubernetes.io/zone": "mars-1a"})):
        check("a Deployment", c.request(DEPLOYMENTS, "POST", body)[0] == 201)
    for body in (scaled("unknown-function", "ok", "predict_linear(up[5m], 600)"), scaled("no-promql", "huge", "up(("),
                 scaled("no-target", "absent"), scaled("no-trigger", "nowhere", kind="nosuchtrigger")):
        status, _, reply = c.request(SCALED, "POST", body)
        check("a ScaledObject", status == 201, reply)
    check("a NodePool", c.request(POOLS, "POST", pool("classless", "absent"))[0] == 201)

    says(c, f"{SCALED}/unknown-function", "Ready", "False", "TriggerError", "predict_linear")
    tells(c, "ScaledObject", "unknown-function", "KEDAScalerFailed", "predict_linear")
    says(c, f"{SCALED}/no-promql", "Ready", "False", "TriggerError", "triggers do not work: .+")
    tells(c, "ScaledObject", "no-promql", "KEDAScalerFailed", ".")
    says(c, f"{SCALED}/no-target", "Ready", "False", "ScaledObjectCheckFailed", "no Deployment absent")
    tells(c, "ScaledObject", "no-target", "ScaledObjectCheckFailed", "no Deployment absent")
    says(c, f"{SCALED}/no-trigger", "Ready", "False", "ScaledObjectCheckFailed", "nosuchtrigger.*prometheus")
    tells(c, "ScaledObject", "no-trigger", "ScaledObjectCheckFailed", "nosuchtrigger")
    says(c, f"{POOLS}/classless", "NodeClassReady", "False", "NodeClassNotFound", "EC2NodeClass absent")
    says(c, f"{POOLS}/classless", "Ready", "False", "NodeClassNotFound", "EC2NodeClass absent")
    tells(c, "Pod", "huge-", "FailedScheduling", "Insufficient cpu")
    tells(c, "Pod", "huge-", "FailedScheduling", "no instance type fits cpu 4k")
    tells(c, "Pod", "nowhere-", "FailedScheduling", "mars-1a")
    for name in ("huge", "nowhere"):
        says(c, f"{DEPLOYMENTS}/{name}", "Available", "False", "MinimumReplicasUnavailable", "")
    eventually("pods wait", lambda: (all(
        [d["reason"] for d in p["status"]["conditions"] if d["type"] == "PodScheduled"] == ["Unschedulable"]
        for p in c.get(f"/api/v1{SPACE}/pods")["items"] if p["metadata"]["name"].split("-")[0] in ("huge", "nowhere")),
        "a pod that can't be scheduled does not say so"))


def goes_on(c):
    """The rest works as if nothing were; what was wrong works once it is put right."""
    says(c, f"{DEPLOYMENTS}/ok", "Available", "True", "MinimumReplicasAvailable", "")
    c.request(f"{SCALED}/no-target", "PATCH", {"spec": {"scaleTargetRef": {"name": "huge"}}},
              content_type="application/merge-patch+json")
    c.request(f"{SCALED}/no-promql", "DELETE")
    says(c, f"{SCALED}/no-target", "Ready", "True", "ScaledObjectReady", "")
    c.request(f"{DEPLOYMENTS}/huge", "PATCH", {"spec": {"template": {"spec": {"containers": [
        {"name": "c", "resources": {"requests": {"cpu": "100m"}}}]}}}},
              content_type="application/strategic-merge-patch+json")
    says(c, f"{DEPLOYMENTS}/huge", "Available", "True", "MinimumReplicasAvailable", "")
    before = c.get("/dashboard/snapshot", base=c.dashboard)["now"]
    eventually("time goes on", lambda: (c.get("/dashboard/snapshot", base=c.dashboard)["now"] > before, before))


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    began = time.time()
    with Cluster(windlass, ROOT / "tests/scenarios/short.yaml", "--speed", "120", "--policy", "stock") as c:
        refusals(c)
        troubles(c)
        goes_on(c)
    print(f"{time.time() - began:.1f} s, {len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
