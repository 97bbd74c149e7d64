#!/usr/bin/env python3
"""kill -9 under write load, again and again: no acknowledged write is lost, versions go on, a watch
resumes from its version, and the simulation goes on.

usage: kill.py WINDLASS [ROUNDS]      (20 rounds by default)
"""
import datetime
import json
import pathlib
import random
import sys
import tempfile
import threading
import time
import urllib.error

from cluster import Cluster, ROOT

SPEED = 30
PATH = "/api/v1/namespaces/default/configmaps"


def seconds(time):
    """Of an RFC 3339 time with up to nine digits of fraction."""
    whole, _, fraction = time.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(whole).timestamp() + float(f"0.{fraction or 0}")


def writer(cluster, number, acknowledged, stop):
    """Creates, changes and deletes; notes what each acknowledged write left behind."""
    count = 0
    while not stop.is_set():
        name = f"w{number}-{count % 40}"
        count += 1
        state = acknowledged.get(name)
        try:
            if state is None or state == "deleted":
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                        "data": {"n": str(count)}}
                status, _, reply = cluster.request(PATH, "POST", body, timeout=5)
                wanted = str(count)
            elif count % 7 == 0:
                status, _, reply = cluster.request(f"{PATH}/{name}", "DELETE", timeout=5)
                wanted = "deleted"
            else:
                status, _, reply = cluster.request(
                    f"{PATH}/{name}", "PATCH", {"data": {"n": str(count)}},
                    content_type="application/merge-patch+json", timeout=5)
                wanted = str(count)
        except (OSError, urllib.error.URLError, ValueError, EOFError):
            acknowledged[name] = ("unknown", state, count)  # the kill came in between
            return
        except Exception:  # pylint: disable=broad-except
            acknowledged[name] = ("unknown", state, count)
            return
        if status not in (200, 201):
            raise AssertionError(f"{name}: {status} {reply[:200]}")
        acknowledged[name] = wanted


def check(cluster, acknowledged):
    """What is there against what was acknowledged; returns what is there now."""
    there = {item["metadata"]["name"]: item["data"]["n"]
             for item in cluster.get(PATH)["items"] if item["metadata"]["name"].startswith("w")}
    faults = []
    for name, wanted in acknowledged.items():
        got = there.get(name, "deleted")
        if isinstance(wanted, tuple):  # not acknowledged: before or after, nothing else
            before = wanted[1] if wanted[1] is not None else "deleted"
            if isinstance(before, tuple) or got in (before, str(wanted[2]), "deleted"):
                continue
        if got != wanted:
            faults.append(f"{name}: acknowledged {wanted}, found {got}")
    return there, faults


def main():
    windlass = pathlib.Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    dice = random.Random(7)
    acknowledged, faults, writes = {}, [], 0
    version, clock, cost = 0, "2000-01-01T00:00:00Z", 0.0
    with tempfile.TemporaryDirectory(prefix="windlass-kill-") as folder:
        cluster = Cluster(windlass, ROOT / "tests/scenarios/kubectl.yaml", "--speed", SPEED,
                          data_dir=folder)
        for number in range(rounds):
            cluster.start()
            there, found = check(cluster, acknowledged)
            faults += [f"round {number}: {f}" for f in found]
            listed = cluster.get(PATH)
            now = int(listed["metadata"]["resourceVersion"])
            if now < version:
                faults.append(f"round {number}: version {now} after {version}")
            snapshot = cluster.get("/dashboard/snapshot", base=cluster.dashboard)
            # Between writes the clock is on disk once a second; never behind what it stamped.
            if seconds(snapshot["now"]) < seconds(clock) - 2 * SPEED:
                faults.append(f"round {number}: the clock went back from {clock} to {snapshot['now']}")
            stamps = [item["metadata"]["creationTimestamp"] for item in listed["items"]]
            if seconds(snapshot["now"]) < max(map(seconds, stamps), default=0):
                faults.append(f"round {number}: {snapshot['now']} is before {max(stamps)} of an object")
            if snapshot["cost"]["usd"] < cost - 2 * SPEED * snapshot["cost"]["usd_per_hour"] / 3600:
                faults.append(f"round {number}: cost fell from {cost} to {snapshot['cost']['usd']}")
            clock, cost = snapshot["now"], snapshot["cost"]["usd"]
            # A watch from before the kill goes on, or is told that the past is gone.
            if version:
                status, _, body = cluster.request(
                    f"{PATH}?watch=1&resourceVersion={version}&timeoutSeconds=1", timeout=10)
                first = json.loads(body.split(b"\n")[0]) if body.strip() else None
                if status != 200 or (first and first["type"] == "ERROR"
                                     and first["object"].get("code") != 410):
                    faults.append(f"round {number}: watch from {version}: {status} {body[:200]}")
            acknowledged = dict(there)
            stop = threading.Event()
            threads = [threading.Thread(target=writer, args=(cluster, w, acknowledged, stop))
                       for w in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(dice.uniform(0.05, 0.6))
            cluster.kill()
            stop.set()
            for thread in threads:
                thread.join()
            writes += len(acknowledged)
            version = now
        cluster.start()
        _, found = check(cluster, acknowledged)
        faults += found
        nodes = cluster.get("/api/v1/nodes")["items"]
        if not nodes:
            faults.append("the cluster has no nodes any more")
        code = cluster.stop()
        if code != 0:
            faults.append(f"stopped with exit code {code}")
    print(f"{rounds} kills, {writes} keys written under load, {len(faults)} faults")
    for fault in faults[:20]:
        print("  " + fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
