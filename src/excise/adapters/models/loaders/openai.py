"""The OpenAI-compatible API: chat completions, completions and embeddings; answers are texts, or vectors.

Self-contained: stdlib only, Python 3.8 syntax.

Texts are asked for as a stream, so that the tokens can be timed; a body or a column that says otherwise is obeyed. The
meters have the names and the meaning that vLLM's benchmark gives them: ``ttft_ms`` until the first token, ``itl_ms``
between one piece of text and the next, ``tpot_ms`` the mean per token after the first. Tokens are those of ``usage``.

A row's ``messages``, ``prompt``, ``input`` or ``text`` is what is asked, or its only text whatever the column's name;
columns that are parameters of the API are passed on. What nobody gave: the model that the server lists first,
temperature 0, MAX_TOKENS.
"""

import json
import time

from _excise_loader_requests import outcome_of, to_json  # endpoint.py has loaded them under these names
from _excise_loader_response import Failed, one_line

MAX_TOKENS = 64
"""Of an answer, where nobody says how long it may be."""
LIMITS = ("max_tokens", "max_completion_tokens")
CHAT, COMPLETIONS, EMBEDDINGS = "chat/completions", "completions", "embeddings"
MESSAGES = "messages"
"""A list, or in files that hold no lists the list as JSON."""
ASKED = (MESSAGES, "prompt", "input", "text")
PARAMETERS = LIMITS + (
    "dimensions", "encoding_format", "frequency_penalty", "ignore_eos", "logit_bias", "logprobs", "min_p",
    "min_tokens", "model", "n", "parallel_tool_calls", "presence_penalty", "reasoning_effort", "repetition_penalty",
    "response_format", "seed", "stop", "stream", "stream_options", "suffix", "temperature", "tool_choice", "tools",
    "top_k", "top_logprobs", "top_p", "user",
)  # fmt: skip
DONE = "[DONE]"
MS = 1e3


def protocol(_kind, plain):
    """Calls of rows, over the connection of the plain protocol."""
    return OpenAI(plain)


class Reader(object):
    """Reads answers; what was recorded is sent as it was."""

    signature = {"inputs": [], "outputs": [], "batch_axis": 0}

    def __init__(self, plain, path):
        self.plain = plain
        path = path.partition("?")[0]
        self.task = next(task for task in (CHAT, COMPLETIONS, EMBEDDINGS) if path.endswith(task))

    def answer(self, call, meters):
        """Send a call; its text or its vector, with what was metered on the way."""
        started = time.perf_counter()
        answered = self.plain.line.ask(call.data, call.method)
        if answered.status == 200 and answered.content_type == "text/event-stream":
            stream = Stream(started)
            stream.read(answered.parts())
            stream.meter(meters)
            return [stream.text]
        return [self.whole(answered, meters)]

    def whole(self, answered, meters):
        """The answer of a call that is no stream."""
        body = answered.read()
        headers = answered.headers
        value, failure = outcome_of(answered.status, headers.get("content-type"), body, headers.get("location", ""))
        if failure:
            raise Failed(failure, one_line(body))
        try:
            answer = self.said(value)
        except (KeyError, IndexError, TypeError):
            raise Failed("no answer in the answer", one_line(body))
        meter_usage(value.get("usage"), meters)
        return answer

    def said(self, value):
        """The text or the vector in an answer."""
        if self.task == EMBEDDINGS:
            return value["data"][0]["embedding"]
        choice = value["choices"][0]
        return choice["text"] if self.task == COMPLETIONS else choice["message"]["content"]


class OpenAI(Reader):
    """Makes calls of rows: one request a row."""

    def __init__(self, plain):
        Reader.__init__(self, plain, plain.template["path"])
        self.given = plain.template.get("body")
        self.model = None

    def calls(self, rows):
        """A call a row; the first time, the server may be asked for its model."""
        return [self.plain.call(self.request(row), 1, self) for row in rows]

    def request(self, row):
        """One row's request: the template's body, or one made of the row's columns, completed."""
        made = self.plain.render.render([row])
        body = json.loads(made.body) if self.given else self.body(row)
        made.body = to_json(self.completed(body)).encode("utf-8")
        return made

    def body(self, row):
        """What a row asks."""
        given = {name: row[name] for name in PARAMETERS if row.get(name) is not None}
        asked = asked_of(row)
        if self.task == EMBEDDINGS:
            return dict(given, input=asked)
        if self.task == COMPLETIONS:
            return dict(given, prompt=asked)
        return dict(given, messages=asked if isinstance(asked, list) else [{"role": "user", "content": asked}])

    def completed(self, body):
        """A body with everything that nobody gave."""
        made = {"model": self.first_model()} if "model" not in body and self.first_model() else {}
        made.update(body)
        if self.task == EMBEDDINGS:
            return made
        made.setdefault("temperature", 0)
        if not any(name in made for name in LIMITS):
            made["max_tokens"] = MAX_TOKENS
        if made.setdefault("stream", True):
            made.setdefault("stream_options", {"include_usage": True})
        return made

    def first_model(self):
        """The model that the server lists first; empty where it lists none."""
        if self.model is None:
            path = self.plain.template["path"].partition("?")[0]
            try:
                self.model = self.plain.ask("GET", path[: -len(self.task)] + "models")["data"][0]["id"]
            except (Failed, KeyError, IndexError, TypeError):
                self.model = ""
        return self.model

    def close(self):
        """Close the connection."""
        self.plain.close()


def asked_of(row):
    """What a row asks: the column of a known name, or its only text."""
    named = [name for name in ASKED if row.get(name) is not None]
    texts = named[:1] or [n for n, value in row.items() if isinstance(value, str) and n not in PARAMETERS]
    if len(texts) != 1:
        seen = ", ".join(map(str, row))
        raise KeyError(
            "which column is the text? name one of %s, or give a body; the rows have: %s" % (", ".join(ASKED), seen)
        )
    asked = row[texts[0]]
    return json.loads(asked) if texts[0] == MESSAGES and isinstance(asked, str) else asked


class Stream(object):
    """An answer that comes in pieces, each with its moment."""

    def __init__(self, started):
        self.started = started
        self.moments = []
        self.pieces = []
        self.usage = None
        self.done = False
        self.finished = False

    @property
    def text(self):
        """All that was said."""
        return "".join(self.pieces)

    def read(self, parts):
        """Read the events to the end of the body, so that the connection can be kept.

        Raises:
            Failed: an error among the events, an event that is no JSON, or an end before the end.
        """
        for name, data in events(parts):
            if data == DONE:
                self.done = True
            elif data and not self.done:
                self.take(name, data, time.perf_counter())
        if not (self.done or self.finished):
            raise Failed("the stream ended early", "after %r" % self.text[-100:])

    def take(self, name, data, now):
        """One event."""
        try:
            event = json.loads(data)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise Failed("malformed event", one_line(data.encode("utf-8")))
        if name == "error" or event.get("error"):
            raise Failed("error in the stream", one_line(data.encode("utf-8")))
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices") or ():
            self.choose(choice, now)

    def choose(self, choice, now):
        """One piece of text; only the first of several alternatives is the answer."""
        delta = choice.get("delta") or choice
        said = delta.get("content") or delta.get("text")
        if said or delta.get("reasoning_content") or delta.get("tool_calls"):
            self.moments.append(now)
        if said and not choice.get("index"):
            self.pieces.append(said)
        if choice.get("finish_reason"):
            self.finished = True

    def meter(self, meters):
        """Add what was metered: times in ms, tokens where the server counts them."""
        tokens = meter_usage(self.usage, meters)
        if not self.moments:
            return
        first, last = self.moments[0], self.moments[-1]
        meters["ttft_ms"].append(MS * (first - self.started))
        meters["itl_ms"] += [MS * (after - before) for before, after in zip(self.moments, self.moments[1:])]
        if tokens and tokens > 1:
            meters["tpot_ms"].append(MS * (last - first) / (tokens - 1))


def meter_usage(usage, meters):
    """Add the tokens that the server counted; how many it put out, None where it does not say."""
    usage = usage or {}
    counted = {
        "input_tokens": usage.get("prompt_tokens"),
        "cached_tokens": (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
        "output_tokens": usage.get("completion_tokens"),
    }
    for name, count in counted.items():
        if count is not None:
            meters[name].append(count)
    return counted["output_tokens"]


def events(parts):
    """Server-sent events of a body, as (name, data); bytes become text a line at a time, wherever the pieces end.

    Source: HTML Living Standard, section 9.2.6.
    """
    name, data = "", []
    for line in lines(parts):
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "error":  # llama.cpp's older servers
            yield "error", value
        elif not line:
            yield name, "\n".join(data)
            name, data = "", []
    yield name, "\n".join(data)


def lines(parts):
    """Lines of a body that comes in pieces, without their ends."""
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")
