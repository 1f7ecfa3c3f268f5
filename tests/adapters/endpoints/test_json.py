"""Endpoints that take and give JSON: what is sent for rows, and a real service behind it."""

import json
import threading
import time

import pytest
from servers import running

from excise.adapters.models.conformance import check_predictor, same
from excise.core.errors import InvalidRef
from excise.core.refs import ModelRef

ROWS = [{"x": 1, "name": "a"}, {"x": 2.5, "name": "é\n"}, {"x": None, "name": "c"}]


@pytest.fixture
def echo():
    """A server that answers with what it was asked."""

    def told(handler, body):
        kept = {name: value for name, value in handler.headers.items() if name.lower() not in {"host", "user-agent"}}
        handler.reply(200, json.dumps({"to": f"{handler.command} {handler.path}", "body": body.decode(), **kept}))

    paths = ("/", "/predict", "/api/predict", "/a%20b/1", "/api/v3", "/h%C3%A9llo")
    with running(dict.fromkeys(paths, told)) as server:
        yield server


def test_a_row_is_one_request_with_the_row_as_its_body(echo, ask):
    answers = ask(echo.url, "POST /predict").predict(ROWS)
    assert [json.loads(answer["body"]) for answer in answers] == ROWS
    assert {answer["Content-Type"] for answer in answers} == {"application/json"}
    assert {answer["Accept-Encoding"] for answer in answers} == {"identity"}


def test_fields_are_filled_in_the_path_the_headers_and_the_body(echo, ask):
    template = {"body": '{"v": {{values}}}', "headers": [["X-Name", "n {{name}}"], ["Content-Type", "application/x"]]}
    predictor = ask(echo.url, "POST /{{name}} b/{{x}}?q={{name}}", template=template)
    (answer,) = predictor.predict(ROWS[:1])
    assert answer["to"] == "POST /a%20b/1?q=a"
    assert answer["body"] == '{"v": [1, "a"]}'
    assert (answer["X-Name"], answer["Content-Type"]) == ("n a", "application/x")


def test_a_request_without_a_body_says_nothing_of_one(echo, ask):
    (answer,) = ask(echo.url, "GET /predict").predict(ROWS[:1])
    assert answer["body"] == ""
    assert "Content-Length" not in answer
    assert "Content-Type" not in answer


def test_the_path_of_the_url_stands_before_the_path_of_the_request(echo, ask):
    for url, request in [("/api", "POST /predict"), ("/api/", "POST predict"), ("/api/predict", "POST /api/predict")]:
        assert ask(echo.url + url, request).predict(ROWS[:1])[0]["to"] == "POST /api/predict"
    assert ask(echo.url + "/api/predict?v=1").predict(ROWS[:1])[0]["to"] == "POST /api/predict?v=1"
    assert ask(echo.url + "/api?v=1", "POST /v3").predict(ROWS[:1])[0]["to"] == "POST /api/v3?v=1"
    assert ask(echo.url, "POST /héllo").predict(ROWS[:1])[0]["to"] == "POST /h%C3%A9llo"


def test_headers_that_belong_to_the_connection_are_not_taken_from_a_record(echo, ask):
    headers = {":authority": "x", "Content-Length": "7", "Connection": "close", "X-A": "1\r\nX-B: 2", "Expect": "1"}
    row = {"method": "PUT", "path": "/predict", "headers": headers, "body": "hello"}
    (answer,) = ask(echo.url, headers=[["Authorization", "Bearer t"]]).predict([row])
    assert answer["to"] == "PUT /predict"
    assert answer["body"] == "hello"
    assert answer["Content-Length"] == "5"
    assert answer["X-A"] == "1  X-B: 2"
    assert answer["Authorization"] == "Bearer t"
    assert {"Connection", "Expect", "X-B"}.isdisjoint(answer)


def test_rows_that_are_no_requests_need_one_to_be_named(echo, ask):
    with pytest.raises(KeyError, match="no recorded requests: they have x, name and no path"):
        ask(echo.url).predict(ROWS)


def test_preparing_sends_nothing_and_its_calls_can_be_made_again(echo, ask):
    predictor = ask(echo.url, "POST /predict")
    prepared = predictor.prepare(ROWS)
    assert echo.seen == []
    assert predictor.predict(prepared) == predictor.predict(ROWS) == predictor.predict(prepared)


def test_what_was_asked_is_read_when_somebody_asks_what_was_counted(hostile, ask):
    predictor = ask(hostile.url, "POST /html")
    assert predictor.ask(predictor.prepare(ROWS)) is None
    assert predictor.last_failure is None
    assert predictor.failures() == {"answered text/html": 3}
    assert predictor.failures() == {}


def test_answers_left_unread_are_read_before_they_fill_the_memory(hostile, ask):
    predictor = ask(hostile.url, "POST /predict")
    predictor._unread_bytes = 64 << 20
    predictor.ask(ROWS[:1])
    assert predictor._unread == []


def test_an_answer_to_all_rows_is_told_apart_row_by_row(ask):
    def lists(handler, body):
        count = len(json.loads(body))
        kind = handler.path.rpartition("/")[2]
        answers = {"list": list(range(count)), "columns": {"y": list(range(count)), "model": "m"}, "one": {"y": 1}}
        handler.reply(200, json.dumps(answers[kind]))

    template = {"body": "{{rows}}"}
    with running({f"/{kind}": lists for kind in ("list", "columns", "one")}) as server:
        assert ask(server.url, "POST /list", template=template).predict(ROWS) == [0, 1, 2]
        columns = ask(server.url, "POST /columns", template=template)
        assert columns.predict(ROWS) == [{"y": 0}, {"y": 1}, {"y": 2}]
        assert columns.predict(ROWS[:1]) == [{"y": 0}]
        one = ask(server.url, "POST /one", template=template)
        assert one.predict(ROWS[:1]) == [{"y": 1}]
        assert one.predict(ROWS) == [None] * 3
        assert one.failures() == {"no answer a row": 1}
        assert len(server.seen) == 5


@pytest.fixture(scope="module")
def service(cancer):
    """A real model behind FastAPI and uvicorn."""
    fastapi, uvicorn = pytest.importorskip("fastapi"), pytest.importorskip("uvicorn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(cancer.array, cancer.labels)
    app = fastapi.FastAPI()

    @app.post("/predict")
    def predict(row: dict[str, float]):
        return {"probability": float(model.predict_proba([list(row.values())])[0, 1])}

    @app.post("/batch")
    def batch(matrix: list[list[float]]):
        return {"probability": model.predict_proba(matrix)[:, 1].tolist()}

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield "http://{}:{}".format(*server.servers[0].sockets[0].getsockname()), model
    server.should_exit = True
    thread.join(5)


@pytest.mark.parametrize(("path", "body"), [("/predict", "{{row}}"), ("/batch", "{{matrix}}")])
def test_a_real_service_keeps_the_contract(service, cancer, ask, path, body):
    url, model = service
    predictor = ask(url, f"POST {path}", template={"body": body})
    rows = cancer.frame[:6].to_dict("records")
    assert "threads" in check_predictor(predictor, batches=[[row] for row in rows], whole=rows)
    expected = [{"probability": p} for p in model.predict_proba(cancer.array[:6])[:, 1]]
    assert same(predictor.predict(rows), expected, tolerance=1e-12)


def test_a_column_that_the_template_names_must_be_there(service, ask):
    predictor = ask(service[0], "POST /predict", template={"body": '{"area": {{mean area}}}'})
    with pytest.raises(KeyError, match=r"{{mean area}}, and the rows have: x"):
        predictor.predict([{"x": 1}])


def test_what_a_real_service_refuses_is_counted(service, ask):
    url, _ = service
    predictor = ask(url, "POST /predict")
    assert predictor.predict([{"x": "seven"}]) == [None]
    (failure,) = predictor.failures()
    assert failure.startswith("422 ")
    assert "valid number" in predictor.last_failure


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://", "names no host"),
        ("http://host:99999", "is no URL"),
        ("https://me:hunter2@host/predict", "a user or a password"),
        ("https://host/predict?api_key=hunter2", "holds the value of api_key"),
        ("https://me:hunter2@host:99999/predict", "a user or a password"),
        ("grpc://127.0.0.1:8001", "needs a port and a model"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url, says, ask):
    with pytest.raises(InvalidRef, match=says) as refused:
        ask(url)
    assert "hunter2" not in str(refused.value)


def test_the_short_name_of_an_endpoint_is_its_host_and_path_and_fits_a_file():
    assert ModelRef.parse("https://me:pw@host:8000/predict?key=1").name == "host-8000-predict"


def test_a_protocol_that_is_not_known_is_named(ask):
    with pytest.raises(ValueError, match="no protocol 'soap'; there are: json, oip"):
        ask("http://127.0.0.1:1", "POST /", protocol="soap")
