#!/usr/bin/env python3
"""`windlass run` under faults: two processes on Kubernetes' own control plane while the API server
dies, its history is forgotten, the network lies and breaks, tokens are revoked, Prometheus is away,
leaders are killed, stopped and let go on, and the wall clock jumps. An independent watcher looks on:
nothing is launched twice, limits, budgets and PodDisruptionBudgets hold at every moment, only the
leader writes, and in the end everything fits together.

usage: faults.py WINDLASS [--leader-kills N] [--lease 15s] [--full] [CASE...]"""
import argparse
import http.server
import json
import pathlib
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from control_plane import ControlPlane, skip  # noqa: E402
from faulty_proxy import (FaultyProxy, garbage, half_json, server_error, too_many,  # noqa: E402
                          wrong_items, wrong_list)
from operated import (CLAIMS, DEPLOYMENTS, INSTANCES, Operator, Pair, Scene, Watchman,  # noqa: E402
                      budget, deployment, node_class, node_pool, wait_for, writes_of_others)

FAKETIME = next((str(p) for p in pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
RENEWAL = 2.4  # seconds; between two looks at the lease, at most


class Prometheus:
    """Says `value` to every query, or what `answer` says instead: (status, body)."""

    def __init__(self):
        self.value, self.answer, self.asked = 0.0, None, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                code, body = outer.answer or (200, json.dumps({"status": "success", "data": {
                    "resultType": "vector",
                    "result": [{"metric": {}, "value": [time.time(), str(outer.value)]}]}}))
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.handler = Handler
        self.port = 0
        self.come()

    def come(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()

    def go(self):
        self.server.shutdown()
        self.server.server_close()


def sanitizers(binary):
    """The sanitizers' libraries of a binary: AddressSanitizer refuses to run behind another preloaded one."""
    lines = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[2] for line in lines if re.match(r"\s*lib(asan|tsan)", line)]


class Play:
    """The scene, who acts in it, and what the cases share."""

    def __init__(self, scene, options):
        self.scene, self.options, self.cp = scene, options, scene.cp
        self.random = random.Random(options.seed)
        self.figures = {}
        self.lease = float(options.lease.rstrip("s"))
        self.takeovers, self.handovers = [], []
        self.clock_file = scene.directory / "clock"
        self.clock_file.write_text("+0\n")
        self.prometheus = Prometheus()
        self.proxies = [FaultyProxy(self.cp, seed=options.seed + n) for n in range(2)]
        config = scene.config(**({} if options.lease == "15s" else {"leaseDuration": options.lease}))
        environment = {}
        if FAKETIME:
            environment = {"LD_PRELOAD": ":".join([*sanitizers(options.binary), FAKETIME]), "FAKETIME_TIMESTAMP_FILE": str(self.clock_file),
                           "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
                           "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.token_files = []
        operators = []
        for n, proxy in enumerate(self.proxies):
            name = "ab"[n]
            token_file = scene.directory / f"token-{name}"
            token_file.write_text(scene.admin_token(f"run-{name}"))
            self.token_files.append(token_file)
            kubeconfig = scene.kubeconfig(name, {"tokenFile": str(token_file)}, server=proxy.url)
            operators.append(Operator(options.binary, kubeconfig, scene.directory, name,
                                      "--config", config, environment=environment,
                                      user=f"system:serviceaccount:windlass:run-{name}"))
        self.watchman = Watchman(self.cp, limits={"work": 6, "guarded": 4},
                                 budgets={"work": 2, "guarded": 1}, guarded={"guarded": (3, 2)})
        scene.pair = self.pair = Pair(operators)

    # ---- acts ----

    def scale(self, name, replicas):
        wait_for(f"{name} is scaled to {replicas}", lambda: self.cp.request(
            f"{DEPLOYMENTS}/{name}/scale", method="PATCH", body={"spec": {"replicas": replicas}},
            content_type="application/merge-patch+json")[0] == 200, 60)

    def ready(self, name):
        return self.cp.get(f"{DEPLOYMENTS}/{name}", timeout=5).get("status", {}).get(
            "readyReplicas", 0)

    def is_ready(self, name, replicas, timeout=60):
        begin = time.monotonic()

        def check():
            self.pair.look_after()
            return self.ready(name) == replicas
        wait_for(f"{name} has {replicas} ready replicas (has {self.ready_or_none(name)})", check,
                 timeout)
        return time.monotonic() - begin

    def wanted(self, name):
        return self.cp.get(f"{DEPLOYMENTS}/{name}", timeout=5)["spec"]["replicas"]

    def ready_or_none(self, name):
        try:
            return self.ready(name)
        except (OSError, AssertionError):
            return None

    def settle(self, timeout=240):
        """Everything fits together."""
        last = [None]

        def check():
            self.pair.look_after()
            last[0] = self.watchman.inconsistencies()
            return not last[0]
        begin = time.monotonic()
        try:
            wait_for("everything fits together", check, timeout, 0.3)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {last[0]}") from None
        return time.monotonic() - begin

    def idle(self, seconds):
        """Lets time pass in which ended processes are started again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pair.look_after()
            time.sleep(0.05)

    def moods(self, mood):
        for proxy in self.proxies:
            proxy.mood = dict(mood)


def expect(what, good):
    if not good:
        raise AssertionError(what)


# ---- cases ----


def beginning(play):
    play.scene.apply(node_class(), node_pool("work", 6, 2), node_pool("guarded", 4, 1),
                     deployment("web", 2, "1500m", "work"),
                     deployment("guarded", 3, "2500m", "guarded"), budget("guarded", 1))
    play.pair.start()
    play.pair.leader()
    play.is_ready("guarded", 3)
    play.is_ready("web", 2)
    play.settle()


def apiserver_killed(play):
    """While nodes launch."""
    for n, wait in enumerate((0.8, 2.0)):
        play.scale("web", 4 + 2 * n)
        time.sleep(wait)
        play.cp.kill_apiserver()
        time.sleep(2)
        play.cp.start_apiserver()
        seconds = play.is_ready("web", 4 + 2 * n, 90)
        play.figures.setdefault("ready after the API server's death (s)", []).append(
            round(seconds, 1))
    play.settle()


def history_forgotten(play):
    """etcd is compacted under the watches, and the API server begins anew: 410 for everybody."""
    play.scale("web", 8)
    play.cp.forget_history()
    play.scale("web", 5)
    play.is_ready("web", 5, 90)
    play.settle()


def bad_network(play):
    """Every kind of fault for some seconds, replicas going up and down meanwhile."""
    seconds = 8 if play.options.full else 1.5
    moods = [{"cut": 0.5}, {"delay": 2.0}, {"reset": 0.4}, {"late_reset": 0.4}, {too_many: 0.6},
             {server_error: 0.6}, {garbage: 0.5, "cut": 0.2}, {half_json: 0.5, "cut": 0.2},
             {wrong_list: 0.5, "cut": 0.2}, {wrong_items: 0.5, "cut": 0.2},
             {"cut": 0.1, "delay": 0.5, "reset": 0.05, "late_reset": 0.1, too_many: 0.1,
              server_error: 0.1, garbage: 0.05, half_json: 0.05, wrong_items: 0.05}]
    for mood in moods:
        play.scale("web", play.random.randrange(2, 12))
        play.moods(mood)
        play.idle(seconds)
        play.scale("web", play.random.randrange(2, 12))
        play.idle(seconds)
        # A lease lives longer than that; whoever lost it meanwhile is started again.
        play.moods({})
    play.scale("web", 6)
    play.is_ready("web", 6, 120)
    play.settle()
    for proxy in play.proxies:
        for what, count in proxy.counts.items():
            faults = play.figures.setdefault("faults on the wire", {})
            faults[what] = faults.get(what, 0) + count


def silent_watch(play):
    """Watches of pods and deployments that say nothing more are begun again after 3 minutes."""
    for proxy in play.proxies:
        proxy.silent = lambda path: path.endswith(("/pods", "/deployments"))
    play.scale("web", 7)
    play.idle(2)
    for proxy in play.proxies:
        proxy.silent = lambda path: False
    play.scale("web", 9)
    seconds = play.is_ready("web", 9, 240)
    play.figures["a silent watch was noticed after (s)"] = round(seconds)
    play.settle()


def token_rotated(play):
    """A new token in the file, the old one revoked with the account it belonged to."""
    for n, file in enumerate(play.token_files):
        file.write_text(play.scene.admin_token(f"run-{'ab'[n]}-2"))
        play.pair.operators[n].user = f"system:serviceaccount:windlass:run-{'ab'[n]}-2"
    for name in "ab":
        play.cp.kubectl("delete", "serviceaccount", f"run-{name}", "-n", "windlass")
    lives = [o.lives for o in play.pair.operators]
    # The API server remembers for 10 s which tokens were good.
    play.scale("web", 3)
    play.idle(12)
    play.scale("web", 8)
    play.is_ready("web", 8)
    expect("nobody ended for it", lives == [o.lives for o in play.pair.operators])
    play.settle()


def scaled(name, port, **spec):
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"scaleTargetRef": {"name": name}, "minReplicaCount": 1, "maxReplicaCount": 6,
                     "pollingInterval": 1, "cooldownPeriod": 5,
                     "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {
                         "scaleDown": {"stabilizationWindowSeconds": 0}}}},
                     "triggers": [{"type": "prometheus", "metadata": {
                         "serverAddress": f"http://127.0.0.1:{port}", "query": "load",
                         "threshold": "10", "ignoreNullValues": "false"}}], **spec}}


def prometheus_away(play):
    """A target whose metrics are not known keeps its replicas; one with a fallback gets those."""
    prometheus = play.prometheus
    prometheus.value = 30
    play.scene.apply(deployment("served", 1, "50m", "work"), deployment("safe", 1, "50m", "work"),
                     scaled("served", prometheus.port),
                     scaled("safe", prometheus.port, fallback={"failureThreshold": 2,
                                                              "replicas": 5}))
    play.is_ready("served", 3)
    play.is_ready("safe", 3)
    prometheus.go()
    play.is_ready("safe", 5, 90)
    kept = [play.wanted("served")]
    prometheus.come()
    play.is_ready("safe", 3, 90)
    empty = {"status": "success", "data": {"resultType": "vector", "result": []}}
    sample = {"metric": {}, "value": [1, "NaN"]}
    for answer in [(500, "oops"), (200, "not JSON"), (200, '{"status":'), (200, json.dumps(empty)),
                   (200, '{"status":"error","errorType":"bad_data","error":"no"}'),
                   (200, '{"status":"success","data":[]}'), (401, "who are you"),
                   (200, json.dumps({"status": "success", "data": {
                       "resultType": "vector", "result": [sample, sample]}}))]:
        prometheus.answer = answer
        asked = prometheus.asked
        wait_for("it is asked", lambda: prometheus.asked > asked + 4, 60)  # pylint: disable=all
        kept.append(play.wanted("served"))
    expect(f"replicas without metrics: {kept}", set(kept) == {3})
    prometheus.answer, prometheus.value = None, 10
    play.is_ready("served", 1, 90)
    play.cp.kubectl("delete", "scaledobject", "--all")
    play.cp.kubectl("delete", "deployment", "served", "safe")
    play.settle()


def leader_let_go(play):
    """Ended by SIGTERM it gives the lease back: another leads at once."""
    for _ in range(6 if play.options.full else 2):
        first = play.pair.leader()
        # Who has just been started does not stand by yet.
        other = next(o for o in play.pair.operators if o is not first)
        wait_for("the other is ready", lambda: ready_page(other), 60)
        play.pair.held.add(first.name)
        play.scale("web", play.random.randrange(2, 12))
        begin = time.monotonic()
        code = first.kill(signal.SIGTERM)
        expect(f"exit code {code}", code == 0)
        wait_for("another leads", other.leads, 30, 0.02)
        play.handovers.append(time.monotonic() - begin)
        play.pair.held.clear()
        play.pair.look_after()
    expect(f"hand-overs took {play.handovers}", max(play.handovers) < 4)


def ready_page(operator):
    import urllib.request
    address = operator.address()
    if not address:
        return False
    with urllib.request.urlopen(address + "/readyz", timeout=5) as reply:
        return reply.status == 200


def leader_stopped(play):
    """A leader that stood still for longer than its lease does nothing when it wakes."""
    for _ in range(3 if play.options.full else 1):
        first = play.pair.leader()
        other = next(o for o in play.pair.operators if o is not first)
        wait_for("the other is ready", lambda: ready_page(other), 60)
        play.scale("web", play.random.randrange(2, 12))
        time.sleep(play.random.random() * 2)
        play.pair.held.add(first.name)
        first.kill(signal.SIGSTOP)
        begin = time.monotonic()
        wait_for("another leads", other.leads, 40, 0.02)
        play.takeovers.append(time.monotonic() - begin)
        play.scale("web", play.random.randrange(2, 12))
        time.sleep(max(0.0, min(20, play.lease + 5) - (time.monotonic() - begin)))
        first.kill(signal.SIGCONT)
        wait_for("it ends", lambda: not first.alive(), 20)
        expect(f"exit code {first.process.returncode}", first.process.returncode == 1)
        play.pair.held.clear()
        play.pair.look_after()
    play.settle()


def leader_killed(play):
    """At random moments, while replicas go up and down."""
    kills = play.options.leader_kills
    for n in range(kills):
        leader = play.pair.leader()
        other = next(o for o in play.pair.operators if o is not leader)
        wait_for("the other is ready", lambda: ready_page(other), 60)  # pylint: disable=all
        play.scale("web", play.random.randrange(1, 13))
        if n % 5 == 4:
            drift(play, n)
        else:
            lose_a_claim(play)
        play.idle(play.random.random() * (8 if play.options.full else 2))
        if not leader.alive():
            continue
        leader.kill()
        begin = time.monotonic()
        play.pair.look_after()
        wait_for("another leads", lambda: any(  # pylint: disable=all
            o.leads() for o in play.pair.operators), 60, 0.02)
        play.takeovers.append(time.monotonic() - begin)
        if n % 10 == 9:
            print(f"  {n + 1} kills, {len(play.watchman.claims_ever)} claims so far", flush=True)
    play.scale("web", 7)
    play.is_ready("web", 7, 180)
    play.figures["settled after the last kill (s)"] = round(play.settle(400), 1)
    middle = statistics.median(play.takeovers)
    # The lease, from its last renewal on, then at most one look. The longest is the machine's: on a
    # starved one a process takes ten seconds to start and the API server five to answer.
    expect(f"take-overs take {middle:.1f} s", middle < play.lease + RENEWAL + 2)


def lose_a_claim(play):
    """A user deletes one: a node is drained, and another is launched for its pods."""
    names = sorted(c["metadata"]["name"] for c in play.watchman.of(CLAIMS)
                   if c["metadata"]["labels"]["karpenter.sh/nodepool"] == "work"
                   and "deletionTimestamp" not in c["metadata"])
    if names:
        name = play.random.choice(names)
        play.watchman.excused.add(name)
        wait_for("the claim is deleted", lambda: play.cp.request(
            f"{CLAIMS}/{name}", method="DELETE")[0] in (200, 404))


def drift(play, n):
    """Another label: all nodes of the guarded pool have drifted, and are replaced one by one."""
    wait_for("the pool is changed", lambda: play.cp.request(
        "/apis/karpenter.sh/v1/nodepools/guarded", method="PATCH",
        content_type="application/merge-patch+json",
        body={"spec": {"template": {"metadata": {"labels": {"round": f"r{n}"}}}}})[0] == 200)


def clock_jumps(play):
    if FAKETIME is None:
        print("  left out: libfaketime is not installed")
        return
    for jump in ("-3600", "-3000", "+0"):  # back an hour, on by ten minutes, right again
        play.clock_file.write_text(jump + "\n")
        play.scale("web", play.random.randrange(2, 6))
        play.idle(4)
        wanted = play.random.randrange(7, 12)
        play.scale("web", wanted)
        seconds = play.is_ready("web", wanted, 90)
        play.figures.setdefault("ready after a jump of the clock (s)", []).append(round(seconds, 1))
    play.settle()


def ending(play):
    """Down to nothing, when there is time for Karpenter's five minutes."""
    if play.options.full:
        play.watchman.guarded = {}  # its replicas go, too
        play.scale("web", 0)
        play.scale("guarded", 0)
        play.figures["emptied after (s)"] = round(wait_until_empty(play))
    play.pair.stop()


def wait_until_empty(play):
    begin = time.monotonic()

    def check():
        play.pair.look_after()
        return not any(play.cp.get(path)["items"] for path in (CLAIMS, INSTANCES, "/api/v1/nodes"))
    wait_for("nothing is left", check, 900, 1)
    return time.monotonic() - begin


CASES = [beginning, apiserver_killed, history_forgotten, bad_network, token_rotated,
         prometheus_away, clock_jumps, leader_let_go, leader_stopped, leader_killed, silent_watch,
         ending]
SLOW = {"silent_watch"}


def report(play):
    figures = dict(play.figures)
    for what, times in (("take-overs", play.takeovers), ("hand-overs", play.handovers)):
        if times:
            figures[what] = (f"{len(times)}, {min(times):.1f} / {statistics.median(times):.1f} / "
                             f"{max(times):.1f} s (least, middle, most)")
    figures["claims ever"] = len(play.watchman.claims_ever)
    figures["most instances of a pool"] = play.watchman.most_instances
    figures["most nodes disrupted at once"] = play.watchman.most_disrupted
    for what, value in figures.items():
        print(f"{what}: {value}")
    if play.pair.ended:
        print(f"ended by themselves: {len(play.pair.ended)}; the last: {play.pair.ended[-1]}")


def run(options):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="windlass-faults-"))
    failed = []
    with Scene(options.binary, directory) as scene:
        play = Play(scene, options)
        names = [c.__name__ for c in CASES]
        chosen = {"beginning", *options.cases, "ending"} if options.cases else set(names)
        if not options.full and not options.cases:
            chosen -= SLOW
        for case in CASES:
            if case.__name__ not in chosen:
                continue
            begin = time.monotonic()
            try:
                case(play)
            except (AssertionError, TimeoutError) as error:
                failed.append(f"{case.__name__}: {error}")
                print(f"FAILED {case.__name__}: {error}", flush=True)
                if case is beginning:
                    break
            print(f"{case.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
        play.pair.stop()
        failed += play.watchman.faults
        play.watchman.stop()
        others = writes_of_others(directory)
        failed += others[:20]
        report(play)
        bad = [text for o in play.pair.operators for _, text in o.lines
               if "Assertion" in text or "Sanitizer" in text or "terminate called" in text]
        failed += bad
        failed += [f"{name} ended with {code}: {last}" for name, code, last in play.pair.ended
                   if code != 1]
    if failed:
        print("\n".join(["FAILED:", *failed, f"logs are kept in {directory}"]))
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--leader-kills", type=int, default=8)
    parser.add_argument("--lease", default="5s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_intermixed_args()
    if options.full and options.lease == "5s":
        options.lease = "15s"
    reason = ControlPlane.missing()
    if reason is None and ControlPlane.kubectl_path() is None:
        reason = "no kubectl is installed"
    if reason:
        skip(reason)
    sys.exit(run(options))


if __name__ == "__main__":
    main()
