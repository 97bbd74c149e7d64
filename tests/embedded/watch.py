#!/usr/bin/env python3
"""Twenty watchers over TLS see every write once and in order; one that never reads is dropped, and
the rest don't notice.

usage: watch.py WINDLASS
"""
import http.client
import json
import pathlib
import re
import socket
import ssl
import sys
import threading
import time
import urllib.parse

from cluster import Cluster, ROOT

WATCHERS, WRITES = 20, 200
PATH = "/api/v1/namespaces/default/configmaps"


def connect(cluster, receive_bytes=0):
    address = urllib.parse.urlsplit(cluster.api)
    raw = socket.socket()
    if receive_bytes:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.connect((address.hostname, address.port))
    raw.settimeout(30)
    return cluster.context.wrap_socket(raw, server_hostname=address.hostname)


def start_watch(cluster, path, version, receive_bytes=0):
    link = connect(cluster, receive_bytes)
    link.sendall(f"GET {path}?watch=1&resourceVersion={version} HTTP/1.1\r\nHost: localhost\r\n"
                 f"Authorization: Bearer {cluster.token}\r\n\r\n".encode())
    return link


def follow(link, seen, faults):
    """Notes (type, name, n) of every event up to the last write's."""
    reply = http.client.HTTPResponse(link)
    reply.begin()
    last = 0
    while len(seen) < WRITES:
        line = reply.readline()
        if not line:
            faults.append(f"a watch ended after {len(seen)} events")
            return
        event = json.loads(line)
        item = event["object"]
        version = int(item["metadata"]["resourceVersion"])
        if version <= last:
            faults.append(f"version {version} after {last}")
        last = version
        seen.append((event["type"], item["metadata"]["name"], item.get("data", {}).get("n")))


def write_all(cluster):
    """Creates, changes and deletes; what each write must look like to a watcher. Between them large
    objects elsewhere, which only the stalled watcher asked for: 25 MB, more than is kept for one."""
    link = http.client.HTTPConnection("unused")
    link.sock = connect(cluster)
    headers = {"Authorization": f"Bearer {cluster.token}", "Content-Type": "application/json"}

    def write(method, path, body=None, content_type="application/json"):
        link.request(method, path, body and json.dumps(body),
                     {**headers, "Content-Type": content_type})
        reply = link.getresponse()
        text = reply.read()
        assert reply.status in (200, 201), f"{method} {path}: {reply.status} {text[:300]}"

    expected = []
    for count in range(WRITES):
        name, n = f"w{count % 10}", str(count)
        step = count // 10 % 4
        if step == 0:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": n}}
            write("POST", PATH, body)
            expected.append(("ADDED", name, n))
        elif step == 3:
            write("DELETE", f"{PATH}/{name}")
            expected.append(("DELETED", name, str(count - 10)))
        else:
            write("PATCH", f"{PATH}/{name}", {"data": {"n": n}}, "application/merge-patch+json")
            expected.append(("MODIFIED", name, n))
        if count % 2 == 0:
            big = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"big{count}"},
                   "data": {"f": "x" * 250_000}}
            write("POST", "/api/v1/namespaces/kube-system/configmaps", big)
    return expected


def await_drop(cluster):
    """A reader may lag for ten seconds before it is dropped. The server notices that a watcher is gone
    when there is something to tell it."""
    patch = {"data": {"f": "y"}}
    # So that those who have seen all and left are noticed, too.
    cluster.request(PATH, "POST", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last"}})
    deadline = time.time() + 30
    while time.time() < deadline:
        status, _, _ = cluster.request("/api/v1/namespaces/kube-system/configmaps/big0", "PATCH", patch,
                                       content_type="application/merge-patch+json")
        assert status == 200, status
        text = cluster.request("/metrics")[2].decode()
        if float(re.search(r"^windlass_api_watchers (\S+)", text, re.M).group(1)) == 0:
            return
        time.sleep(0.2)


def was_dropped(link):
    """What the kernels hold comes first, then the end: a clean one or a reset."""
    link.settimeout(10)
    total = 0
    try:
        while piece := link.recv(1 << 20):
            total += len(piece)
    except TimeoutError:
        return False, total
    except (ssl.SSLError, OSError):
        pass
    return True, total


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    with Cluster(windlass, ROOT / "tests/scenarios/kubectl.yaml") as cluster:
        version = cluster.get(PATH)["metadata"]["resourceVersion"]
        stalled = start_watch(cluster, "/api/v1/configmaps", version, 1 << 16)
        seen, faults, threads = [[] for _ in range(WATCHERS)], [], []
        for mine in seen:
            link = start_watch(cluster, PATH, version)
            threads.append(threading.Thread(target=follow, args=(link, mine, faults), daemon=True))
            threads[-1].start()
        expected = write_all(cluster)
        for thread in threads:
            thread.join(timeout=30)
        for number, mine in enumerate(seen):
            if mine != expected:
                wrong = next((i for i, pair in enumerate(zip(mine, expected)) if pair[0] != pair[1]),
                             len(mine))
                faults.append(f"watcher {number}: {len(mine)} events, number {wrong} is "
                              f"{mine[wrong:wrong + 1]}, expected {expected[wrong:wrong + 1]}")
        await_drop(cluster)
        dropped, total = was_dropped(stalled)
        if not dropped:
            faults.append(f"the stalled watcher was not dropped (it got {total} bytes)")
        status, _, _ = cluster.request("/readyz")
        if status != 200:
            faults.append(f"/readyz: {status}")
    print(f"{WATCHERS} watchers, {WRITES} writes, {len(faults)} faults; the stalled one got {total} bytes")
    for fault in faults[:20]:
        print("  " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
