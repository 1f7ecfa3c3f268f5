import sys
from pathlib import Path

import numpy as np
import pytest

from excise.adapters.models import loaders
from excise.core.predictor import InputKind, LoaderSpec, Variant
from excise.measure.design import Arm, Cell, Design
from excise.tables import read

HANDLERS = Path(__file__).parent / "handlers.py"
LOADER = Path(loaders.__path__[0]) / "python.py"


@pytest.fixture
def spec():
    """How a worker loads one of the handlers."""
    return lambda name: LoaderSpec(loader=str(LOADER), target=f"{HANDLERS}:{name}")


@pytest.fixture
def numbers():
    """One column of a hundred whole numbers."""
    return read({"x": np.arange(100)})


@pytest.fixture
def design(spec, numbers):
    """An experiment on handlers: name of the cell -> (handler, shadow)."""

    def make(timeout_s=20.0, **cells):
        arms = {
            handler: Arm(name=handler, variant=Variant(name=handler, loader=spec(handler)), python=sys.executable)
            for handler, _ in cells.values()
        }
        made = {name: Cell(name=name, arm=handler, shadow=shadow) for name, (handler, shadow) in cells.items()}
        return Design(
            arms=arms,
            cells=made,
            incumbent="production",
            samples={"current": numbers},
            kind=InputKind.RECORDS,
            timeout_s=timeout_s,
        )

    return make
