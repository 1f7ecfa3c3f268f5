"""Recorded requests become the rows that they asked about."""

import pytest

from excise.core.errors import DataError
from excise.tables import read
from excise.tables.traffic import is_traffic, rows_sent, with_times


def recorded(*bodies, status=200):
    return read([{"method": "POST", "path": "/", "body": body, "status": status} for body in bodies])


BODIES = {
    "an object": {"a": 1, "b": "x"},
    "a list": [{"a": 1, "b": "x"}],
    "a list inside": {"instances": [{"a": 1, "b": "x"}], "version": 2},
    "tensors": {"inputs": [{"name": "a", "shape": [1], "data": [1]}, {"name": "b", "shape": [1], "data": ["x"]}]},
}


@pytest.mark.parametrize("form", BODIES)
def test_a_body_is_rows_in_whatever_form_it_has_them(form):
    found = rows_sent(recorded(BODIES[form], BODIES[form]), ["a"])
    assert found.rows.records() == [{"a": 1, "b": "x"}] * 2
    assert (found.requests, found.skipped) == (2, 0)


def test_what_asks_about_something_else_is_left_out_and_counted():
    found = rows_sent(recorded({"a": 1}, {"user": "x"}, None, "hello", [1, 2]), ["a"])
    assert (found.rows.records(), found.skipped) == ([{"a": 1}], 4)


def test_refused_requests_are_no_rows():
    with pytest.raises(DataError, match="none of 2 recorded requests was answered"):
        rows_sent(recorded({"a": 1}, {"a": 2}, status=422), ["a"])


def test_tensors_of_different_lengths_are_no_rows():
    body = {"inputs": [{"name": "a", "data": [1, 2]}, {"name": "b", "data": [1]}]}
    with pytest.raises(DataError, match="none of 1"):
        rows_sent(recorded(body), ["a"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("method", "path", "headers", "body", "status", "ms"), True),
        (("method", "path"), False),
        (("method", "path", "body", "price"), False),
        (("body", "status"), False),
    ],
)
def test_recorded_requests_are_known_by_their_columns(names, expected):
    assert is_traffic(names) is expected


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["2013-01-01T05:00:00Z", None], "datetime"),
        (["2013-01-01 05:00:00", "2013-01-02"], "datetime"),
        (["2013-01-01", "soon"], "text"),
    ],
)
def test_times_are_read_from_texts_where_all_say_one(texts, kind):
    table = read([{"at": text} for text in texts])
    assert with_times(table, ["at"]).column("at").kind == kind
    assert with_times(table, []).column("at").kind == "text"
