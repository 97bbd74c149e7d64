"""A proxy before the API server that does what networks, load balancers and overloaded servers do:
it cuts watches in the middle of a line, delays, resets connections, answers for the server (429
with Retry-After, 500, garbage, half of a JSON document, lists of the wrong shape), or falls silent
on a watch. Plain HTTP on its near side, so that a test may set clocks back without certificates
becoming invalid; HTTPS with `tls`."""
import http.client
import http.server
import json
import random
import socket
import ssl
import struct
import threading
import time


def garbage(_):
    return 200, {}, b"\x00\xffnot JSON at all {{{"


def half_json(body):
    return 200, {}, body[:len(body) // 2]


def wrong_list(_):
    return 200, {}, json.dumps({"kind": "List", "metadata": ["no", "map"], "items": {
        "a": [1, None]}}).encode()


def wrong_items(_):
    return 200, {}, json.dumps({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": [
        1, None, [], {"metadata": 7}, {"metadata": {"name": ["x"]}}]}).encode()


def too_many(_):
    return 429, {"Retry-After": "1"}, json.dumps(status(429, "TooManyRequests")).encode()


def server_error(_):
    return 500, {}, json.dumps(status(500, "InternalError")).encode()


def status(code, reason):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "a test's wish",
            "reason": reason, "code": code}


class FaultyProxy:
    """`mood` says what befalls the next request or the streams under way: a dictionary of chances,
    {"reset": 0.1, "delay": 1.0, "cut": 0.5, "late_reset": 0.1, too_many: 0.3}; "delay" is seconds
    at most, "cut" the chance that a watch's next chunk ends in its middle and the connection with
    it, "late_reset" that a request is carried out and its answer lost; a function stands for what
    is answered instead, of reads the server's own answer made worse. `silent`: a function of the
    path; watches of those paths say nothing more."""

    def __init__(self, cp, tls=None, seed=1):
        self.mood, self.silent = {}, lambda path: False
        self.counts = {}
        self.random = random.Random(seed)
        self.streams = set()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                proxy.serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass  # whoever asked has gone

        self.cp = cp
        self.server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        port = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def happens(self, what):
        if self.random.random() < self.mood.get(what, 0):
            self.count(what if isinstance(what, str) else what.__name__)
            return True
        return False

    def reset(self, handler):
        """An RST, as from a machine that knows nothing of the connection."""
        handler.close_connection = True
        try:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
            handler.connection.close()
        except OSError:
            pass

    def serve(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length) if length else None
        if self.mood.get("delay"):
            time.sleep(self.random.random() * self.mood["delay"])
        if self.happens("reset"):
            return self.reset(handler)
        answer = next((m for m in self.mood if callable(m) and self.happens(m)), None)
        if answer in (too_many, server_error):
            return self.reply(handler, *answer(b""))
        link = http.client.HTTPSConnection("127.0.0.1", self.cp.port, timeout=700,
                                           context=self.cp.context)
        try:
            link.request(handler.command, handler.path, body,
                         {k: v for k, v in handler.headers.items()
                          if k.lower() not in ("host", "content-length", "connection",
                                               "accept-encoding")})
            reply = link.getresponse()
            if "watch=true" in handler.path and reply.status == 200:
                return self.stream(handler, reply)
            text = reply.read()
            if self.happens("late_reset"):
                return self.reset(handler)
            if answer and handler.command == "GET":
                return self.reply(handler, *answer(text))
            headers = {k: v for k, v in reply.getheaders()
                       if k.lower() not in ("content-length", "transfer-encoding", "connection")}
            return self.reply(handler, reply.status, headers, text)
        except (OSError, http.client.HTTPException):
            return self.reset(handler)  # the server is away
        finally:
            link.close()

    def reply(self, handler, code, headers, body):
        try:
            handler.send_response_only(code)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except (OSError, ssl.SSLError):
            handler.close_connection = True

    def stream(self, handler, reply):
        handler.close_connection = True
        path = handler.path.partition("?")[0]
        try:
            handler.send_response_only(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            silent = False
            while line := reply.readline():
                if silent or self.silent(path):
                    silent = True  # for the rest of its life
                    self.count("silenced")
                    continue
                if self.happens("cut"):
                    line = line[:len(line) // 2]
                    handler.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
                    handler.wfile.flush()
                    return self.reset(handler)
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
                handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")
        except (OSError, http.client.HTTPException, ValueError):
            self.reset(handler)
        return None
