"""Foreign servers for the live tests: a real Prometheus and a small HTTP server that says what a test
wants. Everything listens on loopback, on a free port, and ends with its test."""
import atexit
import http.server
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

SKIP = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            skip(f"{program} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answers:
    """An HTTP server whose `answer(request)` gives (status, headers, body); `requests` are kept."""

    def __init__(self, answer, tls=None):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.text = self.rfile.read(length).decode()
                outer.requests.append(self)
                status, headers, body = answer(self)
                if isinstance(body, str):
                    body = body.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # who asked has gone

            do_POST = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # who asked has gone

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Prometheus:
    """A real one on `data` (made if None) with scrape targets {job: [host:port]}."""

    def __init__(self, targets=None, data=None, options=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="windlass-prometheus-"))
        atexit.register(lambda: shutil.rmtree(self.folder, ignore_errors=True))
        jobs = [{"job_name": job, "static_configs": [{"targets": list(addresses)}]}
                for job, addresses in (targets or {}).items()]
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        (self.folder / "prometheus.yml").write_text(json.dumps(config))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder / 'prometheus.yml'}",
             f"--storage.tsdb.path={data or self.folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y", *options],
            stdout=self.log, stderr=self.log)
        atexit.register(self.stop)
        deadline = time.time() + 60
        while time.time() < deadline:
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError("prometheus did not start: " + (self.folder / "log").read_text()[-2000:])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        self.log.close()


class Checks:
    """Collects what failed, so that one run shows all of it."""

    def __init__(self):
        self.failed = 0
        self.done = 0

    def __call__(self, what, good, detail=""):
        self.done += 1
        if not good:
            self.failed += 1
            print(f"FAILED: {what}: {detail}")

    def exit(self):
        print(f"{self.done} checks, {self.failed} failed")
        sys.exit(1 if self.failed else 0)
