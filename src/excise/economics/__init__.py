"""What an inference costs: dated prices and the law that turns demand into money."""

from excise.economics.cost import cost_per_1000, is_lower_bound, occupancy_ms
from excise.economics.matching import closest_machine, machines_like
from excise.economics.prices import (
    PriceBook,
    custom_price,
    default_price,
    differences,
    is_stale,
    priced_elsewhere,
)

__all__ = [
    "PriceBook",
    "closest_machine",
    "cost_per_1000",
    "custom_price",
    "default_price",
    "differences",
    "is_lower_bound",
    "is_stale",
    "machines_like",
    "occupancy_ms",
    "priced_elsewhere",
]
