"""Every form that an audit can take, by name."""

from __future__ import annotations

from audits import (
    EMPTY,
    FULL,
    HOSTILE_TEXT,
    NEGATIVE_LINE,
    NO_PRICE,
    NO_REFERENCE,
    NO_TARGET,
    NOTHING_FOUND,
    TOO_TAXED,
    TRADED,
    UNDECIDED,
)
from outside import OF_A_SERVICE, OF_AN_ENDPOINT

SAMPLES = {
    "full": FULL,
    "traded": TRADED,
    "no_reference": NO_REFERENCE,
    "no_target": NO_TARGET,
    "no_price": NO_PRICE,
    "nothing_found": NOTHING_FOUND,
    "negative_line": NEGATIVE_LINE,
    "undecided": UNDECIDED,
    "too_taxed": TOO_TAXED,
    "empty": EMPTY,
    "hostile": HOSTILE_TEXT,
    "service": OF_A_SERVICE,
    "endpoint": OF_AN_ENDPOINT,
}
