#!/usr/bin/env python3
"""kubectl against the embedded cluster: about 130 commands, each with its result checked, by every
minor version of kubectl there is.

usage: kubectl_suite.py WINDLASS [MINOR ...]     (skips where there is no kubectl)
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

from cluster import Cluster, ROOT, kubectls, skip

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {role: general}
      containers:
        - name: app
          image: nginx:1.25
          ports: [{containerPort: 80, name: http}]
          resources: {requests: {cpu: 10m, memory: 16Mi}}
"""
SCALED_OBJECT = """
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web-scaler}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 1
  maxReplicaCount: 4
  triggers:
    - type: prometheus
      metadata: {serverAddress: "http://prometheus:9090", threshold: "5", query: sum(inference_queue_depth)}
"""
HISTORY = """
apiVersion: apps/v1
kind: %(kind)s
metadata: {name: old}
spec:
%(more)s  selector: {matchLabels: {app: old}}
  template:
    metadata: {labels: {app: old}}
    spec:
      nodeSelector: {role: general}
      containers: [{name: app, image: "nginx:1", resources: {requests: {cpu: 10m}}}]
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets%(n)s.example.com}
spec:
  group: example.com
  names: {plural: widgets%(n)s, singular: widget%(n)s, kind: Widget%(n)s, shortNames: [wd%(n)s]}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
      additionalPrinterColumns:
        - {name: Size, type: integer, jsonPath: .spec.replicas}
        - {name: Color, type: string, jsonPath: .spec.color}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [color]
              properties:
                replicas: {type: integer, minimum: 0, default: 1}
                color: {type: string, enum: [red, green]}
            status: {type: object, properties: {replicas: {type: integer}}}
"""


class Suite:
    one_node = threading.Lock()

    def __init__(self, cluster, minor, path, scratch):
        self.cluster, self.minor, self.path = cluster, minor, path
        self.n = minor.replace(".", "")
        self.ns = "k" + self.n
        self.scratch = pathlib.Path(scratch)
        self.count, self.failures = 0, []

    def run(self, *args, stdin=None, env=None, timeout=60):
        command = [self.path, "--kubeconfig", self.cluster.kubeconfig,
                   "--cache-dir", str(self.scratch / "cache"), *args]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(env or {})})

    def k(self, args, expect="", code=0, stdin=None, ns=True, absent=None, env=None, timeout=60):
        """Runs `kubectl ARGS`, checks exit code and output (a regular expression, or a function)."""
        words = args if isinstance(args, list) else args.split()
        if ns:
            words = ["-n", self.ns, *words]
        self.count += 1
        shown = "kubectl " + " ".join(words)
        began = time.time()
        try:
            done = self.run(*words, stdin=stdin, env=env, timeout=timeout)
        except subprocess.TimeoutExpired:
            self.failures.append(f"{shown}\n    did not end within {timeout} s")
            return ""
        output = done.stdout + done.stderr
        if os.environ.get("VERBOSE"):
            print(f"{time.time() - began:6.2f} s  {shown}", flush=True)
        why = None
        if code is not None and done.returncode != code:
            why = f"exit code {done.returncode}, wanted {code}"
        elif callable(expect):
            try:
                if expect(done.stdout) is False:
                    why = "the output is not as it should be"
            except Exception as error:  # pylint: disable=broad-except
                why = f"the output is not as it should be: {error!r}"
        elif expect and not re.search(expect, output, re.S):
            why = f"no match for {expect!r}"
        if not why and absent and re.search(absent, output):
            why = f"should not say {absent!r}"
        if why:
            self.failures.append(f"{shown}\n    {why}\n" + textwrap.indent(output[-900:], "    | "))
        return done.stdout

    def file(self, name, text):
        path = self.scratch / name
        path.write_text(text)
        return str(path)

    def until(self, what, check, seconds=30):
        """Waits for something the cluster does by itself."""
        deadline = time.time() + seconds
        while time.time() < deadline:
            if check():
                return
            time.sleep(0.2)
        self.failures.append(f"did not happen within {seconds} s: {what}")

    def node(self):
        """The node that runs general pods."""
        done = self.run("get", "nodes", "-l", "role=general", "-o", "name")
        names = done.stdout.split()
        return names[0].split("/")[1] if names else ""

    def all(self):
        self.meta()
        self.create()
        self.read()
        self.apply()
        self.change()
        self.rollout()
        self.histories()
        self.nodes()
        self.crd()
        self.platform()
        self.scenario()
        self.refuse()
        self.delete()
        return self

    def meta(self):
        k = self.k
        k("version -o json", lambda o: json.loads(o)["serverVersion"]["gitVersion"], ns=False)
        k("version -o yaml", "windlass", ns=False)
        k("cluster-info", "is running at", ns=False)
        k("get --raw /healthz", "ok", ns=False)
        k("get --raw /readyz?verbose", "ok", ns=False)
        k("get --raw /livez", "ok", ns=False)
        k("get --raw /api/v1", '"pods/eviction"', ns=False)
        k("api-versions", "karpenter.sh/v1\n.*keda.sh/v1alpha1", ns=False)
        k("api-resources", r"deployments\s+deploy\s+apps/v1\s+true\s+Deployment", ns=False)
        k("api-resources --namespaced=false -o name", "nodeclaims.karpenter.sh", ns=False)
        k("api-resources --api-group=keda.sh", "scaledobjects +so", ns=False)
        k("api-resources --verbs=list,watch --categories=karpenter", "NodePool", ns=False)
        k("auth can-i create pods", "yes")
        k("auth can-i --list", r"\[\*\]")
        if int(self.minor.split(".")[1]) >= 28:
            k("auth whoami", "windlass-admin", ns=False)
        k("config view --minify", "server: https://", ns=False)
        k("get ns", "default +Active", ns=False)
        k("get ns nowhere", 'namespaces "nowhere" not found', code=1, ns=False)
        for what in ["deployment.spec.template.spec.containers", "pod.spec.tolerations", "node.status",
                     "nodepool.spec.disruption", "scaledobject.spec.triggers", "hpa.spec.metrics"]:
            k(["explain", what], "FIELDS?", ns=False)
        k("explain deployment --recursive", "matchLabels", ns=False)
        k("explain deployment.spec.replica", "does not exist", code=1, ns=False)

    def create(self):
        k = self.k
        k(["create", "namespace", self.ns], f"namespace/{self.ns} created", ns=False)
        k(["create", "namespace", self.ns], "already exists", code=1, ns=False)
        k(["create", "namespace", "Bad_Name"], "Invalid|invalid", code=1, ns=False)
        k("create configmap settings --from-literal=a=1 --from-literal=b=2", "configmap/settings created")
        k("create secret generic keys --from-literal=user=admin", "secret/keys created")
        k("create secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=p",
          "secret/pull created")
        k("create serviceaccount robot", "serviceaccount/robot created")
        k("create token robot", lambda o: o.count(".") == 2)
        k("create deployment hello --image=nginx:1.25 --replicas=1", "deployment.apps/hello created")
        k("create job once --image=busybox -- /bin/true", "job.batch/once created")
        k(["create", "cronjob", "tick", "--image=busybox", "--schedule=*/5 * * * *", "--", "/bin/true"],
          "cronjob.batch/tick created")
        k("create service clusterip web --tcp=80:80", "service/web created")
        k(["create", "ingress", "front", "--rule=web.example/*=web:80"], "ingress.networking.k8s.io/front created")
        k("create role reader --verb=get,list --resource=pods", "created")
        k("create rolebinding reads --role=reader --serviceaccount=" + self.ns + ":robot", "created")
        k(f"create clusterrole reader-{self.n} --verb=get --resource=nodes", "created", ns=False)
        k(f"create clusterrolebinding reads-{self.n} --clusterrole=reader-{self.n} --user=jane", "created", ns=False)
        k("create quota bounds --hard=pods=50", "created")
        k("create poddisruptionbudget web --selector=app=web --min-available=1", "created")
        k(f"create priorityclass high-{self.n} --value=1000", "created", ns=False)
        k("run lone --image=nginx:1.25 --labels=app=lone", "pod/lone created")
        k("expose deployment hello --port=80", "service/hello exposed")
        k("autoscale deployment hello --min=1 --max=3 --cpu-percent=50", "autoscaled")

    def read(self):
        k = self.k
        k("get configmap settings -o jsonpath={.data.a}", "^1$")
        k("get secret keys -o jsonpath={.data.user}", "YWRtaW4=")
        k("get cm", r"NAME +DATA +AGE.*settings +2")
        k("get secrets", r"keys +Opaque +1")
        k("get sa", "robot")
        k("get deploy", r"NAME +READY +UP-TO-DATE +AVAILABLE +AGE")
        k("get svc", r"web +ClusterIP")
        k("get ing", r"front .*web.example")
        k("get cronjob", r"tick +\*/5 \* \* \* \*")
        k("get pdb", r"web +1 +N/A")
        k("get hpa", r"hello +Deployment/hello")
        k("get role,rolebinding", "reader")
        k("get quota", "bounds")
        k("get all", "deployment.apps/hello")
        k("get pods -o wide", "NOMINATED NODE")
        k("get pods -o name", "pod/lone")
        k("get pods -o json", lambda o: json.loads(o)["kind"] == "List")
        k("get pods -o yaml", "kind: List")
        k("get pods --show-labels", "app=lone")
        k("get pods -L app", "APP")
        k("get pods -l app=lone -o name", "^pod/lone\n$")
        k(["get", "pods", "-l", "app in (lone,none),!x", "-o", "name"], "^pod/lone\n$")
        k("get pods --field-selector metadata.name=lone -o name", "^pod/lone\n$")
        k("get pods --field-selector spec.nodeName=nowhere", "No resources found")
        k("get pods --sort-by=.metadata.name", "lone")
        k("get pods -o custom-columns=N:.metadata.name,P:.status.phase", r"^N +P")
        k(["get", "pods", "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}"], "lone")
        k("get pods --chunk-size=1 -o name", "pod/lone")
        k("get pods -A", "NAMESPACE +NAME", ns=False)
        k("get pods --ignore-not-found nothing", "^$")
        k("get pods nothing", "NotFound", code=1)
        k("get nodes", r"NAME +STATUS +ROLES +AGE +VERSION.*Ready", ns=False)
        k("get nodes -o wide", "INTERNAL-IP", ns=False)
        k("get --raw /api/v1/namespaces/" + self.ns + "/pods/lone", '"kind":"Pod"', ns=False)
        k("get events", "LAST SEEN +TYPE +REASON")
        k("describe pod lone", "Name: +lone.*Containers:.*Events:")
        k("describe deployment hello", "Selector: +app=hello")
        k("describe svc web", "Type: +ClusterIP")
        k("describe cm settings", "b:\n----")
        k("describe secret keys", "user: +5 bytes", absent="YWRtaW4")
        k("describe ns " + self.ns, "Status: +Active", ns=False)
        k("describe hpa hello", "Reference: +Deployment/hello")
        k("events", "LAST SEEN")

    def apply(self):
        k = self.k
        web = self.file("web.yaml", DEPLOYMENT)
        k(["apply", "-f", web, "--dry-run=server"], r"created \(server dry run\)")
        k("get deploy web", "NotFound", code=1)
        k(["diff", "-f", web], r"\+  replicas: 2", code=1)
        k(["apply", "-f", web], "deployment.apps/web created")
        k(["apply", "-f", web], "unchanged")
        k(["diff", "-f", web], "^$")
        more = self.file("web3.yaml", DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
        k(["diff", "-f", more], r"-  replicas: 2.*\+  replicas: 3", code=1)
        k(["apply", "-f", more], "configured")
        k("get deploy web -o jsonpath={.spec.replicas}/{.metadata.generation}", "^3/2$")
        k(["apply", "-f", "-"], "unchanged|configured", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
        typo = DEPLOYMENT.replace("replicas: 2", "replica: 2")
        k(["apply", "-f", "-"], 'unknown field "spec.replica"', code=1, stdin=typo)
        k(["apply", "--validate=warn", "-f", "-", "--dry-run=server"], 'unknown field "spec.replica"', stdin=typo)
        k(["apply", "-f", "-"], "strict decoding|cannot unmarshal|ValidationError|invalid",
          code=1, stdin=DEPLOYMENT.replace("replicas: 2", "replicas: many"))
        k(["apply", "-f", "-"], "selector", code=1,
          stdin=DEPLOYMENT.replace("matchLabels: {app: web}", "matchLabels: {app: other}").replace("name: web,", "name: web2,"))
        # Server-side: two managers, a conflict, force, and giving up a field.
        ssa = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\ndata: {%s}\n'
        k(["apply", "--server-side", "-f", "-"], "serverside-applied", stdin=ssa % "a: one, b: two")
        k(["apply", "--server-side", "--field-manager=other", "-f", "-"], "conflict.*kubectl.*.data.a", code=1,
          stdin=ssa % "a: uno")
        k(["apply", "--server-side", "--field-manager=other", "-f", "-"], "serverside-applied", stdin=ssa % "c: three")
        k(["apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-"], "serverside-applied",
          stdin=ssa % "a: uno")
        k("get cm shared -o jsonpath={.data}", lambda o: json.loads(o) == {"a": "uno", "b": "two"})
        k("get cm shared -o yaml --show-managed-fields", "manager: other.*operation: Apply|operation: Apply.*manager: other")
        k(["apply", "--server-side", "--force-conflicts", "-f", web], "serverside-applied")
        k(["apply", "view-last-applied", "deploy/web"], "kind: Deployment")
        k(["replace", "-f", web], "replaced")
        k(["create", "-f", web], "AlreadyExists", code=1)
        overlay = self.scratch / "overlay"
        overlay.mkdir()
        (overlay / "web.yaml").write_text(DEPLOYMENT)
        (overlay / "kustomization.yaml").write_text("resources: [web.yaml]\nnamePrefix: k-\n")
        k(["apply", "-k", str(overlay)], "deployment.apps/k-web created")
        k(["delete", "-k", str(overlay)], "deleted")

    def change(self):
        k = self.k
        k("label deploy web tier=front", "labeled")
        k("label deploy web tier=back", "already has a value", code=1)
        k("label deploy web tier=back --overwrite", "labeled")
        k("label deploy web tier-", "unlabeled")
        k("annotate deploy web note=x", "annotated?")
        k(["patch", "deploy", "web", "-p", '{"spec":{"minReadySeconds":1}}'], "patched")
        k(["patch", "deploy", "web", "--type=merge", "-p", '{"spec":{"minReadySeconds":2}}'], "patched")
        k(["patch", "deploy", "web", "--type=json", "-p",
           '[{"op":"replace","path":"/spec/minReadySeconds","value":0}]'], "patched")
        k(["patch", "deploy", "web", "--type=json", "-p", '[{"op":"test","path":"/spec/replicas","value":99}]'],
          "test", code=1)
        k(["patch", "deploy", "web", "-p",
           '{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"1"}]}]}}}}'], "patched")
        k("get deploy web -o jsonpath={.spec.template.spec.containers[*].image}", "^nginx:1.25$")
        editor = self.file("editor.sh", "#!/bin/sh\nsed -i 's/minReadySeconds: .*/minReadySeconds: 5/;"
                           "s/^  replicas: .*/  replicas: 2/' \"$1\"\n")
        os.chmod(editor, 0o755)
        k("edit deploy web", "edited|no changes", env={"KUBE_EDITOR": editor})
        k("set image deploy/web app=nginx:1.26", "image updated")
        k("set env deploy/web B=2", "env updated")
        k("set resources deploy/web -c app --requests=cpu=20m", "requirements updated")
        k("scale deploy web --replicas=2", "scaled")
        k("scale deploy web --current-replicas=7 --replicas=1", "xpected replicas|precondition", code=1)
        k("get deploy web -o jsonpath={.spec.replicas}", "^2$")
        k(["get", "--raw", f"/apis/apps/v1/namespaces/{self.ns}/deployments/web/scale"], '"kind":"Scale"', ns=False)
        if int(self.minor.split(".")[1]) >= 27:
            k("get deploy web --subresource=scale", "web")
            k("get deploy web --subresource=status -o name", "web")

    def rollout(self):
        k = self.k
        k("rollout status deploy/web --timeout=30s", "successfully rolled out", timeout=40)
        k("wait --for=condition=Available deploy/web --timeout=60s", "condition met")
        k("wait --for=jsonpath={.status.readyReplicas}=2 deploy/web --timeout=60s", "condition met")
        k("wait --for=condition=Ready pod -l app=web --timeout=60s", "condition met")
        k("get rs -l app=web", r"NAME +DESIRED +CURRENT +READY")
        k("rollout history deploy/web", "REVISION")
        k("rollout restart deploy/web", "restarted")
        k("rollout status deploy/web --timeout=30s", "successfully rolled out", timeout=40)
        k("rollout pause deploy/web", "paused")
        k("rollout resume deploy/web", "resumed")
        k("rollout undo deploy/web", "rolled back")
        k("rollout status deploy/web --timeout=30s", "successfully rolled out", timeout=40)
        k("wait --for=condition=Complete job/once --timeout=30s", "condition met", timeout=40)
        k("get job once", r"once +(Complete +)?1/1")
        k("get deploy web -w --request-timeout=2s", r"web +2/2", code=None)
        k("wait --for=condition=Nonsense deploy/web --timeout=1s", "timed out", code=1)

    def histories(self):
        """Former templates of a StatefulSet and a DaemonSet: listed, shown and put back."""
        k = self.k
        for kind, more in (("statefulset", "  serviceName: old\n  replicas: 1\n"), ("daemonset", "")):
            k(["create", "-f", "-"], "created", stdin=HISTORY % {"kind": {"s": "StatefulSet", "d": "DaemonSet"}[kind[0]],
                                                                 "more": more})
            k(f"rollout status {kind}/old --timeout=60s", "", timeout=70)
            k(f"set image {kind}/old app=nginx:2", "image updated")
            k(f"rollout status {kind}/old --timeout=60s", "", timeout=70)
            k(f"rollout history {kind}/old", r"REVISION +CHANGE-CAUSE\n1 .*\n2 ")
            k(f"rollout history {kind}/old --revision=1", "nginx:1")
            k(f"rollout undo {kind}/old", "rolled back")
            k(["get", kind, "old", "-o", "jsonpath={.spec.template.spec.containers[0].image}"], "nginx:1")
            self.until(f"the {kind}'s first template is its third revision", lambda kind=kind: re.search(
                r"\n2 .*\n3 ", self.run("-n", self.ns, "rollout", "history", f"{kind}/old").stdout))
            k(f"delete {kind} old", "deleted")
        self.until("the revisions are gone", lambda: not self.run(
            "-n", self.ns, "get", "controllerrevisions", "-o", "name").stdout.strip())

    def nodes(self):
        # `kubectl taint` replaces the list it has read: two at a time lose each other's.
        with self.one_node:
            self.change_node()

    def change_node(self):
        k = self.k
        node = self.node()
        if not node:
            self.failures.append("no node with the label role=general")
            return
        k(["describe", "node", node], r"Allocatable:.*Non-terminated Pods.*Allocated resources", ns=False)
        k(["label", "node", node, f"seen-{self.n}=yes"], "labeled", ns=False)
        k(["taint", "node", node, f"t{self.n}=x:PreferNoSchedule"], "tainted", ns=False)
        k(["taint", "node", node, f"t{self.n}-"], "untainted", ns=False)
        k(["-n", "kube-node-lease", "get", "leases"], "HOLDER", ns=False)

    def crd(self):
        k = self.k
        crd = self.file("crd.yaml", CRD % {"n": self.n})
        k(["apply", "-f", crd], "created", ns=False)
        k(["wait", "--for=condition=Established", f"crd/widgets{self.n}.example.com", "--timeout=10s"],
          "condition met", ns=False)
        widget = (f"apiVersion: example.com/v1\nkind: Widget{self.n}\nmetadata: {{name: one}}\n"
                  "spec: {color: %s}\n")
        self.until("the new kind is discovered", lambda: self.run(
            "-n", self.ns, "get", f"widgets{self.n}").returncode == 0)
        k(["apply", "-f", "-"], "Unsupported value|supported values", code=1, stdin=widget % "blue")
        k(["apply", "-f", "-"], "created", stdin=widget % "red")
        k(["get", f"wd{self.n}"], r"NAME +SIZE +COLOR.*one +1 +red")
        k(["scale", f"widget{self.n}/one", "--replicas=3"], "scaled")
        k(["get", f"wd{self.n}", "one", "-o", "jsonpath={.spec.replicas}"], "^3$")
        k(["explain", f"widget{self.n}.spec"], "color", ns=False)
        k(["patch", f"wd{self.n}", "one", "--type=merge", "-p", '{"spec":{"color":"green"}}'], "patched")
        k(["patch", f"wd{self.n}", "one", "-p", '{"spec":{"color":"red"}}'], "merge|strategic|supported", code=1)
        k(["delete", "crd", f"widgets{self.n}.example.com"], "deleted", ns=False)

    def platform(self):
        k = self.k
        k("get nodepools", r"NAME +NODECLASS", ns=False)
        k("get nodeclaims", r"NAME +TYPE +CAPACITY +ZONE|No resources found", ns=False)
        k("get ec2nodeclasses", "NAME", ns=False)
        k("get so -A", "SCALETARGETKIND", ns=False)
        so = self.file("so.yaml", SCALED_OBJECT)
        k(["apply", "-f", so], "scaledobject.keda.sh/web-scaler created")
        k("get scaledobject web-scaler", r"web-scaler .*web +1 +4")
        k("describe so web-scaler", "Triggers:")
        k(["apply", "-f", "-"], "nvalid|must", code=1,
          stdin=SCALED_OBJECT.replace("minReplicaCount: 1", "minReplicaCount: many"))
        k("delete so web-scaler", "deleted")
        pools = self.run("get", "nodepools", "-o", "name").stdout.split()
        if pools:
            k(["describe", pools[0]], "Requirements:", ns=False)
        claims = self.run("get", "nodeclaims", "-o", "name").stdout.split()
        if claims:
            k(["describe", claims[0]], "Provider I[Dd]: +aws:", ns=False)

    def scenario(self):
        """What runs, as an object: read, described, labelled, but never another."""
        k = self.k
        name = "scenario.windlass.dev/kubectl"
        k("get scenarios", r"NAME +POLICY +SIMULATED TIME +COST +AGE\nkubectl +windlass +20\S+Z +[\d.]+ +\d",
          ns=False)
        k("describe scenario kubectl", "Usd Per Hour:", ns=False)
        k("explain scenario.spec", "can't be changed while it runs", ns=False)
        k("explain scenarios.status", "usdPerHour", ns=False)
        k("get scenario kubectl -o json", lambda o: (
            lambda s: s["spec"]["manifests"] and s["status"]["policy"] == "windlass" and s["status"]["speed"] == 20)(
                json.loads(o)), ns=False)
        k(["patch", "scenario", "kubectl", "--type=merge", "-p", '{"spec":{"seed":99}}'],
          "spec: Forbidden: the scenario that runs can't be changed", code=1, ns=False)
        k(["create", "-f", "-"], "metadata.name: Forbidden: this cluster runs the scenario kubectl", code=1, ns=False,
          stdin='{"apiVersion": "windlass.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "another"}, "spec": {}}')
        k(f"label scenario kubectl seen-by-{self.n}=yes", f"{name} labeled", ns=False)
        if self.minor == max(kubectls(), key=lambda m: int(m.split(".")[1])):
            # Of one alone: another's commands would miss it in between.
            before = json.loads(self.run("get", "scenario", "kubectl", "-o", "json").stdout)["status"]["time"]
            k("wait scenario/kubectl --for=jsonpath={.status.speed}=20", "condition met", ns=False)
            self.until("the scenario's status is renewed", lambda: json.loads(self.run(
                "get", "scenario", "kubectl", "-o", "json").stdout)["status"]["time"] > before)

    def refuse(self):
        k = self.k
        k("logs lone", "runs no containers", code=1)
        k("exec lone -- true", "runs no containers|unable to upgrade|501|error", code=1)
        k("top nodes", "etrics", code=1, ns=False)
        k("get nonsense", "doesn't have a resource type", code=1)
        k(["create", "-f", "-"], "no matches for kind|unable to recognize|ensure CRDs", code=1,
          stdin="apiVersion: v9\nkind: Nothing\nmetadata: {name: x}\n")
        k("get pods -l a==b==c", "unable to parse|invalid", code=1)
        k("get pods --field-selector nonsense=1", "field label not supported|not supported", code=1)
        k(["--token=wrong", "--client-certificate=", "--client-key=", "get", "pods"], "", code=None)

    def delete(self):
        k = self.k
        k("delete pod lone --grace-period=1", 'pod "lone" deleted')
        k("delete pod nothing", "NotFound", code=1)
        k("delete cm settings shared", "deleted")
        k("delete deploy hello --cascade=orphan", "deleted")
        k("get rs -l app=hello -o name", "replicaset")
        k("delete rs -l app=hello", "deleted")
        k("delete deploy web --cascade=foreground --timeout=60s", "deleted", timeout=70)
        self.until("its pods are gone", lambda: not self.run(
            "-n", self.ns, "get", "pods", "-l", "app=web", "-o", "name").stdout.strip(), 40)
        keep = ('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, finalizers: ["example.com/wait"]}\n')
        k(["create", "-f", "-"], "created", stdin=keep)
        k("delete cm kept --wait=false", "deleted")
        k("get cm kept -o jsonpath={.metadata.deletionTimestamp}", "20")
        k(["patch", "cm", "kept", "--type=merge", "-p", '{"metadata":{"finalizers":null}}'], "patched")
        k("get cm kept", "NotFound", code=1)
        k("delete job,cronjob --all", "deleted")
        k(f"delete clusterrole reader-{self.n}", "deleted", ns=False)
        k(f"delete clusterrolebinding reads-{self.n}", "deleted", ns=False)
        k(f"delete priorityclass high-{self.n}", "deleted", ns=False)
        k(["delete", "ns", self.ns, "--timeout=60s"], "deleted", ns=False, timeout=70)
        k(["wait", "--for=delete", f"ns/{self.ns}", "--timeout=30s"], "", ns=False, code=None)
        k(["get", "ns", self.ns], "NotFound", code=1, ns=False)


def no_roll(suite):
    """A Deployment that the scenario made, by foreign writers: its template is as it was, so it keeps
    its one ReplicaSet, whatever else of it is written."""
    k = suite.k

    def sets():
        done = suite.run("-n", "inference", "get", "rs", "-o", "json")
        return {(s["metadata"]["name"], s["metadata"]["uid"]) for s in json.loads(done.stdout)["items"]
                if s["metadata"]["ownerReferences"][0]["name"] == "vllm-inference"}

    def seen():
        done = suite.run("-n", "inference", "get", "deploy", "vllm-inference", "-o", "json")
        found = json.loads(done.stdout)
        return found["status"]["observedGeneration"] == found["metadata"]["generation"]
    before = sets()
    if len(before) != 1:
        suite.failures.append(f"the scenario's Deployment has the ReplicaSets {before}")
    # The autoscaler may scale back at once; a template it doesn't touch.
    for command, said in (("scale deploy vllm-inference --replicas=2", "scaled"),
                          ("label deploy vllm-inference team=serving", "labeled"),
                          ("annotate deploy vllm-inference note=seen", "annotated"),
                          ("scale deploy vllm-inference --replicas=1", "scaled"),
                          ("label deploy vllm-inference team-", "unlabeled|labeled")):
        k(["-n", "inference", *command.split()], said, ns=False)
        suite.until(f"{command}: is seen", seen)
        if sets() != before:
            suite.failures.append(f"{command}: {before} became {sets()}")
    k("-n inference rollout status deploy/vllm-inference --timeout=60s", "successfully rolled out", ns=False,
      timeout=70)
    k("-n inference rollout history deploy/vllm-inference", r"REVISION +CHANGE-CAUSE\n1 +<none>\s*$", ns=False)


def drain(suite):
    """Takes nodes away, so it runs once and alone."""
    node = suite.node()
    k = suite.k
    k(["cordon", node], "cordoned", ns=False)
    k(["get", "node", node], "SchedulingDisabled", ns=False)
    k(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s"],
      "drained|evicting", ns=False, timeout=70)
    k(["uncordon", node], "uncordoned", ns=False)


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    found = kubectls()
    if len(sys.argv) > 2:
        found = {minor: path for minor, path in found.items() if minor in sys.argv[2:]}
    if not found:
        skip("no kubectl is installed")
    scenario = ROOT / "tests/scenarios/kubectl.yaml"
    failures = 0
    with Cluster(windlass, scenario, "--speed", "20") as cluster, \
            tempfile.TemporaryDirectory() as scratch:
        def one(minor):
            folder = pathlib.Path(scratch) / minor
            folder.mkdir()
            return Suite(cluster, minor, found[minor], folder).all()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            suites = list(pool.map(one, found))
        no_roll(suites[-1])
        drain(suites[-1])
        for suite in suites:
            print(f"kubectl {suite.minor}: {suite.count} commands, {len(suite.failures)} failed")
            for failure in suite.failures:
                print("  " + failure)
            failures += len(suite.failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
