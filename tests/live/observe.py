#!/usr/bin/env python3
"""`windlass run --observe` beside an autoscaler that acts (another `windlass run`): with the rights that
`windlass install --observe` gives it, it sees everything, decides, and sends nothing but reads, as the
API server's audit log has it; alone, no object changes. What it would have saved is told by `windlass
report`.

usage: observe.py WINDLASS"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import ring
import servers
import traffic
from control_plane import ControlPlane, skip

OBSERVER = "system:serviceaccount:windlass:windlass"
READS = {"get", "list", "watch"}
RIGHTS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
KINDS = ["nodes", "nodepools", "nodeclaims", "ec2nodeclasses", "scaledobjects.keda.sh -A", "deployments -A",
         "pods -A", "configmaps -A", "events -A"]
check = ring.check


def audit_options(folder):
    policy = folder / "policy.yaml"
    policy.write_text(json.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [
        {"level": "Metadata", "users": [OBSERVER]}, {"level": "None"}]}))
    return [f"--audit-policy-file={policy}", f"--audit-log-path={folder / 'audit.log'}"]


def give_rights(side, control, folder):
    """A kubeconfig with what the installed program may do."""
    text = subprocess.run([side.windlass, "install", "--observe", "--offline", "--without-crds", "-o", "json"],
                          capture_output=True, text=True, check=True).stdout
    objects = json.loads(text)
    objects = objects["items"] if isinstance(objects, dict) else objects
    chosen = [o for o in objects if o["kind"] in RIGHTS]
    side.kubectl("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": chosen}))
    return control.write_kubeconfig(folder / "observer.kubeconfig", control.create_token("windlass", "windlass"))


def versions(side):
    out = {}
    for kind in KINDS:
        items = json.loads(side.kubectl("get", *kind.split(), "-o", "json"))["items"]
        for item in items:
            meta = item["metadata"]
            out[kind.split()[0], meta.get("namespace"), meta["name"]] = meta["resourceVersion"]
    return out


def report(side, path):
    def run(*arguments):
        return subprocess.run([side.windlass, "report", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60)
    text, values = run(path), run(path, "-o", "json")
    print(text.stdout)
    check("the report is printed", text.returncode == 0 and "RAN" in text.stdout, text.stderr)
    costs = json.loads(values.stdout)["costs"]
    check("it knows what ran", costs and costs["runningUsd"] > 0 and costs["observedHours"] > 0.01, costs)
    check("and what would have been wanted", costs["wantedUsd"] >= 0, costs)
    check("a file that is not there", run("nowhere.jsonl").returncode == 2)
    empty = side.folder / "empty.jsonl"
    empty.write_text("not json\n")
    bad = run(empty)
    check("a file without decisions", bad.returncode == 2 and "no decisions" in bad.stderr
          and "line 1" in bad.stderr, bad.stderr)


def requests(folder):
    """{verb: count} of the observer, one each (an audit entry a stage)."""
    found = {}
    for line in open(folder / "audit.log"):
        entry = json.loads(line)
        if entry["user"]["username"] == OBSERVER and entry["stage"] == "RequestReceived":
            found[entry["verb"]] = found.get(entry["verb"], 0) + 1
    return found


def main():
    servers.need("prometheus")
    if reason := ControlPlane.missing() or (ControlPlane.kubectl_path() is None and "no kubectl is installed"):
        skip(reason)
    with tempfile.TemporaryDirectory(prefix="windlass-observe-") as directory:
        folder = pathlib.Path(directory)
        generator = traffic.Generator(*ring.STEPS)
        prometheus = servers.Prometheus({"blog": [generator.address]})
        with ControlPlane(apiserver=audit_options(folder)) as control:
            side = ring.Side("real", control, sys.argv[1], folder, "stock", prometheus.url)
            side.apply()
            kubeconfig = give_rights(side, control, folder)
            observed = folder / "observed.jsonl"
            side.begin()
            observer = None
            try:
                ring.until("pods run, by the one that acts", [side], lambda h: h["pods"].get("Running") == 2, 90)
                observer = side.run("--observe", "--decisions", observed, log="observe.log",
                                    kubeconfig=kubeconfig)
                observe(side, generator, observer, folder, observed)
            finally:
                for process in (observer, side.process):
                    if process and process.poll() is None:
                        process.kill()
    check.exit()


def observe(side, generator, observer, folder, observed):
    log = folder / "real/observe.log"
    control = side.cluster
    control.eventually("the observer sees everything", lambda: "info: synced" in log.read_text())
    generator.begin()
    ring.until("replicas follow", [side], lambda h: h["replicas"] == 8 and h["pods"].get("Running") == 8, 70)
    check("who acted ends as asked", side.stop() == 0)
    side.process = None
    time.sleep(3)  # what the one that acted had under way
    before = versions(side)
    # Traffic falls and nobody acts: the observer says what it would do. Soon: nodes whose Leases
    # nobody renews are NotReady after 50 s.
    generator.end()
    ring.until("the observer sees the traffic fall", [side], lambda h: "8 -> 1 replicas" in observed.read_text(), 30)
    time.sleep(5)
    after = versions(side)
    check("no object changed", before == after, set(before.items()) ^ set(after.items()))
    observer.terminate()
    check("it ends as asked", observer.wait(timeout=20) == 0, observer.returncode)
    lines = [json.loads(line) for line in open(observed)]
    made = {(one["controller"], one["decision"]) for one in lines}
    check("it decided", {("scaled_object", "scale"), ("observer", "summary")} <= made, made)
    check("the summary is the last", lines[-1]["decision"] == "summary", lines[-1])
    keys = [(one["controller"], one["object"], one["decision"], one["result"]) for one in lines[:-1]]
    check("nothing is told twice within the hour", len(keys) == len(set(keys)), keys)
    asked = requests(folder)
    print(f"the observer's requests: {asked}")
    check("it only reads", asked and set(asked) <= READS, asked)
    report(side, observed)


if __name__ == "__main__":
    main()
