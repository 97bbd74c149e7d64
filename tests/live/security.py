#!/usr/bin/env python3
"""What `windlass run` may do and what it tells: it runs under exactly the rights that `windlass
install` prints, nearly all of which are used; no secret that was given to it is found in anything it
writes; servers are believed only with their certificates in order; and it runs as the container does,
as nobody, on a file system that can't be written to. (Observing: observe.py.)

usage: security.py WINDLASS [CASE...]"""
import base64
import http.server
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from control_plane import ControlPlane, skip  # noqa: E402
from operated import (CLAIMS, DEPLOYMENTS, INSTANCES, NODES, PODS, Operator, audit_events,  # noqa: E402
                      budget, deployment, node_class, node_pool, wait_for, Scene)

ACCOUNT = "system:serviceaccount:windlass:windlass"

# Rights to write that the case below does not come to use, and why they are there all the same.
NOT_USED = {
    ("pods", "patch"): "the deletion cost is written by the policy windlass for models alone",
    ("pods", "delete"): "what is left on a node when its grace period is over",
    ("nodeclaims", "delete"): "consolidation, which takes longer than this case",
    ("scaledobjects", "patch"): "KEDA's pause, where a living KEDA's target is taken over",
}

failed = []


def check(what, good, detail=""):
    print(f"{'ok    ' if good else 'FAILED'}  {what}{'' if good else ': ' + str(detail)[:1500]}",
          flush=True)
    if not good:
        failed.append(what)


class Metrics:
    """Prometheus and a metrics API in one, which ask for what they are to be given."""

    def __init__(self, tls=None):
        self.seen, self.value = [], 30
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                authorization = self.headers.get("Authorization", "")
                outer.seen.append((self.path, authorization))
                path = urllib.parse.urlparse(self.path).path
                if path.startswith("/locked") or not authorization:
                    # A careless server that says again what it was told.
                    body = f"401: {authorization} {self.path} is wrong".encode()
                    self.send_response(401)
                else:
                    body = json.dumps({"status": "success", "data": {
                        "resultType": "vector", "result": [
                            {"metric": {}, "value": [time.time(), str(outer.value)]}]}}).encode()
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()


class Secrets:
    """Planted texts, and a search for them in all their forms."""

    def __init__(self):
        self.texts = {}

    def plant(self, where, text=None):
        text = text or f"Planted{len(self.texts)}{os.urandom(9).hex()}"
        self.texts[where] = text
        return text

    def forms(self, text):
        raw = text.encode()
        out = {text, urllib.parse.quote(text, safe=""), raw.hex()}
        for prefix in (b"", b"u:", b"user:", b"admin:"):  # as in basic authentication
            encoded = base64.b64encode(prefix + raw).decode().rstrip("=")
            out.add(encoded[:-2] if len(encoded) > 12 else encoded)
        return out

    def found_in(self, text):
        return sorted(where for where, secret in self.texts.items()
                      if any(form in text for form in self.forms(secret)))


# ---- the rights, and the secrets beside them ----


def trigger_authentication(name, secret, parameters):
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"},
         "stringData": {parameter: secret[parameter] for parameter in parameters}},
        {"apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication",
         "metadata": {"name": name, "namespace": "default"},
         "spec": {"secretTargetRef": [{"parameter": p, "name": name, "key": p}
                                      for p in parameters]}}]


def scaled(name, metadata, authentication=None, kind="prometheus", annotations=None, **spec):
    trigger = {"type": kind, "metadata": metadata}
    if authentication:
        trigger["authenticationRef"] = {"name": authentication}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": name, "namespace": "default", "annotations": annotations or {}},
            "spec": {"scaleTargetRef": {"name": name}, "minReplicaCount": 1, "maxReplicaCount": 6,
                     "pollingInterval": 1, "triggers": [trigger],
                     "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {
                         "scaleDown": {"stabilizationWindowSeconds": 0}}}}, **spec}}


def prometheus_trigger(address, **more):
    return {"serverAddress": address, "query": "load", "threshold": "10", **more}


def world(metrics, secrets):
    """Targets whose triggers know secrets: one is right, the others are wrong or go nowhere."""
    url = f"http://127.0.0.1:{metrics.port}"
    bearer = secrets.plant("bearer token")
    password = secrets.plant("basic password that is wrong")
    key = secrets.plant("API key")
    header = secrets.plant("custom header")
    userinfo = secrets.plant("password in the address")
    elsewhere = secrets.plant("password in an address that nobody answers")
    environment = secrets.plant("environment of the container")
    names = ["good", "wrong", "userinfo", "nowhere", "api", "custom", "other"]
    out = [node_class(), node_pool("work", 8, 2)]
    for name in names:
        one = deployment(name, 1, "100m", "work")
        one["spec"]["template"]["spec"]["containers"][0]["env"] = [
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "environment", "key": "t"}}}]
        out.append(one)
    out.append({"apiVersion": "v1", "kind": "Secret", "stringData": {"t": environment},
                "metadata": {"name": "environment", "namespace": "default"}})
    out += trigger_authentication("bearer", {"bearerToken": bearer}, ["bearerToken"])
    out += trigger_authentication("basic", {"username": "u", "password": password},
                                  ["username", "password"])
    out += trigger_authentication("key", {"apiKey": key}, ["apiKey"])
    out += trigger_authentication("header", {"customAuthHeader": "X-Secret",
                                             "customAuthValue": header},
                                  ["customAuthHeader", "customAuthValue"])
    out += [
        scaled("good", prometheus_trigger(url, authModes="bearer"), "bearer"),
        scaled("wrong", prometheus_trigger(url + "/locked", authModes="basic"), "basic"),
        scaled("userinfo", prometheus_trigger(
            url.replace("//", f"//u:{userinfo}@") + "/locked")),
        scaled("nowhere", prometheus_trigger(f"http://u:{elsewhere}@127.0.0.1:1/")),
        scaled("api", {"url": url + "/locked", "valueLocation": "x", "targetValue": "1",
                       "authMode": "apiKey"}, "key", kind="metrics-api"),
        scaled("custom", prometheus_trigger(url + "/locked", authModes="custom"), "header"),
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
         "metadata": {"name": "other", "namespace": "default"},
         "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment",
                                     "name": "other"}, "maxReplicas": 3,
                  "metrics": [{"type": "Resource", "resource": {
                      "name": "cpu",
                      "target": {"type": "Utilization", "averageUtilization": 50}}}]}},
        scaled("other", prometheus_trigger(url, authModes="bearer"), "bearer",
               annotations={"windlass.dev/take-over": "true"}),
        budget("good", 1)]
    return out


def exec_plugin(directory, name, output, code=0):
    """A credential plugin that prints that."""
    path = directory / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {code}\n")
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path),
                     "interactiveMode": "Never"}}


def credential(token):
    return json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                       "status": {"token": token}})


def everything(cp):
    """What anybody can read of what Windlass wrote; specs are the users' own."""
    out = []
    for path in ("/api/v1/events", "/apis/keda.sh/v1alpha1/scaledobjects", CLAIMS, NODES, INSTANCES,
                 "/apis/karpenter.sh/v1/nodepools", "/apis/karpenter.k8s.aws/v1/ec2nodeclasses",
                 "/apis/keda.sh/v1alpha1/triggerauthentications", PODS,
                 "/apis/coordination.k8s.io/v1/leases"):
        for item in cp.get(path)["items"]:
            item["metadata"].get("annotations", {}).pop(
                "kubectl.kubernetes.io/last-applied-configuration", None)
            if item.get("kind") != "Event" and "leases" not in path:
                item.pop("spec", None)
            out.append(json.dumps(item))
    return "\n".join(out)


def page(operator, path):
    with urllib.request.urlopen(operator.address() + path, timeout=5) as reply:
        return reply.read().decode()


def asked_for(directory):
    """{(group/resource, verb)} and refusals of the account, by the audit log."""
    used, refused = set(), set()
    for event in audit_events(directory):
        if event["user"]["username"] != ACCOUNT:
            continue
        ref = event.get("objectRef", {})
        resource = ref.get("resource", "") + (
            "/" + ref["subresource"] if "subresource" in ref else "")
        used.add((ref.get("namespace", ""), ref.get("apiGroup", ""), resource, event["verb"]))
        if event.get("responseStatus", {}).get("code") in (401, 403):
            refused.add(f"{event['verb']} {event['requestURI']}")
    return used, refused


def unused(scene, options, used):
    """Rights of what `install` prints that were not made use of."""
    text = subprocess.run([scene.binary, "install", "--offline", "-o", "json", *options],
                          check=True, capture_output=True, text=True).stdout
    out = set()
    for item in json.loads(text)["items"]:
        if item["kind"] not in ("ClusterRole", "Role"):
            continue
        space = item["metadata"].get("namespace", "")
        for rule in item["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        if not any((group, resource, verb) == u[1:] and space in ("", u[0])
                                   for u in used):
                            out.add((resource, verb))
    return out


def install(scene, *options):
    text = subprocess.run([scene.binary, "install", "--offline", "--without-crds", *options],
                          check=True, capture_output=True, text=True).stdout
    scene.cp.kubectl("apply", "-f", "-", input=text)
    return scene.cp.create_token("windlass", "windlass")


def rights_and_secrets(scene):
    cp, directory = scene.cp, scene.directory
    token = install(scene, "--cloud", "simulated", "--take-over")
    secrets, metrics = Secrets(), Metrics()
    secrets.plant("service account's token", token.rsplit(".", 1)[1])
    scene.apply(*world(metrics, secrets))
    kubeconfig = scene.kubeconfig("rights", exec_plugin(directory, "plugin", credential(token)))
    operator = Operator(scene.binary, kubeconfig, directory, "rights", "--config", scene.config(),
                        "--log-level", "debug", "--decisions", directory / "decisions.jsonl",
                        user=ACCOUNT).start()
    try:
        def has(name, replicas):
            return cp.get(f"{DEPLOYMENTS}/{name}").get("status", {}).get("readyReplicas") == replicas
        wait_for("the target with the right token is scaled", lambda: has("good", 3), 120)
        wait_for("the one of the HPA, too", lambda: has("other", 3), 60)
        hpa = cp.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/other")
        check("the HPA stands still",
              hpa["spec"]["behavior"]["scaleUp"]["selectPolicy"] == "Disabled", hpa["spec"])
        check("the bearer token was sent", any(
            a == f"Bearer {secrets.texts['bearer token']}" for _, a in metrics.seen), metrics.seen[:3])
        for name in ("wrong", "userinfo", "api", "custom"):
            check(f"{name} was tried", any("/locked" in p for p, _ in metrics.seen))
        # A drain that a PodDisruptionBudget slows down.
        claim = next(c for c in cp.get(CLAIMS)["items"])
        cp.kubectl("delete", "nodeclaim", claim["metadata"]["name"], "--wait=false")
        wait_for("the node is replaced", lambda: has("good", 3) and not any(
            c["metadata"]["uid"] == claim["metadata"]["uid"] for c in cp.get(CLAIMS)["items"]), 120)
        metrics.value = 10
        wait_for("fewer replicas", lambda: has("good", 1), 60)
        wait_for("troubles were told", lambda: any(
            e["type"] == "Warning" for e in cp.get("/api/v1/events")["items"]
            if e.get("involvedObject", {}).get("kind") == "ScaledObject"), 60)
        texts = {"the log": operator.log(), "/metrics": page(operator, "/metrics"),
                 "/readyz": page(operator, "/readyz"), "objects and Events": everything(cp),
                 "the decisions": (directory / "decisions.jsonl").read_text()}
        check("the decisions are written", texts["the decisions"].count("\n") > 3)
        check("the failures are told", "401" in texts["objects and Events"] + texts["the log"])
        for where, text in texts.items():
            check(f"no secret in {where}", not secrets.found_in(text), secrets.found_in(text))
        used, refused = asked_for(directory)
        check("nothing was refused", not refused, sorted(refused))
        left = unused(scene, ["--cloud", "simulated", "--take-over"], used)
        left = {(r, v) for r, v in left if v not in ("get", "list", "watch")}
        check("rights to write that were not used are known", left <= set(NOT_USED),
              sorted(left - set(NOT_USED)))
        print(f"  not used here: {sorted(left)}")
    finally:
        operator.kill(signal.SIGTERM)
    check("it ends well", operator.process.returncode == 0, operator.log()[-1000:])
    cp.kubectl("delete", "scaledobjects,deployments,hpa", "--all")


# ---- credentials that do not work ----


def bad_credentials(scene):
    cp, directory = scene.cp, scene.directory
    secrets = Secrets()
    plant = secrets.plant
    users = {
        "a token that is wrong": ({"token": plant("wrong token")}, {}),
        "a password that is wrong": ({"username": "u", "password": plant("wrong password")}, {}),
        "a plugin that fails": (exec_plugin(directory, "fails", plant("output of a failing plugin"),
                                            3), {}),
        "a plugin that prints garbage": (exec_plugin(directory, "garbage",
                                                     plant("garbage of a plugin")), {}),
        "a plugin whose JSON is wrong": (exec_plugin(directory, "wrong", json.dumps(
            {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v2",
             "status": {"token": plant("token of a wrong version")}})), {}),
        "a plugin whose token is wrong": (exec_plugin(directory, "refused", credential(
            plant("refused token of a plugin"))), {}),
        "a proxy with a password": ({"token": plant("token beside a proxy")},
                                    {"proxy-url": f"http://u:{plant('proxy password')}@127.0.0.1:1"}),
        "a server with a password": ({"token": plant("token beside userinfo")}, {
            "server": cp.url.replace("//", f"//u:{plant('server password')}@")}),
        "a key that is none": ({"client-certificate-data": base64.b64encode(
            b"-----BEGIN CERTIFICATE-----\n" + plant("certificate").encode()).decode(),
            "client-key-data": base64.b64encode(b"-----BEGIN PRIVATE KEY-----\n" + plant(
                "private key").encode()).decode()}, {}),
        "YAML that is none": (None, {}),
    }
    for n, (what, (user, cluster)) in enumerate(users.items()):
        path = scene.kubeconfig(f"bad{n}", user or {}, **cluster)
        if user is None:
            path.write_text(f"users: [{{user: {{token: {plant('broken file')}\n  : ]")
        operator = Operator(scene.binary, path, directory, f"bad{n}", "--config", scene.config(),
                            "--log-level", "debug", "--decisions", "-").start()
        try:
            wait_for(f"{what}: it is told", lambda: not operator.alive() or any(  # noqa: B023
                t.startswith(("warning", "error"))
                for _, t in operator.lines), 30)  # pylint: disable=all
            time.sleep(1)
            text = operator.log()
            if operator.alive() and operator.address():
                text += page(operator, "/metrics")
                try:
                    text += page(operator, "/readyz")
                except urllib.error.HTTPError as error:
                    text += error.read().decode()
        finally:
            if operator.alive():
                operator.kill(signal.SIGTERM)
        check(f"{what}: nothing of it is told", not secrets.found_in(text),
              f"{secrets.found_in(text)} in {text}")
        check(f"{what}: the fault is", "warning" in text or "error" in text, text)


# ---- TLS ----


def certificate(directory, name, alternative, days="30", environment=None):
    """A CA of its own and a certificate of it; (certificate and key, CA)."""
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=directory,
                       env={**os.environ, **(environment or {})})
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-days", "3650", "-subj", f"/CN={name}-ca", "-keyout",
            f"{name}-ca.key", "-out", f"{name}-ca.crt")
    openssl("req", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (directory / f"{name}.ext").write_text(f"subjectAltName={alternative}\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}-ca.crt", "-CAkey",
            f"{name}-ca.key", "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext",
            "-out", f"{name}.crt")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / f"{name}.crt", directory / f"{name}.key")
    return context, str(directory / f"{name}-ca.crt")


def tls(scene):
    directory = scene.directory
    good, good_ca = certificate(directory, "good", "IP:127.0.0.1")
    wrong_host, wrong_host_ca = certificate(directory, "wrong-host", "DNS:elsewhere.example.com")
    expired, expired_ca = certificate(directory, "expired", "IP:127.0.0.1", days="-1")
    # (what, server, CA, further cluster options, whether it is refused, words of the refusal)
    cases = [("its own CA", good, good_ca, {}, False, ()),
             ("another CA", good, expired_ca, {}, True, ("certificate", "verify", "issuer")),
             ("the system's CAs", good, None, {}, True, ("certificate", "verify", "issuer")),
             ("an expired certificate", expired, expired_ca, {}, True, ("expired",)),
             ("another host's certificate", wrong_host, wrong_host_ca, {}, True,
              ("127.0.0.1", "host", "name")),
             ("another host's certificate, asked for by name", wrong_host, wrong_host_ca,
              {"tls-server-name": "elsewhere.example.com"}, False, ()),
             ("kubeconfig's own insecure-skip-tls-verify", expired, None,
              {"insecure-skip-tls-verify": True}, False, ())]
    for n, (what, context, ca, more, refused, words) in enumerate(cases):
        server = Metrics(tls=context)
        path = scene.kubeconfig(f"tls{n}", {"token": "abc-def-ghi"},
                                server=f"https://127.0.0.1:{server.port}",
                                **({"certificate-authority": ca} if ca else {}), **more)
        if ca is None:  # neither one nor the control plane's
            text = json.loads(path.read_text())
            text["clusters"][0]["cluster"].pop("certificate-authority", None)
            path.write_text(json.dumps(text))
        operator = Operator(scene.binary, path, directory, f"tls{n}", "--config",
                            scene.config()).start()
        try:
            wait_for(f"{what}: something is told", lambda: server.seen or any(  # noqa: B023
                t.startswith("warning") for _, t in operator.lines), 30)  # pylint: disable=all
            time.sleep(0.5)
        finally:
            operator.kill(signal.SIGTERM)
        check(f"{what}: {'refused' if refused else 'taken'}", bool(server.seen) != refused,
              operator.log())
        if refused:
            warning = next((t for _, t in operator.lines if t.startswith("warning")), "")
            check(f"{what}: the reason is told", any(w in warning for w in words), warning)
    # Metrics over TLS: a CA that nobody gave is not believed.
    text = subprocess.run([scene.binary, "run", "--help"], capture_output=True, text=True,
                          check=True).stdout.lower()
    check("no option says not to verify", not any(
        word in text for word in ("insecure", "skip-tls", "no-verify")), text)


# ---- as the container does ----


def container(scene):
    cp, directory = scene.cp, scene.directory
    tools = [shutil.which(t) for t in ("unshare", "setpriv", "mount")]
    if os.geteuid() != 0 or not all(tools):
        print("  left out: it needs root, unshare and setpriv")
        return
    kubeconfig = scene.kubeconfig("container", {"token": scene.admin_token("container")}, **{
        "certificate-authority": None,
        "certificate-authority-data": base64.b64encode(cp.ca.read_bytes()).decode()})
    room = directory / "room"
    room.mkdir()
    os.chown(room, 65532, 65532)
    directory.chmod(0o755)
    binary = directory / "windlass"
    shutil.copy(scene.binary, binary)
    script = directory / "container.sh"
    script.write_text(
        "set -e\n"
        "mount --make-rprivate /\n"
        f"mount --bind {room} {room}\n"
        # Every file system but the one of the decisions, and those that are no files.
        "for m in $(cut -d' ' -f2 /proc/mounts | sort -u); do case $m in\n"
        f"  {room}|/proc*|/sys*|/dev*) ;; *) mount -o remount,ro,bind $m 2>/dev/null || true;; esac\n"
        "done\n"
        "mount -o remount,ro,bind /\n"
        f"! touch {directory}/written 2>/dev/null\n"
        "exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs "
        "--bounding-set=-all --inh-caps=-all \"$@\"\n")
    options = ["run", "--kubeconfig", str(kubeconfig), "--listen", "127.0.0.1:0",
               "--lease-namespace", "windlass", "--config", str(scene.config()),
               "--decisions", str(room / "decisions.jsonl")]
    log = directory / "container.log"
    scene.apply(node_class(), node_pool("boxed", 8, 2), deployment("boxed", 2, "1500m", "boxed"))
    with open(log, "wb") as out:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", str(script), str(binary), *options], stdout=out, stderr=out,
            env={"PATH": os.environ["PATH"]}, cwd="/")
        try:
            wait_for("it scales a node up", lambda: cp.get(f"{DEPLOYMENTS}/boxed").get(
                "status", {}).get("readyReplicas") == 2, 90)
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            rows = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            check("it is nobody", rows["Uid"].split() == ["65532"] * 4, rows["Uid"])
            check("it has no capability", int(rows["CapEff"], 16) == 0
                  and int(rows["CapBnd"], 16) == 0, rows)
            check("it gets no privileges", rows["NoNewPrivs"].strip() == "1", rows)
            written = []
            for fd in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
                target = os.readlink(fd)
                flags = int(next(line.split()[1] for line in pathlib.Path(
                    f"/proc/{process.pid}/fdinfo/{fd.name}").read_text().splitlines()
                    if line.startswith("flags")), 8)
                if flags & os.O_ACCMODE and target.startswith("/"):
                    written.append(target)
            check("it has nothing open for writing but its decisions and its log",
                  set(written) <= {str(room / "decisions.jsonl"), str(log), "/dev/null"}, written)
        except TimeoutError as error:
            check(f"{error}", False, log.read_text()[-2000:])
        finally:
            process.terminate()
            process.wait(20)
    if process.returncode != 0 and not (room / "decisions.jsonl").exists():
        return
    check("it wrote its decisions", "NodeClaim" in (room / "decisions.jsonl").read_text())
    check("and nothing else", [p.name for p in room.iterdir()] == ["decisions.jsonl"],
          list(room.iterdir()))
    check("it ended well", process.returncode == 0, log.read_text()[-1000:])


CASES = [rights_and_secrets, bad_credentials, tls, container]


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    reason = ControlPlane.missing()
    if reason is None and ControlPlane.kubectl_path() is None:
        reason = "no kubectl is installed"
    if reason:
        skip(reason)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="windlass-security-"))
    with Scene(binary, directory) as scene:
        for case in CASES:
            if sys.argv[2:] and case.__name__ not in sys.argv[2:]:
                continue
            begin = time.monotonic()
            print(f"{case.__name__}:", flush=True)
            try:
                case(scene)
            except (AssertionError, TimeoutError) as error:
                check(case.__name__, False, error)
            print(f"  {time.monotonic() - begin:.1f} s", flush=True)
    if failed:
        print(f"{len(failed)} FAILED; logs are kept in {directory}")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
