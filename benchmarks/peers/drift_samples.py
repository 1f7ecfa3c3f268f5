"""Samples that excise and its peers are given alike: numpy alone, so that every peer's environment can make them."""

from __future__ import annotations

from typing import Any

import numpy as np

LEVELS = (5, 5, 10, 10, 20, 20, 50, 50, 100, 200)
ROWS = 5000


def wide(seed: int, rows: int) -> dict[str, Any]:
    """Forty normal columns and ten of levels, up to 200 of them."""
    random = np.random.default_rng(seed)
    found: dict[str, Any] = {f"n{index}": random.normal(size=rows) for index in range(40)}
    for index, width in enumerate(LEVELS):
        names = np.array([f"level {level}" for level in range(width)], object)
        found[f"c{index}"] = names[random.integers(0, width, rows)]
    return found


def every(share: int, values: Any, others: Any) -> list[Any]:
    """The values, with every so many-th row from the others; as Python's own types."""
    pairs = zip(list(values), list(others), strict=True)
    return [other if row % share == 0 else value for row, (value, other) in enumerate(pairs)]


def fat() -> dict[str, tuple[str, Any, Any]]:
    """By change: the cause to be named, the reference's values and the current ones, 5000 of each."""
    random = np.random.default_rng(7)
    counts, fresh = random.integers(0, 500, (2, ROWS))
    prices, now = np.round(random.gamma(2.0, 20.0, (2, ROWS)) + 1, 2)
    letters, later = np.array(["A", "B", "C"], object)[random.integers(0, 3, (2, ROWS))]
    nothing = [None] * ROWS
    return {
        'integers as text " 7 "': ("blanks", counts, [f" {count} " for count in fresh]),
        "2 % text among floats": ("type_changed", prices, every(50, now.tolist(), ["broken"] * ROWS)),
        "2 % numbers as text": ("strings_in_numbers", prices, every(50, now.tolist(), now.astype(str).tolist())),
        "20 % nulls": ("nulls", prices, np.where(np.arange(ROWS) % 5 == 0, np.nan, now)),
        "all null": ("all_null", prices, nothing),
        "1e-7 of jitter on integers": ("non_integer", counts, fresh + random.normal(0, 1e-7, ROWS)),
        "two decimals, then all": ("precision", prices, now + random.normal(0, 1e-5, ROWS)),
        "0.5 % infinite": ("infinite", prices, np.where(np.arange(ROWS) % 200 == 0, np.inf, now)),
        '"A" as "A "': ("blanks", letters, [f"{letter} " for letter in later]),
        '2 % "A" as "a"': ("case_variants", letters, every(50, later, [letter.lower() for letter in later])),
        "a new level in 1 %": ("new_category", letters, every(100, later, ["D"] * ROWS)),
        "3 % in another unit": ("unit_change", prices, np.where(np.arange(ROWS) % 33 == 0, now * 1000, now)),
    }


def clean() -> dict[str, tuple[Any, Any]]:
    """Pairs in which nothing changed: an amount, a column of ties with nulls, a wide set of levels."""
    random = np.random.default_rng(11)
    amounts = np.round(random.gamma(2.0, 20.0, (2, ROWS)), 2)
    ties = np.where(random.random((2, ROWS)) < 0.05, np.nan, random.poisson(3, (2, ROWS)))
    names = np.array([f"level {level}" for level in range(200)], object)
    return {
        "amounts": tuple(amounts),
        "ties with 5 % nulls": tuple(ties),
        "200 levels": tuple(names[random.integers(0, 200, (2, ROWS))]),
    }
