"""OpenAI-compatible endpoints: what is sent for rows, and what is read out of streams, good and bad."""

import json
import time

import pytest
from servers import running

CHAT = "POST /v1/chat/completions"
USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}


def delta(text, **more):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None, **more}]}


FIRST = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
PIECES = [FIRST, delta("grüß"), delta(" Göt"), delta("ter 😀"), LAST]
COUNTED = {"choices": [], "usage": USAGE}


def event(value):
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()) + b"\n\n"


def stream(*pieces, pause=0.0, then_close=False):
    """A route that sends each piece as a chunk of its own."""

    def route(handler, _body):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.flush()
            time.sleep(pause)
        if not then_close:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = then_close

    return route


def models(handler, _body):
    handler.reply(200, json.dumps({"data": [{"id": "tiny"}, {"id": "large"}]}))


@pytest.fixture
def served():
    """A server whose chat completions are the route that the test sets."""
    with running({"/v1/models": models}) as server:
        yield server


def chat(served, ask, route, rows=({"prompt": "hello"},), **options):
    served.routes["/v1/chat/completions"] = route
    predictor = ask(served.url, CHAT, **options)
    return predictor, predictor.predict(list(rows))


def sent(served):
    return json.loads(served.seen[-1][3])


WHOLE = [*map(event, [*PIECES, COUNTED]), event(b"[DONE]")]


def test_a_stream_gives_its_text_its_times_and_its_tokens(served, ask):
    predictor, answers = chat(served, ask, stream(*WHOLE, pause=0.02))
    assert answers == ["grüß Götter 😀"]
    meters = predictor.meters()
    assert predictor.meters() == {}
    assert {name: len(values) for name, values in meters.items()} == {
        "ttft_ms": 1, "tpot_ms": 1, "itl_ms": 2, "input_tokens": 1, "cached_tokens": 1, "output_tokens": 1,
    }  # fmt: skip
    assert (meters["input_tokens"], meters["cached_tokens"], meters["output_tokens"]) == ([11], [8], [3])
    assert 20 <= meters["ttft_ms"][0] < 200
    assert all(15 <= gap < 100 for gap in meters["itl_ms"])
    assert meters["tpot_ms"][0] == pytest.approx(sum(meters["itl_ms"]) / 2)


def test_the_first_token_is_the_first_piece_of_text_not_the_role(served, ask):
    pieces = [event(FIRST), event(delta("a")), event(LAST), event(b"[DONE]")]
    predictor, answers = chat(served, ask, stream(*pieces, pause=0.1))
    assert answers == ["a"]
    assert predictor.meters()["ttft_ms"][0] >= 100


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pieces_may_end_inside_a_character_or_a_line(served, ask, size):
    data = b": a comment\r\n\r\n" + b"".join(WHOLE)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    predictor, answers = chat(served, ask, stream(*pieces))
    assert answers == ["grüß Götter 😀"]
    assert predictor.failures() == {}


def test_without_usage_tokens_are_not_guessed(served, ask):
    predictor, answers = chat(served, ask, stream(*map(event, PIECES), event(b"[DONE]")))
    assert answers == ["grüß Götter 😀"]
    assert set(predictor.meters()) == {"ttft_ms", "itl_ms"}


def test_a_stream_that_says_why_it_finished_needs_no_done(served, ask):
    predictor, answers = chat(served, ask, stream(*map(event, PIECES)))
    assert answers == ["grüß Götter 😀"]
    assert predictor.failures() == {}


def test_the_connection_is_kept_after_a_stream(served, ask):
    predictor, _ = chat(served, ask, stream(*WHOLE))
    first = predictor.protocol.plain.line.socket.getsockname()
    predictor.predict([{"prompt": "again"}])
    assert predictor.protocol.plain.line.socket.getsockname() == first


@pytest.mark.parametrize(
    ("route", "name"),
    [
        (stream(*map(event, PIECES[:3]), event({"error": {"message": "out of memory"}})), "error in the stream"),
        (stream(*map(event, PIECES[:3]), b'event: error\ndata: {"message": "gone"}\n\n'), "error in the stream"),
        (stream(*map(event, PIECES[:3]), b'error: {"code": 500}\n\n'), "error in the stream"),
        (stream(*map(event, PIECES[:3])), "the stream ended early"),
        (stream(*map(event, PIECES[:3]), then_close=True), "closed before the answer ended"),
        (stream(event(b'{"choices": [')), "malformed event"),
        (lambda handler, _: handler.reply(429, '{"error": {"message": "slow down"}}'), "429 Too Many Requests"),
        (lambda handler, _: handler.reply(200, '{"choices": []}'), "no answer in the answer"),
    ],
)
def test_a_stream_that_fails_is_counted(served, ask, route, name):
    predictor, answers = chat(served, ask, route)
    assert answers == [None]
    assert predictor.failures() == {name: 1}
    assert predictor.meters() == {}


def test_what_nobody_gave_is_the_first_model_no_randomness_and_a_bound(served, ask):
    chat(served, ask, stream(*WHOLE))
    assert sent(served) == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0,
        "max_tokens": 64,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_columns_that_are_parameters_are_passed_on_and_all_others_are_not(served, ask):
    row = {"messages": '[{"role": "system", "content": "x"}]', "id": 7, "max_completion_tokens": 5, "seed": None}
    chat(served, ask, stream(*WHOLE), [{**row, "model": "large", "temperature": 0.5, "stream": False}])
    assert sent(served) == {
        "model": "large",
        "messages": [{"role": "system", "content": "x"}],
        "max_completion_tokens": 5,
        "temperature": 0.5,
        "stream": False,
    }


def test_the_only_text_of_a_row_is_what_is_asked(served, ask):
    chat(served, ask, stream(*WHOLE), [{"id": 7, "question": "why?"}])
    assert sent(served)["messages"] == [{"role": "user", "content": "why?"}]
    with pytest.raises(KeyError, match="which column is the text"):
        chat(served, ask, stream(*WHOLE), [{"a": "x", "b": "y"}])


def test_a_body_says_what_is_sent_and_is_completed(served, ask):
    body = '{"model": "m", "messages": [{"role": "user", "content": {{q}}}], "max_tokens": 9, "stream": false}'
    whole = {"choices": [{"message": {"content": "yes"}}], "usage": USAGE}
    predictor, answers = chat(
        served, ask, lambda handler, _: handler.reply(200, json.dumps(whole)), [{"q": 'a "b"'}], template={"body": body}
    )
    assert answers == ["yes"]
    assert sent(served) == {
        "model": "m", "messages": [{"role": "user", "content": 'a "b"'}], "max_tokens": 9, "stream": False,
        "temperature": 0,
    }  # fmt: skip
    assert predictor.meters() == {"input_tokens": [11], "cached_tokens": [8], "output_tokens": [3]}


def test_completions_and_embeddings_have_answers_of_their_own(served, ask):
    texts = [{"choices": [{"index": 0, "text": text}]} for text in ("a", "b")]
    finished = {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}
    vector = {"data": [{"index": 0, "embedding": [0.5, -1.0]}], "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    served.routes["/v1/completions"] = stream(*map(event, [*texts, finished]), event(b"[DONE]"))
    served.routes["/v1/embeddings"] = lambda handler, _: handler.reply(200, json.dumps(vector))
    assert ask(served.url, "POST /v1/completions").predict([{"prompt": "x"}]) == ["ab"]
    assert sent(served)["prompt"] == "x"
    embeddings = ask(served.url, "POST /v1/embeddings")
    assert embeddings.predict([{"text": "x"}, {"text": "y"}]) == [[0.5, -1.0]] * 2
    assert sent(served) == {"model": "tiny", "input": "y"}
    assert embeddings.meters() == {"input_tokens": [2, 2]}


def test_recorded_requests_are_sent_as_they_were_and_their_streams_are_metered(served, ask):
    served.routes["/v1/chat/completions"] = stream(*WHOLE)
    body = {"messages": [], "stream": True}
    predictor = ask(served.url)
    assert predictor.predict([{"method": "POST", "path": "/v1/chat/completions", "body": body}]) == ["grüß Götter 😀"]
    assert sent(served) == body
    assert len(predictor.meters()["ttft_ms"]) == 1
