"""The versioned list of remedies that an audit may try.

A tax rate is only as large as the catalogue allows, so every rate names the catalogue that it was reached with. The
version rises when a remedy is added, removed or changed; old ones stay readable, so that history can split a change
into *yours* and *the catalogue grew*.
"""

from __future__ import annotations

import msgspec


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the remedies of one version.

    >>> CATALOGUE.version, CATALOGUE.size
    ('2026.11', 11)

    Attributes:
        version: year and month.
        transforms: names of the lean variants.
        handling: names of the remedies that change the inputs, the calls or the environment.
    """

    version: str
    transforms: tuple[str, ...]
    handling: tuple[str, ...]

    @property
    def remedies(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted((*self.transforms, *self.handling)))

    @property
    def size(self) -> int:
        """How many remedies there are."""
        return len(self.remedies)


CATALOGUE = Catalogue(
    version="2026.11",
    transforms=(
        "graph",
        "one_thread",
        "onnx",
        "onnx_dynamo",
        "onnx_fused",
        "onnx_fused_int8",
        "onnx_int8",
        "onnx_int8_channel",
    ),
    handling=("cast", "drop_shadow", "newest"),
)
CATALOGUES = {CATALOGUE.version: CATALOGUE}
"""Every version that was ever released, for audits of the past."""
