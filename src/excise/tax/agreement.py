"""Which rows two models answer differently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from excise.core.measurement import Outputs
from excise.tax.outputs import agreeing, plain


def disagreeing(one: Outputs, other: Outputs) -> NDArray[np.bool_]:
    """Rows on which any output differs beyond rounding, or is given by one of the two only. Shape (n,).

    Args:
        one: answers to some rows.
        other: answers to the same rows, in the same order.
    """
    mine, theirs = plain(one), plain(other)
    apart = np.zeros(len(one.rows), dtype=np.bool_)
    for name in mine.keys() | theirs.keys():
        if name in mine and name in theirs:
            apart |= ~agreeing(mine[name], theirs[name])
        else:
            apart[:] = True
    return apart
