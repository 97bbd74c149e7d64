#!/usr/bin/env python3
"""What the live world reads from others: a real Prometheus, servers that answer wrongly, and the metrics
of inference servers under traffic that is counted here.

usage: signals.py SIGNALS_TOOL"""
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import servers

TOOL = sys.argv[1]
check = servers.Checks()


def ask(*plans):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plans, file)
        file.flush()
        done = subprocess.run([TOOL, "ask", file.name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Traffic:
    """A vLLM-like server's metrics under a rate that is known."""

    def __init__(self):
        self.lock = threading.Lock()
        self.arrived = self.ended = self.running = self.waiting = 0

    def arrive(self, count):
        with self.lock:
            self.arrived += count
            self.running += count

    def finish(self, count):
        with self.lock:
            count = min(count, self.running)
            self.running -= count
            self.ended += count

    def restart(self):
        with self.lock:
            self.ended = self.running = self.waiting = 0

    def page(self, _=None):
        with self.lock:
            n = self.ended
            text = f"""# HELP vllm:num_requests_running Running.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="m"}} {self.running}.0
vllm:num_requests_waiting{{engine="0",model_name="m"}} {self.waiting}.0
# TYPE vllm:request_success_total counter
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="m"}} {n}.0
vllm:request_prompt_tokens_bucket{{le="100.0",model_name="m"}} {n // 2}.0
vllm:request_prompt_tokens_bucket{{le="200.0",model_name="m"}} {n}.0
vllm:request_prompt_tokens_bucket{{le="+Inf",model_name="m"}} {n}.0
vllm:request_prompt_tokens_count{{model_name="m"}} {n}.0
vllm:request_prompt_tokens_sum{{model_name="m"}} {n * 100}.0
"""
        return 200, {"Content-Type": "text/plain; version=0.0.4"}, text


def wrong_servers():
    """Every kind of answer that is none, over real sockets."""
    def answer(request):
        path = request.path.split("?")[0]
        if path.startswith("/slow"):
            time.sleep(1.5)
        if path.startswith("/204"):
            return 204, {}, ""
        if path.startswith("/html"):
            return 200, {}, "<html>not me"
        if path.startswith("/503"):
            return 503, {}, "upstream down"
        if path.startswith("/moved"):
            return 302, {"Location": "/good/api/v1/query"}, ""
        return 200, {}, '{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"5"]}]}}'

    server = servers.Answers(answer)
    closed = servers.free_port()
    plans = {
        "good": {}, "204": {}, "html": {}, "503": {}, "moved": {},
        "slow": {"timeoutMs": 300},
        "auth": {"authModes": ["basic"], "auth": {"username": "u", "password": "p"},
                 "headers": {"X-Scope-OrgID": "team"}, "parameters": {"dedup": "true"}, "namespace": "ns"},
    }
    got = dict(zip([*plans, "closed"], ask(
        *[{"address": f"{server.url}/{name}", "query": "up{a=\"b c\"}", **plan} for name, plan in plans.items()],
        {"address": f"http://127.0.0.1:{closed}", "query": "up"})))
    check("good", got["good"] == {"values": ["5"], "error": ""}, got["good"])
    check("a redirection is followed", got["moved"]["values"] == ["5"], got["moved"])
    for name, says in [("204", "204 without a body"), ("html", "no JSON: <html>not me"),
                       ("503", "503: upstream down"), ("closed", f"127.0.0.1:{closed}")]:
        check(name, says in got[name]["error"] and not got[name]["values"], got[name])
    check("slow", got["slow"]["error"] != "" and "300ms" in got["slow"]["error"], got["slow"])
    seen = next(r for r in server.requests if r.path.startswith("/auth"))
    check("the query's parameters", "query=up%7Ba%3D%22b+c%22%7D&time=20" in seen.path and
          seen.path.endswith("Z&namespace=ns&dedup=true"), seen.path)
    check("basic", seen.headers["Authorization"] == "Basic dTpw", seen.headers.items())
    check("custom headers", seen.headers["X-Scope-OrgID"] == "team", seen.headers.items())
    server.stop()


def tls_servers():
    with tempfile.TemporaryDirectory() as folder:
        key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                               "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=test",
                               "-addext", "subjectAltName=IP:127.0.0.1"], capture_output=True)
        if made.returncode != 0:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        # Clients that show a certificate must show this one.
        context.load_verify_locations(cert)
        context.verify_mode = ssl.CERT_OPTIONAL
        server = servers.Answers(lambda r: (200, {}, json.dumps(
            {"n": 1 if r.connection.getpeercert() else "2500m"})), tls=context)
        pem, private = pathlib.Path(cert).read_text(), pathlib.Path(key).read_text()
        plan = {"kind": "metrics-api", "address": server.url, "valueLocation": "n"}
        strict, trusting, known, client = ask(
            plan, {**plan, "unsafeSsl": True}, {**plan, "auth": {"ca": pem}},
            {**plan, "authModes": ["tls"], "auth": {"ca": pem, "cert": pem, "key": private}})
        check("an unknown CA is refused", strict["error"] != "", strict)
        check("unless unsafeSsl", trusting == {"values": ["2.5"], "error": ""}, trusting)
        check("or its CA is given", known == {"values": ["2.5"], "error": ""}, known)
        check("with a client certificate", client == {"values": ["1"], "error": ""}, client)
        server.stop()


def real_prometheus(traffic, address):
    prometheus = servers.Prometheus({"vllm": [address]})
    deadline = time.time() + 30
    while time.time() < deadline:
        (got,) = ask({"address": prometheus.url, "query": "sum(vllm:num_requests_running)"})
        if got["values"]:
            break
        time.sleep(0.3)
    check("a gauge", got == {"values": [str(traffic.running)], "error": ""}, got)
    cases = [
        ('vector(1) * +Inf', {"values": ["inf"], "error": ""}),
        ('vector(0) / 0', {"values": ["nan"], "error": ""}),
        ('vector(-1.5)', {"values": ["-1.5"], "error": ""}),
        ('nothing_here', {"values": [], "error": ""}),
        ('vector(7) or label_replace(vector(8), "a", "b", "", "")', {"values": ["7", "8"], "error": ""}),
    ]
    wrong = [("1 + 1", "scalar"), ('"text"', "string"), ("up[1m]", "matrix"), ("sum(", "bad_data")]
    answers = ask(*[{"address": prometheus.url + "/", "query": q} for q, _ in cases + wrong])
    for (query, expected), got in zip(cases, answers):
        check(query, got == expected, got)
    for (query, says), got in zip(wrong, answers[len(cases):]):
        check(query, says in got["error"] and not got["values"], got)
    prometheus.stop()


def scraping():
    """Arrivals counted by the scraper are those that were made; a restart loses only what was unseen."""
    a, b = Traffic(), Traffic()
    pods = [servers.Answers(a.page), servers.Answers(b.page)]
    dead = f"http://127.0.0.1:{servers.free_port()}/metrics"
    a.ended, a.arrived = 1000, 1000  # before our time
    rounds = 30
    process = subprocess.Popen(
        [TOOL, "scrape", "m", "100", str(rounds), *[s.url + "/metrics" for s in pods], dead],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    made = 0
    for number, line in enumerate(process.stdout):
        lines.append(json.loads(line))
        if number < rounds - 2:  # the last rounds see the last of it
            a.arrive(3)
            b.arrive(number % 2)
            made += 3 + number % 2
            a.finish(2)
            b.finish(5)
            if number == 10:
                b.finish(100)
                b.restart()
        if number == rounds - 3:
            with a.lock:
                a.waiting, a.running = a.running, 0
    last = lines[-1]
    check("rounds", len(lines) == rounds, len(lines))
    # What the server that began anew ended since its last reading was not seen.
    check("arrivals", made - 6 <= sum(last["arrivals"]) <= made, (sum(last["arrivals"]), made))
    check("waiting", last["waiting"] == a.waiting > 0, (last["waiting"], a.waiting))
    check("lengths", last["input_mean"] == 100 and 100 < last["input_p95"] <= 200, last)
    said = process.stderr.read()
    check("a dead pod is said once", said.count("pod-2") == 1, said)
    process.wait(timeout=10)
    for server in pods:
        server.stop()


def main():
    wrong_servers()
    tls_servers()
    scraping()
    servers.need("prometheus")
    traffic = Traffic()
    traffic.arrive(4)
    server = servers.Answers(traffic.page)
    real_prometheus(traffic, server.url.removeprefix("http://"))
    check.exit()


main()
