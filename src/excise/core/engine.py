"""The seam to places where many parts are worked on at once: threads here, processes of a cluster elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Engine(Protocol):
    """Where parts of a sample are profiled; found through the entry-point group ``excise.engines``.

    Bytes go in and bytes come out, so that the function alone has to be pickled: it is importable wherever this package
    is installed, or a ``functools.partial`` of such a one. What can go wrong with a part comes back in its bytes; an
    exception is a fault of the engine or of the function.
    """

    name: str
    """As the user names it: ``local``, ``ray``, ``spark``."""

    def map(self, function: Callable[[bytes], bytes], items: Sequence[bytes]) -> Iterator[bytes]:
        """Apply a function to every item; answers come in the order of the items, each as soon as it may.

        Nothing is started for no items, and nothing is printed to standard output.

        Raises:
            MissingExtra: the system behind it is not installed.
            NotMeasured: it could not finish: a process died, the cluster went away, the function raised.
        """

    def close(self) -> None:
        """Stop what was started, and leave alone what was there before; closing twice does nothing."""
