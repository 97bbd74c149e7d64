#!/usr/bin/env python3
"""external.metrics.k8s.io by `windlass external-scaler` behind Kubernetes' own aggregator, with the
real autoscaler: it scales a Deployment to the number wanted, holds while the number isn't known or
nobody serves it, and nobody but the front proxy is answered.

usage: external_metrics.py WINDLASS"""
import base64
import http.client
import json
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from control_plane import ControlPlane, die_with_parent, free_port, skip
from servers import Answers

API = "/apis/external.metrics.k8s.io/v1beta1"
METRIC = f"{API}/namespaces/default/windlass-chat"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/chat"
HPA = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/chat"
REGISTRATION = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io"
SERVICE = "windlass-external-scaler"
# A Service named localhost is how the API server reaches a program beside it.
MANIFESTS = """
apiVersion: v1
kind: Service
metadata: {name: windlass-external-scaler, namespace: default}
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
  service: {name: windlass-external-scaler, namespace: default, port: PORT}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec: {containers: [{name: server, image: example.com/server:1}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: chat, namespace: default}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  minReplicas: 1
  maxReplicas: 50
  behavior:
    scaleUp: {policies: [{type: Pods, value: 50, periodSeconds: 1}]}
  metrics:
  - type: External
    external:
      metric: {name: windlass-chat, selector: {matchLabels: {team: search}}}
      target: {type: AverageValue, averageValue: "1"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metrics-reader}
rules: [{apiGroups: [external.metrics.k8s.io], resources: ["*"], verbs: [get]}]
"""
METRICS = """
metrics:
  - namespaces: [default]
    labels: {team: search}
    metadata:
      model: Chat
      replicaRequestsPerSecond: "1"
      serverAddress: ADDRESS
      arrivalsQuery: rate
"""


def expect(what, got, wanted):
    assert got == wanted, f"{what}: {got!r}, not {wanted!r}"
    print(f"ok {what}", flush=True)


class Prometheus(Answers):
    """Says `rate` to every query; None: it can't be asked."""

    def __init__(self, rate):
        self.rate = rate
        super().__init__(self.answer_query)

    def answer_query(self, _):
        if self.rate is None:
            return 503, {}, "down"
        result = [{"metric": {}, "value": [1, str(self.rate)]}]
        return 200, {}, json.dumps({"status": "success",
                                    "data": {"resultType": "vector", "result": result}})


class Served:
    """`windlass external-scaler` with metrics alone."""

    def __init__(self, windlass, cp, metrics, *options, port=0):
        self.lines = []
        self.process = subprocess.Popen(
            [windlass, "external-scaler", "--listen", "none", "--metrics", metrics,
             "--external-metrics", f"127.0.0.1:{port}",
             "--requestheader-ca", cp.pki / "front-proxy-ca.crt", *options],
            stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"external metrics: listening on port (\d+)", line):
                self.port = int(found.group(1))
                break
        else:
            raise AssertionError(f"it ended: {''.join(self.lines)}")
        threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True).start()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def ask(self, path, certificate=None, **headers):
        """Past the API server; the status, or "refused"."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        try:
            link.request("GET", path, headers=headers)
            return link.getresponse().status
        except (ssl.SSLError, ConnectionError):
            return "refused"
        finally:
            link.close()


def replicas(cp):
    return cp.get(DEPLOYMENT)["spec"]["replicas"]


def wanted(cp):
    """The metric's value, or None while it isn't known."""
    status, _, body = cp.request(METRIC)
    return int(json.loads(body)["items"][0]["value"]) if status == 200 else None


def condition(cp, kind):
    for one in cp.get(HPA).get("status", {}).get("conditions", []):
        if one["type"] == kind:
            return one["status"], one["reason"]
    return None


def available(cp):
    return any(c["type"] == "Available" and c["status"] == "True"
               for c in cp.get(REGISTRATION).get("status", {}).get("conditions", []))


def holds(cp, what, syncs=3):
    """The autoscaler has looked that often (once a second), and all is as it was."""
    before = replicas(cp)
    deadline = time.monotonic() + syncs
    cp.eventually(what, lambda: time.monotonic() > deadline)
    expect(f"{what}: replicas", replicas(cp), before)


def scales(cp, prometheus):
    cp.eventually("the API is available", lambda: available(cp))
    cp.eventually("the autoscaler follows", lambda: (n := wanted(cp)) and n > 1 and
                  replicas(cp) == n)
    few = replicas(cp)
    # 4 requests a second, one a replica and second, and a margin for chance.
    assert 4 <= few <= 8, few
    prometheus.rate = 12
    cp.eventually("more traffic", lambda: (n := wanted(cp)) and n >= 12 and replicas(cp) == n)
    expect("it scales by the metric", condition(cp, "ScalingActive"), ("True", "ValidMetricFound"))
    item = cp.get(METRIC)["items"][0]
    expect("labels", item["metricLabels"], {"team": "search"})
    other = urllib.parse.quote("team=ads")
    expect("another selector", cp.get(f"{METRIC}?labelSelector={other}")["items"], [])


def is_discovered(cp):
    names = cp.kubectl("api-resources", "--api-group=external.metrics.k8s.io", "-o", "name").split()
    expect("kubectl api-resources", names, ["windlass-chat.external.metrics.k8s.io"])
    expect("the group", json.loads(cp.kubectl("get", "--raw", API))["kind"], "APIResourceList")
    for path in (f"{API}/namespaces/default/other", f"{API}/namespaces/kube-system/windlass-chat"):
        expect(f"what isn't there, {path}", cp.request(path)[0], 404)
    expect("a write", cp.request(METRIC, method="DELETE")[0], 405)


def answers_the_front_proxy_alone(cp, served):
    user = {"X-Remote-User": "ann"}
    proxy = cp.pki / "front-proxy"
    cp.certificate("other-proxy", "/CN=somebody-else", "client", "front-proxy-ca")
    expect("the front proxy", served.ask(API, proxy, **user), 200)
    expect("it speaks for nobody", served.ask(API, proxy), 401)
    expect("no certificate", served.ask(API, **user), 401)
    expect("its CA, another name", served.ask(API, cp.pki / "other-proxy", **user), 401)
    expect("the cluster's CA", served.ask(API, cp.pki / "admin", **user), "refused")
    expect("health", served.ask("/readyz"), 200)
    # And of whom it speaks, RBAC decides before.
    token = cp.create_token("reader")
    expect("an account without a role", cp.request(METRIC, token=token)[0], 403)
    cp.kubectl("create", "clusterrolebinding", "reads-metrics", "--clusterrole=metrics-reader",
               "--serviceaccount=default:reader")
    cp.eventually("one with a role", lambda: cp.request(METRIC, token=token)[0] == 200)


def holds_without_a_value(cp, prometheus):
    rate, prometheus.rate = prometheus.rate, None
    cp.eventually("it says that it doesn't know", lambda: cp.request(METRIC)[0] == 503)
    expect("and why", "503" in json.loads(cp.request(METRIC)[2])["message"], True)
    cp.eventually("the autoscaler says so", lambda: condition(cp, "ScalingActive") == (
        "False", "FailedGetExternalMetric"))
    holds(cp, "Prometheus is away")
    prometheus.rate = rate
    cp.eventually("it is back", lambda: condition(cp, "ScalingActive") == (
        "True", "ValidMetricFound"))


def holds_without_a_server(cp, windlass, served, metrics):
    expect("SIGTERM", served.stop(), 0)
    cp.eventually("the API is away", lambda: not available(cp))
    holds(cp, "nobody serves")
    # Again on the same port, now with a certificate the API server verifies.
    cp.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "2", "-subj", "/CN=metrics", "-addext",
               f"subjectAltName=DNS:{SERVICE}.default.svc", "-keyout", "metrics.key",
               "-out", "metrics.crt")
    bundle = base64.b64encode((cp.pki / "metrics.crt").read_bytes()).decode()
    cp.kubectl("patch", "apiservice", "v1beta1.external.metrics.k8s.io", "--type=merge", "-p",
               json.dumps({"spec": {"insecureSkipTLSVerify": False, "caBundle": bundle}}))
    again = Served(windlass, cp, metrics, "--tls-cert", cp.pki / "metrics.crt", "--tls-key",
                   cp.pki / "metrics.key", port=served.port)
    cp.eventually("the API is back, verified", lambda: available(cp))
    cp.eventually("the autoscaler goes on", lambda: condition(cp, "ScalingActive") == (
        "True", "ValidMetricFound"))
    expect("SIGTERM", again.stop(), 0)


def refuses_half_an_order(cp, windlass, metrics):
    ca = str(cp.pki / "front-proxy-ca.crt")
    at = ["--external-metrics", "127.0.0.1:0"]
    for words, said in (([*at], "--metrics"), ([*at, "--metrics", metrics], "--requestheader-ca"),
                        (["--metrics", metrics], "--external-metrics"),
                        (["--listen", "none"], "--external-metrics"),
                        ([*at, "--metrics", ca, "--requestheader-ca", ca], "--metrics"),
                        ([*at, "--metrics", metrics, "--requestheader-ca", metrics], "PEM")):
        done = subprocess.run([windlass, "external-scaler", *words], capture_output=True, text=True,
                              timeout=30)
        assert done.returncode == 2 and said in done.stderr, (words, done)
    print("ok what it refuses")


def main(windlass):
    reason = ControlPlane.missing()
    if reason is None and ControlPlane.kubectl_path() is None:
        reason = "no kubectl is installed"
    if reason:
        skip(reason)
    prometheus = Prometheus(4)
    with tempfile.TemporaryDirectory() as directory, ControlPlane(
            controllers=["--horizontal-pod-autoscaler-sync-period=1s"]) as cp:
        metrics = str(pathlib.Path(directory) / "metrics.yaml")
        pathlib.Path(metrics).write_text(METRICS.replace("ADDRESS", prometheus.url))
        refuses_half_an_order(cp, windlass, metrics)
        served = Served(windlass, cp, metrics, port=free_port())
        cp.kubectl("apply", "-f", "-", input=MANIFESTS.replace("PORT", str(served.port)))
        scales(cp, prometheus)
        is_discovered(cp)
        answers_the_front_proxy_alone(cp, served)
        holds_without_a_value(cp, prometheus)
        holds_without_a_server(cp, windlass, served, metrics)
    prometheus.stop()


if __name__ == "__main__":
    main(sys.argv[1])
