"""The suite that every engine can be held against; third parties run it on theirs.

check_engine(MyEngine)
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from functools import partial
from typing import Any

from excise.core.engine import Engine
from excise.core.errors import ExciseError, Mismatch

MANY = 100
LARGE = 1 << 20
STDOUT = 1


def check_engine(make: Callable[[], Any]) -> list[str]:
    """Hold an engine against the contract.

    Args:
        make: makes an engine that was not used yet.
    Returns:
        Names of the checks that passed.
    Raises:
        Mismatch: the first check that failed, with what was seen.
    """
    checks: dict[str, Callable[[Engine], None]] = {
        "interface": interface,
        "no items": no_items,
        "answers in the order of the items": in_order,
        "bytes as they are": bytes_as_they_are,
        "functions with arguments": with_arguments,
        "a function that fails": failing,
        "usable after a failure": in_order,
    }
    with silent(), closing(make()) as engine:
        for check in checks.values():
            check(engine)
        engine.close()
    return [*checks, "closed twice", "a silent standard output"]


def interface(engine: Any) -> None:
    """It has what an engine needs."""
    if not isinstance(engine, Engine) or not engine.name:
        raise Mismatch("an engine needs name, map and close")


def no_items(engine: Engine) -> None:
    """Nothing comes of nothing."""
    expect([], engine, reversed_bytes, [])


def in_order(engine: Engine) -> None:
    """Also of items that take longer than those behind them."""
    items = [str(number).encode() for number in range(MANY)]
    expect([item[::-1] for item in items], engine, reversed_bytes, items)


def bytes_as_they_are(engine: Engine) -> None:
    """Empty, of every value, and many."""
    items = [b"", bytes(range(256)), bytes(LARGE)]
    expect([item[::-1] for item in items], engine, reversed_bytes, items)


def with_arguments(engine: Engine) -> None:
    """What all items share goes with the function."""
    expect([b"shared one", b"shared two"], engine, partial(prefixed, b"shared "), [b"one", b"two"])


def failing(engine: Engine) -> None:
    """An error in words that lead to the cause."""
    try:
        found = list(engine.map(rejecting, [b"good", b"a bad item"]))
    except ExciseError as error:
        said = error.message
    except ValueError as error:
        said = str(error)
    else:
        raise Mismatch(f"a function that raised gave {found}")
    if "a bad item" not in said or "\n" in said:
        raise Mismatch(f"a function's error is told as {said!r}")


def expect(answers: list[bytes], engine: Engine, function: Callable[[bytes], bytes], items: list[bytes]) -> None:
    """Compare the answers.

    Raises:
        Mismatch: they are others.
    """
    found = list(engine.map(function, items))
    if found != answers:
        raise Mismatch(f"{len(items)} items gave {found!r:.200} instead of {answers!r:.200}")


@contextmanager
def silent() -> Iterator[None]:
    """Hold standard output, that of child processes too, against its being silent.

    Raises:
        Mismatch: something was printed.
    """
    sys.stdout.flush()
    before = os.dup(STDOUT)
    with tempfile.TemporaryFile() as file, open(file.fileno(), "w", closefd=False) as text:
        os.dup2(file.fileno(), STDOUT)
        try:
            with redirect_stdout(text):
                yield
        finally:
            text.flush()
            os.dup2(before, STDOUT)
            os.close(before)
        file.seek(0)
        if said := file.read():
            raise Mismatch(f"standard output was given {said!r:.200}")


def reversed_bytes(item: bytes) -> bytes:
    """The item from its end."""
    return item[::-1]


def prefixed(shared: bytes, item: bytes) -> bytes:
    """The item behind what all share."""
    return shared + item


def rejecting(item: bytes) -> bytes:
    """The item, where it is good."""
    if item != b"good":
        raise ValueError(item.decode())
    return item
