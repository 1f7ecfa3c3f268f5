"""How long a batch takes, by its size: what capacity plans and batchers are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from excise.core.estimate import Estimate


class ServiceCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Measured milliseconds of a call, by rows in it.

    >>> def known(ms): return Estimate.exact(ms, unit="ms")
    >>> curve = ServiceCurve(points={1: known(3.0), 5: known(11.0)})
    >>> curve.at(3), curve.fixed_ms, curve.per_row_ms
    (7.0, 1.0, 2.0)

    Attributes:
        points: batch size to Estimate in ms, at least one.
    """

    points: Mapping[int, Estimate]

    def at(self, batch: int) -> float:
        """Milliseconds of a batch: between two measured sizes by straight line, beyond them by the fitted law."""
        sizes = sorted(self.points)
        if sizes[0] <= batch <= sizes[-1]:
            return float(np.interp(batch, sizes, self._values(sizes)))
        return self.fixed_ms + self.per_row_ms * batch

    @property
    def fixed_ms(self) -> float:
        """What a call costs before its first row: the law's intercept, never negative."""
        return self._law()[0]

    @property
    def per_row_ms(self) -> float:
        """What one more row costs: the law's slope, never negative."""
        return self._law()[1]

    def _values(self, sizes: Sequence[int]) -> list[float]:
        return [self.points[size].value for size in sizes]

    def _law(self) -> tuple[float, float]:
        sizes = sorted(self.points)
        if len(sizes) == 1:
            return 0.0, self.points[sizes[0]].value / sizes[0]
        slope, intercept = np.polyfit(sizes, self._values(sizes), 1)
        return max(0.0, round(float(intercept), 12)), max(0.0, round(float(slope), 12))
