#!/usr/bin/env python3
"""The rights that `windlass install` grants, against a real API server with RBAC: Windlass runs as its
service account, scales, launches, drains and takes over, and by the audit log nothing was refused.
Rights that were not used are listed.

usage: rights.py WINDLASS"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/live"))
from control_plane import ControlPlane, skip  # noqa: E402

ACCOUNT = "system:serviceaccount:windlass:windlass"
AUDIT = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""
CONFIG = """
apiVersion: windlass.dev/v1alpha1
kind: Config
simulated: {launch: 1s, boot: 1s, devicePlugin: 1s, podPull: 1s, shutdown: 1s}
"""
WORLD = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: nodes
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {a: b}}]
  securityGroupSelectorTerms: [{tags: {a: b}}]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1s}
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
        - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: app, image: "app:1", resources: {requests: {cpu: "1"}},
           env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: credentials, key: token}}}]}
"""
SCALED = """
apiVersion: v1
kind: Secret
metadata: {name: credentials, namespace: default}
stringData: {token: abc}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data: {user: me}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: access, namespace: default}
spec:
  secretTargetRef: [{parameter: bearerToken, name: credentials, key: token}]
  configMapTargetRef: [{parameter: username, name: settings, key: user}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: default}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 1
  maxReplicaCount: 5
  pollingInterval: 1
  triggers:
    - {type: cron, metadata: {timezone: UTC, start: 0 0 * * *, end: 59 23 * * *, desiredReplicas: "3"}}
    - type: prometheus
      authenticationRef: {name: access}
      metadata: {serverAddress: "http://127.0.0.1:1", query: up, threshold: "5", authModes: bearer}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: other, namespace: default}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: other}
  minReplicas: 1
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: other, namespace: default, annotations: {windlass.dev/take-over: "true"}}
spec:
  scaleTargetRef: {name: other}
  minReplicaCount: 1
  triggers: [{type: cron, metadata: {timezone: UTC, start: 0 0 * * *, end: 59 23 * * *, desiredReplicas: "2"}}]
"""
failed = 0


def expect(good, what):
    global failed
    failed += not good
    print(f"{'ok    ' if good else 'FAILED'}  {what}", flush=True)


def granted(objects):
    """(namespace or "", group, resource, verb) of every rule."""
    for o in objects:
        if o["kind"] in ("ClusterRole", "Role"):
            for rule in o["rules"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield (o["metadata"].get("namespace", ""), rule["apiGroups"][0], resource, verb)


def audited(path):
    """What the account asked: (namespace, group, resource, verb, code, URI)."""
    for line in path.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] != ACCOUNT or event["stage"] not in ("ResponseComplete", "ResponseStarted"):
            continue
        ref = event.get("objectRef", {})
        resource = ref.get("resource", "") + ("/" + ref["subresource"] if "subresource" in ref else "")
        yield (ref.get("namespace", ""), ref.get("apiGroup", ""), resource, event["verb"],
               event.get("responseStatus", {}).get("code", 0), event["requestURI"])


def deployments(cp):
    return {d["metadata"]["name"]: d for d in cp.get("/apis/apps/v1/namespaces/default/deployments")["items"]}


def ready(cp, name, replicas):
    d = deployments(cp)[name]
    return d["spec"]["replicas"] == replicas and d.get("status", {}).get("readyReplicas", 0) == replicas


def pool_nodes(cp):
    return cp.get("/api/v1/nodes?labelSelector=karpenter.sh/nodepool")["items"]


def live(cp):
    """Windlass at work until each thing it has rights for has happened."""
    cp.eventually("both deployments are scaled and run", lambda: ready(cp, "web", 3) and ready(cp, "other", 2), 180)
    expect(True, "scaled, launched, running")
    hpa = cp.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/other")
    expect(hpa["spec"]["behavior"]["scaleUp"]["selectPolicy"] == "Disabled", "the HPA stands still")
    scaled = cp.get("/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects/web")
    expect(bool(scaled.get("status", {}).get("conditions")), "the ScaledObject has conditions")
    pending = cp.get("/api/v1/namespaces/windlass/pods")["items"]
    expect(pending and all("nodeName" not in p["spec"] for p in pending),
           "Windlass' own pods are not put on nodes that are played")
    claims = cp.get("/apis/karpenter.sh/v1/nodeclaims")["items"]
    cp.kubectl("delete", "nodeclaim", claims[0]["metadata"]["name"], "--wait=false")
    gone = claims[0]["metadata"]["uid"]
    cp.eventually("a deleted claim is drained and replaced", lambda: ready(cp, "web", 3) and ready(cp, "other", 2) and not
                  any(c["metadata"]["uid"] == gone for c in cp.get("/apis/karpenter.sh/v1/nodeclaims")["items"]), 180)
    cp.kubectl("delete", "scaledobjects", "--all")
    cp.kubectl("delete", "deployments", "web", "other")
    cp.eventually("empty nodes go", lambda: not pool_nodes(cp), 180)
    expect(True, "drained, replaced, emptied")


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    if (reason := ControlPlane.missing()) or ControlPlane.kubectl_path() is None:
        skip(reason or "kubectl is not there (./dev peers)")
    cp = ControlPlane()
    policy, log = cp.dir / "audit.yaml", cp.dir / "audit.log"
    policy.write_text(AUDIT)
    cp.options["kube-apiserver"] += [f"--audit-policy-file={policy}", f"--audit-log-path={log}"]
    with cp:
        def install(*options):
            return subprocess.run([windlass, "install", "--kubeconfig", cp.kubeconfig, *options],
                                  capture_output=True, text=True, check=True, timeout=60).stdout

        text = install("--take-over")
        expect(text.count("kind: CustomResourceDefinition") == 8, "a new cluster gets all CRDs")
        cp.kubectl("apply", "-f", "-", input=text)
        expect(install("--take-over").count("kind: CustomResourceDefinition") == 0, "an installed one gets none")
        dry = cp.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=text, check=False)
        expect(dry.returncode == 0, f"a server-side dry run passes: {dry.stderr[-800:]}")
        cp.eventually("Pod Security takes the pods", lambda: cp.get("/api/v1/namespaces/windlass/pods")["items"])
        expect(True, "a namespace of level restricted takes Windlass' pods")
        cp.eventually("the CRDs are served", lambda: cp.request("/apis/keda.sh/v1alpha1/scaledobjects")[0] == 200)
        world = WORLD.split("---\napiVersion: apps/v1")
        cp.kubectl("apply", "-f", "-", input=world[0])
        for name in ("web", "other"):
            cp.kubectl("apply", "-f", "-", input="apiVersion: apps/v1" + world[1].replace("NAME", name))
        cp.kubectl("apply", "-f", "-", input=SCALED)
        kubeconfig = cp.dir / "windlass.kubeconfig"
        cp.write_kubeconfig(kubeconfig, cp.create_token("windlass", "windlass"))
        config = cp.dir / "config.yaml"
        config.write_text(CONFIG)
        environment = {**os.environ, "WINDLASS_LISTEN": "127.0.0.1:0", "WINDLASS_CLOUD": "simulated",
                       "WINDLASS_OBSERVE": "false", "WINDLASS_CONFIG": str(config)}
        with open(cp.dir / "windlass.log", "w") as out:
            process = subprocess.Popen([windlass, "run", "--kubeconfig", kubeconfig, "--lease-namespace", "windlass"],
                                       stdout=out, stderr=out, env=environment)
            try:
                live(cp)
            except TimeoutError as error:
                expect(False, str(error))
            finally:
                process.terminate()
                process.wait(timeout=30)
        asked = list(audited(log))
        refused = sorted({(u, v) for _, _, _, v, code, u in asked if code in (401, 403)})
        expect(len(asked) > 50 and not refused, f"{len(asked)} requests, none refused: {refused[:20]}")
        objects = json.loads(install("--take-over", "-o", "json"))["items"]
        unused = [g for g in granted(objects) if g[3] not in ("get", "list", "watch") and not any(
            (g[0] in ("", a[0])) and g[1:4] == a[1:4] for a in asked)]
        print(f"rights that were not used here: {unused}")
        if failed:
            print((cp.dir / "windlass.log").read_text()[-6000:])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
