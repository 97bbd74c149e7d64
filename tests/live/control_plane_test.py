#!/usr/bin/env python3
"""The control plane the live tests stand on does what they count on: RBAC, the real scheduler and
its GPUs, the real autoscaler over an aggregated API outside the cluster, the streaming list's
bookmark, history that is compacted away, an API server that is killed and comes back, and a program
that won't start is told with its log.

usage: control_plane_test.py [CASE...]
"""
import contextlib
import http.server
import io
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading

from control_plane import ComponentDied, ControlPlane, skip

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: llm}}
  template:
    metadata: {labels: {app: llm}}
    spec:
      containers:
      - name: server
        image: example.com/server:1
        resources: {limits: {cpu: "1", memory: 1Gi, nvidia.com/gpu: "1"}}
"""
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"
# A Service named localhost is how the API server reaches a program beside it.
AUTOSCALED = """
apiVersion: v1
kind: Service
metadata: {name: queue, namespace: default}
spec: {type: ExternalName, externalName: localhost, ports: [{port: PORT}]}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: queue, namespace: default, port: PORT}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec: {containers: [{name: worker, image: example.com/worker:1}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: worker, namespace: default}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  minReplicas: 1
  maxReplicas: 10
  metrics:
  - type: External
    external: {metric: {name: queue}, target: {type: AverageValue, averageValue: "1"}}
"""


def expect(what, got, wanted):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"


def whoever_asks(cp):
    expect("the version's minor", cp.version.split(".")[:2], ["v1", cp.programs.name.split(".")[1]])
    expect("without a token", cp.request("/api/v1/nodes", token="")[0], 403)
    expect("with a token of nobody", cp.request("/api/v1/nodes", token="guess")[0], 401)
    account = cp.create_token("reader")
    expect("an account without a role", cp.request(PODS, token=account)[0], 403)
    cp.kubectl("create", "rolebinding", "reads", "--clusterrole=view",
               "--serviceaccount=default:reader")
    cp.eventually("the role holds", lambda: cp.request(PODS, token=account)[0] == 200)
    expect("what the role doesn't give", cp.request(
        PODS, method="POST", body={}, token=account)[0], 403)
    # The same account by a kubeconfig, and the admin by certificate.
    config = cp.write_kubeconfig(cp.dir / "reader.kubeconfig", account)
    who = subprocess.run(
        [cp.kubectl_path(), "--kubeconfig", config, "auth", "whoami", "-o", "json"],
        capture_output=True, text=True, timeout=60, check=True).stdout
    expect("whoami", json.loads(who)["status"]["userInfo"]["username"],
           "system:serviceaccount:default:reader")
    expect("the admin", cp.kubectl("auth", "can-i", "*", "*").strip(), "yes")


def bound(cp):
    """{pod: node} of those the scheduler has placed."""
    return {p["metadata"]["name"]: p["spec"]["nodeName"] for p in cp.get(PODS)["items"]
            if p["spec"].get("nodeName")}


def without_room(cp):
    return [p["metadata"]["name"] for p in cp.get(PODS)["items"]
            for c in p["status"].get("conditions", [])
            if c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable"]


def scheduler(cp):
    cp.add_node("plain")
    cp.add_node("gpu-a", extra={"nvidia.com/gpu": "2"})
    cp.kubectl("apply", "-f", "-", input=DEPLOYMENT)
    cp.eventually("two pods bound, one without room",
                  lambda: len(bound(cp)) == 2 and len(without_room(cp)) == 1)
    expect("where they are", set(bound(cp).values()), {"gpu-a"})
    cp.add_node("gpu-b", extra={"nvidia.com/gpu": "1"}, labels={"zone": "b"})
    cp.eventually("the third pod bound", lambda: len(bound(cp)) == 3)
    expect("where the third is", sorted(bound(cp).values()), ["gpu-a", "gpu-a", "gpu-b"])
    for node in cp.get("/api/v1/nodes")["items"]:
        expect("taints once it is known to be ready", node["spec"].get("taints"), None)


class QueueLength(http.server.BaseHTTPRequestHandler):
    """external.metrics.k8s.io with one metric; notes who asks for it."""
    seen = []
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, answer = self.path.split("?")[0], None
        if path == EXTERNAL:
            answer = {"kind": "APIResourceList", "apiVersion": "v1",
                      "groupVersion": EXTERNAL.removeprefix("/apis/"), "resources": [
                          {"name": "queue", "singularName": "", "namespaced": True,
                           "kind": "ExternalMetricValueList", "verbs": ["get"]}]}
        elif path == f"{EXTERNAL}/namespaces/default/queue":
            subject = self.connection.getpeercert()["subject"]
            names = dict(pair for part in subject for pair in part)
            self.seen.append((names["commonName"], self.headers["X-Remote-User"]))
            answer = {"kind": "ExternalMetricValueList", "metadata": {},
                      "apiVersion": EXTERNAL.removeprefix("/apis/"), "items": [
                          {"metricName": "queue", "metricLabels": {}, "value": "2500m",
                           "timestamp": "2030-01-01T00:00:00Z"}]}
        body = json.dumps(answer or {"kind": "Status", "code": 404}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def autoscaler(cp):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), QueueLength)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cp.pki / "apiserver.crt", cp.pki / "apiserver.key")
    context.load_verify_locations(cp.pki / "front-proxy-ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cp.kubectl("apply", "-f", "-", input=AUTOSCALED.replace("PORT", str(server.server_port)))
    # 2.5 in the queue, 1 for each replica: three.
    cp.eventually("the autoscaler's three replicas", lambda: cp.get(
        "/apis/apps/v1/namespaces/default/deployments/worker")["spec"]["replicas"] == 3)
    expect("who asked", set(QueueLength.seen), {(
        "front-proxy-client", "system:serviceaccount:kube-system:horizontal-pod-autoscaler")})
    cp.kubectl("delete", "hpa/worker", "apiservice/v1beta1.external.metrics.k8s.io",
               "deployment/worker", "service/queue")
    server.shutdown()
    server.server_close()


def watch_list(cp):
    for name in ("one", "two"):
        cp.create(PODS, {"metadata": {"name": name}, "spec": {
            "schedulerName": "nobody", "containers": [{"name": "c", "image": "example.com/c"}]}})
    there = {p["metadata"]["name"] for p in cp.get(PODS)["items"]}
    seen = set()
    events = cp.watch(PODS, sendInitialEvents="true", allowWatchBookmarks="true",
                      resourceVersionMatch="NotOlderThan")
    for event in events:
        if event["type"] == "BOOKMARK":
            break
        expect("the kind of an initial event", event["type"], "ADDED")
        seen.add(event["object"]["metadata"]["name"])
    expect("the bookmark", event["object"]["metadata"]["annotations"], {INITIAL_EVENTS_END: "true"})
    expect("what came before it", seen, there)
    cp.kubectl("label", "pod", "one", "a=b")
    event = next(events)
    expect("what comes after it", (event["type"], event["object"]["metadata"]["labels"]),
           ("MODIFIED", {"a": "b"}))
    events.close()
    refused = cp.request(f"{PODS}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true")
    expect("without resourceVersionMatch", refused[0], 422)


def write_twice(cp, name):
    """The version before the second write, which a watch from there would have to tell."""
    old = cp.create(CONFIGMAPS, {"metadata": {"name": name}})["metadata"]["resourceVersion"]
    cp.kubectl("label", "configmap", name, "a=b")
    return old


def is_gone(cp, what, version):
    event = next(cp.watch(CONFIGMAPS, resourceVersion=version))
    expect(what, (event["type"], event["object"]["code"], event["object"]["reason"]),
           ("ERROR", 410, "Expired"))


def compaction(cp):
    # The API server runs without a watch cache for ConfigMaps (main), so that etcd answers.
    old = write_twice(cp, "first")
    event = next(cp.watch(CONFIGMAPS, resourceVersion=old))
    expect("before", (event["type"], event["object"]["metadata"]["name"]), ("MODIFIED", "first"))
    page = cp.get(f"{CONFIGMAPS}?limit=1")["metadata"]["continue"]
    live = cp.watch(CONFIGMAPS, resourceVersion=cp.get(CONFIGMAPS)["metadata"]["resourceVersion"])
    cp.create(CONFIGMAPS, {"metadata": {"name": "second"}})
    expect("a watch under way", next(live)["object"]["metadata"]["name"], "second")
    cp.compact_etcd()
    is_gone(cp, "an old watch", old)
    status, _, body = cp.request(f"{CONFIGMAPS}?limit=1&continue={page}")
    expect("an old page", (status, json.loads(body)["reason"]), (410, "Expired"))
    cp.create(CONFIGMAPS, {"metadata": {"name": "third"}})
    expect("a watch under way goes on", next(live)["object"]["metadata"]["name"], "third")
    live.close()


def apiserver_dies(cp):
    old = cp.get(PODS)["metadata"]["resourceVersion"]
    live = cp.watch(PODS, resourceVersion=old)
    cp.create(PODS, {"metadata": {"name": "survivor"}, "spec": {
        "schedulerName": "nobody", "containers": [{"name": "c", "image": "example.com/c"}]}})
    expect("an event", next(live)["object"]["metadata"]["name"], "survivor")
    url = cp.url
    cp.kill_apiserver()
    # A watch that ends is a clean end or a broken connection, never another event.
    with contextlib.suppress(OSError, ValueError):
        expect("after the server's end", list(live), [])
    try:
        cp.request("/readyz", timeout=5)
        raise AssertionError("a killed API server answers")
    except OSError:
        pass
    cp.start_apiserver()
    expect("the address", cp.url, url)
    expect("what was written", cp.get(f"{PODS}/survivor")["metadata"]["name"], "survivor")
    # The others find it again: the controller manager makes a new namespace's account.
    cp.kubectl("create", "namespace", "later")
    cp.eventually("the controllers work again", lambda: cp.request(
        "/api/v1/namespaces/later/serviceaccounts/default")[0] == 200)
    # After a restart its cache begins now, and what etcd forgot nobody knows.
    cp.forget_history()
    event = next(cp.watch(PODS, resourceVersion=old))
    expect("a watch from before", (event["type"], event["object"]["code"]), ("ERROR", 410))


def a_program_that_ends(_):
    with tempfile.TemporaryDirectory() as directory:
        errors = io.StringIO()
        try:
            with contextlib.redirect_stderr(errors), \
                    ControlPlane(data_dir=directory, apiserver=["--no-such-option"]):
                raise AssertionError("it started")
        except ComponentDied as death:
            assert "kube-apiserver ended with 1" in str(death), death
            assert "unknown flag: --no-such-option" in str(death), death
        assert f"{directory}/logs" in errors.getvalue(), errors.getvalue()
        assert (pathlib.Path(directory) / "logs/kube-apiserver.log").exists()


CASES = [whoever_asks, scheduler, autoscaler, watch_list, compaction, apiserver_dies,
         a_program_that_ends]


def main(names):
    reason = ControlPlane.missing()
    if reason is None and ControlPlane.kubectl_path() is None:
        reason = "no kubectl is installed"
    if reason:
        skip(reason)
    cases = [c for c in CASES if not names or c.__name__ in names]
    with ControlPlane(apiserver=["--watch-cache-sizes=configmaps#0"],
                      controllers=["--horizontal-pod-autoscaler-sync-period=1s"]) as cp:
        print(f"Kubernetes {cp.version}, ready in {cp.start_seconds:.1f} s")
        for case in cases:
            case(cp)
            print(f"ok {case.__name__}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
