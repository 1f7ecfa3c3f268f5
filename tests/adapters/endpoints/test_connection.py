"""What a call says of servers that misbehave: it never raises, it counts."""

import socket
import ssl
import subprocess
import threading
import time

import pytest

ROW = [{"x": 2}]


def failed(predictor):
    """The one failure of one call, and what is told of it."""
    start = time.monotonic()
    assert predictor.predict(ROW) == [None]
    assert time.monotonic() - start < 4.0
    counted = predictor.failures()
    assert sum(counted.values()) == 1
    assert predictor.failures() == {}
    return next(iter(counted)), predictor.last_failure


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/unauthorized", "401 Unauthorized"),
        ("/nowhere", "404 Not Found"),
        ("/redirect", "307 to /predict/"),
        ("/html", "answered text/html"),
        ("/malformed", "malformed JSON"),
        ("/too-long", "malformed JSON"),
        ("/mid-answer", "closed before the answer ended"),
        ("/mid-chunk", "closed before the answer ended"),
        ("/bad-chunk", "malformed chunk"),
        ("/silent", "closed without an answer"),
        ("/huge", "answer over 64 MiB"),
        ("/endless", "answer over 64 MiB"),
        ("/two-lengths", "no HTTP answer"),
        ("/not-http", "no HTTP answer"),
        ("/endless-head", "no HTTP answer"),
    ],
)
def test_a_failing_answer_is_counted_by_its_name(hostile, ask, path, name):
    predictor = ask(hostile.url, f"POST {path}")
    assert failed(predictor)[0] == name
    predictor = ask(hostile.url, "POST /predict")
    assert predictor.predict(ROW) == [{"y": 4}]


@pytest.mark.parametrize("path", ["/drip", "/slow"])
def test_the_time_limit_holds_for_the_whole_answer(hostile, load, ask, path):
    predictor = ask(hostile.url, f"POST {path}")
    predictor.protocol.line.timeout_s = 0.3
    start = time.monotonic()
    assert failed(predictor)[0] == "timeout"
    assert 0.25 < time.monotonic() - start < 0.6


def test_failures_in_some_calls_leave_the_others_alone(hostile, ask):
    predictor = ask(hostile.url, "POST /sometimes")
    answers = predictor.predict(ROW * 99)
    assert predictor.failures() == {"500 Internal Server Error": 3}
    assert answers.count(None) == 3
    assert answers.count({"y": 4}) == 96
    assert predictor.last_failure == '500 Internal Server Error: {"detail": "CUDA out\\nof memory"}'
    assert predictor.meters() == {}


def test_what_is_told_of_a_failure_is_one_line_and_never_holds_what_was_sent(hostile, ask):
    predictor = ask(hostile.url, "POST /unauthorized", headers=[["Authorization", "Bearer hunter2"]])
    _, told = failed(predictor)
    assert told == '401 Unauthorized: {"detail": "who are you"}'
    assert hostile.seen[-1][2]["Authorization"] == "Bearer hunter2"


@pytest.mark.parametrize("path", ["/chunked", "/until-close", "/closes-after", "/early"])
def test_every_framing_of_an_answer_is_read(hostile, ask, path):
    predictor = ask(hostile.url, f"POST {path}")
    assert predictor.predict(ROW * 20) == [{"y": 4}] * 20
    assert predictor.failures() == {}


@pytest.mark.parametrize(
    ("path", "answer"), [("/words", "not delayed"), ("/number", 0.25), ("/plain", "0.25"), ("/nothing", None)]
)
def test_answers_without_a_type_of_their_own_are_read_as_what_they_are(hostile, ask, path, answer):
    predictor = ask(hostile.url, f"POST {path}")
    assert predictor.predict(ROW) == [answer]
    assert predictor.failures() == {}


def test_one_connection_is_kept_for_all_calls(hostile, ask):
    predictor = ask(hostile.url, "POST /predict")
    predictor.predict(ROW)
    first = predictor.protocol.line.socket.getsockname()
    predictor.predict(ROW * 5)
    assert predictor.protocol.line.socket.getsockname() == first


def test_a_connection_that_the_server_closed_is_opened_again_without_a_failure(ask):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _ in range(2):
                made, _ = listener.accept()
                with made:
                    made.recv(4096)
                    made.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        predictor = ask(f"http://127.0.0.1:{listener.getsockname()[1]}", "POST /")
        assert predictor.predict(ROW) == [7]
        time.sleep(0.05)
        assert predictor.predict(ROW) == [7]
        assert predictor.failures() == {}
        thread.join(2)


def test_nobody_who_listens_is_a_failure(ask):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failed(ask(f"http://127.0.0.1:{port}", "POST /"))[0] == "connection refused"
    assert failed(ask("http://nowhere.invalid", "POST /"))[0] == "host not found"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A TLS server with a certificate that it has signed itself."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    from servers import HOSTILE, running

    with running(HOSTILE) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield f"https://127.0.0.1:{server.server_port}"


def test_a_certificate_is_checked_unless_told_otherwise(tls, ask):
    assert failed(ask(tls, "POST /predict"))[0] == "certificate not trusted"
    predictor = ask(tls, "POST /predict", verify=False)
    assert predictor.predict(ROW * 3) == [{"y": 4}] * 3
    first = predictor.protocol.line.socket.getsockname()
    assert predictor.predict(ROW) == [{"y": 4}]
    assert predictor.protocol.line.socket.getsockname() == first
