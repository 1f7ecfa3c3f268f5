"""Servers that the tests of endpoints start on 127.0.0.1 and end, among them one that misbehaves in every way."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    """Answers by the route's function; ``seen`` holds what was asked."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write, as production's servers do
    disable_nagle_algorithm = True

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            self.reply(404, json.dumps({"detail": "Not Found"}))
        else:
            route(self, body)
        self.wfile.flush()

    do_GET = do_PUT = do_POST  # noqa: N815  the names that the standard library asks for

    def reply(self, status, text, content_type="application/json", **headers):
        data = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        sent = {"Content-Type": content_type, "Content-Length": str(len(data)), **headers}
        for name, value in sent.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def raw(self, data, *, then_close=True):
        self.wfile.write(data)
        self.close_connection = then_close

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, routes):
        super().__init__(("127.0.0.1", 0), Quiet)
        self.routes = routes
        self.seen = []
        self.calls = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A client that went away is what these tests are about."""


@contextmanager
def running(routes):
    server = Server(routes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def double(handler, body):
    handler.reply(200, json.dumps({"y": 2 * json.loads(body)["x"]}))


def sometimes(handler, body):
    """Fails in three calls of a hundred."""
    handler.server.calls += 1
    if handler.server.calls % 33 == 0:
        handler.reply(500, json.dumps({"detail": "CUDA out\nof memory"}))
    else:
        double(handler, body)


def drip(handler, _body):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def chunked(handler, body):
    answer = json.dumps({"y": 2 * json.loads(body)["x"]}).encode()
    parts = [answer[:3], answer[3:]]
    framed = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    handler.raw(head + framed + b"0\r\nX-Trailer: 1\r\n\r\n", then_close=False)


def until_close(handler, body):
    answer = json.dumps({"y": 2 * json.loads(body)["x"]}).encode()
    handler.raw(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + answer)


def closes_after(handler, body):
    """Answers in full and closes without having said so."""
    double(handler, body)
    handler.close_connection = True


def silent(handler, _body):
    handler.close_connection = True


def slow(handler, body):
    time.sleep(0.5)
    double(handler, body)


def endless(handler, _body):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    piece = b"x" * (1 << 20)
    for _ in range(200):
        handler.wfile.write(piece)


def early(handler, body):
    handler.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", then_close=False)
    double(handler, body)


def raw(data):
    return lambda handler, _body: handler.raw(data)


def answer(status, text, content_type="application/json", **headers):
    return lambda handler, _body: handler.reply(status, text, content_type, **headers)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
HOSTILE = {
    "/predict": double,
    "/sometimes": sometimes,
    "/unauthorized": answer(401, '{"detail": "who are you"}'),
    "/redirect": answer(307, "", Location="/predict/?token=abc"),
    "/html": answer(200, "<!doctype html><p>log in", "text/html; charset=utf-8"),
    "/words": answer(200, "not delayed", "text/html; charset=utf-8"),
    "/number": answer(200, "0.25", "text/html; charset=utf-8"),
    "/plain": answer(200, "0.25", "text/plain"),
    "/nothing": answer(204, "", Content_Length=None),
    "/malformed": answer(200, '{"y": 0.'),
    "/drip": drip,
    "/slow": slow,
    "/chunked": chunked,
    "/until-close": until_close,
    "/closes-after": closes_after,
    "/silent": silent,
    "/early": early,
    "/endless": endless,
    "/mid-answer": raw(HEAD + b'Content-Length: 100\r\n\r\n{"y": '),
    "/too-long": raw(HEAD + b'Content-Length: 4\r\n\r\n{"y": 2}'),
    "/mid-chunk": raw(HEAD + b'Transfer-Encoding: chunked\r\n\r\n40\r\n{"y": '),
    "/bad-chunk": raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x4\r\n{}\r\n0\r\n\r\n"),
    "/huge": raw(HEAD + b"Content-Length: 99999999999\r\n\r\n{"),
    "/two-lengths": raw(HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}"),
    "/not-http": raw(b"220 mail.example.org ESMTP\r\n\r\n"),
    "/endless-head": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000),
}
