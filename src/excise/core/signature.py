"""What goes into a model and what comes out: named tensors with dtype and shape."""

from __future__ import annotations

import msgspec


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One named input or output.

    Attributes:
        name: as the model calls it.
        dtype: numpy's name (``float32``, ``int64``, ``str``, ``object``).
        shape: None on an axis whose length is free.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] = (None,)


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs and outputs of a model; the batch runs along ``batch_axis`` of each."""

    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    batch_axis: int = 0
