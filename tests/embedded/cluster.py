"""An embedded cluster for a test: starts `windlass up` on free ports with a directory of its own, and
stops it. Nothing here knows a test framework."""
import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SKIP = 77


def skip(reason):
    """Ends the test as skipped, or as failed where every peer was promised (./dev test --peers)."""
    print(f"skipped: {reason}")
    sys.exit(1 if os.environ.get("WINDLASS_NEED_PEERS") == "1" else SKIP)


class Cluster:
    """`with Cluster(windlass) as c:`; c.kubeconfig, c.api, c.dashboard, c.token, c.get(path)."""

    def __init__(self, windlass, scenario=ROOT / "tests/scenarios/short.yaml", *options, data_dir=None):
        self.windlass = str(windlass)
        self.scenario = str(scenario)
        self.options = [str(o) for o in options]
        self.own_dir = data_dir is None
        self.data_dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix="windlass-up-"))
        self.process = None

    def start(self):
        self.log = open(self.data_dir / "up.log", "ab+")
        begin = self.log.seek(0, os.SEEK_END)
        self.process = subprocess.Popen(
            [self.windlass, "up", self.scenario, "--listen", "127.0.0.1:0", "--dashboard-port", "0",
             "--data-dir", str(self.data_dir), *self.options],
            stdout=self.log, stderr=self.log, cwd=ROOT)
        # A test that fails in between leaves nothing running.
        atexit.register(lambda process=self.process: process.poll() is None and process.kill())
        deadline = time.time() + 60
        while time.time() < deadline:
            text = (self.data_dir / "up.log").read_bytes()[begin:].decode()
            if "Ctrl-C stops it" in text:
                break
            if self.process.poll() is not None:
                raise RuntimeError(f"windlass up ended with {self.process.returncode}: {text}")
            time.sleep(0.05)
        else:
            raise RuntimeError("windlass up did not start within 60 s")
        self.kubeconfig = re.search(r"KUBECONFIG=(\S+)", text).group(1)
        self.dashboard_link = re.search(r"dashboard\s+(http\S+)", text).group(1)
        self.dashboard = self.dashboard_link.split("/?")[0]
        self.api = re.search(r"API\s+(https?://\S+)", text).group(1)
        self.token = (self.data_dir / "pki/token").read_text().strip()
        self.context = ssl.create_default_context(cafile=str(self.data_dir / "pki/ca.crt"))
        return self

    def request(self, path, method="GET", body=None, content_type="application/json", accept=None,
                token=True, timeout=30, base=None):
        """(status, headers, body bytes); HTTP errors are answers, too."""
        data = body if body is None or isinstance(body, bytes) else (
            body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Content-Type": content_type}
        if token:
            headers["Authorization"] = f"Bearer {self.token}"
        if accept:
            headers["Accept"] = accept
        request = urllib.request.Request((base or self.api) + path, data, headers, method=method)
        context = self.context if request.type == "https" else None
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=context) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path, **kw):
        status, _, body = self.request(path, **kw)
        assert status == 200, f"GET {path}: {status} {body[:300]}"
        return json.loads(body)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """SIGINT; the exit code."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode if self.process else None

    def output(self):
        return (self.data_dir / "up.log").read_text()

    def rss_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        code = self.stop()
        if kind is not None:
            print("---- output of windlass up ----", file=sys.stderr)
            print(self.output()[-4000:], file=sys.stderr)
        self.log.close()
        if self.own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)
        if kind is None and code != 0:
            raise RuntimeError(f"windlass up ended with {code}")


def peers_dir():
    """Where `./dev peers` keeps programs that are no Debian packages."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("WINDLASS_PEERS") or pathlib.Path(cache) / "windlass/peers")


def kubectls():
    """Every kubectl there is, oldest first: {"1.33": path}."""
    found = {}
    candidates = sorted(pathlib.Path("/usr/lib/google-cloud-sdk/bin").glob("kubectl.1.*"))
    candidates += sorted(peers_dir().glob("kubectl*/kubectl"))
    on_path = shutil.which("kubectl")
    if on_path:
        candidates.append(pathlib.Path(on_path))
    for path in candidates:
        try:
            text = subprocess.run([str(path), "version", "--client", "-o", "json"],
                                  capture_output=True, text=True, timeout=30).stdout
            git = json.loads(text)["clientVersion"]["gitVersion"]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
            continue
        if "dispatcher" in git:
            continue
        minor = ".".join(git.lstrip("v").split(".")[:2])
        found.setdefault(minor, str(path))
    return dict(sorted(found.items(), key=lambda kv: [int(p) for p in kv[0].split(".")]))
