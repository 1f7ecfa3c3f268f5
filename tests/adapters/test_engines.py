import threading

import pytest

from excise.adapters.engines import conformance, find
from excise.adapters.engines.local import LocalEngine
from excise.core.errors import Mismatch, MissingExtra, UsageError


class Shuffled(LocalEngine):
    def map(self, function, items):
        return iter(list(super().map(function, items))[::-1])


class Chatty(LocalEngine):
    def map(self, function, items):
        print("mapping")
        return super().map(function, items)


class Swallowing(LocalEngine):
    def map(self, function, items):
        def guarded(item):
            try:
                return function(item)
            except ValueError:
                return b""

        return super().map(guarded, items)


def test_the_local_engine_conforms():
    assert "answers in the order of the items" in conformance.check_engine(lambda: find("local"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (object, "needs name, map and close"),
        (Shuffled, "100 items gave"),
        (Chatty, "standard output was given"),
        (Swallowing, "a function that raised gave"),
    ],
)
def test_an_engine_that_breaks_the_contract_is_told_how(wrong, said):
    if wrong is object:
        wrong = type("Nothing", (), {"close": lambda self: None})
    with pytest.raises(Mismatch, match=said):
        conformance.check_engine(wrong)


def test_answers_come_from_other_threads_and_closing_ends_them():
    engine = LocalEngine(workers=2)
    names = list(engine.map(lambda _: threading.current_thread().name.encode(), [b""] * 4))
    assert threading.current_thread().name.encode() not in names
    before = threading.active_count()
    engine.close()
    assert threading.active_count() < before


def test_no_items_start_no_thread():
    engine = LocalEngine()
    assert list(engine.map(bytes, [])) == []
    assert engine._pool is None


@pytest.mark.parametrize("name", ["ray", "spark"])
def test_an_engine_that_is_not_installed_names_its_extra(name, monkeypatch):
    monkeypatch.setattr(f"excise.adapters.engines.{name}.find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as caught:
        find(name)
    assert caught.value.hint == f"pip install 'excise[{name}]'"


def test_an_unknown_engine_is_told_with_those_that_are_known():
    with pytest.raises(UsageError, match="unknown engine 'spork'") as caught:
        find("spork")
    assert caught.value.hint == "one of: local, ray, spark"
