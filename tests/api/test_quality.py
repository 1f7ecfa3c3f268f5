"""``excise.drift`` with a model and labels: does it do worse, as far as can be told?"""

import numpy as np
import pytest

import excise
from excise.core.errors import UsageError
from excise.core.harm import Basis, Harmed
from excise.core.verdict import Outcome
from excise.features import FeatureProfile
from excise.tables import read

pytestmark = pytest.mark.filterwarnings("ignore")
HANDLER = '''
import math


def by_rows(records):
    """Answers several rows, each as it would alone."""
    return [{"prob": 1 / (1 + math.exp(-1.5 * row["x"]))} for row in records]


def by_calls(records):
    """Answers a call, whose first row decides: a batch would be answered wrongly."""
    return [{"prob": 1 / (1 + math.exp(-1.5 * records[0]["x"]))} for _ in records]


def raises(records):
    if any(row["x"] > 2 for row in records):
        raise ValueError("too large")
    return [{"prob": 0.5} for _ in records]


def labels(records):
    return [{"label": int(row["x"] > 0)} for row in records]
'''


def rows(seed, count=3000, *, flipped=0.0, spread=1.3):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, spread, count)
    late = (rng.random(count) < 1 / (1 + np.exp(-1.5 * x))) ^ (rng.random(count) < flipped)
    return {"x": x, "noise": rng.normal(size=count), "late": late.astype(int)}


@pytest.fixture(scope="module")
def handler(tmp_path_factory):
    file = tmp_path_factory.mktemp("models") / "handler.py"
    file.write_text(HANDLER)
    return lambda name: f"{file}:{name}"


def unlabeled(sample):
    return {name: values for name, values in sample.items() if name != "late"}


def test_labels_show_harm_and_the_outcome_goes_by_it_where_asked(handler):
    model = handler("by_rows")
    found = excise.drift(rows(1), rows(2, flipped=0.2), target="late", model=model, fail_on="harm")
    assert (found.outcome, found.harm.outcome, found.harm.how) == (Outcome.FAIL, Harmed.HARM, Basis.LABELS)
    assert found.why.endswith("the model does worse on these rows")
    assert found.harm.skill.lost.low > 0
    assert found.harm.cut is None
    assert not found.harm.features  # no input has moved
    fine = excise.drift(rows(1), rows(2), target="late", model=model, fail_on="harm")
    assert (fine.outcome, fine.harm.outcome) == (Outcome.PASS, Harmed.NONE)


def test_without_labels_scores_tell_and_drifted_features_are_named(handler):
    found = excise.drift(rows(1), unlabeled(rows(2, spread=0.5)), target="late", model=handler("by_rows"))
    assert (found.harm.how, found.harm.outcome) == (Basis.ESTIMATE, Harmed.HARM)
    assert found.harm.features == ("x",)
    assert [one.name for one in found.harm.assumptions] == ["calibration", "support", "no_concept_change"]
    far = excise.drift(
        rows(1), {"x": np.full(400, 40.0), "noise": np.zeros(400)}, target="late", model=handler("by_rows")
    )
    assert far.harm.outcome is Harmed.UNCLEAR
    assert "support" in far.harm.why


def test_a_model_that_answers_calls_is_asked_row_by_row(handler):
    by_rows, by_calls = (
        excise.drift(rows(1), rows(2), target="late", model=handler(name)).harm for name in ("by_rows", "by_calls")
    )
    assert by_calls == by_rows


def test_what_cannot_be_told_is_said_and_is_no_pass(handler):
    def gap(found):
        assert found.harm is None
        return next(gap.why for gap in found.not_measured if "harm" in gap.what)

    sample = rows(1, 400)
    assert "name their column by --target" in gap(excise.drift(sample, sample, model=handler("by_rows")))
    failing = excise.drift(sample, sample, target="late", model=handler("raises"), fail_on="harm")
    assert "ValueError" in gap(failing)
    assert failing.outcome is Outcome.NOT_MEASURED
    only = excise.drift(sample, unlabeled(sample), target="late", model=handler("labels"))
    assert "only probabilities" in gap(only)
    profile = FeatureProfile.build(read(sample))
    assert "rows are not at hand" in gap(excise.drift(profile, sample, target="late", model=handler("by_rows")))
    with pytest.raises(UsageError, match="harm is told of a model"):
        excise.drift(sample, sample, target="late", fail_on="harm")


def test_rows_without_a_label_yet_are_left_out(handler):
    now = rows(2)
    late = [None if number % 3 else value for number, value in enumerate(now["late"].tolist())]
    found = excise.drift(rows(1), now | {"late": late}, target="late", model=handler("by_rows"))
    assert (found.harm.how, found.harm.current_rows) == (Basis.LABELS, 1000)
