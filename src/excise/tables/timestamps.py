"""Texts that say a time, as times; vectorized and exact to the microsecond."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
ZONED = rf"{OFFSET}$"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
ISO = rf"^{DATE}(?:[T ]{CLOCK}{OFFSET}?)?$"


def parse_times(texts: NDArray[Any]) -> NDArray[np.datetime64]:
    """ISO 8601 texts with up to nine decimals as datetime64[us] in UTC; NaT for null and for all else.

    >>> parse_times(np.array(["2023-11-16 18:17:03.9799600", "2013-01-01T10:00:00Z", "soon"], object))
    array(['2023-11-16T18:17:03.979960', '2013-01-01T10:00:00.000000',
                                  'NaT'], dtype='datetime64[us]')
    """
    cells = pa.array(texts, pa.string())
    times = np.full(len(texts), np.datetime64("NaT"), "datetime64[us]")
    is_iso = np.asarray(pc.match_substring_regex(cells, ISO).fill_null(False).to_numpy(zero_copy_only=False))
    zoned = np.asarray(pc.match_substring_regex(cells, ZONED).fill_null(False).to_numpy(zero_copy_only=False))
    zoned &= is_iso & (np.asarray(pc.utf8_length(cells).fill_null(0)) > len("2013-01-01"))
    for mask, dtype in ((is_iso & ~zoned, pa.timestamp("ns")), (zoned, pa.timestamp("ns", "UTC"))):
        if mask.any():
            times[mask] = cast_times(cells.filter(pa.array(mask)), dtype)
    return times


def cast_times(cells: pa.Array, dtype: pa.DataType) -> NDArray[np.datetime64]:
    """All at once; one by one only where a date is none (30 February)."""
    try:
        return np.asarray(cells.cast(dtype).to_numpy(zero_copy_only=False)).astype("datetime64[us]")
    except pa.ArrowInvalid:
        return np.array([cast_time(cell, dtype) for cell in cells], "datetime64[us]")


def cast_time(cell: pa.Scalar, dtype: pa.DataType) -> np.datetime64:
    """One text as a time, NaT where it is none."""
    try:
        return np.datetime64(cell.cast(dtype).value // 1000, "us")
    except pa.ArrowInvalid:
        return np.datetime64("NaT")
