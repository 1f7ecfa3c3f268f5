import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servers import HOSTILE, running

from excise.adapters.models import find
from excise.core.refs import ModelRef


@pytest.fixture(scope="module")
def hostile():
    with running(HOSTILE) as server:
        yield server


@pytest.fixture
def ask(load):
    """A predictor of the endpoint at a URL, as a worker would load it; closed at the end."""
    made = []

    def load_endpoint(url, request=None, **options):
        spec = find(ModelRef.parse(url)).variant.loader
        method, _, path = (request or "").partition(" ")
        template = {"method": method, "path": path, **options.pop("template", {})} if request else None
        spec.options.update(request=template, timeout_s=2.0, **options)
        made.append(load(spec))
        return made[-1]

    yield load_endpoint
    for predictor in made:
        predictor.close()
