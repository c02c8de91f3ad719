"""An HTTP proxy before an API server that reads what passes: it records requests, and answers some of them itself.

It has a certificate of the server's own authority, so that a client with the server's kubeconfig takes it for the
server. It speaks HTTP/1.1, which makes every request of a client one record with a beginning and an end.
"""

import dataclasses
import http.client
import http.server
import json
import socketserver
import ssl
import threading
import time
import urllib.parse


@dataclasses.dataclass
class Request:
    """One request as the gateway saw it; `began` and `ended` are seconds of a monotonic clock."""

    method: str
    path: str
    body: bytes
    began: float
    ended: float = 0.0
    status: int = 0
    length: int = 0

    @property
    def words(self):
        """Method and path without the query."""
        return "%s %s" % (self.method, urllib.parse.urlsplit(self.path).path)


def sequential(requests):
    """The longest chain of requests each of which began after the one before had ended: sequential round trips."""
    depths = []
    for one in sorted(requests, key=lambda request: request.began):
        before = [depth for ended, depth in depths if ended <= one.began]
        depths.append((one.ended, 1 + max(before, default=0)))
    return max((depth for _, depth in depths), default=0)


def status(code, reason, message, **details):
    """An API server's own form of an error."""
    document = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
    return {**document, "reason": reason, "message": message, "details": details}


class Gateway:
    """`rule` gets (method, path, body) and returns None, or (status, headers, document) to answer with."""

    def __init__(self, place, kubernetes, rule=lambda method, path, body: None):
        self.kubernetes, self.rule, self.requests = kubernetes, rule, []
        gateway = self

        class Handler(PassingOn):
            pass

        Handler.gateway = gateway
        self.server = Listener(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        pair = kubernetes.authority.issue("gateway")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.set_alpn_protocols(["http/1.1"])
        self.server.context = context
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        place.addCleanup(self.server.server_close)
        place.addCleanup(self.server.shutdown)

    def begin_count(self):
        """Records from nothing; the list that this returns goes on growing."""
        self.requests = []
        return self.requests


class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def finish_request(self, request, client_address):
        # The handshake belongs to the connection's own thread.
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            pass  # a client that went away, or that does not trust us

    def handle_error(self, request, client_address):
        pass


class PassingOn(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        record = Request(self.command, self.path, body, time.monotonic())
        self.gateway.requests.append(record)
        answer = self.gateway.rule(self.command, self.path, body)
        if answer is None:
            self.pass_on(record)
        else:
            code, headers, document = answer
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.answer(record, code, {"Content-Type": "application/json", **headers}, data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_request

    def pass_on(self, record):
        server = self.gateway.kubernetes
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=server.client.context, timeout=120)
        dropped = ("host", "connection", "accept-encoding", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        try:
            connection.request(record.method, record.path, record.body, headers)
            answer = connection.getresponse()
            if "watch=" in record.path:
                return self.stream(record, answer)
            passed = ("Content-Type", "Retry-After", "Warning")
            headers = {name: answer.headers[name] for name in passed if answer.headers[name]}
            self.answer(record, answer.status, headers, answer.read())
        finally:
            connection.close()

    def answer(self, record, code, headers, data):
        record.status, record.length = code, len(data)
        record.ended = time.monotonic()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def stream(self, record, answer):
        """A watch: piece by piece until either end has enough."""
        record.status = answer.status
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while data := answer.read1(65536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        record.ended = time.monotonic()

    def log_message(self, *_):
        pass
