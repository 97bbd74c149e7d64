#!/usr/bin/env python3
"""Who gets in, and what gets out: credentials of every kind on both listeners, the dashboard's one-time
link, requests that other sites make a browser send, file modes, and secrets that must not turn up in
what the cluster says.

usage: security.py WINDLASS"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import warnings

from cluster import Cluster, ROOT

SHORT = ROOT / "tests/scenarios/short.yaml"
FAULTS = []


def check(name, condition, detail=""):
    if not condition:
        FAULTS.append(name)
        print(f"FAIL: {name}: {detail}")
    return condition


def ask(url, path, method="GET", headers=None, body=None, context=None):
    """(status, headers, body) with exactly these headers; http.client adds Host if there is none."""
    scheme, place = url.split("://")
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    options = {"context": context} if scheme == "https" else {}
    connection = kind(place, timeout=20, **options)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def check_status(name, answer, code):
    """Refused with a Status object of that code and a message."""
    status, _, body = answer
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    check(name, status == code and said.get("kind") == "Status" and said.get("code") == code
          and said.get("message"), f"{status} {body[:200]}")


def jwt(key, claims, header=b'{"alg":"HS256","typ":"JWT"}'):
    def text(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    signed = text(header) + "." + text(json.dumps(claims).encode())
    return signed + "." + text(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())


def without_credentials(c):
    for path in ("/version", "/healthz", "/readyz", "/livez"):
        check(f"open {path}", ask(c.api, path, context=c.context)[0] == 200)
    for path in ("/", "/api", "/apis", "/api/v1", "/api/v1/nodes", "/api/v1/secrets?watch=1", "/openapi/v3",
                 "/metrics", "/sim/metrics", "/prometheus/api/v1/query?query=up", "/nowhere",
                 "/version/x", "/healthz/../api"):
        for method in ("GET", "POST", "DELETE", "PATCH", "PUT"):
            name = f"{method} {path} by nobody"
            code = 400 if ".." in path else 401
            check_status(name, ask(c.api, path, method, body=None if method == "GET" else "{}",
                                   context=c.context), code)
    for path in ("/", "/dashboard/", "/dashboard/snapshot", "/dashboard/stream", "/dashboard/controls",
                 "/dashboard/history", "/dashboard/app.js", "/metrics", "/sim/metrics",
                 "/api/v1/query?query=up", "/?token=" + "0" * 64, "/?token=", "/nowhere"):
        for method in ("GET", "POST"):
            status, headers, body = ask(c.dashboard, path, method)
            check(f"dashboard {method} {path} by nobody", status == 401 and b"link" in body.lower(),
                  f"{status} {body[:100]}")
            check(f"dashboard {method} {path} headers", "default-src 'none'" in
                  headers.get("Content-Security-Policy", ""), str(headers))


def account_uid(c, name):
    return c.get(f"/api/v1/namespaces/default/serviceaccounts/{name}")["metadata"]["uid"]


def wrong_credentials(c, other):
    key = (c.data_dir / "pki/signing.key").read_text().strip()
    theirs = (other / "pki/signing.key").read_text().strip()
    user, soon, past = "system:serviceaccount:default:default", int(time.time()) + 60, int(time.time()) - 1
    own = {"kubernetes.io": {"serviceaccount": {"uid": account_uid(c, "default")}}}
    good = jwt(key, {"iss": "windlass", "sub": user, "exp": soon, **own})
    check("the test makes tokens as the cluster does",
          ask(c.api, "/api/v1/nodes", headers=bearer(good), context=c.context)[0] == 200)
    head, claims, mark = good.split(".")
    changed = base64.urlsafe_b64encode(json.dumps({"sub": "root", "exp": soon}).encode()).rstrip(b"=").decode()
    none = jwt(key, {"sub": user, "exp": soon, **own}, b'{"alg":"none","typ":"JWT"}')
    wrong = {
        "empty": "", "one character": "x", "a word": "token", "part of it": c.token[:-1],
        "more than it": c.token + "0", "other case": c.token.upper() + "A", "long": "a" * 8000,
        "another cluster's": (other / "pki/token").read_text().strip(),
        "signed by another cluster": jwt(theirs, {"iss": "windlass", "sub": user, "exp": soon, **own}),
        "expired": jwt(key, {"iss": "windlass", "sub": user, "exp": past, **own}),
        "without an end": jwt(key, {"iss": "windlass", "sub": user, **own}),
        "an end that is text": jwt(key, {"sub": user, "exp": str(soon), **own}),
        "without an account's uid": jwt(key, {"sub": user, "exp": soon}),
        "of another uid": jwt(key, {"sub": user, "exp": soon, "kubernetes.io": {"serviceaccount": {"uid": "x"}}}),
        "of an absent account": jwt(key, {"sub": user + "x", "exp": soon, **own}),
        "without a user": jwt(key, {"exp": soon}), "of nobody": jwt(key, {"sub": "", "exp": soon}),
        "algorithm none": none, "no signature": none.rsplit(".", 1)[0] + ".",
        "claims changed": f"{head}.{changed}.{mark}", "no claims": f"{head}..{mark}",
        "signing key itself": key, "dots": "..", "claims no JSON": jwt(key, {}).replace(".", ".AAAA", 1),
    }
    for name, token in wrong.items():
        check_status(f"token {name}", ask(c.api, "/api/v1/nodes", headers=bearer(token), context=c.context), 401)
        check(f"dashboard token {name}", ask(c.dashboard, "/metrics", headers=bearer(token))[0] == 401)
        status, _, body = c.request("/apis/authentication.k8s.io/v1/tokenreviews", "POST",
                                    {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                                     "spec": {"token": token}})
        check(f"review of token {name}", status == 201 and not json.loads(body)["status"]["authenticated"],
              body[:200])
    for value in (c.token, f"Basic {c.token}", f"Bearer{c.token}", f"Bearer {c.token} x", "Bearer"):
        check_status(f"Authorization {value[:8]}…", ask(c.api, "/api/v1/nodes", context=c.context,
                                                        headers={"Authorization": value}), 401)
    check("query token", ask(c.api, f"/api/v1/nodes?access_token={c.token}&token={c.token}",
                             context=c.context)[0] == 401)


def client_certificates(c, other):
    def context(directory):
        made = ssl.create_default_context(cafile=str(c.data_dir / "pki/ca.crt"))
        made.load_cert_chain(directory / "pki/admin.crt", directory / "pki/admin.key")
        return made
    status, _, body = ask(c.api, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "POST",
                          {"Content-Type": "application/json"},
                          '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}', context(c.data_dir))
    check("own certificate", status == 201 and b"windlass-admin" in body and b"system:masters" in body,
          f"{status} {body[:200]}")
    try:
        status, _, body = ask(c.api, "/api/v1/nodes", headers=bearer(c.token), context=context(other))
        check("another CA's certificate", False, f"was let in: {status}")
    except (ssl.SSLError, OSError):
        pass
    # The server's certificate is of a CA that nobody else has, and made for these names alone.
    try:
        ask(c.api, "/version", context=ssl.create_default_context(cafile=str(other / "pki/ca.crt")))
        check("another CA", False, "its certificate was taken for ours")
    except ssl.SSLCertVerificationError:
        pass
    host, port = c.api.split("://")[1].split(":")
    for name, good in (("localhost", True), ("kubernetes.default.svc", True), ("example.com", False)):
        with socket.create_connection((host, int(port)), timeout=20) as plain:
            try:
                with c.context.wrap_socket(plain, server_hostname=name):
                    check(f"certificate for {name}", good, "it covers the name")
            except ssl.SSLCertVerificationError as error:
                check(f"certificate for {name}", not good, error)
    warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(str(c.data_dir / "pki/ca.crt"))
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        ask(c.api, "/version", context=old)
        check("TLS 1.1", False, "is spoken")
    except (ssl.SSLError, OSError):
        pass


def service_accounts(c):
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    c.request(accounts, "POST", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})

    def request(seconds, name="robot"):
        return c.request(f"{accounts}/{name}/token", "POST", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds}})
    status, _, body = request(600)
    made = json.loads(body)
    check("TokenRequest", status == 201, body[:300])
    token = made["status"]["token"]
    claims = token.split(".")[1]
    ends = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
    check("its end", abs(ends - time.time() - 600) < 30 and made["status"]["expirationTimestamp"] ==
          time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends)), str(made["status"])[-100:])
    status, _, body = ask(c.api, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "POST",
                          {**bearer(token), "Content-Type": "application/json"},
                          '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}', c.context)
    info = json.loads(body)["status"]["userInfo"]
    check("who it is", info["username"] == "system:serviceaccount:default:robot" and
          info["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default",
                             "system:authenticated"], info)
    for seconds in (0, 599, -1, 1 << 33):
        check_status(f"a token for {seconds} s", request(seconds), 422)
    check_status("a token of an absent account", request(600, "absent"), 404)
    # One second to live: it is let in until then and never after.
    key = (c.data_dir / "pki/signing.key").read_text().strip()
    end = int(time.time()) + 2
    short = jwt(key, {"iss": "windlass", "sub": "system:serviceaccount:default:robot", "exp": end,
                      "kubernetes.io": {"serviceaccount": {"uid": account_uid(c, "robot")}}})
    seen = set()
    while time.time() < end + 0.5:
        before = time.time()
        status = ask(c.api, "/api/v1/nodes", headers=bearer(short), context=c.context)[0]
        seen.add(status)
        check("a token at its end", status == (200 if time.time() < end else 401) or before < end <= time.time(),
              f"{status} {before - end:.3f} s after its end")
    check("a token at its end", seen == {200, 401}, seen)
    # The token is good for the account it was issued to, and not for the next one of its name.
    def comes_in():
        return ask(c.api, "/api/v1/nodes", headers=bearer(token), context=c.context)[0]
    check("before the account goes", comes_in() == 200)
    c.request(f"{accounts}/robot", "DELETE")
    check("after the account went", comes_in() == 401)
    check("and at the dashboard", ask(c.dashboard, "/metrics", headers=bearer(token))[0] == 401)
    c.request(accounts, "POST", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    check("after it was made anew", comes_in() == 401)
    token = json.loads(request(600)[2])["status"]["token"]
    check("with a new token", comes_in() == 200)


def dashboard_link(c):
    """Works once; the session cookie of it."""
    path = c.dashboard_link[len(c.dashboard):]
    status, headers, _ = ask(c.dashboard, path)
    cookie = headers.get("Set-Cookie", "")
    check("the link", status == 303 and headers.get("Location") == "/dashboard/", f"{status} {headers}")
    check("the link", "token" not in (headers.get("Location") or ""), "the token stays in the address")
    for flag in ("HttpOnly", "SameSite=Strict", "Path=/"):
        check(f"cookie flag {flag}", flag in [part.strip() for part in cookie.split(";")], cookie)
    check("the link again", ask(c.dashboard, path)[0] == 401, "it works twice")
    pair = cookie.split(";")[0]
    check("the cookie", ask(c.dashboard, "/dashboard/snapshot", headers={"Cookie": pair})[0] == 200)
    name, value = pair.split("=")
    for wrong in (f"{name}={value[:-1]}", f"{name}=", f"x{name}={value}", f"windlass_session={value}", value):
        check("a wrong cookie", ask(c.dashboard, "/dashboard/snapshot", headers={"Cookie": wrong})[0] == 401, wrong)
    check_status("the cookie at the API", ask(c.api, "/api/v1/nodes", headers={"Cookie": pair}, context=c.context), 401)
    deadline = time.time() + 20
    while c.output().count("?token=") < 2 and time.time() < deadline:
        time.sleep(0.02)
    fresh = re.findall(r"/\?token=[0-9a-f]{64}", c.output())
    check("a fresh link", len(set(fresh)) == 2 and ask(c.dashboard, fresh[-1])[0] == 303, fresh)
    check("HEAD uses a link up, or not", ask(c.dashboard, path, "HEAD")[0] == 401)
    return pair


def other_sites(c, cookie):
    """What a browser sends for pages of other origins."""
    home = c.dashboard
    port = home.rsplit(":", 1)[1]
    speed = '{"speed": 61}'
    post = [  # headers beside the cookie, status
        ({"Origin": home}, 204), ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": home, "Sec-Fetch-Site": "same-origin"}, 204),
        ({}, 403), ({"Origin": "null"}, 403), ({"Origin": ""}, 403), ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403), ({"Origin": f"http://localhost:{port}"}, 403),
        ({"Origin": home + ".evil.example"}, 403), ({"Origin": "file://"}, 403),
        ({"Origin": home, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": home, "Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "https://evil.example", "Authorization": "Bearer x"}, 403),
        ({"Origin": "https://evil.example", **bearer(c.token)}, 204),
    ]
    for headers, code in post:
        status, _, body = ask(home, "/dashboard/controls", "POST", {"Cookie": cookie, **headers}, speed)
        shown = {k: v[:30] for k, v in headers.items()}
        check(f"control with {shown}", status == code, f"{status} {body[:100]}")
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
        status, headers, _ = ask(home, "/dashboard/controls", method, {"Cookie": cookie, "Origin": home}, None)
        check(f"control by {method}", status == 405, status)
        check(f"{method}", "Access-Control-Allow-Origin" not in headers, "opens the door to other sites")
    for headers, code in (({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
                          ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
                          ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
                          ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200)):
        check(f"reading with {headers}", ask(home, "/dashboard/snapshot", headers={"Cookie": cookie, **headers})[0] == code)
    # A name of somebody else's that was made to lead to this address.
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example",
                 "evil.example:127.0.0.1", ""):
        for path in ("/dashboard/snapshot", "/?token=" + "0" * 64, "/"):
            check(f"Host {host}", ask(home, path, headers={"Cookie": cookie, "Host": host})[0] == 403, path)
        check(f"Host {host} with a bearer token",
              ask(home, "/metrics", headers={**bearer(c.token), "Host": host})[0] == 200)
    for host in ("127.0.0.1", f"localhost:{port}", "localhost:9999", "[::1]:80", f"127.0.0.1:{port}"):
        check(f"Host {host}", ask(home, "/dashboard/snapshot", headers={"Cookie": cookie, "Host": host})[0] == 200)
    wanted = {"Content-Security-Policy": "default-src 'none'; script-src 'self'", "X-Content-Type-Options": "nosniff",
              "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
    for path in ("/", "/dashboard/", "/dashboard/snapshot", "/dashboard/nothing", "/?token=0"):
        headers = ask(home, path, headers={"Cookie": cookie})[1]
        for header, value in wanted.items():
            check(f"{path} {header}", value in headers.get(header, ""), str(headers))
        check(f"{path} CSP", "unsafe" not in headers.get("Content-Security-Policy", ""), str(headers))


def file_modes(c):
    for path in [c.data_dir / "pki", *c.data_dir.rglob("*")]:
        if path.name == "up.log":  # the test's own
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        check(f"mode of {path.name}", mode == (0o700 if path.is_dir() else 0o600), oct(mode))
    names = {p.name for p in c.data_dir.rglob("*")}
    check("files", {"cluster.db", "cluster.db-wal", "kubeconfig", "ca.key", "server.key", "admin.key", "token",
                    "signing.key"} <= names, names)
    mine = listening(c.process.pid)
    check("only loopback is listened on", mine and all(m == "0100007F" for m in mine), mine)


def listening(pid):
    """Local addresses (hexadecimal, as /proc/net/tcp has them) on which the process listens."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(link))
        except OSError:
            continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.append(fields[1].split(":")[0])
    return found


PLANTED = {name: f"planted-{name}-4f1c" for name in
           ("secret", "binary", "auth", "env", "trigger", "arg", "bad-base64", "broken-json", "broken-yaml",
            "wrong-type", "annotation")}


def plant(c):
    """Secrets in every place where people put them; also in requests that are refused."""
    ns = "/api/v1/namespaces/inference"
    c.request(f"{ns}/secrets", "POST", {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"},
        "stringData": {"password": PLANTED["secret"]},
        "data": {"key": base64.b64encode(PLANTED["binary"].encode()).decode()}})
    c.request("/apis/keda.sh/v1alpha1/namespaces/inference/triggerauthentications", "POST", {
        "apiVersion": "keda.sh/v1alpha1", "kind": "TriggerAuthentication", "metadata": {"name": "planted"},
        "spec": {"secretTargetRef": [{"parameter": "bearerToken", "name": "planted", "key": "password"}],
                 "env": [{"parameter": "username", "name": PLANTED["auth"]}]}})
    status, _, body = c.request("/apis/apps/v1/namespaces/inference/deployments", "POST", {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "planted"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "planted"}}, "template": {
            "metadata": {"labels": {"app": "planted"}, "annotations": {"note": PLANTED["annotation"]}},
            "spec": {"containers": [{
                "name": "c", "image": "busybox", "args": ["--password=" + PLANTED["arg"]],
                "resources": {"requests": {"cpu": "4000"}},
                "env": [{"name": "PASSWORD", "value": PLANTED["env"]}]}]}}}})
    check("planting a Deployment", status == 201, body[:300])
    status, _, body = c.request("/apis/keda.sh/v1alpha1/namespaces/inference/scaledobjects", "POST", {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "planted"},
        "spec": {"scaleTargetRef": {"name": "planted"}, "triggers": [{
            "type": "prometheus", "authenticationRef": {"name": "planted"},
            "metadata": {"serverAddress": f"http://user:{PLANTED['trigger']}@prometheus:9090", "query": "up(",
                         "threshold": "1", "authModes": "bearer"}}]}})
    check("planting a ScaledObject", status == 201, body[:300])
    answers = []
    for content_type, text in (
            ("application/json", '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"data":{"k":"%s!"}}'
             % PLANTED["bad-base64"]),
            ("application/json", '{"apiVersion":"v1","kind":"Secret","stringData":{"k":"%s}' % PLANTED["broken-json"]),
            ("application/yaml", 'kind: Secret\nstringData:\n  k: "%s\n x: [' % PLANTED["broken-yaml"]),
            ("application/json", '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"data":["%s"]}'
             % PLANTED["wrong-type"])):
        status, _, body = c.request(f"{ns}/secrets", "POST", text, content_type=content_type)
        check("a Secret that can't be read", status in (400, 422), f"{status} {body[:200]}")
        answers.append(body.decode())
    return "\n".join(answers)


def nothing_leaks(c, said):
    deadline = time.time() + 60  # a few simulated minutes, in which controllers speak of all of it
    start = c.get("/dashboard/snapshot", base=c.dashboard)["now"]
    while time.time() < deadline:
        snapshot = c.get("/dashboard/snapshot", base=c.dashboard)
        events = c.get("/api/v1/namespaces/inference/events")["items"]
        if snapshot["now"] > start and any("planted" in e["involvedObject"]["name"] for e in events):
            break
        time.sleep(0.05)
    else:
        check("events", False, "none about what was planted")
    texts = {
        "errors": said, "output": c.output(),
        "events": json.dumps(c.get("/api/v1/events")), "decisions and dashboard": json.dumps(snapshot),
        "metrics": c.request("/metrics")[2].decode(),
        "dashboard's metrics": c.request("/metrics", base=c.dashboard)[2].decode(),
        "simulated metrics": c.request("/sim/metrics")[2].decode(),
        "command line": pathlib.Path(f"/proc/{c.process.pid}/cmdline").read_text(),
    }
    keys = {p.name: p.read_text().strip() for p in (c.data_dir / "pki").iterdir() if p.suffix == ".key"}
    keys["token"] = c.token
    for where, text in texts.items():
        for name, secret in PLANTED.items():
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                check(f"the {name} secret in the {where}", form not in text,
                      text[max(0, text.find(form) - 200):][:400])
        for name, secret in keys.items():
            secret = secret.splitlines()[1] if "\n" in secret else secret
            check(f"{name} in the {where}", secret not in text)
    status = json.dumps([item.get("status", {}) for kind in
                         ("/apis/keda.sh/v1alpha1/scaledobjects", "/apis/apps/v1/deployments", "/api/v1/pods")
                         for item in c.get(kind)["items"]])
    for name, secret in PLANTED.items():
        check(f"the {name} secret in a status", secret not in status, status[max(0, status.find(secret) - 200):][:300])


def on_every_address(windlass, folder):
    """--listen 0.0.0.0: TLS on both."""
    process = subprocess.Popen([windlass, "up", SHORT, "--listen", "0.0.0.0:0", "--dashboard-port", "0",
                                "--data-dir", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        text = ""
        for line in process.stdout:
            text += line
            if "Ctrl-C stops it" in line:
                break
        api = re.search(r"API +(\S+)", text).group(1)
        link = re.search(r"dashboard +(\S+)", text).group(1)
        context = ssl.create_default_context(cafile=str(folder / "pki/ca.crt"))
        for url in (api, link.split("/?")[0]):
            check("TLS on every address", url.startswith("https://127.0.0.1:"), url)
            status, _, body = ask(url.replace("https", "http"), "/version")
            check("plain HTTP to TLS", status == 400 and b"HTTPS" in body, f"{status} {body[:100]}")
        base, path = link.split("/?")
        status, headers, _ = ask(base, "/?" + path, context=context)
        cookie = headers.get("Set-Cookie", "")
        check("a Secure cookie", status == 303 and "; Secure" in cookie, cookie)
        check("the dashboard over TLS", ask(base, "/dashboard/snapshot", headers={
            "Cookie": cookie.split(";")[0], "Host": "some.host"}, context=context)[0] == 200)
        port = int(api.rsplit(":", 1)[1])
        # The machine's name, and the address its packets would leave from.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            try:
                route.connect(("192.0.2.1", 9))
                outward = [route.getsockname()[0]]
            except OSError:  # no route
                outward = []
        for name in [socket.gethostname(), "localhost", *outward]:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
                try:
                    context.wrap_socket(plain, server_hostname=name).close()
                except ssl.SSLCertVerificationError as error:
                    check(f"certificate for {name}", False, error)
        check("nobody over TLS", ask(base, "/dashboard/snapshot", context=context)[0] == 401)
    finally:
        process.terminate()
        process.stdout.read()
        process.wait(timeout=60)
    check("SIGTERM", process.returncode == 0, process.returncode)


def main():
    windlass = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="windlass-security-") as name:
        other = pathlib.Path(name) / "other"
        on_every_address(windlass, other)
        own = pathlib.Path(name) / "own"
        own.mkdir()
        with Cluster(windlass, SHORT, "--speed", "60", data_dir=own) as c:
            without_credentials(c)
            wrong_credentials(c, other)
            client_certificates(c, other)
            service_accounts(c)
            cookie = dashboard_link(c)
            other_sites(c, cookie)
            file_modes(c)
            nothing_leaks(c, plant(c))
    print(f"{len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
