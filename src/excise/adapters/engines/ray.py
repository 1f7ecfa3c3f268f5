"""Ray: a task for each part, on the cluster that RAY_ADDRESS names or on a small one of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from excise.core.errors import MissingExtra, NotMeasured, first_line

ADDRESS = "RAY_ADDRESS"
HERE = "local"
STORE_BYTES = 128 << 20
"""Of the object store of a cluster of our own: profiles are small."""


class RayEngine:
    """Tasks of Ray, which has to be installed with this package on every node.

    A process that is connected already stays as it is; a cluster of our own speaks to this machine alone, as far as Ray
    lets it, and is gone when the engine is closed.

    Raises:
        MissingExtra: Ray is not installed.
    """

    name = "ray"

    def __init__(self) -> None:
        if find_spec("ray") is None:
            raise MissingExtra("ray", extra="ray")
        self._ours = False

    def map(self, function: Callable[[bytes], bytes], items: Sequence[bytes]) -> Iterator[bytes]:
        """Apply a function to every item, a task each; answers come in the order of the items.

        Raises:
            NotMeasured: the cluster cannot be reached, or a task failed for good.
        """
        if not items:
            return
        import ray  # noqa: PLC0415  loading it takes a second

        self._connect(ray)
        task = ray.remote(lambda item: function(item))  # noqa: PLW0108  Ray takes no functools.partial
        waiting = [task.remote(item) for item in items]
        for place, reference in enumerate(waiting):
            try:
                answer: bytes = ray.get(reference)
            except ray.exceptions.RayError as error:
                raise failure(error) from error
            waiting[place] = None  # lets the object store forget it
            yield answer

    def close(self) -> None:
        """Stop the cluster that this engine started."""
        if self._ours:
            import ray  # noqa: PLC0415  as above

            ray.shutdown()
            self._ours = False

    def _connect(self, ray: Any) -> None:
        """Be connected, to what is there or to a cluster of our own."""
        if ray.is_initialized():
            return
        given = os.environ.get(ADDRESS, HERE)
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            if given == HERE:
                os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
                ray.init(
                    address=HERE,
                    include_dashboard=False,
                    object_store_memory=STORE_BYTES,
                    _node_ip_address="127.0.0.1",
                    **quiet,
                )
            else:
                ray.init(address=given, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise NotMeasured(f"ray cannot be reached: {first_line(error)}", hint=f"is {ADDRESS} right?") from error
        self._ours = True


def failure(error: Exception) -> NotMeasured:
    """One line for what Ray said of a task; the cause behind it, where there is one."""
    cause = getattr(error, "cause", None) or error
    return NotMeasured(
        f"ray could not finish: {type(cause).__name__}: {first_line(cause)}",
        hint="is this version of excise installed on every node, and the data within their reach?",
    )
