import json

import pytest

from excise.api.asking import asked, kept_request, with_request
from excise.api.settings import AuditSettings
from excise.core.errors import DataError, UsageError
from excise.core.predictor import InputKind, LoaderSpec, Subject, Variant
from excise.core.refs import ModelRef
from excise.tables import read

ROWS = read([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])


def subject(ref="asgi:service:app", kind="service", **options):
    loader = LoaderSpec(loader="loader.py", target="service:app", options=options)
    variant = Variant(name="production", loader=loader)
    return Subject(ref=ModelRef.parse(ref), kind=kind, variant=variant, default_input=InputKind.RECORDS)


def settings(**given):
    return AuditSettings(model="asgi:service:app", current=None, **given)


def recorded(*bodies, path="/predict", **more):
    return read([{"method": "POST", "path": path, "headers": {}, "body": body, **more} for body in bodies])


def test_a_request_is_a_method_and_a_path():
    made = asked(settings(request="PUT /items?a=1", body='{"v": {{x}}}'), subject(), ROWS, None)
    assert made.template == {"method": "PUT", "path": "/items?a=1", "headers": [], "body": '{"v": {{x}}}'}
    assert asked(settings(request="/predict"), subject(), ROWS, None).template["method"] == "POST"


def test_the_path_of_a_url_is_the_request_where_none_is_given():
    made = asked(settings(), subject("http://127.0.0.1:1/v1/predict", "endpoint"), ROWS, None)
    assert (made.template["method"], made.template["path"]) == ("POST", "/v1/predict")


def test_a_release_says_by_itself_how_it_is_asked():
    kept = kept_request(subject(), "POST /kept", "{{rows}}")
    made = asked(settings(), kept, ROWS, None)
    assert (made.template["path"], made.template["body"]) == ("/kept", "{{rows}}")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "how is it asked"),
        ({"request": "predict"}, "is no request"),
        ({"request": "post /predict"}, "is no request"),
        ({"request": "POST /", "body": "{{z}}"}, "has a field {{z}}"),
        ({"request": "POST /{{z}}"}, "has a field {{z}}"),
        ({"request": "POST /", "headers": ["nothing"]}, "has no value"),
        ({"request": "POST /", "headers": ["A: b\r\nC: d"]}, "has no value"),
        ({"request": "POST /", "headers": ["A: ${NOT_SET_ANYWHERE}"]}, "which is not set"),
        ({"request": "POST /?api_key=abc"}, "holds the value of api_key"),
        ({"request": "POST /", "body": '{"password": "abc", "x": {{x}}}'}, "holds the value of password"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(given, says):
    with pytest.raises(UsageError, match=says.replace("{", r"\{").replace("$", r"\$")):
        asked(settings(**given), subject(), ROWS, None)


def test_a_header_takes_its_secret_from_the_environment_and_it_stays_out_of_what_is_shown(monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cret")
    given = settings(request="POST /", headers=["Authorization: Bearer ${TOKEN}"])
    made = asked(given, subject(), ROWS, None)
    assert made.template["headers"] == [("Authorization", "Bearer s3cret")]
    assert "s3cret" not in json.dumps(dict(given.shown()), default=str)


def test_a_path_and_a_body_take_their_secrets_from_the_environment_when_they_are_sent(monkeypatch):
    monkeypatch.setenv("KEY", 'a/"b')
    given = settings(request="POST /?api_key=${KEY}", body='{"token": "${KEY}", "x": {{x}}}')
    made = asked(given, subject(), ROWS, None)
    sent = with_request(subject(), made, given).variant.loader.options["request"]
    assert sent["path"] == "/?api_key=a%2F%22b"
    assert sent["body"] == '{"token": "a/\\"b", "x": {{x}}}'
    monkeypatch.delenv("KEY")
    with pytest.raises(UsageError, match="which is not set"):
        with_request(subject(), made, given)


def test_a_header_without_a_name_is_not_repeated():
    with pytest.raises(UsageError) as refused:
        asked(settings(request="POST /", headers=["Bearer s3cret"]), subject(), ROWS, None)
    assert "s3cret" not in str(refused.value)


def test_recorded_bodies_with_the_same_keys_become_rows():
    made = asked(settings(), subject(), recorded({"x": 1, "y": " 2 "}, {"x": 3, "y": "4"}), None)
    assert made.current.names == ("x", "y")
    assert (made.template["method"], made.template["path"]) == ("POST", "/predict")


def test_headers_that_all_recorded_requests_have_are_sent_again():
    rows = [
        {"method": "POST", "path": "/", "headers": {"X-Tenant": "a", "X-Id": str(k), "Host": "b"}, "body": {"x": k}}
        for k in range(3)
    ]
    assert asked(settings(), subject(), read(rows), None).template["headers"] == [("x-tenant", "a")]


def test_recorded_requests_that_differ_in_form_are_replayed_whole():
    for rows in (recorded({"x": 1}, {"y": 2}), recorded({"x": 1}, "text"), recorded({"x": 1}, path="/p?q=1")):
        made = asked(settings(headers=["A: b"]), subject(), rows, None)
        assert made.template is None
        assert made.current.names[:2] == ("method", "path")
        assert made.headers == (("A", "b"),)


def test_a_request_picks_its_route_out_of_a_recording():
    both = read([*recorded({"x": 1}).records(), *recorded({"z": 2}, path="/other").records()])
    assert asked(settings(request="POST /other"), subject(), both, None).current.names == ("z",)
    assert asked(settings(request="POST /other?a=1"), subject(), both, None).template["path"] == "/other?a=1"
    with pytest.raises(DataError, match="holds no GET /predict"):
        asked(settings(request="GET /predict"), subject(), both, None)


@pytest.mark.parametrize("wrong", [{"a": 1}, {"method": "POST", "path": 7}, {"path": "/", "headers": "X: y"}])
def test_a_row_that_is_no_recorded_request_is_named(wrong):
    rows = read([*recorded({"x": 1}).records(), wrong])
    with pytest.raises(DataError, match="row 2 is no recorded request"):
        asked(settings(), subject(), rows, None)


def test_another_endpoint_is_asked_at_its_own_path():
    made = asked(settings(), subject("http://127.0.0.1:1/v1/predict", "endpoint"), ROWS, None)
    paths = [
        with_request(subject(url, "endpoint"), made, settings()).variant.loader.options["request"]["path"]
        for url in ("http://127.0.0.1:1/v1/predict", "http://127.0.0.1:1/v2/predict", "http://127.0.0.1:2")
    ]
    assert paths == ["/v1/predict", "/v2/predict", "/v1/predict"]


def test_a_label_beside_the_body_stays_with_its_row():
    made = asked(settings(target="late"), subject(), recorded({"x": 1}, {"x": 2}, late=1), None)
    assert made.current.names == ("x", "late")


def test_only_what_takes_requests_is_told_how():
    plain = subject("model.onnx", "onnx")
    assert with_request(plain, asked(settings(request="POST /"), subject(), ROWS, None), settings()) == plain
    with pytest.raises(UsageError, match="takes no requests"):
        kept_request(plain, "POST /", None)
    with pytest.raises(UsageError, match="how is it asked"):
        kept_request(subject(), None, None)
