"""Kubernetes' own control plane for a test: etcd, kube-apiserver, kube-controller-manager and
kube-scheduler on free loopback ports with a directory of their own, RBAC on. `./dev peers` builds
the programs. There is no kubelet: a Node is an object whose Lease somebody renews, and a bound pod
stays Pending until somebody writes its status. Nothing here knows a test framework.

    with ControlPlane() as cp:
        cp.add_node("n1")
        print(cp.kubectl("get", "nodes"))
"""
import atexit
import base64
import ctypes
import datetime
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "embedded"))
from cluster import kubectls, peers_dir, skip  # noqa: E402,F401 (skip is for the tests)

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
SERVICE_RANGE = "10.96.0.0/16"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
ADMIN_GROUP = "system:masters"
START_SECONDS = 180  # a ready control plane takes 5 s alone; much more beside a build
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)

OPENSSL_CONFIG = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[server]
extendedKeyUsage = serverAuth
subjectAltName = @names
[names]
IP.1 = 127.0.0.1
IP.2 = 10.96.0.1
DNS.1 = localhost
DNS.2 = kubernetes.default.svc
[client]
extendedKeyUsage = clientAuth
"""


class ComponentDied(RuntimeError):
    """A program of the control plane ended by itself; the message has the end of its log."""


def kubernetes_dir():
    """The newest kubernetes-1.N in the peers' directory that is whole, or None."""
    whole = [d for d in peers_dir().glob("kubernetes-1.*")
             if all(os.access(d / name, os.X_OK) for name in COMPONENTS)]
    return max(whole, key=lambda d: int(d.name.rsplit(".", 1)[-1]), default=None)


def free_port():
    """Below the range that outgoing connections are given ports from, so that a port found free is
    not taken by the next connection, nor while the API server is down."""
    while True:
        port = random.randrange(12000, 30000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def die_with_parent():
    """In the child: a test that is killed leaves no control plane behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class ControlPlane:
    """`with ControlPlane() as cp:`; cp.url, cp.kubeconfig, cp.token (of an admin), cp.ca (a path),
    cp.version ("v1.35.4"), cp.request(...), cp.get(path), cp.kubectl(...), cp.watch(path).

    apiserver, controllers, scheduler: further options of that program, a later one wins. With
    run_controllers or run_scheduler False the program is left out. Start it from the main thread,
    or its programs outlive a test that is killed."""

    def __init__(self, *, data_dir=None, apiserver=(), controllers=(), scheduler=(),
                 run_controllers=True, run_scheduler=True):
        self.own_dir = data_dir is None
        self.dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix="windlass-control-plane-"))
        self.options = {"kube-apiserver": list(apiserver), "kube-scheduler": list(scheduler),
                        "kube-controller-manager": list(controllers)}
        self.run_controllers, self.run_scheduler = run_controllers, run_scheduler
        self.processes = {}
        self.nodes = []
        self.heart = None
        self.stopping = threading.Event()

    @staticmethod
    def missing():
        """Why it can't run here (a phrase for a skip), or None."""
        if kubernetes_dir() is None:
            return f"the Kubernetes control plane is not in {peers_dir()} (./dev peers, needs Go)"
        if shutil.which("openssl") is None:
            return "openssl is not installed"
        return None

    # ---- start and stop ----

    def start(self):
        begin = time.monotonic()
        self.programs = kubernetes_dir()
        self.make_pki()
        # A port found free may be taken before it is bound: once more with others.
        for attempt in range(3):
            self.choose_ports()
            try:
                self.run("etcd", self.etcd_options())
                self.wait("etcd", lambda: self.etcd("maintenance/status", {}))
                self.start_apiserver()
                break
            except ComponentDied as death:
                self.kill_all()
                if "address already in use" not in str(death) or attempt == 2:
                    raise
        if self.run_controllers:
            self.run("kube-controller-manager", self.controller_options())
        if self.run_scheduler:
            self.run("kube-scheduler", self.scheduler_options())
        if self.run_controllers:
            # Admission refuses every pod until this account is there.
            self.wait("kube-controller-manager", lambda: self.request(
                "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200)
        self.version = self.get("/version")["gitVersion"]
        self.start_seconds = time.monotonic() - begin
        return self

    def start_apiserver(self):
        """Starts it (again) on the same port; returns when it is ready."""
        self.run("kube-apiserver", self.apiserver_options())
        self.wait("kube-apiserver", lambda: self.request("/readyz", timeout=5)[0] == 200)

    def kill_apiserver(self, how=signal.SIGKILL):
        """SIGKILL: connections break at once. SIGTERM: it drains them, for up to 60 s."""
        self.end("kube-apiserver", how)

    def stop(self):
        self.stopping.set()
        if self.heart:
            self.heart.join()
        self.kill_all()

    def kill_all(self):
        for name in reversed(COMPONENTS):
            self.end(name)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind, value, trace):
        deaths = [name for name in self.processes if self.dead(name)]
        self.stop()
        if kind is None and not deaths:
            if self.own_dir:
                shutil.rmtree(self.dir, ignore_errors=True)
            return
        # What etcd holds is large and tells nothing that the logs don't.
        shutil.rmtree(self.dir / "etcd", ignore_errors=True)
        if kind is not None and not issubclass(kind, ComponentDied):
            for name in self.processes:
                print(f"---- end of {name}'s log ----\n{self.tail(name)}", file=sys.stderr)
        print(f"the control plane's logs are kept in {self.dir}/logs", file=sys.stderr)
        if kind is None:
            raise ComponentDied("; ".join(self.death(name) for name in deaths))

    # ---- what a test does with it ----

    def request(self, path, method="GET", body=None, content_type="application/json", accept=None,
                token=None, timeout=30):
        """(status, headers, body bytes) as the admin, or as whoever `token` is ("" is nobody); HTTP
        errors are answers, too."""
        if body is not None and not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(self.url + path, body, method=method)
        if body is not None:
            request.add_header("Content-Type", content_type)
        if accept:
            request.add_header("Accept", accept)
        token = self.token if token is None else token
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=self.context) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path, **kw):
        """The object at path, or with method and body what a write answers."""
        status, _, body = self.request(path, **kw)
        if status >= 300:
            method = kw.get("method", "GET")
            raise AssertionError(f"{method} {path}: {status} {body[:500].decode()}")
        return json.loads(body)

    def create(self, path, body):
        return self.get(path, method="POST", body=body)

    def watch(self, path, timeout=30, **query):
        """The events of a watch as they come, until the server ends it, nothing comes for `timeout`
        seconds (TimeoutError) or the caller closes the generator."""
        query = urllib.parse.urlencode({"watch": "1", **query})
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout,
                                           context=self.context)
        try:
            link.request("GET", f"{path}?{query}",
                         headers={"Authorization": f"Bearer {self.token}"})
            reply = link.getresponse()
            if reply.status != 200:
                raise AssertionError(f"watch {path}: {reply.status} {reply.read()[:500].decode()}")
            while line := reply.readline():
                yield json.loads(line)
        finally:
            link.close()

    def kubectl(self, *args, input=None, check=True, timeout=120):
        """Standard output; with check=False the whole CompletedProcess."""
        done = subprocess.run(
            [self.kubectl_path(), "--kubeconfig", self.kubeconfig, "--cache-dir",
             str(self.dir / "kubectl-cache"), *map(str, args)],
            input=input, capture_output=True, text=True, timeout=timeout)
        if not check:
            return done
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, args))}: {done.stderr.strip()}")
        return done.stdout

    @staticmethod
    def kubectl_path():
        """The one of the server's minor if it is there, else the newest; None without any."""
        directory = kubernetes_dir()
        same = peers_dir() / directory.name.replace("kubernetes", "kubectl") / "kubectl"
        return str(same) if same.exists() else next(reversed(kubectls().values()), None)

    def create_token(self, serviceaccount, namespace="default", seconds=3600):
        """A bound token of a service account, which is made if it is not there. It may do nothing
        until a test binds a role to it. The server takes 600 s at least."""
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.request(accounts, method="POST", body={"metadata": {"name": serviceaccount}})
        reply = self.create(f"{accounts}/{serviceaccount}/token",
                            {"spec": {"expirationSeconds": seconds}})
        return reply["status"]["token"]

    def write_kubeconfig(self, path, token=None):
        """With an admin's client certificate, or with a token. JSON is YAML, too."""
        user = {"token": token} if token else {
            "client-certificate": str(self.pki / "admin.crt"),
            "client-key": str(self.pki / "admin.key")}
        return self.kubeconfig_for(path, user)

    def compact_etcd(self):
        """Forgets all history up to now; the revision. A watch from before that etcd has to answer
        ends with 410. The API server's watch cache still answers for what it has seen itself: see
        forget_history()."""
        revision = int(self.etcd("kv/range", {"key": "AA=="})["header"]["revision"])
        self.etcd("kv/compaction", {"revision": revision, "physical": True})
        return revision

    def forget_history(self):
        """Compacts etcd and restarts the API server, so that nobody can answer an older watch."""
        revision = self.compact_etcd()
        self.kill_apiserver()
        self.start_apiserver()
        return revision

    def add_node(self, name, *, cpu="8", memory="32Gi", pods="110", labels=None, taints=(),
                 extra=None):
        """A Ready node without a kubelet: its Lease is renewed while the control plane runs.
        `extra` adds to its capacity, {"nvidia.com/gpu": "4"}. Returns the object created; the
        controller manager needs a moment more to take its not-ready taint off."""
        room = {"cpu": cpu, "memory": memory, "pods": pods, **(extra or {})}
        # The Lease first: without one the node's status is what must be fresh.
        if self.renew(name) == 404:
            self.create(LEASES, {"metadata": {"name": name}, "spec": lease(name)})
        now = timestamp().split(".")[0] + "Z"
        node = self.create("/api/v1/nodes", {
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name,
                                                  "kubernetes.io/os": "linux",
                                                  "kubernetes.io/arch": "amd64", **(labels or {})}},
            "spec": {"taints": list(taints), "providerID": f"test:///{name}"},
            "status": {"capacity": room, "allocatable": room,
                       "addresses": [{"type": "Hostname", "address": name}],
                       "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                                       "message": "", "lastHeartbeatTime": now,
                                       "lastTransitionTime": now}]}})
        self.nodes.append(name)
        if self.heart is None:
            self.heart = threading.Thread(target=self.beat, daemon=True)
            self.heart.start()
        return node

    def stop_heartbeat(self, name):
        """As if the node's kubelet had died: NotReady after the grace period (50 s)."""
        self.nodes.remove(name)

    def eventually(self, what, check, timeout=60):
        """What `check` gives as soon as it is true; TimeoutError names `what` otherwise."""
        deadline = time.monotonic() + timeout
        while not (value := check()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout} s: {what}")
            self.raise_the_dead()
            time.sleep(0.1)
        return value

    # ---- beneath ----

    def beat(self):
        while not self.stopping.wait(10):
            for name in list(self.nodes):
                try:
                    self.renew(name)
                except (OSError, http.client.HTTPException):
                    pass  # the API server is down on a test's wish

    def renew(self, name):
        return self.request(f"{LEASES}/{name}", method="PATCH", body={"spec": lease(name)},
                            content_type="application/merge-patch+json")[0]

    def etcd(self, call, body):
        """etcd's JSON gateway."""
        request = urllib.request.Request(f"{self.etcd_url}/v3/{call}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    def run(self, name, options):
        logs = self.dir / "logs"
        logs.mkdir(exist_ok=True)
        with open(logs / f"{name}.log", "ab") as log:
            on_main = threading.current_thread() is threading.main_thread()
            process = subprocess.Popen(
                [str(self.programs / name), *options], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.dir,
                # The signal comes with the death of the thread that started the child.
                preexec_fn=die_with_parent if on_main else None)
        atexit.register(lambda: process.poll() is None and process.kill())
        self.processes[name] = process

    def end(self, name, how=signal.SIGKILL):
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def dead(self, name):
        return self.processes[name].poll() is not None

    def death(self, name):
        return (f"{name} ended with {self.processes[name].returncode}; the end of its log:\n"
                f"{self.tail(name)}")

    def raise_the_dead(self):
        for name in self.processes:
            if self.dead(name):
                raise ComponentDied(self.death(name))

    def tail(self, name, characters=3000):
        try:
            return (self.dir / "logs" / f"{name}.log").read_text(errors="replace")[-characters:]
        except OSError:
            return "(no log)"

    def wait(self, name, ready):
        """Until `ready`, whose errors mean not yet."""
        def check():
            try:
                return ready()
            except (OSError, http.client.HTTPException):
                return False
        try:
            self.eventually(f"{name} is ready", check, START_SECONDS)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the end of its log:\n{self.tail(name)}") from None

    # ---- certificates and options ----

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True, text=True, cwd=self.pki)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {args[0]}: {done.stderr.strip()}")

    def certificate(self, name, subject, kind, signer=None):
        signed = ["-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"] if signer else []
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                     "-nodes", "-config", "openssl.cnf", "-extensions", kind, "-days", "30",
                     "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.crt", *signed)

    def make_pki(self):
        self.pki = self.dir / "pki"
        if not self.pki.exists():
            self.pki.mkdir(mode=0o700)
            (self.pki / "openssl.cnf").write_text(OPENSSL_CONFIG)
            self.certificate("ca", "/CN=windlass-test", "authority")
            self.certificate("apiserver", "/CN=kube-apiserver", "server", "ca")
            self.certificate("admin", f"/O={ADMIN_GROUP}/CN=admin", "client", "ca")
            for name in ("kube-controller-manager", "kube-scheduler"):
                self.certificate(name, f"/CN=system:{name}", "client", "ca")
            # How an aggregated API knows the API server; a CA of its own, as any client certificate
            # of this one may speak for anybody.
            self.certificate("front-proxy-ca", "/CN=windlass-test-front-proxy", "authority")
            self.certificate("front-proxy", "/CN=front-proxy-client", "client", "front-proxy-ca")
            self.openssl("genrsa", "-out", "accounts.key", "2048")
            self.openssl("rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")
            token = base64.urlsafe_b64encode(os.urandom(24)).decode().rstrip("=")
            (self.pki / "tokens.csv").write_text(f'{token},token-admin,1,"{ADMIN_GROUP}"\n')
        self.token = (self.pki / "tokens.csv").read_text().split(",")[0]
        self.ca = self.pki / "ca.crt"
        self.context = ssl.create_default_context(cafile=str(self.ca))

    def choose_ports(self):
        self.port, client, peer = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.etcd_url, self.etcd_peer = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        self.kubeconfig = self.write_kubeconfig(self.dir / "admin.kubeconfig")
        for name in ("kube-controller-manager", "kube-scheduler"):
            self.kubeconfig_for(self.dir / f"{name}.kubeconfig", {
                "client-certificate": str(self.pki / f"{name}.crt"),
                "client-key": str(self.pki / f"{name}.key")})

    def kubeconfig_for(self, path, user):
        pathlib.Path(path).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url,
                                                      "certificate-authority": str(self.ca)}}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))
        return str(path)

    def etcd_options(self):
        return [f"--data-dir={self.dir}/etcd", "--name=test", "--log-level=warn",
                f"--listen-client-urls={self.etcd_url}", f"--advertise-client-urls={self.etcd_url}",
                f"--listen-peer-urls={self.etcd_peer}",
                f"--initial-advertise-peer-urls={self.etcd_peer}",
                f"--initial-cluster=test={self.etcd_peer}",
                "--unsafe-no-fsync"]  # nothing here outlives the machine

    def apiserver_options(self):
        pki = self.pki
        return [f"--etcd-servers={self.etcd_url}", "--bind-address=127.0.0.1",
                f"--secure-port={self.port}", "--endpoint-reconciler-type=none",  # no loopback ones
                f"--cert-dir={pki}", f"--tls-cert-file={pki}/apiserver.crt",
                f"--tls-private-key-file={pki}/apiserver.key", f"--client-ca-file={pki}/ca.crt",
                f"--token-auth-file={pki}/tokens.csv", "--authorization-mode=Node,RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={pki}/accounts.pub",
                f"--service-account-signing-key-file={pki}/accounts.key",
                f"--service-cluster-ip-range={SERVICE_RANGE}", "--allow-privileged=true",
                f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
                "--requestheader-allowed-names=front-proxy-client",
                "--requestheader-username-headers=X-Remote-User",
                "--requestheader-group-headers=X-Remote-Group",
                "--requestheader-extra-headers-prefix=X-Remote-Extra-",
                f"--proxy-client-cert-file={pki}/front-proxy.crt",
                f"--proxy-client-key-file={pki}/front-proxy.key",
                *self.options["kube-apiserver"]]

    def controller_options(self):
        kubeconfig = f"{self.dir}/kube-controller-manager.kubeconfig"
        return [f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}", "--secure-port=0",
                "--leader-elect=false", "--use-service-account-credentials=true",
                f"--root-ca-file={self.pki}/ca.crt",
                f"--service-account-private-key-file={self.pki}/accounts.key",
                f"--cluster-signing-cert-file={self.pki}/ca.crt",
                f"--cluster-signing-key-file={self.pki}/ca.key",
                "--kube-api-qps=300", "--kube-api-burst=600",
                *self.options["kube-controller-manager"]]

    def scheduler_options(self):
        kubeconfig = f"{self.dir}/kube-scheduler.kubeconfig"
        return [f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}", "--secure-port=0",
                "--leader-elect=false", "--kube-api-qps=300", "--kube-api-burst=600",
                *self.options["kube-scheduler"]]


def lease(holder):
    return {"holderIdentity": holder, "leaseDurationSeconds": 40, "renewTime": timestamp()}


def timestamp():
    """Now, as a Kubernetes MicroTime."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
