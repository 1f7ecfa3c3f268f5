import asyncio
import base64
import io
import json
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

import excise
from excise.api.record import RecordSettings, record_service
from excise.core.errors import StoreError, UsageError
from excise.monitor.middleware import is_wsgi
from excise.monitor.recorder import LARGEST

APPS = Path(__file__).parent.parent / "apps"
sys.path.insert(0, str(APPS))
import plain  # noqa: E402  an application as users write them

sys.path.remove(str(APPS))


def scope(path="/predict", headers=(), query=b""):
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": pairs,
    }  # fmt: skip


def ask(app, body=b'{"x": 1}', **about):
    """One request to an ASGI application; what it answered."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope(**about), receive, send))
    return sent


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "bodies.jsonl"


@pytest.fixture
def app(out):
    made = excise.record(plain.asgi, out=out, rate=1.0, redact=["email"])
    yield made
    made.recorder.close()


def test_a_request_is_recorded_and_answered_as_before(app, out):
    answered = ask(app, b'{"x": 1, "email": "a@b"}', headers=[("authorization", "Bearer s3cret"), ("x-trace", "7")])
    assert answered[0]["status"] == 200
    assert answered[1]["body"] == b'{"x": 1, "email": "a@b"}'
    app.recorder.close()
    (line,) = lines(out)
    assert line["body"] == {"x": 1, "email": "redacted"}
    assert line["headers"] == {"x-trace": "7"}
    assert (line["method"], line["path"], line["status"]) == ("POST", "/predict", 200)
    assert "s3cret" not in out.read_text()


def test_the_file_is_its_owners_alone(app, out):
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_texts_and_bytes_are_kept_whole(app, out):
    ask(app, b"plain words")
    ask(app, b"\xff\x00\xfe")
    app.recorder.close()
    text, binary = lines(out)
    assert text["body"] == "plain words"
    assert base64.b64decode(binary["body_base64"]) == b"\xff\x00\xfe"


def test_a_body_that_is_too_large_is_counted_and_not_kept(app, out):
    ask(app, b"x" * (LARGEST + 1))
    app.recorder.close()
    assert app.recorder.dropped == 1
    assert lines(out) == []


def test_a_body_that_did_not_come_as_a_whole_is_counted_and_not_kept(out):
    async def impatient(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 400})
        await send({"type": "http.response.body"})

    async def half():
        return {"type": "http.request", "body": b'{"x"', "more_body": True}

    async def nowhere(message):
        pass

    app = excise.record(impatient, out=out, rate=1.0)
    asyncio.run(app(scope(), half, nowhere))
    app.recorder.close()
    assert (app.recorder.dropped, lines(out)) == (1, [])


@pytest.mark.parametrize(
    "stated", [{"CONTENT_LENGTH": "abc"}, {"CONTENT_LENGTH": "-5"}, {"CONTENT_LENGTH": str(LARGEST + 1)},
               {"HTTP_TRANSFER_ENCODING": "chunked"}],
)  # fmt: skip
def test_a_body_of_no_certain_length_reaches_the_application_untouched(out, stated):
    body, reached = io.BytesIO(b"{}"), []

    def wsgi(environ, start_response):
        reached.append(environ["wsgi.input"])
        return []

    app = excise.record(wsgi, out=out, rate=1.0)
    app({"REQUEST_METHOD": "POST", "wsgi.input": body, **stated}, None)
    app.recorder.close()
    assert reached == [body]
    assert (app.recorder.dropped, lines(out)) == (1, [])


def test_a_port_that_is_taken_leaves_no_file(out, monkeypatch):
    monkeypatch.chdir(APPS)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = RecordSettings(out=str(out), port=taken.getsockname()[1])
        with pytest.raises(UsageError, match="cannot listen"):
            record_service("wsgi:plain.py:wsgi", settings, listening=print)
    assert not out.exists()


@pytest.mark.parametrize("ref", ["asgi:plain.py:asgi", "wsgi:plain.py:wsgi"])
def test_a_client_that_never_ends_its_request_keeps_nobody_waiting(out, ref):
    words = [sys.executable, "-m", "excise", "record", ref, "--out", str(out), "--port", "0"]
    process = subprocess.Popen(words, cwd=APPS, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())[1])
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        request = urllib.request.Request(f"http://127.0.0.1:{port}/p", b"{}")
        with urllib.request.urlopen(request, timeout=5) as answered:
            assert answered.read() == b"{}"
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "Recorded 1 requests" in told


def test_an_application_without_lifespan_is_recorded(out):
    async def only_http(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        await plain.asgi(scope, receive, send)

    app = excise.record(only_http, out=out, rate=1.0)
    with pytest.raises(ValueError, match="lifespan"):
        asyncio.run(app({"type": "lifespan"}, None, None))
    assert ask(app, b"{}")[0]["status"] == 200
    app.recorder.close()
    assert len(lines(out)) == 1


def test_recording_ends_after_so_many_requests(out):
    app = excise.record(plain.asgi, out=out, rate=1.0, n=3)
    for _ in range(5):
        ask(app)
    until(app.recorder.full.is_set)
    app.recorder.close()
    assert len(lines(out)) == 3


def test_a_sample_is_as_large_as_its_rate(out):
    app = excise.record(plain.asgi, out=out, rate=0.2)
    wanted = sum(app.recorder.wants() for _ in range(5000))
    app.recorder.close()
    assert 850 < wanted < 1150


def test_a_failing_application_is_recorded_and_still_fails(out):
    async def broken(scope, receive, send):
        await receive()
        raise ValueError("broken")

    app = excise.record(broken, out=out, rate=1.0)
    with pytest.raises(ValueError, match="broken"):
        ask(app)
    app.recorder.close()
    assert lines(out)[0]["status"] == 500


def test_wsgi_applications_are_told_from_asgi_and_recorded_likewise(out):
    assert is_wsgi(plain.wsgi)
    assert not is_wsgi(plain.asgi)
    app = excise.record(plain.wsgi, out=out, rate=1.0)
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/p q/\u00c3\u00a9", "QUERY_STRING": "a=1", "CONTENT_LENGTH": "8",
        "HTTP_COOKIE": "s3cret",
        "CONTENT_TYPE": "application/json", "wsgi.input": io.BytesIO(b'{"x": 1}'),
    }  # fmt: skip
    assert b"".join(app(environ, lambda status, headers: None)) == b'{"x": 1}'
    app.recorder.close()
    (line,) = lines(out)
    assert (line["path"], line["body"], line["status"]) == ("/p%20q/%C3%A9?a=1", {"x": 1}, 201)
    assert line["headers"] == {"content-type": "application/json"}


def test_a_process_that_is_killed_leaves_whole_lines_and_the_next_one_goes_on(out):
    code = (
        "import asyncio, excise, plain\n"
        f"app = excise.record(plain.asgi, out={str(out)!r}, rate=1.0)\n"
        "async def receive(): return {'type': 'http.request', 'body': b'{\"x\": \"' + b'y' * 500 + b'\"}'}\n"
        "async def send(message): pass\n"
        "scope = {'type': 'http', 'method': 'POST', 'path': '/', 'query_string': b'', 'headers': []}\n"
        "async def main():\n"
        "    while True: await app(dict(scope), receive, send)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=APPS)
    until(lambda: out.exists() and out.stat().st_size > 50_000, 20.0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    out.write_bytes(out.read_bytes() + b'{"method": "POST", "pa')  # a line that was cut off
    before = out.read_text().count("\n")
    app = excise.record(plain.asgi, out=out, rate=1.0)
    ask(app)
    app.recorder.close()
    assert len(lines(out)) == before + 1


def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        excise.record(plain.asgi, out=tmp_path / "absent" / "bodies.jsonl")


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": 1.5}, {"n": 0}])
def test_numbers_that_record_nothing_are_refused(out, wrong):
    with pytest.raises(UsageError):
        excise.record(plain.asgi, out=out, **wrong)
    assert not out.exists()


def test_many_threads_lose_and_mix_nothing(out):
    app = excise.record(plain.asgi, out=out, rate=1.0)
    threads = [threading.Thread(target=lambda: [ask(app) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    app.recorder.close()
    assert len(lines(out)) + app.recorder.dropped == 80
