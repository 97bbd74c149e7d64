#!/usr/bin/env python3
"""External scalers against Python's gRPC: Windlass asks a foreign scaler that answers well, late,
wrongly or not at all; and a foreign client asks `windlass external-scaler`, with a Prometheus behind.

usage: external.py WINDLASS EXTERNAL_TOOL PROTO"""
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from concurrent import futures

SKIP = 77
try:
    import grpc
    import google.protobuf  # noqa: F401
except ImportError:
    print("skipped: python3-grpcio is not installed")
    sys.exit(SKIP)

failed = 0


def expect(good, what):
    global failed
    failed += not good
    print(f"{'ok    ' if good else 'FAILED'}  {what}")


class Scaler:
    """A scaler that does as the metadata's `mood` says."""

    def __init__(self, pb):
        self.pb, self.seen, self.streams, self.cancelled = pb, [], 0, threading.Event()
        self.waiting = threading.Event()

    def metric_spec(self, ref, context):
        mood = ref.scalerMetadata["mood"]
        self.seen.append((ref.namespace, ref.name, dict(ref.scalerMetadata)))
        if mood == "refuses":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such queue: x")
        if mood == "sleeps":
            context.add_callback(self.cancelled.set)
            self.waiting.set()
            self.cancelled.wait(20)
        specs = {"two": [("a", 1, 0), ("b", 1, 0)], "none": [], "zero": [("a", 0, 0)], "nan": [("a", 0, float("nan"))],
                 "fraction": [("queue", 3, 2.5)], "huge": [("a", 0, 1e300)], "nameless": [("", 1, 0)]}
        return self.pb.GetMetricSpecResponse(metricSpecs=[
            self.pb.MetricSpec(metricName=n, targetSize=t, targetSizeFloat=f)
            for n, t, f in specs.get(mood, [("queue", 5, 0)])])

    def metrics(self, request, context):
        mood = request.scaledObjectRef.scalerMetadata["mood"]
        if request.metricName != "queue":
            context.abort(grpc.StatusCode.NOT_FOUND, request.metricName)
        if mood == "breaks":
            raise RuntimeError("inside")
        values = {"empty": [], "infinite": [(0, float("inf"))], "several": [(3, 0), (4, 0.5)], "fraction": [(7, 7.25)]}
        return self.pb.GetMetricsResponse(metricValues=[
            self.pb.MetricValue(metricName="queue", metricValue=v, metricValueFloat=f)
            for v, f in values.get(mood, [(42, 0)])])

    def is_active(self, ref, context):
        return self.pb.IsActiveResponse(result=ref.scalerMetadata["mood"] != "idle")

    def stream(self, ref, context):
        self.streams += 1
        mood = ref.scalerMetadata["mood"]
        if mood == "again" and self.streams == 1:
            yield self.pb.IsActiveResponse(result=True)
            context.abort(grpc.StatusCode.UNAVAILABLE, "restarts")
        if mood == "floods":
            for _ in range(20000):
                yield self.pb.IsActiveResponse(result=False)
        yield self.pb.IsActiveResponse(result=False)
        yield self.pb.IsActiveResponse(result=True)
        while context.is_active():
            time.sleep(0.02)

    def serve(self, credentials=None):
        pb = self.pb
        server = grpc.server(futures.ThreadPoolExecutor(8))
        unary = grpc.unary_unary_rpc_method_handler

        def text(message):
            return message.SerializeToString()

        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("externalscaler.ExternalScaler", {
            "GetMetricSpec": unary(self.metric_spec, pb.ScaledObjectRef.FromString, text),
            "GetMetrics": unary(self.metrics, pb.GetMetricsRequest.FromString, text),
            "IsActive": unary(self.is_active, pb.ScaledObjectRef.FromString, text),
            "StreamIsActive": grpc.unary_stream_rpc_method_handler(self.stream, pb.ScaledObjectRef.FromString, text),
        })])
        port = (server.add_secure_port("127.0.0.1:0", credentials) if credentials
                else server.add_insecure_port("127.0.0.1:0"))
        server.start()
        return server, f"127.0.0.1:{port}"


def certificate(folder, name, signer=None):
    """A key and a certificate for 127.0.0.1, signed by itself (a CA) or by `signer`."""
    base = folder / name
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
               "-keyout", f"{base}.key", "-out", f"{base}.crt"]
    if signer:
        command += ["-CA", f"{folder / signer}.crt", "-CAkey", f"{folder / signer}.key"]
    subprocess.run(command, check=True, capture_output=True)
    return base


def asking(tool, pb, folder):
    scaler = Scaler(pb)
    server, address = scaler.serve()

    def ask(mood, timeout=5000, to=address, **more):
        began = time.monotonic()
        done = subprocess.run([tool, to, "ask", str(timeout), f"mood={mood}", *[f"{k}={v}" for k, v in more.items()]],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return {"crashed": done.stderr[-2000:]}, 0
        return json.loads(done.stdout), time.monotonic() - began

    good, _ = ask("well", queue="jobs")
    expect(good == {"values": [42], "error": "", "active": True, "target_milli": 5000}, f"an answer: {good}")
    expect(scaler.seen[-1] == ("inference", "vllm", {"mood": "well", "queue": "jobs"}), f"what was sent: {scaler.seen[-1]}")
    expect(ask("fraction")[0] == {"values": [7.25], "error": "", "active": True, "target_milli": 2500}, "floats count")
    expect(ask("several")[0]["values"] == [3, 0.5], "several values, each by its own float")
    expect(ask("idle")[0]["active"] is False, "an inactive one")
    for mood, words in [("two", "names 2 metrics"), ("none", "names 0 metrics"), ("zero", "target is 0"),
                        ("nan", "target is nan"), ("huge", "target is 1e+300"), ("nameless", "no name"),
                        ("empty", "no value"), ("infinite", "value is inf"),
                        ("refuses", "GetMetricSpec: invalid argument: no such queue: x"), ("breaks", "GetMetrics: ")]:
        answer, _ = ask(mood)
        expect(words in answer.get("error", "") and answer["values"] == [] and "active" not in answer,
               f"{mood}: {answer}")
    late, took = ask("sleeps", 400)
    expect("deadline exceeded" in late.get("error", "") and 0.3 < took < 5, f"late: {late} after {took:.2f} s")
    expect(scaler.cancelled.wait(5), "what is late is cancelled at the scaler, too")
    scaler.cancelled.clear()
    gone = subprocess.run([tool, address, "leave", "mood=sleeps"], capture_output=True, text=True, timeout=30)
    expect(gone.returncode == 0 and gone.stdout == "", f"who asked goes, no answer comes: {gone}")
    scaler.cancelled.set()
    for address_there_isnt, words in [("127.0.0.1:1", "unavailable"), ("", "scalerAddress"), ("unix:///x", "scalerAddress"),
                                      ("no.such.host.invalid:1", "GetMetricSpec: ")]:
        answer, _ = ask("well", 1500, to=address_there_isnt)
        expect(words in answer.get("error", ""), f"address {address_there_isnt!r}: {answer}")

    def watch(mood, times):
        return subprocess.run([tool, address, "watch", str(times), f"mood={mood}"], capture_output=True, text=True,
                              timeout=60).stdout.split()

    expect(watch("well", 1)[-1] == "true", "a pushed activation")
    scaler.streams = 0
    told = watch("again", 2)
    expect(told[0] == "true" and told[-1] == "true" and scaler.streams == 2, f"a stream is begun again: {told}")
    flood = watch("floods", 1)
    expect(flood[-1] == "true", f"a flood is told in {len(flood)} messages")
    server.stop(0)

    if not shutil.which("openssl"):
        print("skipped: TLS (no openssl)")
        return
    ca, own, client = (certificate(folder, "ca"), certificate(folder, "server", "ca"), certificate(folder, "client", "ca"))
    pem = {p: pathlib.Path(f"{p}").read_bytes() for p in (f"{ca}.crt", f"{own}.crt", f"{own}.key")}
    server, address = Scaler(pb).serve(grpc.ssl_server_credentials(
        [(pem[f"{own}.key"], pem[f"{own}.crt"])], pem[f"{ca}.crt"], True))
    identity = {"auth.tlsClientCert": f"{client}.crt", "auth.tlsClientKey": f"{client}.key"}
    good, _ = ask("well", to=address, **{"auth.caCert": f"{ca}.crt"}, **identity)
    expect(good.get("values") == [42], f"TLS on both sides: {good}")
    unsafe, _ = ask("well", to=address, enableTLS="true", unsafeSsl="true", **identity)
    expect(unsafe.get("values") == [42], f"unverified, as asked for: {unsafe}")
    for what, auth in [("the system's CAs", {"enableTLS": "true", **identity}), ("no certificate", {"auth.caCert": f"{ca}.crt"}),
                       ("no TLS", {})]:
        answer, _ = ask("well", 1500, to=address, **auth)
        expect(answer.get("error", "") != "" and answer["values"] == [], f"{what}: {answer}")
    half, _ = ask("well", to=address, **{"auth.tlsClientCert": f"{client}.crt"})
    expect("one is there without the other" in half.get("error", ""), f"half an identity: {half}")
    server.stop(0)


class Prometheus(http.server.BaseHTTPRequestHandler):
    values = {}
    down = False

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["query"][0]
        value = self.values.get(query)
        result = [] if value is None else [{"metric": {}, "value": [1, str(value)]}]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
        self.send_response(503 if self.down else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serving(windlass, pb, folder):
    http.server.ThreadingHTTPServer.request_queue_size = 512
    metrics = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=metrics.serve_forever, daemon=True).start()
    process = subprocess.Popen([windlass, "external-scaler", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    port = int(re.search(r"port (\d+)", process.stderr.readline()).group(1))
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def call(method, request, reply):
        return channel.unary_unary(f"/externalscaler.ExternalScaler/{method}",
                                   request_serializer=lambda m: m.SerializeToString(),
                                   response_deserializer=reply.FromString)(request, timeout=10)

    def ref(name="vllm", **more):
        metadata = {"serverAddress": f"http://127.0.0.1:{metrics.server_port}", "model": "llama-2-7b", "gpu": "a10g",
                    "slo": "10s", "arrivalsQuery": "rate", "waitingQuery": "queue", "inputTokensQuery": "in",
                    "outputTokensQuery": "out", **more}
        return pb.ScaledObjectRef(name=name, namespace="inference",
                                  scalerMetadata={k: v for k, v in metadata.items() if v != ""})

    def replicas(who):
        name = call("GetMetricSpec", who, pb.GetMetricSpecResponse).metricSpecs[0].metricName
        values = call("GetMetrics", pb.GetMetricsRequest(scaledObjectRef=who, metricName=name), pb.GetMetricsResponse).metricValues
        return [v.metricValueFloat for v in values]

    def error(method, request, reply):
        try:
            return call(method, request, reply), ""
        except grpc.RpcError as e:
            return e.code(), e.details()

    try:
        spec = call("GetMetricSpec", ref(), pb.GetMetricSpecResponse).metricSpecs
        expect([(s.metricName, s.targetSize, s.targetSizeFloat) for s in spec] == [("windlass-llama-2-7b", 1, 1)], f"{spec}")
        Prometheus.values = {}
        expect(replicas(ref("idle")) == [0] and not call("IsActive", ref("idle"), pb.IsActiveResponse).result,
               "no traffic: no replica, inactive")
        Prometheus.values = {"rate": 0.2, "queue": 0, "in": 500, "out": 100}
        few = replicas(ref("few"))
        expect(few[0] >= 1 and call("IsActive", ref("few"), pb.IsActiveResponse).result, f"little traffic: {few}")
        Prometheus.values = {"rate": 40, "queue": 0, "in": 500, "out": 100}
        many = replicas(ref("many"))
        expect(many[0] > 5 * few[0], f"200 times the traffic: {many}")
        fixed = replicas(ref("fixed", replicaRequestsPerSecond="10", model="x", gpu="", slo=""))
        expect(4 <= fixed[0] <= 8, f"40 requests/s, 10 a replica: {fixed}")
        expect(replicas(ref("capped", maxReplicas="3")) == [3], "at most maxReplicas")
        stream = channel.unary_stream("/externalscaler.ExternalScaler/StreamIsActive",
                                      request_serializer=lambda m: m.SerializeToString(),
                                      response_deserializer=pb.IsActiveResponse.FromString)(ref("many"), timeout=20)
        expect(next(stream).result is True, "the stream begins with what is")
        stream.cancel()
        code, text = error("GetMetricSpec", ref(gpu="abacus", slo="soon", arrivalsQuery=""), pb.GetMetricSpecResponse)
        expect(code == grpc.StatusCode.INVALID_ARGUMENT and all(w in text for w in ("gpu", "slo", "arrivalsQuery")),
               f"all that is wrong: {code} {text}")
        code, text = error("GetMetrics", pb.GetMetricsRequest(scaledObjectRef=ref(), metricName="other"), pb.GetMetricsResponse)
        expect(code == grpc.StatusCode.NOT_FOUND and "windlass-llama-2-7b" in text, f"another metric: {code} {text}")
        Prometheus.down = True
        code, text = error("IsActive", ref("down"), pb.IsActiveResponse)
        expect(code == grpc.StatusCode.UNAVAILABLE and "503" in text, f"Prometheus is down: {code} {text}")
        # A burst of clients at once: all are answered.
        Prometheus.down = False
        with futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda i: replicas(ref(f"burst-{i % 50}")), range(400)))
        expect(all(a == many for a in answers), f"400 at once: {len(answers)} answers")
        held = channel.unary_stream("/externalscaler.ExternalScaler/StreamIsActive",
                                    request_serializer=lambda m: m.SerializeToString(),
                                    response_deserializer=pb.IsActiveResponse.FromString)(ref("many"), timeout=20)
        next(held)
        process.terminate()
        expect(process.wait(timeout=10) == 0, "SIGTERM ends it, open streams or not")
    finally:
        if process.poll() is None:
            process.kill()
        print(process.stderr.read()[-3000:])
    for words in (["--tls-cert", "x"], ["--client-ca", "x"], ["--tls-cert", "/nowhere", "--tls-key", "/nowhere"]):
        done = subprocess.run([windlass, "external-scaler", "--listen", "127.0.0.1:0", *words], capture_output=True,
                              text=True, timeout=20)
        expect(done.returncode == 2 and "--" in done.stderr, f"{words}: {done.returncode} {done.stderr.strip()}")
    done = subprocess.run([windlass, "external-scaler", "--listen", "256.0.0.1:0"], capture_output=True, text=True, timeout=20)
    expect(done.returncode == 1 and "256.0.0.1" in done.stderr, f"an address there isn't: {done.returncode} {done.stderr.strip()}")


def main():
    windlass, tool, proto = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        made = subprocess.run(["protoc", "-I", pathlib.Path(proto).parent, f"--python_out={folder}", proto],
                              capture_output=True, text=True)
        if made.returncode != 0:
            print(f"skipped: protoc makes no Python: {made.stderr}")
            return SKIP
        sys.path.insert(0, str(folder))
        import externalscaler_pb2 as pb
        asking(tool, pb, folder)
        serving(windlass, pb, folder)
    print("FAILED" if failed else "ok")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
