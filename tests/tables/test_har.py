"""Recorded traffic as a table of requests."""

import json

import pytest

from excise.core.errors import DataError
from excise.tables import read


def entry(url="https://api.example.org/predict", method="POST", **request):
    return {
        "startedDateTime": "2026-11-22T10:00:00.000Z",
        "time": 12.5,
        "request": {"method": method, "url": url, "httpVersion": "HTTP/2", "headers": [], **request},
        "response": {"status": 200, "content": {"encoding": "base64", "text": "e30="}},
    }


@pytest.fixture
def rows(tmp_path):
    def read_entries(*entries):
        file = tmp_path / "traffic.har"
        file.write_text("\ufeff" + json.dumps({"log": {"version": "1.2", "entries": entries}}))
        return read(file).records()

    return read_entries


def test_a_request_is_a_row(rows):
    posted = {"mimeType": "application/json; charset=utf-8", "text": '{"x": 1.0, "y": [null, "é"]}'}
    (row,) = rows(entry("https://api.example.org/v1/predict?a=1&b=%20", postData=posted))
    assert row == {
        "method": "POST",
        "path": "/v1/predict?a=1&b=%20",
        "headers": {},
        "body": {"x": 1.0, "y": [None, "é"]},
        "status": 200,
        "ms": 12.5,
    }


def test_secrets_are_left_out_wherever_they_stand(rows):
    names = ["Authorization", "cookie", "X-Api-Key", "X-Csrf-Token", "X-Trace"]
    headers = [{"name": name, "value": "hunter2" if name != "X-Trace" else "7"} for name in names]
    (row,) = rows(entry("https://h/p?a=1&access_token=hunter2&b=%20x", headers=headers))
    assert row["headers"] == {"X-Trace": "7"}
    assert row["path"] == "/p?a=1&b=+x"
    assert "hunter2" not in json.dumps(row)


def test_headers_of_the_connection_are_left_out_and_repeated_ones_joined(rows):
    names = [":authority", "Host", "content-length", "Accept", "Accept"]
    (row,) = rows(entry(headers=[{"name": name, "value": name.lower()} for name in names]))
    assert row["headers"] == {"Accept": "accept, accept"}


@pytest.mark.parametrize(
    ("posted", "column", "value"),
    [
        ({"mimeType": "text/plain", "text": "a\nb"}, "body", "a\nb"),
        ({"mimeType": "application/json", "text": '"seven"'}, "body", '"seven"'),
        ({"mimeType": "application/json", "text": "{broken"}, "body", "{broken"),
        ({"mimeType": "image/png", "text": "iVBOR/8=", "encoding": "base64"}, "body_base64", "iVBOR/8="),
        (
            {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "1&2"}]},
            "body",
            "a+b=1%262",
        ),
    ],
)
def test_bodies_stay_whole(rows, posted, column, value):
    (row,) = rows(entry(postData=posted))
    assert row[column] == value


def test_what_is_no_http_request_is_no_row(rows):
    found = rows(entry(method="GET"), entry("data:text/plain,x"), entry("wss://h/s"), entry(method="CONNECT"))
    assert [(row["method"], row["path"]) for row in found] == [("GET", "/predict")]


def test_a_time_that_is_not_known_is_null(rows):
    timed, untimed = entry(), entry()
    untimed["time"] = -1
    assert [row["ms"] for row in rows(timed, untimed)] == [12.5, None]


def test_a_body_that_is_no_base64_is_refused(tmp_path):
    posted = {"encoding": "base64", "text": "!"}
    entry = {"request": {"method": "POST", "url": "http://h/", "postData": posted}}
    (tmp_path / "traffic.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    with pytest.raises(DataError, match="entry 1 is no request"):
        read(tmp_path / "traffic.har")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"log": {"entries": [{"request": {"meth', "truncated, or no JSON"),
        ("[1, 2]", "no HTTP Archive: it has no log.entries"),
        ('{"log": {"entries": {}}}', "no HTTP Archive"),
        ('{"log": {"entries": []}}', "has no rows"),
        ('{"log": {"entries": [{"request": {"method": "GET", "url": "http://h/"}}, {}]}}', "entry 2 is no request"),
        ('{"log": {"entries": [{"request": {"method": 7, "url": "http://h/"}}]}}', "entry 1 is no request"),
        ('{"log": {"entries": [7]}}', "entry 1 is no request"),
    ],
)
def test_a_broken_archive_is_refused_with_a_hint(tmp_path, text, says):
    file = tmp_path / "traffic.har"
    file.write_text(text)
    with pytest.raises(DataError, match=says) as refused:
        read(file)
    assert refused.value.hint
