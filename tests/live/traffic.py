"""What the blog's platform is asked for, for a live test: a generator that exposes the metrics of its
exporters by a profile in time, and a proxy in front of Prometheus that remembers what each query was
answered and when. What it says depends on the profile and the clock alone, never on who asks."""
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import servers

MODEL = "short-answers"
TIMEOUT = 2.9
INPUT_BUCKETS = {128: 0.14, 256: 0.51, 512: 0.88, 1024: 0.985, 2048: 1.0}  # shares at or below
OUTPUT_BUCKETS = {10: 0.05, 20: 0.55, 30: 0.9, 50: 0.99, 128: 1.0}


class Generator:
    """Steps of (seconds it lasts, requests a second, waiting, GPU utilisation). The first lasts until
    begin(), the last for ever. Time is the clock's; with `per_page` every page given out is so many
    seconds later than the one before, so that every reader reads the same whenever it asks."""

    def __init__(self, *steps, per_page=None):
        self.steps, self.per_page = steps, per_page
        self.served = 0.0
        self.elapsed = None  # since begin()
        self.closed = False  # answers nothing of use, and time stands
        self.last = time.time()
        self.lock = threading.Lock()
        self.server = servers.Answers(self.answer)
        self.url = self.server.url
        self.address = self.url.removeprefix("http://")

    def begin(self):
        with self.lock:
            self.elapsed = 0.0

    def end(self):
        """The last step, now."""
        with self.lock:
            self.elapsed = float("inf")

    def answer(self, _):
        if self.closed:
            return 503, {}, "not yet"
        return 200, {"Content-Type": "text/plain"}, self.page()

    def step(self):
        left = self.elapsed
        if left is None:
            return self.steps[0]
        for step in self.steps[1:-1]:
            if left < step[0]:
                return step
            left -= step[0]
        return self.steps[-1]

    def page(self):
        with self.lock:
            now = time.time()
            passed = self.per_page or now - self.last
            self.last = now
            if self.elapsed is not None:
                self.elapsed += passed
            _, rate, waiting, busy = self.step()
            self.served += rate * passed
            served = int(self.served)
        labels = f'model_name="{MODEL}"'
        lines = [f'DCGM_FI_DEV_GPU_UTIL{{gpu="{i}",namespace="inference"}} {busy}' for i in range(2)]
        lines += [f'inference_queue_depth{{namespace="inference",{labels}}} {waiting}',
                  f'vllm:num_requests_waiting{{{labels}}} {waiting}',
                  f'vllm:num_requests_running{{{labels}}} 0',
                  f'vllm:request_success_total{{{labels},finished_reason="stop"}} {served}']
        for name, buckets, mean in (("prompt", INPUT_BUCKETS, 310), ("generation", OUTPUT_BUCKETS, 20)):
            name = f"vllm:request_{name}_tokens"
            lines += [f'{name}_bucket{{{labels},le="{bound}"}} {int(served * share)}'
                      for bound, share in buckets.items()]
            lines += [f'{name}_bucket{{{labels},le="+Inf"}} {served}', f'{name}_sum{{{labels}}} {served * mean}',
                      f'{name}_count{{{labels}}} {served}']
        return "\n".join(lines) + "\n"


class Recorder:
    """Passes every GET on to `upstream` and keeps (time of the answer, what was asked, answer)."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.answers = []
        self.server = servers.Answers(self.answer)
        self.url = self.server.url

    def answer(self, request):
        began = time.time()
        try:
            with urllib.request.urlopen(self.upstream + request.path, timeout=10) as reply:
                status, body = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        except OSError as error:
            status, body = 502, str(error).encode()
        # Who waited longer than a trigger's time-out has heard nothing.
        heard = status if time.time() - began < TIMEOUT else 504
        self.answers.append((time.time(), request.path, heard, body.decode()))
        return status, {"Content-Type": request_type(body)}, body

    def queries(self):
        """(time, PromQL, values or None) of every query, in order."""
        out = []
        for at, path, status, body in self.answers:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query).get("query")
            if query:
                values = None
                if status == 200:
                    values = [float(e["value"][1]) for e in json.loads(body)["data"]["result"]]
                out.append((at, query[0], values))
        return out

    def pages(self):
        """(time, text or None) of every page of metrics that was asked for."""
        return [(at, body if status == 200 else None) for at, path, status, body in self.answers
                if "query=" not in path]


def request_type(body):
    return "application/json" if body[:1] in (b"{", b"[") else "text/plain"
