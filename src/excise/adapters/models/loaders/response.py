"""An HTTP/1.1 answer: status, headers, and a body that is read as it arrives.

Self-contained: stdlib only, Python 3.8 syntax. ``source`` is what bytes come from: it has a ``buffer``, and
``receive()`` that adds to it, False at the end, and ``close()``.
"""

import re
import socket
import ssl

MAX_ANSWER = 64 * 1024 * 1024
MAX_HEAD = 64 * 1024
MAX_LINE = 4096
"""A chunk's size with its extensions."""
HEAD_END = re.compile(rb"\r?\n\r?\n")
CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
WITHOUT_BODY = (204, 304)


class Failed(Exception):
    """A call that failed: ``name`` is what is counted, ``detail`` what was seen."""

    def __init__(self, name, detail="", unanswered=False):
        Exception.__init__(self, name + ": " + detail if detail else name)
        self.name = name
        self.detail = detail
        self.unanswered = unanswered
        """Whether the connection ended before the first byte of an answer."""


class Response(object):
    """An answer: ``status``, ``headers`` by lower-case name, and the body by ``read`` or ``parts``."""

    def __init__(self, source, method):
        self.source = source
        self.status = 100
        while self.status < 200:
            self.version, self.status, self.headers = parsed_head(self._head())
        self.chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        self.empty = method == "HEAD" or self.status in WITHOUT_BODY
        self.length = None if self.chunked else content_length(self.headers)
        self.received = 0

    @property
    def content_type(self):
        """The media type without parameters, in lower case; empty where none is named."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def kept(self):
        """Whether the server keeps the connection open after this answer."""
        asked = self.headers.get("connection", "").lower()
        framed = self.empty or self.chunked or self.length is not None
        return framed and "close" not in asked and (self.version != "HTTP/1.0" or "keep-alive" in asked)

    def read(self):
        """The whole body.

        Raises:
            Failed: too slow, too large, cut off, or badly framed.
        """
        return b"".join(self.parts())

    def parts(self):
        """The body piece by piece, as the pieces arrive.

        Raises:
            Failed: as ``read``.
        """
        try:
            for part in self._framed():
                self.received += len(part)
                if self.received > MAX_ANSWER:
                    raise too_large()
                yield part
        except BaseException as error:
            self.source.close()
            raise failure_of(error)
        if not self.kept:
            self.source.close()

    def _framed(self):
        if self.empty:
            return iter(())
        if self.chunked:
            return self._chunks()
        return self._to_close() if self.length is None else self._exactly(self.length)

    def _exactly(self, size):
        buffer = self.source.buffer
        if size > MAX_ANSWER:
            raise too_large()
        while size:
            if not buffer:
                self._more()
            part = bytes(buffer[:size])
            del buffer[: len(part)]
            size -= len(part)
            yield part

    def _to_close(self):
        buffer, alive = self.source.buffer, True
        while alive:
            part = bytes(buffer)
            del buffer[:]
            yield part
            alive = self.source.receive()

    def _chunks(self):
        while True:
            size = chunk_size(self._line())
            if not size:
                break
            for part in self._exactly(size):
                yield part
            if self._line():
                raise Failed("malformed chunk", "a chunk longer than its size")
        while self._line():
            pass

    def _line(self):
        buffer = self.source.buffer
        while True:
            end = buffer.find(b"\n")
            if end >= 0:
                break
            if len(buffer) > MAX_LINE:
                raise Failed("malformed chunk", "a chunk without a size")
            self._more()
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        return line.rstrip(b"\r")

    def _more(self):
        if not self.source.receive():
            raise Failed("closed before the answer ended", "%d bytes of the body came" % self.received)

    def _head(self):
        """The bytes of the next head, which are taken out of the buffer."""
        buffer = self.source.buffer
        while True:
            found = HEAD_END.search(buffer)
            if found:
                break
            if len(buffer) > MAX_HEAD:
                raise Failed("no HTTP answer", "a head of more than %d bytes" % MAX_HEAD)
            try:
                if not self.source.receive():
                    raise Failed("closed without an answer", one_line(bytes(buffer)), unanswered=not buffer)
            except ConnectionError as error:
                raise Failed("connection reset", str(error), unanswered=not buffer)
        head = bytes(buffer[: found.start()])
        del buffer[: found.end()]
        return head


def parsed_head(head):
    """Version, status and headers of an answer's head."""
    lines = head.decode("latin-1").split("\n")
    version, _, rest = lines[0].strip().partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isdigit() and len(code) == 3):
        raise Failed("no HTTP answer", one_line(head))
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = headers[name] + ", " + value if name in headers else value
    return version, int(code), headers


def content_length(headers):
    """The declared length, None without; a list of equal ones is one."""
    declared = {part.strip() for part in headers.get("content-length", "").split(",") if part.strip()}
    if not declared:
        return None
    value = declared.pop()
    if declared or not (value.isascii() and value.isdigit()):
        raise Failed("no HTTP answer", "content-length: %s" % one_line(headers["content-length"].encode()))
    return int(value)


def chunk_size(line):
    """A chunk's size, from the line that announces it."""
    digits = line.partition(b";")[0].strip()
    if not CHUNK_SIZE.fullmatch(digits):
        raise Failed("malformed chunk", "a size of %s" % one_line(line))
    return int(digits, 16)


def too_large():
    """The failure of an answer that is larger than any answer may be."""
    return Failed("answer over %d MiB" % (MAX_ANSWER // 1024 // 1024))


def failure_of(error):
    """An exception of the connection as a failure; all others stay what they are."""
    if isinstance(error, Failed) or not isinstance(error, OSError):
        return error
    names = (
        (socket.timeout, "timeout"),
        (ConnectionRefusedError, "connection refused"),
        (ConnectionError, "connection reset"),
        (socket.gaierror, "host not found"),
        (ssl.SSLCertVerificationError, "certificate not trusted"),
        (ssl.SSLError, "TLS failed"),
    )
    name = next((words for kind, words in names if isinstance(error, kind)), "no connection")
    return Failed(name, one_line(str(error).encode("utf-8", "replace")))


def one_line(data, limit=200):
    """The first characters of what a server sent, on one line and fit for a terminal."""
    text = " ".join(data[: 4 * limit].decode("utf-8", "replace").split())
    return "".join(letter for letter in text if letter.isprintable())[:limit]
