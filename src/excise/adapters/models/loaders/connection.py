"""One HTTP/1.1 connection, kept alive between calls: bytes of a request out, status, headers and body in.

Self-contained: stdlib only, Python 3.8 syntax.

The time limit holds for the whole answer, so that a server that drips cannot hang a call. A call that finds the
connection closed by the server, before a byte of an answer came, is made once more on a new one (RFC 9112, section
9.3.1); connecting counts in the call's time. Redirects are not followed.
"""

import re
import socket
import ssl
import time
from urllib.parse import quote, urlsplit

from _excise_loader_response import Failed, Response, failure_of  # endpoint.py has loaded it under this name

PIECE = 256 * 1024
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name, RFC 9110 section 5.6.2; HTTP/2's pseudo-headers are none."""
PATH_SAFE = "/%:@!$&'()*+,;=~-._"
OURS = ("accept-encoding", "connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding")
"""Headers that belong to the connection, not to the request."""
BODIED = ("POST", "PUT", "PATCH")


class Connection(object):
    """A connection to one server; opened by the first call and again whenever it is closed."""

    def __init__(self, url, timeout_s=30.0, verify=True):
        parts = urlsplit(url)
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.authority = parts.netloc.rpartition("@")[2]
        self.timeout_s = timeout_s
        self.tls = tls_context(verify) if parts.scheme == "https" else None
        self.socket = None
        self.buffer = bytearray()
        self.deadline = 0.0

    def encode(self, request):
        """A request's bytes; what belongs to the connection is not taken from its headers."""
        target = quote(request.path, safe=PATH_SAFE) + (
            "?" + quote(request.query, safe=PATH_SAFE + "?") if request.query else ""
        )
        pairs = [(name, value) for name, value in request.headers if TOKEN.fullmatch(name) and name.lower() not in OURS]
        given = {name.lower() for name, _ in pairs}
        ours = [("Host", self.authority), ("Accept", "*/*"), ("User-Agent", "excise")]
        lines = ["%s %s HTTP/1.1" % (request.method, target)]
        lines += ["%s: %s" % pair for pair in ours if pair[0].lower() not in given]
        lines += ["Accept-Encoding: identity"]
        lines += ["%s: %s" % (name, " ".join(value.split("\n")).replace("\r", " ")) for name, value in pairs]
        if request.body or request.method in BODIED:
            lines.append("Content-Length: %d" % len(request.body))
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8") + request.body

    def ask(self, data, method="POST"):
        """Send a request's bytes; the response with its head read, its body still to come.

        Raises:
            Failed: no connection, no answer in time, or one that is not HTTP.
        """
        self.deadline = time.monotonic() + self.timeout_s
        reused = self._is_alive()
        try:
            return self._asked(data, method)
        except Failed as failed:
            if not (reused and failed.unanswered):
                raise
        return self._asked(data, method)

    def _asked(self, data, method):
        try:
            if self.socket is None:
                self._open()
            self._send(data)
            return Response(self, method)
        except BaseException as error:
            self.close()
            raise failure_of(error)

    def _is_alive(self):
        """Whether the kept connection can be used: nothing left of the last answer, and not closed by the server."""
        if self.socket is None:
            return False
        if not self.buffer:
            self.socket.settimeout(0)
            try:
                self.socket.recv(1)
            except (BlockingIOError, ssl.SSLWantReadError):
                return True
            except OSError:
                pass
        self.close()
        return False

    def _open(self):
        made = socket.create_connection((self.host, self.port), self._left())
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = self.tls.wrap_socket(made, server_hostname=self.host) if self.tls else made
        except BaseException:
            made.close()
            raise

    def _send(self, data):
        """Write it all; a server that answers before it has read all may close, and its answer still counts."""
        self.socket.settimeout(self._left())
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Failed("timeout", "no whole answer within %g s" % self.timeout_s)
        return left

    def receive(self):
        """More bytes into the buffer; False when the server has closed."""
        self.socket.settimeout(self._left())
        piece = self.socket.recv(PIECE)
        self.buffer += piece
        return bool(piece)

    def close(self):
        """Close it; the next call opens a new one."""
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.buffer = bytearray()


def tls_context(verify):
    """TLS as the system trusts it; without ``verify`` any certificate will do."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
