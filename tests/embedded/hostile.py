#!/usr/bin/env python3
"""Bad input from all sides, over TLS and plain HTTP: requests that are no HTTP, paths, bodies, kinds,
selectors and parameters that are wrong, peers that dawdle, stop in the middle or don't read, ten
thousand that idle. Every answer is a Status that says what is wrong; meanwhile and afterwards the
cluster answers others at once, loses no write, and needs no more memory than before.

usage: hostile.py WINDLASS"""
import http.client
import json
import pathlib
import re
import resource
import socket
import ssl
import sys
import tempfile
import threading
import time

from cluster import Cluster, ROOT

SCENARIO = ROOT / "tests/scenarios/kubectl.yaml"
IDLE = 10_000
BAD = 20_000
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
JSON = {"Content-Type": "application/json"}
FAULTS = []
MANY = threading.Lock()  # held by who has thousands of connections open: descriptors are for one


def check(name, condition, detail=""):
    if not condition:
        FAULTS.append(name)
        if len(FAULTS) < 40:
            print(f"FAIL: {name}: {str(detail)[:600]}")
    return condition


class Peer:
    """One raw connection. Reads answers with a length, a chunked one whole."""

    def __init__(self, cluster, tls=True, timeout=20, buffer=None):
        host, port = cluster.api.split("://")[1].split(":")
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect((host, int(port)))
        if tls and cluster.api.startswith("https"):
            self.socket = cluster.context.wrap_socket(self.socket, server_hostname=host)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def more(self):
        data = self.socket.recv(1 << 16)
        self.rest += data
        return data

    def answer(self):
        """(status, headers, body); (0, {}, what came) where the peer ended before an answer."""
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                return 0, {}, self.rest
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        if status == 100:
            return self.answer()
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(self.rest) < length and self.more():
            pass
        body, self.rest = self.rest[:length], self.rest[length:]
        return status, headers, body

    def ended(self):
        """Whether the peer ends the connection; what it still sends is dropped."""
        try:
            while self.more():
                pass
            return True
        except (ConnectionError, ssl.SSLError):
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()


def check_status(name, answer, codes, pattern=""):
    """A Status object with one of the codes, and a message that says the pattern."""
    status, headers, body = answer
    codes = codes if isinstance(codes, tuple) else (codes,)
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    message = said.get("message") or ""
    good = (status in codes and said.get("kind") == "Status" and said.get("apiVersion") == "v1"
            and said.get("status") == "Failure" and said.get("code") == status and len(message) > 8
            and len(body) < 8192 and headers.get("content-type", "").startswith("application/json"))
    check(name, good, f"wanted {codes}: {status} {headers} {body[:300]}")
    check(name, re.search(pattern, message, re.IGNORECASE), f"{pattern!r} is not in {message[:300]!r}")
    return said


def head(cluster, method, path, headers=None, length=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: h", f"Authorization: Bearer {cluster.token}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def whole(cluster, method, path, headers=None, body=b""):
    body = body if isinstance(body, bytes) else body.encode()
    return head(cluster, method, path, headers, len(body) if body or method in ("POST", "PUT", "PATCH") else None) + body


# ---- what is no HTTP, or not as it should be ----

def wire_cases(c):
    """name, bytes, codes, what the message must say"""
    get, bad = b"GET /version HTTP/1.1\r\n", 400
    host = b"Host: h\r\n"
    yield "noise", bytes(range(256)) * 4, bad, ""
    yield "a line of noise", b"\x00\x01\x02\r\n\r\n", bad, "request line|method"
    yield "bare line feeds", b"GET / HTTP/1.1\nHost: h\n\n", bad, "line feed"
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, r"HTTP/1\.1"
    yield "HTTP/3", b"GET / HTTP/3.0\r\n" + host + b"\r\n", 505, r"HTTP/1\.1"
    yield "no version", b"GET /version\r\n\r\n", bad, "request line"
    yield "lower case", b"get /version HTTP/1.1\r\n" + host + b"\r\n", 405, "get"
    yield "TRACE", b"TRACE / HTTP/1.1\r\n" + host + b"\r\n", 405, "TRACE"
    yield "CONNECT", b"CONNECT h:1 HTTP/1.1\r\n" + host + b"\r\n", 405, "CONNECT"
    yield "long method", b"A" * 1000 + b" / HTTP/1.1\r\n" + host + b"\r\n", bad, "method"
    yield "no host", get + b"\r\n", bad, "Host"
    yield "two hosts", get + host + host + b"\r\n", bad, "Host"
    yield "no colon", get + host + b"Header\r\n\r\n", bad, "header"
    yield "blank before colon", get + host + b"A : b\r\n\r\n", bad, "header"
    yield "folded header", get + host + b"A: b\r\n c\r\n\r\n", bad, "header"
    yield "NUL in a header", get + host + b"A: b\0c\r\n\r\n", bad, "control"
    yield "300 headers", get + host + b"A: b\r\n" * 300 + b"\r\n", 431, "headers"
    yield "large header", get + host + b"A: " + b"b" * 70_000 + b"\r\n\r\n", 431, "large"
    yield "long address", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414, "long"
    yield "endless address", b"GET /" + b"a" * 80_000, 414, "long"
    for text in (b"-1", b"abc", b"0x10", b"1 2", b"+5", b""):
        yield f"length {text}", b"POST /api HTTP/1.1\r\n" + host + b"Content-Length: " + text + b"\r\n\r\n", bad, "length"
    for text in (b"4000000", b"9" * 40):
        yield f"length {text[:10]}", b"POST /api HTTP/1.1\r\n" + host + b"Content-Length: " + text + b"\r\n\r\n", \
            413, "3145728 bytes"
    two = b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    yield "two lengths", b"POST /api HTTP/1.1\r\n" + host + two, bad, "ambiguous"
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    yield "length and chunks", b"POST /api HTTP/1.1\r\n" + host + both, bad, "ambiguous"
    yield "gzip coding", b"POST /api HTTP/1.1\r\n" + host + b"Transfer-Encoding: gzip\r\n\r\n", 501, "chunked"
    chunked = b"POST /api HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
    yield "chunk of no size", chunked + b"zz\r\nabc\r\n", bad, "chunk"
    yield "negative chunk", chunked + b"-1\r\nabc\r\n", bad, "chunk"
    yield "long chunk", chunked + b"1\r\nabc\r\n", bad, "chunk"
    yield "huge chunk", chunked + b"ffffffffffffffff\r\n", 413, "bytes"
    yield "large chunk", chunked + b"400000\r\n", 413, "bytes"
    yield "endless chunk size", chunked + b"0" * 1000, bad, "chunk"
    yield "expectation", get + host + b"Expect: 200-ok\r\n\r\n", 417, "expectation"
    for path in ("/../etc/passwd", "/api/../../etc/passwd", "/%2e%2e/etc/passwd", "/api/v1/%2E%2E/x", "/api//v1",
                 "/api/v1/namespaces/..%2fkube-system", "/api/%00", "/api/%zz", "/api/%", "/api/%ff", "/a/./b",
                 "/api/v1/nodes/%0d%0aX:%20y"):
        yield f"path {path}", f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode(), bad, "path"
    for path in (b"*", b"api", b"\\api", b"ftp://h/x", b"/a b", b"/\xff", b"/a#b"):
        yield f"path {path}", b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n", bad, "address"
    yield "1,100 parameters", b"GET /api?" + b"&".join(b"a=b" for _ in range(1100)) + b" HTTP/1.1\r\n" + host + b"\r\n", \
        bad, "parameters"
    yield "a NUL parameter", b"GET /api?a=%00 HTTP/1.1\r\n" + host + b"\r\n", bad, "query"


def wire(c):
    cases = list(wire_cases(c))
    for name, data, codes, pattern in cases:
        peer = Peer(c)
        try:
            peer.send(data)
        except (ConnectionError, ssl.SSLError):
            pass  # refused before it was all sent: the answer is there
        answer = peer.answer()
        check_status(name, answer, codes, pattern)
        check(name, answer[1].get("connection") == "close" and peer.ended(), "the connection goes on")
        peer.close()
    if c.api.startswith("https"):
        peer = Peer(c, tls=False)
        check_status("plain HTTP to TLS", peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").answer(), 400, "HTTPS")
        peer.close()
        for name, data in (("noise for TLS", b"\x16\x03\x01\x02\x00" + bytes(517)), ("TLS record of noise", b"\xff" * 100),
                           ("SSL 2", b"\x80\x2e\x01\x00\x02")):
            peer = Peer(c, tls=False)
            peer.send(data)
            try:
                peer.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it was cut already
            check(name, peer.ended(), "it goes on")
            peer.close()
    return len(cases)


# ---- requests that are HTTP, and wrong ----

def config_map(name="x", **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def body_cases():
    """name, method, path, headers, body, codes, pattern"""
    text = json.dumps(config_map())
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    for name, body, pattern in (
            ("cut short", text[:-5], "JSON"), ("noise", b"\xff\xfe\x00", "JSON"), ("bare word", "hello", "JSON"),
            ("two values", text + text, "JSON"), ("array", "[]", "object"), ("number", "1", "object"), ("nothing", "", ""),
            ("too deep", deep, "nested|deep"), ("bad UTF-8", b'{"kind":"\xc3\x28"}', "JSON"),
            ("open string", '{"a":"' + "x" * 1_000_000, "JSON"), ("huge number", '{"a":1e999999}', "")):
        yield f"JSON {name}", "POST", MAPS, JSON, body, 400, pattern
    for name, body in (("noise", b"\x00\x01"), ("cut short", "a: [1, 2"), ("tabs", "a:\n\t- b"),
                       ("too deep", "[" * 50_000), ("many documents", "a: 1\n---\nb: 2"), ("no object", "just text"),
                       ("bomb", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
                           f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)))):
        yield f"YAML {name}", "POST", MAPS, {"Content-Type": "application/yaml"}, body, 400, ""
    protobuf = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    for name, body in (("noise", b"\xff" * 64), ("no magic", b"k8t\x00abc"), ("magic alone", b"k8s\x00"),
                       ("endless varint", b"k8s\x00" + b"\x80" * 1000), ("length beyond", b"k8s\x00\x0a\xff\xff\xff\xff\x07"),
                       ("nested", b"k8s\x00" + b"\x12\x7f" * 5000)):
        yield f"protobuf {name}", "POST", MAPS, protobuf, body, 400, ""
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        yield f"content type {kind}", "POST", MAPS, {"Content-Type": kind}, text, 415, "application/json"
    yield "other kind", "POST", MAPS, JSON, json.dumps({**config_map(), "kind": "Secret"}), 400, "Secret.*ConfigMap"
    yield "other version", "POST", MAPS, JSON, json.dumps({**config_map(), "apiVersion": "v2"}), 400, "v2"
    yield "wrong type", "POST", MAPS, JSON, json.dumps(config_map(data="text")), 400, "data"
    yield "no name", "POST", MAPS, JSON, json.dumps({**config_map(), "metadata": {}}), 422, "name"
    yield "other namespace", "POST", MAPS, JSON, json.dumps({**config_map(), "metadata": {
        "name": "x", "namespace": "kube-system"}}), 400, "namespace"
    yield "absent namespace", "POST", MAPS.replace("default", "absent"), JSON, text, 404, "absent"
    for name in ("UPPER", "a_b", "-a", "a" * 300, "a/b", "..", "ä"):
        yield f"name {name[:9]}", "POST", MAPS, JSON, json.dumps(config_map(name)), 422, "metadata.name"
    yield "version on create", "POST", MAPS, JSON, json.dumps({**config_map(), "metadata": {
        "name": "x", "resourceVersion": "5"}}), (400, 500), "resourceVersion"
    yield "large annotation", "POST", MAPS, JSON, json.dumps({**config_map(), "metadata": {
        "name": "x", "annotations": {"a": "b" * 300_000}}}), 422, "annotations"
    yield "bad label", "POST", MAPS, JSON, json.dumps({**config_map(), "metadata": {
        "name": "x", "labels": {"a b": "c d"}}}), 422, "labels"
    yield "unknown field, strict", "POST", MAPS + "?fieldValidation=Strict", JSON, \
        json.dumps(config_map(dta={})), 400, 'unknown field "dta"'
    yield "field twice, strict", "POST", MAPS + "?fieldValidation=Strict", JSON, text[:-1] + ',"data":{},"data":{}}', \
        400, "duplicate field"
    yield "pod without containers", "POST", PODS, JSON, json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": []}}), 422, "spec.containers"
    yield "quantity", "POST", PODS, JSON, json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{
            "name": "c", "image": "i", "resources": {"requests": {"cpu": "lots"}}}]}}), (400, 422), "quantity|quantities|cpu"
    yield "update of another name", "PUT", MAPS + "/kept", JSON, text, 400, "name on the URL"
    yield "update of an absent one", "PUT", MAPS + "/x", JSON, text, 404, "x"
    yield "PUT to a collection", "PUT", MAPS, JSON, text, 405, ""
    yield "POST to an object", "POST", MAPS + "/x", JSON, text, 405, ""


def patch_cases():
    path = MAPS + "/kept"
    for kind, body, codes in (
            ("json-patch+json", "{}", (400, 422)), ("json-patch+json", "[1]", (400, 422)),
            ("json-patch+json", '[{"op":"explode","path":"/a"}]', (400, 422)),
            ("json-patch+json", '[{"op":"test","path":"/data/n","value":"no"}]', 422),
            ("json-patch+json", '[{"op":"remove","path":"/nothing/here"}]', 422),
            ("json-patch+json", '[{"op":"replace","path":"/metadata/name","value":"z"}]', (400, 422)),
            ("json-patch+json", json.dumps([{"op": "add", "path": "/data/x", "value": "y"}] * 20_000), (400, 413, 422)),
            ("merge-patch+json", "[]", 400), ("merge-patch+json", "{", 400),
            ("merge-patch+json", '{"data":5}', (400, 422)), ("merge-patch+json", '{"kind":"Secret"}', (400, 422)),
            ("strategic-merge-patch+json", '{"metadata":{"$patch":"explode"}}', (400, 422)),
            ("strategic-merge-patch+json", "nonsense", 400),
            ("apply-patch+yaml", '{"apiVersion":"v1","kind":"ConfigMap"}', (400, 422)),
            ("apply-patch+yaml", "a: [", (400, 422)), ("xml", "{}", 415), ("json", "{}", 415)):
        yield f"patch {kind} {body[:30]}", "PATCH", path, {"Content-Type": "application/" + kind}, body, codes, ""
    yield "strategic patch of a custom object", "PATCH", "/apis/karpenter.sh/v1/nodepools/absent", \
        {"Content-Type": "application/strategic-merge-patch+json"}, "{}", (404, 415), ""


def address_cases():
    for path in ("/api/v2", "/api/v1/unknowns", "/apis/none.example/v1/things", "/apis/apps/v9/deployments",
                 "/api/v1/namespaces/default/nodes", "/api/v1/namespaces/default/pods/a/unknown", "/etc/passwd",
                 "/api/v1/namespaces/default/pods/absent", "/api/v1/nodes/absent/status", "/a/b/c/d/e/f/g/h/i/j",
                 "/api/v1/" + "x" * 9_000, "/apis/apps/v1/namespaces/default/deployments/absent/scale",
                 "/api/v1/namespaces/default/pods/%7B%7D", "/api/v1/namespaces/%F0%9F%92%A3/pods/x"):
        yield f"GET {path[:60]}", "GET", path, {}, "", 404, ""
    for query in ("labelSelector=a+in+(", "labelSelector=%3D%3D", "labelSelector=a+notin+b", "labelSelector=a%3Db%3Dc",
                  "labelSelector=-a%3D1", "labelSelector=" + "a" * 300, "labelSelector=!", "labelSelector=,,,",
                  "labelSelector=a+in+()x", "labelSelector=a>x",
                  "fieldSelector=spec.none%3Dx", "fieldSelector=a", "fieldSelector=%3D", "fieldSelector=metadata.name",
                  "limit=abc", "limit=99999999999999999999", "resourceVersion=abc", "resourceVersion=-1",
                  "continue=abc", "continue=e30%3D", "resourceVersionMatch=Sometimes&resourceVersion=1",
                  "resourceVersionMatch=Exact", "timeoutSeconds=soon&watch=1", "watch=1&resourceVersion=x",
                  "watch=1&labelSelector=%3D", "watch=1&sendInitialEvents=true"):
        yield f"list ?{query[:60]}", "GET", f"{PODS}?{query}", {}, "", (400, 422), ""
    yield "accept", "GET", PODS, {"Accept": "image/png"}, "", 406, "application/json"
    for query in ("propagationPolicy=Slowly", "gracePeriodSeconds=soon", "dryRun=Perhaps"):
        yield f"DELETE ?{query}", "DELETE", f"{MAPS}/kept?{query}", {}, "", (400, 422), ""
    yield "DELETE with other uid", "DELETE", MAPS + "/kept", JSON, json.dumps(
        {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "no"}}), 409, "uid"
    yield "DELETE with a bad body", "DELETE", MAPS + "/kept", JSON, '{"gracePeriodSeconds":"x"}', 400, ""
    for query in ("dryRun=Maybe", "fieldValidation=Hard", "fieldManager=" + "m" * 200, "fieldManager=%01"):
        yield f"POST ?{query[:30]}", "POST", f"{MAPS}?{query}", JSON, json.dumps(config_map("q")), (400, 422), ""
    yield "logs", "GET", PODS + "/absent/log", {}, "", (404, 501), ""
    yield "POST of a deletion", "POST", MAPS + "/kept", JSON, '{"kind":"DeleteOptions"}', 405, ""


def requests(c):
    peer = Peer(c)
    cases = [*body_cases(), *patch_cases(), *address_cases()]
    for name, method, path, headers, body, codes, pattern in cases:
        try:
            said = check_status(name, peer.send(whole(c, method, path, headers, body)).answer(), codes, pattern)
            check(name, said.get("reason"), f"no reason in {said}")
        except (ConnectionError, ssl.SSLError, TimeoutError) as error:
            check(name, False, f"the connection ended: {error}")
            peer = Peer(c)
    peer.close()
    # Oversized: refused by its length before it is sent; one that says nothing of its length, when it is too much.
    peer = Peer(c)
    peer.send(head(c, "POST", MAPS, {**JSON, "Expect": "100-continue"}, (3 << 20) + 1))
    check_status("oversized", peer.answer(), 413, "3145728")
    peer.close()
    peer = Peer(c)
    peer.send(head(c, "POST", MAPS, {**JSON, "Transfer-Encoding": "chunked"}))
    try:
        for _ in range(64):
            peer.send(b"10000\r\n" + b" " * 65536 + b"\r\n")
    except (ConnectionError, ssl.SSLError):
        pass
    try:
        check_status("oversized in chunks", peer.answer(), 413, "3145728")
    except (ConnectionError, ssl.SSLError) as error:
        check("oversized in chunks", False, error)
    peer.close()
    peer = Peer(c)
    large = json.dumps(config_map("large", data={"k": "v" * (3 << 20)}))[:3 << 20]
    check_status("as large as it may be", peer.send(whole(c, "POST", MAPS, JSON, large)).answer(), (400, 413, 422))
    peer.close()
    return len(cases) + 3


def flood(c, count):
    """Bad requests, twenty on their way at a time."""
    cases = [case for case in [*body_cases(), *patch_cases(), *address_cases()]
             if len(case[4]) < 1000 and len(case[2]) < 1000]
    sent = 0
    peer = Peer(c)
    while sent < count:
        batch = [cases[(sent + i) % len(cases)] for i in range(20)]
        peer.send(b"".join(whole(c, *case[1:5]) for case in batch))
        for case in batch:
            status, _, body = peer.answer()
            check(f"flood of {case[0]}", 400 <= status < 600 and b'"kind":"Status"' in body, f"{status} {body[:200]}")
        sent += len(batch)
    peer.close()


def flood_of_connections(c, count):
    noise = [case for case in wire_cases(c) if len(case[1]) < 2000]
    for i in range(count):
        peer = Peer(c)
        peer.send(noise[i % len(noise)][1])
        status, _, body = peer.answer()
        check(f"flood of {noise[i % len(noise)][0]}", 400 <= status < 600 and b"Status" in body, f"{status} {body[:200]}")
        peer.close()


# ---- peers that dawdle ----

class Dawdlers(threading.Thread):
    """Started at the beginning, looked at when their 30 seconds are over."""

    def __init__(self, c):
        super().__init__()
        self.began = time.time()
        self.cluster = c
        post = head(c, "POST", MAPS, JSON, 1000)
        self.peers = {
            "half a head": (Peer(c).send(b"GET /version HTT"), 408),
            "half a body": (Peer(c).send(post + b'{"apiVersion"'), 408),
            "half a chunk": (Peer(c).send(head(c, "POST", MAPS, {**JSON, "Transfer-Encoding": "chunked"}) + b"5\r\nab"), 408),
        }
        self.dripping = Peer(c).send(b"GET /version HTTP/1.1\r\nHost: h\r\nX: ")
        self.peers["a drop a second"] = (self.dripping, 408)
        if c.api.startswith("https"):
            self.peers["silence before the handshake"] = (Peer(c, tls=False), 0)
            self.peers["half a handshake"] = (Peer(c, tls=False).send(b"\x16\x03\x01\x02\x00\x01\x00\x01"), 0)
        # Asks for much and reads nothing: its later requests wait in the socket.
        reader = Peer(c, buffer=4096)
        self.peers["one that doesn't read"] = (reader, None)
        reader.socket.settimeout(1)
        try:
            for _ in range(200):
                reader.send(whole(c, "GET", "/openapi/v2") * 20)
        except (OSError, ssl.SSLError):
            pass
        self.over = threading.Event()
        self.start()

    def drip(self):
        while time.time() < self.began + 30:
            try:
                self.dripping.send(b"x")
            except OSError:
                return
            self.over.wait(1)

    def run(self):
        self.drip()
        for name, (peer, code) in self.peers.items():
            peer.socket.settimeout(30)
            try:
                if code:
                    check_status(name, peer.answer(), code, "too long")
                check(name, peer.ended(), "the connection goes on")
            except (ConnectionError, ssl.SSLError) as error:
                check(name, code is None, error)
            except TimeoutError:
                check(name, False, "nothing came of it within the time")
            took = time.time() - self.began
            check(name, 29 < took < 75, f"it took {took:.0f} s")
            peer.close()


# ---- ten thousand ----

def idle_connections(c, count, tls):
    """Opened, held and closed; (those the server had closed, RSS while they were there)."""
    with MANY:
        return idle_connections_alone(c, count, tls)


def idle_connections_alone(c, count, tls):
    peers = []
    refused = 0
    for _ in range(count):
        try:
            peers.append(Peer(c, tls=tls))
        except (ConnectionError, ssl.SSLError, TimeoutError):
            refused += 1
    check("idle connections", refused == 0, f"{refused} of {count} were refused")
    began = time.time()
    check("answers beside them", c.get("/api/v1/namespaces")["items"])
    took = time.time() - began
    check("answers beside them", took < 2, f"after {took:.2f} s")
    rss = c.rss_mb()
    closed = 0
    for peer in peers:
        peer.socket.setblocking(False)
        try:
            closed += peer.socket.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            closed += 1
    if tls or c.api.startswith("http:"):
        peers[-1].socket.settimeout(20)
        status = peers[-1].send(b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n").answer()[0]
        check("the newest of them", status == 200, status)
    for peer in peers:
        peer.close()
    return closed, rss


class Writer(threading.Thread):
    """Somebody who works meanwhile: what is acknowledged must be there at the end."""

    def __init__(self, c):
        super().__init__()
        self.cluster, self.done, self.acknowledged, self.slowest = c, threading.Event(), [], 0.0
        self.cut = 0

    def run(self):
        number = 0
        peer = Peer(self.cluster)
        while not self.done.wait(0.02):
            name = f"written-{number}"
            began = time.time()
            try:
                status, _, body = peer.send(whole(self.cluster, "POST", MAPS, JSON, json.dumps(
                    config_map(name, data={"n": str(number)})))).answer()
            except (ConnectionError, ssl.SSLError):
                status = 0
            if status == 0:
                self.cut += 1
                peer = Peer(self.cluster)
                number += 1
                continue
            self.slowest = max(self.slowest, time.time() - began)
            if check("a write meanwhile", status == 201, f"{status} {body[:200]}"):
                self.acknowledged.append(name)
            number += 1
        peer.close()


def watch_for(c, version, until, seen):
    """Names that a watch from `version` tells of."""
    peer = Peer(c)
    peer.send(whole(c, "GET", f"{MAPS}?watch=1&resourceVersion={version}&labelSelector=!none"))
    peer.socket.settimeout(30)
    try:
        while not until(seen):
            if not peer.more():
                return
            for found in re.findall(rb'"name":"(written-\d+)"', peer.rest):
                seen.add(found.decode())
            peer.rest = peer.rest[-4096:]
    except (OSError, ssl.SSLError):
        pass
    finally:
        peer.close()


def sanitized(c):
    """AddressSanitizer keeps freed memory for a while, so its figures say nothing of growth."""
    with open(f"/proc/{c.process.pid}/maps", encoding="utf-8") as maps:
        return "libasan" in maps.read()


def rss_settled(c):
    """The least of a while: memory is given back when the loop gets to it."""
    least = c.rss_mb()
    for _ in range(10):
        time.sleep(0.05)
        least = min(least, c.rss_mb())
    return least


def besiege(c, label):
    for name in ("kept", "other"):
        c.request(MAPS, "POST", config_map(name, data={"n": "1"}))
    kept = c.get(MAPS + "/kept")
    dawdlers = Dawdlers(c)
    version = c.get(MAPS)["metadata"]["resourceVersion"]
    writer = Writer(c)
    seen, last = set(), threading.Event()
    watcher = threading.Thread(target=watch_for, args=(
        c, version, lambda names: last.is_set() and names >= set(writer.acknowledged), seen))
    watcher.start()
    writer.start()
    cases = wire(c) + requests(c)

    plain = c.api.startswith("http:")
    idle_connections(c, IDLE // 2, tls=plain)  # what as many as may be at once need
    before = rss_settled(c)
    began = time.time()
    closed, within = idle_connections(c, IDLE, tls=plain)
    took = time.time() - began
    check("idle connections", closed >= IDLE - 4096 - 64, f"only {closed} of {IDLE} were closed: 4096 are the limit")
    after = rss_settled(c)
    if not sanitized(c):
        check("memory after idle connections", after < before + 16, f"{before:.1f} MiB, then {after:.1f}")
    print(f"{label}: {cases} bad requests, each its Status; {IDLE} idle in {took:.1f} s, {closed} closed by the "
          f"server, RSS {before:.1f} MiB before, {within:.1f} with, {after:.1f} after")
    if not plain:
        began = time.time()
        closed, within = idle_connections(c, 500, tls=True)
        print(f"{label}: 500 idle sessions in {time.time() - began:.1f} s, RSS {within:.1f} with, {rss_settled(c):.1f} after")

    flood(c, 1000)
    before = rss_settled(c)
    began = time.time()
    flood(c, BAD // 2 if plain else BAD // 4)
    flood_of_connections(c, BAD // 4 if plain else 200)
    after = rss_settled(c)
    if not sanitized(c):
        check("memory after bad requests", after < before + 12, f"{before:.1f} MiB, then {after:.1f}")
    print(f"{label}: flood took {time.time() - began:.1f} s, RSS {before:.1f} MiB before, {after:.1f} after")

    dawdlers.join()
    writer.done.set()
    writer.join()
    there = {item["metadata"]["name"]: item["data"]["n"] for item in c.get(MAPS)["items"]
             if item["metadata"]["name"].startswith("written-")}
    lost = [name for name in writer.acknowledged if there.get(name) != name.split("-")[1]]
    check("nothing is lost", not lost and len(writer.acknowledged) > 50, f"lost {lost[:5]}, {len(writer.acknowledged)} written")
    check("the writer's connection", writer.cut <= 3, f"cut {writer.cut} times")
    last.set()
    c.request(MAPS, "POST", config_map("written-999999", data={"n": "999999"}))
    watcher.join(timeout=30)
    check("watched", not set(writer.acknowledged) - seen, f"{len(set(writer.acknowledged) - seen)} events were not seen")
    check("untouched", c.get(MAPS + "/kept") == kept, "a refused request has changed an object")
    names = {item["metadata"]["name"] for item in c.get(MAPS)["items"]}
    check("nothing is made by refused requests", not names & {"x", "y", "q", "large", "a/b", ".."}, names)
    print(f"{label}: {len(writer.acknowledged)} writes meanwhile, the slowest took {writer.slowest * 1000:.0f} ms, "
          f"none lost, {len(seen)} watched")


def few_descriptors(windlass, folder):
    """Where descriptors are scarce, connections go without, not the journal."""
    script = folder / "few"
    script.write_text(f'#!/bin/sh\nulimit -n 300\nexec "{windlass}" "$@"\n')
    script.chmod(0o755)
    with Cluster(script, SCENARIO, "--plain-http", "--no-traffic") as c:
        for number in range(3):
            idle_connections(c, 700, tls=True)
            c.request(MAPS, "POST", config_map(f"few-{number}"))
            check("a write with few descriptors", c.get(f"{MAPS}/few-{number}"))
        held = [Peer(c).send(b"GET /ver") for _ in range(700)]  # none idles
        for peer in held:
            peer.close()
        check("after busy ones", c.get("/api/v1/namespaces")["items"])


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 1000:
        print(f"skipped: {hard} descriptors are too few")
        return 77
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # what the clusters start with
    began = time.time()
    with tempfile.TemporaryDirectory(prefix="windlass-hostile-") as name:
        with Cluster(windlass, SCENARIO, "--no-traffic") as over_tls, \
                Cluster(windlass, SCENARIO, "--no-traffic", "--plain-http") as plain:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            sieges = [threading.Thread(target=besiege, args=(c, label))
                      for c, label in ((over_tls, "TLS"), (plain, "plain HTTP"))]
            scarce = threading.Thread(target=few_descriptors, args=(windlass, pathlib.Path(name)))
            for thread in (*sieges, scarce):
                thread.start()
            for thread in (*sieges, scarce):
                thread.join()
            for c in (over_tls, plain):
                text = c.output()
                check("output", "Sanitizer" not in text and "assert" not in text.lower(), text[-500:])
    print(f"{time.time() - began:.0f} s, {len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
