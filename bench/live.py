#!/usr/bin/env python3
"""`windlass run` on a large cluster, each figure beside its goal: 5,000 nodes with their NodeClaims,
50,000 pods of 500 Deployments, 100 ScaledObjects, over TLS.

usage: live.py BUILD [--policy stock|windlass] [--observe] [--plain] [--nodes N] [--pods N]
               [--seconds N] [--binary WINDLASS] [--keep]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system time of the process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid, name="VmRSS"):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0


def fetch(url):
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.read().decode()


def at_quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


class Server:
    def __init__(self, build, directory, nodes, pods, plain):
        began = time.time()
        self.process = subprocess.Popen(
            [build / "bench/live_server", directory, str(nodes), str(pods), *(["plain"] if plain else [])],
            stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words or words[0] != "ready":
            sys.exit("live_server did not start")
        self.desk = words[2]
        self.kubeconfig = f"{directory}/kubeconfig"
        print(f"server: {words[1]}, filled in {time.time() - began:.1f} s,"
              f" {memory_mb(self.process.pid):.0f} MB")

    def order(self, what):
        return fetch(f"{self.desk}/bench/{what}")

    def report(self):
        return json.loads(self.order("report"))


class Run:
    """`windlass run` and what it logs."""

    def __init__(self, binary, directory, kubeconfig, options):
        self.log_path = f"{directory}/run.log"
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [binary, "run", "--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0",
             "--decisions", f"{directory}/decisions.jsonl", *options],
            stdout=self.log, stderr=self.log)
        self.pid = self.process.pid

    def await_log(self, pattern, seconds):
        deadline = time.time() + seconds
        while time.time() < deadline:
            found = re.search(pattern, open(self.log_path, errors="replace").read())
            if found:
                return found
            if self.process.poll() is not None:
                sys.exit(f"windlass run ended:\n{open(self.log_path).read()}")
            time.sleep(0.02)
        sys.exit(f"not within {seconds} s: {pattern}\n{open(self.log_path).read()[-3000:]}")

    def metrics(self, url):
        began = time.time()
        text = fetch(url + "metrics")
        return text, time.time() - began


def over(run, seconds):
    """Share of a core, in percent, over so many seconds."""
    before, began = cpu_s(run.pid), time.time()
    time.sleep(seconds)
    return (cpu_s(run.pid) - before) / (time.time() - began) * 100


def histogram(text, name):
    """[(bound, cumulative count)] of a Prometheus histogram."""
    return [(float(bound), float(count)) for bound, count in
            re.findall(name + r'_bucket\{le="([^"]+)"\} (\S+)', text)]


def bound_of(buckets, q):
    total = buckets[-1][1] if buckets else 0
    return next((bound for bound, count in buckets if count >= q * total), float("nan")) if total else None


def writes(server):
    return sum(count for what, count in server.report()["requests"].items()
               if what.split()[0] in ("POST", "PATCH", "DELETE"))


def settle(server, seconds=300):
    """Waits until nothing is written for some seconds; how many writes there were."""
    known, since, deadline = writes(server), time.time(), time.time() + seconds
    while time.time() < deadline and time.time() - since < 6:
        time.sleep(0.5)
        now = writes(server)
        if now != known:
            known, since = now, time.time()
    return known


def measure(arguments, server, run):
    began = time.time()
    synced = run.await_log(r"synced: .*", 300)
    print(f"synced after {time.time() - began:.1f} s, {cpu_s(run.pid):.1f} s of CPU (goal: 10 s);"
          f" {synced.group(0)}")
    url = run.await_log(r"metrics at (http://\S+)", 5).group(1)
    print(f"   memory: {memory_mb(run.pid):.0f} MB, at most {memory_mb(run.pid, 'VmHWM'):.0f} MB")
    before, began = cpu_s(run.pid), time.time()
    written = settle(server)
    print(f"{written} writes to take the cluster over: {time.time() - began:.0f} s,"
          f" {cpu_s(run.pid) - before:.1f} s of CPU, {memory_mb(run.pid):.0f} MB after that")
    print(f"at rest: {over(run, arguments.seconds):.1f} % of a core")
    server.order("load?rate=100")
    time.sleep(2)
    print(f"at 100 changes a second: {over(run, arguments.seconds):.1f} % of a core (goal: 5 %)")
    print(f"memory: {memory_mb(run.pid):.0f} MB (goal: 400 MB), at most {memory_mb(run.pid, 'VmHWM'):.0f} MB")
    if not arguments.observe:
        server.order(f"react?count={arguments.reactions}")
        time.sleep(arguments.reactions * 0.25 + 8)
        report = server.report()
        took = report["reactions_ms"]
        print(f"node deleted -> DELETE of its NodeClaim at the server, under that load, of {len(took)}"
              f" ({report['awaited']} not seen): median {at_quantile(took, 0.5):.1f} ms,"
              f" p99 {at_quantile(took, 0.99):.1f} ms (goal: 50 ms)")
    text, took = run.metrics(url)
    buckets = histogram(text, "windlass_reaction_duration_seconds")
    print(f"   its own histogram: p50 at most {bound_of(buckets, 0.5)} s, p99 at most"
          f" {bound_of(buckets, 0.99)} s, of {buckets[-1][1] if buckets else 0:.0f}")
    looks = "controller_runtime_reconcile_time_seconds"
    for controller in sorted(set(re.findall(looks + r'_count{controller="([^"]+)"}', text))):
        buckets = [(float(bound), float(count)) for bound, count in re.findall(
            looks + r'_bucket{controller="' + controller + r'",le="([^"]+)"} (\S+)', text)]
        total = float(re.search(looks + r'_sum{controller="' + controller + r'"} (\S+)', text).group(1))
        print(f"   looks of {controller}: {buckets[-1][1]:.0f}, {total:.2f} s, p99 at most"
              f" {bound_of(buckets, 0.99)} s, longest at most {bound_of(buckets, 1)} s")
    print(f"a scrape: {took * 1000:.0f} ms, {len(text) / 1e6:.1f} MB, {text.count(chr(10))} lines")
    print(f"memory: {memory_mb(run.pid):.0f} MB, at most {memory_mb(run.pid, 'VmHWM'):.0f} MB")
    print(f"requests: {server.report()['requests']}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--policy", default="windlass")
    parser.add_argument("--observe", action="store_true")
    parser.add_argument("--plain", action="store_true", help="HTTP in place of TLS")
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--pods", type=int, default=50000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--reactions", type=int, default=100)
    parser.add_argument("--binary")
    parser.add_argument("--keep", action="store_true", help="leave both running (to profile)")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    directory = tempfile.mkdtemp(prefix="windlass-live-")
    server = Server(arguments.build, directory, arguments.nodes, arguments.pods, arguments.plain)
    options = ["--policy", arguments.policy] + (["--observe"] if arguments.observe else [])
    run = Run(arguments.binary or arguments.build / "windlass", directory, server.kubeconfig, options)
    print(f"windlass run {' '.join(options)}: {directory}, pid {run.pid}")
    try:
        measure(arguments, server, run)
        if arguments.keep:
            input("Enter ends both ")
    finally:
        for process in (run.process, server.process):
            process.terminate()
            process.wait()
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
