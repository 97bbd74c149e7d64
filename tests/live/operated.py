"""`windlass run` on Kubernetes' own control plane, and what watches over it for a test: processes
that are started again when they end, an independent watcher of the API with the invariants that
must hold at every moment, and the API server's audit log. Nothing here knows a test framework."""
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

from control_plane import ControlPlane, die_with_parent

CRDS = ["install", "--only-crds", "--offline"]
INSTANCE_MAPS = "/api/v1/namespaces/windlass/configmaps"
INSTANCES = INSTANCE_MAPS + "?labelSelector=windlass.dev%2Fsimulated-instance%3Dtrue"
CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
NODES = "/api/v1/nodes"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/windlass/leases/windlass"

# Who wrote what and when; of Leases also what came of it: who leads.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "RequestResponse", "verbs": ["create", "update", "patch"],
         "namespaces": ["windlass"],
         "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts:windlass"]},
        {"level": "None"}]}


def audited(directory):
    """Options of the API server that write an audit log there."""
    directory = pathlib.Path(directory)
    (directory / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY))
    return [f"--audit-policy-file={directory}/audit-policy.json",
            f"--audit-log-path={directory}/audit.log"]


def audit_events(directory):
    path = pathlib.Path(directory) / "audit.log"
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            yield json.loads(line)
        except ValueError:
            pass  # the API server was killed in the middle of it


def wait_for(what, check, timeout=60, step=0.1):
    """What `check` gives as soon as it is true; errors of a server that is away mean not yet."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            if value := check():
                return value
        except (OSError, AssertionError, ValueError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what}")
        time.sleep(step)


class Operator:
    """One `windlass run`; its log is kept with the time each line came at."""

    def __init__(self, binary, kubeconfig, directory, name, *options, environment=None, user=None):
        self.name, self.user = name, user
        self.options = [str(binary), "run", "--kubeconfig", str(kubeconfig), "--listen",
                        "127.0.0.1:0", "--lease-namespace", "windlass", *map(str, options)]
        self.environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                            **(environment or {})}
        self.directory = pathlib.Path(directory)
        self.lines = []  # (time, text)
        self.lives = 0
        self.process = None

    def start(self):
        self.lives += 1
        self.began = time.monotonic()
        on_main = threading.current_thread() is threading.main_thread()
        self.process = subprocess.Popen(
            self.options, env=self.environment, stdin=subprocess.DEVNULL, cwd=self.directory,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent if on_main else None)
        self.life_began = len(self.lines)
        threading.Thread(target=self.read, args=(self.process,), daemon=True).start()
        return self

    def read(self, process):
        with open(self.directory / f"{self.name}.log", "a", encoding="utf-8") as copy:
            for line in process.stdout:
                text = line.decode(errors="replace").rstrip("\n")
                self.lines.append((time.monotonic(), text))
                print(f"{time.time():.3f} {text}", file=copy, flush=True)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return "\n".join(text for _, text in self.lines)

    def this_life(self):
        return self.lines[self.life_began:]

    def leads(self):
        """Whether it said so in this life."""
        return self.alive() and any(text == "info: leading" for _, text in self.this_life())

    def address(self):
        """Of its health and metrics."""
        for _, text in self.this_life():
            if found := re.search(r"health and metrics at (http://\S+?)/?$", text):
                return found[1]
        return None

    def kill(self, how=signal.SIGKILL, timeout=20):
        self.process.send_signal(how)
        if how in (signal.SIGSTOP, signal.SIGCONT):
            return None
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


class Pair:
    """Operators that are started again when they end, as a Deployment does."""

    def __init__(self, operators):
        self.operators = operators
        self.ended = []  # (name, exit code, end of its log) of those that ended by themselves
        self.held = set()  # names of those that are not started again
        self.stopping = threading.Event()

    def start(self):
        for operator in self.operators:
            operator.start()

    def look_after(self):
        """Starts those again that ended; to be called often, from the main thread."""
        for operator in self.operators:
            if operator.alive() or operator.name in self.held:
                continue
            code = operator.process.returncode
            if code not in (-signal.SIGKILL, 0):
                self.ended.append((operator.name, code, [t for _, t in operator.lines[-3:]]))
            operator.start()

    def leader(self, timeout=40):
        """The one that leads, as soon as exactly one does."""
        def one():
            self.look_after()
            leading = [o for o in self.operators if o.leads()]
            return leading[0] if len(leading) == 1 else None
        return wait_for("one leads", one, timeout, 0.05)

    def stop(self):
        for operator in self.operators:
            if operator.alive():
                operator.process.send_signal(signal.SIGCONT)
                operator.process.terminate()
        for operator in self.operators:
            try:
                operator.process.wait(10)
            except subprocess.TimeoutExpired:
                operator.process.kill()


class Follower:
    """Follows one resource by list and watch of its own, whatever happens to the API server."""

    def __init__(self, cp, path, changed, stopping):
        self.cp, self.path, self.changed, self.stopping = cp, path, changed, stopping
        self.objects = {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.stopping.is_set():
            try:
                self.follow()
            except Exception:  # pylint: disable=broad-except  (the server is away, or went back)
                self.stopping.wait(0.2)

    def follow(self):
        listing = self.cp.get(self.path, timeout=10)
        there = {key_of(item): item for item in listing["items"]}
        for key in set(self.objects) - set(there):
            self.changed(self.path, key, self.objects.pop(key), None)
        for key, item in there.items():
            self.take(key, item)
        path, _, selector = self.path.partition("?labelSelector=")
        query = {"labelSelector": selector.replace("%2F", "/").replace("%3D", "=")} \
            if selector else {}
        for event in self.cp.watch(path, timeout=60, allowWatchBookmarks="true",
                                   resourceVersion=listing["metadata"]["resourceVersion"], **query):
            if self.stopping.is_set() or event["type"] == "ERROR":
                return
            item = event["object"]
            if event["type"] == "DELETED":
                key = key_of(item)
                self.changed(self.path, key, self.objects.pop(key, item), None)
            elif event["type"] != "BOOKMARK":
                self.take(key_of(item), item)

    def take(self, key, item):
        before = self.objects.get(key)
        self.objects[key] = item
        self.changed(self.path, key, before, item)


def key_of(item):
    meta = item["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"]


def deleting(item):
    return "deletionTimestamp" in item["metadata"]


def healthy(pod):
    """As a PodDisruptionBudget counts it."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not deleting(pod) and any(
        c["type"] == "Ready" and c["status"] == "True" for c in conditions)


class Watchman:
    """What must hold at every moment, looked at at every change. `limits`: instances a pool may
    have; `budgets`: nodes of a pool that may be disrupted at once; `guarded`: app -> pods that must
    stay healthy once so many were."""

    def __init__(self, cp, limits=None, budgets=None, guarded=None):
        self.cp = cp
        self.limits, self.budgets, self.guarded = limits or {}, budgets or {}, guarded or {}
        self.faults = []
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.instances_of = {}  # claim's uid (the launch token) -> uids of instances ever seen
        self.claims_ever, self.most_disrupted, self.most_instances = set(), {}, {}
        self.excused = set()  # claims that a user deleted: no matter of budgets
        self.up = set()  # guarded apps that were whole
        self.reported = set()
        self.following = {}
        for path in (INSTANCES, CLAIMS, NODES, PODS):
            self.following[path] = Follower(cp, path, self.changed, self.stopping)

    def stop(self):
        self.stopping.set()

    def of(self, path):
        return list(self.following[path].objects.values())

    def fault(self, what):
        with self.lock:
            if what not in self.reported:
                self.reported.add(what)
                self.faults.append(f"{time.time():.3f} {what}")
                print(f"FAULT: {what}", flush=True)

    def changed(self, path, key, before, after):
        with self.lock:
            if path == INSTANCES and after is not None:
                self.look_at_instance(after)
            if path in (INSTANCES, CLAIMS):
                self.look_at_limits()
            if path in (NODES, CLAIMS):
                self.look_at_budgets()
            if path == PODS:
                self.look_at_guarded()

    def look_at_instance(self, item):
        """Never two instances for one claim, neither at once nor one after the other."""
        data = item["data"]
        uids = self.instances_of.setdefault(data["token"], set())
        uids.add(item["metadata"]["uid"])
        if len(uids) > 1:
            self.fault(f"claim {data['claim']} was launched {len(uids)} times")
        live = [i["data"]["token"] for i in self.of(INSTANCES)
                if i["data"]["claim"] == data["claim"] and not i["data"].get("going")]
        if len(live) > 1:
            self.fault(f"claim {data['claim']} has {len(live)} live instances")

    def look_at_limits(self):
        claims = {}
        for claim in self.of(CLAIMS):
            self.claims_ever.add(claim["metadata"]["uid"])
            if not deleting(claim):
                pool = claim["metadata"]["labels"]["karpenter.sh/nodepool"]
                claims.setdefault(pool, set()).add(claim["metadata"]["name"])
        for pool, names in claims.items():
            self.most_instances[pool] = max(self.most_instances.get(pool, 0), len(names))
            if len(names) > self.limits.get(pool, 1000):
                self.fault(f"pool {pool} has {len(names)} claims, its limit allows "
                           f"{self.limits[pool]}")

    def look_at_budgets(self):
        disrupted = {}
        for claim in self.of(CLAIMS):
            if deleting(claim) and claim["metadata"]["name"] not in self.excused:
                pool = claim["metadata"]["labels"]["karpenter.sh/nodepool"]
                disrupted.setdefault(pool, set()).add(claim["metadata"]["name"])
        for pool, names in disrupted.items():
            self.most_disrupted[pool] = max(self.most_disrupted.get(pool, 0), len(names))
            if len(names) > self.budgets.get(pool, 1000):
                self.fault(f"pool {pool} has {len(names)} nodes disrupted at once, its budget "
                           f"allows {self.budgets[pool]}")

    def look_at_guarded(self):
        for app, (whole, least) in self.guarded.items():
            count = sum(healthy(p) for p in self.of(PODS)
                        if p["metadata"].get("labels", {}).get("app") == app)
            if count >= whole:
                self.up.add(app)
            elif app in self.up and count < least:
                self.fault(f"{count} healthy pods of {app}, its PodDisruptionBudget wants {least}")

    # ---- in the end ----

    def inconsistencies(self):
        """What does not fit together now; empty when all is at rest."""
        cp = self.cp
        maps = cp.get(INSTANCES)["items"]
        claims = {c["metadata"]["name"]: c for c in cp.get(CLAIMS)["items"]}
        nodes = {n["spec"].get("providerID"): n for n in cp.get(NODES)["items"]}
        ids = {m["data"]["providerId"] for m in maps}
        out = [f"instance of {m['data']['claim']} without a claim"
               for m in maps if m["data"]["claim"] not in claims]
        out += [f"node {n['metadata']['name']} without an instance"
                for i, n in nodes.items() if i not in ids]
        out += [f"claim {name} is being deleted" for name, c in claims.items() if deleting(c)]
        out += [f"claim {name} has no node yet" for name, c in claims.items()
                if c.get("status", {}).get("providerID") not in nodes]
        out += [f"node {n['metadata']['name']} is tainted" for n in nodes.values()
                if any(t["key"] == "karpenter.sh/disrupted"
                       for t in n["spec"].get("taints", []))]
        for deployment in cp.get(DEPLOYMENTS)["items"]:
            wanted = deployment["spec"]["replicas"]
            ready = deployment.get("status", {}).get("readyReplicas", 0)
            there = deployment.get("status", {}).get("replicas", 0)
            if ready != wanted or there != wanted:
                out.append(f"{deployment['metadata']['name']}: {ready} of {wanted} ready")
        return out


def process_of(event):
    """Each process has accounts of its own: run-a, and run-a-2 after its token was replaced."""
    return event["user"]["username"].removesuffix("-2")


def writes_of_others(directory):
    """Writes of a process of namespace windlass while another held the lease, by the API server's
    own log: a list of words."""
    events = sorted(audit_events(directory), key=lambda e: e["stageTimestamp"])
    terms = [("", "")]  # (from, user), in the order of the lease's versions
    for event in events:
        held = event.get("objectRef", {})
        if held.get("resource") == "leases" and held.get("name", "windlass") == "windlass" \
                and held.get("namespace") == "windlass" \
                and event.get("responseStatus", {}).get("code", 0) < 300 \
                and event["verb"] in ("create", "update"):
            holder = event.get("responseObject", {}).get("spec", {}).get("holderIdentity")
            terms.append((event["stageTimestamp"], process_of(event) if holder else ""))
    out = []
    for event in events:
        held = event.get("objectRef", {})
        if event["verb"] not in ("create", "update", "patch", "delete", "deletecollection"):
            continue
        if held.get("resource") == "leases" and held.get("namespace") == "windlass":
            continue
        user, at = process_of(event), event["requestReceivedTimestamp"]
        holder = next((who for since, who in reversed(terms) if since <= at), "")
        if holder and holder != user:
            out.append(f"{at} {user} {event['verb']} {event['requestURI']} while {holder} led")
    return out


class Scene:
    """The control plane, the CRDs, namespace windlass with an account for each process, a pool and
    a class. Use as a context."""

    def __init__(self, binary, directory, *, policy=True, watch_cache=()):
        self.binary, self.directory = binary, pathlib.Path(directory)
        self.cp = ControlPlane(
            apiserver=[*(audited(directory) if policy else []), *watch_cache],
            # A machine under load is no reason to lose nodes.
            controllers=["--node-monitor-grace-period=300s"])
        self.pair = None

    def __enter__(self):
        self.cp.__enter__()
        try:
            crds = subprocess.run([self.binary, *CRDS], check=True, capture_output=True,
                                  text=True).stdout
            self.cp.kubectl("apply", "--server-side", "-f", "-", input=crds)
            self.cp.kubectl("create", "namespace", "windlass")
            self.cp.kubectl("wait", "--for=condition=Established", "crd", "--all")
        except BaseException:
            self.__exit__(AssertionError, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        if self.pair:
            self.pair.stop()
        self.cp.__exit__(kind, value, trace)

    def apply(self, *objects):
        listing = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.cp.kubectl("apply", "-f", "-", input=json.dumps(listing))

    def admin_token(self, account):
        """Of a service account of namespace windlass that may do everything."""
        token = self.cp.create_token(account, "windlass")
        self.cp.kubectl("create", "clusterrolebinding", f"admin-{account}",
                        "--clusterrole=cluster-admin", f"--serviceaccount=windlass:{account}")
        return token

    def kubeconfig(self, name, user, server=None, **cluster):
        cluster = {"server": server or self.cp.url, **cluster}
        if cluster["server"].startswith("https") and "certificate-authority" not in cluster:
            cluster["certificate-authority"] = str(self.cp.ca)
        path = self.directory / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {
                "cluster": "test", "user": "test", "namespace": "windlass"}}]}))
        return path

    def config(self, **more):
        """A configuration file with a quick simulated cloud."""
        path = self.directory / "config.yaml"
        path.write_text(json.dumps({
            "apiVersion": "windlass.dev/v1alpha1", "kind": "Config",
            "simulated": {"launch": "500ms", "boot": "2s", "devicePlugin": "500ms",
                          "podPull": "500ms", "podReady": "500ms", "podStop": "500ms",
                          "shutdown": "1s"}, **more}))
        return path


def node_class(name="default"):
    terms = [{"tags": {"karpenter.sh/discovery": "test"}}]
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass",
            "metadata": {"name": name},
            "spec": {"amiSelectorTerms": [{"alias": "al2023@latest"}], "role": "test",
                     "subnetSelectorTerms": terms, "securityGroupSelectorTerms": terms}}


def node_pool(name, nodes, budget, consolidate_after="10s", labels=None):
    """Of c5.xlarge (4 CPUs) alone, so that its limit is a number of nodes."""
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name},
            "spec": {
                "limits": {"cpu": str(4 * nodes)},
                "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized",
                               "consolidateAfter": consolidate_after,
                               "budgets": [{"nodes": str(budget)}]},
                "template": {
                    "metadata": {"labels": {"pool": name, **(labels or {})}},
                    "spec": {
                        "expireAfter": "Never",
                        "requirements": [
                            {"key": "node.kubernetes.io/instance-type", "operator": "In",
                             "values": ["c5.xlarge"]},
                            {"key": "karpenter.sh/capacity-type", "operator": "In",
                             "values": ["on-demand"]}],
                        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass",
                                         "name": "default"}}}}}


def deployment(name, replicas, cpu, pool):
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {
                         "metadata": {"labels": {"app": name}},
                         "spec": {"nodeSelector": {"pool": pool},
                                  "terminationGracePeriodSeconds": 1,
                                  "containers": [{"name": "c", "image": "example.com/c",
                                                  "resources": {"requests": {"cpu": cpu}}}]}}}}


def budget(name, max_unavailable):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"maxUnavailable": max_unavailable,
                     "selector": {"matchLabels": {"app": name}}}}
